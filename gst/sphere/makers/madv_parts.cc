// SPDX-License-Identifier: LGPL-2.1-or-later
// What the tags, boxes and bytes tell that a Mi Sphere, or a related camera by MADV, puts into its
// files. The lens data is different for each camera, and needed until a picture is stitched.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/makers/madv_format.h"
#include "gst/sphere/makers/makers.h"
#include "gst/sphere/media/box_edits.h"
#include "gst/sphere/media/place.h"

namespace sphere::makers {

namespace {

using namespace madv;
using media::ExifTag;
using media::Part;
using media::PartClass;
using media::PartRule;
using media::Source;
using media::Traces;

constexpr size_t table_begin_size = 64 << 10;
constexpr uint16_t type_ascii = 2;
constexpr size_t longest_name = 32;

/// Numbers with semicolons: where the circles of the lenses are.
bool is_lens_text(std::span<const uint8_t> bytes) {
  return !bytes.empty() && std::ranges::all_of(bytes, [](uint8_t byte) {
    return byte == 0 || std::string_view("0123456789.;-+e ").find(static_cast<char>(byte)) !=
                            std::string_view::npos;
  }) && std::ranges::count(bytes, ';') >= 4;
}

PartRule stitching(const char* what) { return {PartClass::stitching, what, {}}; }

/// `gpsx`: a number, then letters and rationals as in Exif. Which byte order they have is not
/// known.
std::string read_place(std::span<const uint8_t> content, Traces* traces) {
  constexpr size_t begin = 4, letters = 2, angle = 24, length = begin + 2 * (letters + angle);
  if (content.size() < length) return {};
  const auto latitude = content.subspan(begin + letters, angle);
  const auto longitude = content.subspan(begin + letters + angle + letters, angle);
  std::string value;
  for (const bool little : {true, false}) {
    const auto first = media::parse_rational_angle(latitude, little);
    const auto second = media::parse_rational_angle(longitude, little);
    if (!first || !second) continue;
    Position position{*first, *second, {}};
    if (content[begin] == 'S') position.latitude = -position.latitude;
    if (content[begin + letters + angle] == 'W') position.longitude = -position.longitude;
    if (!media::is_position(position)) continue;
    traces->add(position);
    value = media::iso6709(position);
  }
  return value;
}

/// `caif`: date, resolution, speed, reserved bytes, id, version and serial number.
std::string read_camera(std::span<const uint8_t> content, Traces* traces) {
  constexpr size_t id = 48, version = 64, serial = 96, end = 128;
  if (content.size() < end) return {};
  const auto text = [&](size_t first, size_t last) {
    const std::string_view all(reinterpret_cast<const char*>(content.data() + first), last - first);
    return std::string(all.substr(0, all.find('\0')));
  };
  traces->add_identity(text(id, version));
  traces->add_identity(text(serial, end));
  return text(id, version) + " " + text(serial, end);
}

constexpr size_t box_head = 8;
// Between two records, the orientation is interpolated: the last picture needs the next record.
constexpr uint64_t records_beyond = 1;

std::span<const uint8_t> content_of(std::span<const uint8_t> box) { return box.subspan(box_head); }

/// A track with the records of these pictures. `copies` of its first record come before it.
std::vector<uint8_t> cut_track_box(std::span<const uint8_t> box,
                                   const media::PictureRange& pictures, uint64_t copies) {
  const std::span<const uint8_t> content = content_of(box);
  const uint64_t have = content.size() / matrix_size;
  const uint64_t first = std::min(pictures.first > copies ? pictures.first - copies : 0, have);
  // Pictures that the copies are for need none of the records behind the first one.
  const uint64_t before = copies > pictures.first ? copies - pictures.first : 0;
  const uint64_t wanted = pictures.count + records_beyond;
  const uint64_t count =
      std::min(have - first, std::max<uint64_t>(wanted > before ? wanted - before : 0, 1));
  const std::string type(reinterpret_cast<const char*>(box.data()) + 4, 4);
  return media::make_box(type.c_str(), content.subspan(static_cast<size_t>(first * matrix_size),
                                                       static_cast<size_t>(count * matrix_size)));
}

/// The camera's own box, with the records of these pictures. Nothing if it is damaged.
std::optional<std::vector<uint8_t>> cut_camera_box(std::span<const uint8_t> box,
                                                   const media::PictureRange& pictures) {
  if (box.size() < box_head) return std::nullopt;
  const std::span<const uint8_t> content = content_of(box);
  const MemorySource source(content);
  uint64_t copies = 0;
  if (const auto count = find_box(source, 0, content.size(), false, "fltr"))
    copies = ByteReader(content.subspan(static_cast<size_t>(count->content))).u32_little();
  std::vector<uint8_t> made;
  for (uint64_t position = 0; position < content.size();) {
    Box child;
    if (box_at(source, position, content.size(), false, &child) != Next::box) return std::nullopt;
    const std::span<const uint8_t> whole = content.subspan(
        static_cast<size_t>(child.begin), static_cast<size_t>(child.end - child.begin));
    std::vector<uint8_t> bytes(whole.begin(), whole.end());
    const bool plain = child.content - child.begin == box_head;
    if (plain && (child.type == "tlyd" || child.type == "GYRA")) {
      bytes = cut_track_box(whole, pictures, child.type == "tlyd" ? copies : 0);
    } else if (plain && child.type == "fltr" && child.size() >= 4) {
      const uint64_t left = copies > pictures.first ? copies - pictures.first : 0;
      for (size_t i = 0; i < 4; ++i) bytes[box_head + i] = static_cast<uint8_t>(left >> 8 * i);
    }
    made.insert(made.end(), bytes.begin(), bytes.end());
    position = child.end;
  }
  return media::make_box("madv", made);
}

class MadvMaker : public media::Maker {
 public:
  std::optional<PartRule> exif_tag(std::string_view maker, std::string_view model,
                                   const ExifTag& tag) const override {
    if (tag.tag == tag_table && begins_as_table(tag.bytes)) return stitching("lens table");
    if (!is_camera(maker, model) || tag.directory == ExifTag::Directory::gps) return std::nullopt;
    switch (tag.tag) {
      case tag_make:
      case tag_model:
        // Without them, nobody can tell what the lens data means.
        if (tag.type != type_ascii || tag.bytes.size() > longest_name) return std::nullopt;
        return stitching("model of the camera");
      case tag_comment:
        if (std::ranges::find(comment_sizes, tag.bytes.size()) == std::end(comment_sizes))
          return std::nullopt;
        return stitching("orientation of the camera");
      case tag_file_source:
      case tag_scene_type:
        return stitching("whether the picture is stitched");
      case tag_lens:
        if (!is_lens_text(tag.bytes)) return std::nullopt;
        return stitching("circles of the lenses");
      default:
        return std::nullopt;
    }
  }

