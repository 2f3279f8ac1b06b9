// SPDX-License-Identifier: LGPL-2.1-or-later
// One JSON object on stdout, for programs.

#pragma once

#include <json-glib/json-glib.h>

#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/tools/command.h"

namespace sphere::tool {

/// Text as JSON can have it: file names need not be UTF-8.
inline std::string utf8(const std::string& text) {
  const GString_ valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())));
  return valid.get();
}

class JsonObjectOutput {
 public:
  JsonObjectOutput() : builder_(json_builder_new()) { json_builder_begin_object(builder_.get()); }

  void add(const char* name, const std::string& value) {
    json_builder_set_member_name(builder_.get(), name);
    json_builder_add_string_value(builder_.get(), utf8(value).c_str());
  }
  void add(const char* name, const char* value) { add(name, std::string(value)); }
  void add(const char* name, gint64 value) {
    json_builder_set_member_name(builder_.get(), name);
    json_builder_add_int_value(builder_.get(), value);
  }
  void add(const char* name, double value) {
    json_builder_set_member_name(builder_.get(), name);
    json_builder_add_double_value(builder_.get(), value);
  }
  void add(const char* name, const std::vector<std::string>& values) {
    json_builder_set_member_name(builder_.get(), name);
    json_builder_begin_array(builder_.get());
    for (const std::string& value : values)
      json_builder_add_string_value(builder_.get(), utf8(value).c_str());
    json_builder_end_array(builder_.get());
  }

  /// Once, at the end. False where stdout could not take it.
  bool print() {
    json_builder_end_object(builder_.get());
    JsonNode* root = json_builder_get_root(builder_.get());
    const bool printed = print_json(root);
    json_node_unref(root);
    return printed;
  }

 private:
  ObjectRef<JsonBuilder> builder_;
};

}  // namespace sphere::tool
