// SPDX-License-Identifier: LGPL-2.1-or-later
// What the tags of Exif, TIFF and DNG tell.

#pragma once

#include <libexif/exif-ifd.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gst/sphere/media/maker.h"
#include "gst/sphere/media/tiff.h"

namespace sphere::media {

class Findings;

/// What libexif calls a directory.
ExifIfd exif_ifd(ExifTag::Directory directory);
/// The name that the specification gives, "0x9009" if it has none.
std::string exif_tag_name(ExifTag::Directory directory, uint16_t tag);
/// A value in words, at most some hundred bytes.
std::string exif_value(const ExifTag& tag, bool little);

/// Make and model, which decide what private tags mean.
struct ExifCamera {
  std::string make, model;
};
/// Names that are longer than any camera's are left out, because they would not stay.
ExifCamera camera_of(const Tiff& tiff);

/// The class of a tag. First, the makers are asked. A tag whose values are numbers is only useful
/// if it has the type and the length that such a tag has, because otherwise it could tell anything.
PartRule exif_rule(const Request& request, const ExifCamera& camera, const ExifTag& tag,
                   bool little);
/// Likewise for the tags that only TIFF and DNG have, which may be long lists of numbers.
PartRule tiff_rule(const Request& request, const ExifCamera& camera, const ExifTag& tag,
                   bool little);
/// Whether the value of an image's tag must be read whole, to know whether it is what its tag says:
/// a colour profile, tables of a JPEG, operations on the pixels.
bool has_own_form(uint16_t tag);
/// Of a colour profile.
bool is_profile_tag(uint16_t tag);
/// Whether the text of a tag names a person or one device, and not only a model or a program.
bool names_somebody(const ExifTag& tag);

/// The tag of an image directory whose value is the offset of the GPS directory.
inline constexpr uint16_t gps_pointer = 0x8825;
/// The directory to which a tag points; none if it does not point to one.
std::optional<ExifTag::Directory> pointed_directory(ExifTag::Directory in, uint16_t tag);

/// Adds the positions of a GPS directory to the traces.
void note_positions(const Tiff& tiff, const TiffDirectory& gps, Findings* findings);

}  // namespace sphere::media
