// SPDX-License-Identifier: LGPL-2.1-or-later
// What the editors of a video's boxes and of its media data work on.

#pragma once

#include <vector>

#include "gst/sphere/media/box_edits.h"
#include "gst/sphere/media/findings.h"
#include "gst/sphere/media/isobmff_layout.h"
#include "gst/sphere/media/isobmff_tracks.h"

namespace sphere::media {

class MovieEditor {
 public:
  /// All must exist longer than this object.
  MovieEditor(const Source& source, const IsoLayout& layout, const std::vector<TrackPlan>& plans,
              Findings* findings, BoxEdits* edits)
      : source_(source), layout_(layout), plans_(plans), findings_(*findings), edits_(*edits) {}

 protected:
  const Source& source_;
  const IsoLayout& layout_;
  const std::vector<TrackPlan>& plans_;
  Findings& findings_;
  BoxEdits& edits_;
};

}  // namespace sphere::media
