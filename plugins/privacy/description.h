// SPDX-License-Identifier: LGPL-2.1-or-later
// Events that describe sound (tags, headers, tables of contents), reduced to what does not tell
// what is heard, or who recorded it and where.

#pragma once

#include <gst/gst.h>

#include "gst/sphere/base/gobject.h"

namespace sphere::privacy {

/// Whether an event of this type may describe the sound.
bool describes_sound(GstEventType type);

/// The event to send instead: tags reduced to those about the format, headers without
/// comments, descriptions of streams in objects of their own. Null: it is not to be sent at all.
EventRef without_description(EventRef event);

/// A copy of the event with objects of its own: later changes by upstream to its GstStream are not
/// visible downstream.
EventRef with_own_streams(EventRef event);

/// Applies without_description() to all sticky events of a pad, because elements that are linked
/// later receive them.
void clean_kept_events(GstPad* pad);

CapsRef without_description(const GstCaps* caps);

}  // namespace sphere::privacy
