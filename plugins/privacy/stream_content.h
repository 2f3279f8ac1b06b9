// SPDX-License-Identifier: LGPL-2.1-or-later
// What is in the buffers of a stream, by its caps.

#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "plugins/privacy/allowance.h"
#include "plugins/privacy/coded_video.h"
#include "plugins/privacy/stream_headers.h"

namespace sphere::privacy {

class StreamContent {
 public:
  /// Without caps nothing is known.
  StreamContent() = default;
  explicit StreamContent(const GstCaps* caps);

  CapsRef clean_caps(const GstCaps* caps, const Allowance& allowance) const;

  /// The buffer with what is allowed; null if nothing is left. An error where it can't be examined:
  /// then it must not be passed on.
  Result<BufferRef> clean(BufferRef buffer, const Allowance& allowance);

  /// Whether the buffers are only pictures or sound, so that nothing is ever taken out of them.
  bool is_plain() const { return kind_ == Kind::plain; }

 private:
  enum class Kind { unknown, plain, sound, coded_video, picture, klv, captions, data };

  BufferRef clean_header(BufferRef buffer) const;

  Kind kind_ = Kind::unknown;
  std::string name_;
  std::optional<CodedVideo> video_;
  std::string problem_;  // why the coded video can't be examined
  std::vector<Header> headers_, clean_headers_;
};

}  // namespace sphere::privacy
