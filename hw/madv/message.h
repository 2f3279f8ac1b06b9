// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests to the camera, and messages from it.

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

/// One request without the token, which the session adds.
struct Request {
  /// The size of the vendor's own command buffer.
  static constexpr size_t max_size = 1024;

  explicit Request(int id);
  Request(int id, std::string param);
  Request& with_type(std::string value) {
    type = std::move(value);
    return *this;
  }
  /// Adds a field that only some commands have, such as `ssid` or `offset`.
  Request& with(std::string name, std::variant<int64_t, std::string> value) {
    fields.emplace_back(std::move(name), std::move(value));
    return *this;
  }

  /// `condition` is called in the session's thread immediately before the request is sent. If it
  /// returns false, for example because consent was withdrawn while the request waited, the request
  /// is not sent.
  Request& only_while(std::function<bool()> condition) {
    wanted = std::move(condition);
    return *this;
  }

  /// The JSON text that is sent.
  Result<std::string> to_json(int64_t token) const;

  std::function<bool()> wanted;
  int id;
  std::optional<std::string> type;
  /// Always a text, even for a number, as in the vendor's client.
  std::optional<std::string> param;
  std::vector<std::pair<std::string, std::variant<int64_t, std::string>>> fields;
};

/// A received or sent object.
class Message {
 public:
  enum class Kind {
    reply,         ///< the answer to the request with the same id
    notification,  ///< sent without a request (rval 128, or a message that is never an answer)
    question,      ///< the camera waits for an answer (1793)
  };

  /// `text` is one object from a Framer.
  static Result<Message> parse(std::string_view text);

  int id() const { return id_; }
  std::optional<int> rval() const { return rval_; }
  /// The kind of a message from the camera.
  Kind kind() const;
  bool succeeded() const { return rval_ == rval_ok; }

  bool has(const char* name) const;
  /// An integer, also if it is written as a text.
  std::optional<int64_t> number(const char* name) const;
  /// A text; a number is converted to its digits.
  std::optional<std::string> text(const char* name) const;
  /// The objects of a list: the name of each one's first member, and its value as a text.
  std::vector<std::pair<std::string, std::string>> entries(const char* name) const;
  /// The texts of a list.
  std::vector<std::string> texts(const char* name) const;

  std::optional<int64_t> param_number() const { return number("param"); }
  std::optional<std::string> param_text() const { return text("param"); }

  /// The whole message, with its secrets.
  std::string json() const;
  /// The message for a log, without secrets and without values that could identify the camera, its
  /// owner or a place. Messages are logged only in this form.
  std::string redacted() const;

 private:
  explicit Message(JsonDocument document) : document_(std::move(document)) {}
  JsonObject* object() const;

  JsonDocument document_;
  int id_ = 0;
  std::optional<int> rval_;
};

/// Message::redacted() of a text that this program wrote.
std::string redacted(std::string_view json);

/// Converts the paths of notifications, "C:\DCIM\20171216\IMG.JPG", to "/tmp/SD0/DCIM/...". The
/// result is always printable.
std::string unix_path(std::string_view camera_path);

}  // namespace sphere::madv
