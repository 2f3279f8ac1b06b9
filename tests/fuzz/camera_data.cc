// SPDX-License-Identifier: LGPL-2.1-or-later
// The camera's own data in files: any bytes, as a box, a video, a photo and a DNG, give no more
// than there is.

#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "gst/sphere/lens/table.h"
#include "gst/sphere/makers/madv_write.h"
#include "gst/sphere/orientation/track.h"

namespace {

// Decoding the pictures of a large table takes longer than all the rest.
constexpr size_t largest_tried_table = 1 << 16;

void check(const sphere::makers::CaptureInfo& info, size_t size) {
  if (info.lens_table.size() > size || info.orientations.size() * 36 > size) abort();
  if (info.lens_table.size() <= largest_tried_table)
    (void)sphere::parse_table(info.lens_table, "fuzzed");
  const auto track = sphere::OrientationTrack::make(info.orientations);
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
  using namespace sphere::makers;
  CaptureInfo info;
  read_box({bytes, size}, &info);
  check(info, size);
  const sphere::media::MemorySource source({bytes, size});
  check(read_video(source), size);
  if (const auto jpeg = sphere::media::check_jpeg(source)) check(read_jpeg(source, *jpeg), size);
  if (const auto tiff = read_tiff(source)) check(*tiff, size);
  (void)madv::add_to_video({bytes, size}, madv::make_box({info.lens_table, {}, false}));
  return 0;
}
