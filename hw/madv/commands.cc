// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/commands.h"

#include <glib.h>

#include <algorithm>

namespace sphere::madv {

namespace {

constexpr auto R = Access::read;
constexpr auto W = Access::write;
constexpr auto RW = Access::read_write;
constexpr auto N = Access::notice;
constexpr auto identity = Privacy::identity;
constexpr auto secret = Privacy::secret;

constexpr Value text(const char* words) { return {.kind = Value::Kind::text, .words = words}; }
/// `unit`: that of the numbers in the words of all choices, if these numbers are not the values.
constexpr Value choice(std::span<const Choice> choices, const char* unit = "") {
  return {.kind = Value::Kind::choice, .choices = choices, .unit = unit};
}
constexpr Value number(int64_t min, int64_t max, const char* unit, const char* words = "",
                       std::span<const Choice> choices = {}) {
  return {Value::Kind::number, choices, min, max, unit, words};
}
/// From 1/min to 1/max.
constexpr Value fraction(int64_t base, int64_t min, int64_t max, const char* unit,
                         std::span<const Choice> choices) {
  return {Value::Kind::number, choices, base + min, base + max, unit, "", base};
}

// --- values ----------------------------------------------------------------------------------

constexpr Choice off_on[] = {{0, "off"}, {1, "on"}};
constexpr Choice automatic[] = {{0, "auto"}};
constexpr Choice never[] = {{0, "never"}};
constexpr Choice shutter_times[] = {{0, "auto"}, {1, "1 s"},   {2, "2 s"},  {4, "4 s"},
                                    {8, "8 s"},  {16, "16 s"}, {32, "32 s"}};
constexpr Choice recording_sound[] = {{0, "with sound"}, {1, "without"}};
constexpr Choice card_states[] = {{-1, "bad"}, {0, "none"}, {1, "mounted"}};
constexpr Choice card_full_states[] = {{0, "no"}, {1, "almost"}, {2, "full"}};
constexpr Choice battery_codes[] = {
    {0x00, "5 %", 5},
    {0x01, "25 %", 25},
    {0x02, "50 %", 50},
    {0x03, "75 %", 75},
    {0x04, "100 %", 100},
    {0x80, "5 %, charging", 5},
    {0x81, "25 %, charging", 25},
    {0x82, "50 %, charging", 50},
    {0x83, "75 %, charging", 75},
    {0x84, "100 %, charging", 100},
};
constexpr Choice working_modes[] = {
    {working_idle, "idle"},
    {working_standby, "standby"},
    {working_usb_storage, "usb-storage"},
    {working_video, "recording"},
    {working_short_video, "recording-short"},
    {working_time_lapse, "recording-time-lapse"},
    {working_photo, "taking-photo"},
    {working_timed_photo, "timed-photo"},
    {working_interval_photo, "interval-photo"},
    {working_slow_motion, "recording-slow-motion"},
    {working_burst_photo, "burst-photo"},
    {working_bracketing, "bracketing-photo"},
};
constexpr Choice camera_modes[] = {{mode_video, "video"}, {mode_photo, "photo"}};
constexpr Choice video_resolutions[] = {
    {0, "3456x1728@30"},
    {1, "2304x1152@30"},
    {2, "2304x1152@60"},
    {6, "3840x1920@30"},
    // Half of the rows.
    {7, "1920x480@120 upper"},
    {8, "1920x480@120 middle"},
    {9, "1920x480@120 lower"},
    {10, "3456x1728@30 HD"},
    {11, "3840x1920@30 HD"},
};
constexpr Choice photo_resolutions[] = {
    {0, "6912x3456"},
    {1, "3456x1728"},
    {2, "6912x3456 stitched"},
    {3, "6912x3456 raw"},
    {4, "6912x3456 stitched and raw"},
};
constexpr Choice short_lengths[] = {{10, "10 s"}, {20, "20 s"}, {30, "30 s"}};
constexpr Choice time_lapse_intervals[] = {{1, "1 s"},   {2, "2 s"},   {5, "5 s"},    {10, "10 s"},
                                           {30, "30 s"}, {60, "60 s"}, {255, "0.5 s"}};
constexpr Choice photo_intervals[] = {{0, "off"},   {2, "2 s"},   {5, "5 s"},     {10, "10 s"},
                                      {30, "30 s"}, {60, "60 s"}, {120, "120 s"}, {300, "300 s"}};
constexpr Choice sensors[] = {{0, "front"}, {1, "rear"}};
constexpr Choice burst_counts[] = {{3, "3 photos"}, {6, "6 photos"}, {10, "10 photos"}};
constexpr Choice slow_motions[] = {{1, "normal"}, {2, "1/2"}, {4, "1/4"}};
constexpr Choice exposures[] = {
    {-6, "-3 EV"},   {-5, "-2.5 EV"}, {-4, "-2 EV"}, {-3, "-1.5 EV"}, {-2, "-1 EV"},
    {-1, "-0.5 EV"}, {0, "0 EV"},     {1, "0.5 EV"}, {2, "1 EV"},     {3, "1.5 EV"},
    {4, "2 EV"},     {5, "2.5 EV"},   {6, "3 EV"},
};
constexpr Choice exposure_steps[] = {{1, "0.5 EV"}, {2, "1 EV"},   {3, "1.5 EV"},
                                     {4, "2 EV"},   {5, "2.5 EV"}, {6, "3 EV"}};
constexpr Choice white_balances[] = {
    {0, "auto"}, {1, "outdoors"}, {2, "cloudy"}, {3, "incandescent"}, {4, "fluorescent"}};
constexpr Choice volumes[] = {{0, "off"}, {1, "25 %"}, {2, "50 %"}, {3, "75 %"}, {4, "100 %"}};
constexpr Choice power_off_times[] = {{0, "never"}, {5, "5 min"}, {10, "10 min"}};
constexpr Choice gyro_modes[] = {{0, "normal"}, {1, "bullet time"}};
constexpr Choice record_speeds[] = {{1, ""}, {2, ""}, {4, ""}, {130, ""}, {132, ""}};
constexpr Choice lens_usages[] = {{0, "logo side"}, {1, "LED side"}, {2, "both"}};
constexpr Choice segment_lengths[] = {{15, "15 s"}, {30, "30 s"}, {60, "60 s"}, {300, "300 s"}};

// --- members that logs may show --------------------------------------------------------------

constexpr const char* transfer_result_members[] = {field::bytes_sent, field::bytes_received};
constexpr const char* client_info_members[] = {"update"};
constexpr const char* thumbnail_members[] = {field::size};
constexpr const char* media_members[] = {field::size,  "duration",   "resolution",
                                         "media_type", "scene_type", "res_id"};
constexpr const char* get_file_members[] = {field::offset, field::fetch_size, field::rest_size,
                                            field::size};
constexpr const char* put_file_members[] = {field::offset, field::size, field::file_type};
constexpr const char* cancel_members[] = {field::transferred_size};
constexpr const char* storage_members[] = {field::video_seconds_left, field::photos_left,
                                           field::card_total_kb, field::card_free_kb,
                                           field::card_full};
constexpr const char* saved_members[] = {
    field::video_seconds_left, field::photos_left,  field::videos,
    field::card_total_kb,      field::card_free_kb, field::card_full,
    field::video_milliseconds};
// In addition to those in the rows of the settings.
constexpr const char* settings_members[] = {"standby_en",  "poweroff_en",  "cam_jpg",
                                            "cam_mp4",     field::battery, field::product,
                                            field::version};
constexpr const char* status_members[] = {field::working_mode,
                                          field::mode,
                                          field::sub_mode,
                                          field::recorded_seconds,
                                          "second",
                                          "lapse",
                                          "timing",
                                          "timing_c",
                                          "cap_interval",
                                          "cap_interval_num",
                                          "speedx",
                                          "sensor_num",
                                          "burst_num",
                                          "surroundexp",
                                          "surexp_c",
                                          "gyro_s"};
constexpr const char* mode_members[] = {field::sub_mode, "sub_mode_param"};
constexpr const char* interval_members[] = {"time"};
constexpr const char* bracketing_members[] = {"sur_exp"};
// These may be logged in any message.
constexpr std::string_view common_members[] = {"msg_id", "rval", field::type, "btwifi"};

constexpr Command row(int id, Command command) {
  command.id = id;
  return command;
}

constexpr Command table[] = {
#define MADV_COMMAND(enumerator, id, ...) row(id, __VA_ARGS__),
#include "hw/madv/commands.inc"
#undef MADV_COMMAND
};

// --- results ---------------------------------------------------------------------------------

struct ResultCodeWords {
  int rval;
  const char* words;
};

constexpr ResultCodeWords result_table[] = {
    {0, "it is done"},
    {-1, "there was an error without a reason; try again"},
    {-3,
     "another phone or program is connected to it; close the camera's app there, or wait until it "
     "disconnects"},
    {-4, "this session has ended (the camera does not know its token any more); connect again"},
    {-5, "its maximum number of clients is connected; close one of them"},
    {-7, "the request was not well-formed"},
    {-8, "the complete request did not arrive in time"},
    {-9, "the request was not well-formed"},
    {-13, "it does not know that value"},
    {-14,
     "it can't do that now: it is doing something else, has already done it, or does not have that "
     "value; look at its display"},
    {-16, "it can't do that while an HDMI cable is plugged in"},
    {-17, "its card is full; delete files, or put in another card"},
    {-18, "its card is write-protected; move the small switch on the card"},
    {-19, "it is out of memory; switch it off and on"},
    {-20, "it can't take photos while recording"},
    {-21, "it is busy; try again in a moment"},
    {-22, "it is not ready yet; try again in a moment"},
    {-23, "it does not know that command"},
    {-24, "it does not know that type"},
    {-25, "it does not know that value"},
    {-26, "there is no such file or folder"},
    {-27, "there is a folder of that name already"},
    {-28, "it does not allow that"},
    {-29, "it does not accept this client"},
    {-50, "there is no card in it; put one in"},
    {-56, "it is in another mode; switch it to photo or video first"},
    {-57, "there is no update on its card"},
    {-58, "its battery is too low; charge it"},
    {-59, "its card can't be read; format it, or put in another card"},
    {-61, "its card is too slow for recording; put in a faster card"},
};

}  // namespace

std::span<const Command> commands() { return table; }

const Command* find_command(int id) {
  static_assert(std::is_sorted(std::begin(table), std::end(table),
                               [](const Command& a, const Command& b) { return a.id < b.id; }));
  const auto found = std::lower_bound(std::begin(table), std::end(table), id,
                                      [](const Command& c, int wanted) { return c.id < wanted; });
  return found != std::end(table) && found->id == id ? found : nullptr;
}

const Command* find_command(std::string_view name) {
  const auto found = std::find_if(std::begin(table), std::end(table),
                                  [&](const Command& c) { return c.name == name; });
  return found != std::end(table) ? found : nullptr;
}

std::string command_name(int id) {
  const Command* command = find_command(id);
  return command ? std::string(command->name) + " (" + std::to_string(id) + ")"
                 : "message " + std::to_string(id);
}

Privacy privacy_of(int id) {
  const Command* command = find_command(id);
  return command ? command->privacy : Privacy::secret;
}

bool is_shown_in_logs(int id, std::string_view member) {
  if (member == "param") return privacy_of(id) == Privacy::open;
  if (std::find(std::begin(common_members), std::end(common_members), member) !=
      std::end(common_members))
    return true;
  for (const Command& command : table) {
    if (command.id == id &&
        std::find(command.shown.begin(), command.shown.end(), member) != command.shown.end())
      return true;
    if (id == msg_settings && !member.empty() && command.settings_member == member) return true;
  }
  return false;
}

bool takes(const Command& command, std::string_view param) {
  const Value& value = command.value;
  if (value.kind == Value::Kind::none) return param.empty();
  if (value.kind == Value::Kind::text) return true;
  gint64 number = 0;
  if (!g_ascii_string_to_signed(std::string(param).c_str(), 10, G_MININT64, G_MAXINT64, &number,
                                nullptr))
    return false;
  if (value.kind == Value::Kind::number && number >= value.min && number <= value.max) return true;
  return std::any_of(value.choices.begin(), value.choices.end(),
                     [&](const Choice& choice) { return choice.value == number; });
}

const Choice* find_choice(int id, int value) {
  const Command* command = find_command(id);
  if (!command) return nullptr;
  for (const Choice& choice : command->value.choices)
    if (choice.value == value) return &choice;
  return nullptr;
}

std::string result_words(int rval) {
  for (const ResultCodeWords& code : result_table)
    if (code.rval == rval) return code.words;
  return "it can't, and its reason has no known meaning (" + std::to_string(rval) + ")";
}

}  // namespace sphere::madv
