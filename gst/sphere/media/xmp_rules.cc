// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/xmp_rules.h"

#include <algorithm>
#include <string>

#include "gst/sphere/base/text.h"

namespace sphere::media {

namespace {

// Letters.
constexpr size_t longest_number = 32;

constexpr std::string_view tiff_uri = "http://ns.adobe.com/tiff/1.0/";
constexpr std::string_view xmp_uri = "http://ns.adobe.com/xap/1.0/";
constexpr std::string_view xmp_media_uri = "http://ns.adobe.com/xap/1.0/mm/";
constexpr std::string_view rights_uri = "http://ns.adobe.com/xap/1.0/rights/";
constexpr std::string_view dc_uri = "http://purl.org/dc/elements/1.1/";
constexpr std::string_view photoshop_uri = "http://ns.adobe.com/photoshop/1.0/";
constexpr std::string_view iptc_uri = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/";
constexpr std::string_view iptc_more_uri = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
constexpr std::string_view aux_uri = "http://ns.adobe.com/exif/1.0/aux/";
constexpr std::string_view exif_more_uri = "http://cipa.jp/exif/1.0/";
constexpr std::string_view dji_uri = "http://www.dji.com/drone-dji/1.0/";
constexpr std::string_view pix4d_uri = "http://pix4d.com/camera/1.0/";
constexpr std::string_view audio_uri = "http://ns.google.com/photos/1.0/audio/";

constexpr XmlNamespace namespaces[] = {
    {gpano_uri, "GPano"},
    {exif_uri, "exif"},
    {tiff_uri, "tiff"},
    {xmp_uri, "xmp"},
    {xmp_media_uri, "xmpMM"},
    {rights_uri, "xmpRights"},
    {"http://ns.adobe.com/xmp/note/", "xmpNote"},
    {dc_uri, "dc"},
    {photoshop_uri, "photoshop"},
    {iptc_uri, "Iptc4xmpCore"},
    {iptc_more_uri, "Iptc4xmpExt"},
    {aux_uri, "aux"},
    {exif_more_uri, "exifEX"},
    {dji_uri, "drone-dji"},
    {pix4d_uri, "Camera"},
    {audio_uri, "GAudio"},
    {"http://ns.google.com/photos/1.0/image/", "GImage"},
    {"http://ns.google.com/photos/1.0/depthmap/", "GDepth"},
    {"http://ns.google.com/photos/1.0/camera/", "GCamera"},
    {"http://ns.google.com/photos/1.0/container/", "Container"},
    {"http://ns.google.com/photos/1.0/container/item/", "Item"},
    {spherical_uri, "GSpherical"},
    {"http://ns.adobe.com/xap/1.0/sType/ResourceRef#", "stRef"},
    {"http://ns.adobe.com/xap/1.0/sType/ResourceEvent#", "stEvt"},
};

enum class Form { number, yes_or_no, projection, stereo };

struct Useful {
  std::string_view uri, name;
  Form form;
};
constexpr Useful useful[] = {
    {gpano_uri, "UsePanoramaViewer", Form::yes_or_no},
    {gpano_uri, "ProjectionType", Form::projection},
    {gpano_uri, "PosePitchDegrees", Form::number},
    {gpano_uri, "PoseRollDegrees", Form::number},
    {gpano_uri, "InitialViewHeadingDegrees", Form::number},
    {gpano_uri, "InitialViewPitchDegrees", Form::number},
    {gpano_uri, "InitialViewRollDegrees", Form::number},
    {gpano_uri, "InitialHorizontalFOVDegrees", Form::number},
    {gpano_uri, "InitialVerticalFOVDegrees", Form::number},
    {gpano_uri, "SourcePhotosCount", Form::number},
    {gpano_uri, "ExposureLockUsed", Form::yes_or_no},
    {gpano_uri, "CroppedAreaImageWidthPixels", Form::number},
    {gpano_uri, "CroppedAreaImageHeightPixels", Form::number},
    {gpano_uri, "FullPanoWidthPixels", Form::number},
    {gpano_uri, "FullPanoHeightPixels", Form::number},
    {gpano_uri, "CroppedAreaLeftPixels", Form::number},
    {gpano_uri, "CroppedAreaTopPixels", Form::number},
    {gpano_uri, "InitialCameraDolly", Form::number},
    {gpano_uri, "LargestValidInteriorRectLeft", Form::number},
    {gpano_uri, "LargestValidInteriorRectTop", Form::number},
    {gpano_uri, "LargestValidInteriorRectWidth", Form::number},
    {gpano_uri, "LargestValidInteriorRectHeight", Form::number},
    {tiff_uri, "Orientation", Form::number},
    {tiff_uri, "ImageWidth", Form::number},
    {tiff_uri, "ImageLength", Form::number},
    {exif_uri, "ColorSpace", Form::number},
    {exif_uri, "PixelXDimension", Form::number},
    {exif_uri, "PixelYDimension", Form::number},
    {spherical_uri, "Spherical", Form::yes_or_no},
    {spherical_uri, "Stitched", Form::yes_or_no},
    {spherical_uri, "ProjectionType", Form::projection},
    {spherical_uri, "StereoMode", Form::stereo},
    {spherical_uri, "SourceCount", Form::number},
    {spherical_uri, "InitialViewHeadingDegrees", Form::number},
    {spherical_uri, "InitialViewPitchDegrees", Form::number},
    {spherical_uri, "InitialViewRollDegrees", Form::number},
    {spherical_uri, "FullPanoWidthPixels", Form::number},
    {spherical_uri, "FullPanoHeightPixels", Form::number},
    {spherical_uri, "CroppedAreaImageWidthPixels", Form::number},
    {spherical_uri, "CroppedAreaImageHeightPixels", Form::number},
    {spherical_uri, "CroppedAreaLeftPixels", Form::number},
    {spherical_uri, "CroppedAreaTopPixels", Form::number},
};

struct Telling {
  std::string_view uri, name;  ///< a name with * at its end is the beginning of names
  PartClass part_class;
  const char* what;
};
constexpr Telling telling[] = {
    {gpano_uri, "PoseHeadingDegrees", PartClass::place, "compass direction"},
    {gpano_uri, "FirstPhotoDate", PartClass::time, "time of capture"},
    {gpano_uri, "LastPhotoDate", PartClass::time, "time of capture"},
    // Programs in cameras have the name of the model, and sometimes a serial number.
    {gpano_uri, "CaptureSoftware", PartClass::identity, "software"},
    {gpano_uri, "StitchingSoftware", PartClass::identity, "software"},
    {exif_uri, "GPSTimeStamp", PartClass::time, "time of the position"},
    {exif_uri, "GPSDateStamp", PartClass::time, "time of the position"},
    {exif_uri, "GPS*", PartClass::place, "position"},
    {exif_uri, "DateTime*", PartClass::time, "time of capture"},
    {exif_uri, "ImageUniqueID", PartClass::identity, "number of this picture"},
    {tiff_uri, "DateTime", PartClass::time, "time of the last change"},
    {tiff_uri, "Make", PartClass::identity, "maker of the camera"},
    {tiff_uri, "Model", PartClass::identity, "model of the camera"},
    {tiff_uri, "Software", PartClass::identity, "software"},
    {tiff_uri, "Artist", PartClass::identity, "photographer"},
    {tiff_uri, "Copyright", PartClass::identity, "owner of the rights"},
    {xmp_uri, "CreateDate", PartClass::time, "time of capture"},
    {xmp_uri, "ModifyDate", PartClass::time, "time of the last change"},
    {xmp_uri, "MetadataDate", PartClass::time, "time of the last change"},
    {xmp_uri, "CreatorTool", PartClass::identity, "software"},
    {xmp_media_uri, "*", PartClass::identity, "numbers of this picture, and its history"},
    {rights_uri, "*", PartClass::identity, "owner of the rights"},
    {dc_uri, "creator", PartClass::identity, "photographer"},
    {dc_uri, "contributor", PartClass::identity, "photographer"},
    {dc_uri, "publisher", PartClass::identity, "photographer"},
    {dc_uri, "rights", PartClass::identity, "owner of the rights"},
    {dc_uri, "date", PartClass::time, "time of capture"},
    {dc_uri, "coverage", PartClass::place, "name of the place"},
    {photoshop_uri, "City", PartClass::place, "name of the place"},
    {photoshop_uri, "State", PartClass::place, "name of the place"},
    {photoshop_uri, "Country", PartClass::place, "name of the place"},
    {photoshop_uri, "DateCreated", PartClass::time, "time of capture"},
    {photoshop_uri, "Credit", PartClass::identity, "photographer"},
    {photoshop_uri, "AuthorsPosition", PartClass::identity, "photographer"},
    {photoshop_uri, "CaptionWriter", PartClass::identity, "photographer"},
    {iptc_uri, "Location", PartClass::place, "name of the place"},
    {iptc_uri, "CountryCode", PartClass::place, "name of the place"},
    {iptc_uri, "CreatorContactInfo", PartClass::identity, "photographer"},
    {iptc_more_uri, "Location*", PartClass::place, "name of the place"},
    {iptc_more_uri, "City", PartClass::place, "name of the place"},
    {iptc_more_uri, "Sublocation", PartClass::place, "name of the place"},
    {iptc_more_uri, "ProvinceState", PartClass::place, "name of the place"},
    {iptc_more_uri, "Country*", PartClass::place, "name of the place"},
    {iptc_more_uri, "WorldRegion", PartClass::place, "name of the place"},
    {iptc_more_uri, "PersonInImage*", PartClass::identity, "who is in the picture"},
    {aux_uri, "*", PartClass::identity, "the camera and its lens"},
    {exif_more_uri, "BodySerialNumber", PartClass::identity, "serial number of the camera"},
    {exif_more_uri, "LensSerialNumber", PartClass::identity, "serial number of the lens"},
    {exif_more_uri, "CameraOwnerName", PartClass::identity, "owner of the camera"},
    {exif_more_uri, "Lens*", PartClass::identity, "the camera and its lens"},
    {dji_uri, "Gps*", PartClass::place, "position"},
    {dji_uri, "GPS*", PartClass::place, "position"},
    {dji_uri, "AbsoluteAltitude", PartClass::place, "altitude"},
    {dji_uri, "RelativeAltitude", PartClass::place, "altitude"},
    {pix4d_uri, "Gps*", PartClass::place, "position"},
    {pix4d_uri, "GPS*", PartClass::place, "position"},
    {audio_uri, "*", PartClass::sound, "a recording of sound"},
    {spherical_uri, "Timestamp", PartClass::time, "time of capture"},
    {spherical_uri, "StitchingSoftware", PartClass::identity, "software"},
};

bool matches(std::string_view pattern, std::string_view name) {
  if (pattern.ends_with('*')) return name.starts_with(pattern.substr(0, pattern.size() - 1));
  return name == pattern;
}

std::string lower(std::string_view text) {
  std::string all(text);
  std::ranges::transform(all, all.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return all;
}

bool has_form(std::string_view value, Form form) {
  const std::string text = lower(trimmed(value));
  const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, text) != words.end();
  };
  switch (form) {
    case Form::number:
      return !text.empty() && text.size() <= longest_number &&
             text.find_first_not_of("+-.0123456789e") == std::string::npos;
    case Form::yes_or_no:
      return is_one_of({"true", "false", "1", "0"});
    case Form::projection:
      return is_one_of({"equirectangular", "cylindrical", "rectilinear", "fisheye", "cubemap"});
    case Form::stereo:
      return is_one_of({"mono", "left-right", "top-bottom"});
  }
  return false;
}

}  // namespace

