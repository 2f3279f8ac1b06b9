// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/auto_search.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "gst/sphere/geometry/turn.h"
#include "gst/sphere/orientation/track.h"
#include "gst/sphere/view/file.h"
#include "gst/sphere/view/follow_view.h"
#include "gst/sphere/view/turned_path.h"
#include "gst/sphere/vision/follower.h"
#include "gst/sphere/vision/upright.h"
#include "gst/tools/output_file.h"
#include "gst/tools/progress.h"
#include "gst/tools/sphere_pictures.h"
#include "gst/tools/time_option.h"

namespace sphere::tool {

namespace {

// Pixels across the sphere. A thing of the usual size has some fifty then.
constexpr int searched_width = 1920, least_searched_width = 640;
// Degrees by which the view may differ from the middle of what it follows.
constexpr double follow_tolerance = 0.4;

// Pictures of a video that are examined first, to find out whether its tilt changes.
constexpr int first_pictures = 24;
// Degrees. A camera that stands still is found within this.
constexpr double still = 1.5;
// Seconds between the pictures of a video whose tilt changes, and how many there are at most.
constexpr double interval_between = 0.2;
constexpr double most_pictures = 3000;
// Neighbours whose median decides, so that one wrong picture does not turn the view.
constexpr size_t neighbours = 2;
// Of all pictures, how many must show where up is.
constexpr double least_part = 1.0 / 3;
// Below this, the result is told to be uncertain.
constexpr double certain = 0.6;
constexpr double heading_seconds = 1;  ///< over which the direction of the camera is smoothed

/// From the axes of the levelled picture to those of the picture, at a time in seconds.
using Levelling = std::function<Mat3(double)>;

std::string two_places(double value) {
  char text[32];
  g_ascii_formatd(text, sizeof text, "%.2f", value);
  return text;
}

/// Of a picture in which this direction is up; what was in the middle keeps its heading.
Mat3 levelling_of(Vec3 up) {
  const Quaternion to_world = turn_between(up, {0, -1, 0});
  return level_view(Level::horizon, to_world, heading_of(to_world));
}

Error cannot_tell(const std::string& name, double confidence) {
  return invalid(name + ": can't tell where up is in its picture (confidence " +
                 two_places(confidence) +
                 " of 1): there are too few upright lines, and no clear horizon; make it level "
                 "with --pitch and --roll");
}

/// Looks for what is up in pictures, and counts.
class UprightSearch {
 public:
  Status add(const TimedPicture& timed) {
    const Result<Upright> found = finder_.find(timed.picture);
    if (!found) return found.error();
    ++examined_;
    best_ = std::max(best_, found->confidence);
    if (found->confidence < least_confidence) return ok();
    seen_.push_back({timed.time, found->up});
    sum_ += found->confidence;
    return ok();
  }

  bool is_enough() const {
    return !seen_.empty() && static_cast<double>(seen_.size()) >= least_part * examined_;
  }
  int examined() const { return examined_; }
  /// The mean of the pictures that count; where there are too few, the best one.
  double confidence() const {
    return is_enough() ? sum_ / static_cast<double>(seen_.size())
                       : std::min(best_, least_confidence);
  }
  const std::vector<SeenDirection>& seen() const { return seen_; }

  Vec3 middle() const {
    std::vector<Vec3> all;
    for (const SeenDirection& one : seen_) all.push_back(one.direction);
    return middle_direction(all);
  }
  bool is_constant() const {
    const Vec3 up = middle();
    const auto off = std::ranges::count_if(seen_, [&](const SeenDirection& one) {
      return degrees(angle_between(one.direction, up)) > still;
    });
    return static_cast<double>(off) <= 0.1 * static_cast<double>(seen_.size());
  }

