// SPDX-License-Identifier: LGPL-2.1-or-later
// The consent ledger as a file: read, appended to under a lock, erased. open_ledger() in source.h
// keeps up with one while pipelines run.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gst/sphere/base/result.h"
#include "gst/sphere/consent/chain.h"
#include "gst/sphere/consent/private_file.h"

namespace sphere::consent {

/// More is no person's doing. Acts that take back may go beyond by the reserve.
inline constexpr size_t max_ledger = 4 << 20;
inline constexpr size_t ledger_reserve = 64 << 10;

/// The bytes of a ledger from `offset` to its end. More than `max_ledger` is an error.
Result<std::string> read_from(const PrivateFile& file, const std::string& path, size_t offset);
/// How many bytes this thread has got from read_from() so far. Each of them is parsed and hashed
/// once, so tests measure with it what reading ledgers costs.
uint64_t ledger_bytes_read();

class Ledger {
 public:
  /// A path, or `default`: the person's own, under the XDG data folder.
  explicit Ledger(const std::string& name);

  const std::string& path() const { return path_; }
  /// While a file of this name is there, everything is denied. It stands for a withdrawal that
  /// could not be written into the ledger.
  std::string denial_path() const { return path_ + ".denied"; }

  /// A ledger that does not exist is one in which nothing was given.
  Result<Chain> read() const;

  struct Appended {
    Entry entry;
    /// An act that had been cut off stood before it, and may have been a withdrawal: all was taken
    /// back first.
    bool recovered = false;
  };
  /// Fills in the time, the notice and the hashes. When this returns, the entry is on the disk, and
  /// whoever checks the file finds that it has grown. What gives fails on any doubt and leaves the
  /// ledger as it was. What takes back and can't be written denies everything instead, and says so:
  /// by a byte behind the last entry, which reads as an act that was cut off, or where not even
  /// that can be written, by the file denial_path(). Without a time it is that of the moment when
  /// it is its turn among other processes.
  Result<Appended> append(Entry entry, std::optional<int64_t> now_utc_us = std::nullopt) const;
  /// The file goes; what runs is denied.
  Status erase() const;
  /// Whether the file denial_path() is there.
  bool blocked() const;

 private:
  Status make_folder() const;
  bool block() const;

  std::string path_;
  bool own_folder_;
};

/// Whether the person's own ledger gives this, now. Needs no GStreamer: commands ask before it is
/// there.
bool own_ledger_gives(Category category, Purpose purpose);
/// Whether the person's own ledger says that consent to this was withdrawn and not given again, or
/// can't be read. For what a person does by typing a command.
bool own_ledger_withdraws(Category category);

}  // namespace sphere::consent
