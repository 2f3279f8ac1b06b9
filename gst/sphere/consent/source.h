// SPDX-License-Identifier: LGPL-2.1-or-later
// A place outside the pipeline where grants are kept, and which changes while the pipeline runs.

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/consent/decision.h"

namespace sphere::consent {

/// Called from streaming threads, several at a time.
class GrantSource {
 public:
  virtual ~GrantSource() = default;
  /// Looks whether anything has changed, and goes up if so; never down. Called with each buffer. A
  /// ledger costs two system calls (lstat) and a short lock as long as nothing changes. An act that
  /// was appended is read and verified here, which costs its own length. What is longer than
  /// `longest_read_here` is read by another thread, and everything is denied until it is done.
  virtual uint64_t version() = 0;

  struct Grants {
    uint64_t version = 0;
    /// What is given; empty caps where that is nothing, or where there is a problem.
    CapsRef caps;
    /// Why nothing can be believed, as one sentence without its full stop; empty: all is well.
    std::string problem;
    /// Nobody has to mend that problem: it goes away by itself.
    bool passes = false;
    /// Goes up whenever what was asked for was taken back, or may have been, since somebody looked
    /// last: also when it was given again before the next look.
    uint64_t taken = 0;
  };
  /// What the last version() has found, for one question. Touches no file.
  virtual Grants grants(Category category, Purpose purpose) const = 0;
};

/// The most that a streaming thread reads of a ledger in one version(): some 40 acts.
inline constexpr size_t longest_read_here = 16 << 10;

/// Opens a consent ledger by its path, or the person's own as `default`. Reads it whole, in the
/// thread that calls. No descriptor and no mapping of it is kept.
Result<std::shared_ptr<GrantSource>> open_ledger(const std::string& name);

}  // namespace sphere::consent
