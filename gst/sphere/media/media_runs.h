// SPDX-License-Identifier: LGPL-2.1-or-later
// The samples of an MP4 or MOV file in the order in which they are in the file.

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/isobmff_layout.h"
#include "gst/sphere/media/sample_tables.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

/// Samples of one track that follow each other: a chunk, or a run of a fragment.
struct MediaRun {
  size_t track = 0;  ///< index into IsoFile::tracks
  uint64_t offset = 0, length = 0;
  uint64_t first_sample = 0;  ///< of a chunk
  uint64_t samples = 0;
  std::optional<FragmentRun> fragment;
};

class MediaRuns {
 public:
  /// `wanted` has an entry for each track. Source and layout must outlive the object.
  MediaRuns(const Source& source, const IsoLayout& layout, const std::vector<bool>& wanted);
  /// The next run that has bytes; nothing at the end.
  Result<std::optional<MediaRun>> next();

 private:
  struct Track {
    size_t index = 0;
    std::unique_ptr<ChunkReader> chunks;
    std::deque<MediaRun> ready;
  };
  Status fill(Track* track);
  Status fill_fragments();
  Status read_fragment_runs(uint64_t offset);

  const Source& source_;
  const IsoLayout& layout_;
  std::vector<bool> wanted_;
  std::vector<Track> tracks_;
  std::deque<MediaRun> fragment_runs_;
  size_t fragment_ = 0;  ///< the next one
};

/// The sizes of a run's samples.
class RunSizes {
 public:
  RunSizes(const Source& source, const IsoLayout& layout, const MediaRun& run);
  bool next(uint64_t* size);

 private:
  std::optional<SizeReader> table_;
  std::optional<RunSizeReader> fragment_;
};

}  // namespace sphere::media
