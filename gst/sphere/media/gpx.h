// SPDX-License-Identifier: LGPL-2.1-or-later
// Tracks of GPX 1.0 and 1.1 files: where somebody was at which time.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/base/position.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/media/part.h"

namespace sphere::media {

/// The points of a file that have a time. No message repeats a position.
class GpxTrack {
 public:
  static constexpr size_t most_bytes = size_t{64} << 20;
  static constexpr size_t most_points = 1'000'000;

  static Result<GpxTrack> parse(std::span<const uint8_t> bytes);
  static Result<GpxTrack> read(const std::string& path);

  /// The position at a time, in microseconds since 1970 UTC: between two points of a segment, on
  /// the straight line between them. Nothing before the first point, after the last, and between
  /// segments, where the receiver had no position.
  std::optional<Position> at(int64_t time_us) const;

  /// The positions from a time on, with their times from there: that of at(), if there is one, and
  /// all points after it.
  std::vector<TimedPosition> from(int64_t time_us) const;

  size_t size() const { return points_.size(); }
  int64_t begin() const { return points_.front().time_us; }
  int64_t end() const { return points_.back().time_us; }

 private:
  friend class GpxReader;
  struct Point {
    int64_t time_us = 0;
    size_t segment = 0;
    Position position;
  };
  std::vector<Point> points_;  // in the order of time; never empty
};

}  // namespace sphere::media
