// SPDX-License-Identifier: LGPL-2.1-or-later
// Statistics and crash counts: how often and how long commands ran, and how often one did not end
// normally. These are two stores with one file for each month. They don't refer to each other, and
// identify neither a person nor a camera. They are written only while `statistics` is given for
// `improve`, and are never sent.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/consent/private_file.h"
#include "gst/sphere/storage/stores.h"

namespace sphere::storage {

/// With a probability of one in five, a count is increased by five. Counts are right on average,
/// but no number on the disk is exact.
inline constexpr int count_step = 5;

/// Counts one more of each of these. `chance` returns a random number from 0 to its argument minus
/// one.
using Chance = int (*)(int);
int any_chance(int count);
Status count(Store store, const std::vector<std::string>& names, int64_t now_utc_us,
             Chance chance = any_chance);

/// The name of the range that a duration is in, such as `under-10-s`.
std::string duration_name(int64_t microseconds);

/// While a command runs, there is a file on which it holds a lock. A command that ends normally
/// removes its file. If it is killed or crashes, the file stays, but the system releases the lock.
/// Therefore a file without a lock is one of such a command, and no signal handler is needed.
class RunningCommand {
 public:
  RunningCommand() = default;
  ~RunningCommand() { end(); }
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;

  /// Counts the commands that did not end normally, and makes the file of this one. Does nothing
  /// while `statistics` is not given.
  void begin(int64_t now_utc_us, Chance chance = any_chance);
  /// The command has ended normally.
  void end();

 private:
  std::string path_;
  Descriptor lock_;
};

}  // namespace sphere::storage
