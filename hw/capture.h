// SPDX-License-Identifier: LGPL-2.1-or-later
// The kinds of photos and recordings that cameras of all families take.

#pragma once

#include <optional>

namespace sphere::hw {

/// A photo, or a series of photos. A member without a value leaves the camera's own setting as it
/// is; members that do not belong to the kind are not used.
struct PhotoRequest {
  enum class Kind {
    single,
    timed,       ///< after `seconds`
    interval,    ///< one every `seconds`, until stop() is called
    burst,       ///< `count` photos at once
    bracketing,  ///< the same picture with several exposures, which differ by `ev_step`
    one_lens,    ///< one lens alone
  };
  Kind kind = Kind::single;
  std::optional<int> seconds;
  std::optional<int> count;
  std::optional<double> ev_step;
  /// The lens on the back instead of the one on the front.
  std::optional<bool> back_lens;
};

/// A recording, which lasts until stop() is called.
struct RecordingRequest {
  enum class Kind {
    normal,
    short_video,  ///< ends by itself after `seconds`
    time_lapse,   ///< a picture every `seconds`, which may be 0.5
    slow_motion,  ///< at 1/`slowness` of the speed
    one_lens,     ///< one lens alone
  };
  Kind kind = Kind::normal;
  /// Needs consent.
  bool with_sound = false;
  std::optional<double> seconds;
  std::optional<int> slowness;
  std::optional<bool> back_lens;
};

}  // namespace sphere::hw
