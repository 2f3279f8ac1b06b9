// SPDX-License-Identifier: LGPL-2.1-or-later
// What the verbs of `sphere consent` print for programs.

#pragma once

#include <json-glib/json-glib.h>

#include <array>
#include <string>
#include <string_view>

#include "gst/sphere/consent/chain.h"
#include "gst/tools/json_output.h"

namespace sphere::tool {

constexpr std::array<const char*, 5> state_names = {"never given", "given", "withdrawn", "outdated",
                                                    "expired"};
inline const char* name_of_state(consent::CategoryState::State state) {
  return state_names[static_cast<size_t>(state)];
}

/// JSON with lists of objects in it.
class Json {
 public:
  Json() : builder_(json_builder_new()) { open(); }

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
  void text(const char* name, std::string_view value) {
    json_builder_set_member_name(builder_.get(), name);
    item(value);
  }
  void item(std::string_view value) {
    json_builder_add_string_value(builder_.get(), utf8(std::string(value)).c_str());
  }
  void number(const char* name, gint64 value) {
    json_builder_set_member_name(builder_.get(), name);
    json_builder_add_int_value(builder_.get(), value);
  }
  void boolean(const char* name, bool value) {
    json_builder_set_member_name(builder_.get(), name);
    json_builder_add_boolean_value(builder_.get(), value);
  }
  void purposes(const char* name, consent::Purposes set) {
    open_list(name);
    for (size_t i = 0; i < consent::purpose_names.size(); ++i)
      if (set & consent::bit(static_cast<consent::Purpose>(i))) item(consent::purpose_names[i]);
    close_list();
  }

  /// Takes the node.
  void node(const char* name, JsonNode* value) {
    json_builder_set_member_name(builder_.get(), name);
    json_builder_add_value(builder_.get(), value);
  }

  int print() {
    close();
    JsonNode* root = json_builder_get_root(builder_.get());
    const bool printed = print_json(root);
    json_node_unref(root);
    return printed ? exit_done : exit_failed;
  }

 private:
  ObjectRef<JsonBuilder> builder_;
};

}  // namespace sphere::tool
