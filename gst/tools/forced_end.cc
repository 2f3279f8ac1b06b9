// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/forced_end.h"

#include <unistd.h>

#include <csignal>
#include <string_view>

#include "gst/tools/command.h"

namespace sphere::tool {

void end_process() {
  constexpr std::string_view sentence = "sphere: ended by force\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, sentence.data(), sentence.size());
  _exit(exit_interrupted);
}

void end_process_within(unsigned seconds) {
  // A timer of the system, because a process without memory gets no thread for one.
  struct sigaction action = {};
  action.sa_handler = [](int) { end_process(); };
  sigaction(SIGALRM, &action, nullptr);
  alarm(seconds);
}

void keep_process() { alarm(0); }

}  // namespace sphere::tool
