// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/isobmff.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/box.h"
#include "gst/sphere/media/isobmff_layout.h"
#include "gst/sphere/media/sample_tables.h"
#include "gst/sphere/media/spherical.h"

namespace sphere::media {

namespace {

constexpr int max_tracks = 256;
// 2^31 samples are more than a year of pictures; a table with more is an error.
constexpr uint64_t max_samples = uint64_t{1} << 31;
// The first bytes of a box are enough, except for the tables, which are read in pieces.
constexpr size_t head_size = 128;

bool is_box_type(std::span<const uint8_t> type) {
  return std::all_of(type.begin(), type.end(),
                     [](uint8_t c) { return (c >= 0x20 && c < 0x7f) || c == 0xa9; });
}

}  // namespace

Next box_at(const Source& source, uint64_t position, uint64_t end, bool top, Box* box) {
  if (position >= end) return Next::end;
  uint8_t bytes[16] = {};
  const size_t have = source.read(
      position,
      std::span(bytes).first(static_cast<size_t>(std::min<uint64_t>(16, end - position))));
  if (have < 8) return Next::junk;
  ByteReader reader({bytes, have});
  uint64_t size = reader.u32();
  const std::span<const uint8_t> type = reader.take(4);
  if (!is_box_type(type)) return Next::junk;
  uint64_t header = 8;
  bool open = false;
  if (size == 1) {
    size = reader.u64();
    header = 16;
    if (!reader.ok()) return Next::past_end;
  } else if (size == 0) {
    // The size 0 means up to the end of the file. Only the last box of the file may have it.
    if (!top) return Next::junk;
    size = end - position;
    open = true;
  }
  if (size < header) return Next::junk;
  if (size > end - position) return Next::past_end;
  box->type.assign(type.begin(), type.end());
  box->begin = position;
  box->to_the_end = open;
  box->content = position + header;
  box->end = position + size;
  return Next::box;
}

std::optional<Box> find_box(const Source& source, uint64_t begin, uint64_t end, bool top,
                            const char* type) {
  // Real files have some tens of boxes at each level.
  constexpr int most_siblings = 1 << 16;
  uint64_t position = begin;
  for (int count = 0; count < most_siblings; ++count) {
    Box box;
    if (box_at(source, position, end, top, &box) != Next::box) return std::nullopt;
    if (box.type == type) return box;
    position = box.end;
  }
  return std::nullopt;
}

std::optional<Box> find_path(const Source& source, Box parent,
                             std::initializer_list<const char*> path) {
  for (const char* type : path) {
    const std::optional<Box> box = find_box(source, parent.content, parent.end, false, type);
    if (!box) return std::nullopt;
    parent = *box;
  }
  return parent;
}

std::vector<ByteRange> media_data(const Source& source) {
  std::vector<ByteRange> ranges;
  Box box;
  for (uint64_t position = 0; box_at(source, position, source.size(), true, &box) == Next::box;
       position = box.end)
    if (box.type == "mdat") ranges.push_back({box.content, box.end});
  return ranges;
}

namespace {

class Checker {
 public:
  explicit Checker(const Source& source) : source_(source) {}

  Result<IsoLayout> run() {
    bool have_moov = false;
    uint64_t position = 0;
    for (;;) {
      Box box;
      const Next next = box_at(source_, position, source_.size(), true, &box);
      if (next == Next::end) break;
      if (next == Next::junk) {
        if (position == 0) return invalid("not an MP4 or MOV file");
        layout_.file.trailing = source_.size() - position;
        break;
      }
      if (next == Next::past_end) return cut_off();
      if (++boxes_ > max_boxes) return damaged("it has too many boxes");
      if (box.type == "ftyp") {
        uint8_t brand[4];
        if (box.size() < 4 || !source_.read_all(box.content, brand))
          return damaged("its type is missing");
        std::memcpy(file_.brand.data(), brand, sizeof brand);
      } else if (box.type == "moov") {
        if (have_moov) return damaged("it has two indexes (moov)");
        have_moov = true;
        layout_.moov = box;
        if (const Status read = read_movie(box); !read) return read.error();
      } else if (box.type == "moof") {
        layout_.fragments.push_back(box.begin);
      } else if (box.type == "mdat") {
        layout_.media.push_back(box);
      }
      position = box.end;
    }
    // A camera that was switched off during a recording leaves a file without an index.
    if (!have_moov)
      return layout_.media.empty()
                 ? cut_off()
                 : invalid("the file has no index (moov); the recording was cut off");
    for (const uint64_t offset : layout_.fragments) {
      file_.fragmented = true;
      if (const Status read = check_fragment(offset); !read) return read.error();
    }
    return std::move(layout_);
  }

