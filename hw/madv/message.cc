// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/message.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/printable.h"
#include "hw/madv/wire.h"

namespace sphere::madv {

namespace {

// Messages that are never an answer, whatever their rval is.
bool is_never_answer(int id) {
  const Command* command = find_command(id);
  return command && command->access == Access::notice;
}

std::string scalar_text(JsonNode* node) {
  const GType type = json_node_get_value_type(node);
  if (type == G_TYPE_STRING) return to_string(json_node_get_string(node));
  if (type == G_TYPE_INT64) return std::to_string(json_node_get_int(node));
  if (type == G_TYPE_BOOLEAN) return json_node_get_boolean(node) ? "true" : "false";
  char digits[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_dtostr(digits, sizeof digits, json_node_get_double(node));
}

void print_redacted(JsonNode* node, int id, std::string& out);

void print_redacted_object(JsonObject* object, int id, std::string& out) {
  out += '{';
  JsonObjectIter iter;
  json_object_iter_init_ordered(&iter, object);
  const char* name = nullptr;
  JsonNode* member = nullptr;
  bool first = true;
  while (json_object_iter_next_ordered(&iter, &name, &member)) {
    if (!first) out += ',';
    first = false;
    // An unknown name may be that of a file, in the list of a folder.
    const bool shown = is_shown_in_logs(id, name);
    const bool is_known = shown || std::string_view(name) == "token" ||
                          std::string_view(name) == "param" || std::string_view(name) == "listing";
    out += is_known ? json_string(name) : "(a name)";
    out += ':';
    if (shown)
      print_redacted(member, id, out);
    else
      out += "(hidden)";
  }
  out += '}';
}

void print_redacted(JsonNode* node, int id, std::string& out) {
  if (JSON_NODE_HOLDS_OBJECT(node)) {
    print_redacted_object(json_node_get_object(node), id, out);
  } else if (JSON_NODE_HOLDS_ARRAY(node)) {
    JsonArray* array = json_node_get_array(node);
    out += '[';
    const guint length = json_array_get_length(array), most = std::min(length, 16u);
    for (guint i = 0; i < most; ++i) {
      if (i) out += ',';
      print_redacted(json_array_get_element(array, i), id, out);
    }
    if (most < length) out += ",...";
    out += ']';
  } else if (JSON_NODE_HOLDS_VALUE(node)) {
    const std::string value = scalar_text(node).substr(0, 256);
    out += json_node_get_value_type(node) == G_TYPE_STRING ? json_string(value) : value;
  } else {
    out += "null";
  }
}

}  // namespace

Request::Request(int id) : id(id) {}
Request::Request(int id, std::string param) : id(id), param(std::move(param)) {}

Result<std::string> Request::to_json(int64_t token) const {
  std::string json = "{";
  if (param) json += "\"param\":" + json_string(*param) + ",";
  json += "\"msg_id\":" + std::to_string(id);
  if (type) json += ",\"type\":" + json_string(*type);
  for (const auto& [name, value] : fields) {
    json += "," + json_string(name) + ":";
    if (const auto* number = std::get_if<int64_t>(&value))
      json += std::to_string(*number);
    else
      json += json_string(std::get<std::string>(value));
  }
  json += ",\"btwifi\":2,\"token\":" + std::to_string(token) + "}";
  if (json.size() > max_size)
    return invalid(command_name(id) + " is " + std::to_string(json.size()) +
                   " bytes long, and the camera accepts at most " + std::to_string(max_size));
  return json;
}

Result<Message> Message::parse(std::string_view text) {
  // Errors do not contain the text, because it may have a serial number or a password.
  Result<JsonDocument> document =
      JsonDocument::parse(text, "a message is damaged", Framer::default_max_size);
  if (!document) return document.error();
  Message message(std::move(*document));
  if (!message.object()) return invalid("a message is not a JSON object");
  const std::optional<int64_t> id = message.number("msg_id");
  if (!id || *id < 0 || *id > INT_MAX) return invalid("a message has no valid msg_id");
  message.id_ = static_cast<int>(*id);
  if (!message.has("rval")) return message;
  const std::optional<int64_t> rval = message.number("rval");
  if (!rval || *rval < INT_MIN || *rval > INT_MAX)
    return invalid("the result of " + command_name(message.id_) + " is not a number");
  message.rval_ = static_cast<int>(*rval);
  return message;
}

Message::Kind Message::kind() const {
  if (id_ == msg_query_holder) return Kind::question;
  if (rval_ == rval_notification || is_never_answer(id_)) return Kind::notification;
  return Kind::reply;
}

JsonObject* Message::object() const {
  JsonNode* root = document_.root_node();
  return root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : nullptr;
}

bool Message::has(const char* name) const { return json_object_has_member(object(), name); }

std::optional<int64_t> Message::number(const char* name) const {
  JsonNode* node = json_object_get_member(object(), name);
  if (!node || !JSON_NODE_HOLDS_VALUE(node)) return std::nullopt;
  const GType type = json_node_get_value_type(node);
  if (type == G_TYPE_INT64) return json_node_get_int(node);
  if (type != G_TYPE_STRING) return std::nullopt;
  gint64 value = 0;
  const char* digits = json_node_get_string(node);
  if (!digits || !g_ascii_string_to_signed(digits, 10, G_MININT64, G_MAXINT64, &value, nullptr))
    return std::nullopt;
  return value;
}

std::optional<std::string> Message::text(const char* name) const {
  JsonNode* node = json_object_get_member(object(), name);
  if (!node || !JSON_NODE_HOLDS_VALUE(node)) return std::nullopt;
  return scalar_text(node);
}

std::vector<std::pair<std::string, std::string>> Message::entries(const char* name) const {
  std::vector<std::pair<std::string, std::string>> found;
  JsonNode* node = json_object_get_member(object(), name);
  if (!node || !JSON_NODE_HOLDS_ARRAY(node)) return found;
  JsonArray* array = json_node_get_array(node);
  for (guint i = 0; i < json_array_get_length(array); ++i) {
    JsonNode* element = json_array_get_element(array, i);
    if (!JSON_NODE_HOLDS_OBJECT(element)) continue;
    JsonObjectIter iter;
    json_object_iter_init_ordered(&iter, json_node_get_object(element));
    const char* key = nullptr;
    JsonNode* value = nullptr;
    if (json_object_iter_next_ordered(&iter, &key, &value))
      found.emplace_back(key, JSON_NODE_HOLDS_VALUE(value) ? scalar_text(value) : std::string());
  }
  return found;
}

std::vector<std::string> Message::texts(const char* name) const {
  std::vector<std::string> found;
  JsonNode* node = json_object_get_member(object(), name);
  if (!node || !JSON_NODE_HOLDS_ARRAY(node)) return found;
  JsonArray* array = json_node_get_array(node);
  for (guint i = 0; i < json_array_get_length(array); ++i) {
    JsonNode* element = json_array_get_element(array, i);
    if (JSON_NODE_HOLDS_VALUE(element)) found.push_back(scalar_text(element));
  }
  return found;
}

std::string Message::json() const {
  return GString_(json_to_string(document_.root_node(), FALSE)).get();
}

std::string Message::redacted() const {
  std::string out;
  print_redacted_object(object(), id_, out);
  return out;
}

std::string redacted(std::string_view json) {
  const Result<Message> message = Message::parse(json);
  return message ? message->redacted()
                 : std::to_string(json.size()) + " bytes that are not a message";
}

std::string unix_path(std::string_view camera_path) {
  std::string path(camera_path);
  std::replace(path.begin(), path.end(), '\\', '/');
  if (path.starts_with("C:/")) path.replace(0, 2, card_root);
  // It is used on the bus and in messages, therefore it must be printable. A camera's own names are
  // ASCII.
  return printable(path, Request::max_size);
}

}  // namespace sphere::madv
