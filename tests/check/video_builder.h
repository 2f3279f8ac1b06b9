// SPDX-License-Identifier: LGPL-2.1-or-later
// Builds small MP4 and MOV files in memory, with tracks that tell what they should not.

#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sphere::test {

using Bytes = std::vector<uint8_t>;

inline Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }
inline Bytes big(uint64_t value, int size = 4) {
  Bytes bytes;
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
    bytes.push_back(static_cast<uint8_t>(value >> shift));
  return bytes;
}
template <typename T>
Bytes little(T value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}
template <typename... Parts>
Bytes join(const Parts&... parts) {
  Bytes all;
  (all.insert(all.end(), parts.begin(), parts.end()), ...);
  return all;
}
template <typename... Parts>
Bytes box(std::string_view type, const Parts&... parts) {
  const Bytes content = join(parts...);
  return join(big(content.size() + 8), bytes_of(type), content);
}
inline Bytes zeros(size_t count) { return Bytes(count); }

struct TestTrack {
  std::string handler = "vide", name = "VideoHandler";
  Bytes entry;  ///< the whole description
  std::vector<Bytes> samples;
  size_t per_chunk = 1;
  Bytes more;         ///< boxes in `trak`
  Bytes more_tables;  ///< boxes in `stbl`, or in each `traf`
  Bytes reference = box("url ", big(1));
};

struct TestVideo {
  std::string brand = "isom";
  std::vector<TestTrack> tracks;
  Bytes more;           ///< boxes in `moov`
  Bytes before, after;  ///< boxes of the file
  Bytes gap;            ///< in the media data, after each round of chunks
  bool movie_first = false, wide = false, open_end = false, fragmented = false;
  uint32_t time = 0xd0000000;

  Bytes build() const { return fragmented ? build_fragments() : build_plain(); }

 private:
  size_t rounds() const {
    size_t most = 0;
    for (const TestTrack& track : tracks)
      most = std::max(most, (track.samples.size() + track.per_chunk - 1) / track.per_chunk);
    return most;
  }
  static Bytes chunk_of(const TestTrack& track, size_t round) {
    Bytes bytes;
    for (size_t i = round * track.per_chunk;
         i < std::min(track.samples.size(), (round + 1) * track.per_chunk); ++i)
      bytes = join(bytes, track.samples[i]);
    return bytes;
  }
  Bytes tables(const TestTrack& track, const std::vector<uint64_t>& offsets) const {
    Bytes sizes, places;
    for (const Bytes& sample : track.samples) sizes = join(sizes, big(sample.size()));
    for (const uint64_t offset : offsets) places = join(places, big(offset));
    const bool empty = fragmented;
    return box(
        "stbl", box("stsd", big(0), big(1), track.entry),
        box("stts", big(0), big(empty ? 0 : 1),
            empty ? Bytes() : join(big(track.samples.size()), big(100))),
        box("stsc", big(0), big(empty ? 0 : 1),
            empty ? Bytes() : join(big(1), big(track.per_chunk), big(1))),
        box("stsz", big(0), big(0), big(empty ? 0 : track.samples.size()), empty ? Bytes() : sizes),
        box("stco", big(0), big(empty ? 0 : offsets.size()), empty ? Bytes() : places),
        empty ? Bytes() : track.more_tables);
  }
  Bytes movie(const std::vector<std::vector<uint64_t>>& offsets) const {
    Bytes traks, extends;
    for (size_t i = 0; i < tracks.size(); ++i) {
      const TestTrack& track = tracks[i];
      const uint32_t id = static_cast<uint32_t>(i + 1);
      const Bytes header = box("tkhd", big(3), big(time), big(time), big(id), zeros(4), big(1000),
                               zeros(16), big(0x10000), zeros(12), big(0x10000), zeros(12),
                               big(0x40000000), big(64 << 16), big(32 << 16));
      const Bytes media = box(
          "mdia", box("mdhd", big(0), big(time), big(time), big(1000), big(1000), zeros(4)),
          box("hdlr", zeros(8), bytes_of(track.handler), zeros(12), bytes_of(track.name), zeros(1)),
          box("minf", box("nmhd", zeros(4)),
              box("dinf", box("dref", big(0), big(1), track.reference)),
              tables(track, offsets[i])));
      traks = join(traks, box("trak", header, media, track.more));
      extends = join(extends, box("trex", big(0), big(id), big(1), zeros(12)));
    }
    const Bytes header = box("mvhd", big(0), big(time), big(time), big(1000), big(1000), zeros(80));
    return box("moov", header, traks, fragmented ? box("mvex", extends) : Bytes(), more);
  }
  Bytes file_type() const { return box("ftyp", bytes_of(brand), big(0), bytes_of(brand)); }

  Bytes build_plain() const {
    std::vector<std::vector<uint64_t>> offsets(tracks.size());
    Bytes media;
    for (size_t round = 0; round < rounds(); ++round) {
      for (size_t i = 0; i < tracks.size(); ++i) {
        if (round * tracks[i].per_chunk >= tracks[i].samples.size()) continue;
        offsets[i].push_back(media.size());
        media = join(media, chunk_of(tracks[i], round));
      }
      media = join(media, gap);
    }
    const Bytes start = join(file_type(), before);
    const size_t header = wide ? 16 : 8;
    const uint64_t first = start.size() + header + (movie_first ? movie(offsets).size() : 0);
    for (std::vector<uint64_t>& list : offsets)
      for (uint64_t& offset : list) offset += first;
    const Bytes moov = movie(offsets);
    const Bytes size = open_end ? big(0) : wide ? big(1) : big(media.size() + header);
    const Bytes mdat =
        join(size, bytes_of("mdat"), wide ? big(media.size() + header, 8) : Bytes(), media);
    return movie_first ? join(start, moov, mdat, after) : join(start, mdat, moov, after);
  }

