// SPDX-License-Identifier: LGPL-2.1-or-later
// The control channel's framing: JSON objects one after the other, without a length and without a
// delimiter. A segment may contain a part of an object, or several objects.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gst/sphere/base/result.h"

namespace sphere::madv {

/// Divides a stream of bytes into whole objects. The limits of an object are checked here, before
/// any parser reads it: its size, the number of its values, its depth, and that its brackets match.
///
/// After an error, the beginning of the next object can't be found: the stream ends.
class Framer {
 public:
  /// The longest real message is the list of a folder, with about 60 bytes for each file.
  static constexpr size_t default_max_size = 2 << 20;
  /// A parser needs about a hundred bytes for each value. This allows 32,000 files in a folder.
  static constexpr int max_values = 65536;
  /// The deepest real message has three levels (the list of a finished transfer).
  static constexpr int max_depth = 32;

  explicit Framer(size_t max_size = default_max_size) : max_size_(max_size) {}

  void feed(std::string_view bytes) { buffer_.append(bytes); }

  /// The next whole object; empty until all of it has come.
  Result<std::optional<std::string>> next();

  /// Bytes of an object that is not complete yet.
  size_t pending() const { return buffer_.size() - begin_; }
  /// The number of bytes of white space between objects since the last call.
  size_t take_skipped() { return std::exchange(skipped_, 0); }

 private:
  Error broken(const std::string& how);

  const size_t max_size_;
  std::string buffer_;
  size_t begin_ = 0;     // offset of the object that is being read
  size_t examined_ = 0;  // offset up to which it was examined
  size_t skipped_ = 0;
  int values_ = 0;
  int depth_ = 0;
  uint32_t brackets_ = 0;  // one bit for each level: set if it is a square bracket
  bool in_string_ = false;
  bool escaped_ = false;
  std::optional<Error> error_;
};

/// `text` as a JSON string with its quotes, in ASCII, and with all braces escaped, because the
/// vendor's reader also counts braces inside strings.
std::string json_string(std::string_view text);

}  // namespace sphere::madv