const XmlNamespace* find_namespace(std::string_view uri) {
  const auto* found = std::ranges::find(namespaces, uri, &XmlNamespace::uri);
  return found != std::end(namespaces) ? found : nullptr;
}

bool is_plain_software(std::string_view name) {
  name = trimmed(name);
  return name == SphereMark().software || name == "Spherical Metadata Tool";
}

PartRule xmp_rule(std::string_view uri, std::string_view name, std::string_view value,
                  bool simple) {
  const std::string text(trimmed(value));
  if (simple && (uri == gpano_uri || uri == spherical_uri) && name.ends_with("Software") &&
      is_plain_software(text))
    return {PartClass::useful, "software", text};
  for (const Telling& rule : telling)
    if (uri == rule.uri && matches(rule.name, name)) return {rule.part_class, rule.what, text};
  for (const Useful& rule : useful)
    if (simple && uri == rule.uri && name == rule.name && has_form(text, rule.form))
      return {PartClass::useful,
              uri == gpano_uri || uri == spherical_uri ? "360 marking" : "form of the picture",
              text};
  return {PartClass::unknown, "not known", text};
}

PartRule video_xml_rule(std::string_view name, std::string_view value) {
  return xmp_rule(spherical_uri, name, value, true);
}

bool xmp_names_somebody(std::string_view name) {
  return name.ends_with("SerialNumber") || name.ends_with("OwnerName") ||
         name.ends_with("DocumentID") || name.ends_with("InstanceID") || name == "creator" ||
         name == "ImageUniqueID" || name == "Artist" || name == "Credit";
}

}  // namespace sphere::media
