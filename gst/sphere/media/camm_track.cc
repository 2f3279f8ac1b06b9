// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/camm_track.h"

#include <algorithm>
#include <bit>
#include <string_view>

#include "gst/sphere/media/box_edits.h"

namespace sphere::media {

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint64_t timescale = 1000;
constexpr uint64_t ns_per_unit = 1'000'000'000 / timescale;

Bytes zeros(size_t count) { return Bytes(count); }
void append(Bytes* bytes, const Bytes& more) {
  bytes->insert(bytes->end(), more.begin(), more.end());
}
void append(Bytes* bytes, std::string_view text) {
  bytes->insert(bytes->end(), text.begin(), text.end());
}

void append_double_little(Bytes* bytes, double value) {
  auto bits = std::bit_cast<uint64_t>(value);
  for (int i = 0; i < 8; ++i, bits >>= 8) bytes->push_back(static_cast<uint8_t>(bits));
}

/// Type 5: a position without a time, speed or precision, because these would tell more. A height
/// that is not known is 0.
void append_record(Bytes* bytes, const Position& position) {
  append(bytes, Bytes{0, 0, 5, 0});
  append_double_little(bytes, position.latitude);
  append_double_little(bytes, position.longitude);
  append_double_little(bytes, position.altitude.value_or(0));
}

/// `tkhd` or `mdhd` of version 1, which begin in the same way.
Bytes header_begin(uint32_t flags) {
  Bytes bytes;
  append32(&bytes, 1u << 24 | flags);
  append(&bytes, zeros(16));  // the times of creation and modification
  return bytes;
}

Bytes track_header(uint32_t id, uint64_t duration) {
  Bytes bytes = header_begin(1);  // enabled
  append32(&bytes, id);
  append32(&bytes, 0);
  append64(&bytes, duration);
  append(&bytes, zeros(16));
  for (const uint32_t value : {0x10000u, 0u, 0u, 0u, 0x10000u, 0u, 0u, 0u, 0x40000000u})
    append32(&bytes, value);
  append(&bytes, zeros(8));  // it has no picture
  return make_box("tkhd", bytes);
}

Bytes media_header(uint64_t duration) {
  Bytes bytes = header_begin(0);
  append32(&bytes, timescale);
  append64(&bytes, duration);
  append32(&bytes, 0x55c40000);  // the language "und"
  return make_box("mdhd", bytes);
}

Bytes handler() {
  Bytes bytes = zeros(8);
  append(&bytes, "camm");
  append(&bytes, zeros(13));
  return make_box("hdlr", bytes);
}

Bytes data_information() {
  Bytes here;
  append32(&here, 1);  // in this file
  Bytes list;
  append32(&list, 0);
  append32(&list, 1);
  append(&list, make_box("url ", here));
  return make_box("dinf", make_box("dref", list));
}

Bytes description() {
  Bytes entry = zeros(6);
  append(&entry, Bytes{0, 1});  // the first data reference
  Bytes list;
  append32(&list, 0);
  append32(&list, 1);
  append(&list, make_box("camm", entry));
  return make_box("stsd", list);
}

/// The durations of the samples, in runs of equal ones.
Bytes times(const std::vector<uint64_t>& begins, uint64_t end) {
  std::vector<std::pair<uint32_t, uint64_t>> runs;
  for (size_t i = 0; i < begins.size(); ++i) {
    const uint64_t length = (i + 1 < begins.size() ? begins[i + 1] : end) - begins[i];
    if (!runs.empty() && runs.back().second == length)
      ++runs.back().first;
    else
      runs.emplace_back(1, length);
  }
  Bytes bytes;
  append32(&bytes, 0);
  append32(&bytes, runs.size());
  for (const auto& [count, length] : runs) {
    append32(&bytes, count);
    append32(&bytes, length);
  }
  return make_box("stts", bytes);
}

Bytes sample_table(const std::vector<uint64_t>& begins, const std::vector<uint32_t>& sizes,
                   uint64_t end) {
  Bytes chunks, list, offset;
  for (const uint32_t value : {0u, 1u, 1u, static_cast<uint32_t>(sizes.size()), 1u})
    append32(&chunks, value);
  append32(&list, 0);
  append32(&list, 0);  // each has its own size
  append32(&list, sizes.size());
  for (const uint32_t size : sizes) append32(&list, size);
  append32(&offset, 0);
  append32(&offset, 1);
  append64(&offset, 0);
  Bytes bytes = description();
  append(&bytes, times(begins, end));
  append(&bytes, make_box("stsc", chunks));
  append(&bytes, make_box("stsz", list));
  append(&bytes, make_box("co64", offset));
  return make_box("stbl", bytes);
}

}  // namespace

void CammTrack::set_offset(uint64_t offset) {
  Bytes bytes;
  append64(&bytes, offset);
  std::ranges::copy(bytes, trak.end() - 8);
}

std::optional<CammTrack> make_camm_track(std::span<const TimedPosition> positions, uint32_t id,
                                         const IsoFile::Length& movie) {
  if (movie.timescale == 0) return std::nullopt;
  const auto end = static_cast<uint64_t>(static_cast<double>(movie.value) / movie.timescale *
                                         static_cast<double>(timescale));
  CammTrack track;
  std::vector<uint64_t> begins;
  std::vector<uint32_t> sizes;
  for (const TimedPosition& each : positions) {
    const uint64_t begin = (each.time_ns + ns_per_unit / 2) / ns_per_unit;
    if (begin >= end) break;
    // A track begins with the movie: until its first position it has an empty sample.
    if (begins.empty() && begin > 0) {
      begins.push_back(0);
      sizes.push_back(0);
    }
    if (!begins.empty() && begin <= begins.back() && !track.samples.empty()) continue;
    const size_t before = track.samples.size();
    append_record(&track.samples, each.position);
    begins.push_back(begin);
    sizes.push_back(static_cast<uint32_t>(track.samples.size() - before));
  }
  if (track.samples.empty()) return std::nullopt;
  Bytes information = make_box("nmhd", zeros(4));
  append(&information, data_information());
  append(&information, sample_table(begins, sizes, end));
  Bytes media = media_header(end);
  append(&media, handler());
  append(&media, make_box("minf", information));
  Bytes content = track_header(id, movie.value);
  append(&content, make_box("mdia", media));
  track.trak = make_box("trak", content);
  return track;
}

}  // namespace sphere::media
