// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests to the camera, and what it says.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gst/sphere/base/json.h"
#include "hw/madv/commands.h"

namespace sphere::madv {

/// One request, without the token, which is the session's to put in.
struct Request {
  /// The vendor's own command buffer holds no more.
  static constexpr size_t max_size = 1024;

  explicit Request(int id);
  Request(int id, std::string param);
  Request& with_type(std::string value) {
    type = std::move(value);
    return *this;
  }
  /// Fields that only some commands have, such as `ssid` or `offset`.
  Request& with(std::string name, std::variant<int64_t, std::string> value) {
    fields.emplace_back(std::move(name), std::move(value));
    return *this;
  }

  /// `condition` is called in the session's thread when it is the request's turn. A request that is
  /// not wanted any more, for example because consent was withdrawn while it waited, is not sent.
  Request& only_while(std::function<bool()> condition) {
    wanted = std::move(condition);
    return *this;
  }

  /// The object as it goes over the wire.
  Result<std::string> to_json(int64_t token) const;

  std::function<bool()> wanted;
  int id;
  std::optional<std::string> type;
  /// A text also where it means a number, as the vendor's client has it.
  std::optional<std::string> param;
  std::vector<std::pair<std::string, std::variant<int64_t, std::string>>> fields;
};

/// One object from the wire, in either direction.
class Message {
 public:
  enum class Kind {
    reply,         ///< the answer to the request of the same id
    notification,  ///< said unasked (rval 128, or a message that is never an answer)
    question,      ///< the camera waits for an answer (1793)
  };

  /// `text` is one object as Framer cuts it.
  static Result<Message> parse(std::string_view text);

  int id() const { return id_; }
  std::optional<int> rval() const { return rval_; }
  /// What it is, when it came from the camera.
  Kind kind() const;
  bool succeeded() const { return rval_ == rval_ok; }

  bool has(const char* name) const;
  /// A whole number, also one that is written as a text.
  std::optional<int64_t> number(const char* name) const;
  /// A text; a number is read as its digits.
  std::optional<std::string> text(const char* name) const;
  /// The objects of a list, each by its first member, whose value is given as a text.
  std::vector<std::pair<std::string, std::string>> entries(const char* name) const;

  std::optional<int64_t> param_number() const { return number("param"); }
  std::optional<std::string> param_text() const { return text("param"); }

  /// The message for a log: what could be secret, or say which camera, whose or where, is left out.
  /// No message is ever logged in another way.
  std::string redacted() const;

 private:
  explicit Message(JsonDocument document) : document_(std::move(document)) {}
  JsonObject* object() const;

  JsonDocument document_;
  int id_ = 0;
  std::optional<int> rval_;
};

/// Message::redacted() of what we ourselves wrote.
std::string redacted(std::string_view json);

/// "C:\DCIM\20171216\IMG.JPG", as notifications have it, as the path "/tmp/SD0/DCIM/...".
/// Printable, whatever the camera said.
std::string unix_path(std::string_view camera_path);

}  // namespace sphere::madv
