// SPDX-License-Identifier: LGPL-2.1-or-later
// Events that describe streams, with other tags and caps in them.

#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "plugins/privacy/stream_headers.h"

namespace sphere::privacy {

using TagsRef = std::unique_ptr<GstTagList, MiniObjectUnref>;

/// What becomes of the tags and the caps of a stream. Null: they stay.
struct StreamChange {
  std::function<TagsRef(const GstTagList*)> tags;
  std::function<CapsRef(const GstCaps*)> caps;
};

/// A stream-start or stream-collection event with streams of its own, changed in this way: what
/// upstream writes into its GstStream later is not seen downstream. Null: it names no collection.
EventRef with_changed_streams(const EventRef& event, const StreamChange& change);

/// `own` with the sequence number and the offset of the event that it replaces.
EventRef in_place_of(const EventRef& event, GstEvent* own);

/// The buffers of the field `streamheader`, and sets it.
std::vector<Header> headers_of(const GstStructure* structure);
void set_headers(GstStructure* structure, const std::vector<Header>& headers);

}  // namespace sphere::privacy
