// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/state.h"

#include <array>
#include <climits>

namespace sphere::madv {

namespace {

constexpr std::array battery_steps = {5, 25, 50, 75, 100};

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
  // The low half is a step, 0x80 says that it charges; 0x44 is "charged, full" in the vendor's
  // client alone.
  const size_t step = static_cast<size_t>(*code & 0x0f);
  if (step >= battery_steps.size()) return;
  state.battery_percent = battery_steps[step];
  state.charging = (*code & 0x80) != 0;
}

void take_storage(const Message& message, CameraState& state) {
  take(message, "remain_video", state.video_seconds_left);
  take(message, "remain_jpg", state.photos_left);
  take(message, "sd_total", state.card_total_kb);
  take(message, "sd_free", state.card_free_kb);
  take(message, "sd_full", state.card_full);
}

std::string short_text(const Message& message, const char* name) {
  // Shown to people, and kept where consent allows it.
  return printable(message.text(name).value_or("").substr(0, 64));
}

}  // namespace

bool CameraState::is_recording() const {
  return working_mode &&
         (*working_mode == 3 || *working_mode == 4 || *working_mode == 5 || *working_mode == 13);
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
  if (!good) return;
  const bool unasked = message.kind() == Message::Kind::notification;

  switch (message.id()) {
    case msg_storage:
      take_storage(message, *this);
      break;
    case msg_status:
      take(message, "status", working_mode);
      take(message, "mode", mode);
      take(message, "sub_mode", sub_mode);
      take(message, "rec_time", recorded_seconds);
      break;
    case msg_settings:
      take_battery(message, "battery", *this);
      product = short_text(message, "product");
      firmware = short_text(message, "ver");
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
      take(message, "sub_mode", sub_mode);
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
      if (unasked) working_mode = 3;
      break;
    case msg_stop_recording:
    case msg_video_saved:
      working_mode = 0;
      take_storage(message, *this);
      break;
    case msg_photo_saved:
      take_storage(message, *this);
      break;
    default:
      break;
  }
}

std::string_view working_mode_name(int mode) {
  switch (mode) {
    case 0:
      return "idle";
    case 1:
      return "standby";
    case 2:
      return "usb-storage";
    case 3:
      return "recording";
    case 4:
      return "recording-short";
    case 5:
      return "recording-time-lapse";
    case 6:
      return "taking-photo";
    case 7:
      return "timed-photo";
    case 12:
      return "interval-photo";
    case 13:
      return "recording-slow-motion";
    case 14:
      return "burst-photo";
    case 15:
      return "bracketing-photo";
    default:
      return "unknown";
  }
}

}  // namespace sphere::madv
