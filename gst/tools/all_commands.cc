// SPDX-License-Identifier: LGPL-2.1-or-later
// What the program calls in the library of all commands.

#include "gst/tools/all_commands.h"

#include "gst/tools/run_command.h"

int sphere_run_all_commands(int argc, char** argv) { return sphere::tool::run_command(argc, argv); }
