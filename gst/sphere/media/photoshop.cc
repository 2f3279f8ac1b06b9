// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/photoshop.h"

#include <cstdio>
#include <string>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/embedded.h"
#include "gst/sphere/media/exif.h"
#include "gst/sphere/media/xmp.h"

namespace sphere::media {

namespace {

// Values or resources. Real pictures have some ten.
constexpr int most_values = 4096;

enum Resource : uint16_t {
  resource_iptc = 0x0404,
  resource_thumbnail = 0x0409,
  resource_thumbnail_jpeg = 0x040c,
  resource_exif = 0x0422,
  resource_exif_more = 0x0423,
  resource_xmp = 0x0424,
};
// Before the JPEG of a thumbnail.
constexpr size_t thumbnail_head = 28;

struct IptcRule {
  uint8_t dataset;
  PartClass part_class;
  const char* what;
};
// Of record 2.
constexpr IptcRule iptc_rules[] = {
    {26, PartClass::place, "name of the place"},  {27, PartClass::place, "name of the place"},
    {55, PartClass::time, "time of capture"},     {60, PartClass::time, "time of capture"},
    {62, PartClass::time, "time of capture"},     {63, PartClass::time, "time of capture"},
    {80, PartClass::identity, "photographer"},    {85, PartClass::identity, "photographer"},
    {90, PartClass::place, "name of the place"},  {92, PartClass::place, "name of the place"},
    {95, PartClass::place, "name of the place"},  {100, PartClass::place, "name of the place"},
    {101, PartClass::place, "name of the place"}, {110, PartClass::identity, "photographer"},
    {115, PartClass::identity, "photographer"},   {116, PartClass::identity, "owner of the rights"},
    {118, PartClass::identity, "photographer"},   {122, PartClass::identity, "photographer"},
};

PartRule iptc_rule(uint8_t record, uint8_t dataset, std::span<const uint8_t> value) {
  PartRule rule{PartClass::unknown, "not known", {value.begin(), value.end()}};
  for (const IptcRule& known : iptc_rules)
    if (record == 2 && known.dataset == dataset) {
      rule.part_class = known.part_class;
      rule.what = known.what;
    }
  return rule;
}

}  // namespace

void list_iptc(std::span<const uint8_t> bytes, const Where& where, Findings* findings) {
  constexpr uint8_t mark = 0x1c;
  constexpr uint16_t extended = 0x8000;
  ByteReader reader(bytes);
  for (int count = 0; count < most_values && reader.remaining() >= 5; ++count) {
    const size_t begin = reader.position();
    if (reader.u8() != mark) return;
    const uint8_t record = reader.u8(), dataset = reader.u8();
    uint32_t length = reader.u16();
    if (length == (extended | 4U)) length = reader.u32();
    const std::span<const uint8_t> value = reader.take(length);
    if (!reader.ok()) return;
    const PartRule rule = iptc_rule(record, dataset, value);
    const Where inner = where.inside(begin, reader.position() - begin,
                                     std::to_string(record) + ":" + std::to_string(dataset));
    const bool stays = findings->add(inner, rule);
    if (!stays && rule.part_class == PartClass::identity && value.size() >= 4)
      findings->identity(rule.value);
  }
}

void list_photoshop(std::span<const uint8_t> bytes, const Where& where, Findings* findings) {
  ByteReader reader(bytes);
  for (int count = 0; count < most_values && reader.starts_with("8BIM"); ++count) {
    const uint16_t id = reader.u16();
    const size_t name = reader.u8();
    reader.skip(name + (name + 1) % 2);
    const uint32_t size = reader.u32();
    const size_t begin = reader.position();
    const std::span<const uint8_t> content = reader.take(size);
    if (!reader.ok()) break;
    char text[8];
    std::snprintf(text, sizeof text, "0x%04x", id);
    switch (id) {
      case resource_iptc:
        list_iptc(content, where.inside(begin, size, "IPTC"), findings);
        break;
      case resource_exif:
      case resource_exif_more:
        (void)examine_exif(content, where.inside(begin, size, "Exif"), findings);
        break;
      case resource_xmp:
        (void)examine_xmp(content, where.inside(begin, size, "XMP"), {}, findings);
        break;
      case resource_thumbnail:
      case resource_thumbnail_jpeg: {
        const Where inner = where.inside(begin, size, "thumbnail");
        findings->add(inner, {PartClass::unknown, "small picture", {}});
        if (size > thumbnail_head)
          list_embedded(MemorySource(content.subspan(thumbnail_head)),
                        inner.inside(thumbnail_head, size - thumbnail_head, "picture"), findings);
        break;
      }
      default:
        findings->add(where.inside(begin, size, text),
                      {PartClass::unknown, "data of Photoshop", {}});
        break;
    }
    if (size & 1) reader.skip(1);
  }
}

}  // namespace sphere::media
