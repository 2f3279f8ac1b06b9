// SPDX-License-Identifier: LGPL-2.1-or-later
// One file read over the data port: the bytes come there without any header, what they are is said
// on the control channel.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hw/madv/message.h"

namespace sphere::madv {

/// Reads a small file of the camera's whole, in the vendor client's chunks. Knows no time and no
/// socket.
class Transfer {
 public:
  static constexpr size_t chunk_size = 2 << 20;
  /// The lens table is 8 pictures of a grid; what is larger than this is none.
  static constexpr size_t max_size = 32 << 20;

  /// `md5` of the whole file, in hexadecimal; the file is whole when it has it.
  Transfer(std::string path, std::string md5);

  enum class Outcome { going, next_chunk, done, failed };

  /// What to ask, at the start and after each `next_chunk`.
  Request request() const;
  Outcome replied(const Message& message);
  Outcome notified(const Message& message);
  Outcome data(std::string_view bytes);

  /// Why it failed.
  const std::string& error() const { return error_; }
  std::string take_content() { return std::move(content_); }

 private:
  Outcome fail(std::string why);
  Outcome look();

  const std::string path_;
  const std::string md5_;
  std::string content_;
  size_t chunk_begin_ = 0;
  bool replied_ = false;
  std::optional<size_t> chunk_bytes_;  // how many the camera says it sent
  std::string error_;
};

/// In lower case; nothing unless it is 32 hexadecimal digits.
std::optional<std::string> read_md5(std::string_view text);

}  // namespace sphere::madv
