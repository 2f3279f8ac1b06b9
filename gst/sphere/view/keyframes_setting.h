// SPDX-License-Identifier: LGPL-2.1-or-later
// The property `keyframes` of elements that draw a view.

#pragma once

#include <gst/gst.h>

#include <memory>
#include <optional>
#include <string>

#include "gst/sphere/base/result.h"
#include "gst/sphere/view/path.h"

namespace sphere {

/// What the property was set to: a file, the text itself, or nothing. A copy shares the keyframes.
class KeyframesSetting {
 public:
  KeyframesSetting() = default;
  /// Reads the file.
  explicit KeyframesSetting(const char* file_or_text);

  /// As it was set; empty, never null, if it is not set: editors show it in a text field.
  const char* words() const { return words_.c_str(); }
  bool is_set() const { return path_ != nullptr; }

  /// The projection of the first keyframe, or this one if there are no keyframes.
  Projection first_projection(Projection otherwise) const;
  /// Replaces the view by that at the stream time of a buffer, if there are keyframes. An error:
  /// they can't be used.
  Status apply(const GstSegment& segment, GstBuffer* buffer, View* view) const;

  bool operator==(const KeyframesSetting&) const = default;

 private:
  std::string words_;
  std::shared_ptr<const Result<ViewPath>> path_;
};

}  // namespace sphere
