// SPDX-License-Identifier: LGPL-2.1-or-later
// What Samsung's cameras append to a photo: blocks, and a list of them at the end (SEFH, SEFT). One
// kind of block is a recording of sound.

#include <algorithm>
#include <string>
#include <vector>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/makers/makers.h"

namespace sphere::makers {

namespace {

using media::Part;
using media::PartClass;
using media::Source;
using media::Traces;

constexpr uint64_t tail_size = 8, entry_size = 12, list_head = 12;
// Real lists have some ten.
constexpr uint64_t longest_list = 1 << 16;
constexpr uint16_t sound_type = 0x0100, time_type = 0x0a01;

class SamsungMaker : public media::Maker {
 public:
  bool trailer(const Source& source, uint64_t end, uint64_t* begin, std::vector<Part>* parts,
               Traces*) const override {
    uint8_t tail[tail_size];
    if (end < tail_size || !source.read_all(end - tail_size, tail)) return false;
    ByteReader reader(tail);
    const uint64_t length = reader.u32_little();
    if (!reader.starts_with("SEFT") || length < list_head || length > longest_list ||
        length > end - tail_size)
      return false;
    const uint64_t list_begin = end - tail_size - length;
    std::vector<uint8_t> list(static_cast<size_t>(length));
    if (!source.read_all(list_begin, list)) return false;
    ByteReader entries(list);
    if (!entries.starts_with("SEFH")) return false;
    entries.skip(4);
    const uint32_t count = entries.u32_little();
    if (count > (length - list_head) / entry_size) return false;
    uint64_t first = list_begin;
    std::vector<Part> found;
    for (uint32_t i = 0; i < count; ++i) {
      entries.skip(2);
      const uint16_t type = entries.u16_little();
      const uint64_t back = entries.u32_little(), size = entries.u32_little();
      if (back > list_begin || size > back) return false;
      first = std::min(first, list_begin - back);
      Part part{
          list_begin - back,           size, "Samsung/" + std::to_string(type), PartClass::unknown,
          "private data of the maker", {}};
      if (type == sound_type) {
        part.part_class = PartClass::sound;
        part.what = "a recording of sound";
      } else if (type == time_type) {
        part.part_class = PartClass::time;
        part.what = "time of capture";
      }
      found.push_back(std::move(part));
    }
    found.push_back({list_begin,
                     end - list_begin,
                     "Samsung",
                     PartClass::unknown,
                     "list of the maker's data",
                     {}});
    parts->insert(parts->end(), found.begin(), found.end());
    *begin = first;
    return true;
  }
};

}  // namespace

const media::Maker& samsung_maker() {
  static const SamsungMaker maker;
  return maker;
}

}  // namespace sphere::makers
