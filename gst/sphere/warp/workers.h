// SPDX-License-Identifier: LGPL-2.1-or-later
// A few threads that divide the rows of one picture between them; the calling thread is one of
// them.

#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace sphere {

class Workers {
 public:
  static constexpr int default_threads = 0, most_threads = 256;

  /// The caller's thread alone, up to set_threads().
  Workers() = default;
  explicit Workers(int threads) { set_threads(threads); }
  ~Workers() { stop(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// `threads` in all, the caller included; 0: as many as cores. Not while run() runs. Costs
  /// nothing where they are as many already.
  void set_threads(int threads);
  /// Ends all threads but the caller's.
  void stop();

  int threads() const { return static_cast<int>(others_.size()) + 1; }

  /// Calls work(i) once for each i of 0..count-1, in any order and on any of the threads, and
  /// returns when all are done.
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
  /// `seen`: the round that was over when the thread began.
  void loop(unsigned seen);

  // Protects what follows up to the blank line; never held while a slice is worked on.
  std::mutex mutex_;
  std::condition_variable started_, finished_;
  unsigned round_ = 0;
  int busy_ = 0;
  bool quit_ = false;

  // Written between rounds alone.
  const void* context_ = nullptr;
  Call call_ = nullptr;
  int count_ = 0;
  std::atomic<int> next_{0};

  int wanted_ = 1;  // as set_threads() was told
  std::vector<std::thread> others_;
};

}  // namespace sphere
