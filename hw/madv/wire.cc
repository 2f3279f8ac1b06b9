// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/wire.h"

#include <glib.h>

namespace sphere::madv {

Error Framer::broken(const std::string& how) {
  // The message does not contain the bytes, because they may contain a password.
  error_ = invalid(how);
  return *error_;
}

Result<std::optional<std::string>> Framer::next() {
  if (error_) return *error_;
  if (depth_ == 0) {
    for (; begin_ < buffer_.size() && g_ascii_isspace(buffer_[begin_]); ++begin_) ++skipped_;
    examined_ = begin_;
    values_ = 0;
    if (begin_ == buffer_.size()) {
      buffer_.clear();
      begin_ = examined_ = 0;
      return std::optional<std::string>();
    }
    if (buffer_[begin_] != '{') return broken("it is not a message of this kind of camera");
  }

  for (; examined_ < buffer_.size(); ++examined_) {
    if (examined_ - begin_ >= max_size_)
      return broken("a message is longer than " + std::to_string(max_size_) + " bytes");
    const char c = buffer_[examined_];
    if (escaped_) {
      escaped_ = false;
      continue;
    }
    if (in_string_) {
      if (c == '\\')
        escaped_ = true;
      else if (c == '"')
        in_string_ = false;
      continue;
    }
    if ((c == ',' || c == '{' || c == '[') && ++values_ > max_values)
      return broken("a message has more than " + std::to_string(max_values) + " values");
    if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      if (depth_ == max_depth)
        return broken("a message is nested deeper than " + std::to_string(max_depth) + " levels");
      brackets_ = brackets_ << 1 | (c == '[' ? 1u : 0u);
      ++depth_;
    } else if (c == '}' || c == ']') {
      if ((brackets_ & 1) != (c == ']' ? 1u : 0u))
        return broken("a message is damaged (its brackets do not match)");
      brackets_ >>= 1;
      if (--depth_ > 0) continue;
      const size_t end = examined_ + 1;
      std::string object = buffer_.substr(begin_, end - begin_);
      begin_ = examined_ = end;
      // Moved only sometimes, so that the mean time for each byte is constant.
      if (begin_ > buffer_.size() / 2) {
        buffer_.erase(0, begin_);
        begin_ = examined_ = 0;
      }
      return std::optional<std::string>(std::move(object));
    }
  }
  return std::optional<std::string>();
}

std::string json_string(std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string out = "\"";
  const auto unit = [&](uint32_t u) {
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += hex[u >> shift & 15];
  };
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
    gunichar c = g_utf8_get_char_validated(p, end - p);
    if (c == static_cast<gunichar>(-1) || c == static_cast<gunichar>(-2)) {
      unit(0xfffd);
      ++p;
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c >= 0x20 && c < 0x7f && c != '{' && c != '}') {
      out += static_cast<char>(c);
    } else if (c < 0x10000) {
      unit(c);
    } else {
      unit(0xd800 + ((c - 0x10000) >> 10));
      unit(0xdc00 + ((c - 0x10000) & 0x3ff));
    }
    p = g_utf8_next_char(p);
  }
  return out + "\"";
}

}  // namespace sphere::madv
