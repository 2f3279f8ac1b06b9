// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/signal_handlers.h"

#include "gst/tools/forced_end.h"

namespace sphere::tool {

std::vector<int> handled_signals() {
  std::vector<int> numbers;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now = {};
    if (sigaction(number, nullptr, &now) != 0 || now.sa_handler != SIG_IGN)
      numbers.push_back(number);
  }
  return numbers;
}

SignalHandlers::SignalHandlers(void (*handle)(int)) {
  struct sigaction action = {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  for (const int number : handled_signals()) {
    struct sigaction before = {};
    if (sigaction(number, &action, &before) == 0) before_.emplace_back(number, before);
  }
}

SignalHandlers::~SignalHandlers() {
  for (const auto& [number, before] : before_) sigaction(number, &before, nullptr);
  keep_process();
}

}  // namespace sphere::tool
