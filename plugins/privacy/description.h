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

/// The event with what it says, but in objects of its own: what upstream writes into its GstStream
/// later is not seen downstream.
EventRef with_own_streams(EventRef event);

/// The same as without_description() for all sticky events of a pad, which elements that are linked
/// later would get.
void clean_kept_events(GstPad* pad);

CapsRef without_description(const GstCaps* caps);

}  // namespace sphere::privacy
