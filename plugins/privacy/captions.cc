// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/privacy/captions.h"

#include "gst/sphere/base/bytes.h"

namespace sphere::privacy {

namespace {

enum Section : uint8_t { time_code = 0x71, captions = 0x72, services = 0x73, footer = 0x74 };
constexpr uint16_t mark = 0x9669;
constexpr uint8_t last_section = 0xef, has_time_code = 0x80;
constexpr size_t length_at = 2, flags_at = 4, head_size = 7;
constexpr size_t time_code_size = 4, caption_size = 3, service_size = 7;

}  // namespace

std::vector<uint8_t> allowed_captions(std::span<const uint8_t> bytes, const Allowance& allowance) {
  ByteReader reader(bytes);
  const auto head = reader.take(head_size);
  if (head.empty() || ByteReader(head).u16() != mark) return {};
  std::vector<uint8_t> made(head.begin(), head.end());
  made[flags_at] &= static_cast<uint8_t>(~has_time_code);
  const auto copy = [&](size_t before, size_t length) {
    const auto section = bytes.subspan(reader.position() - before, before);
    made.insert(made.end(), section.begin(), section.end());
    const auto content = reader.take(length);
    made.insert(made.end(), content.begin(), content.end());
  };
  for (;;) {
    const uint8_t section = reader.u8();
    if (section == footer) break;
    if (section == time_code && allowance.identity) {
      copy(1, time_code_size);
      made[flags_at] |= has_time_code;
    } else if (section == time_code) {
      reader.skip(time_code_size);
    } else if (section == captions) {
      const size_t count = reader.u8() & 31;
      copy(2, count * caption_size);
    } else if (section == services) {
      const size_t count = reader.u8() & 15;
      copy(2, count * service_size);
    } else if (section > footer && section <= last_section) {
      reader.skip(reader.u8());
    } else {
      return {};
    }
    if (!reader.ok()) return {};
  }
  made.push_back(footer);
  const auto number = reader.take(2);
  reader.skip(1);
  constexpr size_t longest = 255;
  if (!reader.ok() || made.size() + 3 > longest) return {};
  made.insert(made.end(), number.begin(), number.end());
  made[length_at] = static_cast<uint8_t>(made.size() + 1);
  uint8_t sum = 0;
  for (const uint8_t byte : made) sum = static_cast<uint8_t>(sum + byte);
  made.push_back(static_cast<uint8_t>(-sum));
  return made;
}

}  // namespace sphere::privacy
