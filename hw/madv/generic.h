// SPDX-License-Identifier: LGPL-2.1-or-later
// Ambarella's generic protocol, which related cameras speak instead of the Mi Sphere's commands.
// Sessions, files and recordings are the same in both; docs/protocol-madv.md tells what is known.

#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

namespace sphere::madv {

enum GenericId : int {
  msg_get_setting = 1,      ///< `type` is the name
  msg_set_setting = 2,      ///< `type` is the name, `param` the value
  msg_all_settings = 3,     ///< the reply has a list of names and values
  msg_setting_options = 9,  ///< `param` is the name; the reply has the list `options`
  msg_device_info = 11,
  msg_battery_level = 13,  ///< `type` is "battery", or "adapter" while it is being charged
  msg_take_photo_generic = 769,
  msg_mode_settings = 2053,  ///< of the SJ8 Pro: the settings of the present mode
};

/// Names of settings that cameras have in common.
namespace generic {
inline constexpr const char* camera_mode = "camera_mode";
inline constexpr const char* camera_clock = "camera_clock";
inline constexpr const char* record_mode = "normal_record";
inline constexpr const char* capture_mode = "normal_capture";
/// Those of the SJ8 Pro, of which others have some.
inline bool is_mode(std::string_view word) {
  constexpr std::string_view modes[] = {record_mode,   "timelapse_video", "slow_video",
                                        capture_mode,  "timelapse_photo", "burst_capture",
                                        "video_photo", "car_mode"};
  return std::ranges::find(modes, word) != std::end(modes);
}
inline bool is_photo_mode(std::string_view mode) {
  return mode.ends_with("_capture") || mode == "timelapse_photo";
}
/// The types of the notifications that a photo, and that a recording is complete.
inline bool is_photo_end(std::string_view type) {
  return type == "photo_taken" || type == "capture_complete";
}
inline bool is_recording_end(std::string_view type) {
  return type == "record_complete" || type == "video_record_complete" ||
         (type.starts_with("stop_") && (type.ends_with("record") || type.ends_with("video")));
}
/// The setting for sound, and its values.
inline constexpr const char *sound = "Audio", *sound_on = "On", *sound_off = "Off";
/// The options of a list (1282): with times and sizes.
inline constexpr const char* detailed_list = " -D -S";
/// The `param` of 259: the preview starts, also if it runs already.
inline constexpr const char* start_viewfinder = "none_force";
}  // namespace generic

}  // namespace sphere::madv
