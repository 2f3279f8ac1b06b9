// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/password.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "gst/sphere/base/descriptor.h"
#include "gst/tools/question.h"

namespace sphere::tool {

namespace {

constexpr size_t longest_password = 256;

/// A terminal that shows nothing of what is typed, as long as this object lives.
class TerminalWithoutEcho {
 public:
  explicit TerminalWithoutEcho(int terminal) : terminal_(terminal) {
    works_ = tcgetattr(terminal, &before_) == 0;
    if (!works_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ECHONL | ICANON;
    // These would stop or end the process with the terminal as it is now. Ctrl-C is handled.
    silent.c_cc[VSUSP] = _POSIX_VDISABLE;
    silent.c_cc[VQUIT] = _POSIX_VDISABLE;
    works_ = tcsetattr(terminal, TCSAFLUSH, &silent) == 0;
  }
  ~TerminalWithoutEcho() {
    if (works_) tcsetattr(terminal_, TCSAFLUSH, &before_);
  }
  TerminalWithoutEcho(const TerminalWithoutEcho&) = delete;
  TerminalWithoutEcho& operator=(const TerminalWithoutEcho&) = delete;

  bool works() const { return works_; }

 private:
  const int terminal_;
  bool works_ = false;
  termios before_ = {};
};

}  // namespace

Result<std::string> ask_password(const std::string& question, GCancellable* cancellable) {
  const Descriptor terminal(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal) return invalid("there is no terminal to type the password");
  const TerminalWithoutEcho silent(terminal.get());
  if (!silent.works()) return invalid("the terminal would show the password");
  if (write(terminal.get(), question.data(), question.size()) < 0)
    return failed("the terminal can't be written");
  std::string line;
  for (;;) {
    if (!wait_for_input(terminal.get(), cancellable)) return failed("interrupted");
    char bytes[longest_password];
    const ssize_t got = read(terminal.get(), bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return failed("the terminal was closed");
    line.append(bytes, static_cast<size_t>(got));
    if (const size_t end = line.find('\n'); end != std::string::npos) return line.substr(0, end);
    if (line.size() > longest_password) return invalid("the password is too long");
  }
}

}  // namespace sphere::tool
