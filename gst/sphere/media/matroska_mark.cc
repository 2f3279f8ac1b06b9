// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/matroska_mark.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <string_view>
#include <utility>

#include "gst/sphere/media/box_edits.h"
#include "gst/sphere/media/place.h"

namespace sphere::media {

namespace {

constexpr uint64_t projection_equirectangular = 1;
// The values of StereoMode, in the order of SphereMark::Stereo.
constexpr uint64_t stereo_modes[] = {0, 3, 1};
// What `equi` has in an MP4 file: version, flags, and what is cut off at the four sides.
constexpr size_t equi_size = 20;

Error no_room() {
  return unsupported(
      "the index of the file has no room for longer positions; copy the file with another program "
      "first, such as mkvmerge");
}

std::vector<uint8_t> float_bytes(double value) {
  return ebml_number(std::bit_cast<uint32_t>(static_cast<float>(value)), 4);
}

void append(std::vector<uint8_t>* to, const std::vector<uint8_t>& bytes) {
  to->insert(to->end(), bytes.begin(), bytes.end());
}

std::vector<uint8_t> projection(const SphereMark& mark) {
  std::vector<uint8_t> content;
  append(&content, ebml_element(ebml_id::projection_type, ebml_number(projection_equirectangular)));
  append(&content, ebml_element(ebml_id::projection_private, std::vector<uint8_t>(equi_size)));
  append(&content, ebml_element(ebml_id::projection_yaw, float_bytes(mark.yaw)));
  append(&content, ebml_element(ebml_id::projection_pitch, float_bytes(mark.pitch)));
  append(&content, ebml_element(ebml_id::projection_roll, float_bytes(mark.roll)));
  return ebml_element(ebml_id::projection, content);
}

class Marker {
 public:
  Marker(const Source& source, const Element& segment, const std::vector<BlockTrack>& tracks,
         const Request& request, bool head, Examination* found)
      : source_(source),
        reader_(source),
        segment_(segment),
        tracks_(tracks),
        request_(request),
        head_(head),
        found_(*found) {}

  Status run() {
    int64_t change = 0;
    const Status marked = reader_.children(segment_, [&](const Element& child) -> Status {
      if (child.id != ebml_id::tracks || !request_.mark) return ok();
      return mark_tracks(child, &change);
    });
    if (!marked) return marked;
    // Many players read tags behind the clusters only if the list of the file's parts has them.
    if (request_.position)
      change += insert(first_cluster(), matroska_position_tags(*request_.position));
    if (change == 0 && edits_.empty()) return ok();
    if (!segment_.unknown_size) change += resize(segment_, change);
    std::ranges::sort(edits_, {}, &Edit::offset);
    if (const Status moved = move_positions(OffsetMap(edits_)); !moved) return moved;
    found_.edits.insert(found_.edits.end(), edits_.begin(), edits_.end());
    return ok();
  }

 private:
  uint64_t first_cluster() {
    uint64_t position = segment_.content;
    while (position < segment_.end) {
      Element element;
      if (!reader_.element(position, segment_.end, &element) || element.id == ebml_id::cluster)
        break;
      position = element.end;
    }
    return position;
  }

  Status mark_tracks(const Element& list, int64_t* change) {
    int64_t in_list = 0;
    const Status read = reader_.children(list, [&](const Element& entry) -> Status {
      return entry.id == ebml_id::track ? mark_track(entry, &in_list) : ok();
    });
    if (read && in_list) *change += in_list + resize(list, in_list);
    return read;
  }

  Status mark_track(const Element& entry, int64_t* change) {
    uint64_t number = 0;
    Element video;
    const Status read = reader_.children(entry, [&](const Element& child) -> Status {
      if (child.id == ebml_id::track_number) number = reader_.number(child);
      if (child.id == ebml_id::video) video = child;
      return ok();
    });
    if (!read) return read;
    const auto track = std::ranges::find(tracks_, number, &BlockTrack::number);
    if (track == tracks_.end() || !track->video || track->dropped || !video.length()) return ok();
    int64_t in_entry = 0;
    const Status marked = mark_video(video, &in_entry);
    if (marked && in_entry) *change += in_entry + resize(entry, in_entry);
    return marked;
  }

  /// Replaces the marks that are there.
  Status mark_video(const Element& video, int64_t* change) {
    std::vector<uint8_t> wanted = projection(*request_.mark);
    append(&wanted,
           ebml_element(ebml_id::stereo_mode,
                        ebml_number(stereo_modes[static_cast<size_t>(request_.mark->stereo)])));
    std::vector<uint8_t> present;
    std::vector<Element> old;
    const Status read = reader_.children(video, [&](const Element& child) -> Status {
      if (child.id != ebml_id::projection && child.id != ebml_id::stereo_mode) return ok();
      std::vector<uint8_t> bytes(
          static_cast<size_t>(std::min<uint64_t>(child.length(), wanted.size() + 1)));
      if (!source_.read_all(child.begin, bytes)) return invalid("the file ends too early");
      append(&present, bytes);
      old.push_back(child);
      return ok();
    });
    if (!read || present == wanted) return read;
    int64_t in_video = insert(video.end, std::move(wanted));
    for (const Element& element : old) {
      // What was replaced in it before is removed with it.
      std::erase_if(found_.edits, [&](const Edit& edit) {
        return edit.offset >= element.begin && edit.offset < element.end;
      });
      edits_.push_back({element.begin, element.length(), {}});
      in_video -= static_cast<int64_t>(element.length());
    }
    *change += in_video + resize(video, in_video);
    return ok();
  }

