// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/sample_tables.h"

#include <algorithm>

#include "gst/sphere/base/bytes.h"

namespace sphere::media {

Error cut_off() { return invalid("the file ends too early; it was cut off"); }
Error damaged(const std::string& what) { return invalid("the file is damaged: " + what); }

SizeReader::SizeReader(const Source& source, const SampleSizes& sizes, size_t window)
    : sizes_(sizes), window_(source, sizes.table, window) {}

void SizeReader::seek(uint64_t sample) {
  if (sizes_.same) return;
  window_.seek(sizes_.table + sample * static_cast<unsigned>(sizes_.bits) / 8);
  low_half_ = false;
  if (sizes_.bits == 4 && sample % 2) {
    window_.number(1, &pair_);
    low_half_ = true;
  }
}

bool SizeReader::next(uint64_t* size) {
  if (sizes_.same) {
    *size = sizes_.same;
    return true;
  }
  if (sizes_.bits != 4) return window_.number(sizes_.bits / 8, size);
  if (!low_half_ && !window_.number(1, &pair_)) return false;
  *size = low_half_ ? pair_ & 15 : pair_ >> 4;
  low_half_ = !low_half_;
  return true;
}

ChunkReader::ChunkReader(const Source& source, const SampleTables& tables, size_t window)
    : source_size_(source.size()),
      tables_(tables),
      offsets_(source, tables.offsets.table, window),
      runs_(source, tables.runs.table, window),
      sizes_(source, tables.sizes, window),
      runs_left_(tables.runs.count) {}

Result<bool> ChunkReader::next(Chunk* chunk) {
  if (seen_ == tables_.sizes.count) return false;
  if (number_ == 0) {
    if (!tables_.offsets.present || !tables_.runs.present || runs_left_ == 0)
      return damaged("the tables of a track do not tell where its samples are");
    if (!runs_.number(4, &next_first_)) return cut_off();
    if (next_first_ != 1) return damaged("'stsc' does not begin with the first chunk");
  }
  if (number_ == tables_.offsets.count)
    return damaged("a track has samples that are not in a chunk");
  ++number_;
  if (runs_left_ > 0 && number_ == next_first_) {
    first_ = next_first_;
    uint64_t description = 0;
    if (!runs_.number(4, &per_chunk_) || !runs_.number(4, &description)) return cut_off();
    --runs_left_;
    if (runs_left_ > 0) {
      if (!runs_.number(4, &next_first_)) return cut_off();
      if (next_first_ <= first_) return damaged("the chunks in 'stsc' are not in order");
    }
    if (per_chunk_ == 0) return damaged("'stsc' has a chunk without samples");
  }
  if (!offsets_.number(tables_.offsets.entry, &chunk->offset)) return cut_off();
  chunk->first_sample = seen_;
  chunk->samples = std::min(per_chunk_, tables_.sizes.count - seen_);
  chunk->length = 0;
  if (tables_.sizes.same) {
    chunk->length = chunk->samples * tables_.sizes.same;
  } else {
    for (uint64_t i = 0; i < chunk->samples; ++i) {
      uint64_t size = 0;
      if (!sizes_.next(&size)) return cut_off();
      chunk->length += size;
    }
  }
  if (chunk->offset > source_size_ || chunk->length > source_size_ - chunk->offset)
    return cut_off();
  seen_ += chunk->samples;
  return true;
}

RunSizeReader::RunSizeReader(const Source& source, const FragmentRun& run)
    : run_(run), window_(source, run.entries, 1 << 12) {}

bool RunSizeReader::next(uint64_t* size) {
  *size = run_.same;
  if (run_.size_at < 0) return true;
  uint64_t ignored = 0;
  const int after = static_cast<int>(run_.entry) - run_.size_at - 4;
  return window_.number(run_.size_at, &ignored) && window_.number(4, size) &&
         window_.number(after, &ignored);
}

bool is_terminator(const Source& source, uint64_t position, const Box& parent) {
  static constexpr uint8_t terminator[] = {0, 0, 0, 8, 0, 0, 0, 0};
  uint8_t bytes[sizeof terminator];
  return parent.end - position == sizeof bytes && source.read_all(position, bytes) &&
         std::ranges::equal(bytes, terminator);
}

Status for_each_child(const Source& source, const Box& parent, uint64_t skip, int* count,
                      const std::function<Status(const Box&)>& visit) {
  if (skip > parent.size()) return damaged("'" + parent.type + "' is too short");
  uint64_t position = parent.content + skip;
  for (;;) {
    Box box;
    const Next next = box_at(source, position, parent.end, false, &box);
    if (next == Next::end) return ok();
    // QuickTime ends some lists with four zero bytes. They are too short for a box.
    if (next == Next::junk &&
        (parent.end - position < 8 || is_terminator(source, position, parent)))
      return ok();
    if (next == Next::junk && parent.type == "udta") return ok();
    if (next != Next::box) return damaged("a box inside '" + parent.type + "' is damaged");
    if (++*count > max_boxes) return damaged("it has too many boxes");
    if (const Status visited = visit(box); !visited) return visited;
    position = box.end;
  }
}

namespace {

constexpr size_t head_size = 64;

Status read_track_defaults(const Source& source, const Box& tfhd, const Box& moof,
                           const std::vector<FragmentDefault>& defaults, FragmentTrack* track,
                           uint32_t* size) {
  uint8_t bytes[head_size];
  ByteReader reader(
      {bytes, source.read(tfhd.content, std::span(bytes).first(static_cast<size_t>(
                                            std::min<uint64_t>(head_size, tfhd.size()))))});
  reader.skip(1);
  const uint32_t flags = reader.u24();
  track->id = reader.u32();
  for (const FragmentDefault& d : defaults)
    if (d.id == track->id) *size = d.size;
  if (flags & 0x000001) {
    track->base_field = tfhd.content + reader.position();
    track->base = reader.u64();
    track->kind = FragmentTrack::Base::own;
  }
  if (flags & 0x020000) {
    track->base = moof.begin;
    track->kind = FragmentTrack::Base::fragment;
  }
  if (flags & 0x000002) reader.skip(4);
  if (flags & 0x000008) reader.skip(4);
  if (flags & 0x000010) *size = reader.u32();
  if (!reader.ok()) return damaged("'tfhd' is too short");
  return ok();
}

Status read_run(const Source& source, const Box& box, uint64_t next, uint32_t same,
                FragmentTrack* track) {
  FragmentRun run;
  run.box = box;
  run.same = same;
  Window window(source, box.content, 1 << 12);
  uint64_t flags = 0, value = 0;
  if (!window.number(4, &flags) || !window.number(4, &run.samples)) return cut_off();
  run.offset = next;
  if (flags & 0x000001) {
    run.offset_field = window.position();
    if (!window.number(4, &value)) return cut_off();
    run.offset = track->base + static_cast<uint64_t>(static_cast<int64_t>(
                                   static_cast<int32_t>(static_cast<uint32_t>(value))));
  }
  if (flags & 0x000004 && !window.number(4, &value)) return cut_off();
  run.entries = window.position();
  const int before = flags & 0x000100 ? 4 : 0;
  const int after = (flags & 0x000400 ? 4 : 0) + (flags & 0x000800 ? 4 : 0);
  if (flags & 0x000200) run.size_at = before;
  run.entry = static_cast<uint32_t>(before + after + (run.size_at >= 0 ? 4 : 0));
  if (run.entries > box.end || run.samples * run.entry > box.end - run.entries)
    return damaged("'trun' announces more samples than it has");
  if (run.size_at >= 0) {
    RunSizeReader sizes(source, run);
    for (uint64_t i = 0; i < run.samples; ++i) {
      if (!sizes.next(&value)) return cut_off();
      run.length += value;
    }
  } else {
    run.length = run.samples * run.same;
  }
  if (run.offset > source.size() || run.length > source.size() - run.offset) return cut_off();
  track->runs.push_back(run);
  return ok();
}

}  // namespace

Result<std::vector<FragmentTrack>> read_fragment(const Source& source, const Box& moof,
                                                 const std::vector<FragmentDefault>& defaults) {
  std::vector<FragmentTrack> tracks;
  uint64_t end_of_last = moof.begin;
  int count = 0;
  const Status read = for_each_child(source, moof, 0, &count, [&](const Box& box) -> Status {
    if (box.type != "traf") return ok();
    FragmentTrack track;
    track.box = box;
    track.kind = tracks.empty() ? FragmentTrack::Base::fragment : FragmentTrack::Base::track_before;
    track.base = end_of_last;
    uint32_t size = 0;
    const Status inside = for_each_child(source, box, 0, &count, [&](const Box& child) -> Status {
      if (child.type == "tfhd")
        return read_track_defaults(source, child, moof, defaults, &track, &size);
      if (child.type != "trun") return ok();
      const uint64_t next =
          track.runs.empty() ? track.base : track.runs.back().offset + track.runs.back().length;
      return read_run(source, child, next, size, &track);
    });
    if (!inside) return inside;
    end_of_last =
        track.runs.empty() ? track.base : track.runs.back().offset + track.runs.back().length;
    tracks.push_back(std::move(track));
    return ok();
  });
  if (!read) return read.error();
  return tracks;
}

}  // namespace sphere::media
