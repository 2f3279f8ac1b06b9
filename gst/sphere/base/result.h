// SPDX-License-Identifier: LGPL-2.1-or-later
// A value or the reason why there is none. Our own code does not throw.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "gst/sphere/base/printable.h"

namespace sphere {

/// Why something could not be done, in one sentence that a user can act on. What it quotes may come
/// from a file, a file's name or a camera: the message is made printable here, once for everybody,
/// so that it can go to a terminal, a log or the bus as it is.
struct Error {
  /// A longer message is cut: what is quoted may be any number of bytes.
  static constexpr size_t max_message = 4096;

  enum class Kind {
    not_found,    ///< what was named does not exist
    invalid,      ///< what was given does not say what it should
    unsupported,  ///< well-formed, but not something this build can do
    failed,       ///< the system refused (I/O, memory, GL)
  };
  Error(Kind kind, std::string_view message)
      : kind(kind), message(printable(message, max_message)) {}

  Kind kind;
  std::string message;
};

inline Error not_found(std::string_view message) { return {Error::Kind::not_found, message}; }
inline Error invalid(std::string_view message) { return {Error::Kind::invalid, message}; }
inline Error unsupported(std::string_view message) { return {Error::Kind::unsupported, message}; }
inline Error failed(std::string_view message) { return {Error::Kind::failed, message}; }

/// Either a T or an Error. Look before you take: `if (!result) return result.error();`
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return content_.index() == 0; }

  T& value() & { return std::get<0>(content_); }
  const T& value() const& { return std::get<0>(content_); }
  T&& value() && { return std::get<0>(std::move(content_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const { return std::get<1>(content_); }

 private:
  std::variant<T, Error> content_;
};

/// The outcome of something that yields no value.
using Status = Result<std::monostate>;
inline Status ok() { return Status(std::monostate{}); }

}  // namespace sphere