 private:
  using Visit = std::function<Status(const Box&)>;

  Status children(const Box& parent, uint64_t skip, const Visit& visit) {
    return for_each_child(source_, parent, skip, &boxes_, visit);
  }

  std::vector<uint8_t> head(const Box& box) {
    std::vector<uint8_t> bytes(static_cast<size_t>(std::min<uint64_t>(head_size, box.size())));
    bytes.resize(source_.read(box.content, bytes));
    return bytes;
  }

  Status read_movie(const Box& movie) {
    return children(movie, 0, [this](const Box& box) -> Status {
      if (box.type == "cmov") return unsupported("the file's index is compressed (cmov)");
      if (box.type == "mvhd") return read_movie_header(box);
      if (box.type == "trak") return read_track(box);
      if (box.type == "mvex") {
        file_.fragmented = true;
        return children(box, 0, [this](const Box& child) -> Status {
          if (child.type != "trex") return ok();
          const std::vector<uint8_t> bytes = head(child);
          ByteReader reader(bytes);
          reader.skip(4);
          const uint32_t id = reader.u32();
          reader.skip(8);
          const uint32_t size = reader.u32();
          if (!reader.ok()) return damaged("'trex' is too short");
          if (layout_.defaults.size() < max_tracks) layout_.defaults.push_back({id, size});
          return ok();
        });
      }
      return ok();
    });
  }

  Status read_track(const Box& trak) {
    if (file_.tracks.size() >= max_tracks) return damaged("it has too many tracks");
    Track track;
    SampleTables tables;
    tables.trak = trak;
    const Status read = children(trak, 0, [&](const Box& box) -> Status {
      if (box.type == "tkhd") return read_track_header(box, &track);
      if (box.type == "uuid") {
        track.spherical |= uuid_box_is_spherical(source_, box);
        track.stereo |= uuid_box_is_stereo(source_, box);
      }
      if (box.type != "mdia") return ok();
      return children(box, 0, [&](const Box& child) -> Status {
        if (child.type == "mdhd") return read_media_header(child, &track);
        if (child.type == "hdlr") {
          const std::vector<uint8_t> bytes = head(child);
          ByteReader reader(bytes);
          reader.skip(8);
          const std::span<const uint8_t> type = reader.take(4);
          if (!reader.ok()) return damaged("'hdlr' is too short");
          track.handler.assign(type.begin(), type.end());
        }
        if (child.type != "minf") return ok();
        return children(child, 0, [&](const Box& table) -> Status {
          if (table.type != "stbl") return ok();
          return children(table, 0, [&](const Box& entry) -> Status {
            return read_table(entry, &track, &tables);
          });
        });
      });
    });
    if (!read) return read;
    // Every sample of every chunk is within the file.
    ChunkReader chunks(source_, tables, 1 << 16);
    Chunk chunk;
    uint64_t end = 0;
    for (;;) {
      const Result<bool> more = chunks.next(&chunk);
      if (!more) return more.error();
      if (!*more) break;
      if (chunk.offset < end) tables.ascending = false;
      end = chunk.offset + chunk.length;
    }
    track.samples = tables.sizes.count;
    file_.tracks.push_back(std::move(track));
    layout_.tables.push_back(tables);
    return ok();
  }