 private:
  UprightFinder finder_;
  std::vector<SeenDirection> seen_;
  int examined_ = 0;
  double sum_ = 0, best_ = 0;
};

/// The median of each with its neighbours, smoothed.
std::vector<SeenDirection> without_outliers(const std::vector<SeenDirection>& seen) {
  std::vector<SeenDirection> medians;
  for (size_t i = 0; i < seen.size(); ++i) {
    std::vector<Vec3> near;
    const size_t first = i > neighbours ? i - neighbours : 0;
    for (size_t n = first; n <= std::min(i + neighbours, seen.size() - 1); ++n)
      near.push_back(seen[n].direction);
    medians.push_back({seen[i].time, middle_direction(near)});
  }
  return smoothed(medians);
}

Vec3 direction_at(const std::vector<SeenDirection>& all, double time) {
  const auto later = std::ranges::upper_bound(all, time, {}, &SeenDirection::time);
  if (later == all.begin()) return all.front().direction;
  if (later == all.end()) return all.back().direction;
  const SeenDirection& before = *(later - 1);
  const double part = (time - before.time) / (later->time - before.time);
  return normalised((1 - part) * before.direction + part * later->direction);
}

/// What IN itself tells of how the camera was held.
std::optional<Levelling> own_levelling(const StitchInput& input, double duration) {
  const Result<OrientationTrack> track = OrientationTrack::make(input.capture.orientations);
  if (!track) return std::nullopt;
  const double rate = duration > 0 ? static_cast<double>(track->size()) / duration : 0;
  return [track = *track, rate](double time) {
    const double index = time * rate;
    return level_view(Level::horizon, track.at(index),
                      track.smooth_heading(index, heading_seconds * rate));
  };
}

class ViewSearch {
 public:
  ViewSearch(const StitchInput& input, const AutoSearch& search, StitchOptions* options,
             MessagePrinter* printer)
      : input_(input), search_(search), options_(options), printer_(printer) {}

  Status run() {
    if (options_->find_level) options_->level = "off";
    Result<std::unique_ptr<SpherePictures>> opened =
        SpherePictures::open(input_, *options_, width_to_search());
    if (!opened) return opened.error();
    pictures_ = std::move(*opened);
    duration_ = pictures_->duration();
    if (options_->find_level)
      if (const Status found = find_levelling(); !found) return found;
    Result<ViewPath> path = options_->follow ? follow() : given();
    if (path && levelling_) path = turned_path(*path, duration_, *levelling_);
    if (!path) return path.error();
    if (const Status saved = save(*path); !saved) return saved;
    return use(*path);
  }

 private:
  /// Lines are not found better in a picture that is larger than IN, but much later.
  int width_to_search() const {
    if (options_->follow || options_->has_faces()) return searched_width;
    return std::clamp(std::max(input_.width(), input_.height()) & ~3, least_searched_width,
                      searched_width);
  }

  Result<std::optional<TimedPicture>> next_picture() {
    if (search_.stopped && search_.stopped()) return failed("interrupted");
    return pictures_->next();
  }

  // --- level ------------------------------------------------------------------------------------

  Status find_levelling() {
    if (!input_.capture.orientations.empty()) {
      levelling_ = own_levelling(input_, duration_);
      if (levelling_) {
        printer_->note("level: by the orientation in " + options_->input);
        return ok();
      }
    }
    UprightSearch search;
    if (const Status done = input_.video() ? examine_samples(&search) : examine_one(&search); !done)
      return done;
    if (search.is_enough() && !search.is_constant()) {
      search = {};
      if (const Status done = examine_all(&search); !done) return done;
    }
    if (!search.is_enough()) return cannot_tell(options_->input, search.confidence());
    const std::string sure = "confidence " + two_places(search.confidence()) + " of 1";
    if (search.confidence() < certain)
      printer_->warn(options_->input + ": it is not certain where up is in its picture (" + sure +
                     "); look whether the horizon is level");
    if (search.is_constant()) {
      const Vec3 up = search.middle();
      printer_->note("level: the picture is tilted by " +
                     two_places(degrees(angle_between(up, {0, -1, 0}))) + " degrees (" + sure +
                     ")");
      levelling_ = [turn = levelling_of(up)](double) { return turn; };
      return ok();
    }
    printer_->note("level: the tilt of the picture changes (" + sure + ")");
    levelling_ = [ups = without_outliers(search.seen())](double time) {
      return levelling_of(direction_at(ups, time));
    };
    return ok();
  }

