// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/track_samples.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "gst/sphere/media/box_edits.h"

namespace sphere::media {

namespace {

constexpr uint64_t most_edits = 64;
constexpr uint64_t usual_rate = 0x00010000;  // of an edit: 1.0

int64_t as_signed(uint64_t value, int bytes) {
  return bytes == 4 ? static_cast<int32_t>(static_cast<uint32_t>(value))
                    : static_cast<int64_t>(value);
}

/// Begins to read a table behind its version and flags: the number of entries, which fits into the
/// box.
Result<uint64_t> entries_of(const Box& box, unsigned entry, Window* window) {
  uint64_t flags = 0, count = 0;
  if (!window->number(4, &flags) || !window->number(4, &count)) return cut_off();
  if (box.size() < 8 || count > (box.size() - 8) / entry)
    return damaged("'" + box.type + "' announces more entries than it has");
  return count;
}

Status read_times(const Source& source, const Box& stbl, TimedTrack* track) {
  const std::optional<Box> stts = find_path(source, stbl, {"stts"});
  if (!stts) return damaged("a track has no times (stts)");
  Window window(source, stts->content);
  const Result<uint64_t> count = entries_of(*stts, 8, &window);
  if (!count) return count.error();
  size_t next = 0;
  int64_t time = 0;
  for (uint64_t i = 0; i < *count; ++i) {
    uint64_t samples = 0, duration = 0;
    if (!window.number(4, &samples) || !window.number(4, &duration)) return cut_off();
    for (; samples > 0 && next < track->samples.size(); --samples, ++next) {
      TimedSample& sample = track->samples[next];
      sample.decoded = sample.shown = time;
      sample.duration = static_cast<uint32_t>(duration);
      time += static_cast<int64_t>(duration);
    }
  }
  return next == track->samples.size() ? ok() : damaged("'stts' has fewer samples than the track");
}

Status read_offsets(const Source& source, const Box& stbl, TimedTrack* track) {
  const std::optional<Box> ctts = find_path(source, stbl, {"ctts"});
  if (!ctts) return ok();
  Window window(source, ctts->content);
  const Result<uint64_t> count = entries_of(*ctts, 8, &window);
  if (!count) return count.error();
  size_t next = 0;
  for (uint64_t i = 0; i < *count; ++i) {
    uint64_t samples = 0, offset = 0;
    if (!window.number(4, &samples) || !window.number(4, &offset)) return cut_off();
    // Many writers use negative ones in version 0, too.
    for (; samples > 0 && next < track->samples.size(); --samples, ++next)
      track->samples[next].shown += as_signed(offset, 4);
  }
  return ok();
}

Status read_keys(const Source& source, const Box& stbl, TimedTrack* track) {
  const std::optional<Box> stss = find_path(source, stbl, {"stss"});
  if (!stss) {
    for (TimedSample& sample : track->samples) sample.key = true;
    return ok();
  }
  Window window(source, stss->content);
  const Result<uint64_t> count = entries_of(*stss, 4, &window);
  if (!count) return count.error();
  for (uint64_t i = 0; i < *count; ++i) {
    uint64_t number = 0;
    if (!window.number(4, &number)) return cut_off();
    if (number == 0 || number > track->samples.size())
      return damaged("'stss' names a sample that does not exist");
    track->samples[static_cast<size_t>(number - 1)].key = true;
  }
  return ok();
}

/// All samples have the same description: the part has one.
Status check_descriptions(const Source& source, const SampleTables& tables) {
  Window window(source, tables.runs.table);
  for (uint64_t i = 0; i < tables.runs.count; ++i) {
    uint64_t ignored = 0, description = 0;
    if (!window.number(8, &ignored) || !window.number(4, &description)) return cut_off();
    if (description != 1)
      return unsupported("a track changes its format on the way, and can't be cut");
  }
  return ok();
}

Result<TrackEdit> read_edit(const Source& source, const Box& trak, uint32_t movie_timescale) {
  TrackEdit edit;
  const std::optional<Box> elst = find_path(source, trak, {"edts", "elst"});
  if (!elst) return edit;
  Window window(source, elst->content);
  uint64_t flags = 0, count = 0;
  if (!window.number(4, &flags) || !window.number(4, &count)) return cut_off();
  const bool wide = flags >> 24 == 1;
  if (elst->size() < 8 || count > most_edits || count > (elst->size() - 8) / (wide ? 20 : 12))
    return damaged("'elst' has more entries than it can have");
  bool begun = false;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t length = 0, start = 0, rate = 0;
    const int bytes = wide ? 8 : 4;
    if (!window.number(bytes, &length) || !window.number(bytes, &start) || !window.number(4, &rate))
      return cut_off();
    const int64_t at = as_signed(start, bytes);
    const double seconds = static_cast<double>(length) / movie_timescale;
    if (at == -1 && !begun) {
      edit.delay += seconds;
      continue;
    }
    if (begun || at < 0 || rate != usual_rate)
      return unsupported("a track is put together of several parts (elst), and can't be cut");
    begun = true;
    edit.start = at;
    if (length > 0) edit.length = seconds;
  }
  return edit;
}

void append_head(std::vector<uint8_t>* bytes, uint32_t flags, uint64_t count) {
  append32(bytes, flags);
  append32(bytes, count);
}

/// A table of runs of equal values: `value` of each sample, by its number.
template <typename Value>
std::vector<uint8_t> make_runs(const char* type, uint32_t flags, size_t count, const Value& value) {
  std::vector<uint8_t> entries;
  uint64_t runs = 0;
  for (size_t i = 0; i < count; ++runs) {
    size_t end = i + 1;
    while (end < count && value(end) == value(i)) ++end;
    append32(&entries, end - i);
    append32(&entries, static_cast<uint32_t>(value(i)));
    i = end;
  }
  std::vector<uint8_t> content;
  append_head(&content, flags, runs);
  content.insert(content.end(), entries.begin(), entries.end());
  return make_box(type, content);
}

void append_box(std::vector<uint8_t>* bytes, const std::vector<uint8_t>& box) {
  bytes->insert(bytes->end(), box.begin(), box.end());
}

/// How far the first sample that is shown lies before its own decoding, if it does.
int64_t composition_shift(const TrackPart& part) {
  return std::max<int64_t>(0, part.samples.front().decoded - part.start);
}

}  // namespace

