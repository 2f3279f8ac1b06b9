// SPDX-License-Identifier: LGPL-2.1-or-later
// The control channel's framing: JSON objects one after the other, with neither a length nor a
// delimiter. A segment may hold part of an object, or several.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gst/sphere/base/result.h"

namespace sphere::madv {

/// Cuts a stream of bytes into whole objects. What an object may cost is settled here, before any
/// parser sees it: its size, how many values it has, how deep it goes, and that each bracket closes
/// the one it should.
///
/// After an error there is no way to tell where the next object would begin: the stream is over.
class Framer {
 public:
  /// The longest real message is the list of a folder, some 60 bytes a file.
  static constexpr size_t default_max_size = 2 << 20;
  /// A parser needs some hundred bytes for each: 32,000 files in a folder.
  static constexpr int max_values = 65536;
  /// The deepest real message has three levels (the list of a finished transfer).
  static constexpr int max_depth = 32;

  explicit Framer(size_t max_size = default_max_size) : max_size_(max_size) {}

  void feed(std::string_view bytes) { buffer_.append(bytes); }

  /// The next whole object, or nothing as long as it is not all there.
  Result<std::optional<std::string>> next();

  /// Bytes that wait for the rest of their object.
  size_t pending() const { return buffer_.size() - begin_; }
  /// How many bytes of white space stood between objects since the last call.
  size_t take_skipped() { return std::exchange(skipped_, 0); }

 private:
  Error broken(const std::string& how);

  const size_t max_size_;
  std::string buffer_;
  size_t begin_ = 0;     // where the object that is being read begins
  size_t examined_ = 0;  // up to where it was examined
  size_t skipped_ = 0;
  int values_ = 0;
  int depth_ = 0;
  uint32_t brackets_ = 0;  // one bit a level: set where a square bracket is open
  bool in_string_ = false;
  bool escaped_ = false;
  std::optional<Error> error_;
};

/// `text` as a JSON string with its quotes, pure ASCII, and without a single brace: the vendor's
/// reader counts braces inside strings too.
std::string json_string(std::string_view text);

}  // namespace sphere::madv