  Status examine_one(UprightSearch* search) {
    const Result<std::optional<TimedPicture>> timed = next_picture();
    if (!timed) return timed.error();
    return *timed ? search->add(**timed) : ok();
  }

  Status examine_samples(UprightSearch* search) {
    if (const Status done = examine_some(search, false); !done) return done;
    if (search->examined() >= first_pictures / 2) return ok();
    // Key frames are rare; a few of them don't tell whether the tilt changes.
    *search = {};
    return examine_some(search, true);
  }

  /// `exact`: also at pictures that are no key frames, which takes longer.
  Status examine_some(UprightSearch* search, bool exact) {
    Progress progress(!options_->quiet, "pictures looked at for the horizon");
    double before = -1;
    for (int i = 0; i < first_pictures; ++i) {
      progress.show(static_cast<uint64_t>(i), first_pictures);
      if (i > 0 && !(duration_ > 0)) break;
      if (duration_ > 0)
        if (const Status jumped = pictures_->seek(duration_ * i / first_pictures, exact); !jumped)
          return jumped;
      const Result<std::optional<TimedPicture>> timed = next_picture();
      if (!timed) return timed.error();
      // Where key frames are rare, the same one comes again.
      if (!*timed || (*timed)->time == before) continue;
      before = (*timed)->time;
      if (const Status done = search->add(**timed); !done) return done;
    }
    return ok();
  }

  Status examine_all(UprightSearch* search) {
    Progress progress(!options_->quiet, "pictures looked at for the horizon");
    if (const Status jumped = pictures_->seek(0, true); !jumped) return jumped;
    const double interval = std::max(interval_between, duration_ / most_pictures);
    double next = 0;
    for (;;) {
      const Result<std::optional<TimedPicture>> timed = next_picture();
      if (!timed) return timed.error();
      if (!*timed) return ok();
      if ((*timed)->time < next) continue;
      next = (*timed)->time + interval;
      if (const Status done = search->add(**timed); !done) return done;
      progress.show(static_cast<uint64_t>(search->examined()),
                    static_cast<uint64_t>(duration_ / interval));
    }
  }

  Mat3 levelling_at(double time) const { return levelling_ ? (*levelling_)(time) : Mat3(); }

  // --- follow -----------------------------------------------------------------------------------

  Result<Vec3> target() const {
    const FollowTarget& follow = *options_->follow;
    if (follow.in_degrees)
      // As the view has them, which is level.
      return levelling_at(follow.time) * rotation({follow.x, follow.y, 0}).column(2);
    if (!options_->from_sphere)
      return invalid(
          "--follow: " + options_->input +
          " shows two fisheyes, in whose pixels no place can be named; give yaw and pitch, such as "
          "30deg,-5deg@2.5");
    if (options_->has_faces())
      return invalid(
          "--follow: " + options_->input +
          " consists of the faces of a cube, in whose pixels no place can be named; give "
          "yaw and pitch, such as 30deg,-5deg@2.5");
    const Size size{input_.width(), input_.height()};
    if (!(follow.x >= 0 && follow.x <= size.width && follow.y >= 0 && follow.y <= size.height))
      return invalid("--follow: the place is outside of the picture, which has " +
                     std::to_string(size.width) + "x" + std::to_string(size.height) + " pixels");
    return equirect_direction({follow.x, follow.y}, size);
  }

