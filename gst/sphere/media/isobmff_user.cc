// SPDX-License-Identifier: LGPL-2.1-or-later
// Boxes that are not part of a movie's structure: user data, lists of tags, XMP, and what makers
// put into files.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <utility>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/media/box_editor.h"
#include "gst/sphere/media/embedded.h"
#include "gst/sphere/media/isobmff_marks.h"
#include "gst/sphere/media/position_text.h"
#include "gst/sphere/media/spherical.h"
#include "gst/sphere/media/xmp.h"

namespace sphere::media {

namespace {

using Outcome = BoxEditor::Outcome;

// Bytes of a box that are examined.
constexpr size_t examined = 64 << 10;
constexpr size_t most_keys = 1024;
// Shorter texts are found by chance everywhere.
constexpr size_t shortest_identity = 6;

constexpr std::string_view xmp_uuid = "uuid:be7acfcb97a942e89c71999491e3afac";
constexpr std::string_view video_uuid = "uuid:ffcc8263f8554a938814587a02521fdd";

std::string_view last_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// `loci` (3GPP TS 26.244): numbers with 16 bits after the point.
std::optional<Position> read_loci(std::span<const uint8_t> content) {
  ByteReader reader(content);
  reader.skip(6);
  // The name of the place is UTF-8, or UTF-16 with a mark.
  if (reader.starts_with("\xfe\xff")) {
    while (reader.ok() && reader.u16() != 0) continue;
  } else {
    while (reader.ok() && reader.u8() != 0) continue;
  }
  reader.skip(1);
  const double longitude = static_cast<int32_t>(reader.u32()) / 65536.0;
  const double latitude = static_cast<int32_t>(reader.u32()) / 65536.0;
  const double altitude = static_cast<int32_t>(reader.u32()) / 65536.0;
  if (!reader.ok()) return std::nullopt;
  return Position{latitude, longitude, altitude};
}

}  // namespace

std::vector<uint8_t> BoxEditor::head(const Box& box, size_t most) const {
  std::vector<uint8_t> bytes(static_cast<size_t>(std::min<uint64_t>(most, box.size())));
  bytes.resize(source_.read(box.content, bytes));
  return bytes;
}

void BoxEditor::note(uint64_t offset, uint64_t length, const std::string& path,
                     const PartRule& rule, bool removed) {
  // A fragmented file has the same boxes in each of thousands of fragments.
  const std::string key = path + '\n' + rule.what + (removed ? "-" : "+");
  if (path.find('/') == path.npos || path.starts_with("moof/")) {
    const auto [found, added] = repeated_.try_emplace(key, findings_.parts().size());
    if (!added && found->second < findings_.parts().size()) {
      ++findings_.parts()[found->second].count;
      return;
    }
  }
  findings_.add(
      Part{offset, length, path, rule.part_class, rule.what, shortened(rule.value), 1, removed});
}

Outcome BoxEditor::apply(const Box& box, const std::string& path, const PartRule& rule) {
  const bool stays = keeps_(rule.part_class);
  note(box.begin, box.end - box.begin, path, rule, !stays);
  if (stays) return {};
  static constexpr std::string_view of_many[] = {"software", "maker of the camera",
                                                 "model of the camera"};
  if (rule.part_class == PartClass::identity && rule.value.size() >= shortest_identity &&
      std::ranges::find(of_many, rule.what) == std::end(of_many))
    findings_.identity(rule.value);
  return {edits_.remove(box), false};
}

Result<Outcome> BoxEditor::edit_foreign(const Box& box, BoxParent where, const std::string& path) {
  const std::string_view name = last_name(path);
  if (box.type == "udta") return edit_user_data(box, path);
  if (box.type == "meta") return edit_meta(box, path);
  if (name == video_uuid && where == BoxParent::track) return edit_packet(box, 16, path, true);
  if (name == xmp_uuid) return edit_packet(box, 16, path, false);
  if (box.type == "XMP_" && where == BoxParent::user) return edit_packet(box, 0, path, false);
  for (const Maker* maker : request().makers)
    if (maker->contains_boxes(path)) return edit_user_data(box, path);
  if (box.type == "free" || box.type == "skip" || box.type == "wide") {
    if (only_zeros(source_, box.content, box.end)) return Outcome{0, where != BoxParent::user};
  }
  const std::vector<uint8_t> content = head(box, examined);
  const PartRule rule = rule_of(box, where, path, content);
  list_file(box.content, box.end, path, !keeps_(rule.part_class));
  return apply(box, path, rule);
}

void BoxEditor::list_file(uint64_t begin, uint64_t end, const std::string& path, bool removed) {
  const RangeSource inside(source_, begin, end - begin);
  const Kind kind = sniff(inside);
  if (kind == Kind::jpeg || kind == Kind::tiff || kind == Kind::png || kind == Kind::webp)
    list_embedded(inside, {begin, end - begin, path, removed}, &findings_);
}

PartRule BoxEditor::rule_of(const Box& box, BoxParent where, const std::string& path,
                            std::span<const uint8_t> content) {
  Traces traces;
  const auto position = [&](const Position& found) {
    findings_.position(found);
    char text[64];
    std::snprintf(text, sizeof text, "%.6f, %.6f", found.latitude, found.longitude);
    return std::string(text);
  };
  std::optional<PartRule> rule;
  const UserRule* known = where == BoxParent::user ? find_user_rule(box.type) : nullptr;
  // Useful are only numbers, which QuickTime has in lists.
  if (known && known->part_class == PartClass::useful) known = nullptr;
  if (known) rule = PartRule{known->part_class, known->what, text_of(content, known->form)};
  for (const Maker* maker : request().makers)
    if (!rule) rule = maker->box(path, content, &traces);
  for (const Position& found : traces.positions) findings_.position(found);
  for (const std::string& text : traces.identities) findings_.identity(text);
  if (rule && rule->part_class != PartClass::place) return *rule;
  if (box.type == "loci") {
    if (const auto found = read_loci(content)) rule->value = position(*found);
    return *rule;
  }
  // Whatever the box is called, a position in its text is one.
  const std::vector<Position> found = positions_in(as_text(content));
  std::string value;
  for (const Position& each : found) {
    const std::string text = position(each);
    if (value.empty()) value = text;
  }
  if (rule) return *rule;
  if (!found.empty())
    return {keeps_(PartClass::unknown) ? PartClass::place : PartClass::unknown,
            "something with a position in it", value};
  if (box.type == "free" || box.type == "skip" || box.type == "wide")
    return {PartClass::unknown, "unused bytes that are not zero"};
  return {PartClass::unknown, "box of an unknown kind"};
}

Result<Outcome> BoxEditor::edit_user_data(const Box& box, const std::string& path) {
  const size_t before = edits_.mark();
  const Result<Children> children = edit_children(box, 0, BoxParent::user, path);
  if (!children) return children.error();
  int64_t change = children->change;
  const bool add = request().position && path == "moov/udta" && !user_data_done_;
  if (children->kept == 0 && children->removed > 0 && !add && !keeps_(PartClass::unknown)) {
    edits_.undo(before);
    return Outcome{edits_.remove(box), false};
  }
  if (add) {
    change += edits_.insert(children->end, position_boxes(layout_.file.brand, *request().position));
    user_data_done_ = true;
  }
  edits_.resize(box, change);
  return Outcome{change, true};
}

Result<Outcome> BoxEditor::edit_packet(const Box& box, uint64_t skip, const std::string& path,
                                       bool video_xml) {
  const uint64_t length = box.size() - std::min(skip, box.size());
  const bool replaced = video_xml && request().mark;
  const Where where{box.content + skip, length, path, replaced};
  if (length > largest_xmp) return unsupported("the XMP in the file is larger than 4 MiB");
  std::vector<uint8_t> packet(static_cast<size_t>(length));
  if (!source_.read_all(box.content + skip, packet)) return cut_off();
  Result<NewPacket> made = video_xml ? examine_video_xml(packet, where, &findings_)
                                     : examine_xmp(packet, where, {}, &findings_);
  if (!made) {
    // In place there may be no room for it. The second version of the marking says the same.
    const bool other = video_xml && track_ < plans_.size() &&
                       sample_entry_is_spherical(source_, layout_.tables[track_].descriptions);
    if (!edits_.in_place() || !other) return made.error();
    findings_.remark(
        "the marking as a 360 video, version 1, was taken out, because the one without "
        "the name of the software is longer; version 2 is there");
    return Outcome{edits_.remove(box), false};
  }
  if (replaced) return Outcome{edits_.remove(box), false};
  if (!*made) return Outcome{};
  if ((*made)->empty()) return Outcome{edits_.remove(box), false};
  const int64_t change = edits_.replace(box.content + skip, length, std::move(**made));
  edits_.resize(box, change);
  return Outcome{change, true};
}

// --- lists of tags -------------------------------------------------------------------------------

Result<Outcome> BoxEditor::edit_meta(const Box& box, const std::string& path) {
  // QuickTime's has no version.
  uint64_t skip = 0;
  const std::vector<uint8_t> begin = head(box, 12);
  if (begin.size() >= 8 && as_text(begin).substr(4, 4) != "hdlr") skip = 4;
  const std::optional<Box> handler = find_box(source_, box.content + skip, box.end, false, "hdlr");
  std::string type;
  if (handler) {
    const std::vector<uint8_t> bytes = head(*handler, 12);
    if (bytes.size() == 12) type = as_text(bytes).substr(8);
  }
  const size_t before = edits_.mark();
  const bool add = request().position && is_quicktime(layout_.file.brand) && path == "moov/meta" &&
                   type == "mdta" && !meta_done_;
  bool added_keys = false;
  std::vector<std::string> keys;
  int64_t change = 0;
  size_t items = 0, removed = 0;
  const Status read = for_each_child(source_, box, skip, &count_, [&](const Box& child) -> Status {
    const std::string child_path = path + "/" + name_of_box(source_, child);
    Result<Outcome> outcome = Outcome{};
    if (child.type == "hdlr") {
      outcome = edit_handler(child, child_path);
    } else if (child.type == "keys" && type == "mdta") {
      Result<std::vector<std::string>> found = edit_keys(child, child_path);
      if (!found) return found.error();
      keys = std::move(*found);
      if (add) {
        std::vector<uint8_t> added;
        for (const MetaItem& item : position_items(*request().position, request().position_time)) {
          if (std::ranges::find(keys, item.key) != keys.end()) continue;
          const std::vector<uint8_t> key = make_key(item.key);
          added.insert(added.end(), key.begin(), key.end());
          keys.push_back(item.key);
        }
        if (!added.empty()) edits_.put32(child.content + 4, keys.size());
        outcome = Outcome{edits_.insert(child.end, std::move(added)), true};
        edits_.resize(child, outcome->change);
        added_keys = true;
      }
    } else if (child.type == "ilst" && (type == "mdta" || type == "mdir")) {
      outcome = edit_items(child, child_path, keys, added_keys);
      if (outcome && outcome->kept) ++items;
    } else {
      outcome = edit(child, BoxParent::other, path);
      if (outcome && outcome->kept && child.type != "free") ++items;
    }
    if (!outcome) return outcome.error();
    if (!outcome->kept) ++removed;
    change += outcome->change;
    return ok();
  });
  if (!read) return read.error();
  if (items == 0 && !keeps_(PartClass::unknown)) {
    edits_.undo(before);
    meta_done_ = false;
    return Outcome{edits_.remove(box), false};
  }
  edits_.resize(box, change);
  return Outcome{change, true};
}

Result<std::vector<std::string>> BoxEditor::edit_keys(const Box& box, const std::string& path) {
  std::vector<std::string> keys;
  const Status read = for_each_child(source_, box, 8, &count_, [&](const Box& key) -> Status {
    if (keys.size() == most_keys) return damaged("it has too many keys");
    const std::vector<uint8_t> name = head(key, 1024);
    keys.emplace_back(as_text(name));
    // The names that are known tell nothing; another one may.
    if (is_known_key(keys.back())) return ok();
    if (std::ranges::all_of(name, [](uint8_t byte) { return byte == 0; })) return ok();
    const bool stays = keeps_(PartClass::unknown);
    note(key.begin, key.end - key.begin, path, {PartClass::unknown, "name of a key", keys.back()},
         !stays);
    if (!stays) edits_.zero(key.content, key.size());
    return ok();
  });
  if (!read) return read.error();
  return keys;
}

Result<Outcome> BoxEditor::edit_items(const Box& list, const std::string& path,
                                      const std::vector<std::string>& keys, bool add) {
  int64_t change = 0;
  size_t kept = 0;
  uint64_t position = list.content;
  // The types of QuickTime's items are numbers, which are no names of boxes.
  while (list.end - position >= 8) {
    uint8_t bytes[8];
    if (!source_.read_all(position, bytes)) return cut_off();
    ByteReader reader(bytes);
    const uint64_t size = reader.u32();
    if (size < 8 || size > list.end - position) return damaged("'" + path + "' is damaged");
    if (++count_ > max_boxes) return damaged("it has too many boxes");
    Box item;
    item.type.assign(reinterpret_cast<const char*>(bytes + 4), 4);
    item.begin = position;
    item.content = position + 8;
    item.end = position + size;
    const Result<Outcome> outcome = edit_item(item, path, keys);
    if (!outcome) return outcome.error();
    change += outcome->change;
    if (outcome->kept) ++kept;
    position = item.end;
  }
  if (position < list.end && !keeps_(PartClass::unknown))
    change += edits_.cut(position, list.end - position);
  if (add) {
    std::vector<uint8_t> added;
    for (const MetaItem& each : position_items(*request().position, request().position_time)) {
      const auto key = std::ranges::find(keys, each.key);
      const auto index = static_cast<size_t>(key - keys.begin()) + 1;
      const std::vector<uint8_t> item = make_item(index, each.text);
      added.insert(added.end(), item.begin(), item.end());
    }
    change += edits_.insert(list.end, std::move(added));
    meta_done_ = true;
    ++kept;
  }
  edits_.resize(list, change);
  return Outcome{change, kept > 0};
}

Result<Outcome> BoxEditor::edit_item(const Box& item, const std::string& path,
                                     const std::vector<std::string>& keys) {
  if (item.type == "free" && only_zeros(source_, item.content, item.end)) return Outcome{0, false};
  std::string name = name_of_type(item.type), text;
  const UserRule* known = find_user_rule(item.type);
  ByteReader index_reader({reinterpret_cast<const uint8_t*>(item.type.data()), 4});
  const size_t index = index_reader.u32();
  if (index >= 1 && index <= keys.size()) {
    name = keys[index - 1];
    known = find_key_rule(name);
    // Its name goes, too.
    if (!is_known_key(name) && !keeps_(PartClass::unknown)) known = nullptr;
  }
  // An item has one text or number, and may have a name. Anything else in it is not known.
  bool simple = true;
  const bool number = known && known->part_class == PartClass::useful;
  constexpr size_t largest_number = 8 + 8;
  const Status read = for_each_child(source_, item, 0, &count_, [&](const Box& child) -> Status {
    const std::vector<uint8_t> content = head(child, examined);
    if (child.type == "data" && content.size() >= 8 && text.empty()) {
      ByteReader reader(content);
      const uint32_t type = reader.u32();
      if (type == 1) text = as_text(std::span(content).subspan(8));
      if (number && (type == 1 || child.size() > largest_number)) simple = false;
      list_file(child.content + 8, child.end, path + "/" + shortened(name),
                !keeps_(known ? known->part_class : PartClass::unknown));
    } else if (child.type == "name" && content.size() >= 4) {
      name += ":" + std::string(as_text(std::span(content).subspan(4)));
      if (number) simple = false;
    } else if (child.type != "mean" || number) {
      simple = false;
    }
    return ok();
  });
  if (!read && !keeps_(PartClass::unknown)) known = nullptr;
  PartRule rule = known && simple ? PartRule{known->part_class, known->what, text}
                                  : PartRule{PartClass::unknown, "item of an unknown kind", text};
  for (const Position& found : positions_in(text)) findings_.position(found);
  return apply(item, path + "/" + shortened(name), rule);
}

}  // namespace sphere::media
