// SPDX-License-Identifier: LGPL-2.1-or-later
// The pictures of a file as small 360 pictures, for what looks for something in them before a film
// is made.

#pragma once

#include <gst/gst.h>

#include <memory>
#include <optional>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/vision/sphere_picture.h"
#include "gst/tools/stitch_input.h"
#include "gst/tools/stitch_options.h"

namespace sphere::tool {

struct TimedPicture {
  double time = 0;  ///< seconds of stream time, as keyframes have it
  SpherePicture picture;
};

class SpherePictures {
 public:
  /// Fisheyes are stitched as the options say. `width`: of the pictures. `input` must outlive this.
  static Result<std::unique_ptr<SpherePictures>> open(const StitchInput& input,
                                                      const StitchOptions& options, int width);
  ~SpherePictures();
  SpherePictures(const SpherePictures&) = delete;
  SpherePictures& operator=(const SpherePictures&) = delete;

  /// Seconds; 0: not known, and for a photo.
  double duration() const;
  /// Goes on at a time in seconds: exactly there, or at the key frame that is nearest.
  Status seek(double time, bool exact);
  /// The next picture; nothing: the end.
  Result<std::optional<TimedPicture>> next();

 private:
  SpherePictures() = default;
  Status build(const StitchInput& input, const StitchOptions& options, int width);
  Error reason();

  std::string name_;
  GstRef<GstElement> pipeline_, sink_;
};

}  // namespace sphere::tool
