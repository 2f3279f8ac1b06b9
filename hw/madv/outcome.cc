// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/outcome.h"

#include <utility>

namespace sphere::madv {

Failure for_user(const Failure& failure) {
  // The error in the bytes is for a developer; a user can only find out which device sends them.
  if (failure.reason == Failure::Reason::broken)
    return {Failure::Reason::broken,
            "the messages of this camera can't be read. Check that this is the address of a Mi "
            "Sphere. If it is, switch the camera off and on again",
            failure.message};
  return failure;
}

std::optional<Failure> failure_of(const Reply& reply, const std::string& what) {
  if (reply.failure) return for_user(*reply.failure);
  if (reply.message->succeeded()) return std::nullopt;
  const int rval = reply.message->rval().value_or(-1);
  return Failure(rval == rval_busy ? Failure::Reason::held : Failure::Reason::refused,
                 "the camera does not " + what + ": it says that " + result_words(rval));
}

bool needs_waking(const CameraState& state, int id) {
  return state.dialect == Dialect::madv && state.working_mode == working_standby &&
         id != msg_wake && id != msg_power_off && id != msg_enter_standby && id != msg_set_clock &&
         id != msg_set_location;
}

void ask(Session& session, Request request, std::string what,
         std::function<void(const std::optional<Failure>&)> done) {
  // If it can't be woken up, the request itself fails.
  if (needs_waking(session.state(), request.id)) session.request(Request(msg_wake), nullptr);
  session.request(std::move(request), [what = std::move(what), done = std::move(done)](
                                          const Reply& reply) { done(failure_of(reply, what)); });
}

}  // namespace sphere::madv
