// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads what a Mi Sphere, or a related camera by MADV, writes into its files. docs/format-madv.md
// describes the formats, and tells which parts are a reconstruction.

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

/// Nine numbers of a file, row by row. They may not be a rotation.
using Matrix = std::array<float, 9>;

/// The orientation that these nine numbers mean, camera to world in the axes of this project; empty
/// if they are not a rotation.
std::optional<Quaternion> orientation_of(const Matrix& matrix);

/// Like the functions of the same names in capture.h. A box is a whole `madv` box, or one of the
/// boxes in it that are read here.
bool read_box(std::span<const uint8_t> box, CaptureInfo* info);
CaptureInfo read_video(const media::Source& source);
CaptureInfo read_jpeg(const media::Source& source, const media::JpegInfo& jpeg);
CaptureInfo read_tiff(const media::Tiff& tiff);

}  // namespace sphere::makers::madv
