// SPDX-License-Identifier: LGPL-2.1-or-later
// What this process has by now, for tests of what must not grow.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <memory>
#include <optional>

#include "gst/sphere/base/gobject.h"

#include <gst/check/gstcheck.h>

namespace sphere::test {

inline int entries_of(const char* folder) {
  const std::unique_ptr<GDir, Call<g_dir_close>> all(g_dir_open(folder, 0, nullptr));
  fail_unless(all != nullptr, "%s", folder);
  int count = 0;
  while (g_dir_read_name(all.get())) ++count;
  return count;
}
inline int threads() { return entries_of("/proc/self/task"); }
inline int descriptors() { return entries_of("/proc/self/fd"); }

/// To be called in each round of a repeated test. After the first rounds, in which caches and pools
/// fill, threads and descriptors may not become more. A thread may need a moment to end.
class GrowthCheck {
 public:
  void round(int number) {
    if (number < settled) return;
    const int threads_now = threads(), descriptors_now = descriptors();
    if (!threads_) {
      threads_ = threads_now;
      descriptors_ = descriptors_now;
    }
    fail_unless(threads_now <= *threads_ + slack, "round %d: %d threads, %d after %d rounds",
                number, threads_now, *threads_, settled);
    fail_unless(descriptors_now <= descriptors_ + slack, "round %d: %d descriptors, %d after %d",
                number, descriptors_now, descriptors_, settled);
  }

 private:
  static constexpr int settled = 10, slack = 12;
  std::optional<int> threads_;
  int descriptors_ = 0;
};

}  // namespace sphere::test
