// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/auto_view.h"

#include <cmath>
#include <string_view>

#include "gst/sphere/base/number.h"
#include "gst/tools/time_option.h"

#if HAVE_OPENCV
#include "gst/tools/auto_search.h"
#endif

namespace sphere::tool {

namespace {

constexpr double most_degrees = 360;
constexpr double smallest_target = 1, largest_target = 60;

bool take(std::string_view* text, std::string_view word) {
  if (!text->starts_with(word)) return false;
  text->remove_prefix(word.size());
  return true;
}

bool take_degrees(std::string_view* text) { return take(text, "deg") || take(text, "°"); }

}  // namespace

Result<FollowTarget> parse_follow(const std::string& typed) {
  const Error wrong = invalid(
      "--follow is '" + typed +
      "', must be X,Y@TIME: a place in the picture, in pixels of IN (1920,960@2.5) or as yaw and "
      "pitch in degrees (30deg,-5deg@2.5), and a time in seconds or as M:S");
  std::string_view text = typed;
  FollowTarget target;
  const std::optional<double> x = take_number(&text);
  const bool x_in_degrees = take_degrees(&text);
  if (!x || !take(&text, ",")) return wrong;
  const std::optional<double> y = take_number(&text);
  const bool y_in_degrees = take_degrees(&text);
  if (!y || x_in_degrees != y_in_degrees || !take(&text, "@")) return wrong;
  const Result<double> time = parse_time("the time of --follow", std::string(text));
  if (!time) return time.error();
  target = {*x, *y, x_in_degrees, *time};
  if (target.in_degrees && !(std::abs(target.x) <= most_degrees && std::abs(target.y) <= 90))
    return invalid("--follow: the yaw must be -360 to 360 degrees, and the pitch -90 to 90");
  return target;
}

AutoViewOption::~AutoViewOption() {
  g_free(follow_);
  g_free(save_);
}

std::vector<GOptionEntry> AutoViewOption::entries() {
  return {{"follow", 0, 0, G_OPTION_ARG_STRING, &follow_,
           "Of a video: keep in the middle what is at this place of IN at this time; X and Y are "
           "pixels, or with 'deg' behind each, yaw and pitch",
           "X,Y@TIME"},
          {"follow-size", 0, 0, G_OPTION_ARG_DOUBLE, &size_,
           "How large it is, 1 to 60 (default: 10)", "DEGREES"},
          {"save-keyframes", 0, 0, G_OPTION_ARG_FILENAME, &save_,
           "Where the keyframes go that --follow or --level finds", "FILE"}};
}

Status AutoViewOption::parse(StitchOptions* options) const {
  if (follow_) {
    const Result<FollowTarget> target = parse_follow(follow_);
    if (!target) return target.error();
    options->follow = *target;
    if (!options->keyframes.empty())
      return invalid("--follow and --keyframes both tell what is looked at; use one of them");
    if (options->yaw != 0 || options->pitch != 0)
      return invalid("--follow tells what is looked at; --yaw and --pitch can't be used with it");
    if (options->photo_out) return invalid("--follow needs a video; nothing moves in a picture");
    if (shows_all(options->projection))
      return invalid("--follow needs a projection that shows a view, not the whole sphere");
#if !HAVE_OPENCV
    return unsupported(
        "--follow: this build of gst-sphere can't look for things in pictures; build it with "
        "OpenCV");
#endif
  }
  if (is_given(size_)) {
    if (!follow_) return invalid("--follow-size needs --follow");
    if (const Status in = check_range("--follow-size", size_, smallest_target, largest_target); !in)
      return in;
    options->follow_size = size_;
  }
  if (save_) {
    if (options->photo_out) return invalid("--save-keyframes: a picture has no keyframes");
    if (!follow_ && options->level != "horizon")
      return invalid("--save-keyframes needs --follow or --level horizon");
    options->save_keyframes = save_;
  }
  return ok();
}

Status find_view(const StitchInput& input, const AutoSearch& search, StitchOptions* options,
                 MessagePrinter* printer) {
  // Two fisheyes are levelled while they are stitched, where the file tells how they were held.
  options->find_level =
      options->find_level && (options->from_sphere || input.capture.orientations.empty());
  if (!options->find_level && !options->follow) return ok();
#if HAVE_OPENCV
  return search_view(input, search, options, printer);
#else
  return unsupported(
      "--level horizon: the file does not tell how the camera was held, and this build of "
      "gst-sphere can't find out from the picture; build it with OpenCV");
#endif
}

}  // namespace sphere::tool
