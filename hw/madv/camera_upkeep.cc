// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/camera_upkeep.h"

#include <algorithm>
#include <utility>

#include "hw/madv/firmware.h"
#include "hw/madv/generic.h"
#include "hw/madv/outcome.h"

namespace sphere::madv {

namespace {

// The vendor's `ftype`, and the folder of its sheet.
constexpr int camera_firmware = 1, remote_firmware = 2;
constexpr const char* update_folder = "tmp/SD0/update/";

// The app's own rule for a new password.
constexpr size_t min_password = 8, max_password = 20;
// A network's name has at most 32 bytes.
constexpr size_t max_ssid = 32;

bool is_plain(std::string_view text) {
  // The camera's parser counts braces, also in texts, and its texts are ASCII.
  return std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7f && c != '{' && c != '}' && c != '"' && c != '\\';
  });
}

}  // namespace

hw::CameraWifi wifi_of(std::string_view lines) {
  hw::CameraWifi wifi;
  const auto value = [](std::string_view line, std::string_view key) {
    return line.starts_with(key) ? std::optional(std::string(line.substr(key.size())))
                                 : std::nullopt;
  };
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (const auto name = value(line, "AP_SSID=")) wifi.name = *name;
    if (const auto password = value(line, "AP_PASSWD=")) wifi.password = *password;
    if (const auto open = value(line, "AP_PUBLIC=")) wifi.open = *open == "yes";
  }
  return wifi;
}

void MadvUpkeep::set_clock(Done done) {
  Request request(msg_set_clock, camera_clock());
  if (session_.state().dialect == Dialect::generic)
    request = Request(msg_set_setting, generic_clock()).with_type(generic::camera_clock);
  ask(session_, std::move(request), "set its clock", std::move(done));
}

Status MadvUpkeep::check_wifi(const hw::CameraWifi& wifi) const {
  if (wifi.name.empty() || wifi.name.size() > max_ssid || !is_plain(wifi.name))
    return invalid(
        "the name of the network must have 1 to 32 characters: letters, digits and signs, without "
        "spaces, quotation marks, backslashes and braces");
  const bool digits =
      std::ranges::all_of(wifi.password, [](char c) { return c >= '0' && c <= '9'; });
  if (wifi.password.size() < min_password || wifi.password.size() > max_password || !digits)
    return invalid(
        "the password must have 8 to 20 digits: the camera does not take other characters");
  return ok();
}

void MadvUpkeep::read_wifi(
    std::function<void(const hw::CameraWifi&, const std::optional<Failure>&)> done) {
  session_.request(Request(msg_get_wifi), [done = std::move(done)](const Reply& reply) {
    if (const auto failure = failure_of(reply, "tell its Wi-Fi")) return done({}, failure);
    done(wifi_of(reply.message->param_text().value_or("")), std::nullopt);
  });
}

void MadvUpkeep::change_wifi(const hw::CameraWifi& wifi, Done done) {
  if (const Status good = check_wifi(wifi); !good)
    return done(Failure(Failure::Reason::refused, good.error().message));
  Request request(msg_set_wifi);
  request.with(field::wifi_name, wifi.name).with(field::wifi_password, wifi.password);
  ask(session_, std::move(request), "change its Wi-Fi",
      [this, done = std::move(done)](const std::optional<Failure>& failure) {
        if (failure) return done(failure);
        // The connection may end before the answer to this one comes.
        session_.request(Request(msg_restart_wifi), [done](const Reply& reply) {
          done(reply.message ? failure_of(reply, "restart its Wi-Fi") : std::nullopt);
        });
      });
}

void MadvUpkeep::change_power(Power power, Done done) {
  const int id = power == Power::standby ? msg_enter_standby
                 : power == Power::wake  ? msg_wake
                                         : msg_power_off;
  const char* what = power == Power::standby ? "go to standby"
                     : power == Power::wake  ? "wake up"
                                             : "switch itself off";
  ask(session_, Request(id), what, std::move(done));
}

void MadvUpkeep::format_card(Done done) {
  ask(session_, Request(msg_format, "c"), "format its card", std::move(done));
}

void MadvUpkeep::reset(bool everything, Done done) {
  ask(session_, Request(everything ? msg_factory_reset : msg_reset_parameters),
      "reset its settings", std::move(done));
}

void MadvUpkeep::recover_video(Done done) {
  ask(session_, Request(msg_recover_video), "repair the video", std::move(done));
}

void MadvUpkeep::calibrate_level(Done done) {
  ask(session_, Request(msg_calibrate_gyro), "measure its level", std::move(done));
}

Status MadvUpkeep::check_firmware(const hw::FirmwareFile& file) const {
  if (session_.state().dialect == Dialect::generic)
    return unsupported(
        "how this camera takes new firmware is not known; use its maker's own program");
  return madv::check_firmware(file);
}

void MadvUpkeep::upload_firmware(hw::FirmwareUpload upload, Done done) {
  if (const Status good = check_firmware(upload.file); !good)
    return done(Failure(Failure::Reason::refused, good.error().message));
  const bool remote_control = upload.file.remote_control;
  Upload file;
  file.path = std::string(update_folder) + firmware_name(remote_control);
  file.size = upload.file.size;
  file.md5 = upload.md5;
  file.file_type = remote_control ? remote_firmware : camera_firmware;
  file.source = std::move(upload.source);
  file.done = [this, done = std::move(done)](const Status& sent) {
    if (!sent)
      return done(
          Failure(Failure::Reason::refused, "the firmware was not sent: " + sent.error().message));
    ask(session_, Request(msg_flash_firmware), "write its firmware", done);
  };
  if (needs_waking(session_.state(), msg_put_file)) session_.request(Request(msg_wake), nullptr);
  session_.put_file(std::move(file));
}

const std::vector<hw::FamilyCommand>& MadvUpkeep::commands() const {
  static const std::vector<hw::FamilyCommand> all = [] {
    std::vector<hw::FamilyCommand> rows;
    for (const Command& command : madv::commands())
      if (command.access != Access::notice)
        rows.push_back({command.name, command.value.words, command.service});
    return rows;
  }();
  return all;
}

void MadvUpkeep::call(const std::string& name, const std::optional<std::string>& value,
                      const std::map<std::string, std::string>& fields,
                      std::function<void(const std::string&, const std::optional<Failure>&)> done) {
  const Command* command = find_command(name);
  if (!command || command->access == Access::notice)
    return done({}, Failure(Failure::Reason::refused,
                            "cameras of this family have no command '" + name + "'"));
  Request request(command->id);
  if (value) {
    if (command->value.kind != Value::Kind::none && !takes(*command, *value))
      return done({}, Failure(Failure::Reason::refused, "this is not a value of " + name));
    request.param = *value;
  }
  for (const auto& [field, text] : fields) {
    if (field == field::type)
      request.with_type(text);
    else
      request.with(field, text);
  }
  session_.request(std::move(request), [name, done = std::move(done)](const Reply& reply) {
    if (const auto failure = failure_of(reply, "do " + name)) return done({}, failure);
    done(reply.message->param_text().value_or(reply.message->json()), std::nullopt);
  });
}

}  // namespace sphere::madv