int64_t TimedTrack::tick_of(double time) const {
  return edit.start + std::llround((time - edit.delay) * timescale);
}

Result<TimedTrack> read_timed_track(const Source& source, const IsoLayout& layout, size_t index) {
  const SampleTables& tables = layout.tables[index];
  const Track& header = layout.file.tracks[index];
  TimedTrack track;
  track.timescale = header.timescale;
  if (!track.timescale || !layout.file.length.timescale)
    return damaged("a track has no time scale");
  if (tables.sizes.count > most_timed_samples)
    return unsupported("a track has more samples than can be cut");
  track.samples.resize(static_cast<size_t>(tables.sizes.count));
  const std::optional<Box> stbl = find_path(source, tables.trak, {"mdia", "minf", "stbl"});
  if (!stbl) return damaged("a track has no tables (stbl)");
  ChunkReader chunks(source, tables, 1 << 16);
  SizeReader sizes(source, tables.sizes, 1 << 16);
  Chunk chunk;
  for (uint32_t number = 0;; ++number) {
    const Result<bool> more = chunks.next(&chunk);
    if (!more) return more.error();
    if (!*more) break;
    uint64_t offset = chunk.offset;
    for (uint64_t i = 0; i < chunk.samples; ++i) {
      uint64_t size = 0;
      if (!sizes.next(&size)) return cut_off();
      TimedSample& sample = track.samples[static_cast<size_t>(chunk.first_sample + i)];
      sample.offset = offset;
      sample.size = static_cast<uint32_t>(size);
      sample.chunk = number;
      offset += size;
    }
  }
  if (const Status read = check_descriptions(source, tables); !read) return read.error();
  for (const auto read : {read_times, read_offsets, read_keys})
    if (const Status done = read(source, *stbl, &track); !done) return done.error();
  Result<TrackEdit> edit = read_edit(source, tables.trak, layout.file.length.timescale);
  if (!edit) return edit.error();
  track.edit = *edit;
  return track;
}

std::vector<SampleRun> runs_of(const std::vector<TimedSample>& samples) {
  std::vector<SampleRun> runs;
  uint32_t chunk = 0;
  for (const TimedSample& sample : samples) {
    const bool follows = !runs.empty() && sample.chunk == chunk &&
                         sample.offset == runs.back().offset + runs.back().length;
    if (!follows) runs.push_back({sample.offset, 0, 0});
    runs.back().length += sample.size;
    ++runs.back().samples;
    chunk = sample.chunk;
  }
  return runs;
}

