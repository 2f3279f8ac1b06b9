// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/lens/calibrate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "gst/sphere/lens/calibrate_detail.h"
#include "gst/sphere/lens/calibrate_light.h"
#include "gst/sphere/lens/calibrate_match.h"
#include "gst/sphere/lens/calibrate_solve.h"
#include "gst/sphere/lens/calibrate_start.h"
#include "gst/sphere/lens/fit.h"

namespace sphere {

namespace {

// The smallest radius of the image circle at the coarsest level, pixels: the overlap, which has a
// few degrees, must be wide enough for whole patches.
constexpr double coarsest_radius = 300;
// The largest error of the start.
constexpr double capture = radians(5);
constexpr int final_rounds = 2;
constexpr int overlap_points = 12000, cross_points = 2000;
// Fewer matches, or matches in fewer sectors around the seam, don't determine the lenses. The
// highest and the lowest sectors have no matches, because of `highest`.
constexpr int least_matches = 60, all_sectors = 12, least_sectors = 5;
constexpr int least_joining = 60;
// Pictures in almost the same orientation show everything at the same place of a lens: that fits
// any lens, and the solver goes astray. Videos are often taken with a camera that stands still.
constexpr double least_turn = radians(8);
constexpr double highest = radians(60);
// With the right lenses, the errors of matches are a fraction of a pixel, or some pixels for near
// objects, which are seen from two positions.
constexpr double hopeless_residual = radians(0.6);
// In the overlap, most of the matches may be of near objects, or wrong. Therefore the result is
// judged by the brightness there.
constexpr double hopeless_correlation = 0.6;

/// The angle of a rotation.
double turn_of(const Mat3& m) {
  const double trace = m.row[0].x + m.row[1].y + m.row[2].z;
  return std::acos(std::clamp((trace - 1) / 2, -1.0, 1.0));
}

double miss_of(const Match& m, const LensPair& pair, const std::vector<Mat3>& views) {
  Vec3 ray[2];
  for (int i = 0; i < 2; ++i) ray[i] = views[m.picture[i]] * pair[m.lens[i]].unproject(m.point[i]);
  return angle_between(ray[0], ray[1]);
}

double median_miss(const std::vector<Match>& matches, const LensPair& pair,
                   const std::vector<Mat3>& views) {
  if (matches.empty()) return 0;
  std::vector<double> misses;
  for (const Match& m : matches) misses.push_back(miss_of(m, pair, views));
  const auto middle = misses.begin() + static_cast<ptrdiff_t>(misses.size() / 2);
  std::nth_element(misses.begin(), middle, misses.end());
  return *middle;
}

/// Converts any pair to Kannala-Brandt lenses, for which the solver works.
Result<LensPair> as_kannala_brandt(const LensPair& start, Size frame) {
  const double shape = static_cast<double>(start.frame.width) * frame.height /
                       (static_cast<double>(start.frame.height) * frame.width);
  if (!(std::abs(shape - 1) <= 0.01))
    return invalid("the pictures are " + std::to_string(frame.width) + "x" +
                   std::to_string(frame.height) + ", the start profile is for " +
                   std::to_string(start.frame.width) + "x" + std::to_string(start.frame.height) +
                   ", which has another shape");
  LensPair pair = start.scaled_to(frame);
  for (int i = 0; i < 2; ++i) {
    Lens& lens = pair[i];
    if (lens.correction)
      return unsupported(
          "a camera's own table is more exact than a calibration from pictures; start from a "
          "profile");
    lens.stretch = 1;
    const RadialModel model = lens.model;
    const Result<RadialModel> fitted =
        fit_kannala_brandt([&](double angle) { return model.forward(angle); }, model.fov(), 2.0);
    if (!fitted) return fitted.error();
    lens.model = *fitted;
  }
  return pair;
}

class Calibrator {
 public:
  Calibrator(const std::vector<GreyPicture>& pictures, const LensPair& start,
             const CalibrationOptions& options)
      : pictures_(pictures), options_(options), pair_(start), views_(pictures.size()) {
    result_.before = start;
    const double radius = std::min(start.front.model.radius(), start.back.model.radius());
    levels_ = 1;
    while (radius / (1 << levels_) >= coarsest_radius && levels_ < 6) ++levels_;
    total_ = static_cast<int>(pictures.size()) + 1 + levels_ + final_rounds;
    for (const GreyPicture& picture : pictures) pyramids_.emplace_back(picture, levels_);
  }

