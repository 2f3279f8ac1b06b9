// SPDX-License-Identifier: LGPL-2.1-or-later
// What the boxes tell that Ricoh's Theta cameras put into the user data of videos
// (github.com/ricohapi/theta-api-specs, theta-metadata).

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <string_view>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/makers/makers.h"
#include "gst/sphere/media/place.h"

namespace sphere::makers {

namespace {

using media::PartClass;
using media::PartRule;
using media::Traces;

constexpr std::string_view parent = "moov/udta/";
constexpr size_t table_head = 16;

double read_double(ByteReader* reader) {
  const uint64_t low = reader->u32_little();
  return std::bit_cast<double>(uint64_t{reader->u32_little()} << 32 | low);
}

/// Records with a latitude and a longitude after `before` bytes; returns the first one as a text.
std::string read_places(std::span<const uint8_t> content, size_t before, size_t record,
                        Traces* traces) {
  std::string value;
  for (size_t at = table_head; at + record <= content.size(); at += record) {
    ByteReader reader(content.subspan(at, record));
    reader.skip(before);
    const double latitude = read_double(&reader), longitude = read_double(&reader);
    const Position position{latitude, longitude, {}};
    if (!media::is_position(position)) continue;
    traces->add(position);
    if (value.empty()) value = media::iso6709(position);
  }
  return value;
}

class ThetaMaker : public media::Maker {
 public:
  std::optional<PartRule> box(std::string_view path, std::span<const uint8_t> content,
                              Traces* traces) const override {
    if (path == "uuid:28f311e2b7914f6f94e24f5deacb3c01")
      return PartRule{PartClass::unknown, "data of the camera (Theta)"};
    if (!path.starts_with(parent)) return std::nullopt;
    const std::string_view name = path.substr(parent.size());
    if (name == "RMKN") return PartRule{PartClass::unknown, "Exif of the video (Theta)"};
    if (name == "RTHU") return PartRule{PartClass::unknown, "picture (Theta)"};
    if (name == "RDTL")
      return PartRule{PartClass::place, "positions (Theta)", read_places(content, 8, 32, traces)};
    if (name == "RDL2")
      return PartRule{PartClass::place, "positions (Theta)", read_places(content, 10, 54, traces)};
    if (name == "RDTC") return PartRule{PartClass::place, "directions (Theta)"};
    static constexpr std::string_view motion[] = {"RDTA", "RDTB", "RDTD", "RDTG",
                                                  "RDG2", "RDTH", "RDTI"};
    if (std::ranges::find(motion, name) != std::end(motion))
      return PartRule{PartClass::stitching, "movements of the camera (Theta)"};
    return std::nullopt;
  }
};

}  // namespace

const media::Maker& theta_maker() {
  static const ThetaMaker maker;
  return maker;
}

}  // namespace sphere::makers
