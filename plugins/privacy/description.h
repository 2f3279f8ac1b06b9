// SPDX-License-Identifier: LGPL-2.1-or-later
// What events say about sound: tags, headers, tables of contents. Without what tells what is heard
// in it, or who made it where.

#pragma once

#include <gst/gst.h>

#include "gst/sphere/base/gobject.h"

namespace sphere::privacy {

/// Whether an event of this type may say something about the sound.
bool describes_sound(GstEventType type);

/// The event to be sent in its place: tags thinned out to those about the form, headers without
/// comments, descriptions of streams in objects of their own. Null: it is not to be sent at all.
EventRef without_description(EventRef event);

/// The event with what it says, but in objects of its own: what upstream writes into its GstStream
/// later is not seen downstream.
EventRef with_own_streams(EventRef event);

/// As without_description(), for all events that a pad keeps for whoever is linked to it later.
void clean_kept_events(GstPad* pad);

CapsRef without_description(const GstCaps* caps);

}  // namespace sphere::privacy
