// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/vision/follower.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string>
#include <utility>

#include "gst/sphere/geometry/turn.h"
#include "gst/sphere/vision/tangent_view.h"

namespace sphere {

namespace {

// Pixels across the thing. More of them cost time, and show nothing more of where it is.
constexpr int least_side = 17, most_side = 65;
// Steps of brightness, as a standard deviation. What is more even looks the same everywhere.
constexpr double least_contrast = 3;

// How far it is looked for, radians: around where it should be by now, and per second on top.
const double usual_reach = radians(4), reach_a_second = radians(60), most_reach = radians(25);
const double lost_reach = radians(40);  ///< around where it was seen last
// What goes behind something comes out on the other side: so long it is also looked for where it
// would be if it had gone on.
constexpr double longest_going_on = 3;      ///< seconds
const double going_on_reach = radians(25);  ///< around there
const double least_going_on = radians(10);  ///< from where it was seen last
const double most_going_on = radians(120);
const double fine_reach = radians(1.5);
// What is compared with the first picture may have become larger or smaller, and be turned.
constexpr double scale_step = 1.05, least_scale = 0.4, most_scale = 2.5;
const double turn_step = radians(4);

// Likeness. The first picture is trusted from `good` on: then nothing adds up from picture to
// picture. Where it says less, the pictures before are trusted, for some time.
constexpr double good = 0.55, poor = 0.25, like_before = 0.85, found_again = 0.7;
// Something else is often a little alike. Where the likeness falls to less than this part of what
// it was, the pictures before must agree.
constexpr double sudden_fall = 0.75, clear_fall = 0.95;
// Of what it was: what is found elsewhere must be that alike.
constexpr double as_before = 0.88;
// What moves goes on as it moved: of two places that are alike, the expected one is right.
constexpr double unexpected = 0.3;
constexpr double longest_doubt = 0.5;  ///< seconds
constexpr double memory = 0.25;        ///< seconds, of the pictures before
constexpr double speed_memory = 0.1;   ///< seconds
// The last pictures before a loss show a part of the thing, which seems to stop.
constexpr double steady_speed_memory = 0.5;  ///< seconds
constexpr double shortest_step = 1e-3, longest_step = 1;

/// The weight of each pixel: the edge of the thing counts less than its middle, and its
/// surroundings not at all.
cv::Mat weights_of(int side) {
  cv::Mat weights(side, side, CV_32F);
  const double middle = (side - 1) / 2.0;
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const double away = std::min(std::hypot(x - middle, y - middle) / (side / 2.0), 1.0);
      const double c = std::cos(away * pi / 2);
      weights.at<float>(y, x) = static_cast<float>(c);
    }
  return weights;
}

/// The weighted standard deviation.
double contrast_of(const cv::Mat& patch, const cv::Mat& weights) {
  const double all = cv::sum(weights)[0];
  const double mean = patch.dot(weights) / all;
  const cv::Mat off = patch - mean;
  return std::sqrt(off.mul(off).dot(weights) / all);
}

Mat3 turned_about_axis(const Mat3& frame, double turn) {
  return frame * rotation({0, 0, degrees(turn)});
}

/// The same frame after the shortest turn that lets it look in a direction. Unlike yaw and pitch,
/// this has no jumps at the poles.
Mat3 looking_at(const Mat3& frame, Vec3 direction) {
  return matrix_of(turn_between(frame.column(2), direction)) * frame;
}

/// A direction after a turn about an axis, whose length is the angle.
Vec3 turned(Vec3 d, Vec3 turn) {
  const double angle = length(turn);
  if (angle < 1e-12) return d;
  const Vec3 axis = (1 / angle) * turn;
  return normalised(std::cos(angle) * d + std::sin(angle) * cross(axis, d) +
                    ((1 - std::cos(angle)) * dot(axis, d)) * axis);
}

/// The offset of a peak from the middle one of three values, -0.5 to 0.5.
double peak_offset(double before, double at, double after) {
  const double bend = before - 2 * at + after;
  if (!(bend < -1e-9)) return 0;
  return std::clamp((before - after) / (2 * bend), -0.5, 0.5);
}

/// Steps from the middle one of three values to the largest, or to the peak beside it.
double step_to_peak(double before, double at, double after) {
  if (at >= before && at >= after) return peak_offset(before, at, after);
  return before > after ? -1 : 1;
}

struct Match {
  Point place;  ///< of the middle of what was looked for, in pixels of the view
  double likeness = -1;
};

/// The place with the greatest likeness, less `cost` for each size of what is wanted that it is
/// away from the middle of the view.
Match best_match(const cv::Mat& view, const cv::Mat& wanted, const cv::Mat& weights, double cost) {
  cv::Mat picture, likeness;
  view.convertTo(picture, CV_32F);
  cv::matchTemplate(picture, wanted, likeness, cv::TM_CCOEFF_NORMED, weights);
  cv::Mat score(likeness.size(), CV_32F);
  const double middle_x = (likeness.cols - 1) / 2.0, middle_y = (likeness.rows - 1) / 2.0;
  for (int y = 0; y < likeness.rows; ++y)
    for (int x = 0; x < likeness.cols; ++x) {
      float& v = likeness.at<float>(y, x);
      // Where a picture is even, the quotient may be anything.
      if (!(v >= -1.01f && v <= 1.01f)) v = -1;
      const double away = std::hypot(x - middle_x, y - middle_y) / wanted.cols;
      score.at<float>(y, x) = static_cast<float>(v - cost * away);
    }
  Match match;
  cv::Point at;
  cv::minMaxLoc(score, nullptr, nullptr, nullptr, &at);
  match.likeness = likeness.at<float>(at);
  const auto value = [&](int dx, int dy) {
    return static_cast<double>(likeness.at<float>(std::clamp(at.y + dy, 0, likeness.rows - 1),
                                                  std::clamp(at.x + dx, 0, likeness.cols - 1)));
  };
  match.place = {at.x + peak_offset(value(-1, 0), value(0, 0), value(1, 0)) + wanted.cols / 2.0,
                 at.y + peak_offset(value(0, -1), value(0, 0), value(0, 1)) + wanted.rows / 2.0};
  return match;
}

}  // namespace

