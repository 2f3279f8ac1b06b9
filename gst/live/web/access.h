// SPDX-License-Identifier: LGPL-2.1-or-later
// Who may see the stream. Pure: it is told what a request says, and the time.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sphere::live {

/// The fewest characters of a token that a person chooses.
inline constexpr size_t shortest_token = 16;

/// The header fields that matter; "" where a field is absent.
struct RequestFacts {
  std::string_view host, origin, authorization;
  /// Sec-Fetch-Site: how the page that asks is related to us. Programs do not send it.
  std::string_view site;
};

enum class AccessResult {
  allowed,
  wrong_host,      ///< it came to this machine under a name that is not this machine's
  foreign_origin,  ///< a page of another site asks for it
  no_token,
  wrong_token,
};

class Access {
 public:
  /// Without a token, only pages that this server itself serves to this machine may ask.
  explicit Access(std::string token) : token_(std::move(token)) {}

  bool has_token() const { return !token_.empty(); }
  const std::string& token() const { return token_; }

  /// For every request: pages of other sites must not reach us through a name of theirs that points
  /// to this machine (DNS rebinding).
  AccessResult check_page(const RequestFacts& facts) const;
  /// For the stream, its signalling and what is said about it.
  AccessResult check_stream(const RequestFacts& facts) const;

 private:
  const std::string token_;
};

/// How long wrong tokens wait for their answer, so that nobody tries many.
class WrongTokens {
 public:
  /// Answers that wait at a time; others are refused at once.
  static constexpr unsigned most_waiting = 32;

  /// In milliseconds; nothing if too many wait already. Each needs a done() later.
  std::optional<unsigned> wait(int64_t now_us);
  void done() { --waiting_; }

 private:
  unsigned waiting_ = 0, recent_ = 0;
  int64_t last_ = 0;
};

}  // namespace sphere::live
