// SPDX-License-Identifier: LGPL-2.1-or-later
// What the boxes tell that GoPro's cameras put into the user data of videos. Their track of records
// is read in gst/sphere/media/timed_records.cc, because other programs write such tracks, too.

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
    {"FIRM", PartClass::identity, "firmware (GoPro)"},
    {"LENS", PartClass::identity, "serial number of the lens (GoPro)"},
    {"CAME", PartClass::identity, "serial number of the camera (GoPro)"},
    {"MUID", PartClass::identity, "unique id of the video (GoPro)"},
    {"GUMI", PartClass::identity, "unique id of the video (GoPro)"},
    {"BCID", PartClass::identity, "unique id of the video (GoPro)"},
    {"SETT", PartClass::identity, "settings of the camera (GoPro)"},
    {"GPMF", PartClass::unknown, "records of the camera, with its serial number (GoPro)"},
};

class GoproMaker : public media::Maker {
 public:
  std::optional<PartRule> box(std::string_view path, std::span<const uint8_t> content,
                              Traces* traces) const override {
    constexpr std::string_view parent = "moov/udta/";
    if (!path.starts_with(parent)) return std::nullopt;
    const KnownBox* found = find_box(known, path.substr(parent.size()));
    if (!found) return std::nullopt;
    PartRule rule{found->part_class, found->what};
    // The firmware and the lens are texts; the others are hashes.
    const std::string_view text = as_text(content);
    if (found->path == "FIRM" || found->path == "LENS")
      rule.value = text.substr(0, text.find('\0'));
    if (found->path == "LENS") traces->add_identity(rule.value);
    return rule;
  }
};

}  // namespace

const media::Maker& gopro_maker() {
  static const GoproMaker maker;
  return maker;
}

}  // namespace sphere::makers
