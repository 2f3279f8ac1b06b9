// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/lens/storage.h"

#include <glib.h>
#include <yaml.h>

#include <memory>
#include <utility>

#include "gst/sphere/base/gobject.h"

namespace sphere {

namespace {

constexpr size_t largest_text = 256 << 10;
constexpr size_t deepest = 16;
constexpr size_t most_nodes = 20000;

/// Makes a tree from a parser's events.
class Builder {
 public:
  Builder() { open_.push_back(&root_); }

  const char* problem() const { return problem_; }
  StorageNode take() { return std::move(root_); }

  void begin(StorageNode::Kind kind, std::string name) {
    if (StorageNode* node = add(kind, std::move(name))) {
      open_.push_back(node);
      if (open_.size() > deepest) problem_ = "is nested too deeply";
    }
  }
  void end() {
    if (open_.size() > 1) open_.pop_back();
  }
  void scalar(std::string name, std::string text) {
    if (StorageNode* node = add(StorageNode::Kind::scalar, std::move(name)))
      node->text = std::move(text);
  }
  StorageNode& top() { return *open_.back(); }
  void fail(const char* why) {
    if (!problem_) problem_ = why;
  }

 private:
  StorageNode* add(StorageNode::Kind kind, std::string name) {
    if (++count_ > most_nodes) problem_ = "has too many values";
    if (problem_) return nullptr;
    // Only one child of a list is open at a time, therefore no pointer to a child is kept while the
    // list grows.
    StorageNode& made = open_.back()->children.emplace_back();
    made.name = std::move(name);
    made.kind = kind;
    return &made;
  }

  StorageNode root_{StorageNode::Kind::list, {}, {}, {}};
  std::vector<StorageNode*> open_;
  size_t count_ = 0;
  const char* problem_ = nullptr;
};

std::string yaml_problem(std::string_view text, Builder& builder) {
  if (text.empty()) return "is empty";
  yaml_parser_t parser;
  if (!yaml_parser_initialize(&parser)) return "can't be read: there is not enough memory";
  const std::unique_ptr<yaml_parser_t, Call<yaml_parser_delete>> owner(&parser);
  yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()),
                               text.size());
  std::string key;
  bool has_key = false;
  for (bool done = false; !done && !builder.problem();) {
    yaml_event_t event;
    if (!yaml_parser_parse(&parser, &event)) {
      // The parser's message may quote the file, therefore only the line number is reported.
      return "line " + std::to_string(parser.problem_mark.line + 1) + " is not YAML";
    }
    const std::unique_ptr<yaml_event_t, Call<yaml_event_delete>> event_owner(&event);
    const bool in_map = builder.top().kind == StorageNode::Kind::map;
    switch (event.type) {
      case YAML_SCALAR_EVENT: {
        std::string value(reinterpret_cast<const char*>(event.data.scalar.value),
                          event.data.scalar.length);
        if (in_map && !has_key) {
          key = std::move(value);
          has_key = true;
        } else {
          builder.scalar(std::exchange(key, {}), std::move(value));
          has_key = false;
        }
        break;
      }
      case YAML_SEQUENCE_START_EVENT:
      case YAML_MAPPING_START_EVENT:
        if (in_map && !has_key) {
          builder.fail("has a name that is not a string");
          break;
        }
        builder.begin(event.type == YAML_MAPPING_START_EVENT ? StorageNode::Kind::map
                                                             : StorageNode::Kind::list,
                      std::exchange(key, {}));
        has_key = false;
        break;
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        builder.end();
        break;
      case YAML_ALIAS_EVENT:
        builder.fail("has aliases, which are not supported");
        break;
      case YAML_STREAM_END_EVENT:
        done = true;
        break;
      default:
        break;
    }
  }
  return {};
}

std::string xml_problem(std::string_view text, Builder& builder) {
  const GMarkupParser callbacks = {
      .start_element =
          +[](GMarkupParseContext*, const char* name, const char**, const char**, gpointer data,
              GError** error) {
            auto* builder = static_cast<Builder*>(data);
            builder->begin(StorageNode::Kind::map, name);
            if (builder->problem())
              g_set_error_literal(error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT,
                                  builder->problem());
          },
      .end_element =
          +[](GMarkupParseContext*, const char*, gpointer data, GError** error) {
            auto* builder = static_cast<Builder*>(data);
            StorageNode& node = builder->top();
            // The text is one value or a list of values.
            if (node.children.empty()) {
              g_auto(GStrv) words = g_strsplit_set(node.text.c_str(), " \t\r\n", -1);
              std::vector<std::string> found;
              for (char** word = words; *word; ++word)
                if (**word) found.emplace_back(*word);
              node.kind = StorageNode::Kind::scalar;
              if (found.size() == 1) {
                node.text = found[0];
              } else if (!found.empty()) {
                node.kind = StorageNode::Kind::list;
                for (std::string& word : found) builder->scalar({}, std::move(word));
              }
            }
            builder->end();
            if (builder->problem())
              g_set_error_literal(error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT,
                                  builder->problem());
          },
      .text = +[](GMarkupParseContext*, const char* text, gsize length, gpointer data,
                  GError**) { static_cast<Builder*>(data)->top().text.append(text, length); },
  };
  const std::unique_ptr<GMarkupParseContext, Call<g_markup_parse_context_unref>> context(
      g_markup_parse_context_new(&callbacks, static_cast<GMarkupParseFlags>(0), &builder, nullptr));
  g_autoptr(GError) error = nullptr;
  if (g_markup_parse_context_parse(context.get(), text.data(), static_cast<gssize>(text.size()),
                                   &error) &&
      g_markup_parse_context_end_parse(context.get(), &error))
    return {};
  if (builder.problem()) return builder.problem();
  // The parser's message quotes the file, therefore only the line number is reported.
  gint line = 0;
  g_markup_parse_context_get_position(context.get(), &line, nullptr);
  return "line " + std::to_string(line) + " is not XML";
}

}  // namespace

const StorageNode& StorageNode::operator[](std::string_view wanted) const {
  static const StorageNode none;
  if (kind == Kind::map)
    for (const StorageNode& child : children)
      if (child.name == wanted) return child;
  return none;
}

Result<StorageNode> parse_storage(std::string_view text, const std::string& name) {
  if (text.size() > largest_text) return invalid(name + ": is too large for a calibration");
  if (!g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr))
    return invalid(name + ": is not UTF-8 text");
  Builder builder;
  const size_t first = text.find_first_not_of(" \t\r\n");
  std::string problem;
  if (first != std::string_view::npos && text[first] == '<') {
    problem = xml_problem(text.substr(first), builder);
  } else {
    // OpenCV writes "%YAML:1.0", which is not a valid YAML directive.
    if (text.starts_with("%YAML")) {
      const size_t end = text.find('\n');
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    problem = yaml_problem(text, builder);
  }
  if (problem.empty() && builder.problem()) problem = builder.problem();
  if (!problem.empty()) return invalid(name + ": " + problem);
  StorageNode tree = builder.take();
  if (tree.children.size() != 1 || tree.children[0].kind != StorageNode::Kind::map)
    return invalid(name + ": contains no names with values");
  StorageNode root = std::move(tree.children[0]);
  return root;
}

}  // namespace sphere