  Result<Calibration> run() {
    // First with the overlap only: the rotations between pictures can be found with a rough pair.
    for (int level = levels_ - 1; level >= std::max(levels_ - 2, 0); --level)
      if (const Status done = round(level, level == levels_ - 1); !done) return done.error();
    joined_ = {0};
    for (size_t i = 1; i < pictures_.size(); ++i) {
      if (!step()) return interrupted();
      join(i);
    }
    cross_ = joined_.size() > 1;
    for (int level = levels_ - 1; level > 0; --level)
      if (const Status done = round(level, level == levels_ - 1); !done) return done.error();
    for (int i = 0; i < final_rounds; ++i)
      if (const Status done = round(0, levels_ == 1 && i == 0); !done) return done.error();
    if (!cross_)
      if (const Status done = refine(); !done) return done.error();
    return report();
  }

 private:
  static Error interrupted() { return failed("interrupted"); }
  bool step() { return !options_.progress || options_.progress(done_++, total_); }

  int reach_at(int level, bool first) const {
    const double a_radian = pair_.front.model.radius() / pair_.front.half_fov() / (1 << level);
    return first ? std::max(3, static_cast<int>(std::ceil(capture * a_radian))) : 2;
  }

  void search_overlaps(const MatchSearch& search, std::vector<Match>& found) const {
    for (size_t i = 0; i < pictures_.size(); ++i) {
      const int n = static_cast<int>(i);
      find_matches(pyramids_, pair_, views_, n, 0, n, 1, search, found);
    }
    // Below are the tripod and the ground, which are nearer than everything else.
    std::erase_if(found, [&](const Match& m) {
      return std::abs(lonlat_of(pair_[m.lens[0]].unproject(m.point[0])).lat) > highest;
    });
  }

  void search_between(int i, int j, const MatchSearch& search, std::vector<Match>& found) const {
    for (int a = 0; a < 2; ++a)
      for (int b = 0; b < 2; ++b) find_matches(pyramids_, pair_, views_, i, a, j, b, search, found);
  }

  /// Finds the rotation of a picture relative to those that are joined already.
  void join(size_t i) {
    const int small = std::min(2, levels_ - 1);
    for (const size_t with : joined_) {
      const auto turned = find_rotation(pyramids_[with].level(small), pyramids_[i].level(small),
                                        pair_.scaled_to(pyramids_[with].level(small).size));
      if (!turned) continue;
      if (turn_of(*turned) < least_turn) {
        unturned_.insert(i);
        continue;
      }
      views_[i] = views_[with] * *turned;
      std::vector<Match> found;
      const MatchSearch search = {levels_ - 1, reach_at(levels_ - 1, true), cross_points};
      search_between(static_cast<int>(with), static_cast<int>(i), search, found);
      std::vector<Mat3> views = views_;
      LensPair pair = pair_;
      SolveOptions options;
      options.whole_field = true;
      options.scale = 4 << (levels_ - 1);
      options.start = result_.before;
      if (found.size() < least_joining || !solve_geometry(found, options, pair, views)) continue;
      // Unrelated pictures have matches by chance, which don't agree with each other.
      if (median_miss(found, pair, views) > radians(1)) continue;
      views_[i] = views[with].transposed() * views[i];
      views_[i] = views_[with] * views_[i];
      joined_.insert(i);
      unturned_.erase(i);
      return;
    }
    views_[i] = Mat3();
  }

