// SPDX-License-Identifier: LGPL-2.1-or-later
// Failures of cameras, for all families.

#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "gst/sphere/base/printable.h"
#include "gst/sphere/base/result.h"

namespace sphere::hw {

/// The reason why a camera was lost, or does not execute a command. In addition to an Error, it has
/// a kind of failure, which decides whether and when to try again.
struct Failure {
  enum class Reason {
    unreachable,  ///< no route to the camera: another Wi-Fi, out of reach
    not_there,    ///< the address is not that of a camera, or it has no preview
    held,         ///< another client has the camera
    refused,      ///< the camera refuses it
    silent,       ///< no answer in time
    broken,       ///< received data can't be parsed
    gone,         ///< the camera closed the connection, or does not know the session
    missing,      ///< a part of the software on this machine is not installed
    stopped,      ///< this side ended it
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
