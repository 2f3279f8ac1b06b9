// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/adaptation.h"

#include <cmath>

namespace sphere::live {

namespace {

constexpr int64_t second = 1'000'000;
// Long enough that one late picture does not count as overload, and short enough that the second
// look comes within longest_reaction.
constexpr int64_t window = 3 * second / 2;
// Below this share of lost pictures the processor keeps up: a picture or two are on their way.
constexpr double most_lost = 0.1, few_lost = 0.04;
// The next size shall leave a tenth of the processor free.
constexpr double headroom = 0.9;
constexpr double parts[] = {1, 0.75, 0.5, 0.375, 0.25};
constexpr int smallest_width = 320, width_step = 32;
constexpr int64_t first_raise_after = 15 * second, longest_raise_after = 240 * second;
// A size that overloads the processor within this time after a step up was too much.
constexpr int64_t failed_raise = 10 * second;

constexpr int64_t most_queued = 7 * second / 10, little_queued = 2 * second / 10;
constexpr int64_t slow_for = second / 2, between_changes = 3 * second / 2, fast_for = 8 * second;
constexpr double lowering = 0.7, raising = 1.15, least_network = 0.12;
// Below these shares of the bit rate, a smaller picture looks better.
constexpr double half_below = 0.3, quarter_below = 0.15;
// Half as many pixels need more than half of the bits.
constexpr double bits_of_pixels = 0.75;

std::string size_text(int width) { return std::to_string(width) + "x" + std::to_string(width / 2); }

}  // namespace

Adaptation::Adaptation(const AdaptationLimits& limits)
    : limits_(limits), raise_after_(first_raise_after) {
  widths_.push_back(limits.width);
  if (limits.sizes)
    for (const double part : parts) {
      const int width = static_cast<int>(limits.width * part) / width_step * width_step;
      if (width >= smallest_width && width < widths_.back()) widths_.push_back(width);
    }
}

size_t Adaptation::network_index() const {
  const double least = network_ < quarter_below ? 0.25 : network_ < half_below ? 0.5 : 1;
  for (size_t i = 0; i < widths_.size(); ++i)
    if (widths_[i] <= limits_.width * least) return i;
  return widths_.size() - 1;
}

int Adaptation::bitrate() const {
  const double pixels = std::pow(static_cast<double>(width()) / limits_.width, 2);
  const double of_size = limits_.bitrates ? std::pow(pixels, bits_of_pixels) : 1;
  return std::max(1, static_cast<int>(limits_.bitrate * std::min(of_size, network_)));
}

std::optional<AdaptationStep> Adaptation::step(const std::string& reason) {
  recent_.clear();
  keeps_up_since_ = 0;
  return AdaptationStep{width(), bitrate(), reason};
}

std::optional<AdaptationStep> Adaptation::update(const Load& load) {
  if (auto changed = watch_network(load)) return changed;
  return watch_processor(load);
}

std::optional<AdaptationStep> Adaptation::watch_processor(const Load& load) {
  recent_.push_back(load);
  // Of the entries that are older than the window, only the newest is kept.
  while (recent_.size() > 2 && load.now - recent_[1].now >= window) recent_.pop_front();
  const Load& before = recent_.front();
  if (load.now - before.now < window) return std::nullopt;
  const auto arrived = static_cast<double>(load.arrived - before.arrived);
  const auto encoded = static_cast<double>(load.encoded - before.encoded);
  if (arrived < 5) return std::nullopt;  // the source has paused
  const double lost = std::clamp(1 - encoded / arrived, 0.0, 1.0);

  if (lost > most_lost) {
    keeps_up_since_ = 0;
    if (index() + 1 >= widths_.size()) {
      recent_.clear();
      return std::nullopt;
    }
    if (raised_at_ && load.now - raised_at_ < failed_raise)
      raise_after_ = std::min(2 * raise_after_, longest_raise_after);
    raised_at_ = 0;
    const int before_width = width();
    const double fits = before_width * std::sqrt((1 - lost) * headroom);
    processor_ = index() + 1;
    while (processor_ + 1 < widths_.size() && widths_[processor_] > fits) ++processor_;
    return step("the processor is too slow for " + size_text(before_width) +
                ": the picture is now " + size_text(width()));
  }
  if (lost > few_lost) {
    keeps_up_since_ = 0;
    return std::nullopt;
  }
  if (!keeps_up_since_) keeps_up_since_ = load.now;
  if (raised_at_ && load.now - raised_at_ > longest_raise_after) raise_after_ = first_raise_after;
  if (processor_ == 0 || load.now - keeps_up_since_ < raise_after_) return std::nullopt;
  const int before_width = width();
  --processor_;
  raised_at_ = load.now;
  if (width() == before_width) return std::nullopt;  // smaller already because of the network
  return step("the processor keeps up: the picture is " + size_text(width()) +
              (full() ? " again" : " now"));
}

std::optional<AdaptationStep> Adaptation::watch_network(const Load& load) {
  if (!limits_.bitrates) return std::nullopt;
  const bool slow = load.losing || load.queued > most_queued;
  if (slow) {
    fast_since_ = 0;
    if (!slow_since_) slow_since_ = load.now;
    if (load.now - slow_since_ < slow_for ||
        (bitrate_changed_at_ && load.now - bitrate_changed_at_ < between_changes) ||
        network_ <= least_network)
      return std::nullopt;
    // An easy picture needs fewer bits than it may have.
    double rate = bitrate();
    if (load.kbit_s > 0) rate = std::min(rate, static_cast<double>(load.kbit_s));
    network_ = std::max(least_network, lowering * std::min(network_, rate / limits_.bitrate));
    bitrate_changed_at_ = load.now;
    return step(load.slowest + " takes the stream too slowly: " + std::to_string(bitrate()) +
                " kbit/s and " + size_text(width()) + " now");
  }
  slow_since_ = 0;
  if (load.queued > little_queued) {
    fast_since_ = 0;
    return std::nullopt;
  }
  if (!fast_since_) fast_since_ = load.now;
  if (network_ >= 1 || load.now - fast_since_ < fast_for) return std::nullopt;
  fast_since_ = load.now;
  const int width_before = width();
  network_ = std::min(1.0, network_ * raising);
  bitrate_changed_at_ = load.now;
  std::string words = "the network keeps up: " + std::to_string(bitrate()) + " kbit/s";
  if (width() != width_before) words += " and " + size_text(width());
  return step(words + (full() ? " again" : " now"));
}

}  // namespace sphere::live
