// SPDX-License-Identifier: LGPL-2.1-or-later
// All samples of a track of an MP4 or MOV file, with their times, and a track of some of them.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/isobmff_layout.h"

namespace sphere::media {

struct TimedSample {
  int64_t decoded = 0, shown = 0;  ///< ticks of the track
  uint64_t offset = 0;
  uint32_t size = 0, duration = 0;
  uint32_t chunk = 0;  ///< counted from 0
  bool key = false;    ///< it needs no other sample
};

/// What an edit list says: how long nothing is shown at first, and the tick that is shown then.
struct TrackEdit {
  double delay = 0;    ///< seconds
  int64_t start = 0;   ///< ticks of the track
  double length = -1;  ///< seconds; below 0: up to the end
};

struct TimedTrack {
  uint32_t timescale = 1;
  std::vector<TimedSample> samples;  ///< in decoding order
  TrackEdit edit;

  /// Seconds of the movie at which a tick of the track is shown, and the other way round.
  double time_of(int64_t tick) const {
    return edit.delay + static_cast<double>(tick - edit.start) / timescale;
  }
  int64_t tick_of(double time) const;
};

/// The largest number of samples that is read.
inline constexpr uint64_t most_timed_samples = 1 << 23;

/// An error: tables are damaged, or the track has edits that can't be cut.
Result<TimedTrack> read_timed_track(const Source& source, const IsoLayout& layout, size_t track);

/// The samples that a part has of a track, and how they are shown.
struct TrackPart {
  std::vector<TimedSample> samples;  ///< in decoding order
  double delay = 0;                  ///< seconds before the first one is shown
  int64_t start = 0;                 ///< tick that is shown then
  double length = 0;                 ///< seconds
};

/// Bytes that follow each other, which are one chunk of the new track.
struct SampleRun {
  uint64_t offset = 0, length = 0;
  uint32_t samples = 0;
};
std::vector<SampleRun> runs_of(const std::vector<TimedSample>& samples);

/// The tables of a part, but for `stsd`: stts, ctts, stss, stsz, stsc, and stco or co64 with these
/// offsets of its runs.
std::vector<uint8_t> make_tables(const TrackPart& part, const std::vector<SampleRun>& runs,
                                 const std::vector<uint64_t>& offsets, bool wide);
/// `edts`; empty if it would say nothing.
std::vector<uint8_t> make_edits(const TrackPart& part, uint32_t movie_timescale,
                                uint32_t track_timescale);
/// Ticks from the first sample's decoding to the end of the last one's.
uint64_t decoded_length(const TrackPart& part);

}  // namespace sphere::media
