// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere: the command for dual-lens cameras and their files. The subcommands for files are in the
// program itself. The others need many libraries, which alone take more memory than the work on a
// file, so they are loaded only if they are asked for.

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "gst/tools/all_commands.h"
#include "gst/tools/command.h"
#include "gst/tools/exhaustion.h"
#include "gst/tools/run_command.h"

namespace {

/// Files that are opened later must not get the numbers of closed streams. A write into these ones
/// fails, as into closed ones.
void occupy_closed_streams() {
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(stream, F_GETFD) == -1) {
      const int found = open("/dev/null", O_RDONLY | O_CLOEXEC);
      if (found != -1 && found != stream) {
        dup2(found, stream);
        close(found);
      }
    }
}

/// Called at the end, whoever ends the process: if what was printed has not arrived, that is no
/// success.
void check_output() {
  const bool complained = std::ferror(stdout);
  if (std::fflush(stdout) == 0 && !complained) return;
  // The stream has not kept the reason; this finds it.
  const int reason = write(STDOUT_FILENO, "\n", 1) == 1 ? 0 : errno;
  // Nothing to tell about `sphere ... | head`: what was printed was enough for the reader.
  if (reason != EPIPE)
    sphere::tool::print(stderr, "sphere: the output can't be written%s%s\n", reason ? ": " : "",
                        reason ? std::strerror(reason) : "");
  _exit(sphere::tool::exit_failed);
}

}  // namespace

int main(int argc, char** argv) {
  occupy_closed_streams();
  std::atexit(check_output);
  std::setlocale(LC_ALL, "");
  // If the reader of a pipe is gone, or a file gets too large, the write must fail: the process
  // must not be ended by a signal.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  sphere::tool::end_when_exhausted();
  if (argc > 1 && sphere::tool::is_command(argv[1])) return sphere::tool::run_command(argc, argv);

  // Never unloaded: it has types, and threads may run until the end. It is found beside the other
  // libraries of the program.
  void* const library = dlopen("libgstspherecommands.so", RTLD_LAZY | RTLD_LOCAL);
  void* const function = library ? dlsym(library, "sphere_run_all_commands") : nullptr;
  if (!function) {
    sphere::tool::print(stderr, "sphere: its commands can't be loaded, install it again: %s\n",
                        dlerror());
    return sphere::tool::exit_failed;
  }
  return reinterpret_cast<decltype(&sphere_run_all_commands)>(function)(argc, argv);
}
