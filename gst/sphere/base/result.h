// SPDX-License-Identifier: LGPL-2.1-or-later
// A value, or the error because of which there is none. The code of this project does not throw
// exceptions.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "gst/sphere/base/printable.h"

namespace sphere {

/// The reason why something could not be done, in one sentence that helps the user. It may quote a
/// file, a file's name or a camera, therefore the message is made printable here, and can be sent
/// to a terminal, a log or the bus without a change.
struct Error {
  /// A longer message is cut, because quoted text may have any length.
  static constexpr size_t max_message = 4096;

  enum class Kind {
    not_found,    ///< the object with this name does not exist
    invalid,      ///< the input is not valid
    unsupported,  ///< the input is valid, but this build can't process it
    failed,       ///< an error of the system (I/O, memory, GL)
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

/// Either a T or an Error. Check it before use: `if (!result) return result.error();`
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

/// The outcome of a function without a value.
using Status = Result<std::monostate>;
inline Status ok() { return Status(std::monostate{}); }

}  // namespace sphere
