// SPDX-License-Identifier: LGPL-2.1-or-later
// The boxes that make up a movie: each that is not known goes, if something may not stay.

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/media/box_editor.h"
#include "gst/sphere/media/codec_config.h"
#include "gst/sphere/media/colour_profile.h"
#include "gst/sphere/media/embedded.h"
#include "gst/sphere/media/esds.h"
#include "gst/sphere/media/isobmff_marks.h"
#include "gst/sphere/media/profile_texts.h"
#include "gst/sphere/media/sound_channels.h"
#include "gst/sphere/media/vorbis.h"

namespace sphere::media {

namespace {

using Outcome = BoxEditor::Outcome;

// Real files have less than ten.
constexpr int deepest_nesting = 16;
constexpr uint64_t visual_head = 78, compressor_at = 42, compressor_size = 32, vendor_at = 12;
constexpr uint64_t reserved_in_entry = 6, data_size_at = 36;
constexpr uint64_t largest_name = 4096;

/// Seconds from 1904, the epoch of QuickTime, to 1970.
constexpr int64_t quicktime_epoch = 2082844800;

std::string date_of(uint64_t quicktime) {
  const auto seconds = static_cast<std::time_t>(static_cast<int64_t>(quicktime) - quicktime_epoch);
  std::tm date{};
  char text[32];
  if (quicktime > uint64_t{1} << 36 || !gmtime_r(&seconds, &date) ||
      std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &date) == 0)
    return {};
  return text;
}

bool is_zero(std::span<const uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](uint8_t byte) { return byte == 0; });
}

bool is_neutral_vendor(std::span<const uint8_t> letters) {
  return is_zero(letters) || as_text(letters) == "appl" || as_text(letters) == "FFMP";
}

std::string_view until_zero(std::string_view text) { return text.substr(0, text.find('\0')); }

}  // namespace

Result<Outcome> BoxEditor::edit(const Box& box, BoxParent where, const std::string& parent) {
  if (depth_ >= deepest_nesting) return damaged("its boxes are nested too deeply");
  const std::string name = name_of_box(source_, box);
  const std::string path = parent.empty() ? name : parent + "/" + name;
  ++depth_;
  const BoxRule* const rule = find_rule(where, box.type);
  Result<Outcome> outcome = rule ? edit_known(box, *rule, path) : edit_foreign(box, where, path);
  --depth_;
  return outcome;
}

Result<BoxEditor::Children> BoxEditor::edit_children(const Box& parent, uint64_t skip,
                                                     BoxParent inside, const std::string& path) {
  Children children;
  children.end = std::min(parent.content + skip, parent.end);
  uint64_t& end = children.end;
  const Status read = for_each_child(source_, parent, skip, &count_, [&](const Box& box) -> Status {
    const Result<Outcome> outcome = edit(box, inside, path);
    if (!outcome) return outcome.error();
    children.change += outcome->change;
    ++(outcome->kept ? children.kept : children.removed);
    end = box.end;
    return ok();
  });
  if (!read) return read.error();
  // What is no box: QuickTime's four zeros, or something else.
  if (parent.end > end && !only_zeros(source_, end, parent.end) &&
      !is_terminator(source_, end, parent)) {
    const bool stays = keeps_(PartClass::unknown);
    note(end, parent.end - end, path, {PartClass::unknown, "bytes that are no box"}, !stays);
    if (!stays) {
      children.change += edits_.cut(end, parent.end - end);
      end = parent.end;
    }
  }
  return children;
}

Result<Outcome> BoxEditor::enter(const Box& box, uint64_t skip, BoxParent inside,
                                 const std::string& path) {
  const Result<Children> children = edit_children(box, skip, inside, path);
  if (!children) return children.error();
  edits_.resize(box, children->change);
  return Outcome{children->change, true};
}

