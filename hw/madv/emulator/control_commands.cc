// SPDX-License-Identifier: LGPL-2.1-or-later
// The commands of the control channel, except those of files and of photos: state, settings, Wi-Fi,
// power, remote control.

#include <glib.h>

#include <algorithm>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/position.h"
#include "hw/madv/emulator/control.h"
#include "hw/madv/emulator/file_forms.h"
#include "hw/madv/emulator/members.h"

namespace sphere::madv_emulator {

using madv::Message;
namespace field = madv::field;
using namespace std::chrono_literals;

namespace {

// The size of its card, and the values of a card of 16 GB in the vendor's sample.
constexpr int64_t card_total_kb = 15343616, card_free_kb = 15328288;

constexpr const char* remote_firmware = "1.0.0";
constexpr const char* remote_update = "1.0.1";
constexpr int remote_battery = 3700;

// The interval of a series of photos in the vendor's sample, although the setting is off.
constexpr int first_interval = 5;

// What is offered to people for a Mi Sphere; other values of the table belong to a later model.
constexpr int resolutions[] = {0, 1, 2, 7, 9, 10};

/// The settings in a reply that has them in an order of its own.
std::vector<const madv::Command*> told_settings(int madv::Command::*place) {
  std::vector<const madv::Command*> told;
  for (const madv::Command& command : madv::commands())
    if (command.*place > 0) told.push_back(&command);
  std::sort(told.begin(), told.end(),
            [&](const auto* a, const auto* b) { return a->*place < b->*place; });
  return told;
}

/// Converts "/tmp/SD0/DCIM/a.JPG" to the form of the camera's notifications.
std::string rtos_path(std::string path) {
  constexpr std::string_view root = madv::card_root;
  if (path.starts_with(root)) path.replace(0, root.size(), "C:");
  std::replace(path.begin(), path.end(), '/', '\\');
  return path;
}

/// Digits and hyphens as in 2017-12-16-12-00-04-6.
bool is_clock(std::string_view text) {
  return std::count(text.begin(), text.end(), '-') == 6 &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '-' || g_ascii_isdigit(c); });
}

}  // namespace

// --- what it tells ---------------------------------------------------------------------------

int Control::video_seconds_left() const { return card_rval_ == 0 ? 4073 : 0; }
int Control::photos_left() const {
  return card_rval_ == 0 || card_rval_ == madv::rval_card_slow ? 3055 : 0;
}

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

void Control::segment_saved(const std::string& camera_path, bool done) {
  if (settings_.model == Model::sj8_pro) return;
  if (done)
    notify(madv::msg_segment_saved, member("param", rtos_path(camera_path)));
  else
    notify(madv::msg_segmented_recording_failed, "");
}

std::string Control::storage_fields() const {
  return left_fields() + card_fields() + member("sd_mid", 65) + member("sd_oid", 13362) +
         member("sd_pnm", "SD16G");
}

void Control::storage(int client) {
  if (card_rval_ != 0 && card_rval_ != madv::rval_card_full)
    reply(client, madv::msg_storage, card_rval_);
  else
    reply(client, madv::msg_storage, 0, storage_fields());
}

std::string Control::settings_fields() const {
  // In the order of the vendor's sample, with the members in between.
  std::string more;
  for (const madv::Command* command : told_settings(&madv::Command::settings_order)) {
    const int value = setting_value(command->id);
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
                member(field::version, settings_.firmware + ";" + remote_firmware) +
                member("md5", table_md5_);
        break;
      default:
        break;
    }
    more += member(command->settings_member, value);
  }
  return more;
}

std::string Control::status_fields() const {
  const bool photos = series_ && series_->kind->is_photo();
  const auto taken = [&](int sub_mode) {
    return photos && series_->kind->sub_mode == sub_mode ? series_->taken : 0;
  };
  std::string more = member(field::working_mode, working_mode());
  for (const madv::Command* command : told_settings(&madv::Command::status_order)) {
    more += member(command->status_member, told_value(command->id));
    switch (command->id) {
      case madv::msg_camera_mode:
        more += member(field::recorded_seconds, recorded_seconds());
        break;
      case madv::msg_photo_timer: {
        const bool counts =
            photos && series_->kind->start == madv::msg_start_timed_photo && !series_->in_photo;
        const Delay left = counts ? std::max(series_->due - settings_.now(), Delay{}) : Delay{};
        more += member("timing_c", std::chrono::ceil<std::chrono::seconds>(left).count());
        break;
      }
      case madv::msg_photo_interval:
        more += member("cap_interval_num", taken(2));
        break;
      default:
        break;
    }
  }
  // The vendor's client also reads these two, which its sample does not have.
  return more + member(field::sub_mode, chosen().sub_mode) + member("surexp_c", taken(4));
}

