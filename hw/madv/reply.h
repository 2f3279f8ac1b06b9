// SPDX-License-Identifier: LGPL-2.1-or-later
// What became of a request.

#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "hw/failure.h"
#include "hw/madv/message.h"

namespace sphere::madv {

using hw::Failure;

/// The camera's reply, also one that says no, or why there is none.
struct Reply {
  std::shared_ptr<const Message> message;
  std::optional<Failure> failure;
};
using ReplyHandler = std::function<void(const Reply&)>;

}  // namespace sphere::madv