Outcome BoxEditor::cut_excess(const Box& box, uint64_t expected) {
  if (keeps_(PartClass::unknown) || box.size() <= expected) return {};
  const uint64_t begin = box.content + expected;
  std::vector<uint8_t> rest(static_cast<size_t>(std::min<uint64_t>(1 << 16, box.end - begin)));
  rest.resize(source_.read(begin, rest));
  if (is_zero(rest) && rest.size() == box.end - begin) return {};
  note(begin, box.end - begin, name_of_type(box.type),
       {PartClass::unknown, "bytes after the end of a table"}, true);
  const int64_t change = edits_.cut(begin, box.end - begin);
  edits_.resize(box, change);
  return {change, true};
}

void BoxEditor::zero_text(const std::string& path, const char* what, uint64_t offset,
                          uint64_t length, std::string_view text) {
  const bool stays = keeps_(PartClass::identity);
  note(offset, length, path, {PartClass::identity, what, shortened(text)}, !stays);
  if (!stays) edits_.zero(offset, length);
}

void BoxEditor::zero_reserved(uint64_t offset, std::span<const uint8_t> bytes,
                              const std::string& path) {
  if (keeps_(PartClass::unknown) || is_zero(bytes)) return;
  note(offset, bytes.size(), path, {PartClass::unknown, "bytes that are reserved"}, true);
  edits_.zero(offset, bytes.size());
}

Result<Outcome> BoxEditor::edit_known(const Box& box, const BoxRule& rule,
                                      const std::string& path) {
  switch (rule.handling) {
    case Handling::keep:
      return edit_table(box, path);
    case Handling::enter:
      return enter(box, 0, rule.inside, path);
    case Handling::times:
      return edit_times(box, path);
    case Handling::handler:
      return edit_handler(box, path);
    case Handling::references:
      return edit_references(box, path);
    case Handling::track_list:
      return edit_track_list(box, path);
    case Handling::descriptions:
      return edit_descriptions(box, path);
    case Handling::colours:
      return edit_colours(box, path);
    case Handling::grouping:
      return edit_grouping(box, path);
    case Handling::movie:
      return edit_movie(box, path);
    case Handling::track:
      return edit_track(box, path);
    case Handling::source:
      return edit_svhd(box, path);
    case Handling::mesh:
      return apply(box, path, {PartClass::stitching, "mesh of the projection"});
    case Handling::parameters:
      return edit_parameters(box, path);
    case Handling::flac:
      return edit_flac(box, path);
    case Handling::vendor:
      return edit_codec_vendor(box, path);
    case Handling::encrypted:
      return unsupported("the file is encrypted (" + path + ")");
    case Handling::fragment:
      return enter(box, 0, rule.inside, path);
    case Handling::track_fragment:
      return edit_track_fragment(box, path);
    case Handling::sphere_mark:
      note(box.begin, box.end - box.begin, path,
           {PartClass::useful, "marking as a 360 video (version 2)"}, request().mark.has_value());
      if (request().mark) return Outcome{edits_.remove(box), false};
      return box.type == "st3d" ? edit_table(box, path) : enter(box, 0, rule.inside, path);
    case Handling::ambisonics:
      note(box.begin, box.end - box.begin, path, {PartClass::useful, "spatial sound"},
           request().mark && request().mark->ambisonic_order >= 0);
      if (request().mark && request().mark->ambisonic_order >= 0)
        return Outcome{edits_.remove(box), false};
      return edit_table(box, path);
    case Handling::media_data:
    case Handling::index:
    case Handling::fragment_offset:
      return Outcome{};  // MediaEditor's
  }
  return Outcome{};
}

