// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/view/file.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "gst/sphere/base/file.h"
#include "gst/sphere/base/json.h"
#include "gst/sphere/base/json_writer.h"

namespace sphere {

namespace {

constexpr const char* format_name = "gst-sphere-view";
constexpr int format_version = 1;
// A keyframe has about 150 bytes.
constexpr size_t most_bytes = 32 << 20;
// Beside the keyframes.
constexpr size_t most_objects = 1000;
// The limits of ViewPath are narrower, and its messages tell more.
constexpr double anything = 1e9;
constexpr size_t longest_word = 100;

Easing read_easing(const JsonValue& value) {
  Easing easing;
  if (value.is_text()) {
    const std::string word = value.text(longest_word);
    const auto* const known = std::ranges::find(easing_names, word);
    if (known == std::end(easing_names))
      value.complain("is '" + word +
                     "', must be one of linear, smooth, hold, or a curve [x1, y1, x2, y2]");
    else
      easing.kind = static_cast<Easing::Kind>(known - std::begin(easing_names));
    return easing;
  }
  const std::vector<double> points = value.numbers(4, -anything, anything);
  easing.kind = Easing::Kind::cubic;
  easing.x1 = points[0];
  easing.y1 = points[1];
  easing.x2 = points[2];
  easing.y2 = points[3];
  return easing;
}

/// What a keyframe does not tell is as in the one before.
Keyframe read_keyframe(const JsonValue& value, const Keyframe& before) {
  value.expect_only({"time", "yaw", "pitch", "roll", "fov", "projection", "easing", "speed"});
  Keyframe key = before;
  key.time = value["time"].number(0, anything);
  key.angles.yaw = value.optional("yaw").number_or(before.angles.yaw, -anything, anything);
  key.angles.pitch = value.optional("pitch").number_or(before.angles.pitch, -anything, anything);
  key.angles.roll = value.optional("roll").number_or(before.angles.roll, -anything, anything);
  if (const JsonValue projection = value.optional("projection"); projection.present()) {
    key.projection = static_cast<Projection>(
        projection.choice({projection_names[0], projection_names[1], projection_names[2],
                           projection_names[3], projection_names[4], projection_names[5]}));
    if (key.projection != before.projection) key.fov = 0;
  }
  key.fov = value.optional("fov").number_or(key.fov, 0, anything);
  if (const JsonValue easing = value.optional("easing"); easing.present())
    key.easing = read_easing(easing);
  key.speed = value.optional("speed").number_or(before.speed, 0, anything);
  return key;
}

}  // namespace

Result<ViewPath> parse_view_path(std::string_view text, const std::string& name) {
  // Before the text is parsed, which takes much more memory than it has bytes.
  if (static_cast<size_t>(std::ranges::count(text, '{')) > ViewPath::most_keyframes + most_objects)
    return invalid(name + ": there are more than " + std::to_string(ViewPath::most_keyframes) +
                   " keyframes");
  Result<JsonDocument> document = JsonDocument::parse(text, name, most_bytes);
  if (!document) return document.error();
  const JsonValue root = document->root();
  root["format"].choice({format_name});
  root["version"].integer(format_version, format_version);
  root.expect_only({"format", "version", "turn", "horizon", "keyframes"});
  TurnWay turn_way = TurnWay::shortest;
  Horizon horizon = Horizon::locked;
  if (const JsonValue turn = root.optional("turn"); turn.present())
    turn_way = static_cast<TurnWay>(turn.choice({turn_way_names[0], turn_way_names[1]}));
  if (const JsonValue value = root.optional("horizon"); value.present())
    horizon = static_cast<Horizon>(value.choice({horizon_names[0], horizon_names[1]}));
  std::vector<Keyframe> keyframes;
  Keyframe before;
  for (const JsonValue& value : root["keyframes"].items(ViewPath::most_keyframes)) {
    if (document->problem()) break;
    before = read_keyframe(value, before);
    keyframes.push_back(before);
  }
  if (document->problem()) return *document->problem();
  Result<ViewPath> path = ViewPath::make(std::move(keyframes), turn_way, horizon);
  if (!path) return invalid(name + ": " + path.error().message);
  return path;
}

Result<ViewPath> load_view_path(const std::string& file_or_text) {
  const size_t first = file_or_text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && file_or_text[first] == '{')
    return parse_view_path(file_or_text, "keyframes");
  const Result<std::string> text = read_file(file_or_text, most_bytes, "list of keyframes");
  if (!text) return text.error();
  return parse_view_path(*text, file_or_text);
}

std::string view_path_text(const ViewPath& path) {
  JsonWriter writer;
  writer.add("format", format_name);
  writer.add("version", format_version);
  writer.add("turn", turn_way_names[static_cast<size_t>(path.turn_way())]);
  writer.add("horizon", horizon_names[static_cast<size_t>(path.horizon())]);
  writer.open_list("keyframes");
  for (const Keyframe& key : path.keyframes()) {
    writer.open();
    writer.add("time", key.time);
    writer.add("yaw", key.angles.yaw);
    writer.add("pitch", key.angles.pitch);
    writer.add("roll", key.angles.roll);
    writer.add("fov", key.fov);
    writer.add("projection", projection_names[static_cast<size_t>(key.projection)]);
    if (key.easing.kind == Easing::Kind::cubic)
      writer.add_numbers("easing",
                         std::array{key.easing.x1, key.easing.y1, key.easing.x2, key.easing.y2});
    else
      writer.add("easing", easing_names[static_cast<size_t>(key.easing.kind)]);
    writer.add("speed", key.speed);
    writer.close();
  }
  writer.close_list();
  return writer.finish_text();
}

}  // namespace sphere
