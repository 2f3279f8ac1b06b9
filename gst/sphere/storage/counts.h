// SPDX-License-Identifier: LGPL-2.1-or-later
// Statistics and crash counts: how often commands ran and how long, and how often one did not come
// to its end. Two stores that know nothing of each other, a file for each month, no identity, and
// nothing but while `statistics` is given for `improve`. They are never sent.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/consent/private_file.h"
#include "gst/sphere/storage/stores.h"

namespace sphere::storage {

/// Counts are kept in steps of this: one time in five a count goes up by five, so that on the
/// average it is right, and no number on the disk is that of what happened.
inline constexpr int count_step = 5;

/// Counts one more of each of these. `chance` returns a number from 0 to its argument less one.
using Chance = int (*)(int);
int any_chance(int count);
Status count(Store store, const std::vector<std::string>& names, int64_t now_utc_us,
             Chance chance = any_chance);

/// In which step of durations it falls, such as `under-10-s`.
std::string duration_name(int64_t microseconds);

/// While a command runs, a locked file says so. The system lets the lock go however the command
/// ends, so that a file without one is of a command that did not come to its end: it was killed,
/// crashed, or the machine lost power. No signal handler is needed.
class RunningCommand {
 public:
  RunningCommand() = default;
  ~RunningCommand() { end(); }
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;

  /// Counts those that ended otherwise, and marks this one. Nothing where that is not given.
  void begin(int64_t now_utc_us, Chance chance = any_chance);
  /// It came to its end.
  void end();

 private:
  std::string path_;
  consent::Descriptor lock_;
};

}  // namespace sphere::storage
