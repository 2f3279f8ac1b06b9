// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads JSON from files and cameras. Size and depth are checked before json-glib reads the text
// (json-glib before 1.10 recurses without a limit), and every error has the path of the value.

#pragma once

#include <json-glib/json-glib.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"

namespace sphere {

class JsonDocument;

/// One value and its path. The document keeps the first error about any of its values. After an
/// error, all values read as their fallback, therefore a reader needs only one check at its end.
class JsonValue {
 public:
  bool present() const { return node_ != nullptr; }

  /// A member of an object. It is an error if this is not an object, or has no such member.
  JsonValue operator[](const char* name) const;
  /// A member that may be absent.
  JsonValue optional(const char* name) const;

  /// Makes an error of members that are not in this list. Names that start with `x-` are always
  /// allowed.
  void expect_only(std::initializer_list<std::string_view> names) const;

  double number(double min, double max) const;
  double number_or(double fallback, double min, double max) const;
  int integer(int min, int max) const;
  std::string text(size_t max_length = 1024) const;
  bool is_text() const;
  /// The value as a JSON text.
  std::string as_json() const;
  /// The items of a list.
  std::vector<JsonValue> items(size_t most) const;
  /// Exactly `count` numbers.
  std::vector<double> numbers(size_t count, double min, double max) const;
  /// The index of the text among the choices.
  int choice(std::initializer_list<std::string_view> choices) const;

  void complain(const std::string& what) const;

 private:
  friend class JsonDocument;
  JsonValue(JsonNode* node, std::string path, JsonDocument* document)
      : node_(node), path_(std::move(path)), document_(document) {}
  std::string child_path(const char* name) const;
  JsonObject* as_object() const;
  std::optional<double> as_number() const;

  JsonNode* node_;
  std::string path_;
  JsonDocument* document_;
};

class JsonDocument {
 public:
  static constexpr size_t default_max_size = 1 << 20;
  static constexpr int max_depth = 32;

  /// `name` is the document's name in errors, such as the file's name.
  static Result<JsonDocument> parse(std::string_view text, std::string name,
                                    size_t max_size = default_max_size);

  /// The node of json-glib, for messages without a fixed schema.
  JsonNode* root_node() const { return json_parser_get_root(parser_.get()); }
  JsonValue root() { return {json_parser_get_root(parser_.get()), "", this}; }
  /// The first error, if there was one.
  const std::optional<Error>& problem() const { return problem_; }

 private:
  friend class JsonValue;
  JsonDocument(ObjectRef<JsonParser> parser, std::string name)
      : parser_(std::move(parser)), name_(std::move(name)) {}

  ObjectRef<JsonParser> parser_;
  std::string name_;
  std::optional<Error> problem_;
};

/// The depth of a JSON text's brackets and braces, without those inside strings.
int json_depth(std::string_view text);

}  // namespace sphere
