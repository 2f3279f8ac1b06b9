// SPDX-License-Identifier: LGPL-2.1-or-later
// Boxes with positions or identities of cameras of several makers that have one or two such boxes
// each. What is not listed here is unknown, and goes with everything unknown.

#include <string>
#include <string_view>

#include "gst/sphere/base/text.h"
#include "gst/sphere/makers/known_box.h"
#include "gst/sphere/makers/makers.h"

namespace sphere::makers {

namespace {

using media::PartClass;
using media::PartRule;
using media::Traces;

constexpr KnownBox known[] = {
    {"uuid:9b630f8d637440ec8204bc5ff5091728", PartClass::place, "positions (Garmin)"},
    {"moov/uuid:9b630f8d637440ec8204bc5ff5091728", PartClass::place, "positions (Garmin)"},
    {"uuid:efe1589abb7749ef809527759eb1dc6f", PartClass::place, "positions (360Fly)"},
    {"moov/uuid:efe1589abb7749ef809527759eb1dc6f", PartClass::place, "positions (360Fly)"},
    {"moov/uuid:85c0b687820f11e08111f4ce462b6a48", PartClass::unknown,
     "pictures and data of the camera (Canon)"},
    {"uuid:55534d5421d24fcebb88695cfac9c740", PartClass::identity, "title and dates (Sony)"},
    {"moov/uuid:55534d5421d24fcebb88695cfac9c740", PartClass::identity, "title and dates (Sony)"},
    {"moov/trak/uuid:55534d5421d24fcebb88695cfac9c740", PartClass::identity,
     "title and dates (Sony)"},
    {"moov/gps ", PartClass::place, "where the positions are (Novatek)"},
    {"gps0", PartClass::place, "positions (DuDuBell)"},
    {"gdat", PartClass::place, "positions (Nextbase)"},
    {"moov/udta/gdat", PartClass::place, "positions (Nextbase)"},
    {"3gf ", PartClass::unknown, "accelerations (Pittasoft)"},
    {"inst", PartClass::unknown, "data of the camera (Insta360)"},
    {"moov/udta/AMBA", PartClass::unknown, "data of the camera (Ambarella)"},
    {"moov/udta/kvar", PartClass::unknown, "serial numbers and positions (Kandao)"},
    {"moov/udta/kfix", PartClass::unknown, "serial numbers and positions (Kandao)"},
    {"moov/udta/kstb", PartClass::unknown, "serial numbers and positions (Kandao)"},
};

class DashcamMakers : public media::Maker {
 public:
  std::optional<PartRule> box(std::string_view path, std::span<const uint8_t> content,
                              Traces*) const override {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    const std::string_view text = as_text(content);
    // Blocks named freeGPS are boxes of unused space for everyone else.
    if (name == "free" && text.starts_with("GPS "))
      return PartRule{PartClass::place, "position (Novatek)"};
    if ((name == "skip" || name == "free") && text.substr(0, 64).find("LIGOGPSINFO") != text.npos)
      return PartRule{PartClass::place, "positions (LigoGPS)"};
    const KnownBox* found = find_box(known, path);
    if (!found) return std::nullopt;
    return PartRule{found->part_class, found->what};
  }
};

}  // namespace

const media::Maker& dashcam_makers() {
  static const DashcamMakers makers;
  return makers;
}

}  // namespace sphere::makers
