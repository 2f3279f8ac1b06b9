// SPDX-License-Identifier: LGPL-2.1-or-later
// A place outside the pipeline where grants are kept, and which changes while the pipeline runs.

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"

namespace sphere::consent {

/// Called from streaming threads, several at a time.
class GrantSource {
 public:
  virtual ~GrantSource() = default;
  /// Goes up by at least one with every change, whatever it was about, and never down. Read with
  /// each buffer: an atomic load, no system call, no lock.
  virtual uint64_t version() const noexcept = 0;
  /// What is granted at this moment; empty caps when that is nothing, or anything is wrong. May
  /// take a lock and read files. What it gives is at least as new as a version() that was read
  /// before.
  virtual CapsRef caps() const = 0;
};

/// Opens a consent ledger by its path, or the person's own as `default`.
Result<std::shared_ptr<GrantSource>> open_ledger(const std::string& name);

}  // namespace sphere::consent
