// SPDX-License-Identifier: LGPL-2.1-or-later
// The vendor's command table and its error codes, each in one place.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sphere::madv {

/// The messages that our own code names. The whole list is in commands().
enum MessageId : int {
  msg_format = 4,
  msg_space = 5,
  msg_file_count = 6,
  msg_transfer_result = 7,  ///< from the camera only: the end of a transfer over the data port
  msg_flash_firmware = 8,
  msg_start_session = 257,
  msg_stop_session = 258,
  msg_client_info = 261,
  msg_start_recording = 513,
  msg_stop_recording = 514,
  msg_recording_time = 515,
  msg_get_thumbnail = 1025,
  msg_media_info = 1026,
  msg_delete_file = 1281,
  msg_list = 1282,
  msg_change_folder = 1283,
  msg_get_file = 1285,
  msg_put_file = 1286,
  msg_cancel_transfer = 1287,
  msg_restart_wifi = 1537,
  msg_get_wifi = 1539,
  msg_query_holder = 1793,
  msg_serial = 4097,
  msg_card_state = 4353,
  msg_card_full = 4354,
  msg_video_seconds_left = 4356,
  msg_photos_left = 4357,
  msg_storage = 4358,
  msg_card_slow = 4359,
  msg_battery = 4361,
  msg_working_mode = 4362,
  msg_settings = 4364,
  msg_status = 4365,
  msg_camera_mode = 4611,
  msg_take_photo = 4864,
  msg_set_location = 4917,
  msg_set_wifi = 5634,
  msg_set_clock = 6147,
  msg_factory_reset = 6152,
  msg_wake = 6154,
  msg_power_off = 6155,
  msg_overheated = 6158,
  msg_video_saved = 8192,
  msg_photo_saved = 8193,
  msg_segment_saved = 8195,
};

/// What a message gives away of the camera or its owner.
enum class Privacy {
  open,      ///< nothing
  identity,  ///< which camera, whose, or where: serials, addresses, places
  secret,    ///< what lets others in: tokens, passwords
};

enum class Access { read, write, read_write, notice };

struct Command {
  int id;
  const char* name;
  Access access;
  bool notifies;       ///< the camera also says it unasked, with rval 128
  const char* values;  ///< what the parameter may be, in the vendor's words; "" for none
  Privacy privacy;
};

/// All commands that are known, by id; an id with two meanings stands twice.
std::span<const Command> commands();
const Command* find_command(int id);
const Command* find_command(std::string_view name);

/// "take-photo (4864)", or "message 4321".
std::string command_name(int id);

/// What a command gives away; of an unknown one the worst is thought.
Privacy privacy_of(int id);

/// Result codes.
enum ResultCode : int {
  rval_ok = 0,
  rval_notification = 128,
  rval_session_denied = -3,
  rval_wrong_token = -4,
  rval_session_full = -5,
  rval_syntax = -9,
  rval_invalid_operation = -14,
  rval_card_full = -17,
  rval_busy = -21,
  rval_unsupported = -23,
  rval_invalid_param = -25,
  rval_invalid_path = -26,
  rval_no_card = -50,
  rval_wrong_mode = -56,
  rval_low_battery = -58,
  rval_card_error = -59,
  rval_card_slow = -61,
};

/// What a result code means, and what to do about it, as the rest of a sentence that begins "the
/// camera says".
std::string result_words(int rval);

}  // namespace sphere::madv
