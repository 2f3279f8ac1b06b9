// SPDX-License-Identifier: LGPL-2.1-or-later
// Draws whole pictures by their grids on the CPU: all planes, in slices, with several threads.

#pragma once

#include <gst/video/video.h>

#include <cstdint>
#include <span>
#include <vector>

#include "gst/sphere/warp/addedfield.h"
#include "gst/sphere/warp/grid.h"
#include "gst/sphere/warp/warp.h"
#include "gst/sphere/warp/workers.h"

namespace sphere {

/// To be used by one thread at a time. Nothing is allocated from the second frame on.
class CpuWarp {
 public:
  Workers& workers() { return workers_; }

  /// Makes as many smaller copies of the input's planes as the grids need. To be called for each
  /// picture before draw().
  void reduce(const GstVideoFrame& in, int reductions);
  /// Draws `out` from `in` by the grids of all patches; both must have the same format. `cubic`:
  /// interpolates from four by four samples (Catmull-Rom), not from two by two. `field`: added to
  /// the picture, or null.
  void draw(std::span<const WarpGrid> grids, const GstVideoFrame& in, GstVideoFrame& out,
            bool cubic, const AddedField* field = nullptr);
  /// Ends the threads and frees the memory.
  void stop();

 private:
  /// One plane of one patch of the output.
  struct Part {
    const WarpGrid* grid;
    WarpPlane plane;
    int first_slice;
  };
  std::vector<Part> parts_;
  std::vector<uint8_t> copied_[GST_VIDEO_MAX_PLANES][most_reductions];
  WarpCopy copies_[GST_VIDEO_MAX_PLANES][most_reductions];
  int copy_count_ = 0;
  Workers workers_;
};

}  // namespace sphere
