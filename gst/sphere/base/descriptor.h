// SPDX-License-Identifier: LGPL-2.1-or-later
// A file descriptor that closes itself.

#pragma once

#include <unistd.h>

#include <utility>

namespace sphere {

class Descriptor {
 public:
  Descriptor() = default;
  /// Takes ownership of `descriptor`; a negative number means none.
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Descriptor() {
    if (descriptor_ >= 0) close(descriptor_);
  }

  explicit operator bool() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }
  /// Gives up ownership: the caller must close it.
  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_ = -1;
};

}  // namespace sphere
