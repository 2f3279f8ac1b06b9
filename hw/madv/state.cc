// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/state.h"

#include <climits>

#include "hw/madv/generic.h"

namespace sphere::madv {

namespace {

void take(const Message& message, const char* name, std::optional<int64_t>& to) {
  if (const std::optional<int64_t> value = message.number(name); value && *value >= 0) to = *value;
}

void take(const Message& message, const char* name, std::optional<int>& to) {
  const std::optional<int64_t> value = message.number(name);
  if (value && *value >= INT_MIN && *value <= INT_MAX) to = static_cast<int>(*value);
}

void take_battery(const Message& message, const char* name, CameraState& state) {
  const std::optional<int64_t> code = message.number(name);
  if (!code || *code < 0 || *code > 0xff) return;
  // 0x44 means "charging, full", but only in the vendor's client: only the low four bits are the
  // level.
  const Choice* step = find_choice(msg_battery, static_cast<int>(*code & 0x0f));
  if (!step) return;
  state.battery_percent = step->amount;
  state.charging = (*code & battery_charging) != 0;
}

void take_storage(const Message& message, CameraState& state) {
  take(message, field::video_seconds_left, state.video_seconds_left);
  take(message, field::photos_left, state.photos_left);
  take(message, field::card_total_kb, state.card_total_kb);
  take(message, field::card_free_kb, state.card_free_kb);
  take(message, field::card_full, state.card_full);
}

std::string short_text(const Message& message, const char* name) {
  // These texts are shown to people, and are stored if consent allows it.
  return printable(message.text(name).value_or("").substr(0, 64));
}

}  // namespace

bool CameraState::is_recording() const {
  return working_mode &&
         (*working_mode == working_video || *working_mode == working_short_video ||
          *working_mode == working_time_lapse || *working_mode == working_slow_motion);
}

bool CameraState::is_taking_photos() const {
  return working_mode &&
         (*working_mode == working_photo || *working_mode == working_timed_photo ||
          *working_mode == working_interval_photo || *working_mode == working_burst_photo ||
          *working_mode == working_bracketing);
}

void CameraState::update(const Message& message) {
  const int rval = message.rval().value_or(rval_notification);
  const bool good = rval == rval_ok || rval == rval_notification;
  if (message.id() == msg_storage) {
    if (rval == rval_no_card)
      card = Card::none;
    else if (rval == rval_card_error)
      card = Card::bad;
    else if (rval == rval_card_slow)
      card = Card::slow;
    else if (rval == rval_ok)
      card = Card::mounted;
  }
  // A notification of the generic protocol has no result.
  if (!good) return;
  const bool unasked = message.kind() == Message::Kind::notification;

  switch (message.id()) {
    case msg_storage:
      take_storage(message, *this);
      break;
    case msg_status:
      take(message, field::working_mode, working_mode);
      take(message, field::mode, mode);
      take(message, field::sub_mode, sub_mode);
      take(message, field::recorded_seconds, recorded_seconds);
      break;
    case msg_settings:
      take_battery(message, field::battery, *this);
      product = short_text(message, field::product);
      firmware = short_text(message, field::version);
      firmware = firmware.substr(0, firmware.find(';'));
      break;
    case msg_battery:
      take_battery(message, "param", *this);
      break;
    case msg_working_mode:
      take(message, "param", working_mode);
      break;
    case msg_camera_mode:
      if (message.has("param")) take(message, "param", mode);
      take(message, field::sub_mode, sub_mode);
      break;
    case msg_card_state:
      if (const std::optional<int64_t> mounted = message.param_number())
        card = *mounted < 0 ? Card::bad : *mounted == 0 ? Card::none : Card::mounted;
      break;
    case msg_card_full:
      take(message, "param", card_full);
      break;
    case msg_card_slow:
      card = Card::slow;
      break;
    case msg_recording_time:
      take(message, "param", recorded_seconds);
      break;
    case msg_start_recording:
      if (unasked) working_mode = working_video;
      break;
    case msg_start_interval_photo:
      // It counts the photos, also if this client started it; a negative number is the end.
      if (const std::optional<int64_t> count = message.param_number(); unasked && count)
        working_mode = *count == -1 ? working_idle : working_interval_photo;
      break;
    case msg_stop_recording:
    case msg_video_saved:
      working_mode = working_idle;
      take_storage(message, *this);
      break;
    case msg_photo_saved:
      take_storage(message, *this);
      break;
    default:
      if (dialect == Dialect::generic) update_generic(message);
      break;
  }
}

void CameraState::update_generic(const Message& message) {
  const std::string type = message.text(field::type).value_or("");
  switch (message.id()) {
    case msg_device_info:
      product = short_text(message, "model");
      firmware = short_text(message, "firmwareVersion");
      if (firmware.empty()) firmware = short_text(message, "fw_ver");
      break;
    case msg_battery_level:
      if (const std::optional<int64_t> percent = message.param_number();
          percent && *percent >= 0 && *percent <= 100) {
        battery_percent = static_cast<int>(*percent);
        charging = type == "adapter";
      }
      break;
    case msg_get_setting:
      if (type == generic::camera_mode)
        mode = generic::is_photo_mode(message.param_text().value_or("")) ? mode_photo : mode_video;
      break;
    case msg_transfer_result: {
      // "normal_record" is a mode, "start_normal_record" and "stop_normal_record" are what it does;
      // others say "start_video_record", "record_complete" and "video_record_complete".
      const bool about_recording =
          type.find("record") != std::string::npos || type.find("video") != std::string::npos;
      if (type.starts_with("start_") && about_recording)
        working_mode = working_video;
      else if (generic::is_recording_end(type))
        working_mode = working_idle;
      else if (mode && !type.starts_with("start_") && !type.starts_with("stop_") &&
               generic::is_mode(type))
        mode = generic::is_photo_mode(type) ? mode_photo : mode_video;
      break;
    }
    default:
      break;
  }
}

std::string_view working_mode_name(int mode) {
  const Choice* choice = find_choice(msg_working_mode, mode);
  return choice ? choice->words : "unknown";
}

}  // namespace sphere::madv
