// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that are one person's own: not led astray by a link, and not where others can write.

#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "gst/sphere/base/result.h"

namespace sphere::consent {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Descriptor() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

struct PrivateFile {
  Descriptor descriptor;
  struct stat status = {};
};

/// A regular file of the user's own, made with mode 0600 where `flags` say so.
Result<PrivateFile> open_private(const std::string& path, int flags);

}  // namespace sphere::consent
