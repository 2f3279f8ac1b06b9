// SPDX-License-Identifier: LGPL-2.1-or-later
// The failures of requests, in the words for a user.

#pragma once

#include <optional>
#include <string>

#include "hw/madv/reply.h"
#include "hw/madv/session.h"

namespace sphere::madv {

/// The same failure, in words for a user.
Failure for_user(const Failure& failure);

/// The failure of a request; no value if the camera did it. `what` completes "the camera does
/// not ...".
std::optional<Failure> failure_of(const Reply& reply, const std::string& what);

/// Whether a camera in standby must be woken up before this request.
bool needs_waking(const CameraState& state, int id);

/// Sends a request, after the camera is woken up if needed; `done` is called once, in the session's
/// thread or in the caller's.
void ask(Session& session, Request request, std::string what,
         std::function<void(const std::optional<Failure>&)> done);

}  // namespace sphere::madv
