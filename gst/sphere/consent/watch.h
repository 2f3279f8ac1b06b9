// SPDX-License-Identifier: LGPL-2.1-or-later
// The change counter beside a ledger, in memory that all processes share: with it a change is seen
// without a main loop, and without looking at a file for each buffer.

#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "gst/sphere/base/result.h"

namespace sphere::consent {

class Watch {
 public:
  enum class Mode { read, write };
  /// Made if it is not there. To read, one that can't be written will do.
  static Result<std::unique_ptr<Watch>> open(const std::string& path, Mode mode);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  uint64_t count() const noexcept { return shared_->count.load(std::memory_order_acquire); }
  /// Set where a withdrawal could not be written, such as on a full disk: denies everything.
  bool blocked() const noexcept { return shared_->blocked.load(std::memory_order_acquire) != 0; }
  void bump() noexcept { shared_->count.fetch_add(1, std::memory_order_acq_rel); }
  void block(bool on) noexcept { shared_->blocked.store(on, std::memory_order_release); }

  dev_t device() const { return device_; }
  ino_t inode() const { return inode_; }

 private:
  struct Shared {
    std::atomic<uint64_t> count;
    std::atomic<uint64_t> blocked;
  };
  static_assert(std::atomic<uint64_t>::is_always_lock_free);

  Watch(Shared* shared, dev_t device, ino_t inode)
      : shared_(shared), device_(device), inode_(inode) {}

  Shared* shared_;
  dev_t device_;
  ino_t inode_;
};

}  // namespace sphere::consent
