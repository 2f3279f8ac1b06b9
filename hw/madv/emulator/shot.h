// SPDX-License-Identifier: LGPL-2.1-or-later
// The kinds of photos and recordings of an emulated Mi Sphere.

#pragma once

#include <optional>

#include "hw/madv/commands.h"

namespace sphere::madv_emulator {

/// How one photo or video is taken, in addition to the settings that apply to all of them.
struct Shot {
  int start = 0;     ///< the command that started it, such as madv::msg_start_burst_photo
  int value = 0;     ///< the value of the kind's own setting: its seconds, its lens, ...
  int exposure = 0;  ///< of this photo of a bracketing, in EV/2
  std::optional<int> lens = {};  ///< the only one that is used: a value of single-sensor
  bool sound = true;             ///< of a video
};

/// A kind of photo or recording.
struct ShotKind {
  int start;    ///< its command
  int setting;  ///< the setting that holds for it, and whose value chooses it; 0: none
  madv::CameraMode mode;
  int sub_mode;
  madv::WorkingMode working_mode;

  bool is_photo() const { return mode == madv::mode_photo; }
};

inline constexpr ShotKind shot_kinds[] = {
    {madv::msg_start_recording, 0, madv::mode_video, 0, madv::working_video},
    {madv::msg_start_short_video, madv::msg_short_video_length, madv::mode_video, 1,
     madv::working_short_video},
    {madv::msg_start_time_lapse, madv::msg_time_lapse_interval, madv::mode_video, 2,
     madv::working_time_lapse},
    {madv::msg_start_slow_motion, madv::msg_slow_motion, madv::mode_video, 3,
     madv::working_slow_motion},
    {madv::msg_start_single_sensor_video, madv::msg_single_sensor, madv::mode_video, 0,
     madv::working_video},
    {madv::msg_take_photo, 0, madv::mode_photo, 0, madv::working_photo},
    {madv::msg_start_timed_photo, madv::msg_photo_timer, madv::mode_photo, 1,
     madv::working_timed_photo},
    {madv::msg_start_interval_photo, madv::msg_photo_interval, madv::mode_photo, 2,
     madv::working_interval_photo},
    {madv::msg_start_burst_photo, madv::msg_burst_count, madv::mode_photo, 3,
     madv::working_burst_photo},
    {madv::msg_start_bracketing, madv::msg_bracketing, madv::mode_photo, 4,
     madv::working_bracketing},
    {madv::msg_start_single_sensor_photo, madv::msg_single_sensor, madv::mode_photo, 0,
     madv::working_photo},
};

/// Null if this command starts nothing. `one_lens`: of 5029, the second meaning.
inline const ShotKind* find_kind(int start, bool one_lens = false) {
  const ShotKind* found = nullptr;
  for (const ShotKind& kind : shot_kinds)
    if (kind.start == start && (!found || one_lens)) found = &kind;
  return found;
}

}  // namespace sphere::madv_emulator
