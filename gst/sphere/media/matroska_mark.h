// SPDX-License-Identifier: LGPL-2.1-or-later
// Puts the marking of 360 pictures and a position into a Matroska file.

#pragma once

#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/ebml.h"
#include "gst/sphere/media/matroska_clusters.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

/// Adds the edits for the request's mark and position. Lengths change, therefore the sizes of the
/// elements around them and the positions in the index are written anew. `head`: the source ends
/// before the first cluster, and positions may lead beyond its end.
Status mark_matroska(const Source& source, const Element& segment,
                     const std::vector<BlockTrack>& tracks, const Request& request, bool head,
                     Examination* found);

/// An element Tags with the position.
std::vector<uint8_t> matroska_position_tags(const Position& position);

}  // namespace sphere::media