  Status round(int level, bool first) {
    if (!step()) return interrupted();
    const MatchSearch near = {level, reach_at(level, first), overlap_points};
    std::vector<Match> overlap, across;
    search_overlaps(near, overlap);
    if (cross_)
      for (const size_t i : joined_)
        for (const size_t j : joined_)
          if (i < j)
            search_between(static_cast<int>(i), static_cast<int>(j),
                           {level, reach_at(level, first), cross_points}, across);
    // If only the overlap is used, too few matches are not an error: refine() compares the
    // brightness afterwards.
    too_few_ = check(overlap);
    if (!too_few_) return cross_ ? too_few_ : ok();
    SolveOptions options;
    options.whole_field = cross_;
    options.start = result_.before;
    std::vector<Match> all = overlap;
    all.insert(all.end(), across.begin(), across.end());
    // A large search area has many matches by chance. The first solution has a large scale, so that
    // they don't trap it.
    for (const double scale : first ? std::vector{8.0, 2.0} : std::vector{0.5}) {
      options.scale = scale * (1 << level);
      if (const Status solved = solve_geometry(all, options, pair_, views_); !solved) return solved;
    }
    overlap_ = std::move(overlap);
    across_ = std::move(across);
    return ok();
  }

  double agreement(const LensPair& pair) const {
    double sum = 0;
    for (const GreyPicture& picture : pictures_) sum += overlap_correlation(picture, pair);
    return sum / static_cast<double>(pictures_.size());
  }

  /// Near objects move matches, therefore the result is refined by the brightness of the whole band
  /// around the seam: both from the result of the matches and from the start, because either may be
  /// nearer to the right lenses.
  Status refine() {
    LensPair best = result_.before;
    double most = agreement(best);
    std::vector<LensPair> from = {result_.before};
    if (pair_.front.centre != result_.before.front.centre) from.push_back(pair_);
    for (LensPair pair : from) {
      for (int level = std::min(levels_, 3) - 1; level >= 0; --level) {
        if (!step()) return interrupted();
        LensPair refined = pair;
        if (!refine_overlap(pyramids_, level, result_.before, Curve::held, refined)) break;
        pair = refined;
        const double reached = agreement(pair);
        if (reached > most) {
          most = reached;
          best = pair;
        }
      }
    }
    pair_ = best;
    // The matches before were searched near the points of another pair.
    std::vector<Match> found;
    search_overlaps({0, reach_at(0, true) / 2, overlap_points}, found);
    if (found.size() >= least_matches) overlap_ = std::move(found);
    return ok();
  }

  Status check(const std::vector<Match>& overlap) const {
    std::set<int> sectors;
    for (const Match& m : overlap) {
      const Vec3 d = pair_[m.lens[0]].unproject(m.point[0]);
      sectors.insert(
          static_cast<int>(std::floor((std::atan2(d.y, d.x) / (2 * pi) + 0.5) * all_sectors)));
    }
    if (static_cast<int>(overlap.size()) >= least_matches &&
        static_cast<int>(sectors.size()) >= least_sectors)
      return ok();
    return invalid("only " + std::to_string(overlap.size()) +
                   " things are seen by both lenses, in " + std::to_string(sectors.size()) +
                   " of the " + std::to_string(all_sectors) +
                   " sectors of the seam; use pictures with more detail along the whole seam, or a "
                   "start profile that is nearer to the camera");
  }

