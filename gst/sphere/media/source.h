// SPDX-License-Identifier: LGPL-2.1-or-later
// The bytes of a medium: in a file, which may be larger than memory, or in memory. Files are not
// mapped, because a file that shrinks must be an error, not a signal.

#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "gst/sphere/base/result.h"

namespace sphere::media {

/// The bytes from `begin` up to, and without, `end`.
struct ByteRange {
  uint64_t begin = 0, end = 0;
};

/// Random access. Errors of the system read as the end of the bytes.
class Source {
 public:
  virtual ~Source() = default;
  virtual uint64_t size() const = 0;
  /// Reads bytes from an offset on, and returns how many: at most as many as fit.
  virtual size_t read(uint64_t position, std::span<uint8_t> into) const = 0;

  /// Reads all of the bytes; false if there are fewer.
  bool read_all(uint64_t position, std::span<uint8_t> into) const {
    return read(position, into) == into.size();
  }
};

/// A descriptor of a regular file. The caller keeps it and closes it.
class FileSource : public Source {
 public:
  /// The size is that of the file at this moment.
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

/// A part of another source, which must exist longer.
class RangeSource : public Source {
 public:
  RangeSource(const Source& whole, uint64_t offset, uint64_t length)
      : whole_(whole), offset_(offset), length_(length) {}
  uint64_t size() const override { return length_; }
  size_t read(uint64_t position, std::span<uint8_t> into) const override {
    if (position >= length_) return 0;
    const uint64_t left = length_ - position;
    return whole_.read(offset_ + position,
                       into.first(static_cast<size_t>(std::min<uint64_t>(into.size(), left))));
  }

 private:
  const Source& whole_;
  uint64_t offset_, length_;
};

/// Reads a source byte by byte, with a buffer.
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
  /// The bytes that are in the buffer: at least one, except at the end. Call skip() after they are
  /// used.
  std::span<const uint8_t> ahead() {
    if (next_ == filled_) fill();
    return {bytes_.data() + next_, filled_ - next_};
  }
  void skip(size_t count) { next_ += count; }
  /// Reads a big-endian number of this many bytes; false if there are fewer.
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