  Status read_track_header(const Box& box, Track* track) {
    const std::vector<uint8_t> bytes = head(box);
    ByteReader reader(bytes);
    const int version = reader.u8();
    track->enabled = reader.u24() & 1;
    reader.skip(version == 1 ? 16 : 8);
    track->id = reader.u32();
    reader.skip(4 + (version == 1 ? 8 : 4) + 16);
    int32_t matrix[9];
    for (int32_t& value : matrix) value = static_cast<int32_t>(reader.u32());
    reader.skip(8);
    if (!reader.ok()) return damaged("'tkhd' is too short");
    track->rotated = matrix[1] != 0 || matrix[3] != 0 || matrix[0] < 0 || matrix[4] < 0;
    return ok();
  }

  Status read_movie_header(const Box& box) {
    const std::vector<uint8_t> bytes = head(box);
    ByteReader reader(bytes);
    const bool wide = reader.u8() == 1;
    reader.skip(wide ? 3 + 16 : 3 + 8);
    IsoFile::Length& length = file_.length;
    length.timescale = reader.u32();
    length.offset = box.content + reader.position();
    length.value = wide ? reader.u64() : reader.u32();
    length.bytes = wide ? 8 : 4;
    return reader.ok() ? ok() : damaged("'mvhd' is too short");
  }

  Status read_media_header(const Box& box, Track* track) {
    const std::vector<uint8_t> bytes = head(box);
    ByteReader reader(bytes);
    const int version = reader.u8();
    reader.skip(3 + (version == 1 ? 16 : 8));
    track->timescale = reader.u32();
    track->duration = version == 1 ? reader.u64() : reader.u32();
    if (!reader.ok()) return damaged("'mdhd' is too short");
    return ok();
  }

  Status read_table(const Box& box, Track* track, SampleTables* tables) {
    SampleSizes* sizes = &tables->sizes;
    const std::vector<uint8_t> bytes = head(box);
    ByteReader reader(bytes);
    reader.skip(4);
    if (box.type == "stsd") {
      if (!tables->descriptions.type.empty()) return damaged("a track has two of 'stsd'");
      tables->descriptions = box;
      const uint32_t count = reader.u32();
      if (!reader.ok()) return damaged("'stsd' is too short");
      if (count == 0) return ok();
      reader.skip(4);
      const std::span<const uint8_t> codec = reader.take(4);
      if (!reader.ok()) return damaged("'stsd' is too short");
      track->codec.assign(codec.begin(), codec.end());
      track->spherical |= sample_entry_is_spherical(source_, box);
      track->cubemap |= sample_entry_is_cubemap(source_, box);
      track->stereo |= sample_entry_is_stereo(source_, box);
      reader.skip(24);
      const int width = reader.u16(), height = reader.u16();
      if (reader.ok()) {
        track->width = width;
        track->height = height;
      }
    } else if (box.type == "stsz" || box.type == "stz2") {
      const bool compact = box.type == "stz2";
      if (sizes->present) return damaged("a track has two lists of sizes");
      sizes->present = true;
      sizes->box = box;
      if (compact) {
        reader.skip(3);
        sizes->bits = reader.u8();
        if (sizes->bits != 4 && sizes->bits != 8 && sizes->bits != 16)
          return damaged("'stz2' is wrong");
      } else {
        sizes->same = reader.u32();
      }
      sizes->count = reader.u32();
      if (!reader.ok()) return damaged("'" + box.type + "' is too short");
      sizes->table = box.content + 12;
      if (sizes->count > max_samples ||
          (!sizes->same &&
           (sizes->count * static_cast<unsigned>(sizes->bits) + 7) / 8 > box.size() - 12))
        return damaged("'" + box.type + "' announces more samples than it has");
    } else if (box.type == "stco" || box.type == "co64" || box.type == "stsc") {
      ChunkTable* table = box.type == "stsc" ? &tables->runs : &tables->offsets;
      if (table->present) return damaged("a track has two of '" + box.type + "'");
      table->present = true;
      table->box = box;
      table->entry = box.type == "stco" ? 4 : box.type == "co64" ? 8 : 12;
      table->count = reader.u32();
      if (!reader.ok()) return damaged("'" + box.type + "' is too short");
      table->table = box.content + 8;
      if (table->count * static_cast<unsigned>(table->entry) > box.size() - 8)
        return damaged("'" + box.type + "' announces more entries than it has");
    }
    return ok();
  }

