// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/heif_items.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <utility>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/media/isobmff_rules.h"
#include "gst/sphere/media/sample_tables.h"

namespace sphere::media {

namespace {

// Phones write some hundred items: a picture of 48 megapixels is a grid of tiles.
constexpr size_t most_items = 1 << 12, most_extents = 1 << 14, most_properties = 1 << 12;
constexpr size_t most_data = 64;
// Of all items together: properties, and items to which others refer.
constexpr size_t most_associations = 1 << 16, most_references = 1 << 14;
// Bytes of the tables.
constexpr uint64_t largest_table = 16 << 20;

class Reader {
 public:
  explicit Reader(const Source& source) : source_(source) {}

  Result<HeifLayout> run() {
    uint64_t position = 0;
    bool have_meta = false;
    Box box;
    for (;;) {
      const Next next = box_at(source_, position, source_.size(), true, &box);
      if (next == Next::past_end) return cut_off();
      if (next != Next::box) break;
      if (++boxes_ > most_boxes) return damaged("it has too many boxes");
      position = box.end;
      if (box.type == "moov" || box.type == "moof")
        return unsupported(
            "the file has a film or a sequence of pictures beside the picture, which can't be "
            "examined");
      if (box.type == "meta") {
        if (std::exchange(have_meta, true)) return damaged("it has two lists of items (meta)");
        if (const Status read = read_meta(box); !read) return read.error();
      } else if (box.type == "mdat") {
        if (layout_.data.size() == most_data) return damaged("its data is in too many pieces");
        layout_.data.push_back({box.content, box.end});
      } else if (box.type == "ftyp") {
        known(box, std::min(box.end, box.content + longest_brands), "ftyp");
      } else {
        layout_.others.push_back({box, box.content, name_of_box(source_, box)});
      }
    }
    layout_.end = position;
    if (!have_meta) return damaged("it has no list of items (meta)");
    std::ranges::sort(layout_.data, {}, &ByteRange::begin);
    if (const Status placed = place_items(); !placed) return placed.error();
    if (const Status checked = check_numbers(); !checked) return checked.error();
    return std::move(layout_);
  }

 private:
  static constexpr int most_boxes = 1 << 16;
  // Real files have less than ten brands.
  static constexpr uint64_t longest_brands = 72;

  struct Place {
    uint32_t id = 0;
    int method = 0;  ///< 0: offsets in the file, 1: in `idat`
    std::vector<ByteRange> extents;
    bool emptied = false;  ///< one has no length
  };

  void known(const Box& box, uint64_t end, std::string path) {
    layout_.tables.push_back({box, end, std::move(path)});
  }
  Status children(const Box& box, uint64_t skip, const std::function<Status(const Box&)>& visit) {
    return for_each_child(source_, box, skip, &boxes_, visit);
  }
  Result<std::vector<uint8_t>> content(const Box& box) {
    if (box.size() > largest_table) return damaged("'" + box.type + "' is too large");
    std::vector<uint8_t> bytes(static_cast<size_t>(box.size()));
    if (!source_.read_all(box.content, bytes)) return cut_off();
    return bytes;
  }

  Status read_meta(const Box& meta) {
    known(meta, meta.end, "meta");
    return children(meta, 4, [&](const Box& box) -> Status {
      const std::string path = "meta/" + name_of_box(source_, box);
      if (box.type == "hdlr") return read_handler(box);
      if (box.type == "pitm") return read_primary(box);
      if (box.type == "iinf") return read_items(box);
      if (box.type == "iloc") return read_places(box);
      if (box.type == "iprp") return read_properties(box);
      if (box.type == "iref") return read_lists(box, 4, path);
      if (box.type == "grpl") return read_lists(box, 0, path);
      if (box.type == "dinf") return read_files(box);
      if (box.type == "idat") {
        if (idat_) return damaged("it has two boxes 'idat'");
        idat_ = box;
        layout_.data.push_back({box.content, box.end});
        return ok();
      }
      if (box.type == "ipro") return unsupported("the file is encrypted (meta/ipro)");
      layout_.others.push_back({box, box.content, path});
      return ok();
    });
  }

