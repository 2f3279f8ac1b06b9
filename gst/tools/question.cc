// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/question.h"

#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "gst/tools/command.h"

namespace sphere::tool {

bool can_ask() { return isatty(STDIN_FILENO) && isatty(STDERR_FILENO); }

bool wait_for_input(int terminal, GCancellable* stop) {
  GPollFD polls[2] = {{terminal, G_IO_IN, 0}, {}};
  const bool can_stop = stop && g_cancellable_make_pollfd(stop, &polls[1]);
  while (g_poll(polls, can_stop ? 2 : 1, -1) < 0 && errno == EINTR) {
  }
  if (can_stop) g_cancellable_release_fd(stop);
  return !stop || !g_cancellable_is_cancelled(stop);
}

Reply ask_yes_or_no(const std::string& question, GCancellable* stop) {
  tcflush(STDIN_FILENO, TCIFLUSH);
  print(stderr, "%s [y/N] ", question.c_str());
  // A terminal gives a line at a time, and the rest of a long one with the next read.
  char first = 0, bytes[256];
  for (;;) {
    if (!wait_for_input(STDIN_FILENO, stop)) {
      print(stderr, "\n");
      return Reply::interrupted;
    }
    const ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Reply::no;
    if (!first) first = bytes[0];
    if (bytes[got - 1] == '\n') return first == 'y' || first == 'Y' ? Reply::yes : Reply::no;
  }
}

}  // namespace sphere::tool
