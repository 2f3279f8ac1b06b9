// SPDX-License-Identifier: LGPL-2.1-or-later
// The signals that end a command: Ctrl-C, SIGTERM, and SIGHUP when the terminal is closed.

#pragma once

#include <csignal>
#include <utility>
#include <vector>

namespace sphere::tool {

/// Their numbers, without those that are ignored: SIGHUP under nohup(1), and SIGINT where a shell
/// without job control has started the command in the background.
std::vector<int> handled_signals();

/// While it exists, they call `handle`, in any thread, which may do only what a handler of signals
/// may. It may use end_process_within(), whose time ends with this object.
class SignalHandlers {
 public:
  explicit SignalHandlers(void (*handle)(int));
  ~SignalHandlers();
  SignalHandlers(const SignalHandlers&) = delete;
  SignalHandlers& operator=(const SignalHandlers&) = delete;

 private:
  std::vector<std::pair<int, struct sigaction>> before_;
};

}  // namespace sphere::tool
