// SPDX-License-Identifier: LGPL-2.1-or-later
// Which tracks of a video stay, and what must be done with their samples.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "gst/sphere/media/findings.h"
#include "gst/sphere/media/isobmff_layout.h"
#include "gst/sphere/media/isobmff_samples.h"

namespace sphere::media {

struct TrackPlan {
  SampleSettings samples;
  bool kept = true;
  /// Its samples have something that may not stay.
  bool edited = false;
  /// The new `stsz`, if sizes change.
  std::vector<uint8_t> sizes_box;
  /// Its `stco` becomes a `co64`, because offsets pass 4 GiB.
  bool wide_offsets = false;
  /// Edits of the sizes in fragments.
  std::vector<Edit> size_edits;
};

/// Decides by the kinds of the tracks. An error if pictures are encrypted, in another file, or in a
/// format that can't be examined while something may not stay.
Result<std::vector<TrackPlan>> plan_tracks(const Source& source, const IsoLayout& layout,
                                           Findings* findings);

/// Reads all samples that can tell something: adds what they tell, and the plans' edits. Tracks
/// from which nothing useful would remain go whole.
Status examine_samples(const Source& source, const std::shared_ptr<const IsoLayout>& layout,
                       std::vector<TrackPlan>* plans, Findings* findings);

}  // namespace sphere::media