Result<Outcome> BoxEditor::edit_table(const Box& box, const std::string& path) {
  if (track_ < plans_.size() && (box.type == "stsz" || box.type == "stz2") &&
      !plans_[track_].sizes_box.empty() && box.begin == layout_.tables[track_].sizes.box.begin) {
    const std::vector<uint8_t>& bytes = plans_[track_].sizes_box;
    return Outcome{edits_.replace(box.begin, box.end - box.begin, bytes), true};
  }
  if (track_ < plans_.size() && plans_[track_].wide_offsets &&
      box.begin == layout_.tables[track_].offsets.box.begin) {
    // The offsets are filled in when it is known where everything will be.
    std::vector<uint8_t> content(8 + 8 * static_cast<size_t>(layout_.tables[track_].offsets.count));
    const int64_t change =
        edits_.replace(box.begin, box.end - box.begin, make_box("co64", content));
    return Outcome{change, true};
  }
  const std::optional<uint64_t> expected =
      box.type == "sdtp" ? length_of_dependencies(box) : expected_length(source_, box);
  if (expected) return cut_excess(box, *expected);
  return apply(box, path, {PartClass::unknown, "a table that can't be read"});
}

std::optional<uint64_t> BoxEditor::length_of_dependencies(const Box& box) const {
  constexpr uint64_t head = 4;
  Window window(source_, box.content + head, 1 << 12);
  const uint64_t length = head + samples_;
  while (window.position() < std::min(box.content + length, box.end)) {
    const int byte = window.next();
    if (byte < 0) return std::nullopt;
    // Whether there are others before it, after it, and the same one again: 3 means nothing.
    for (const int shift : {0, 2, 4})
      if ((byte >> shift & 3) == 3) return std::nullopt;
  }
  return length;
}

Result<Outcome> BoxEditor::edit_movie(const Box& box, const std::string& path) {
  const Result<Children> children = edit_children(box, 0, BoxParent::movie, path);
  if (!children) return children.error();
  int64_t change = children->change;
  if (request().position) {
    std::vector<uint8_t> added;
    if (!user_data_done_)
      added = make_box("udta", position_boxes(layout_.file.brand, *request().position));
    if (!meta_done_ && is_quicktime(layout_.file.brand)) {
      const std::vector<uint8_t> meta = position_meta(*request().position, request().position_time);
      added.insert(added.end(), meta.begin(), meta.end());
    }
    change += edits_.insert(children->end, std::move(added));
  }
  if (!added_track_.empty()) {
    const std::optional<Box> header = find_box(source_, box.content, box.end, false, "mvhd");
    if (!header || header->size() < 4) return damaged("the movie has no header");
    edits_.put32(header->end - 4, added_id_ + 1);  // the number of the next track
    change += edits_.insert(children->end, std::move(added_track_));
  }
  edits_.resize(box, change);
  return Outcome{change, true};
}

Result<Outcome> BoxEditor::edit_track(const Box& box, const std::string& path) {
  const auto found = std::ranges::find(
      layout_.tables, box.begin, [](const SampleTables& tables) { return tables.trak.begin; });
  if (found == layout_.tables.end()) return damaged("a track was not found again");
  track_ = static_cast<size_t>(found - layout_.tables.begin());
  const Track& track = layout_.file.tracks[track_];
  const bool kept = plans_[track_].kept;
  samples_ = layout_.tables[track_].sizes.count;
  // What a track tells that goes is still listed, and must not be anywhere in the new file.
  const size_t before = edits_.mark();
  const Result<Children> children = edit_children(box, 0, BoxParent::track, path);
  if (!kept) {
    edits_.undo(before);
    track_ = plans_.size();
    return Outcome{edits_.remove(box), false};
  }
  if (!children) return children.error();
  int64_t change = children->change;
  if (request().mark && track.handler == "vide")
    change +=
        edits_.insert(children->end, sphere_mark_v1(*request().mark, track.width, track.height));
  edits_.resize(box, change);
  track_ = plans_.size();
  return Outcome{change, true};
}

