// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/isobmff.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/box.h"
#include "gst/sphere/media/spherical.h"

namespace sphere::media {

namespace {

// The largest number of boxes. Real files have some tens, fragmented ones thousands.
constexpr int max_boxes = 1 << 20;
constexpr int max_tracks = 256;
// 2^31 samples are more than a year of pictures; a table with more is an error.
constexpr uint64_t max_samples = uint64_t{1} << 31;
// The first bytes of a box are enough, except for the tables, which are read in pieces.
constexpr size_t head_size = 128;

Error cut_off() { return invalid("the file ends too early; it was cut off"); }
Error damaged(const std::string& what) { return invalid("the file is damaged: " + what); }

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
  if (size == 1) {
    size = reader.u64();
    header = 16;
    if (!reader.ok()) return Next::past_end;
  } else if (size == 0) {
    // The size 0 means up to the end of the file. Only the last box of the file may have it.
    if (!top) return Next::junk;
    size = end - position;
  }
  if (size < header) return Next::junk;
  if (size > end - position) return Next::past_end;
  box->type.assign(type.begin(), type.end());
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

namespace {

/// Sizes of a track's samples, from stsz or stz2.
struct SampleSizes {
  uint64_t table = 0;  ///< offset of the list, if sizes differ
  uint32_t same = 0;
  int bits = 32;
  uint64_t count = 0;
  bool present = false;
};

struct ChunkTable {
  uint64_t table = 0;
  uint64_t count = 0;
  int entry = 4;  ///< bytes
  bool present = false;
};

class Checker {
 public:
  explicit Checker(const Source& source) : source_(source) {}

  Result<IsoFile> run() {
    bool have_moov = false, have_media = false;
    uint64_t position = 0;
    std::vector<Box> fragments;
    for (;;) {
      Box box;
      const Next next = box_at(source_, position, source_.size(), true, &box);
      if (next == Next::end) break;
      if (next == Next::junk) {
        if (position == 0) return invalid("not an MP4 or MOV file");
        file_.trailing = source_.size() - position;
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
        if (const Status read = read_movie(box); !read) return read.error();
      } else if (box.type == "moof") {
        fragments.push_back(box);
        moofs_.push_back(position);
      } else if (box.type == "mdat") {
        have_media = true;
      }
      position = box.end;
    }
    // A camera that was switched off during a recording leaves a file without an index.
    if (!have_moov)
      return have_media ? invalid("the file has no index (moov); the recording was cut off")
                        : cut_off();
    for (size_t i = 0; i < fragments.size(); ++i) {
      file_.fragmented = true;
      if (const Status read = read_fragment(fragments[i], moofs_[i]); !read) return read.error();
    }
    return std::move(file_);
  }

 private:
  using Visit = std::function<Status(const Box&)>;

