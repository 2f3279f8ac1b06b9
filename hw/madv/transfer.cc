// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/transfer.h"

#include <algorithm>

namespace sphere::madv {

Transfer::Transfer(std::string path, std::string md5)
    : path_(std::move(path)), md5_(std::move(md5)) {}

Request Transfer::request() const {
  Request request(msg_get_file, path_);
  // The offset is a text and the size a number: so the vendor's client has it.
  request.with("offset", std::to_string(chunk_begin_))
      .with("fetch_size", static_cast<int64_t>(chunk_size));
  return request;
}

Transfer::Outcome Transfer::fail(std::string why) {
  error_ = std::move(why);
  return Outcome::failed;
}

// The bytes, the reply and the notification come in any order: the camera may begin to send before
// it replies, and its last bytes may be on their way still when it says that they are sent.
Transfer::Outcome Transfer::look() {
  if (!replied_ || !chunk_bytes_) return Outcome::going;
  const size_t have = content_.size() - chunk_begin_;
  if (have < *chunk_bytes_) return Outcome::going;
  if (have > *chunk_bytes_) return fail("the camera sent more bytes than it said");
  const GString_ md5(g_compute_checksum_for_data(
      G_CHECKSUM_MD5, reinterpret_cast<const guchar*>(content_.data()), content_.size()));
  if (md5_ == md5.get()) return Outcome::done;
  // A chunk that is not full was the last one.
  if (have < chunk_size) return fail("what arrived is not what the camera's checksum says");
  chunk_begin_ = content_.size();
  replied_ = false;
  chunk_bytes_.reset();
  return Outcome::next_chunk;
}

Transfer::Outcome Transfer::replied(const Message& message) {
  if (!message.succeeded())
    return fail("the camera says: " + result_words(message.rval().value_or(-1)));
  replied_ = true;
  return look();
}

Transfer::Outcome Transfer::notified(const Message& message) {
  if (message.id() != msg_transfer_result) return Outcome::going;
  const std::string type = message.text("type").value_or("");
  if (type == "get_file_fail" || type == "get_file_failed")
    return fail("the camera gave up the transfer");
  if (type != "get_file_complete") return Outcome::going;
  for (const auto& [name, value] : message.entries("param")) {
    if (name != "bytes sent") continue;
    guint64 bytes = 0;
    if (!g_ascii_string_to_unsigned(value.c_str(), 10, 0, chunk_size, &bytes, nullptr))
      return fail("the camera says it sent more than was asked for");
    chunk_bytes_ = static_cast<size_t>(bytes);
  }
  if (!chunk_bytes_) return fail("the camera does not say how much it sent");
  return look();
}

Transfer::Outcome Transfer::data(std::string_view bytes) {
  const size_t have = content_.size() - chunk_begin_;
  if (bytes.size() > chunk_size - have) return fail("the camera sent more than was asked for");
  if (bytes.size() > max_size - content_.size()) return fail("the file is too large to be a table");
  content_.append(bytes);
  return look();
}

std::optional<std::string> read_md5(std::string_view text) {
  if (text.size() != 32 ||
      !std::all_of(text.begin(), text.end(), [](char c) { return g_ascii_isxdigit(c); }))
    return std::nullopt;
  std::string md5(text);
  std::transform(md5.begin(), md5.end(), md5.begin(), g_ascii_tolower);
  return md5;
}

}  // namespace sphere::madv