/// The state of the search, and OpenCV's types, which users of the header need not know.
class Follower::Search {
 public:
  Search(const SpherePicture& picture, Vec3 target, double size)
      : size_(picture.size),
        frame_(upright_frame(target)),
        pixel_(std::max(2 * pi / picture.size.width, size / most_side)) {
    side_ = std::max(static_cast<int>(std::lround(size / pixel_)), least_side) | 1;
    pixel_ = size / side_;
    weights_ = weights_of(side_);
    first_ = patch(picture);
    recent_ = first_.clone();
    coarse_side_ = (side_ / 2) | 1;
    coarse_weights_ = weights_of(coarse_side_);
    cv::resize(first_, coarse_first_, {coarse_side_, coarse_side_}, 0, 0, cv::INTER_AREA);
  }

  double contrast() const { return contrast_of(first_, weights_); }
  Size size() const { return size_; }

  Followed next(const SpherePicture& picture, double seconds) {
    const double passed = std::clamp(seconds, shortest_step, longest_step);
    return is_lost_ ? find_again(picture, passed) : follow(picture, passed);
  }

 private:
  struct Place {
    Vec3 direction;
    double likeness = -1, scale = 1, turn = 0;
  };

  static Mat3 upright_frame(Vec3 target) {
    const LonLat at = lonlat_of(target);
    return rotation({degrees(at.lon), degrees(at.lat), 0});
  }

  Vec3 direction() const { return frame_.column(2); }
  Followed answer(bool is_seen, double likeness) const { return {direction(), is_seen, likeness}; }

  /// What is seen now where the thing is.
  cv::Mat patch(const SpherePicture& picture) const {
    cv::Mat made;
    TangentView(frame_, side_, pixel_).draw(picture).convertTo(made, CV_32F);
    return made;
  }

  Place look_for(const SpherePicture& picture, const Mat3& frame, const cv::Mat& wanted,
                 const cv::Mat& weights, double pixel, double reach, double cost = 0) const {
    const int around = static_cast<int>(std::ceil(std::tan(reach) / pixel));
    const TangentView view(frame, wanted.cols + 2 * around, pixel);
    const Match match = best_match(view.draw(picture), wanted, weights, cost);
    return {view.direction(match.place), match.likeness};
  }

  /// As it looked at first, near a direction: where, and at which size and angle, it is most alike.
  Place refine(const SpherePicture& picture, const Mat3& frame) const {
    Place best;
    const auto likeness_of = [&](double scale, double turn) {
      const double inside = std::clamp(scale, least_scale, most_scale);
      const Place place = look_for(picture, turned_about_axis(frame, turn), first_, weights_,
                                   pixel_ * inside, fine_reach);
      if (place.likeness > best.likeness) best = place;
      return place.likeness;
    };
    const double same = likeness_of(scale_, turn_);
    const double scale_steps = step_to_peak(likeness_of(scale_ / scale_step, turn_), same,
                                            likeness_of(scale_ * scale_step, turn_));
    const double turn_steps = step_to_peak(likeness_of(scale_, turn_ - turn_step), same,
                                           likeness_of(scale_, turn_ + turn_step));
    best.scale = std::clamp(scale_ * std::pow(scale_step, scale_steps), least_scale, most_scale);
    best.turn = turn_ + turn_step * turn_steps;
    return best;
  }

