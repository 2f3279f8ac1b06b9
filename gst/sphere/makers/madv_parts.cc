// SPDX-License-Identifier: LGPL-2.1-or-later
// What the tags, boxes and bytes tell that a Mi Sphere, or a related camera by MADV, puts into its
// files. The lens data is different for each camera, and needed until a picture is stitched.

#include <algorithm>
#include <string_view>
#include <vector>

#include "gst/sphere/makers/madv_format.h"
#include "gst/sphere/makers/makers.h"

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
