// SPDX-License-Identifier: LGPL-2.1-or-later
// The media data of a video, and everything that says where in the file it is.

#pragma once

#include <vector>

#include "gst/sphere/media/box_edits.h"
#include "gst/sphere/media/findings.h"
#include "gst/sphere/media/isobmff_layout.h"
#include "gst/sphere/media/isobmff_tracks.h"

namespace sphere::media {

/// Takes out the samples of tracks that go, and bytes that belong to no sample. An error if a
/// sample is not in the media data, or if a sample that stays overlaps with one that goes.
Status cut_media(const Source& source, const IsoLayout& layout, const std::vector<TrackPlan>& plans,
                 Findings* findings, BoxEdits* edits);

/// Takes out indexes (sidx, mfra) of which something is gone.
Status cut_indexes(const Source& source, const std::vector<TrackPlan>& plans,
                   const IsoLayout& layout, Findings* findings, BoxEdits* edits);

/// Writes the new offsets into the tables of a movie's tracks that stay.
Status move_chunks(const Source& source, const IsoLayout& layout,
                   const std::vector<TrackPlan>& plans, const OffsetMap& map, BoxEdits* edits);
/// Marks the tracks whose offsets would not fit into their tables any more. Whether there are any.
Result<bool> widen_offsets(const Source& source, const IsoLayout& layout, const OffsetMap& map,
                           std::vector<TrackPlan>* plans);
/// Fills in the tables of those, which are among the edits.
Status fill_wide_offsets(const Source& source, const IsoLayout& layout,
                         const std::vector<TrackPlan>& plans, const OffsetMap& map,
                         std::vector<Edit>* edits);
/// Likewise into fragments.
Status move_fragments(const Source& source, const IsoLayout& layout,
                      const std::vector<TrackPlan>& plans, const OffsetMap& map, BoxEdits* edits);
/// Likewise into indexes that stay.
Status move_indexes(const Source& source, const OffsetMap& map, BoxEdits* edits);

}  // namespace sphere::media