  Followed follow(const SpherePicture& picture, double passed) {
    const Vec3 expected = turned(direction(), passed * speed_);
    const double reach = std::min(usual_reach + reach_a_second * passed, most_reach);
    const Place before = look_for(picture, looking_at(frame_, expected), recent_, weights_, pixel_,
                                  reach, unexpected);
    Place first = refine(picture, looking_at(frame_, before.direction));
    // The pictures before may lead astray, such as to the next of several equal parts.
    if (first.likeness < clear_fall * usual_likeness_) {
      const Place wide = look_for(picture, turned_about_axis(looking_at(frame_, expected), turn_),
                                  first_, weights_, pixel_ * scale_, reach, unexpected);
      const Place other = refine(picture, looking_at(frame_, wide.direction));
      if (other.likeness > first.likeness) first = other;
    }
    doubt_ = first.likeness < poor ? doubt_ + passed : 0;
    const bool by_first = first.likeness >= std::max(good, sudden_fall * usual_likeness_);
    if (!by_first && (before.likeness < like_before || doubt_ > longest_doubt)) {
      is_lost_ = true;
      lost_for_ = passed;
      speed_ = {};
      doubt_ = 0;
      return answer(false, std::max(first.likeness, 0.0));
    }
    const Vec3 now = by_first ? first.direction : before.direction;
    if (by_first) {
      scale_ = first.scale;
      turn_ = first.turn;
    }
    move_to(now, passed);
    const double part = 1 - std::exp(-passed / memory);
    usual_likeness_ += part * (first.likeness - usual_likeness_);
    cv::addWeighted(recent_, 1 - part, patch(picture), part, 0, recent_);
    return answer(true, std::min(by_first ? first.likeness : before.likeness, 1.0));
  }

  void move_to(Vec3 now, double passed) {
    const Vec3 axis = cross(direction(), now);
    const double sine = length(axis);
    const Vec3 speed =
        sine > 1e-12 ? (angle_between(direction(), now) / sine / passed) * axis : Vec3{};
    const double part = 1 - std::exp(-passed / speed_memory);
    speed_ = (1 - part) * speed_ + part * speed;
    const double steady = 1 - std::exp(-passed / steady_speed_memory);
    steady_speed_ = (1 - steady) * steady_speed_ + steady * speed;
    frame_ = looking_at(frame_, now);
  }

  Followed find_again(const SpherePicture& picture, double passed) {
    lost_for_ += passed;
    const double reach = std::min(usual_reach + reach_a_second * lost_for_, lost_reach);
    const double coarse = pixel_ * side_ / coarse_side_ * scale_;
    const auto look_around = [&](const Mat3& frame, double within) {
      const Place around = look_for(picture, turned_about_axis(frame, turn_), coarse_first_,
                                    coarse_weights_, coarse, within);
      return refine(picture, looking_at(frame, around.direction));
    };
    Place place = look_around(frame_, reach);
    const double gone = lost_for_ * length(steady_speed_);
    if (lost_for_ < longest_going_on && gone > least_going_on && gone < most_going_on) {
      const Mat3 ahead = looking_at(frame_, turned(direction(), lost_for_ * steady_speed_));
      const Place other = look_around(ahead, std::min(reach, going_on_reach));
      if (other.likeness > place.likeness) place = other;
    }
    if (place.likeness < std::max(found_again, as_before * usual_likeness_))
      return answer(false, std::max(place.likeness, 0.0));
    is_lost_ = false;
    steady_speed_ = {};
    scale_ = place.scale;
    turn_ = place.turn;
    frame_ = looking_at(frame_, place.direction);
    recent_ = patch(picture);
    usual_likeness_ = place.likeness;
    return answer(true, std::min(place.likeness, 1.0));
  }

  const Size size_;
  Mat3 frame_;  ///< looks at the thing
  double pixel_;
  int side_ = 0, coarse_side_ = 0;
  cv::Mat weights_, first_, recent_, coarse_weights_, coarse_first_;
  double scale_ = 1, turn_ = 0;  ///< of the thing now, in the frame, against the first picture
  Vec3 speed_;                   ///< radians a second about this axis
  Vec3 steady_speed_;            ///< likewise, over a longer time; kept while it is lost
  double usual_likeness_ = 1;    ///< to the first picture
  double doubt_ = 0;             ///< seconds for which the first picture looks different
  double lost_for_ = 0;          ///< seconds
  bool is_lost_ = false;
};

Follower::Follower(std::unique_ptr<Search> search) : search_(std::move(search)) {}
Follower::Follower(Follower&&) noexcept = default;
Follower& Follower::operator=(Follower&&) noexcept = default;
Follower::~Follower() = default;

Result<Follower> Follower::make(const SpherePicture& picture, Vec3 target, double size) {
  if (!picture.is_complete()) return invalid("the picture is not complete");
  if (!(size >= smallest && size <= largest))
    return invalid("the size of what is followed must be " + std::to_string(std::lround(smallest)) +
                   " to " + std::to_string(std::lround(largest)) + " degrees");
  try {
    auto search = std::make_unique<Search>(picture, normalised(target), radians(size));
    if (search->contrast() < least_contrast)
      return invalid(
          "nothing can be followed there, because the picture is even; choose a place with "
          "something that stands out");
    return Follower(std::move(search));
  } catch (const cv::Exception& reason) {
    return failed(std::string("OpenCV can't search the picture: ") + reason.what());
  }
}

Result<Followed> Follower::next(const SpherePicture& picture, double seconds) {
  if (!picture.is_complete() || picture.size != search_->size())
    return invalid("the pictures change their size");
  try {
    return search_->next(picture, seconds);
  } catch (const cv::Exception& reason) {
    return failed(std::string("OpenCV can't search the picture: ") + reason.what());
  }
}

}  // namespace sphere
