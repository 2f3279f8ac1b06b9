// SPDX-License-Identifier: LGPL-2.1-or-later
// A value or the reason why there is none. Our own code does not throw.

#pragma once

#include <string>
#include <utility>
#include <variant>

namespace sphere {

/// Why something could not be done, in one sentence that a user can act on.
struct Error {
  enum class Kind {
    not_found,    ///< what was named does not exist
    invalid,      ///< what was given does not say what it should
    unsupported,  ///< well-formed, but not something this build can do
    failed,       ///< the system refused (I/O, memory, GL)
  };
  Kind kind = Kind::failed;
  std::string message;
};

inline Error not_found(std::string message) { return {Error::Kind::not_found, std::move(message)}; }
inline Error invalid(std::string message) { return {Error::Kind::invalid, std::move(message)}; }
inline Error unsupported(std::string message) {
  return {Error::Kind::unsupported, std::move(message)};
}
inline Error failed(std::string message) { return {Error::Kind::failed, std::move(message)}; }

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
