// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere: the command for dual-lens cameras and their files. The subcommands for files are in the
// program itself. The others need many libraries, which alone take more memory than the work on a
// file, so they are loaded only if they are asked for.

#include <dlfcn.h>

#include <clocale>
#include <csignal>
#include <cstdio>

#include "gst/tools/all_commands.h"
#include "gst/tools/command.h"
#include "gst/tools/run_command.h"

int main(int argc, char** argv) {
  std::setlocale(LC_ALL, "");
  // If the reader of a pipe is gone, or a file gets too large, the write must fail: the process
  // must not be ended by a signal.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
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
