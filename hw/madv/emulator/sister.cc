// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/emulator/sister.h"

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "hw/madv/wire.h"

namespace sphere::madv_emulator {

using madv::json_string;

namespace {

struct Setting {
  const char* name;
  const char* value;
  std::vector<const char*> options;
};
struct Group {
  std::string_view mode;
  std::vector<const char*> names;
};

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = {
#define SISTER_SETTING(name, value, ...) {name, value, {__VA_ARGS__}},
#define SISTER_GROUP(...)
#include "hw/madv/emulator/sister.inc"
#undef SISTER_SETTING
#undef SISTER_GROUP
  };
  return all;
}

const std::vector<Group>& groups() {
  static const std::vector<Group> all = {
#define SISTER_SETTING(...)
#define SISTER_GROUP(mode, ...) {mode, {__VA_ARGS__}},
#include "hw/madv/emulator/sister.inc"
#undef SISTER_SETTING
#undef SISTER_GROUP
  };
  return all;
}

constexpr std::string_view shared_by_videos = "video", shared_by_photos = "photo",
                           shared_by_all = "all";

const Setting* find(std::string_view name) {
  const auto found = std::ranges::find_if(
      settings(), [&](const Setting& setting) { return name == setting.name; });
  return found == settings().end() ? nullptr : &*found;
}

}  // namespace

void SisterSettings::reset() {
  for (const Setting& setting : settings()) values_[setting.name] = setting.value;
}

bool SisterSettings::is_photo_mode() const {
  return mode_ == "normal_capture" || mode_ == "timelapse_photo" || mode_ == "burst_capture";
}

bool SisterSettings::set_mode(std::string_view mode) {
  const bool known =
      mode != shared_by_videos && mode != shared_by_photos && mode != shared_by_all &&
      std::ranges::any_of(groups(), [&](const Group& group) { return group.mode == mode; });
  if (known) mode_ = mode;
  return known;
}

bool SisterSettings::has(std::string_view name) const { return find(name) != nullptr; }

std::optional<std::string> SisterSettings::value(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

bool SisterSettings::set(std::string_view name, std::string_view value) {
  const Setting* setting = find(name);
  if (!setting || std::ranges::find(setting->options, value) == setting->options.end())
    return false;
  values_[setting->name] = value;
  return true;
}

std::optional<std::string> SisterSettings::options(std::string_view name) const {
  const Setting* setting = find(name);
  if (!setting) return std::nullopt;
  std::string list;
  for (const char* option : setting->options)
    list += (list.empty() ? "" : ",") + json_string(option);
  return "[" + list + "]";
}

void SisterSettings::add_group(std::string_view mode, std::string& list) const {
  for (const Group& group : groups()) {
    if (group.mode != mode) continue;
    for (const char* name : group.names)
      list += (list.empty() ? "{" : ",{") + json_string(name) + ":" +
              json_string(value(name).value_or("")) + "}";
  }
}

std::string SisterSettings::all() const {
  std::string list;
  for (const Group& group : groups()) add_group(group.mode, list);
  return "[" + list + "]";
}

std::string SisterSettings::of_this_mode() const {
  std::string list;
  for (const std::string_view mode :
       {std::string_view(mode_), is_photo_mode() ? shared_by_photos : shared_by_videos,
        shared_by_all})
    add_group(mode, list);
  return "[" + list + "]";
}

}  // namespace sphere::madv_emulator
