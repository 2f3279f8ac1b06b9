// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of a recording that a camera has closed while nobody heard it, because the connection
// was lost.

#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gst/tools/camera_command.h"

namespace sphere::tool {

/// They are the videos that were not on the card when the recording began, if it has gone on all
/// the time: what was recorded before it, or after somebody has ended it, is not its part.
class UntoldParts {
 public:
  /// Before the recording begins: notes what is on the card, of which the newest folders suffice.
  /// Fails only if the command is interrupted.
  std::optional<hw::Failure> note_card(CameraCommand& command);
  /// The recording has begun.
  void begin();
  /// After a loss, when the camera is connected again and records.
  void go_on(CameraCommand& command);
  /// After the end: the told files of the recording with those that were not told, in their order;
  /// nothing if it is not certain which ones these are. Without a loss, the told ones alone.
  std::optional<std::vector<std::string>> complete(CameraCommand& command,
                                                   const std::vector<std::string>& told) const;

 private:
  /// What is known of the card.
  struct Card {
    std::set<std::string> paths, folders;
    bool is_whole = true;
  };

  std::optional<Card> before_;
  int64_t begun_ = 0;  ///< when, in microseconds
  bool was_lost_ = false, is_certain_ = true;
};

}  // namespace sphere::tool
