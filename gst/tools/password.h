// SPDX-License-Identifier: LGPL-2.1-or-later
// Asks for a password on the terminal.

#pragma once

#include <gio/gio.h>

#include <string>

#include "gst/sphere/base/result.h"

namespace sphere::tool {

/// Reads one line from the terminal of this process without showing it. The terminal is set back at
/// every end, also when `cancellable` is cancelled; then the error is "interrupted".
Result<std::string> ask_password(const std::string& question, GCancellable* cancellable);

}  // namespace sphere::tool