  Status read_handler(const Box& box) {
    Result<std::vector<uint8_t>> bytes = content(box);
    if (!bytes) return bytes.error();
    constexpr size_t name_at = 20;
    if (bytes->size() < name_at) return damaged("'hdlr' is too short");
    if (as_text(std::span(*bytes).subspan(8, 4)) != "pict")
      return unsupported("the file has no picture, but other items");
    layout_.handler = box;
    return ok();
  }

  Status read_primary(const Box& box) {
    const Result<std::vector<uint8_t>> bytes = content(box);
    if (!bytes) return bytes.error();
    ByteReader reader(*bytes);
    const bool wide = reader.u8() != 0;
    reader.skip(3);
    layout_.primary = wide ? reader.u32() : reader.u16();
    if (!reader.ok()) return damaged("'pitm' is too short");
    known(box, box.content + reader.position(), "meta/pitm");
    return ok();
  }

  /// Where the bytes are: only in this file.
  Status read_files(const Box& box) {
    known(box, box.end, "meta/dinf");
    return children(box, 0, [&](const Box& list) -> Status {
      if (list.type != "dref") {
        layout_.others.push_back({list, list.content, "meta/dinf/" + name_of_box(source_, list)});
        return ok();
      }
      return children(list, 8, [&](const Box& entry) -> Status {
        uint8_t flags[4] = {};
        if (entry.size() < 4 || !source_.read_all(entry.content, flags))
          return damaged("'dref' is too short");
        if (!(flags[3] & 1)) return unsupported("the picture is in another file (meta/dinf/dref)");
        known(entry, entry.content + 4, "meta/dinf/dref");
        return ok();
      });
    });
  }

  Status read_items(const Box& box) {
    uint8_t version = 0;
    if (!source_.read_all(box.content, {&version, 1})) return cut_off();
    return children(box, version == 0 ? 6 : 8, [&](const Box& entry) -> Status {
      if (entry.type != "infe") {
        layout_.others.push_back(
            {entry, entry.content, "meta/iinf/" + name_of_box(source_, entry)});
        return ok();
      }
      if (layout_.items.size() == most_items) return damaged("it has too many items");
      return read_item(entry);
    });
  }

  Status read_item(const Box& box) {
    const Result<std::vector<uint8_t>> bytes = content(box);
    if (!bytes) return bytes.error();
    ByteReader reader(*bytes);
    const int version = reader.u8();
    if (version != 2 && version != 3)
      return unsupported("the list of items is of a kind that is not known (meta/iinf/infe)");
    reader.skip(3);
    HeifItem item;
    item.box = box;
    item.id = version == 2 ? reader.u16() : reader.u32();
    if (reader.u16() != 0) return unsupported("an item is encrypted (meta/iinf/infe)");
    item.type = as_text(reader.take(4));
    const auto text = [&] {
      const size_t begin = reader.position();
      const auto rest = std::span(*bytes).subspan(std::min(begin, bytes->size()));
      const auto zero = std::ranges::find(rest, uint8_t{0});
      const auto length = static_cast<size_t>(zero - rest.begin());
      reader.skip(std::min(length + 1, rest.size()));
      return as_text(rest.first(length));
    };
    if (!reader.ok()) return damaged("'infe' is too short");
    item.name.begin = box.content + reader.position();
    text();
    item.name.end = item.texts.begin = box.content + reader.position();
    if (item.type == "mime") {
      item.content_type = text();
      item.coded = !text().empty();
    } else if (item.type == "uri ") {
      text();
    }
    item.texts.end = box.content + reader.position();
    if (layout_.item(item.id)) return damaged("two items have one number");
    known(box, item.texts.end, "meta/iinf/infe");
    layout_.items.push_back(std::move(item));
    return ok();
  }