  /// Calls a function for each child. A child that ends after its parent is an error.
  Status children(const Box& parent, uint64_t skip, const Visit& visit) {
    if (skip > parent.size()) return damaged("'" + parent.type + "' is too short");
    uint64_t position = parent.content + skip;
    for (;;) {
      Box box;
      const Next next = box_at(source_, position, parent.end, false, &box);
      if (next == Next::end) return ok();
      // QuickTime ends some lists with four zero bytes. They are too short for a box.
      if (next == Next::junk && parent.end - position < 8) return ok();
      if (next == Next::junk && parent.type == "udta") return ok();
      if (next != Next::box) return damaged("a box inside '" + parent.type + "' is damaged");
      if (++boxes_ > max_boxes) return damaged("it has too many boxes");
      if (const Status visited = visit(box); !visited) return visited;
      position = box.end;
    }
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
          if (defaults_.size() < max_tracks) defaults_.push_back({id, size});
          return ok();
        });
      }
      return ok();
    });
  }

  Status read_track(const Box& trak) {
    if (file_.tracks.size() >= max_tracks) return damaged("it has too many tracks");
    Track track;
    SampleSizes sizes;
    ChunkTable offsets, runs;
    const Status read = children(trak, 0, [&](const Box& box) -> Status {
      if (box.type == "tkhd") return read_track_header(box, &track);
      if (box.type == "uuid") track.spherical |= uuid_box_is_spherical(source_, box);
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
            return read_table(entry, &track, &sizes, &offsets, &runs);
          });
        });
      });
    });
    if (!read) return read;
    if (const Status lie = check_samples(track, sizes, offsets, runs); !lie) return lie;
    track.samples = sizes.count;
    file_.tracks.push_back(std::move(track));
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

  Status read_table(const Box& box, Track* track, SampleSizes* sizes, ChunkTable* offsets,
                    ChunkTable* runs) {
    const std::vector<uint8_t> bytes = head(box);
    ByteReader reader(bytes);
    reader.skip(4);
    if (box.type == "stsd") {
      const uint32_t count = reader.u32();
      if (!reader.ok()) return damaged("'stsd' is too short");
      if (count == 0) return ok();
      reader.skip(4);
      const std::span<const uint8_t> codec = reader.take(4);
      if (!reader.ok()) return damaged("'stsd' is too short");
      track->codec.assign(codec.begin(), codec.end());
      track->spherical |= sample_entry_is_spherical(source_, box);
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
      ChunkTable* table = box.type == "stsc" ? runs : offsets;
      if (table->present) return damaged("a track has two of '" + box.type + "'");
      table->present = true;
      table->entry = box.type == "stco" ? 4 : box.type == "co64" ? 8 : 12;
      table->count = reader.u32();
      if (!reader.ok()) return damaged("'" + box.type + "' is too short");
      table->table = box.content + 8;
      if (table->count * static_cast<unsigned>(table->entry) > box.size() - 8)
        return damaged("'" + box.type + "' announces more entries than it has");
    }
    return ok();
  }

  /// Checks that every sample of every chunk is within the file.
  Status check_samples(const Track& track, const SampleSizes& sizes, const ChunkTable& offsets,
                       const ChunkTable& runs) {
    if (sizes.count == 0) return ok();
    if (!offsets.present || !runs.present || runs.count == 0)
      return damaged("the tables of a track do not tell where its samples are");

    Window size_list(source_, sizes.table), offset_list(source_, offsets.table),
        run_list(source_, runs.table);
    uint64_t first = 0, per_chunk = 0, next_first = 0, ignored = 0;
    uint64_t runs_left = runs.count;
    if (!run_list.number(4, &next_first)) return cut_off();
    if (next_first != 1) return damaged("'stsc' does not begin with the first chunk");
    uint64_t seen = 0;
    int nibbles = 0;
    uint64_t nibble_pair = 0;
    for (uint64_t chunk = 1; chunk <= offsets.count && seen < sizes.count; ++chunk) {
      if (runs_left > 0 && chunk == next_first) {
        first = next_first;
        if (!run_list.number(4, &per_chunk) || !run_list.number(4, &ignored)) return cut_off();
        --runs_left;
        if (runs_left > 0) {
          if (!run_list.number(4, &next_first)) return cut_off();
          if (next_first <= first) return damaged("the chunks in 'stsc' are not in order");
        }
        if (per_chunk == 0) return damaged("'stsc' has a chunk without samples");
      }
      uint64_t offset = 0;
      if (!offset_list.number(offsets.entry, &offset)) return cut_off();
      uint64_t length = 0;
      const uint64_t here = std::min(per_chunk, sizes.count - seen);
      if (sizes.same) {
        length = here * sizes.same;
      } else {
        for (uint64_t i = 0; i < here; ++i) {
          uint64_t size = 0;
          if (sizes.bits == 4) {
            if (nibbles == 0 && !size_list.number(1, &nibble_pair)) return cut_off();
            size = nibbles == 0 ? nibble_pair >> 4 : nibble_pair & 15;
            nibbles ^= 1;
          } else if (!size_list.number(sizes.bits / 8, &size)) {
            return cut_off();
          }
          length += size;
        }
      }
      if (offset > source_.size() || length > source_.size() - offset) return cut_off();
      seen += here;
    }
    if (seen < sizes.count)
      return damaged("track " + std::to_string(track.id) + " has samples that are not in a chunk");
    return ok();
  }

  struct Default {
    uint32_t id, size;
  };
  struct Run {
    uint32_t id = 0;
    uint32_t default_size = 0;
    uint64_t base = 0;  ///< the base of offsets
    uint64_t next = 0;  ///< end of the run before
  };

  Status read_fragment(const Box& moof, uint64_t position) {
    uint64_t end_of_last = position;
    bool first_of_fragment = true;
    return children(moof, 0, [&](const Box& box) -> Status {
      if (box.type != "traf") return ok();
      Run run;
      run.base = first_of_fragment ? position : end_of_last;
      const Status read = children(box, 0, [&](const Box& child) -> Status {
        if (child.type == "tfhd") return read_run_defaults(child, position, &run);
        if (child.type == "trun") return read_run(child, &run);
        return ok();
      });
      first_of_fragment = false;
      end_of_last = run.next;
      return read;
    });
  }

  Status read_run_defaults(const Box& box, uint64_t position, Run* run) {
    const std::vector<uint8_t> bytes = head(box);
    ByteReader reader(bytes);
    reader.skip(1);
    const uint32_t flags = reader.u24();
    run->id = reader.u32();
    for (const Default& d : defaults_)
      if (d.id == run->id) run->default_size = d.size;
    if (flags & 0x000001) run->base = reader.u64();
    if (flags & 0x020000) run->base = position;
    if (flags & 0x000002) reader.skip(4);
    if (flags & 0x000008) reader.skip(4);
    if (flags & 0x000010) run->default_size = reader.u32();
    if (!reader.ok()) return damaged("'tfhd' is too short");
    run->next = run->base;
    return ok();
  }

  Status read_run(const Box& box, Run* run) {
    Window window(source_, box.content, 1 << 12);
    uint64_t flags = 0, count = 0, value = 0;
    if (!window.number(4, &flags) || !window.number(4, &count)) return cut_off();
    uint64_t offset = run->next;
    if (flags & 0x000001) {
      if (!window.number(4, &value)) return cut_off();
      offset = run->base + static_cast<uint64_t>(static_cast<int64_t>(
                               static_cast<int32_t>(static_cast<uint32_t>(value))));
    }
    if (flags & 0x000004 && !window.number(4, &value)) return cut_off();
    const int before = flags & 0x000100 ? 4 : 0;
    const int after = (flags & 0x000400 ? 4 : 0) + (flags & 0x000800 ? 4 : 0);
    const bool own_size = flags & 0x000200;
    const uint64_t entry = static_cast<uint64_t>(before + after + (own_size ? 4 : 0));
    if (window.position() > box.end || count * entry > box.end - window.position())
      return damaged("'trun' announces more samples than it has");
    uint64_t length = 0;
    if (own_size) {
      for (uint64_t i = 0; i < count; ++i) {
        if (before && !window.number(before, &value)) return cut_off();
        if (!window.number(4, &value)) return cut_off();
        length += value;
        if (after && !window.number(after, &value)) return cut_off();
      }
    } else {
      length = count * run->default_size;
    }
    if (offset > source_.size() || length > source_.size() - offset) return cut_off();
    run->next = offset + length;
    for (Track& track : file_.tracks)
      if (track.id == run->id) track.samples += count;
    return ok();
  }

  const Source& source_;
  IsoFile file_;
  int boxes_ = 0;
  std::vector<Default> defaults_;
  std::vector<uint64_t> moofs_;
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

Result<IsoFile> check_isobmff(const Source& source) { return Checker(source).run(); }

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
  for (const char* brand : {"heic", "heix", "mif1", "msf1", "avif", "avis"})
    if (reader.starts_with(brand)) return Kind::unknown;
  return Kind::isobmff;
}

}  // namespace sphere::media
