// SPDX-License-Identifier: LGPL-2.1-or-later
// What a decoded picture is: two fisheyes, a 360 picture, or an ordinary one.

#pragma once

#include <gst/video/video.h>

#include <optional>

#include "gst/sphere/media/picture_kind.h"

namespace sphere::tool {

/// The most pictures that are examined: their kind may not be clear from the first ones, because a
/// video may fade in.
inline constexpr int most_examined = 100;

/// The kind of a picture, and its format, as the caps of the pad have it. Nothing if it can't be
/// read.
std::optional<media::PictureKind> classify_decoded(GstPad* pad, GstBuffer* picture,
                                                   GstVideoInfo* format);

}  // namespace sphere::tool
