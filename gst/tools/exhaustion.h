// SPDX-License-Identifier: LGPL-2.1-or-later
// What happens when the system gives the process no more threads or memory.

#pragma once

namespace sphere::tool {

/// From now on, the process ends with a sentence and the exit status of a failure when GStreamer,
/// GLib or the C++ library gets no thread or no memory. GLib and the C++ library would abort. In
/// GStreamer 1.22, an element whose thread can't be made waits for ever, and stopping it does, too.
/// To be called once, before the first message of GLib.
void end_when_exhausted();

}  // namespace sphere::tool