  Result<Calibration> report() {
    std::vector<Match> all = overlap_;
    all.insert(all.end(), across_.begin(), across_.end());
    const double miss = median_miss(overlap_, pair_, views_);
    if (!too_few_ && agreement(pair_) < hopeless_correlation) return too_few_.error();
    if (cross_ ? miss > hopeless_residual : agreement(pair_) < hopeless_correlation)
      return invalid(
          "no lenses make the overlap fit: the things at the seam are too near or have too little "
          "detail, or the start profile is too different");
    // Matches of the overlap alone say little of the fall-off, and what the start knows of it was
    // measured.
    if (!cross_ && pair_.front.vignette == Vignette{} && pair_.back.vignette == Vignette{}) {
      const LightFinding light = find_light(pictures_, pair_);
      pair_.front.vignette = pair_.back.vignette = light.vignette;
      result_.fall_off_found = light.measured;
    }
    solve_light(all, cross_, pictures_.size(), pair_);
    result_.pair = pair_;
    result_.overlap_matches = static_cast<int>(overlap_.size());
    result_.cross_matches = static_cast<int>(across_.size());
    result_.joined = static_cast<int>(joined_.size());
    result_.unturned = static_cast<int>(unturned_.size());
    const double a_radian = pair_.front.model.radius() / pair_.front.half_fov();
    result_.residual = miss * a_radian;
    result_.residual_before = median_miss(overlap_, result_.before, views_) * a_radian;
    for (const GreyPicture& picture : pictures_) {
      result_.correlation_before += overlap_correlation(picture, result_.before);
      result_.correlation += overlap_correlation(picture, pair_);
    }
    result_.correlation_before /= static_cast<double>(pictures_.size());
    result_.correlation /= static_cast<double>(pictures_.size());
    result_.error = measure_error(detail_pictures(pictures_, pair_.front.model.radius()), pair_);
    result_.whole_field = cross_;
    result_.fall_off_found |= cross_;
    return result_;
  }

  const std::vector<GreyPicture>& pictures_;
  const CalibrationOptions& options_;
  std::vector<Pyramid> pyramids_;
  LensPair pair_;
  std::vector<Mat3> views_;
  std::set<size_t> joined_, unturned_;
  bool cross_ = false;
  int levels_ = 1, done_ = 0, total_ = 1;
  std::vector<Match> overlap_, across_;
  Status too_few_ = ok();
  Calibration result_;
};

/// Calibrates from many rough starts: improves all of them in small pictures, calibrates the best
/// ones in larger pictures, and the best of these in the pictures of full size.
class LensSearch {
 public:
  LensSearch(const std::vector<GreyPicture>& pictures, const std::optional<LensPair>& hint,
             const CalibrationOptions& options)
      : pictures_(pictures), hint_(hint), options_(options) {
    Size small = pictures[0].size;
    while (std::max(small.width, small.height) > largest_searched) {
      small = {small.width / 2, small.height / 2};
      ++reductions_;
    }
    for (const GreyPicture& picture : pictures)
      reduced_.push_back(Pyramid(picture, reductions_ + 1).level(reductions_));
    const Size size = reduced_[0].size;
    details_ = detail_pictures(
        reduced_,
        std::min(std::max(size.width, size.height) / 2, std::min(size.width, size.height)) / 2.0);
  }

  Result<Calibration> run() {
    std::vector<CalibrationStart> starts = find_starts(reduced_, most_starts);
    std::erase_if(starts, [best = starts.empty() ? 0 : starts[0].agreement](
                              const CalibrationStart& s) { return s.agreement < best - hopeless; });
    for (CalibrationStart& start : starts) {
      if (!step()) return failed("interrupted");
      improve(start);
    }
    std::ranges::stable_sort(starts, [](const CalibrationStart& a, const CalibrationStart& b) {
      return a.agreement > b.agreement;
    });
    const bool clear =
        starts.size() > 1 && starts[0].agreement > starts[1].agreement + clearly_better;
    if (starts.size() > most_calibrated) starts.resize(most_calibrated);
    if (clear) starts.resize(1);
    if (hint_) starts.insert(starts.begin(), {*hint_, 0});
    Result<Calibration> best = invalid("the pictures have too little detail");
    for (const CalibrationStart& start : starts) {
      CalibrationOptions part;
      part.progress = [this](int, int) { return step(); };
      Result<Calibration> found = calibrate(reduced_, start.pair, part);
      if (interrupted_) return failed("interrupted");
      if (found && !shows_overlap(found->pair)) continue;
      if (found && !found->whole_field) keep_better(start.pair, *found);
      if (found ? !best || score(found->pair) > score(best->pair) : !best) best = std::move(found);
    }
    if (!best) return best;
    if (!best->whole_field) search_nearby(*best);
    if (interrupted_) return failed("interrupted");
    if (reductions_) best = polished(std::move(*best));
    if (best) best->error = measure_error(details_, best->pair);
    return best;
  }