  Bytes build_fragments() const {
    Bytes file =
        join(file_type(), before, movie(std::vector<std::vector<uint64_t>>(tracks.size())));
    for (size_t round = 0; round < rounds(); ++round) {
      Bytes media;
      const auto fragment = [&](size_t size) {
        Bytes parts;
        media.clear();
        for (size_t i = 0; i < tracks.size(); ++i) {
          const TestTrack& track = tracks[i];
          const Bytes chunk = chunk_of(track, round);
          Bytes sizes;
          size_t count = 0;
          for (size_t k = round * track.per_chunk;
               k < std::min(track.samples.size(), (round + 1) * track.per_chunk); ++k, ++count)
            sizes = join(sizes, big(track.samples[k].size()));
          if (count == 0) continue;
          parts = join(parts,
                       box("traf", box("tfhd", big(0x020000), big(i + 1)),
                           box("tfdt", big(0), big(round * 100)),
                           box("trun", big(0x201), big(count), big(size + 8 + media.size()), sizes),
                           track.more_tables));
          media = join(media, chunk);
        }
        media = join(media, gap);
        return box("moof", box("mfhd", big(0), big(round + 1)), parts);
      };
      const size_t size = fragment(0).size();
      const Bytes moof = fragment(size);
      file = join(file, moof, box("mdat", media));
    }
    return join(file, after);
  }
};

// --- descriptions
// ----------------------------------------------------------------------------------

/// Parameter sets of x264.
inline const Bytes sequence_set = {0x67, 66,   0xc0, 10, 0xd9, 4, 0x5b, 1,    0x10, 0,    0,   3,
                                   0,    0x10, 0,    0,  3,    1, 0x40, 0xf1, 0x22, 0x64, 0x80};
inline const Bytes picture_set = {0x68, 0xcb, 0x83, 0xcb, 0x20};

inline Bytes picture_entry(const Bytes& more = {}, std::string_view encoder = {}) {
  Bytes name(32);
  name[0] = static_cast<uint8_t>(encoder.size());
  std::copy(encoder.begin(), encoder.end(), name.begin() + 1);
  const Bytes config = box("avcC", Bytes{1, 66, 0, 10, 0xff, 0xe1}, big(sequence_set.size(), 2),
                           sequence_set, Bytes{1}, big(picture_set.size(), 2), picture_set);
  return box("avc1", zeros(6), big(1, 2), zeros(16), big(64, 2), big(32, 2), big(0x480000),
             big(0x480000), zeros(4), big(1, 2), name, big(24, 2), big(0xffff, 2), config, more,
             box("pasp", big(1), big(1)));
}
inline Bytes sound_entry(int channels = 2) {
  return box("mp4a", zeros(6), big(1, 2), zeros(8), big(static_cast<uint64_t>(channels), 2),
             big(16, 2), zeros(4), big(48000 << 16 & 0xffffffff), box("esds", zeros(8)));
}
inline Bytes data_entry(std::string_view type, const Bytes& more = {}) {
  return box(type, zeros(6), big(1, 2), more);
}

// --- samples
// ---------------------------------------------------------------------------------------

inline Bytes nal(const Bytes& unit) { return join(big(unit.size()), unit); }
/// A message of a program, with a text.
inline Bytes sei(std::string_view text) {
  Bytes unit = {6, 5, static_cast<uint8_t>(16 + text.size())};
  unit = join(unit, bytes_of("0123456789abcdef"), bytes_of(text), Bytes{0x80});
  return nal(unit);
}
inline Bytes picture(uint8_t mark) { return nal({0x65, mark, 0x11, 0x22, 0x33, mark}); }

inline Bytes camm(int type, const Bytes& content) {
  return join(Bytes{0, 0, static_cast<uint8_t>(type), 0}, content);
}
inline Bytes camm_gyro(float value) {
  return camm(2, join(little(value), little(value), little(value)));
}
inline Bytes camm_position(double latitude, double longitude) {
  return camm(5, join(little(latitude), little(longitude), little(44.0)));
}
inline Bytes klv(std::string_view key, char type, int size, const Bytes& content) {
  Bytes padded = content;
  padded.resize((padded.size() + 3) / 4 * 4);
  return join(bytes_of(key), Bytes{static_cast<uint8_t>(type), static_cast<uint8_t>(size)},
              big(content.size() / static_cast<size_t>(size), 2), padded);
}
inline Bytes gpmf(double latitude, double longitude, std::string_view device) {
  const Bytes scale = klv("SCAL", 'l', 4, join(big(10000000), big(10000000), big(1000)));
  const auto number = [](double value, double by) {
    return big(static_cast<uint32_t>(static_cast<int32_t>(value * by)));
  };
  const Bytes places =
      klv("GPS5", 'l', 12, join(number(latitude, 1e7), number(longitude, 1e7), number(44, 1000)));
  const Bytes motion = join(klv("STNM", 'c', 1, bytes_of("Gyroscope SECRET")),
                            klv("GYRO", 's', 6, bytes_of("GYRO12")));
  return klv("DEVC", '\0', 1,
             join(klv("DVNM", 'c', 1, bytes_of(device)), klv("STRM", '\0', 1, motion),
                  klv("STRM", '\0', 1, join(scale, places))));
}

}  // namespace sphere::test