  int64_t insert(uint64_t offset, std::vector<uint8_t> bytes) {
    const auto length = static_cast<int64_t>(bytes.size());
    edits_.push_back({offset, 0, std::move(bytes)});
    return length;
  }

  /// Writes the size of an element anew. Returns by how much that made its head longer.
  int64_t resize(const Element& element, int64_t change) {
    const uint64_t size = element.size() + static_cast<uint64_t>(change);
    // The id keeps its bytes; an id and its size in as many bytes as before, if that is enough.
    uint8_t first = 0;
    source_.read_all(element.begin, {&first, 1});
    const int id_bytes = std::countl_zero(first) + 1;
    const int old_bytes = static_cast<int>(element.content - element.begin) - id_bytes;
    const std::vector<uint8_t> head = ebml_size(size, old_bytes);
    edits_.push_back(
        {element.begin + static_cast<uint64_t>(id_bytes), static_cast<uint64_t>(old_bytes), head});
    return static_cast<int64_t>(head.size()) - old_bytes;
  }

  /// The index and the list of its parts have positions, which are counted from the content of the
  /// segment.
  Status move_positions(const OffsetMap& map) {
    const uint64_t origin = map(segment_.content);
    std::vector<std::pair<uint64_t, uint64_t>> edited;
    for (const Edit& edit : found_.edits)
      edited.emplace_back(edit.offset, edit.offset + edit.length);
    std::ranges::sort(edited);
    // What is removed has no positions any more.
    const auto is_edited = [&](uint64_t offset) {
      const auto after = std::ranges::upper_bound(edited, std::pair(offset, UINT64_MAX));
      return after != edited.begin() && std::prev(after)->second > offset;
    };
    const auto move = [&](const Element& element) -> Status {
      const uint64_t before = reader_.number(element);
      if (before > segment_.size() && !head_) return ok();  // was wrong before
      if (is_edited(element.content)) return ok();
      const uint64_t after = map(segment_.content + before) - origin;
      if (after == before) return ok();
      const auto bytes = static_cast<int>(element.size());
      if (bytes == 0 || (bytes < 8 && after >> 8 * bytes)) return no_room();
      found_.edits.push_back({element.content, element.size(), ebml_number(after, bytes)});
      return ok();
    };
    // From the outside to the inside: which elements lead to a position.
    const auto walk = [&](const auto& self, const Element& parent) -> Status {
      std::optional<Element> checksum;
      const size_t edits = found_.edits.size();
      const Status read = reader_.children(parent, [&](const Element& child) -> Status {
        switch (child.id) {
          case ebml_id::crc32:
            checksum = child;
            return ok();
          case ebml_id::seek_position:
          case ebml_id::cue_cluster_position:
          case ebml_id::cluster_position:
            return move(child);
          case ebml_id::seek_head:
          case ebml_id::seek:
          case ebml_id::cues:
          case ebml_id::cue_point:
          case ebml_id::cue_track_positions:
          case ebml_id::cluster:
            return self(self, child);
          default:
            return ok();
        }
      });
      if (checksum && found_.edits.size() > edits && !is_edited(checksum->begin))
        append_void(checksum->begin, checksum->length(), &found_.edits);
      return read;
    };
    return walk(walk, segment_);
  }

  const Source& source_;
  EbmlReader reader_;
  const Element segment_;
  const std::vector<BlockTrack>& tracks_;
  const Request& request_;
  const bool head_;
  Examination& found_;
  std::vector<Edit> edits_;  ///< those that change lengths
};

}  // namespace

std::vector<uint8_t> matroska_position_tags(const Position& position) {
  constexpr std::string_view name = "RECORDING_LOCATION";
  const std::string text = iso6709(position);
  std::vector<uint8_t> simple;
  append(&simple, ebml_element(ebml_id::tag_name, {name.begin(), name.end()}));
  append(&simple, ebml_element(ebml_id::tag_string, {text.begin(), text.end()}));
  std::vector<uint8_t> tag = ebml_element(ebml_id::targets, {});
  append(&tag, ebml_element(ebml_id::simple_tag, simple));
  return ebml_element(ebml_id::tags, ebml_element(ebml_id::tag, tag));
}

Status mark_matroska(const Source& source, const Element& segment,
                     const std::vector<BlockTrack>& tracks, const Request& request, bool head,
                     Examination* found) {
  if (request.in_place)
    return unsupported("a Matroska file can't be marked, or get a position, in place");
  return Marker(source, segment, tracks, request, head, found).run();
}

}  // namespace sphere::media
