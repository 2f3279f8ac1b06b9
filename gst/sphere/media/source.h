// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the bytes of a medium come from: a file that may be larger than memory, or memory. Never
// mapped: a file that shrinks meanwhile must be an error, not a signal.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gst/sphere/base/result.h"

namespace sphere::media {

/// Random access. Errors of the system read as the end of the bytes.
class Source {
 public:
  virtual ~Source() = default;
  virtual uint64_t size() const = 0;
  /// How many bytes from there could be had, up to as many as fit.
  virtual size_t read(uint64_t position, std::span<uint8_t> into) const = 0;

  /// All of them or false.
  bool read_all(uint64_t position, std::span<uint8_t> into) const {
    return read(position, into) == into.size();
  }
};

/// A descriptor of a regular file, which stays the caller's.
class FileSource : public Source {
 public:
  /// The size is the file's at this moment.
  static Result<FileSource> make(int descriptor);
  uint64_t size() const override { return size_; }
  size_t read(uint64_t position, std::span<uint8_t> into) const override;

 private:
  FileSource(int descriptor, uint64_t size) : descriptor_(descriptor), size_(size) {}
  int descriptor_;
  uint64_t size_;
};

class MemorySource : public Source {
 public:
  explicit MemorySource(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  size_t read(uint64_t position, std::span<uint8_t> into) const override;

 private:
  std::span<const uint8_t> bytes_;
};

/// Walks over a source byte by byte without asking the system for each.
class Window {
 public:
  explicit Window(const Source& source, uint64_t position = 0, size_t size = 1 << 16)
      : source_(source), position_(position), bytes_(size) {}

  uint64_t position() const { return position_ + next_; }
  void seek(uint64_t position) {
    if (position >= position_ && position - position_ <= filled_) {
      next_ = static_cast<size_t>(position - position_);
      return;
    }
    position_ = position;
    next_ = filled_ = 0;
  }
  /// The next byte, or -1 at the end.
  int next() {
    if (next_ == filled_ && !fill()) return -1;
    return bytes_[next_++];
  }
  /// The bytes that are there already, at least one but at the end; skip() takes them.
  std::span<const uint8_t> ahead() {
    if (next_ == filled_) fill();
    return {bytes_.data() + next_, filled_ - next_};
  }
  void skip(size_t count) { next_ += count; }
  /// A big-endian number of so many bytes; false where they are not there.
  bool number(int count, uint64_t* value) {
    *value = 0;
    for (int i = 0; i < count; ++i) {
      const int byte = next();
      if (byte < 0) return false;
      *value = *value << 8 | static_cast<uint64_t>(byte);
    }
    return true;
  }

 private:
  bool fill() {
    position_ += filled_;
    next_ = 0;
    filled_ = source_.read(position_, bytes_);
    return filled_ > 0;
  }

  const Source& source_;
  uint64_t position_;
  std::vector<uint8_t> bytes_;
  size_t next_ = 0, filled_ = 0;
};

}  // namespace sphere::media