 private:
  // Pixels of the longer side: what is searched in.
  static constexpr int largest_searched = 1600;
  static constexpr size_t most_starts = 6, most_calibrated = 2;
  // How much less of the agreement makes a start hopeless beside the best one, and how much more of
  // score() makes it needless to calibrate from another.
  static constexpr double hopeless = 0.15, clearly_better = 0.8;
  static constexpr double brightness_weight = 8;
  static constexpr int coarse_width = 640;
  // Less shows nothing twice.
  static constexpr double least_fov = radians(181);
  // Of the brightest tenth: what is below is black. How much more of it there may be at the seam
  // than inside.
  static constexpr double black_part = 0.1, most_dark = 0.25;
  // Of the progress: what one start and one calibration are, about.
  static constexpr int all_steps = most_starts + 3 * 12;

  bool step() {
    interrupted_ = interrupted_ || (options_.progress &&
                                    !options_.progress(std::min(done_++, all_steps), all_steps));
    return !interrupted_;
  }

  /// Whether both lenses really draw what the pair says that both see: where the pictures have
  /// ended, black agrees with black.
  bool shows_overlap(const LensPair& pair) const {
    if (std::min(pair.front.model.fov(), pair.back.model.fov()) < least_fov) return false;
    double dark_at_seam = 0, dark_inside = 0;
    for (const GreyPicture& picture : reduced_) {
      dark_at_seam += dark_part(picture, pair, radians(88), radians(92));
      dark_inside += dark_part(picture, pair, radians(20), radians(75));
    }
    return (dark_at_seam - dark_inside) / static_cast<double>(reduced_.size()) < most_dark;
  }

  /// How much of a ring round the axes of both lenses, between two angles off them, is black.
  static double dark_part(const GreyPicture& picture, const LensPair& pair, double from,
                          double to) {
    std::vector<uint8_t> light(picture.pixels);
    const auto bright = light.begin() + static_cast<ptrdiff_t>(light.size() * 9 / 10);
    std::nth_element(light.begin(), bright, light.end());
    const double black = black_part * *bright;
    constexpr int round = 180, steps = 5;
    int dark = 0, all = 0;
    for (int i = 0; i < 2; ++i)
      for (int a = 0; a < round; ++a)
        for (int s = 0; s < steps; ++s) {
          const double off = from + (to - from) * s / (steps - 1), turn = 2 * pi * a / round;
          const Vec3 d = pair[i].to_camera * Vec3{std::sin(off) * std::cos(turn),
                                                  std::sin(off) * std::sin(turn), std::cos(off)};
          const Point p = pair[i].project(d);
          dark += brightness_at(picture, p.x, p.y) < black;
          ++all;
        }
    return static_cast<double>(dark) / all;
  }

  double agreement(const std::vector<GreyPicture>& pictures, const LensPair& pair) const {
    double sum = 0;
    for (const GreyPicture& picture : pictures) sum += overlap_correlation(picture, pair);
    return sum / static_cast<double>(pictures.size());
  }

  /// What the lenses are chosen by: the brightness alone agrees by chance if the overlap is narrow,
  /// the details alone disagree where many things are near.
  double score(const LensPair& pair) const {
    double sum = 0;
    for (const GreyPicture& picture : details_) sum += detail_agreement(picture, pair);
    return brightness_weight * agreement(reduced_, pair) +
           sum / static_cast<double>(details_.size());
  }

  /// A calibration may have gone to worse lenses than those that it was started from.
  void keep_better(const LensPair& start, Calibration& found) const {
    const Result<LensPair> pair = as_kannala_brandt(start, reduced_[0].size);
    if (!pair || score(*pair) <= score(found.pair)) return;
    for (int i = 0; i < 2; ++i) {
      Lens lens = (*pair)[i];
      lens.vignette = found.pair[i].vignette;
      lens.gain = found.pair[i].gain;
      found.pair[i] = lens;
    }
    found.correlation = agreement(reduced_, found.pair);
  }

