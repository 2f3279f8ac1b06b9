// SPDX-License-Identifier: LGPL-2.1-or-later
// The outcome of a request.

#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "hw/failure.h"
#include "hw/madv/message.h"

namespace sphere::madv {

using hw::Failure;

/// The camera's reply, which may be a refusal, or the reason why there is none.
struct Reply {
  std::shared_ptr<const Message> message;
  std::optional<Failure> failure;
};
using ReplyHandler = std::function<void(const Reply&)>;

}  // namespace sphere::madv
