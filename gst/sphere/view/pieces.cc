// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/view/pieces.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace sphere {

namespace {

constexpr double looked_at = 8;  ///< places in a piece that are compared
// Before a jump, the value that is held has a keyframe of its own, that much earlier at most.
constexpr double held_seconds = 0.001;

ViewValues between(const ViewValues& from, const ViewValues& to, double part) {
  ViewValues values;
  for (size_t i = 0; i < values.size(); ++i) values[i] = from[i] + (to[i] - from[i]) * part;
  return values;
}

double apart(const ViewValues& a, const ViewValues& b) {
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

Keyframe keyframe_of(double time, const ViewValues& values, Easing::Kind kind) {
  Keyframe key;
  key.time = time;
  key.angles = {values[0], values[1], values[2]};
  key.fov = values[3];
  key.easing.kind = kind;
  return key;
}

/// Pieces that follow each other on one line are one.
std::vector<ViewPiece> without_bends(const std::vector<ViewPiece>& pieces, double tolerance) {
  std::vector<ViewPiece> joined;
  // Where the pieces of the last joined one began, so that errors do not add up.
  std::vector<std::pair<double, ViewValues>> corners;
  for (const ViewPiece& piece : pieces) {
    if (!joined.empty() && piece.begin == joined.back().end &&
        apart(piece.from, joined.back().to) <= 1e-9) {
      const ViewPiece longer = {joined.back().begin, piece.end, joined.back().from, piece.to};
      corners.emplace_back(piece.begin, piece.from);
      const bool straight = std::ranges::all_of(corners, [&](const auto& corner) {
        const double part = (corner.first - longer.begin) / (longer.end - longer.begin);
        return apart(between(longer.from, longer.to, part), corner.second) <= tolerance;
      });
      // Long lines would be compared at every corner for each further piece.
      if (straight && corners.size() < 1000) {
        joined.back() = longer;
        continue;
      }
    }
    joined.push_back(piece);
    corners.clear();
  }
  return joined;
}

}  // namespace

void add_pieces(double begin, double end, const std::function<ViewValues(double)>& at,
                double tolerance, double shortest, std::vector<ViewPiece>* pieces) {
  const ViewPiece whole = {begin, end, at(begin), at(end)};
  double worst = 0;
  for (double i = 1; i < looked_at; ++i)
    worst = std::max(worst, apart(at(begin + (end - begin) * i / looked_at),
                                  between(whole.from, whole.to, i / looked_at)));
  if (worst <= tolerance || end - begin < 2 * shortest) {
    pieces->push_back(whole);
    return;
  }
  const double middle = begin + (end - begin) / 2;
  add_pieces(begin, middle, at, tolerance, shortest, pieces);
  add_pieces(middle, end, at, tolerance, shortest, pieces);
}

Result<std::vector<ViewPiece>> pieces_of(const ViewPath& path, double tolerance, double shortest) {
  const std::vector<Keyframe>& keys = path.keyframes();
  std::vector<ViewPiece> pieces;
  ViewValues near = path.values_at(keys.front().time);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].projection != Projection::perspective)
      return unsupported("keyframe " + std::to_string(i + 1) +
                         ": other programs know no view but a perspective one");
    if (i + 1 == keys.size()) break;
    const double begin = keys[i].time, end = keys[i + 1].time;
    if (keys[i].easing.kind == Easing::Kind::hold) {
      const ViewValues held = path.values_at(begin, near);
      pieces.push_back({begin, end, held, held});
      near = held;
      continue;
    }
    // A hair before the next keyframe, of which the values may be others.
    const double last = std::nextafter(end, begin);
    add_pieces(
        begin, end, [&](double time) { return near = path.values_at(std::min(time, last), near); },
        tolerance, shortest, &pieces);
  }
  // What is left at the end of the last piece, where it is another view.
  const double end = keys.back().time;
  const ViewValues last = path.values_at(end, near);
  if (pieces.empty() || apart(pieces.back().to, last) > 1e-9)
    pieces.push_back({end, end, last, last});
  return pieces;
}

Result<ViewPath> path_of(const std::vector<ViewPiece>& all, double tolerance) {
  using Kind = Easing::Kind;
  const std::vector<ViewPiece> pieces = without_bends(all, tolerance);
  if (pieces.empty()) return invalid("there is no keyframe");
  std::vector<Keyframe> keys;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const ViewPiece& piece = pieces[i];
    const bool still = apart(piece.from, piece.to) == 0;
    keys.push_back(keyframe_of(piece.begin, piece.from, still ? Kind::hold : Kind::linear));
    const bool last = i + 1 == pieces.size();
    const bool gap = !last && pieces[i + 1].begin > piece.end;
    const bool jump = !last && apart(piece.to, pieces[i + 1].from) > 1e-9;
    if (still && !last) continue;
    if (last) {
      if (!still) keys.push_back(keyframe_of(piece.end, piece.to, Kind::hold));
    } else if (gap) {
      keys.push_back(keyframe_of(piece.end, piece.to, Kind::hold));
    } else if (jump) {
      const double length = std::min(held_seconds, (piece.end - piece.begin) / 2);
      keys.push_back(keyframe_of(piece.end - length, piece.to, Kind::hold));
    }
  }
  return ViewPath::make(std::move(keys), TurnWay::as_written);
}

}  // namespace sphere
