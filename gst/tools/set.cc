// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere set: changes a setting of a camera, by name.

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "gst/tools/camera_command.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "Changes a setting of a camera. VALUE is one of the words that --list shows, or a number.\n"
    "Without VALUE, prints the present value. --list needs no camera; with a URI, it asks that "
    "one,\n"
    "because some cameras tell themselves which settings they have.\n"
    "\n"
    "--service gives access to all commands of the camera's own protocol, also those for "
    "workshops\n"
    "and for the remote control: NAME is then a command, VALUE its value, and more members of the\n"
    "message follow as MEMBER=TEXT. Some of them do harm; 'sphere set --service --list' lists "
    "them.\n"
    "\n"
    "Examples:\n"
    "  sphere set --list\n"
    "  sphere set video-resolution '2304x1152@60'\n"
    "  sphere set madv://192.168.42.1 photo-exposure -0.5\n"
    "  sphere set --service card-space type=free\n";

int list_settings(CameraCommand& command, const std::vector<hw::SettingInfo>& settings) {
  if (command.json()) {
    JsonWriter json;
    json.open_list("settings");
    for (const hw::SettingInfo& setting : settings) {
      json.open();
      json.add("name", setting.name);
      json.open_list("choices");
      for (const hw::SettingInfo::Choice& choice : setting.choices) {
        json.open();
        json.add("value", choice.value);
        json.add("words", setting.words_of(choice.value));
        json.close();
      }
      json.close_list();
      if (setting.max >= setting.min) {
        json.add("min", setting.min);
        json.add("max", setting.max);
      }
      if (!setting.unit.empty()) json.add("unit", setting.unit);
      if (setting.factory) json.add("factory", setting.words_of(*setting.factory));
      json.add("kept", setting.kept);
      if (!setting.note.empty()) json.add("note", setting.note);
      json.close();
    }
    json.close_list();
    return print(json) ? exit_done : exit_failed;
  }
  std::vector<std::vector<std::string>> rows = {{"NAME", "FACTORY VALUE", "VALUES"}};
  for (const hw::SettingInfo& setting : settings)
    rows.push_back({setting.name, setting.factory ? setting.words_of(*setting.factory) : "",
                    setting.possible() + (setting.note.empty() ? "" : " (" + setting.note + ")")});
  return print_text(stdout, table_text(rows)) ? exit_done : exit_failed;
}

int list_commands(CameraCommand& command, const std::vector<hw::FamilyCommand>& commands) {
  if (command.json()) {
    JsonWriter json;
    json.open_list("commands");
    for (const hw::FamilyCommand& one : commands) {
      json.open();
      json.add("name", one.name);
      json.add("what", one.what);
      json.add("service", one.service);
      json.close();
    }
    json.close_list();
    return print(json) ? exit_done : exit_failed;
  }
  std::vector<std::vector<std::string>> rows = {{"NAME", "FOR WORKSHOPS", "VALUE OR ANSWER"}};
  for (const hw::FamilyCommand& one : commands)
    rows.push_back({one.name, one.service ? "yes" : "", one.what});
  return print_text(stdout, table_text(rows)) ? exit_done : exit_failed;
}

int call_service(CameraCommand& command, const std::vector<std::string>& words) {
  hw::CameraUpkeep* upkeep = command.camera().upkeep();
  if (!upkeep) return command.lacking("service commands");
  std::map<std::string, std::string> fields;
  std::optional<std::string> value;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    const size_t equals = word.find('=');
    if (equals != std::string::npos)
      fields[word.substr(0, equals)] = word.substr(equals + 1);
    else if (!value)
      value = word;
    else
      return command.usage("'" + word +
                           "' is one value too many; write more members as MEMBER=TEXT");
  }
  const auto answer = command.wait<std::string, std::optional<hw::Failure>>(
      [&](auto handler) { upkeep->call(words[0], value, fields, std::move(handler)); });
  if (!answer) return command.fail(CameraCommand::interrupted());
  if (const auto& failure = std::get<1>(*answer)) return command.fail(*failure);
  JsonWriter json;
  json.add("answer", std::get<0>(*answer));
  return command.done(std::get<0>(*answer), &json);
}

/// The settings of the connected camera, which tells which it has if the family does not know them.
/// Without success, prints why, and returns an exit status.
std::optional<int> read_settings(CameraCommand& command, hw::CameraSettings*& settings) {
  settings = command.camera().settings();
  if (!settings) return command.lacking("settings");
  if (!settings->known().empty()) return std::nullopt;
  const auto answer = command.wait<hw::CameraSettings::Values, std::optional<hw::Failure>>(
      [&](auto handler) { settings->read_all(std::move(handler)); });
  if (!answer) return command.fail(CameraCommand::interrupted());
  if (const auto& failure = std::get<1>(*answer)) return command.fail(*failure);
  return std::nullopt;
}