  Result<ViewPath> follow() {
    const Result<Vec3> direction = target();
    if (!direction) return direction.error();
    const double begin = options_->follow->time;
    if (const Status jumped = pictures_->seek(begin, true); !jumped) return jumped.error();
    Result<std::optional<TimedPicture>> timed = next_picture();
    if (!timed) return timed.error();
    if (!*timed)
      return invalid("--follow: " + options_->input + " ends before " + time_text(begin));
    Result<Follower> follower =
        Follower::make((*timed)->picture, *direction,
                       options_->follow_size > 0 ? options_->follow_size : Follower::usual);
    if (!follower) return Error(follower.error().kind, "--follow: " + follower.error().message);

    Progress progress(!options_->quiet, "pictures looked through");
    std::vector<SeenDirection> seen;
    double before = (*timed)->time;
    Vec3 now = *direction;
    std::optional<double> lost;
    size_t seen_last = 0;
    for (uint64_t count = 1;; ++count) {
      seen.push_back({before, levelling_at(before).transposed() * now});
      if (!lost) {
        bridge_gap(std::span(seen).subspan(seen_last));
        seen_last = seen.size() - 1;
      }
      timed = next_picture();
      if (!timed) return timed.error();
      if (!*timed || (search_.until && (*timed)->time > *search_.until)) break;
      const double time = (*timed)->time;
      if (!(time > before)) continue;
      const Result<Followed> followed = follower->next((*timed)->picture, time - before);
      if (!followed) return followed.error();
      if (!followed->is_seen && !lost) lost = time;
      if (followed->is_seen && lost) tell_loss(*std::exchange(lost, std::nullopt), time);
      now = followed->direction;
      before = time;
      progress.show(count, input_.video()->pictures);
    }
    progress.clear();
    if (lost) tell_loss(*lost, std::nullopt);
    ViewSample view;
    view.fov = options_->fov;
    view.projection = options_->projection;
    view.angles.roll = options_->roll;
    return fit_view_path(follow_view(seen, view), follow_tolerance);
  }

  void tell_loss(double from, std::optional<double> to) {
    const std::string what = "--follow: it was lost at " + time_text(from);
    printer_->warn(to ? what + " and found again at " + time_text(*to) +
                            "; meanwhile the view turns evenly from one place to the other"
                      : what + "; the view rests there until the end");
  }

  // --- the result -------------------------------------------------------------------------------

  /// What the other options say.
  Result<ViewPath> given() const {
    if (!options_->keyframes.empty()) return load_view_path(options_->keyframes);
    Keyframe key;
    key.angles = {options_->yaw, options_->pitch, options_->roll};
    key.fov = options_->fov;
    key.projection = options_->projection;
    return ViewPath::make({key});
  }

  Status save(const ViewPath& path) const {
    if (options_->save_keyframes.empty()) return ok();
    const std::string text = view_path_text(path) + "\n";
    OutputSet files;
    const Status added = files.add(options_->save_keyframes, options_->clobber,
                                   {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    return added ? files.commit() : added;
  }

  Status use(const ViewPath& path) const {
    printer_->note("keyframes: " + std::to_string(path.keyframes().size()));
    const Keyframe& first = path.keyframes().front();
    if (!input_.video()) {
      options_->yaw = first.angles.yaw;
      options_->pitch = first.angles.pitch;
      options_->roll = first.angles.roll;
      return ok();
    }
    options_->yaw = options_->pitch = options_->roll = 0;
    options_->keyframes = view_path_text(path);
    return ok();
  }

  const StitchInput& input_;
  const AutoSearch& search_;
  StitchOptions* const options_;
  MessagePrinter* const printer_;
  std::unique_ptr<SpherePictures> pictures_;
  double duration_ = 0;
  std::optional<Levelling> levelling_;
};

}  // namespace

Status search_view(const StitchInput& input, const AutoSearch& search, StitchOptions* options,
                   MessagePrinter* printer) {
  return ViewSearch(input, search, options, printer).run();
}

}  // namespace sphere::tool
