// SPDX-License-Identifier: LGPL-2.1-or-later
// What the fuzz targets of sessions with a camera share.

#pragma once

#include <algorithm>
#include <cstdlib>

#include "hw/madv/core.h"

namespace sphere::madv {

/// Reads what the session tells, and lets a second go by.
inline void pass_second(SessionCore& core, Time& now) {
  for (const Event& event : core.take_events())
    if (event.message) (void)event.message->redacted();
  now += std::chrono::seconds(1);
  core.advance(now);
}

/// Ends the session, which must not take for ever. All that it has sent must be well-formed,
/// whatever was received.
inline void end_session(SessionCore& core, Time now) {
  core.finish(now);
  for (int steps = 0; !core.ended(); ++steps) {
    if (steps > 100) abort();
    const auto due = core.deadline();
    if (!due) abort();
    now = std::max(now, *due);
    core.advance(now);
  }
  Framer framer;
  framer.feed(core.output());
  for (;;) {
    auto object = framer.next();
    if (!object) abort();
    if (!*object) break;
    if (!Message::parse(**object)) abort();
  }
}

}  // namespace sphere::madv
