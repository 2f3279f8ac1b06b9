// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/warp/cpuwarp.h"

#include <algorithm>

#include "gst/sphere/base/videoframe.h"
#include "gst/sphere/warp/reduce.h"

namespace sphere {

namespace {

// Rows of a slice: many enough that the cost of fetching a slice is negligible, few enough that all
// threads end at about the same time.
constexpr int slice_rows = 32;

/// A plane of the input as the kernel needs it, without a target.
WarpPlane source_plane(const GstVideoFrame& in, int plane) {
  const SampleLayout samples = layout_of_plane(in.info, plane);
  WarpPlane p;
  p.source = static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&in, plane));
  p.source_stride = GST_VIDEO_FRAME_PLANE_STRIDE(&in, plane);
  p.source_size = {samples.width, samples.height};
  p.first_component = samples.first_component;
  p.bits = samples.bits;
  p.shift = samples.shift;
  p.components = samples.components;
  p.step_x = samples.step_x;
  p.step_y = samples.step_y;
  p.phase_x = samples.phase_x;
  p.phase_y = samples.phase_y;
  p.neutral = samples.neutral;
  p.white = samples.white;
  return p;
}

int bytes_a_sample(const WarpPlane& plane) { return plane.components * (plane.bits > 8 ? 2 : 1); }

/// Sets the plane's target to the samples of the output that belong to a patch.
void aim_at(WarpPlane& plane, GstVideoFrame& out, int index, const WarpGrid& grid) {
  const int left = grid.left / plane.step_x, top = grid.top / plane.step_y;
  plane.target_stride = GST_VIDEO_FRAME_PLANE_STRIDE(&out, index);
  plane.target = static_cast<uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&out, index)) +
                 top * plane.target_stride + static_cast<ptrdiff_t>(left) * bytes_a_sample(plane);
  const auto samples = [](int pixels, int step) { return (pixels + step - 1) / step; };
  plane.target_size = {samples(grid.output.width, plane.step_x),
                       samples(grid.output.height, plane.step_y)};
}

}  // namespace

void CpuWarp::reduce(const GstVideoFrame& in, int reductions) {
  copy_count_ = reductions;
  for (int i = 0; reductions > 0 && i < static_cast<int>(GST_VIDEO_FRAME_N_PLANES(&in)); ++i) {
    const WarpPlane plane = source_plane(in, i);
    WarpCopy from = {plane.source, plane.source_stride, plane.source_size};
    for (int n = 0; n < reductions; ++n) {
      const Size size = half_of(from.size);
      const ptrdiff_t stride = static_cast<ptrdiff_t>(size.width) * bytes_a_sample(plane);
      std::vector<uint8_t>& copy = copied_[i][n];
      copy.resize(static_cast<size_t>(stride) * size.height);
      workers_.run((size.height + slice_rows - 1) / slice_rows, [&](int slice) {
        const int first = slice * slice_rows;
        halve_rows(plane, from, copy.data(), stride, first,
                   std::min(first + slice_rows, size.height));
      });
      from = copies_[i][n] = {copy.data(), stride, size};
    }
  }
}

void CpuWarp::draw(std::span<const WarpGrid> grids, const GstVideoFrame& in, GstVideoFrame& out,
                   bool cubic, const AddedField* field) {
  // The slices of all planes of all patches are distributed together, so that no thread waits
  // between planes.
  const int planes = static_cast<int>(GST_VIDEO_FRAME_N_PLANES(&in));
  parts_.clear();
  int slices = 0;
  for (const WarpGrid& grid : grids)
    for (int i = 0; i < planes; ++i) {
      WarpPlane plane = source_plane(in, i);
      aim_at(plane, out, i, grid);
      plane.cubic = cubic;
      plane.copy_count = copy_count_;
      std::copy_n(copies_[i], copy_count_, plane.copies);
      parts_.push_back({&grid, plane, slices});
      slices += (plane.target_size.height + slice_rows - 1) / slice_rows;
    }
  workers_.run(slices, [&](int slice) {
    size_t i = parts_.size() - 1;
    while (slice < parts_[i].first_slice) --i;
    const Part& part = parts_[i];
    const int first = (slice - part.first_slice) * slice_rows;
    const int last = std::min(first + slice_rows, part.plane.target_size.height);
    warp_rows(*part.grid, part.plane, first, last);
    if (field) add_field(*field, *part.grid, part.plane, first, last);
  });
}

void CpuWarp::stop() {
  workers_.stop();
  parts_ = {};
  for (auto& plane : copied_)
    for (std::vector<uint8_t>& copy : plane) copy = {};
}

}  // namespace sphere