  void improve(CalibrationStart& start) {
    if (coarse_.empty()) {
      int level = 0;
      while (std::max(reduced_[0].size.width, reduced_[0].size.height) >> level > coarse_width)
        ++level;
      for (const GreyPicture& picture : reduced_) coarse_.emplace_back(picture, level + 1);
    }
    const Result<LensPair> solvable = as_kannala_brandt(start.pair, reduced_[0].size);
    if (!solvable) return;
    LensPair pair = *solvable;
    for (int level = coarse_[0].levels() - 1; level >= std::max(coarse_[0].levels() - 2, 0);
         --level)
      if (!refine_overlap(coarse_, level, *solvable, Curve::held, pair)) break;
    const double before = score(start.pair), after = score(pair);
    const bool better = after > before && shows_overlap(pair);
    if (better) start.pair = pair;
    start.agreement = !better && !shows_overlap(start.pair) ? -1 : better ? after : before;
  }

  /// Refines again from fields of view that are a little different, because there may be better
  /// lenses nearby that a refinement does not reach.
  void search_nearby(Calibration& best) {
    constexpr std::array changes = {1.0, 0.98, 1.02};
    const LensPair found = best.pair;
    double most = score(found);
    for (const double change : changes) {
      LensPair start = found;
      for (int i = 0; i < 2; ++i)
        if (const Result<RadialModel> model =
                RadialModel::make(start[i].model.kind(), start[i].model.fov() * change,
                                  start[i].model.radius(), start[i].model.coefficients());
            model)
          start[i].model = *model;
      LensPair pair = start;
      for (int level = std::min(coarse_[0].levels(), 3) - 1; level >= 0; --level) {
        if (!step()) return;
        if (!refine_overlap(coarse_, level, start, level ? Curve::held : Curve::bent, pair)) break;
      }
      const double reached = score(pair);
      if (reached <= most || !shows_overlap(pair)) continue;
      most = reached;
      best.pair = pair;
      best.correlation = agreement(reduced_, pair);
    }
  }

  Result<Calibration> polished(Calibration found) {
    const Size full = pictures_[0].size;
    std::vector<Pyramid> pyramids;
    for (const GreyPicture& picture : pictures_) pyramids.emplace_back(picture, reductions_);
    LensPair pair = found.pair.scaled_to(full);
    const LensPair rough = pair;
    // Matches all over the lenses know more than the overlap.
    if (found.whole_field) {
      CalibrationOptions part;
      part.progress = [this](int, int) { return step(); };
      return calibrate(pictures_, rough, part);
    }
    for (int level = reductions_ - 1; level >= 0; --level) {
      if (!step()) return failed("interrupted");
      if (!refine_overlap(pyramids, level, rough, Curve::bent, pair)) break;
    }
    found.before = found.before.scaled_to(full);
    found.correlation_before = agreement(pictures_, found.before);
    const double is = agreement(pictures_, pair), was = agreement(pictures_, rough);
    found.pair = is >= was ? pair : rough;
    found.correlation = std::max(is, was);
    const double larger = static_cast<double>(full.width) / reduced_[0].size.width;
    found.residual *= larger;
    found.residual_before *= larger;
    return found;
  }

