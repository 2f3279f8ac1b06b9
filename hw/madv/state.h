// SPDX-License-Identifier: LGPL-2.1-or-later
// The state of a camera, from its replies and notifications. One of them also contains the serial
// number, which is not kept.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hw/camera.h"
#include "hw/madv/message.h"

namespace sphere::madv {

using hw::Card;

/// The commands that a camera knows; it is found out by what it answers.
enum class Dialect {
  madv,     ///< those of the Mi Sphere
  generic,  ///< Ambarella's own, of related cameras
};

struct CameraState {
  Dialect dialect = Dialect::madv;
  /// One of WorkingMode.
  std::optional<int> working_mode;
  /// One of CameraMode.
  std::optional<int> mode;
  std::optional<int> sub_mode;
  std::optional<int> battery_percent;
  bool charging = false;
  Card card = Card::unknown;
  /// The value of the command `card-full`: 0 no, 1 almost, 2 full.
  std::optional<int> card_full;
  std::optional<int64_t> video_seconds_left;
  std::optional<int64_t> photos_left;
  std::optional<int64_t> card_total_kb;
  std::optional<int64_t> card_free_kb;
  std::optional<int64_t> recorded_seconds;
  std::string product;
  std::string firmware;

  bool is_recording() const;
  bool is_taking_photos() const;
  /// Updates the state with a reply or a notification.
  void update(const Message& message);

 private:
  void update_generic(const Message& message);
};

/// The name of a working mode, such as "recording".
std::string_view working_mode_name(int mode);

}  // namespace sphere::madv