Result<Outcome> BoxEditor::edit_track_fragment(const Box& box, const std::string& path) {
  const std::optional<Box> header = find_box(source_, box.content, box.end, false, "tfhd");
  uint8_t bytes[8];
  if (!header || header->size() < sizeof bytes || !source_.read_all(header->content, bytes))
    return damaged("a fragment does not tell its track");
  ByteReader reader(bytes);
  reader.skip(4);
  const uint32_t id = reader.u32();
  const auto& tracks = layout_.file.tracks;
  const auto found = std::ranges::find(tracks, id, &Track::id);
  if (found == tracks.end()) return damaged("a fragment belongs to a track that does not exist");
  track_ = static_cast<size_t>(found - tracks.begin());
  const bool kept = plans_[track_].kept;
  track_ = plans_.size();
  if (!kept) return Outcome{edits_.remove(box), false};
  samples_ = 0;
  const Status counted = for_each_child(source_, box, 0, &count_, [&](const Box& child) -> Status {
    const std::vector<uint8_t> run = head(child, child.type == "trun" ? 8 : 0);
    ByteReader reader(run);
    reader.skip(4);
    samples_ += reader.u32();
    return ok();
  });
  if (!counted) return counted.error();
  return enter(box, 0, BoxParent::track_fragment, path);
}

namespace {

/// Bytes that are zero in ISO's files. In QuickTime, those of a movie are the times of its preview,
/// its poster and a selection.
struct Reserved {
  std::string_view type;
  size_t offset, wide_offset;  ///< the second one with numbers of 64 bits
  size_t length;
};
constexpr Reserved reserved_in_headers[] = {{"mvhd", 26, 38, 10}, {"mvhd", 72, 84, 24},
                                            {"tkhd", 16, 24, 4},  {"tkhd", 24, 36, 8},
                                            {"tkhd", 38, 50, 2},  {"mdhd", 22, 34, 2}};

}  // namespace

Result<Outcome> BoxEditor::edit_times(const Box& box, const std::string& path) {
  constexpr uint64_t longest_header = 112;
  const std::vector<uint8_t> bytes = head(box, longest_header);
  const size_t length = !bytes.empty() && bytes[0] == 1 ? 16 : 8;
  if (bytes.size() < 4 + length) return damaged("'" + box.type + "' is too short");
  const auto times = std::span(bytes).subspan(4, length);
  if (!is_zero(times)) {
    ByteReader reader(times);
    const uint64_t created = length == 16 ? reader.u64() : reader.u32();
    const uint64_t modified = length == 16 ? reader.u64() : reader.u32();
    const bool stays = keeps_(PartClass::time);
    note(box.content + 4, length, path,
         {PartClass::time, "times of creation and modification",
          date_of(created ? created : modified)},
         !stays);
    if (!stays) edits_.zero(box.content + 4, length);
  }
  for (const Reserved& one : reserved_in_headers) {
    const size_t offset = bytes[0] == 1 ? one.wide_offset : one.offset;
    if (box.type != one.type || bytes.size() < offset + one.length) continue;
    zero_reserved(box.content + offset, std::span(bytes).subspan(offset, one.length), path);
  }
  return edit_table(box, path);
}

Result<Outcome> BoxEditor::edit_handler(const Box& box, const std::string& path) {
  constexpr uint64_t name_at = 24;
  if (box.size() < name_at) return damaged("'hdlr' is too short");
  const std::vector<uint8_t> bytes = head(box, name_at + largest_name);
  const auto reserved = std::span(bytes).subspan(12, 12);
  const std::string_view name = as_text(std::span(bytes).subspan(name_at));
  const bool neutral = box.size() - name_at <= largest_name && is_neutral_handler(name);
  const bool stays = keeps_(PartClass::identity);
  // QuickTime names Apple as the maker of the handler.
  if (!is_zero(reserved) && as_text(reserved.first(4)) != "appl" && !keeps_(PartClass::unknown))
    edits_.zero(box.content + 12, 12);
  if (neutral) return Outcome{};
  note(box.content + name_at, box.size() - name_at, path,
       {PartClass::identity, "name of a track's handler", shortened(until_zero(name))}, !stays);
  if (stays) return Outcome{};
  findings_.identity(until_zero(name));
  if (edits_.in_place()) {
    edits_.zero(box.content + name_at, box.size() - name_at);
    return Outcome{};
  }
  const int64_t change = edits_.replace(box.content + name_at, box.size() - name_at, {0});
  edits_.resize(box, change);
  return Outcome{change, true};
}

