// SPDX-License-Identifier: LGPL-2.1-or-later
// What the properties of XMP and of the XML in spherical videos tell.

#pragma once

#include <span>
#include <string_view>

#include "gst/sphere/media/maker.h"

namespace sphere::media {

struct XmlNamespace {
  std::string_view uri, prefix;
};

inline constexpr std::string_view rdf_uri = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
inline constexpr std::string_view gpano_uri = "http://ns.google.com/photos/1.0/panorama/";
inline constexpr std::string_view exif_uri = "http://ns.adobe.com/exif/1.0/";
inline constexpr std::string_view spherical_uri = "http://ns.google.com/videos/1.0/spherical/";

/// The schema with its usual prefix; null if it is not known.
const XmlNamespace* find_namespace(std::string_view uri);

/// The class of a property. `simple` says that the value is a text without a structure. A useful
/// property must have a number, a yes or no, or one of the known words, because otherwise it could
/// tell anything.
PartRule xmp_rule(std::string_view uri, std::string_view name, std::string_view value, bool simple);
/// Likewise for the XML in spherical videos.
PartRule video_xml_rule(std::string_view name, std::string_view value);
/// Whether a property names a person, one device or one picture.
bool xmp_names_somebody(std::string_view name);
/// Whether a name is one of those that programs of spheres write, and nobody's own.
bool is_plain_software(std::string_view name);

}  // namespace sphere::media
