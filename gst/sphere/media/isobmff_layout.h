// SPDX-License-Identifier: LGPL-2.1-or-later
// What the check of an ISO base media file knows beside what IsoFile tells: where its boxes and
// tables are.

#pragma once

#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/box.h"
#include "gst/sphere/media/isobmff.h"
#include "gst/sphere/media/sample_tables.h"

namespace sphere::media {

struct IsoLayout {
  IsoFile file;
  std::vector<SampleTables> tables;  ///< of each of the file's tracks
  std::vector<FragmentDefault> defaults;
  Box moov;
  /// `moof` boxes, by the offsets of their headers.
  std::vector<uint64_t> fragments;
  bool fragments_ascending = true;  ///< their samples are in the order of the fragments
  /// `mdat` boxes, in order.
  std::vector<Box> media;
};

/// The same as check_isobmff().
Result<IsoLayout> read_isobmff(const Source& source);

}  // namespace sphere::media
