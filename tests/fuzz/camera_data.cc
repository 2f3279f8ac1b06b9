// SPDX-License-Identifier: LGPL-2.1-or-later
// The camera's own data in files: any bytes, as a box, a video, a photo and a DNG, give no more
// than there is.

#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "gst/sphere/lens/table.h"
#include "gst/sphere/media/madv.h"
#include "gst/sphere/orientation/track.h"

namespace {

// Decoding the pictures of a large table takes longer than all the rest.
constexpr size_t largest_tried_table = 1 << 16;

void check(const sphere::media::CameraData& data, size_t size) {
  if (data.table.size() > size || data.matrices.size() * 36 > size) abort();
  if (data.table.size() <= largest_tried_table) (void)sphere::parse_table(data.table, "fuzzed");
  const auto track = sphere::OrientationTrack::make(data.matrices);
  if (!track) return;
  for (double place = -1; place <= static_cast<double>(track->size()); place += 0.7) {
    const sphere::Quaternion q = track->at(place);
    if (!(std::abs(dot(q, q) - 1) < 1e-6)) abort();
    const double heading = track->smooth_heading(place, 5);
    if (!std::isfinite(heading)) abort();
    const sphere::Mat3 view = level_view(sphere::Level::horizon, q, heading);
    if (!(std::abs(length(view.row[1]) - 1) < 1e-6)) abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace sphere::media;
  CameraData data;
  read_camera_box({bytes, size}, &data);
  check(data, size);
  const MemorySource source({bytes, size});
  check(camera_data_of_video(source), size);
  if (const auto jpeg = check_jpeg(source)) check(camera_data_of_jpeg(source, *jpeg), size);
  if (const auto dng = camera_data_of_dng(source)) check(*dng, size);
  (void)add_to_video({bytes, size}, make_camera_box(data));
  return 0;
}
