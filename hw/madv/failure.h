// SPDX-License-Identifier: LGPL-2.1-or-later
// Why a session ended, or a request was not done.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gst/sphere/base/printable.h"
#include "hw/madv/message.h"

namespace sphere::madv {

struct Failure {
  enum class Reason {
    unreachable,  ///< no way to the camera: another Wi-Fi, out of reach
    not_there,    ///< something is there, but its control port is closed
    held,         ///< another client holds the camera
    refused,      ///< the camera says no; `rval` says how
    silent,       ///< no answer in time
    broken,       ///< what came is not this protocol
    gone,         ///< the camera closed the connection, or forgot the session
    stopped,      ///< we ourselves ended it
  };
  Failure(Reason reason, std::string_view message, int rval = 0)
      : reason(reason), message(printable(message, Error::max_message)), rval(rval) {}

  Reason reason;
  /// One sentence, with what to do. Printable, whatever the camera said.
  std::string message;
  int rval;
};

/// What became of a request: the camera's reply, also one that says no, or why there is none.
struct Reply {
  std::shared_ptr<const Message> message;
  std::optional<Failure> failure;
};
using ReplyHandler = std::function<void(const Reply&)>;

}  // namespace sphere::madv
