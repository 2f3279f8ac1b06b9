// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/edit_list.h"

#include <glib.h>

#include <array>
#include <utility>

#include "gst/sphere/base/file.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/json.h"
#include "gst/sphere/view/file.h"
#include "gst/tools/command.h"

namespace sphere::tool {

namespace {

constexpr size_t most_clips = 1000;
constexpr size_t largest_list = 32 << 20, longest_name = 4096;
constexpr double most_seconds = 1e6;

/// Names of files are relative to the list's folder.
std::string in_folder(const std::string& folder, const std::string& name) {
  if (name.empty() || g_path_is_absolute(name.c_str())) return name;
  const GString_ path(g_build_filename(folder.c_str(), name.c_str(), nullptr));
  return path.get();
}

/// A profile has a name, or is in a file.
bool is_file_name(const std::string& lens) {
  return lens.find('/') != std::string::npos || lens.find('.') != std::string::npos;
}

void read_lens(const JsonValue& value, const std::string& folder, StitchOptions* view) {
  const std::string lens = value.text(longest_name);
  view->search = lens == "auto";
  view->lens = view->search ? "" : is_file_name(lens) ? in_folder(folder, lens) : lens;
  view->dng = has_ending(view->lens, ".dng");
}

Status read_clip(const JsonValue& value, const std::string& folder, ReframeClip* clip) {
  value.expect_only({"input", "from", "to", "speed", "keyframes", "yaw", "pitch", "roll", "fov",
                     "projection", "lens", "level"});
  StitchOptions& view = clip->view;
  view.input = in_folder(folder, value["input"].text(longest_name));
  clip->from = value.optional("from").number_or(0, 0, most_seconds);
  if (const JsonValue to = value.optional("to"); to.present()) {
    clip->to = to.number(0, most_seconds);
    if (*clip->to <= clip->from) to.complain("must be later than 'from'");
  }
  clip->speed = value.optional("speed").number_or(clip->speed, slowest_speed, fastest_speed);
  if (const JsonValue lens = value.optional("lens"); lens.present()) read_lens(lens, folder, &view);
  if (const JsonValue level = value.optional("level"); level.present())
    view.level = std::array{"off", "horizon",
                            "full"}[static_cast<size_t>(level.choice({"off", "horizon", "full"}))];
  const JsonValue keyframes = value.optional("keyframes");
  bool fixed = false;
  for (const char* field : {"yaw", "pitch", "roll", "fov", "projection"})
    fixed = fixed || value.optional(field).present();
  if (keyframes.present()) {
    if (fixed)
      keyframes.complain(
          "tells what is looked at; yaw, pitch, roll, fov and projection can't be beside it");
    const std::string list =
        keyframes.is_text() ? in_folder(folder, keyframes.text(longest_name)) : keyframes.as_json();
    if (const Status taken = take_keyframes(list, &view); !taken)
      keyframes.complain(taken.error().message);
    return ok();
  }
  if (!fixed) return ok();
  view.keyframes.clear();
  view.yaw = value.optional("yaw").number_or(0, -360, 360);
  view.pitch = value.optional("pitch").number_or(0, -360, 360);
  view.roll = value.optional("roll").number_or(0, -360, 360);
  view.fov = value.optional("fov").number_or(0, 0, 360);
  if (const JsonValue projection = value.optional("projection"); projection.present())
    view.projection = static_cast<Projection>(
        projection.choice({projection_names[0], projection_names[1], projection_names[2],
                           projection_names[3], projection_names[4], projection_names[5]}));
  return check_view(view, "");
}

}  // namespace

Status check_view(const StitchOptions& view, const std::string& prefix) {
  if (view.fov != 0) {
    if (shows_all(view.projection))
      return invalid(prefix + "fov needs a projection that shows a view, not the whole sphere");
    const FieldRange range = field_range(view.projection);
    const std::string name = prefix + "fov";
    if (const Status in = check_range(name.c_str(), view.fov, degrees(range.smallest),
                                      degrees(range.largest) + 1e-9);
        !in)
      return in;
  }
  for (const auto& [angle, value] :
       {std::pair{"yaw", view.yaw}, {"pitch", view.pitch}, {"roll", view.roll}}) {
    const std::string name = prefix + angle;
    if (const Status in = check_range(name.c_str(), value, -360, 360); !in) return in;
  }
  return ok();
}

Status take_keyframes(const std::string& file_or_text, StitchOptions* view) {
  const Result<ViewPath> path = load_view_path(file_or_text);
  if (!path) return path.error();
  view->keyframes = view_path_text(*path);
  view->projection = path->keyframes().front().projection;
  view->yaw = view->pitch = view->roll = view->fov = 0;
  return ok();
}

Result<std::vector<ReframeClip>> load_edit_list(const std::string& path,
                                                const StitchOptions& common) {
  const Result<std::string> text = read_file(path, largest_list, "list of clips");
  if (!text) return text.error();
  Result<JsonDocument> document = JsonDocument::parse(*text, path, largest_list);
  if (!document) return document.error();
  const GString_ folder(g_path_get_dirname(path.c_str()));
  const JsonValue root = document->root();
  root["format"].choice({"gst-sphere-edit"});
  root["version"].integer(1, 1);
  root.expect_only({"format", "version", "clips"});
  std::vector<ReframeClip> clips;
  for (const JsonValue& value : root["clips"].items(most_clips)) {
    if (document->problem()) break;
    ReframeClip clip{common};
    if (const Status read = read_clip(value, folder.get(), &clip); !read)
      value.complain(read.error().message);
    clips.push_back(std::move(clip));
  }
  if (!document->problem() && clips.empty()) root["clips"].complain("has no clip");
  if (document->problem()) return *document->problem();
  return clips;
}

}  // namespace sphere::tool
