// SPDX-License-Identifier: LGPL-2.1-or-later
// Streams of H.264 and H.265: units and messages that tell more than the picture are taken out.

#pragma once

#include <gst/gst.h>

#include <optional>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/sei.h"

namespace sphere::privacy {

class CodedVideo {
 public:
  /// An error where the units of such a stream can't be found: what is not aligned to units, and
  /// length-prefixed units without their description.
  static Result<CodedVideo> make(const GstStructure* caps);

  /// The caps without messages in the description of the stream.
  CapsRef clean_caps(const GstCaps* caps, const media::Policy& policy) const;

  /// The buffer with what the policy allows; the same buffer if that is everything, null if nothing
  /// is left. An error if it is damaged. Remembers what parameter sets in the stream say.
  Result<BufferRef> clean(BufferRef buffer, const media::Policy& policy);

  static bool is_such(const GstStructure* caps);

 private:
  CodedVideo(media::NalCodec codec, size_t length_size)
      : codec_(codec), length_size_(length_size) {}

  media::NalCodec codec_;
  size_t length_size_;  // bytes of the length before each unit; 0: start codes
  std::vector<media::PictureTiming> timings_;
};

}  // namespace sphere::privacy
