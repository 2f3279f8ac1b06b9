// SPDX-License-Identifier: LGPL-2.1-or-later
// Ctrl-C and the other signals that end a command, for commands that run the default main context.

#pragma once

#include <functional>

namespace sphere::tool {

/// While it exists, the first of SIGINT, SIGTERM and SIGHUP calls `stop` in the default main
/// context. If an object of this type still exists then, the process is ended by force 15 s later,
/// or with another signal after 2 s: an element that hangs can't be stopped. All objects are made
/// and destroyed in the main thread.
class EndSignals {
 public:
  explicit EndSignals(std::function<void()> stop);
  ~EndSignals();
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;

 private:
  const std::function<void()> stop_;
};

}  // namespace sphere::tool
