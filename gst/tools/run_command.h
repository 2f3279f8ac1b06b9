// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the subcommand that the user has named, and runs it.

#pragma once

#include <string_view>

namespace sphere::tool {

/// Whether it is among the subcommands that are loaded.
bool is_command(std::string_view name);

/// Runs what the arguments of the program say; returns its exit status.
int run_command(int argc, char** argv);

}  // namespace sphere::tool