uint64_t decoded_length(const TrackPart& part) {
  const TimedSample& last = part.samples.back();
  return static_cast<uint64_t>(last.decoded - part.samples.front().decoded) + last.duration;
}

std::vector<uint8_t> make_tables(const TrackPart& part, const std::vector<SampleRun>& runs,
                                 const std::vector<uint64_t>& offsets, bool wide) {
  const std::vector<TimedSample>& samples = part.samples;
  std::vector<uint8_t> tables;
  append_box(&tables, make_runs("stts", 0, samples.size(), [&](size_t i) {
    return i + 1 < samples.size()
               ? static_cast<uint64_t>(samples[i + 1].decoded - samples[i].decoded)
               : uint64_t{samples[i].duration};
  }));
  const int64_t shift = composition_shift(part);
  const auto delay = [&](size_t i) { return samples[i].shown - samples[i].decoded + shift; };
  bool delayed = false, negative = false, all_keys = true;
  for (size_t i = 0; i < samples.size(); ++i) {
    delayed = delayed || delay(i) != 0;
    negative = negative || delay(i) < 0;
    all_keys = all_keys && samples[i].key;
  }
  if (delayed)
    append_box(&tables, make_runs("ctts", negative ? 0x01000000 : 0, samples.size(), delay));
  if (!all_keys) {
    std::vector<uint8_t> content;
    append_head(&content, 0,
                static_cast<uint64_t>(std::ranges::count_if(samples, &TimedSample::key)));
    for (size_t i = 0; i < samples.size(); ++i)
      if (samples[i].key) append32(&content, i + 1);
    append_box(&tables, make_box("stss", content));
  }
  std::vector<uint8_t> sizes;
  const bool same = std::ranges::all_of(
      samples, [&](const TimedSample& sample) { return sample.size == samples.front().size; });
  append32(&sizes, 0);
  append32(&sizes, same ? samples.front().size : 0);
  append32(&sizes, samples.size());
  if (!same || samples.front().size == 0) {
    for (const TimedSample& sample : samples) append32(&sizes, sample.size);
  }
  append_box(&tables, make_box("stsz", sizes));
  std::vector<uint8_t> entries;
  uint64_t count = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (i > 0 && runs[i].samples == runs[i - 1].samples) continue;
    append32(&entries, i + 1);
    append32(&entries, runs[i].samples);
    append32(&entries, 1);
    ++count;
  }
  std::vector<uint8_t> chunks;
  append_head(&chunks, 0, count);
  chunks.insert(chunks.end(), entries.begin(), entries.end());
  append_box(&tables, make_box("stsc", chunks));
  std::vector<uint8_t> places;
  append_head(&places, 0, offsets.size());
  for (const uint64_t offset : offsets)
    wide ? append64(&places, offset) : append32(&places, offset);
  append_box(&tables, make_box(wide ? "co64" : "stco", places));
  return tables;
}

std::vector<uint8_t> make_edits(const TrackPart& part, uint32_t movie_timescale,
                                uint32_t track_timescale) {
  const auto in_movie = [&](double seconds) {
    return static_cast<uint64_t>(std::llround(seconds * movie_timescale));
  };
  const int64_t start = part.start - part.samples.front().decoded + composition_shift(part);
  const uint64_t delay = in_movie(part.delay), length = in_movie(part.length);
  const double all =
      static_cast<double>(decoded_length(part)) / static_cast<double>(track_timescale);
  const bool whole = std::abs(all - part.length) * movie_timescale < 1;
  if (delay == 0 && start == 0 && whole) return {};
  const bool wide =
      delay > UINT32_MAX || length > UINT32_MAX || start > std::numeric_limits<int32_t>::max();
  std::vector<uint8_t> content;
  append_head(&content, wide ? 0x01000000 : 0, delay > 0 ? 2 : 1);
  const auto put = [&](uint64_t seconds, int64_t from) {
    if (wide) {
      append64(&content, seconds);
      append64(&content, static_cast<uint64_t>(from));
    } else {
      append32(&content, seconds);
      append32(&content, static_cast<uint32_t>(static_cast<int32_t>(from)));
    }
    append32(&content, usual_rate);
  };
  if (delay > 0) put(delay, -1);
  put(length, start);
  return make_box("edts", make_box("elst", content));
}

}  // namespace sphere::media