  Status read_places(const Box& box) {
    const Result<std::vector<uint8_t>> bytes = content(box);
    if (!bytes) return bytes.error();
    ByteReader reader(*bytes);
    const auto number = [&](int size) -> uint64_t {
      return size == 0 ? 0 : size == 4 ? reader.u32() : reader.u64();
    };
    const int version = reader.u8();
    reader.skip(3);
    const int sizes = reader.u16();
    const int offset_size = sizes >> 12, length_size = sizes >> 8 & 15, base_size = sizes >> 4 & 15,
              index_size = version == 0 ? 0 : sizes & 15;
    for (const int size : {offset_size, length_size, base_size, index_size})
      if (size != 0 && size != 4 && size != 8) return damaged("'iloc' has numbers of a wrong size");
    if (version > 2) return unsupported("'iloc' is of a version that is not known");
    const uint32_t count = version < 2 ? reader.u16() : reader.u32();
    size_t extents = 0;
    if (count > most_items || places_.size() > most_items)
      return damaged("it has places of too many items");
    for (uint32_t i = 0; i < count && reader.ok(); ++i) {
      Place place;
      place.id = version < 2 ? reader.u16() : reader.u32();
      place.method = version == 0 ? 0 : reader.u16() & 15;
      const bool elsewhere = reader.u16() != 0;
      const uint64_t base = number(base_size);
      const unsigned pieces = reader.u16();
      if (place.method > 1 || elsewhere)
        return unsupported("an item is made of other items, or in another file (meta/iloc)");
      if ((extents += pieces) > most_extents) return damaged("its items are in too many pieces");
      for (unsigned k = 0; k < pieces && reader.ok(); ++k) {
        number(index_size);
        const uint64_t offset = number(offset_size), length = number(length_size);
        if (base > source_.size() || offset > source_.size() || length > source_.size())
          return damaged("an item is not in the file");
        // exiftool leaves items without bytes behind.
        place.emptied |= length == 0;
        if (length > 0) place.extents.push_back({base + offset, base + offset + length});
      }
      places_.push_back(std::move(place));
    }
    if (!reader.ok()) return damaged("'iloc' is too short");
    known(box, box.content + reader.position(), "meta/iloc");
    return ok();
  }

  Status read_properties(const Box& box) {
    known(box, box.end, "meta/iprp");
    return children(box, 0, [&](const Box& child) -> Status {
      if (child.type == "ipma") return read_associations(child);
      if (child.type != "ipco") {
        layout_.others.push_back(
            {child, child.content, "meta/iprp/" + name_of_box(source_, child)});
        return ok();
      }
      return children(child, 0, [&](const Box& property) -> Status {
        if (layout_.properties.size() == most_properties)
          return damaged("its items have too many properties");
        layout_.properties.push_back(property);
        return ok();
      });
    });
  }

  Status read_associations(const Box& box) {
    const Result<std::vector<uint8_t>> bytes = content(box);
    if (!bytes) return bytes.error();
    ByteReader reader(*bytes);
    const bool wide_ids = reader.u8() != 0;
    const bool wide_numbers = reader.u24() & 1;
    const uint32_t count = reader.u32();
    if (count > most_items) return damaged("it has properties of too many items");
    for (uint32_t i = 0; i < count && reader.ok(); ++i) {
      const uint32_t id = wide_ids ? reader.u32() : reader.u16();
      const unsigned all = reader.u8();
      if ((associations_ += all) > most_associations)
        return damaged("its items have too many properties");
      for (unsigned k = 0; k < all && reader.ok(); ++k) {
        const unsigned value = wide_numbers ? reader.u16() : reader.u8();
        const unsigned essential = wide_numbers ? 0x8000 : 0x80;
        layout_.properties_of[id].push_back(value & (essential - 1));
        if (value & essential) layout_.essential_of[id].push_back(value & (essential - 1));
      }
    }
    if (!reader.ok()) return damaged("'ipma' is too short");
    known(box, box.content + reader.position(), "meta/iprp/ipma");
    return ok();
  }

