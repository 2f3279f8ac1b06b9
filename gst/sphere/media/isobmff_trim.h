// SPDX-License-Identifier: LGPL-2.1-or-later
// A part of an MP4 or MOV file as a file of its own, without a new encode: the coded pictures and
// sound of a time, and new tables for them. Nothing is written: the part is a source that reads
// from the whole.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/maker.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

/// Where it was cut, in the time of the whole: the part begins with a picture that needs no other
/// one, and ends where no picture of the rest is needed.
struct VideoCut {
  double begin = 0, end = 0;  ///< seconds
  uint64_t pictures = 0;
  bool has_sound = false;
  /// How many pictures the whole has before, at an even rate.
  uint64_t first_picture = 0;
  /// Seconds of the whole.
  double whole = 0;
  /// What a person should know, each a sentence without a full stop.
  std::vector<std::string> remarks;
};

class TrimmedVideo : public Source {
 public:
  /// `from` and `to` are seconds; without `to`, the rest of the file. The part begins with the last
  /// key frame that is not after `from`. `source` must exist longer. Boxes of makers that go along
  /// with the pictures are cut, too.
  static Result<std::unique_ptr<TrimmedVideo>> make(const Source& source, double from,
                                                    std::optional<double> to,
                                                    const std::vector<const Maker*>& makers);

  const VideoCut& cut() const { return cut_; }

  uint64_t size() const override { return size_; }
  size_t read(uint64_t position, std::span<uint8_t> into) const override;

 private:
  friend class VideoTrimmer;
  /// Bytes of the whole that follow each other in the part.
  struct Run {
    uint64_t position = 0;  ///< in the part
    uint64_t offset = 0;    ///< in the whole
    uint64_t length = 0;
  };

  explicit TrimmedVideo(const Source& source) : source_(source) {}

  const Source& source_;
  VideoCut cut_;
  std::vector<uint8_t> head_;  ///< everything before the samples
  std::vector<Run> runs_;      ///< by their positions
  uint64_t size_ = 0;
};

}  // namespace sphere::media
