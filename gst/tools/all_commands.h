// SPDX-License-Identifier: LGPL-2.1-or-later
// The one function of the library of all commands.

#pragma once

#include <gmodule.h>

/// As run_command(), but every subcommand is there.
extern "C" G_MODULE_EXPORT int sphere_run_all_commands(int argc, char** argv);
