// SPDX-License-Identifier: LGPL-2.1-or-later
// Cuts the stream of a muxer for fragmented MP4 into its header and its fragments, and tells what a
// player list, a file in parts or a page needs to know of each. Knows no pipeline.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"

namespace sphere::live {

/// What the header tells of a track.
struct FragmentTrack {
  uint32_t id = 0;
  bool video = false;
  uint32_t timescale = 0;  ///< units a second
  int width = 0, height = 0;
  /// As RFC 6381 has it, such as "avc1.42C01F" or "mp4a.40.2"; "" where it is not known.
  std::string codec;
};

/// A `moof` with its `mdat`. mp4mux makes one for each track.
struct Fragment {
  std::vector<uint8_t> bytes;
  uint32_t track = 0;
  uint64_t begin = 0;     ///< the decode time of its first sample, in the track's units
  uint64_t duration = 0;  ///< of all its samples
  uint32_t samples = 0;
  bool key = false;  ///< whether its first sample is a key frame
};

class FragmentReader {
 public:
  /// The longest box that is taken; a longer one is an error.
  static constexpr uint64_t most_bytes = 256 << 20;

  /// Takes the next bytes of the stream. An error is final.
  Status push(std::span<const uint8_t> bytes);

  /// mp4mux begins each track at the time 0. The times of all sound that comes from now on are
  /// later by these seconds.
  void delay_sound(double seconds) { sound_delay_ = seconds; }

  /// `ftyp` and `moov`; empty until they have come.
  const std::vector<uint8_t>& header() const { return header_; }
  const std::vector<FragmentTrack>& tracks() const { return tracks_; }
  const FragmentTrack* track(uint32_t id) const;

  /// The next whole fragment, in the order of the stream.
  std::optional<Fragment> next();

 private:
  Status take_box(std::span<const uint8_t> box);

  std::vector<uint8_t> waiting_;  ///< the beginning of a box
  std::vector<uint8_t> header_;
  std::vector<FragmentTrack> tracks_;
  std::vector<uint32_t> default_duration_, default_flags_;  ///< of `trex`, in the order of tracks_
  std::vector<Fragment> whole_;
  std::optional<Fragment> open_;  ///< its `mdat` has not come yet
  double sound_delay_ = 0;
  bool has_movie_ = false;
};

/// Sets the number of a fragment in its file. An error if it is no fragment.
Status number_fragment(std::vector<uint8_t>* bytes, uint32_t number);

}  // namespace sphere::live