  /// References and groups: lists of numbers of items.
  Status read_lists(const Box& box, uint64_t skip, const std::string& path) {
    uint8_t version = 0;
    if (skip > 0 && !source_.read_all(box.content, {&version, 1})) return cut_off();
    known(box, box.end, path);
    return children(box, skip, [&](const Box& list) -> Status {
      const Result<std::vector<uint8_t>> bytes = content(list);
      if (!bytes) return bytes.error();
      ByteReader reader(*bytes);
      const bool groups = skip == 0;
      const uint64_t id = groups || version != 0 ? 4 : 2;
      HeifReference reference;
      if (groups) {
        reader.skip(4);
        groups_.push_back(reader.u32());
      } else {
        reference.from = id == 4 ? reader.u32() : reader.u16();
        referenced_.push_back(reference.from);
      }
      const uint64_t count = groups ? reader.u32() : reader.u16();
      if (!reader.ok() || reader.remaining() / id < count)
        return damaged("'" + path + "' is too short");
      known(list, list.content + reader.position() + count * id, path);
      if (referenced_.size() + count > most_references || groups_.size() > most_references)
        return damaged("its items refer to too many others");
      for (uint64_t i = 0; i < count; ++i)
        reference.to.push_back(id == 4 ? reader.u32() : reader.u16());
      referenced_.insert(referenced_.end(), reference.to.begin(), reference.to.end());
      if (list.type == "dimg" && !groups) layout_.made_of.push_back(std::move(reference));
      return ok();
    });
  }

  /// Numbers of items and properties that are not there could be anything.
  Status check_numbers() {
    std::vector<uint32_t> known = groups_;
    for (const HeifItem& item : layout_.items) known.push_back(item.id);
    std::ranges::sort(known);
    for (const uint32_t id : referenced_)
      if (!std::ranges::binary_search(known, id))
        return damaged("an item refers to one that is not there");
    for (const auto& [item, numbers] : layout_.properties_of)
      if (!numbers.empty() && std::ranges::max(numbers) > layout_.properties.size())
        return damaged("an item has a property that is not there");
    return ok();
  }

  /// Each item is in the data of the file.
  Status place_items() {
    for (Place& place : places_) {
      const auto item = std::ranges::find(layout_.items, place.id, &HeifItem::id);
      if (item == layout_.items.end()) continue;  // its bytes belong to no item
      if (!item->extents.empty()) return damaged("an item is in two places");
      const bool described = item->type == "Exif" || item->type == "mime" || item->type == "uri ";
      if (place.emptied && !(described && place.extents.empty()))
        return damaged("a picture is not in the file");
      for (ByteRange& extent : place.extents) {
        if (place.method == 1) {
          if (!idat_) return damaged("the data of an item is missing (idat)");
          extent.begin += idat_->content;
          extent.end += idat_->content;
        }
        const bool inside = std::ranges::any_of(layout_.data, [&](const ByteRange& data) {
          return extent.begin >= data.begin && extent.end <= data.end;
        });
        if (!inside) return damaged("an item is not in the data of the file (mdat, idat)");
      }
      item->extents = std::move(place.extents);
    }
    return ok();
  }

  const Source& source_;
  HeifLayout layout_;
  std::vector<Place> places_;
  std::optional<Box> idat_;
  size_t associations_ = 0;
  std::vector<uint32_t> referenced_, groups_;  ///< numbers of items, and of groups of them
  int boxes_ = 0;
};

}  // namespace

const HeifItem* HeifLayout::item(uint32_t id) const {
  const auto found = std::ranges::find(items, id, &HeifItem::id);
  return found == items.end() ? nullptr : &*found;
}

std::vector<uint32_t> HeifLayout::shown_items() const {
  std::vector<uint32_t> shown = {primary};
  // The list becomes longer.
  for (size_t i = 0; i < shown.size() && shown.size() <= most_items; ++i)
    for (const HeifReference& reference : made_of)
      if (reference.from == shown[i])
        for (const uint32_t id : reference.to)
          if (std::ranges::find(shown, id) == shown.end()) shown.push_back(id);
  return shown;
}

const Box* HeifLayout::property(uint32_t id, const char* type) const {
  const auto list = properties_of.find(id);
  if (list == properties_of.end()) return nullptr;
  for (const uint32_t number : list->second)
    if (number > 0 && number <= properties.size() && properties[number - 1].type == type)
      return &properties[number - 1];
  return nullptr;
}

Result<HeifLayout> read_heif(const Source& source) { return Reader(source).run(); }

}  // namespace sphere::media
