// SPDX-License-Identifier: LGPL-2.1-or-later
// The marks by which a file says that its picture is a stitched 360 picture.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "gst/sphere/media/box.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

/// Whether an XMP packet says it, by Google's photo sphere schema (GPano).
bool xmp_is_spherical(std::span<const uint8_t> packet);

/// Whether this XML of a video says it, by Google's first form.
bool video_xml_is_spherical(std::string_view text);

/// Whether a `uuid` box of a track says it, by Google's first form for videos (XML).
bool uuid_box_is_spherical(const Source& source, const Box& box);

/// Whether the first entry of a video track's `stsd` box says it, by Google's second form
/// (`sv3d`). A mesh does not count: it can describe fisheyes too.
bool sample_entry_is_spherical(const Source& source, const Box& stsd);

}  // namespace sphere::media
