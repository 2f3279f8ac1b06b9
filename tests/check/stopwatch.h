// SPDX-License-Identifier: LGPL-2.1-or-later
// How long something takes, and how much of that time this machine was busy with something else.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <thread>

#include <gst/check/gstcheck.h>

namespace sphere::test {

/// A sanitizer or valgrind makes everything slower.
inline const int slowness = g_getenv("SPHERE_VALGRIND") || g_getenv("ASAN_OPTIONS") ? 10 : 1;

/// Begins when it is made. Meanwhile a thread of its own sleeps and computes, each for a known
/// time; whatever more this takes is not the fault of what is measured.
class Stopwatch {
 public:
  /// `computes`: false where the processor time of this process is measured, too.
  explicit Stopwatch(bool computes = true) : computes_(computes), thread_([this] { measure(); }) {}
  ~Stopwatch() {
    stopped_ = true;
    thread_.join();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  double seconds() const { return seconds_since(begin_); }
  /// How late the thread was, summed up.
  double late() const {
    // What it is in the middle of counts, too.
    return late_ + std::max(seconds_since(turn_) - 2 * usual, 0.0);
  }
  /// How long may take up to now what takes so many seconds on a machine that does nothing else.
  /// Threads that wait for each other may each be late.
  double limit(double usual) const { return usual * slowness + 3 * late(); }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr double asleep = 0.02, computing = 0.003, usual = asleep + computing + 0.001;

  static double seconds_since(Clock::time_point then) {
    return std::chrono::duration<double>(Clock::now() - then).count();
  }
  static double processor_time() {
    timespec time = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  }
  void measure() {
    while (!stopped_) {
      std::this_thread::sleep_for(std::chrono::duration<double>(asleep));
      for (const double until = processor_time() + (computes_ ? computing : 0);
           processor_time() < until && !stopped_;) {
      }
      late_ = late_ + std::max(seconds_since(turn_) - usual, 0.0);
      turn_ = Clock::now();
    }
  }

  const bool computes_;
  const Clock::time_point begin_ = Clock::now();
  std::atomic<Clock::time_point> turn_ = begin_;
  std::atomic<double> late_ = 0;
  std::atomic<bool> stopped_ = false;
  std::thread thread_;  // the last: it uses the others
};

/// `what` took less than that, on a machine that does nothing else.
inline void expect_within(const Stopwatch& watch, double usual, const char* what) {
  const double took = watch.seconds(), most = watch.limit(usual);
  fail_unless(took < most, "%s: %.2f s, and %.2f s are allowed here", what, took, most);
}

}  // namespace sphere::test
