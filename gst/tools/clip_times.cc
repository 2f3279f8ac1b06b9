// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/clip_times.h"

#include <algorithm>

namespace sphere::tool {

ClipTimes::ClipTimes(double from, std::optional<double> to, double speed, const ViewPath* path)
    : to_(to) {
  pieces_.push_back({from, 0, speed * (path ? path->speed_at(from) : 1)});
  if (!path) return;
  for (const Keyframe& key : path->keyframes()) {
    if (key.time <= from || (to && key.time >= *to)) continue;
    const ClipPiece& before = pieces_.back();
    const double own = speed * key.speed;
    if (own == before.speed) continue;
    pieces_.push_back({key.time, before.film + (key.time - before.source) / before.speed, own});
  }
}

bool ClipTimes::at_usual_speed() const {
  return std::ranges::all_of(pieces_, [](const ClipPiece& piece) { return piece.speed == 1; });
}

double ClipTimes::source_time(double film) const {
  const auto later = std::ranges::upper_bound(pieces_, film, {}, &ClipPiece::film);
  const ClipPiece& piece = later == pieces_.begin() ? pieces_.front() : *(later - 1);
  return piece.source + (film - piece.film) * piece.speed;
}

double ClipTimes::film_time(double source) const {
  const auto later = std::ranges::upper_bound(pieces_, source, {}, &ClipPiece::source);
  const ClipPiece& piece = later == pieces_.begin() ? pieces_.front() : *(later - 1);
  return piece.film + (source - piece.source) / piece.speed;
}

}  // namespace sphere::tool
