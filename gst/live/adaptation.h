// SPDX-License-Identifier: LGPL-2.1-or-later
// Decides which size and bit rate a stream has while the processor or the network can't keep up,
// and when it goes back. Knows no pipeline and no clock.

#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace sphere::live {

struct AdaptationLimits {
  int width = 1920;    ///< what was asked for; a picture is twice as wide as high
  int bitrate = 4000;  ///< kbit/s
  double fps = 30;
  bool sizes = true;     ///< whether the size may change
  bool bitrates = true;  ///< whether the bit rate may change
};

/// The numbers of the pipeline since it began, and the worst of the outputs that may be the reason
/// for a change.
struct Load {
  int64_t now = 0;       ///< microseconds
  uint64_t arrived = 0;  ///< pictures that came from the source
  uint64_t encoded = 0;  ///< pictures that left the encoder
  int64_t queued = 0;    ///< microseconds of the stream that wait before the slowest output
  bool losing = false;   ///< whether an output drops pictures
  int kbit_s = 0;        ///< what the encoder really makes; 0: not known
  std::string slowest;   ///< its name, for a person
};

struct AdaptationStep {
  int width = 0, bitrate = 0;
  std::string words;  ///< what was done and why, as one sentence
};

class Adaptation {
 public:
  explicit Adaptation(const AdaptationLimits& limits);

  /// To be called some four times a second. Returns what is to be changed now, if anything.
  std::optional<AdaptationStep> update(const Load& load);

  int width() const { return widths_[index()]; }
  int height() const { return width() / 2; }
  int bitrate() const;
  /// Whether the stream is as it was asked for.
  bool full() const { return index() == 0 && network_ >= 1; }

  /// The longest time from the beginning of a bottleneck to the first step, in microseconds.
  static constexpr int64_t longest_reaction = 2'500'000;

 private:
  size_t index() const { return std::max(processor_, network_index()); }
  size_t network_index() const;
  std::optional<AdaptationStep> step(const std::string& reason);
  std::optional<AdaptationStep> watch_processor(const Load& load);
  std::optional<AdaptationStep> watch_network(const Load& load);

  const AdaptationLimits limits_;
  std::vector<int> widths_;  ///< from the largest
  size_t processor_ = 0;     ///< the size for which the processor is fast enough
  double network_ = 1;       ///< the part of the bit rate that the network can take
  std::deque<Load> recent_;
  int64_t keeps_up_since_ = 0;      ///< the processor has kept up since then; 0: it does not
  int64_t raised_at_ = 0;           ///< when the size went up last
  int64_t raise_after_;             ///< how long the processor must keep up before the size goes up
  int64_t slow_since_ = 0;          ///< the network is too slow since then; 0: it is not
  int64_t fast_since_ = 0;          ///< the network is fast enough since then
  int64_t bitrate_changed_at_ = 0;  ///< when the bit rate was changed last
};

}  // namespace sphere::live
