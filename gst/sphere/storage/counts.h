// SPDX-License-Identifier: LGPL-2.1-or-later
// Statistics and crash counts: how often commands ran and how long, and how often one did not come
// to its end. These are two stores with a file for each month; neither refers to the other, and
// neither says who or which camera it was. They are written only while `statistics` is given for
// `improve`, and never sent.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/consent/private_file.h"
#include "gst/sphere/storage/stores.h"

namespace sphere::storage {

/// One time in five a count goes up by five. So counts are right on the average, and no number on
/// the disk is the exact number of what happened.
inline constexpr int count_step = 5;

/// Counts one more of each of these. `chance` returns a number from 0 to its argument less one.
using Chance = int (*)(int);
int any_chance(int count);
Status count(Store store, const std::vector<std::string>& names, int64_t now_utc_us,
             Chance chance = any_chance);

/// The name of the range that a duration falls into, such as `under-10-s`.
std::string duration_name(int64_t microseconds);

/// While a command runs, there is a file that it holds a lock on. A command that comes to its end
/// removes its file. One that is killed or crashes can't, but the system takes its lock away: a
/// file without a lock is that of such a command. No signal handler is needed.
class RunningCommand {
 public:
  RunningCommand() = default;
  ~RunningCommand() { end(); }
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;

  /// Counts the commands that did not come to their end, and makes the file of this one. Does
  /// nothing while `statistics` is not given.
  void begin(int64_t now_utc_us, Chance chance = any_chance);
  /// It came to its end.
  void end();

 private:
  std::string path_;
  Descriptor lock_;
};

}  // namespace sphere::storage
