// SPDX-License-Identifier: LGPL-2.1-or-later
// Fragmented MP4 for Media Source Extensions: a beginning, and then a fragment for each picture and
// each packet of sound, so that nothing waits for the next one. Pure: bytes in, bytes out.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sphere::live {

inline constexpr uint32_t video_timescale = 90000, audio_timescale = 48000;

/// A picture of H.264 as a byte stream, cut into what MP4 has in different places.
struct AccessUnit {
  std::vector<uint8_t> sps, pps;  ///< the first of each; empty if there is none
  /// The rest, each unit behind its length in 4 bytes.
  std::vector<uint8_t> data;
  bool is_key = false;
};
AccessUnit split_access_unit(std::span<const uint8_t> bytes);

struct FragmentFormat {
  std::vector<uint8_t> sps, pps;
  uint16_t width = 0, height = 0;
  bool audio = false;
  uint8_t channels = 2;
  bool operator==(const FragmentFormat&) const = default;
};

/// `avc1.42E01F` and, with sound, `, opus`: for the MIME type.
std::string codecs_of(const FragmentFormat& format);

/// ftyp and moov. The SPS must have 4 bytes at least.
std::vector<uint8_t> write_beginning(const FragmentFormat& format);

enum class Track : uint32_t { video = 1, audio = 2 };
struct FragmentSample {
  Track track = Track::video;
  uint32_t number = 0;       ///< of the fragment, from 1 on
  uint64_t decode_time = 0;  ///< in the track's time scale
  uint32_t duration = 0;     ///< the same
  bool is_key = true;
  std::span<const uint8_t> data;
};
/// moof and mdat.
std::vector<uint8_t> write_fragment(const FragmentSample& sample);

}  // namespace sphere::live