Result<Outcome> BoxEditor::edit_references(const Box& box, const std::string& path) {
  int64_t change = 0;
  const Status read = for_each_child(source_, box, 8, &count_, [&](const Box& entry) -> Status {
    const std::vector<uint8_t> bytes = head(entry, 4);
    if (bytes.size() < 4) return damaged("'dref' is too short");
    const bool own = bytes[3] & 1;
    if (!own && !keeps_(PartClass::unknown))
      return unsupported("the media is in another file (" + path + ")");
    if (own) change += cut_excess(entry, 4).change;
    return ok();
  });
  if (!read) return read.error();
  edits_.resize(box, change);
  return Outcome{change, true};
}

Result<Outcome> BoxEditor::edit_track_list(const Box& box, const std::string& path) {
  const auto is_kept = [&](uint32_t id) {
    for (size_t i = 0; i < plans_.size(); ++i)
      if (layout_.file.tracks[i].id == id) return plans_[i].kept;
    return keeps_(PartClass::unknown);
  };
  int64_t change = 0;
  size_t left = 0;
  const size_t before = edits_.mark();
  const Status read = for_each_child(source_, box, 0, &count_, [&](const Box& list) -> Status {
    if (list.size() % 4 || list.size() > 4096) return damaged("'" + path + "' is damaged");
    const std::vector<uint8_t> bytes = head(list, 4096);
    ByteReader reader(bytes);
    std::vector<uint8_t> kept;
    while (reader.remaining() >= 4) {
      const uint32_t id = reader.u32();
      if (is_kept(id)) append32(&kept, id);
    }
    left += kept.size();
    if (kept.size() == bytes.size()) return ok();
    int64_t shorter = 0;
    if (kept.empty()) {
      change += edits_.remove(list);
      return ok();
    }
    if (edits_.in_place()) {
      kept.resize(bytes.size());
      edits_.overwrite(list.content, kept);
    } else {
      shorter = edits_.replace(list.content, list.size(), kept);
    }
    edits_.resize(list, shorter);
    change += shorter;
    return ok();
  });
  if (!read) return read.error();
  if (left == 0 && edits_.count() > before) {
    edits_.undo(before);
    return Outcome{edits_.remove(box), false};
  }
  edits_.resize(box, change);
  return Outcome{change, true};
}

Result<Outcome> BoxEditor::edit_descriptions(const Box& box, const std::string& path) {
  int64_t change = 0;
  const Status read = for_each_child(source_, box, 8, &count_, [&](const Box& entry) -> Status {
    const Result<Outcome> outcome = edit_description(entry, path + "/" + name_of_type(entry.type));
    if (!outcome) return outcome.error();
    change += outcome->change;
    return ok();
  });
  if (!read) return read.error();
  edits_.resize(box, change);
  return Outcome{change, true};
}

Result<Outcome> BoxEditor::edit_description(const Box& entry, const std::string& path) {
  if (track_ >= plans_.size() || !plans_[track_].kept) return Outcome{};
  const std::string& handler = layout_.file.tracks[track_].handler;
  if (handler == "vide") return edit_visual(entry, path);
  if (handler == "soun") return edit_sound(entry, path);
  if (keeps_(PartClass::unknown)) return Outcome{};
  // Records of the camera: a reserved part and the number of a reference.
  return cut_excess(entry, 8);
}

void BoxEditor::edit_vendor(const Box& entry, std::span<const uint8_t> bytes,
                            const std::string& path) {
  const auto vendor = bytes.subspan(vendor_at, 4);
  if (!is_neutral_vendor(vendor))
    zero_text(path, "vendor of the encoder", entry.content + vendor_at, 4, as_text(vendor));
}

