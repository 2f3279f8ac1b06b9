// SPDX-License-Identifier: LGPL-2.1-or-later
// Some threads that share the work on one picture; the calling thread is one of them.

#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "gst/sphere/base/thread.h"

namespace sphere {

class Workers {
 public:
  static constexpr int default_threads = 0, most_threads = 256;

  /// Only the caller's thread, until set_threads() is called.
  Workers() = default;
  explicit Workers(int threads) { set_threads(threads); }
  ~Workers() { stop(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// `threads`: the number of threads, with the caller's; 0: one for each core. Must not be called
  /// during run(). Does nothing if the number is the same as in the last call.
  void set_threads(int threads);
  /// Ends all threads except the caller's.
  void stop();

  int threads() const { return static_cast<int>(others_.size()) + 1; }

  /// Calls work(i) once for each i from 0 to count-1, in any order and on any of the threads.
  /// Returns when all calls have returned.
  template <typename Work>
  void run(int count, const Work& work) {
    run_slices(count, &work,
               [](const void* context, int i) { (*static_cast<const Work*>(context))(i); });
  }

  static int cores();

 private:
  using Call = void (*)(const void*, int);
  void run_slices(int count, const void* context, Call call);
  void take_slices();
  /// `seen`: the number of the last round before the thread was started.
  void loop(unsigned seen);

  // Protects the members up to the blank line. It is not held while slices are processed.
  Mutex mutex_;
  ConditionVariable started_, finished_;
  unsigned round_ SPHERE_GUARDED_BY(mutex_) = 0;
  int busy_ SPHERE_GUARDED_BY(mutex_) = 0;  // threads that have not finished the round
  bool quit_ SPHERE_GUARDED_BY(mutex_) = false;

  // Written under mutex_ before a round starts, when no other thread works on slices; read during a
  // round without the lock. next_ is the next slice to take.
  const void* context_ = nullptr;
  Call call_ = nullptr;
  int count_ = 0;
  std::atomic<int> next_{0};

  int wanted_ = 1;  // the last value given to set_threads()
  std::vector<std::thread> others_;
};

}  // namespace sphere
