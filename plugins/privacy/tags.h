// SPDX-License-Identifier: LGPL-2.1-or-later
// Tags, by what they tell.

#pragma once

#include <gst/gst.h>

#include "gst/sphere/base/position.h"
#include "gst/sphere/media/part.h"
#include "plugins/privacy/allowance.h"
#include "plugins/privacy/stream_events.h"

namespace sphere::privacy {

media::PartClass class_of_tag(const char* tag);

/// The list without what is not allowed: positions are rounded, pictures and texts are looked into.
TagsRef allowed_tags(const GstTagList* tags, const Allowance& allowance);
/// Whether allowed_tags() would leave something out or change it.
bool has_denied_tags(const GstTagList* tags, const Allowance& allowance);

/// Moves all tags that are not useful into a list of their own; null if there are none.
TagsRef take_private_tags(GstTagList* tags);
/// The tags of a list that are about a place.
TagsRef place_tags(const GstTagList* tags);
void remove_place_tags(GstTagList* tags);

/// The tags of a position.
TagsRef tags_of(const Position& position);

/// A picture without what is not allowed; empty if it can't be examined.
std::vector<uint8_t> allowed_picture(std::span<const uint8_t> bytes, const Allowance& allowance);

}  // namespace sphere::privacy