Result<Outcome> BoxEditor::edit_codec_vendor(const Box& box, const std::string& path) {
  constexpr size_t letters = 4, with_version = 5;
  const std::vector<uint8_t> bytes = head(box, with_version);
  if (bytes.size() < with_version) return damaged("'" + box.type + "' is too short");
  const auto vendor = std::span(bytes).first(letters);
  if (!is_neutral_vendor(vendor))
    zero_text(path, "vendor of the encoder", box.content, with_version, as_text(vendor));
  return edit_table(box, path);
}

Result<Outcome> BoxEditor::edit_visual(const Box& entry, const std::string& path) {
  if (entry.size() < visual_head) return damaged("'" + entry.type + "' is too short");
  const std::vector<uint8_t> bytes = head(entry, visual_head);
  const auto name = std::span(bytes).subspan(compressor_at, compressor_size);
  if (!is_zero(name) && !is_neutral_encoder(as_text(name)))
    zero_text(path, "name of the encoder", entry.content + compressor_at, compressor_size,
              until_zero(as_text(name.subspan(1))));
  edit_vendor(entry, bytes, path);
  zero_reserved(entry.content, std::span(bytes).first(reserved_in_entry), path);
  // Letters in those of QuickTime's data behind the size of the picture.
  zero_reserved(entry.content + data_size_at, std::span(bytes).subspan(data_size_at, 4), path);
  int64_t added = 0;
  if (request().mark) {
    uint64_t place = entry.content + visual_head;
    for (const char* type : {"avcC", "hvcC", "vpcC", "av1C", "esds", "d263"})
      if (const auto config = find_box(source_, place, entry.end, false, type)) {
        place = config->end;
        break;
      }
    added = edits_.insert(place, sphere_mark_v2(*request().mark));
  }
  const Result<Children> children = edit_children(entry, visual_head, BoxParent::visual, path);
  if (!children) return children.error();
  const int64_t change = children->change + added;
  edits_.resize(entry, change);
  return Outcome{change, true};
}

Result<Outcome> BoxEditor::edit_sound(const Box& entry, const std::string& path) {
  std::vector<uint8_t> bytes = head(entry, 28);
  if (bytes.size() < 28) return damaged("'" + entry.type + "' is too short");
  ByteReader reader(bytes);
  reader.skip(8);
  const int version = reader.u16();
  reader.skip(6);
  zero_reserved(entry.content, std::span(bytes).first(reserved_in_entry), path);
  edit_vendor(entry, bytes, path);
  int channels = reader.u16();
  // QuickTime's versions have more fields; ISO's version 1 does not.
  uint64_t skip = 28;
  Box first;
  const uint64_t longer = version == 1 ? 44 : version == 2 ? 64 : 28;
  if (entry.size() >= longer) {
    const Next next = box_at(source_, entry.content + longer, entry.end, false, &first);
    if (next == Next::box || next == Next::end) skip = longer;
  }
  int64_t change = 0;
  const bool mark = request().mark && request().mark->ambisonic_order >= 0 && !ambisonics_done_;
  const Result<Children> children = edit_children(entry, skip, BoxParent::sound, path);
  if (!children) return children.error();
  change += children->change;
  if (mark) {
    const int order = request().mark->ambisonic_order;
    channels = coded_channels(entry, skip).value_or(channels);
    if (channels != (order + 1) * (order + 1))
      return invalid("the sound has " + std::to_string(channels) +
                     " channels, but ambisonics of order " + std::to_string(order) + " have " +
                     std::to_string((order + 1) * (order + 1)));
    change += edits_.insert(children->end, spatial_sound(order));
    ambisonics_done_ = true;
  }
  edits_.resize(entry, change);
  return Outcome{change, true};
}

