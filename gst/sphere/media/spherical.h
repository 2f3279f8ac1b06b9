// SPDX-License-Identifier: LGPL-2.1-or-later
// Detects the metadata of stitched 360 pictures.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "gst/sphere/media/box.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

/// Of the `uuid` box of a track that has XML with the first version of Google's metadata.
inline constexpr uint8_t video_schema[16] = {0xff, 0xcc, 0x82, 0x63, 0xf8, 0x55, 0x4a, 0x93,
                                             0x88, 0x14, 0x58, 0x7a, 0x02, 0x52, 0x1f, 0xdd};

/// Whether an XMP packet has it, in Google's photo sphere schema (GPano).
bool xmp_is_spherical(std::span<const uint8_t> packet);

/// The compass direction of the middle of the picture, in degrees clockwise from north, as an XMP
/// packet tells it in the same schema.
std::optional<double> heading_of_xmp(std::span<const uint8_t> packet);

/// Whether this XML of a video has it, in the first version of Google's metadata for videos.
bool video_xml_is_spherical(std::string_view text);

/// Whether a `uuid` box of a track has it, in the first version of Google's metadata for videos
/// (XML).
bool uuid_box_is_spherical(const Source& source, const Box& box);
/// Whether it tells that the picture has a sphere for each eye.
bool uuid_box_is_stereo(const Source& source, const Box& box);

/// Whether the first entry of a video track's `stsd` box has it, in the second version of Google's
/// metadata (`sv3d`). A mesh does not count, because it can also describe fisheyes.
bool sample_entry_is_spherical(const Source& source, const Box& stsd);
/// Whether it tells that the picture consists of six faces, in the only layout that the metadata
/// defines, without padding: that of Projection::cubemap.
bool sample_entry_is_cubemap(const Source& source, const Box& stsd);
/// Whether it tells that the picture has a sphere for each eye (`st3d`).
bool sample_entry_is_stereo(const Source& source, const Box& stsd);

}  // namespace sphere::media
