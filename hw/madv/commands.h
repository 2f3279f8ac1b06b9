// SPDX-License-Identifier: LGPL-2.1-or-later
// The table of all commands: their values, their conditions, and what may be logged. The client,
// the emulated camera, the logs and docs/madv-commands.md use it.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sphere::madv {

/// The message ids, one for each row of commands.inc.
enum MessageId : int {
#define MADV_COMMAND(enumerator, id, ...) enumerator = id,
#include "hw/madv/commands.inc"
#undef MADV_COMMAND
};

/// What a message tells about the camera or its owner. It decides whether `param` may be logged.
enum class Privacy {
  open,      ///< nothing
  identity,  ///< identifies the camera, its owner or a place: serial numbers, addresses, positions
  secret,    ///< gives access: tokens, passwords
};

enum class Access {
  read,
  write,
  read_write,
  notice,  ///< sent only by the camera; never an answer, even if its `rval` is not 128
};

/// The mount point of the memory card in the camera. Paths on the control channel begin with it.
inline constexpr const char* card_root = "/tmp/SD0";

/// The names of the other members, in addition to `msg_id`, `rval`, `token` and `param`, that this
/// code reads or writes.
namespace field {
inline constexpr const char* type = "type";
inline constexpr const char* offset = "offset";
inline constexpr const char* fetch_size = "fetch_size";
inline constexpr const char* size = "size";
inline constexpr const char* rest_size = "rem_size";
inline constexpr const char* transferred_size = "transferred_size";
inline constexpr const char* md5 = "md5sum";
inline constexpr const char* file_type = "ftype";
inline constexpr const char* bytes_sent = "bytes sent";
inline constexpr const char* bytes_received = "bytes received";
inline constexpr const char* video_seconds_left = "remain_video";
inline constexpr const char* photos_left = "remain_jpg";
inline constexpr const char* videos = "total_mp4";
inline constexpr const char* card_total_kb = "sd_total";
inline constexpr const char* card_free_kb = "sd_free";
inline constexpr const char* card_full = "sd_full";
inline constexpr const char* video_milliseconds = "mp4_time";
inline constexpr const char* battery = "battery";
inline constexpr const char* product = "product";
inline constexpr const char* version = "ver";
inline constexpr const char* working_mode = "status";
inline constexpr const char* mode = "mode";
inline constexpr const char* sub_mode = "sub_mode";
inline constexpr const char* recorded_seconds = "rec_time";
inline constexpr const char* latitude = "lat";
inline constexpr const char* longitude = "lon";
inline constexpr const char* altitude = "alt";
inline constexpr const char* wifi_name = "ssid";
inline constexpr const char* wifi_password = "passwd";
}  // namespace field

/// The values of `working-mode`, and of the member with this name in `status`.
enum WorkingMode : int {
  working_idle = 0,
  working_standby = 1,
  working_usb_storage = 2,
  working_video = 3,
  working_short_video = 4,
  working_time_lapse = 5,
  working_photo = 6,
  working_timed_photo = 7,
  working_interval_photo = 12,
  working_slow_motion = 13,
  working_burst_photo = 14,
  working_bracketing = 15,
};

/// The bit in the values of `battery` for a battery that is being charged.
inline constexpr int battery_charging = 0x80;

/// The values of `camera-mode`.
enum CameraMode : int { mode_video = 0, mode_photo = 1 };

/// The value of `time-lapse-interval` for half a second.
inline constexpr int half_second = 255;

/// One of the values that a `param` may have.
struct Choice {
  int value;
  const char* words;
  int amount = 0;  ///< the number that a code means, if it is one
};

/// The type of `param`.
struct Value {
  enum class Kind {
    none,    ///< there is none
    choice,  ///< one of `choices`
    number,  ///< min to max, or one of `choices`, which have special meanings
    text,    ///< described by `words`
  };
  Kind kind = Kind::none;
  std::span<const Choice> choices = {};
  int64_t min = 0, max = 0;
  const char* unit = "";   ///< unit of the numbers; of a choice: of those in its words
  const char* words = "";  ///< description of a text, or further information
  /// The number base + n means 1/n; 0: numbers mean themselves.
  int64_t fraction_base = 0;
};

/// Conditions under which the camera executes a command; a set of these.
enum Need : unsigned {
  needs_nothing = 0,
  needs_card = 1,
  needs_video_mode = 2,
  needs_photo_mode = 4,
  needs_idle = 8,      ///< nothing is being recorded or taken
  needs_video = 16,    ///< a video is being recorded
  needs_battery = 32,  ///< more than the lowest level
};

struct Command {
  const char* name;
  Access access;
  Value value = {};
  /// The factory value of a setting.
  std::optional<int> factory = {};
  /// The name of this setting in the reply to `settings`, and its index there; 0: it is not in the
  /// reply.
  const char* settings_member = "";
  int settings_order = 0;
  /// The name of this setting in the reply to `status`, and its index there, likewise.
  const char* status_member = "";
  int status_order = 0;
  unsigned needs = needs_nothing;
  bool notifies = false;  ///< the camera also sends it without a request, with `rval` 128
  bool kept = false;      ///< is kept when the camera is switched off
  bool slow = false;      ///< may take up to a minute
  /// For workshops, such as the commands of the remote control: not offered without being asked
  /// for.
  bool service = false;
  Privacy privacy = Privacy::open;
  /// The members of the answer or the notification whose values may be logged. All others are
  /// hidden, therefore a new member of a later firmware can't reveal personal data.
  std::span<const char* const> shown = {};
  /// What the emulated camera does, in words. A setting that says nothing here is kept and told.
  const char* emulated = "";

  int id = 0;  ///< set from the row

  /// Whether it is a setting, which can be read, written and set back to its factory value.
  bool is_setting() const { return access == Access::read_write && factory.has_value(); }
};

/// All known commands, sorted by id. An id with two meanings has two rows.
std::span<const Command> commands();
const Command* find_command(int id);
const Command* find_command(std::string_view name);

/// "take-photo (4864)", or "message 4321".
std::string command_name(int id);

/// The privacy class of a command; unknown commands have the strictest one.
Privacy privacy_of(int id);

/// Whether the value of this member of this message may be logged. For `param`, it depends on the
/// privacy class.
bool is_shown_in_logs(int id, std::string_view member);

/// Whether this is a valid `param` of a setting.
bool takes(const Command& command, std::string_view param);

/// The meaning of a command's value.
const Choice* find_choice(int id, int value);

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
  rval_no_update = -57,
  rval_low_battery = -58,
  rval_card_error = -59,
  rval_card_slow = -61,
};

/// The meaning of a result code and what to do, as the rest of a sentence that begins with "the
/// camera says that".
std::string result_words(int rval);

}  // namespace sphere::madv
