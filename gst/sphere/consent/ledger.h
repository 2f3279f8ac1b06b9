// SPDX-License-Identifier: LGPL-2.1-or-later
// The consent ledger as a file: read, appended to under a lock, erased. open_ledger() in source.h
// watches one.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gst/sphere/base/result.h"
#include "gst/sphere/consent/chain.h"

namespace sphere::consent {

/// More is no person's doing. Acts that take back may go beyond by the reserve.
inline constexpr size_t max_ledger = 4 << 20;
inline constexpr size_t ledger_reserve = 64 << 10;

class Ledger {
 public:
  /// A path, or `default`: the person's own, under the XDG data folder.
  explicit Ledger(const std::string& name);

  const std::string& path() const { return path_; }
  std::string watch_path() const { return path_ + ".watch"; }

  /// A ledger that does not exist is one in which nothing was given.
  Result<Chain> read() const;

  struct Appended {
    Entry entry;
    /// An act that had been cut off stood before it, and may have been a withdrawal: all was taken
    /// back first.
    bool recovered = false;
    /// Running programs can be told by the counter. Where not, they look for themselves, or have to
    /// be started again.
    bool told = true;
  };
  /// Fills in the time, the notice and the hashes. When this returns, the entry is on the disk and
  /// the counter has gone up. What gives fails on any doubt and leaves the ledger as it was; what
  /// takes back and can't be written denies everything instead, and says so. Without a time it is
  /// that of the moment when it is its turn among other processes.
  Result<Appended> append(Entry entry, std::optional<int64_t> now_utc_us = std::nullopt) const;
  /// The file goes; what runs is denied.
  Status erase() const;
  /// Whether a withdrawal could not be written.
  bool blocked() const;

 private:
  Status make_folder() const;

  std::string path_;
  bool own_folder_;
};

}  // namespace sphere::consent