std::optional<int> BoxEditor::coded_channels(const Box& entry, uint64_t skip) {
  for (const auto& [type, channels_of] :
       {std::pair{"esds", &channels_of_esds}, std::pair{"dOps", &channels_of_dops}})
    if (const auto config = find_box(source_, entry.content + skip, entry.end, false, type)) {
      // A longer one is damaged, or of a codec that nobody has heard of.
      constexpr uint64_t longest_config = 4096;
      if (config->size() > longest_config) return std::nullopt;
      return channels_of(head(*config, config->size()));
    }
  return std::nullopt;
}

Result<Outcome> BoxEditor::edit_colours(const Box& box, const std::string& path) {
  constexpr uint64_t largest_profile = 16 << 20;
  const std::vector<uint8_t> bytes = head(box, largest_profile);
  const std::string_view type = as_text(bytes).substr(0, 4);
  if (type == "nclx" || type == "nclc") return edit_table(box, path);
  if ((type == "prof" || type == "rICC") && box.size() == bytes.size() &&
      is_colour_profile(std::span(bytes).subspan(4))) {
    const auto profile = std::span(bytes).subspan(4);
    const uint64_t begin = box.end - profile.size();
    if (auto clean = clean_profile(profile, {begin, profile.size(), path}, &findings_))
      edits_.overwrite(begin, std::move(*clean));
    return Outcome{};
  }
  return apply(box, path, {PartClass::unknown, "no colour profile"});
}

Result<Outcome> BoxEditor::edit_grouping(const Box& box, const std::string& path) {
  const std::vector<uint8_t> bytes = head(box, 8);
  if (bytes.size() < 8) return damaged("'" + path + "' is too short");
  const std::string_view type = as_text(std::span(bytes).subspan(4, 4));
  if (type == "seig") return unsupported("the file is encrypted (" + path + ")");
  // Groups have few bytes each; a text in one would be larger.
  constexpr uint64_t largest_group = 64;
  const bool harmless = is_known_group(type) && (box.type == "sbgp" || box.size() <= largest_group);
  if (harmless) return edit_table(box, path);
  return apply(box, path, {PartClass::unknown, "groups of an unknown kind"});
}

Result<Outcome> BoxEditor::edit_parameters(const Box& box, const std::string& path) {
  if (track_ >= plans_.size()) return Outcome{};
  SampleSettings settings = plans_[track_].samples;
  settings.path = path;
  settings.layer = box.type == "lhvC";
  constexpr uint64_t largest = 1 << 16;
  if (box.size() > largest) return damaged("'" + path + "' is too large");
  const std::vector<uint8_t> bytes = head(box, largest);
  std::vector<Edit> edits;
  SampleReport report;
  uint64_t used = 0;
  if (box.type == "esds") {
    if (const Status read = edit_esds(box, bytes, settings, &edits, &report); !read)
      return read.error();
    used = std::min(expected_length(source_, box).value_or(bytes.size()), box.size());
  } else {
    const Result<size_t> read =
        edit_codec_config(source_, settings, box.content, bytes, &edits, &report);
    if (!read) return read.error();
    used = *read;
  }
  report.finish(&findings_);
  for (Edit& edit : edits) {
    if (edit.zeros)
      edits_.zero(edit.offset, edit.length);
    else
      edits_.overwrite(edit.offset, std::move(edit.bytes));
  }
  return cut_excess(box, used);
}