std::string Control::mode_fields() const {
  const ShotKind& kind = chosen();
  return member("param", mode()) + member(field::sub_mode, kind.sub_mode) +
         member("sub_mode_param", kind.sub_mode ? told_value(kind.setting) : 0);
}

int Control::told_value(int id) const {
  const int value = setting_value(id);
  return id == madv::msg_photo_interval && value == 0 ? last_interval_ : value;
}

// --- settings --------------------------------------------------------------------------------

int Control::setting_value(int id) const {
  const auto found = values_.find(id);
  return found == values_.end() ? 0 : found->second;
}

void Control::reset_settings(bool kept_ones) {
  for (const madv::Command& command : madv::commands())
    if (command.factory && !(kept_ones && command.kept)) values_[command.id] = *command.factory;
  if (kept_ones) return;
  last_interval_ = first_interval;
  for (const ShotKind& kind : shot_kinds)
    if (kind.setting == 0) chosen_[static_cast<size_t>(kind.mode)] = &kind;
}

/// Whether it is a value of this setting, on this model.
bool Control::takes(int id, const std::string& param) const {
  const madv::Command* command = madv::find_command(id);
  if (!command || !command->is_setting() || !madv::takes(*command, param)) return false;
  return id != madv::msg_video_resolution ||
         std::any_of(std::begin(resolutions), std::end(resolutions),
                     [&](int one) { return std::to_string(one) == param; });
}

void Control::store_setting(int id, int value) {
  values_[id] = value;
  if (id == madv::msg_photo_interval && value != 0) last_interval_ = value;
  choose(id, id == madv::msg_single_sensor || value > (id == madv::msg_slow_motion ? 1 : 0));
}

void Control::setting(int client, const Message& request) {
  const int id = request.id();
  const madv::Command* command = madv::find_command(id);
  if (!command || !command->is_setting()) {
    reply(client, id, madv::rval_unsupported);
    return;
  }
  const bool is_mode = id == madv::msg_camera_mode;
  const std::optional<std::string> value = request.param_text();
  if (!value) {
    reply(client, id, 0, is_mode ? mode_fields() : member("param", setting_value(id)));
    return;
  }
  // A client that was written against a real camera sends 0 to go back to ordinary photos and
  // videos, also where the vendor's table does not have it. The value itself stays.
  const bool ends_kind = *value == "0" && command->status_order > 0 && !takes(id, *value) &&
                         std::any_of(std::begin(shot_kinds), std::end(shot_kinds),
                                     [&](const ShotKind& kind) { return kind.setting == id; });
  if ((!takes(id, *value) && !ends_kind) || (is_mode && refusal(id) != 0)) {
    reply(client, id, madv::rval_invalid_operation);
    return;
  }
  if (ends_kind)
    choose(id, false);
  else
    store_setting(id, static_cast<int>(request.param_number().value_or(0)));
  reply(client, id, 0, is_mode ? mode_fields() : "");
}

// --- commands --------------------------------------------------------------------------------

/// In standby, it tells everything, and ends the standby. What would change something is refused.
bool Control::works_in_standby(const Message& request) const {
  const madv::Command* command = madv::find_command(request.id());
  if (!command || command->access == madv::Access::read) return true;
  if (command->is_setting() && !request.has("param")) return true;
  switch (request.id()) {
    case madv::msg_client_info:
    case madv::msg_change_folder:
    case madv::msg_set_clock:
    case madv::msg_set_location:
    case madv::msg_cancel_transfer:
    case madv::msg_wake:
    case madv::msg_power_off:
      return true;
    default:
      return false;
  }
}

void Control::command(int client, const Message& request) {
  if (!capture_command(client, request) && !state_command(client, request) &&
      !power_command(client, request) && !remote_command(client, request))
    setting(client, request);
}