  Status check_fragment(uint64_t offset) {
    Box moof;
    if (box_at(source_, offset, source_.size(), true, &moof) != Next::box) return cut_off();
    const Result<std::vector<FragmentTrack>> tracks =
        read_fragment(source_, moof, layout_.defaults);
    if (!tracks) return tracks.error();
    uint64_t begin = UINT64_MAX, end = 0;
    for (const FragmentTrack& part : *tracks)
      for (const FragmentRun& run : part.runs) {
        begin = std::min(begin, run.offset);
        end = std::max(end, run.offset + run.length);
      }
    if (begin < end_of_runs_) layout_.fragments_ascending = false;
    end_of_runs_ = std::max(end_of_runs_, end);
    for (const FragmentTrack& part : *tracks)
      for (Track& track : file_.tracks)
        for (const FragmentRun& run : part.runs)
          if (track.id == part.id) track.samples += run.samples;
    return ok();
  }

  const Source& source_;
  IsoLayout layout_;
  IsoFile& file_ = layout_.file;
  int boxes_ = 0;
  uint64_t end_of_runs_ = 0;
};

}  // namespace

const Track* IsoFile::first(const char* handler) const {
  const Track* any = nullptr;
  for (const Track& track : tracks) {
    if (track.handler != handler || track.samples == 0) continue;
    if (track.enabled) return &track;
    if (!any) any = &track;
  }
  return any;
}

Result<IsoLayout> read_isobmff(const Source& source) { return Checker(source).run(); }

Result<IsoFile> check_isobmff(const Source& source) {
  Result<IsoLayout> layout = read_isobmff(source);
  if (!layout) return layout.error();
  return std::move(layout->file);
}

namespace {

/// Packets of 188 bytes, or of 192 with a time in front of each, or of 204 with a check sum behind.
bool is_transport_stream(const Source& source) {
  constexpr uint8_t sync = 0x47;
  for (const auto& [first, size] : {std::pair{0, 188}, {4, 192}, {0, 204}}) {
    uint8_t byte = 0;
    int found = 0;
    while (found < 3 && source.read(static_cast<uint64_t>(first + found * size), {&byte, 1}) == 1 &&
           byte == sync)
      ++found;
    if (found == 3) return true;
  }
  return false;
}

}  // namespace

Kind sniff(const Source& source) {
  uint8_t bytes[12] = {};
  const size_t have = source.read(0, bytes);
  ByteReader reader({bytes, have});
  if (reader.starts_with("\xff\xd8")) return Kind::jpeg;
  if (reader.starts_with("\x89PNG")) return Kind::png;
  if (reader.starts_with("\x1a\x45\xdf\xa3")) return Kind::matroska;
  if (reader.starts_with({"II*\0", 4}) || reader.starts_with({"MM\0*", 4})) return Kind::tiff;
  if (reader.starts_with("RIFF")) {
    reader.skip(4);
    if (reader.starts_with("AVI ")) return Kind::avi;
    return reader.starts_with("WEBP") ? Kind::webp : Kind::unknown;
  }
  if (have < 8) return Kind::unknown;
  reader.skip(4);
  // Old QuickTime files have no `ftyp`; HEIF pictures have one, but are not videos.
  for (const char* type : {"moov", "mdat", "free", "skip", "wide", "pnot"})
    if (reader.starts_with(type)) return Kind::isobmff;
  if (!reader.starts_with("ftyp"))
    return is_transport_stream(source) ? Kind::mpegts : Kind::unknown;
  for (const char* brand : {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "mif2", "msf1",
                            "miaf", "avif", "avis"})
    if (reader.starts_with(brand)) return Kind::heif;
  return Kind::isobmff;
}

}  // namespace sphere::media