  bool contains_boxes(std::string_view path) const override { return path == "moov/udta/madv"; }

  std::optional<PartRule> box(std::string_view path, std::span<const uint8_t> content,
                              Traces* traces) const override {
    // Older software put the lens table and the track outside of the camera's own box.
    const std::string_view name = path.substr(path.rfind('/') + 1);
    const std::string_view parent = path.substr(0, path.size() - name.size());
    if (parent != "moov/udta/madv/" && parent != "moov/udta/" && !parent.empty())
      return std::nullopt;
    if (name == "lutz") return stitching("lens table");
    if (name == "tlyd" || name == "GYRA") return stitching("orientations of the camera");
    if (parent != "moov/udta/madv/") return std::nullopt;
    if (name == "fltr" || name == "DISP" || name == "cutl")
      return stitching("how the pictures are shown");
    if (name == "gpsx") return PartRule{PartClass::place, "position", read_place(content, traces)};
    if (name == "caif")
      return PartRule{PartClass::identity, "camera", read_camera(content, traces)};
    return std::nullopt;
  }

  std::optional<std::vector<uint8_t>> cut_box(std::string_view path, std::span<const uint8_t> box,
                                              const media::PictureRange& pictures) const override {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    if (name == "madv") return cut_camera_box(box, pictures);
    if (name == "tlyd" || name == "GYRA") return cut_track_box(box, pictures, 0);
    return std::nullopt;
  }

  bool trailer(const Source& source, uint64_t end, uint64_t* begin, std::vector<Part>* parts,
               Traces*) const override {
    const uint64_t length = appended_table(source, 0, end);
    if (length == 0) return false;
    const uint64_t first = end - sizeof(uint32_t) - length;
    std::vector<uint8_t> bytes(static_cast<size_t>(std::min<uint64_t>(length, table_begin_size)));
    if (!source.read_all(first, bytes) || !begins_as_table(bytes)) return false;
    parts->push_back({first, end - first, "lens table", PartClass::stitching, "lens table", {}});
    *begin = first;
    return true;
  }
};

}  // namespace

const media::Maker& madv_maker() {
  static const MadvMaker maker;
  return maker;
}

}  // namespace sphere::makers