/// A negative value looks like an option. Takes it out of the arguments.
std::optional<std::string> take_negative(int& argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] != '-' || !g_ascii_isdigit(argv[i][1])) continue;
    std::string value = argv[i];
    std::move(argv + i + 1, argv + argc, argv + i);
    --argc;
    return value;
  }
  return std::nullopt;
}

int set(int argc, char** argv) {
  CameraCommand command("set", "[URI] NAME [VALUE]", "Changes a setting of a camera.", description);
  gboolean list = FALSE, service = FALSE;
  const std::vector<GOptionEntry> options = {
      {"list", 'l', 0, G_OPTION_ARG_NONE, &list, "List all settings with their values", nullptr},
      {"service", 0, 0, G_OPTION_ARG_NONE, &service,
       "NAME is any command of the camera's own protocol", nullptr}};
  const std::optional<std::string> negative = take_negative(argc, argv);
  if (const Status parsed = command.parse(options, false, argc, argv); !parsed)
    return command.usage(parsed.error().message);
  // The list needs no connection.
  const std::unique_ptr<hw::Camera> offline =
      command.client().family().make({.location = command.location()}, [](const auto&) {});
  hw::CameraSettings* known = offline->settings();
  if (list && service) {
    if (!offline->upkeep()) return command.lacking("service commands");
    return list_commands(command, offline->upkeep()->commands());
  }
  if (!known && !service) return command.lacking("settings");
  if (list) {
    if (!command.has_uri()) return list_settings(command, known->known());
    if (const auto status = command.connect()) return *status;
    if (const auto status = read_settings(command, known)) return *status;
    return list_settings(command, known->known());
  }
  std::vector<std::string> words = command.words();
  if (negative) words.push_back(*negative);
  if (words.empty())
    return command.usage("NAME is missing; 'sphere set --list' lists the settings");
  if (service) {
    if (const auto status = command.connect()) return *status;
    return call_service(command, words);
  }
  if (words.size() > 2) return command.usage("NAME and VALUE are all that is expected");
  const hw::SettingInfo* setting = hw::find_setting(known->known(), words[0]);
  // Some cameras tell themselves which settings they have. Names that this program knows have only
  // small letters and dashes, and a wrong one is told of without a camera.
  const bool is_own_name = std::ranges::all_of(
      words[0], [](char c) { return g_ascii_islower(c) || g_ascii_isdigit(c) || c == '-'; });
  if (!setting && !is_own_name) {
    if (const auto status = command.connect()) return *status;
    if (const auto status = read_settings(command, known)) return *status;
    setting = hw::find_setting(known->known(), words[0]);
  }
  std::vector<std::string> names;
  for (const hw::SettingInfo& one : known->known()) names.push_back(one.name);
  if (!setting) {
    const std::string near = suggestion(words[0], names);
    return command.usage("there is no setting '" + words[0] + "'" +
                         (near.empty() ? "; 'sphere set --list' lists the settings" : near));
  }
  std::optional<int64_t> value;
  if (words.size() == 2) {
    const Result<int64_t> parsed = setting->parse(words[1]);
    if (!parsed) return command.usage(parsed.error().message);
    value = *parsed;
  }
  if (!command.client().is_ready())
    if (const auto status = command.connect()) return *status;
  hw::CameraSettings* settings = command.camera().settings();
  JsonWriter json;
  json.add("name", setting->name);
  if (value) {
    const auto failure = command.run(
        [&](auto handler) { settings->write(setting->name, *value, std::move(handler)); });
    if (failure) return command.fail(*failure);
    json.add("value", *value);
    json.add("words", setting->words_of(*value));
    return command.done(setting->name + ": " + setting->words_of(*value), &json);
  }
  const auto answer = command.wait<std::optional<int64_t>, std::optional<hw::Failure>>(
      [&](auto handler) { settings->read(setting->name, std::move(handler)); });
  if (!answer) return command.fail(CameraCommand::interrupted());
  if (const auto& failure = std::get<1>(*answer)) return command.fail(*failure);
  const int64_t present = std::get<0>(*answer).value_or(0);
  json.add("value", present);
  json.add("words", setting->words_of(present));
  return command.done(setting->words_of(present), &json);
}

const Registration registration({"set", "change a setting of a camera", set});

}  // namespace

}  // namespace sphere::tool
