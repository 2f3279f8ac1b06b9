// SPDX-License-Identifier: LGPL-2.1-or-later
// Ends the process where a command can't end itself, because an element or a library hangs. What it
// writes has no name until it is complete, so nothing half-written is left behind.

#pragma once

namespace sphere::tool {

/// Says so, and ends the process at once, as one that was interrupted. May be called by a handler
/// of signals.
[[noreturn]] void end_process();
/// Ends the process like that after this time, unless keep_process() is called. May be called by a
/// handler of signals.
void end_process_within(unsigned seconds);
void keep_process();

}  // namespace sphere::tool
