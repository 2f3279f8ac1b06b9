// SPDX-License-Identifier: LGPL-2.1-or-later
// Why something with a camera failed, whatever its family.

#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "gst/sphere/base/printable.h"
#include "gst/sphere/base/result.h"

namespace sphere::hw {

/// Why a camera was lost, or does not do something. An Error says what is wrong with a thing; this
/// says how it stands with a camera, which decides whether and when to try again.
struct Failure {
  enum class Reason {
    unreachable,  ///< no way to the camera: another Wi-Fi, out of reach
    not_there,    ///< something is there, but it is no camera, or has no preview
    held,         ///< another client has the camera
    refused,      ///< the camera says no
    silent,       ///< no answer in time
    broken,       ///< what came can't be understood
    gone,         ///< the camera closed the connection, or forgot it
    missing,      ///< a part of the software on this machine is not installed
    stopped,      ///< we ourselves ended it
  };
  Failure() = default;
  Failure(Reason reason, std::string_view message, std::string_view detail = {})
      : reason(reason),
        message(printable(message, Error::max_message)),
        detail(printable(detail, Error::max_message)) {}

  Reason reason = Reason::broken;
  /// For the user: one sentence without its full stop, with what to do.
  std::string message;
  /// For the developer; may be empty.
  std::string detail;
};

}  // namespace sphere::hw