bool Control::state_command(int client, const Message& request) {
  const int id = request.id();
  const auto tell = [&](const std::string& more) {
    reply(client, id, 0, more);
    return true;
  };
  const auto param = [&](auto value) { return tell(member("param", value)); };
  switch (id) {
    case madv::msg_client_info: {
      clients_[client].known = true;
      std::string more;
      if (!table_md5_.empty() && !fault(faults::no_table)) more += member("param", table_md5_);
      // The names of the other members are known, but there is no real reply to compare with.
      return tell(more + member("update", 0) + member("session_id", 1000 + token_));
    }
    case madv::msg_status:
      return tell(status_fields());
    case madv::msg_storage:
      storage(client);
      return true;
    case madv::msg_settings:
      return tell(settings_fields());
    case madv::msg_all_parameters:
      return tell(settings_fields() + status_fields() + storage_fields());
    case madv::msg_all_parameters_short:
      return tell(status_fields() + member(field::battery, battery_) +
                  member("v_res", setting_value(madv::msg_video_resolution)) +
                  member("p_res", setting_value(madv::msg_photo_resolution)));
    case madv::msg_battery:
      return param(battery_);
    case madv::msg_working_mode:
      return param(working_mode());
    case madv::msg_card_state:
      return param(card_rval_ == madv::rval_no_card      ? 0
                   : card_rval_ == madv::rval_card_error ? -1
                                                         : 1);
    case madv::msg_card_full:
      return param(card_rval_ == madv::rval_card_full ? 2 : 0);
    case madv::msg_video_seconds_left:
      return param(video_seconds_left());
    case madv::msg_photos_left:
      return param(photos_left());
    case madv::msg_space:
      return param(request.text(field::type) == "total" ? card_total_kb
                   : card_rval_ == madv::rval_card_full ? 0
                                                        : card_free_kb);
    case madv::msg_file_count:
      return param(card_.count(request.text(field::type) == "photo" ? ".JPG" : "AA.MP4"));
    case madv::msg_serial:
      return param(std::string_view(settings_.serial));
    case madv::msg_vendor:
      return param(std::string_view("MADV"));
    case madv::msg_device_name:
      return param(std::string_view("MJXJ"));
    case madv::msg_firmware_version:
      return param(std::string_view(settings_.firmware));
    case madv::msg_set_location: {
      const std::vector<std::string> told = {request.text(field::latitude).value_or(""),
                                             request.text(field::longitude).value_or(""),
                                             request.text(field::altitude).value_or("")};
      const std::string altitude = told[2].empty() ? "" : "," + told[2];
      const bool good = bool(parse_position(told[0] + "," + told[1] + altitude));
      if (good) position_ = told;
      reply(client, id, good ? 0 : static_cast<int>(madv::rval_invalid_operation));
      return true;
    }
    case madv::msg_set_clock: {
      const std::string clock = request.param_text().value_or("");
      if (is_clock(clock)) clock_ = clock;
      reply(client, id, is_clock(clock) ? 0 : static_cast<int>(madv::rval_invalid_operation));
      return true;
    }
    default:
      return false;
  }
}

/// Looks after the time without a command, once a minute or when some limit is reached. One timer
/// for all: a command does not start another.
void Control::watch_idle() {
  if (settings_.model != Model::mi_sphere) return;
  const Delay idle = settings_.now() - last_active_;
  Delay next = 1min;
  for (const int id : {madv::msg_standby_minutes, madv::msg_power_off_minutes}) {
    const Delay left = std::chrono::minutes(setting_value(id)) - idle;
    if (left > Delay{}) next = std::min(next, left);
  }
  after(next, [this] { act_on_idle(); });
}

/// When a real camera does this is not known in detail. This one goes to standby also while a
/// client is connected, because the vendor's client wakes the camera up during long downloads; it
/// does not switch itself off then.
void Control::act_on_idle() {
  if (series_) last_active_ = settings_.now();
  const Delay idle = settings_.now() - last_active_;
  const auto reached = [&](int id) {
    const std::chrono::minutes limit(setting_value(id));
    return limit.count() > 0 && idle >= limit;
  };
  if (!holder_ && reached(madv::msg_power_off_minutes)) return reboot(reboot_time);
  if (!standby_ && !series_ && reached(madv::msg_standby_minutes)) {
    standby_ = true;
    notify(madv::msg_working_mode, member("param", working_mode()));
  }
  watch_idle();
}

