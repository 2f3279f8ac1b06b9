// SPDX-License-Identifier: LGPL-2.1-or-later
// Examines what a Matroska or WebM file has before its first cluster, for streams.

#pragma once

#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/matroska_clusters.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

struct MatroskaHead {
  Examination found;
  std::vector<BlockTrack> tracks;
};

/// The size of the segment must be unknown. Positions may lead beyond the end of the source.
Result<MatroskaHead> examine_matroska_head(const Source& source, const Request& request);

}  // namespace sphere::media
