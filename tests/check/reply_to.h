// SPDX-License-Identifier: LGPL-2.1-or-later
// Waits for the reply to one request of a session.

#pragma once

#include <optional>

#include "hw/await.h"
#include "hw/madv/session.h"

namespace sphere::test {

/// Nothing if `cancellable` was cancelled before, or `at_most` has passed.
inline std::optional<madv::Reply> reply_to(madv::Session& session, const madv::Request& request,
                                           GCancellable* cancellable = nullptr,
                                           std::optional<madv::Duration> at_most = std::nullopt) {
  const auto outcome = hw::await<madv::Reply>(
      cancellable, [&](auto handler) { session.request(request, std::move(handler)); }, at_most);
  return outcome ? std::optional(std::get<0>(*outcome)) : std::nullopt;
}

}  // namespace sphere::test
