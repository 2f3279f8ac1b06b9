// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/base/json.h"

#include <algorithm>
#include <cmath>

#include "gst/sphere/base/printable.h"

namespace sphere {

namespace {

std::string printed(double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(text, sizeof text, "%.10g", value);
}

/// The line of json-glib's error, as " (line 3)". The rest of its message is not used, because it
/// quotes the text there, which may contain a serial number or a password.
std::string error_position(const char* message) {
  constexpr std::string_view source = "<data>:";
  if (!g_str_has_prefix(message, source.data())) return {};
  char* end = nullptr;
  const guint64 line = g_ascii_strtoull(message + source.size(), &end, 10);
  return *end == ':' && line > 0 ? " (line " + std::to_string(line) + ")" : std::string();
}

}  // namespace

int json_depth(std::string_view text) {
  int depth = 0, deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return deepest;
}

Result<JsonDocument> JsonDocument::parse(std::string_view text, std::string name, size_t max_size) {
  name = printable(name);
  if (text.size() > max_size)
    return invalid(name + ": " + std::to_string(text.size()) + " bytes of JSON, more than the " +
                   std::to_string(max_size) + " allowed");
  if (json_depth(text) > max_depth)
    return invalid(name + ": is nested deeper than " + std::to_string(max_depth) + " levels");
  if (!g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr))
    return invalid(name + ": not UTF-8 text");
  ObjectRef<JsonParser> parser(json_parser_new());
  g_autoptr(GError) error = nullptr;
  if (!json_parser_load_from_data(parser.get(), text.data(), static_cast<gssize>(text.size()),
                                  &error)) {
    return invalid(name + ": not JSON" + error_position(error->message));
  }
  if (!json_parser_get_root(parser.get())) return invalid(name + ": empty, JSON expected");
  return JsonDocument(std::move(parser), std::move(name));
}

std::string JsonValue::child_path(const char* name) const {
  return path_.empty() ? std::string(name) : path_ + "." + name;
}

void JsonValue::complain(const std::string& what) const {
  if (document_->problem_) return;
  document_->problem_ = invalid(
      printable(document_->name_ + ": " + (path_.empty() ? "the document" : path_) + ": " + what));
}

JsonObject* JsonValue::as_object() const {
  if (!node_) return nullptr;
  if (!JSON_NODE_HOLDS_OBJECT(node_)) {
    complain("an object expected");
    return nullptr;
  }
  return json_node_get_object(node_);
}

JsonValue JsonValue::optional(const char* name) const {
  JsonObject* object = as_object();
  JsonNode* node = object ? json_object_get_member(object, name) : nullptr;
  return {node, child_path(name), document_};
}

JsonValue JsonValue::operator[](const char* name) const {
  JsonValue value = optional(name);
  if (!value.node_) value.complain("missing");
  return value;
}

void JsonValue::expect_only(std::initializer_list<std::string_view> names) const {
  JsonObject* object = as_object();
  if (!object) return;
  g_autoptr(GList) members = json_object_get_members(object);
  for (GList* l = members; l; l = l->next) {
    const std::string_view member = static_cast<const char*>(l->data);
    if (member.starts_with("x-") || std::find(names.begin(), names.end(), member) != names.end())
      continue;
    std::string known;
    for (std::string_view name : names) known += (known.empty() ? "" : ", ") + std::string(name);
    JsonValue(nullptr, child_path(std::string(member).c_str()), document_)
        .complain("there is no such field; the fields here are " + known);
  }
}

std::optional<double> JsonValue::as_number() const {
  if (!node_) return std::nullopt;
  if (JSON_NODE_HOLDS_VALUE(node_)) {
    const GType type = json_node_get_value_type(node_);
    if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE) return json_node_get_double(node_);
  }
  complain("a number expected");
  return std::nullopt;
}

double JsonValue::number(double min, double max) const {
  const std::optional<double> value = as_number();
  if (!value) return min;
  if (!(*value >= min && *value <= max)) {
    complain("is " + printed(*value) + ", must be within " + printed(min) + " and " + printed(max));
    return min;
  }
  return *value;
}

double JsonValue::number_or(double fallback, double min, double max) const {
  return present() ? number(min, max) : fallback;
}

int JsonValue::integer(int min, int max) const {
  const double value = number(min, max);
  if (value != std::floor(value)) complain("is " + printed(value) + ", a whole number expected");
  return static_cast<int>(value);
}

bool JsonValue::is_text() const {
  return node_ && JSON_NODE_HOLDS_VALUE(node_) && json_node_get_value_type(node_) == G_TYPE_STRING;
}

std::string JsonValue::as_json() const {
  if (!node_) return {};
  const GString_ text(json_to_string(node_, FALSE));
  return text ? text.get() : "";
}

std::string JsonValue::text(size_t max_length) const {
  if (!node_) return {};
  if (!is_text()) {
    complain("a text expected");
    return {};
  }
  std::string value = json_node_get_string(node_);
  if (value.size() > max_length) complain("longer than " + std::to_string(max_length) + " bytes");
  return value;
}

std::vector<JsonValue> JsonValue::items(size_t most) const {
  std::vector<JsonValue> items;
  if (!node_) return items;
  if (!JSON_NODE_HOLDS_ARRAY(node_)) {
    complain("a list expected");
    return items;
  }
  JsonArray* array = json_node_get_array(node_);
  const guint count = json_array_get_length(array);
  if (count > most) {
    complain("has " + std::to_string(count) + " elements, at most " + std::to_string(most) +
             " are possible");
    return items;
  }
  items.reserve(count);
  for (guint i = 0; i < count; ++i)
    items.push_back(JsonValue(json_array_get_element(array, i),
                              path_ + "[" + std::to_string(i) + "]", document_));
  return items;
}

std::vector<double> JsonValue::numbers(size_t count, double min, double max) const {
  std::vector<double> values(count, min);
  if (!node_) return values;
  if (!JSON_NODE_HOLDS_ARRAY(node_)) {
    complain("a list of " + std::to_string(count) + " numbers expected");
    return values;
  }
  const std::vector<JsonValue> list = items(G_MAXUINT);
  if (list.size() != count) {
    complain("has " + std::to_string(list.size()) + " elements, " + std::to_string(count) +
             " expected");
    return values;
  }
  for (size_t i = 0; i < count; ++i) values[i] = list[i].number(min, max);
  return values;
}

int JsonValue::choice(std::initializer_list<std::string_view> choices) const {
  if (!node_) return 0;
  const std::string value = text();
  const auto found = std::find(choices.begin(), choices.end(), value);
  if (found != choices.end()) return static_cast<int>(found - choices.begin());
  std::string known;
  for (std::string_view choice : choices)
    known += (known.empty() ? "" : ", ") + std::string(choice);
  complain("is \"" + value + "\", must be one of " + known);
  return 0;
}

}  // namespace sphere
