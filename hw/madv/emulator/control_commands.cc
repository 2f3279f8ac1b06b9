// SPDX-License-Identifier: LGPL-2.1-or-later
// The commands of the control channel, except those of files: state, settings, photos and
// recordings.

#include <glib.h>

#include <algorithm>

#include "gst/sphere/base/gobject.h"
#include "hw/madv/emulator/control.h"
#include "hw/madv/emulator/members.h"

namespace sphere::madv_emulator {

using madv::Message;
namespace field = madv::field;
using namespace std::chrono_literals;

namespace {

// Times of a related camera, from packet captures: after the answer, and at the end.
constexpr Delay record_start_time = 1450ms;
constexpr Delay record_stop_time = 1208ms;

// The size of its card, and the values of a card of 16 GB in the vendor's sample.
constexpr int64_t card_total_kb = 15343616, card_free_kb = 15328288;

/// The settings in the reply to 4364, in its order.
std::vector<const madv::Command*> told_settings() {
  std::vector<const madv::Command*> told;
  for (const madv::Command& command : madv::commands())
    if (command.settings_place > 0) told.push_back(&command);
  std::sort(told.begin(), told.end(),
            [](const auto* a, const auto* b) { return a->settings_place < b->settings_place; });
  return told;
}

std::string printed_time(const char* format) {
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  return GString_(g_date_time_format(now, format)).get();
}

/// The path of the next file: kind "VID", suffix "AA.MP4".
std::string new_path(const Card& card, const char* kind, const char* suffix) {
  return card.new_path(printed_time("%Y%m%d"),
                       kind + std::string("_") + printed_time("%Y%m%d_%H%M%S"), suffix);
}

/// Converts "/tmp/SD0/DCIM/a.JPG" to the form of the camera's notifications.
std::string rtos_path(std::string path) {
  constexpr std::string_view root = madv::card_root;
  if (path.starts_with(root)) path.replace(0, root.size(), "C:");
  std::replace(path.begin(), path.end(), '/', '\\');
  return path;
}

}  // namespace

bool Control::sister_command(int client, const Message& request) {
  const int id = request.id();
  const std::string type = request.text("type").value_or("");
  switch (id) {
    case 1:
      reply(client, id, 0, member("type", type) + member("param", "normal_record"));
      return true;
    case 2:
      clock_ = request.param_text().value_or("");
      reply(client, id, 0, member("type", type));
      return true;
    case 11:
      reply(client, id, 0,
            member("brand", "SJCAM") + member("model", "SJ8PRO_TAIWAN") + member("chip", "A12") +
                member("app_type", "Connected") + member("fw_ver", "local") +
                member("api_ver", "4.1.0") + member("media_folder", card_.media_folder()) +
                member("event_folder", std::string(madv::card_root) + "/EVENT") +
                member("http", "Disable") + member("auth", "off") + ",\"naming_rule\":[]" +
                member("firmwareVersion", "V1.3.2"));
      return true;
    case 13:
      reply(client, id, 0, member("type", "battery") + member("param", 75));
      return true;
    case madv::msg_recording_time:
      if (working_mode_ != madv::working_idle) return false;
      reply(client, id, madv::rval_invalid_operation);
      return true;
    default:
      return false;
  }
}

int Control::video_seconds_left() const { return card_rval_ == 0 ? 4073 : 0; }
int Control::photos_left() const { return card_rval_ == 0 ? 3055 : 0; }

std::string Control::left_fields() const {
  return member(field::video_seconds_left, video_seconds_left()) +
         member(field::photos_left, photos_left());
}

std::string Control::card_fields() const {
  // The values of the vendor's sample, for a card of 16 GB.
  const bool full = card_rval_ == madv::rval_card_full;
  return member(field::card_total_kb, card_total_kb) +
         member(field::card_free_kb, full ? 0 : card_free_kb) +
         member(field::card_full, full ? 2 : 0);
}

std::string Control::saved_fields(const std::string& camera_path) const {
  return member("param", rtos_path(camera_path)) + left_fields() +
         member(field::videos, card_.count("AA.MP4")) + card_fields();
}

void Control::storage(int client) {
  if (card_rval_ != 0 && card_rval_ != madv::rval_card_full) {
    reply(client, madv::msg_storage, card_rval_);
    return;
  }
  reply(client, madv::msg_storage, 0,
        left_fields() + card_fields() + member("sd_mid", 65) + member("sd_oid", 13362) +
            member("sd_pnm", "SD16G"));
}

void Control::settings(int client) {
  // In the order of the vendor's sample, with the members in between.
  std::string more;
  for (const madv::Command* command : told_settings()) {
    const int value = values_[command->id];
    switch (command->id) {
      case madv::msg_standby_minutes:
        more += member("standby_en", value != 0);
        break;
      case madv::msg_power_off_minutes:
        more += member("poweroff_en", value != 0);
        break;
      case madv::msg_led:
        more += member("cam_jpg", card_.count(".JPG")) + member("cam_mp4", card_.count("AA.MP4")) +
                member(field::battery, battery_);
        break;
      case madv::msg_panoramic_sound:
        more += member("sn", settings_.serial) + member(field::product, "sv1") +
                member(field::version, "1.3.97.85.5.13333;1.0.0") + member("md5", table_md5_);
        break;
      default:
        break;
    }
    more += member(command->settings_member, value);
  }
  reply(client, madv::msg_settings, 0, more);
}

int64_t Control::recorded_seconds() const {
  if (working_mode_ != madv::working_video) return 0;
  const Delay recorded = std::max(settings_.now() - recording_since_, Delay{});
  return std::chrono::duration_cast<std::chrono::seconds>(recorded).count();
}

void Control::status(int client) {
  reply(client, madv::msg_status, 0,
        member(field::working_mode, working_mode_) + member(field::mode, mode_) +
            member(field::recorded_seconds, recorded_seconds()) + member("second", 10) +
            member("lapse", 1) + member("timing", 3) + member("timing_c", 0) +
            member("cap_interval", 0) + member("cap_interval_num", 0) + member("speedx", 1) +
            member("sensor_num", 2) + member("burst_num", 3) + member("surroundexp", 1) +
            member("gyro_s", 0));
}

void Control::reset_settings() {
  for (const madv::Command& command : madv::commands())
    if (command.factory) values_[command.id] = *command.factory;
}

void Control::setting(int client, const Message& request) {
  const int id = request.id();
  const auto known = values_.find(id);
  if (known == values_.end()) {
    reply(client, id, madv::rval_unsupported);
    return;
  }
  const std::optional<std::string> value = request.param_text();
  if (!value) {
    reply(client, id, 0, member("param", known->second));
    return;
  }
  if (!madv::takes(*madv::find_command(id), *value)) {
    reply(client, id, madv::rval_invalid_param);
    return;
  }
  known->second = static_cast<int>(request.param_number().value_or(known->second));
  reply(client, id, 0);
}

/// Checks the conditions of a command; returns the result code if one is not met.
int Control::refusal(int id) const {
  const unsigned needs = madv::find_command(id)->needs;
  if (needs & madv::needs_idle && working_mode_ != madv::working_idle)
    return id == madv::msg_take_photo ? madv::rval_busy : madv::rval_invalid_operation;
  if (needs & madv::needs_video && working_mode_ != madv::working_video)
    return madv::rval_invalid_operation;
  if (needs & madv::needs_card && card_rval_ != 0) return card_rval_;
  if ((needs & madv::needs_video_mode && mode_ != madv::mode_video) ||
      (needs & madv::needs_photo_mode && mode_ != madv::mode_photo))
    return madv::rval_wrong_mode;
  if (needs & madv::needs_battery && battery_ == 0) return madv::rval_low_battery;
  return madv::rval_ok;
}

void Control::take_photo(int client) {
  const int rval = refusal(madv::msg_take_photo);
  reply(client, madv::msg_take_photo, rval);
  if (rval != 0) return;
  working_mode_ = madv::working_photo;
  actions_.push_back({Action::Kind::take_photo, client, usual(0), new_path(card_, "IMG", ".JPG")});
}

void Control::photo_taken(const std::string& camera_path, bool done) {
  working_mode_ = madv::working_idle;
  // The vendor has no message for a photo that failed; its app would show a full card.
  if (done)
    notify(madv::msg_photo_saved, saved_fields(camera_path));
  else
    notify(madv::msg_card_full, member("param", 2));
}

void Control::recording(int client, bool start) {
  const int id = start ? madv::msg_start_recording : madv::msg_stop_recording;
  const int rval = refusal(id);
  reply(client, id, rval);
  if (rval != 0) return;
  const bool sister = settings_.model == Model::sj8_pro;
  if (start) {
    working_mode_ = madv::working_video;
    recording_since_ = settings_.now() + (settings_.timing ? record_start_time : Delay{});
    actions_.push_back(
        {Action::Kind::start_recording, client, {}, new_path(card_, "VID", "AA.MP4")});
    if (sister)
      send(client, R"({"msg_id":7,"type":"start_normal_record"})",
           usual(id) + (settings_.timing ? record_start_time : Delay{}));
  } else {
    working_mode_ = madv::working_idle;
    actions_.push_back(
        {Action::Kind::stop_recording, client, settings_.timing ? record_stop_time : Delay{}});
    if (sister)
      send(client, R"({"msg_id":7,"type":"stop_normal_record"})",
           usual(id) + (settings_.timing ? record_stop_time : Delay{}));
  }
}

void Control::recording_saved(const std::string& camera_path, bool done, int milliseconds) {
  working_mode_ = madv::working_idle;
  if (settings_.model == Model::sj8_pro) return;
  if (done)
    notify(madv::msg_video_saved,
           saved_fields(camera_path) + member(field::video_milliseconds, milliseconds));
  else
    notify(madv::msg_card_slow, "");
}

void Control::command(int client, const Message& request) {
  const int id = request.id();
  const std::string param = request.param_text().value_or("");
  switch (id) {
    case madv::msg_client_info: {
      clients_[client].known = true;
      std::string more;
      if (!table_md5_.empty() && !fault(faults::no_table)) more += member("param", table_md5_);
      // The names of the other members are known, but there is no real reply to compare with.
      if (settings_.model == Model::mi_sphere)
        more += member("update", 0) + member("session_id", 1000 + token_);
      reply(client, id, 0, more);
      break;
    }
    case madv::msg_status:
      status(client);
      break;
    case madv::msg_storage:
      storage(client);
      break;
    case madv::msg_settings:
      settings(client);
      break;
    case madv::msg_set_clock:
      clock_ = param;
      reply(client, id,
            std::count(param.begin(), param.end(), '-') == 6
                ? 0
                : static_cast<int>(madv::rval_invalid_param));
      break;
    case madv::msg_camera_mode:
      if (!request.has("param")) {
        reply(client, id, 0, member("param", mode_) + member("sub_mode", 0));
      } else if (param != "0" && param != "1") {
        reply(client, id, madv::rval_invalid_param);
      } else if (working_mode_ != madv::working_idle) {
        reply(client, id, madv::rval_invalid_operation);
      } else {
        mode_ = param == "1";
        reply(client, id, 0, member("param", mode_) + member("sub_mode", 0));
      }
      break;
    case madv::msg_take_photo:
      take_photo(client);
      break;
    case madv::msg_start_recording:
    case madv::msg_stop_recording:
      recording(client, id == madv::msg_start_recording);
      break;
    case madv::msg_recording_time:
      reply(client, id, 0, member("param", recorded_seconds()));
      break;
    case madv::msg_battery:
      reply(client, id, 0, member("param", battery_));
      break;
    case madv::msg_working_mode:
      reply(client, id, 0, member("param", working_mode_));
      break;
    case madv::msg_card_state:
      reply(client, id, 0, member("param", card_rval_ == madv::rval_no_card ? 0 : 1));
      break;
    case madv::msg_card_full:
      reply(client, id, 0, member("param", card_rval_ == madv::rval_card_full ? 2 : 0));
      break;
    case madv::msg_video_seconds_left:
      reply(client, id, 0, member("param", video_seconds_left()));
      break;
    case madv::msg_photos_left:
      reply(client, id, 0, member("param", photos_left()));
      break;
    case madv::msg_space:
      reply(client, id, 0,
            member("param", request.text(field::type) == "total" ? card_total_kb : card_free_kb));
      break;
    case madv::msg_file_count:
      reply(client, id, 0,
            member("param", card_.count(request.text("type") == "photo" ? ".JPG" : "AA.MP4")));
      break;
    case madv::msg_serial:
      reply(client, id, 0, member("param", settings_.serial));
      break;
    case madv::msg_vendor:
      reply(client, id, 0, member("param", "MADV"));
      break;
    case madv::msg_device_name:
      reply(client, id, 0, member("param", "MJXJ"));
      break;
    case madv::msg_firmware_version:
      reply(client, id, 0, member("param", "1.3.97.85.5.13333"));
      break;
    case madv::msg_get_wifi:
      reply(client, id, 0,
            member("param", "AP_SSID=" + settings_.ssid + "\nAP_PASSWD=" + settings_.password +
                                "\nAP_PUBLIC=no\n"));
      break;
    case madv::msg_set_wifi:
      reply(client, id,
            request.has(field::wifi_name) && request.has(field::wifi_password)
                ? 0
                : static_cast<int>(madv::rval_invalid_param));
      break;
    case madv::msg_set_location:
      position_ = {request.text(field::latitude).value_or(""),
                   request.text(field::longitude).value_or(""),
                   request.text(field::altitude).value_or("")};
      reply(client, id, 0);
      break;
    case madv::msg_factory_reset:
      reset_settings();
      reply(client, id, 0);
      break;
    case madv::msg_wake:
    case madv::msg_restart_wifi:
    case madv::msg_reset_parameters:
    case madv::msg_deletion_done:
    case madv::msg_calibrate_gyro:
      reply(client, id, 0);
      break;
    case madv::msg_format:
      reply(client, id, param == "c" ? 0 : static_cast<int>(madv::rval_invalid_param));
      break;
    case madv::msg_power_off:
      reply(client, id, 0);
      notify(id, "");
      restart();
      actions_.push_back({Action::Kind::reboot, 0, reboot_time});
      break;
    default:
      setting(client, request);
      break;
  }
}

}  // namespace sphere::madv_emulator