/// Wi-Fi, power, and what sets the camera back.
bool Control::power_command(int client, const Message& request) {
  const int id = request.id();
  const std::string param = request.param_text().value_or("");
  const auto refused = [&] {
    const int rval = refusal(id);
    if (rval != 0) reply(client, id, rval);
    return rval != 0;
  };
  const auto done = [&] { reply(client, id, 0); };
  switch (id) {
    case madv::msg_get_wifi:
      reply(client, id, 0,
            member("param", "AP_SSID=" + settings_.ssid + "\nAP_PASSWD=" + settings_.password +
                                "\nAP_PUBLIC=no\n"));
      return true;
    case madv::msg_set_wifi: {
      const std::string name = request.text(field::wifi_name).value_or("");
      const std::string password = request.text(field::wifi_password).value_or("");
      // WPA2 has passwords of 8 characters or more.
      if (name.empty() || password.size() < 8) {
        reply(client, id, madv::rval_invalid_operation);
        return true;
      }
      new_ssid_ = name;
      new_password_ = password;
      done();
      return true;
    }
    case madv::msg_restart_wifi:
    case madv::msg_wifi_off:
      done();
      reboot(id == madv::msg_wifi_off ? wifi_off_time : wifi_restart_time);
      return true;
    case madv::msg_wifi_on:
      done();
      return true;
    case madv::msg_wifi_status:
      reply(client, id, 0, member("param", 1) + member(field::wifi_name, settings_.ssid));
      return true;
    case madv::msg_wake:
      done();
      if (std::exchange(standby_, false))
        notify(madv::msg_working_mode, member("param", working_mode()));
      return true;
    case madv::msg_enter_standby:
      if (refused()) return true;
      standby_ = true;
      done();
      notify(madv::msg_working_mode, member("param", working_mode()));
      return true;
    case madv::msg_power_off:
      done();
      notify(id, "");
      reboot(reboot_time);
      return true;
    case madv::msg_reset_parameters:
      reset_settings(false);
      done();
      notify(id, "");
      return true;
    case madv::msg_factory_reset:
      reset_settings(false);
      settings_.ssid = new_ssid_ = factory_ssid_;
      settings_.password = new_password_ = factory_password_;
      clock_.clear();
      position_.clear();
      done();
      return true;
    case madv::msg_format:
      format(client, param);
      return true;
    case madv::msg_recover_video:
      if (refused()) return true;
      done();
      notify(id, "");
      return true;
    case madv::msg_calibrate_gyro:
    case madv::msg_deletion_done:
      if (!refused()) done();
      return true;
    case madv::msg_flash_firmware: {
      if (refused()) return true;
      const bool camera = std::exchange(has_update_, false);
      if (!camera && !has_remote_update_) {
        reply(client, id, madv::rval_no_update);
        return true;
      }
      done();
      if (camera) reboot(reboot_time);
      return true;
    }
    default:
      return false;
  }
}

void Control::format(int client, const std::string& param) {
  const int id = madv::msg_format;
  int rval = refusal(id);
  if (param != "c" && rval == 0) rval = madv::rval_invalid_operation;
  if (rval == 0) {
    card_.clear();
    // Neither of these is left after it.
    if (card_rval_ == madv::rval_card_full || card_rval_ == madv::rval_card_error) card_rval_ = 0;
  }
  reply(client, id, rval);
}

bool Control::remote_command(int client, const Message& request) {
  const int id = request.id();
  const std::string param = request.param_text().value_or("");
  const auto keep = [&](std::string& serial) {
    if (!param.empty()) serial = param;
    reply(client, id, param.empty() ? static_cast<int>(madv::rval_invalid_operation) : 0);
  };
  const auto tell = [&](std::string_view value) { reply(client, id, 0, member("param", value)); };
  switch (id) {
    case madv::msg_remote_test:
    case madv::msg_remote_disconnect:
    case madv::msg_remote_stability_test:
      reply(client, id, 0);
      return true;
    case madv::msg_set_remote_serial:
      keep(remote_serial_);
      return true;
    case madv::msg_remote_serial:
      tell(remote_serial_);
      return true;
    case madv::msg_set_remote_box_serial:
      keep(remote_box_serial_);
      return true;
    case madv::msg_remote_box_serial:
      tell(remote_box_serial_);
      return true;
    case madv::msg_remote_firmware_version:
      tell(remote_firmware);
      return true;
    case madv::msg_remote_factory_reset:
      remote_serial_.clear();
      remote_box_serial_.clear();
      reply(client, id, 0);
      return true;
    case madv::msg_remote_key_test:
      reply(client, id, 0, member("param", 0));
      return true;
    case madv::msg_remote_battery:
      reply(client, id, 0, member("param", remote_battery));
      return true;
    case madv::msg_remote_update_version:
    case madv::msg_test_remote_update:
      if (!has_remote_update_)
        reply(client, id, madv::rval_no_update);
      else if (id == madv::msg_remote_update_version)
        tell(remote_update);
      else
        reply(client, id, 0);
      return true;
    default:
      return false;
  }
}

}  // namespace sphere::madv_emulator
