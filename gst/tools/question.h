// SPDX-License-Identifier: LGPL-2.1-or-later
// Asks a person on the terminal.

#pragma once

#include <gio/gio.h>

#include <string>

namespace sphere::tool {

enum class Reply { no, yes, interrupted };

/// Whether a person can be asked: questions go to stderr, and answers come from stdin.
bool can_ask();

/// Prints the question and waits for a line; everything but a line that begins with `y` is a no.
/// What was typed before the question is thrown away, because it answers something else. `stop` may
/// be null; if it is cancelled, the reply is `interrupted`.
Reply ask_yes_or_no(const std::string& question, GCancellable* stop);

/// Waits until there is something to read; false if `stop`, which may be null, is cancelled.
bool wait_for_input(int terminal, GCancellable* stop);

}  // namespace sphere::tool
