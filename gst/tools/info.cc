// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere info: the state of a camera.

#include <string>
#include <vector>

#include "gst/tools/camera_command.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "Shows the state of a camera: model, firmware, battery, card, what it is doing, and its "
    "settings.\n"
    "URI is that of the camera, such as madv://192.168.42.1; without it, the camera on whose "
    "Wi-Fi\n"
    "this machine is.\n"
    "\n"
    "Examples:\n"
    "  sphere info\n"
    "  sphere info madv://192.168.42.1 --json\n"
    "  sphere info --identity\n";

const char* card_word(hw::Card card) {
  switch (card) {
    case hw::Card::none:
      return "none";
    case hw::Card::bad:
      return "can't be read";
    case hw::Card::slow:
      return "too slow for recording";
    case hw::Card::mounted:
      return "ready";
    case hw::Card::unknown:
      break;
  }
  return "not known";
}

std::string time_text(int64_t seconds) {
  char text[64];
  std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", static_cast<long long>(seconds / 3600),
                static_cast<long long>(seconds / 60 % 60), static_cast<long long>(seconds % 60));
  return text;
}

void print_state(const hw::CameraState& state, std::vector<std::vector<std::string>>& rows) {
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) rows.push_back({name, value});
  };
  add("Model", state.model);
  add("Firmware", state.firmware);
  add("Doing", state.working_mode);
  if (state.photo_mode) add("Mode", *state.photo_mode ? "photo" : "video");
  if (state.recording && state.recorded_seconds)
    add("Recorded", time_text(*state.recorded_seconds));
  if (state.battery_percent)
    add("Battery",
        std::to_string(*state.battery_percent) + " %" + (state.charging ? ", charging" : ""));
  add("Card", card_word(state.card));
  if (state.card_free_kb && state.card_total_kb)
    add("Free", size_text(static_cast<uint64_t>(*state.card_free_kb) * 1024) + " of " +
                    size_text(static_cast<uint64_t>(*state.card_total_kb) * 1024));
  if (state.photos_left) add("Photos left", std::to_string(*state.photos_left));
  if (state.video_seconds_left) add("Video left", time_text(*state.video_seconds_left));
}

void write_state(const hw::CameraState& state, JsonWriter& json) {
  if (!state.model.empty()) json.add("model", state.model);
  if (!state.firmware.empty()) json.add("firmware", state.firmware);
  json.add("working-mode", state.working_mode);
  json.add("recording", state.recording);
  if (state.photo_mode) json.add("mode", *state.photo_mode ? "photo" : "video");
  if (state.recorded_seconds) json.add("recorded-seconds", *state.recorded_seconds);
  if (state.battery_percent) json.add("battery", *state.battery_percent);
  json.add("charging", state.charging);
  json.add("card", card_word(state.card));
  if (state.card_total_kb) json.add("card-size", *state.card_total_kb * 1024);
  if (state.card_free_kb) json.add("card-free", *state.card_free_kb * 1024);
  if (state.photos_left) json.add("photos-left", *state.photos_left);
  if (state.video_seconds_left) json.add("video-seconds-left", *state.video_seconds_left);
}

int info(int argc, char** argv) {
  CameraCommand command("info", "[URI]", "Shows the state of a camera.", description);
  gboolean identity = FALSE;
  const std::vector<GOptionEntry> options = {
      {"identity", 0, 0, G_OPTION_ARG_NONE, &identity,
       "Also print the serial number and the name of the Wi-Fi", nullptr}};
  if (const Status parsed = command.parse(options, false, argc, argv); !parsed)
    return command.usage(parsed.error().message);
  if (!command.words().empty()) return command.usage(no_uri(command.words()[0]).message);
  if (const auto status = command.connect()) return *status;

  std::optional<hw::CameraIdentity> who;
  if (identity) {
    // The person in front of the terminal asks; nothing is stored.
    const auto answer = command.wait<std::optional<hw::CameraIdentity>>(
        [&](auto handler) { command.camera().identify({}, std::move(handler)); });
    if (!answer) return command.fail(CameraCommand::interrupted());
    who = std::get<0>(*answer);
  }
  hw::CameraSettings::Values values;
  hw::CameraSettings* settings = command.camera().settings();
  if (settings) {
    const auto answer = command.wait<hw::CameraSettings::Values, std::optional<hw::Failure>>(
        [&](auto handler) { settings->read_all(std::move(handler)); });
    if (!answer) return command.fail(CameraCommand::interrupted());
    if (const auto& failure = std::get<1>(*answer)) return command.fail(*failure);
    values = std::get<0>(*answer);
  }
  const hw::CameraState state = command.camera().state();
  const auto words_of = [&](const std::string& name, int64_t value) {
    const hw::SettingInfo* setting = hw::find_setting(settings->known(), name);
    return setting ? setting->words_of(value) : std::to_string(value);
  };
  if (command.json()) {
    JsonWriter json;
    json.add("uri", command.location());
    write_state(state, json);
    if (who) {
      json.add("serial", who->serial);
      json.add("wifi", who->wifi);
    }
    json.open("settings");
    for (const auto& [name, value] : values) json.add(name.c_str(), words_of(name, value));
    json.close();
    return print(json) ? exit_done : exit_failed;
  }
  std::vector<std::vector<std::string>> rows;
  print_state(state, rows);
  if (who) {
    rows.push_back({"Serial", who->serial});
    rows.push_back({"Wi-Fi", who->wifi});
  }
  std::string text = table_text(rows);
  std::vector<std::vector<std::string>> setting_rows;
  for (const auto& [name, value] : values)
    setting_rows.push_back({"  " + name, words_of(name, value)});
  if (!setting_rows.empty())
    text += "Settings (change them with 'sphere set NAME VALUE'):\n" + table_text(setting_rows);
  return print_text(stdout, text) ? exit_done : exit_failed;
}

const Registration registration({"info", "show the state of a camera", info});

}  // namespace

}  // namespace sphere::tool
