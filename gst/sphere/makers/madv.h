// SPDX-License-Identifier: LGPL-2.1-or-later
// What a Mi Sphere or one of its sisters, made by MADV, leaves in its files. docs/format-madv.md
// has the forms, and which parts are a reconstruction.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "gst/sphere/geometry/quaternion.h"
#include "gst/sphere/makers/capture.h"
#include "gst/sphere/media/picture.h"
#include "gst/sphere/media/source.h"
#include "gst/sphere/media/tiff.h"

namespace sphere::makers::madv {

/// Nine numbers, row by row, as the file has them: nothing is said of whether they are a rotation.
using Matrix = std::array<float, 9>;

/// What these nine numbers mean, camera to world in the axes of this project. Nothing for what is
/// no rotation.
std::optional<Quaternion> orientation_of(const Matrix& matrix);

/// As the functions of the same names in capture.h. A box is `madv` with all that is in it, or one
/// of those of its boxes that count here.
bool read_box(std::span<const uint8_t> box, CaptureInfo* info);
CaptureInfo read_video(const media::Source& source);
CaptureInfo read_jpeg(const media::Source& source, const media::JpegInfo& jpeg);
CaptureInfo read_tiff(const media::Tiff& tiff);

}  // namespace sphere::makers::madv