Status BoxEditor::edit_esds(const Box& box, std::span<const uint8_t> bytes,
                            const SampleSettings& settings, std::vector<Edit>* edits,
                            SampleReport* report) {
  const std::optional<CodecConfig> config = read_esds(bytes);
  const auto zero = [&](std::span<const uint8_t> part, const char* what) {
    if (is_zero(part) || keeps_(PartClass::unknown)) return;
    const uint64_t at = box.content + static_cast<uint64_t>(part.data() - bytes.data());
    note(at, part.size(), settings.path, {PartClass::unknown, what}, true);
    edits_.zero(at, part.size());
  };
  if (!config) {
    constexpr size_t version_size = 4;
    const size_t end = static_cast<size_t>(
        std::min<uint64_t>(expected_length(source_, box).value_or(bytes.size()), bytes.size()));
    if (end > version_size)
      zero(bytes.first(end).subspan(version_size), "a description that can't be read");
    return ok();
  }
  for (const auto& part : config->more) zero(part, "descriptors of an unknown kind");
  const std::span<const uint8_t> specific = config->specific;
  if (specific.empty()) return ok();
  if (settings.form == SampleForm::mpeg4 || settings.form == SampleForm::mpeg2) {
    const auto at = static_cast<uint64_t>(specific.data() - bytes.data());
    const Result<size_t> read =
        edit_codec_config(source_, settings, box.content + at, specific, edits, report);
    return read ? ok() : Status(read.error());
  }
  if (config->object_type == object_type::vorbis)
    return edit_vorbis(box, bytes, specific, settings.path);
  std::vector<ByteRange> idle = {{0, specific.size()}};
  if (object_type::is_aac(config->object_type)) idle = idle_bytes_of_aac(specific);
  if (config->object_type == object_type::opus) idle = idle_bytes_of_opus(specific);
  for (const ByteRange& part : idle)
    zero(specific.subspan(static_cast<size_t>(part.begin),
                          static_cast<size_t>(part.end - part.begin)),
         "bytes that the decoder does not need");
  return ok();
}

Status BoxEditor::edit_vorbis(const Box& box, std::span<const uint8_t> content,
                              std::span<const uint8_t> specific, const std::string& path) {
  const bool stays = keeps_(PartClass::unknown);
  std::optional<VorbisComments> comments = find_vorbis_comments(specific);
  if (!comments) return stays ? ok() : Status(damaged("'" + path + "' can't be read"));
  const auto before = specific.subspan(comments->offset, comments->empty.size());
  if (std::ranges::equal(before, comments->empty)) return ok();
  const uint64_t at = box.content + static_cast<uint64_t>(before.data() - content.data());
  note(at, before.size(), path, {PartClass::unknown, "comments of the sound"}, !stays);
  if (!stays) edits_.overwrite(at, std::move(comments->empty));
  return ok();
}

Result<Outcome> BoxEditor::edit_flac(const Box& box, const std::string& path) {
  constexpr uint64_t largest = 1 << 20;
  constexpr uint8_t stream_info = 0, padding = 1, seek_table = 3;
  if (box.size() > largest) return damaged("'" + path + "' is too large");
  const std::vector<uint8_t> bytes = head(box, largest);
  ByteReader reader(bytes);
  reader.skip(4);
  while (reader.remaining() >= 4) {
    const uint64_t at = box.content + reader.position();
    const uint8_t first = reader.u8();
    const size_t length = reader.u24();
    const auto block = reader.take(length);
    if (!reader.ok()) return damaged("'" + path + "' is too short");
    const uint8_t type = first & 127;
    if ((type == stream_info && length == 34) || type == seek_table || is_zero(block)) continue;
    const bool stays = keeps_(PartClass::unknown);
    note(at, 4 + length, path, {PartClass::unknown, "comments or pictures of the sound"}, !stays);
    if (stays) continue;
    edits_.overwrite(at, {static_cast<uint8_t>((first & 128) | padding)});
    edits_.zero(at + 4, length);
  }
  return Outcome{};
}

Result<Outcome> BoxEditor::edit_svhd(const Box& box, const std::string& path) {
  const std::vector<uint8_t> bytes = head(box, 4 + largest_name);
  if (bytes.size() < 5) return Outcome{};
  const auto content = std::span(bytes).subspan(4);
  const std::string_view text = until_zero(as_text(content));
  const bool whole = box.size() <= 4 + largest_name;
  if (whole && (is_zero(content) || ((text == "gst-sphere" || text == "Spherical Metadata Tool") &&
                                     is_zero(content.subspan(text.size())))))
    return Outcome{};
  zero_text(path, "software", box.content + 4, box.size() - 4, text);
  return Outcome{};
}

}  // namespace sphere::media