  const std::vector<GreyPicture>& pictures_;
  const std::optional<LensPair>& hint_;
  const CalibrationOptions& options_;
  int reductions_ = 0, done_ = 0;
  bool interrupted_ = false;
  std::vector<GreyPicture> reduced_, details_;
  std::vector<Pyramid> coarse_;
};

}  // namespace

Result<Calibration> calibrate(const std::vector<GreyPicture>& pictures, const LensPair& start,
                              const CalibrationOptions& options) {
  if (pictures.empty()) return invalid("there are no pictures");
  for (const GreyPicture& picture : pictures)
    if (picture.size != pictures[0].size) return invalid("the pictures have different sizes");
  const Result<LensPair> pair = as_kannala_brandt(start, pictures[0].size);
  if (!pair) return pair.error();
  return Calibrator(pictures, *pair, options).run();
}

Result<Calibration> find_lenses(const std::vector<GreyPicture>& pictures,
                                const std::optional<LensPair>& hint,
                                const CalibrationOptions& options) {
  if (pictures.empty()) return invalid("no pictures are given");
  for (const GreyPicture& picture : pictures)
    if (picture.size != pictures[0].size) return invalid("the pictures are of different sizes");
  return LensSearch(pictures, hint, options).run();
}

double overlap_correlation(const GreyPicture& picture, const LensPair& pair) {
  // The size of the output in which the seam is compared.
  constexpr Size output = {1280, 640};
  constexpr double band = radians(2.5), highest = radians(60);
  // The less of the band both lenses see, the less their agreement counts; a narrow strip agrees by
  // chance.
  constexpr double least_seen = 0.4, unseen_weight = 0.2;
  const double near_seam = 2 * std::sin(band);
  const Vec3 between = pair.front.axis() - pair.back.axis();
  std::vector<Vec3> columns;
  for (int x = 0; x < output.width; ++x)
    columns.push_back(equirect_direction({x + 0.5, output.height / 2.0}, output));
  double in_band = 0, n = 0, sa = 0, sb = 0, ab = 0, aa = 0, bb = 0;
  for (int y = 0; y < output.height; ++y) {
    const LonLat row = lonlat_of(equirect_direction({0.5, y + 0.5}, output));
    if (std::abs(row.lat) > highest) continue;
    const Vec3 top = equirect_direction({0.5, y + 0.5}, output);
    const double across = std::cos(row.lat);
    for (const Vec3& column : columns) {
      const Vec3 d = {across * column.x, top.y, across * column.z};
      // Half of the difference of the angles is at least this.
      if (std::abs(dot(d, between)) > near_seam) continue;
      const double off[] = {pair.front.angle_to_axis(d), pair.back.angle_to_axis(d)};
      if (std::abs(off[1] - off[0]) / 2 > band) continue;
      ++in_band;
      const Point pa = pair.front.project(d), pb = pair.back.project(d);
      if (!sees(pair.front, off[0], pa) || !sees(pair.back, off[1], pb)) continue;
      const double a = brightness_at(picture, pa.x, pa.y), b = brightness_at(picture, pb.x, pb.y);
      n += 1, sa += a, sb += b, ab += a * b, aa += a * a, bb += b * b;
    }
  }
  if (n == 0) return 0;
  const double deviations = std::sqrt(std::max((aa - sa * sa / n) * (bb - sb * sb / n), 0.0));
  if (!(deviations > 0)) return 0;
  const double seen = n / in_band;
  return (ab - sa * sb / n) / deviations * std::min(1.0, seen / least_seen) *
         (1 - unseen_weight * (1 - seen));
}

GreyPicture seam_picture(const GreyPicture& picture, const LensPair& pair) {
  constexpr double band = radians(8);  // to each side
  const double a_radian = pair.front.model.radius() / pair.front.half_fov();
  GreyPicture drawn;
  const int rows = std::max(16, static_cast<int>(band * a_radian));
  drawn.size = {std::max(64, static_cast<int>(2 * pi * a_radian)), 2 * rows};
  drawn.pixels.resize(static_cast<size_t>(drawn.size.width) * drawn.size.height);
  for (int y = 0; y < drawn.size.height; ++y)
    for (int x = 0; x < drawn.size.width; ++x) {
      const double round = 2 * pi * (x + 0.5) / drawn.size.width;
      const double off = (y + 0.5 - rows) / a_radian;
      const Vec3 d = {std::cos(off) * std::cos(round), std::cos(off) * std::sin(round),
                      -std::sin(off)};
      const Lens& lens = off < 0 ? pair.front : pair.back;
      const Point p = lens.project(d);
      const double light = brightness_at(picture, p.x, p.y) / lens.brightness(lens.distance(p));
      drawn.pixels[static_cast<size_t>(y) * drawn.size.width + x] =
          static_cast<uint8_t>(std::clamp(light + 0.5, 0.0, 255.0));
    }
  return drawn;
}

}  // namespace sphere
