// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes a JSON object, member by member.

#pragma once

#include <json-glib/json-glib.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "gst/sphere/base/gobject.h"

namespace sphere {

using JsonNodeRef = std::unique_ptr<JsonNode, Call<json_node_unref>>;

/// Texts may have bytes that are not UTF-8, such as the names of files; these are replaced.
class JsonWriter {
 public:
  JsonWriter() : builder_(json_builder_new()) { open(); }

  /// An object: a member, or an item of a list if there is no name.
  void open(const char* name = nullptr) {
    if (name) json_builder_set_member_name(builder_.get(), name);
    json_builder_begin_object(builder_.get());
  }
  void close() { json_builder_end_object(builder_.get()); }
  void open_list(const char* name) {
    json_builder_set_member_name(builder_.get(), name);
    json_builder_begin_array(builder_.get());
  }
  void close_list() { json_builder_end_array(builder_.get()); }

  /// A text, a number, a boolean, or a list of texts.
  template <typename T>
  void add(const char* name, const T& value) {
    if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      json_builder_set_member_name(builder_.get(), name);
      item(value);
    } else if constexpr (std::is_arithmetic_v<T>) {
      json_builder_set_member_name(builder_.get(), name);
      if constexpr (std::is_same_v<T, bool>)
        json_builder_add_boolean_value(builder_.get(), value);
      else if constexpr (std::is_integral_v<T>)
        json_builder_add_int_value(builder_.get(), static_cast<gint64>(value));
      else
        json_builder_add_double_value(builder_.get(), value);
    } else {
      open_list(name);
      for (const auto& text : value) item(text);
      close_list();
    }
  }
  void add_numbers(const char* name, std::span<const double> values) {
    open_list(name);
    for (const double value : values) json_builder_add_double_value(builder_.get(), value);
    close_list();
  }
  /// A text in a list.
  void item(std::string_view text) {
    const GString_ valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())));
    json_builder_add_string_value(builder_.get(), valid.get());
  }
  void add_node(const char* name, JsonNodeRef value) {
    json_builder_set_member_name(builder_.get(), name);
    json_builder_add_value(builder_.get(), value.release());
  }

  /// The whole object. To be called once, at the end.
  JsonNodeRef finish() {
    close();
    return JsonNodeRef(json_builder_get_root(builder_.get()));
  }
  /// `pretty`: on several lines, for a person; otherwise on one.
  std::string finish_text(bool pretty = true) {
    const JsonNodeRef root = finish();
    const GString_ text(json_to_string(root.get(), pretty));
    return text.get();
  }

 private:
  ObjectRef<JsonBuilder> builder_;
};

}  // namespace sphere
