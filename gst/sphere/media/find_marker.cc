// SPDX-License-Identifier: LGPL-2.1-or-later

// Highway compiles this file once for each instruction set, by including it again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gst/sphere/media/find_marker.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "gst/sphere/media/find_marker.h"

HWY_BEFORE_NAMESPACE();
namespace sphere::media::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

size_t FindMarker(std::span<const uint8_t> bytes) {
  const hn::ScalableTag<uint8_t> tag;
  const auto mark = hn::Set(tag, 0xFF);
  const auto zero = hn::Zero(tag);
  const size_t step = hn::Lanes(tag);
  size_t i = 0;
  for (; i + step < bytes.size(); i += step) {
    const auto marks = hn::Eq(hn::LoadU(tag, bytes.data() + i), mark);
    const auto stuffed = hn::Eq(hn::LoadU(tag, bytes.data() + i + 1), zero);
    const intptr_t first = hn::FindFirstTrue(tag, hn::AndNot(stuffed, marks));
    if (first >= 0) return i + static_cast<size_t>(first);
  }
  for (; i < bytes.size(); ++i)
    if (bytes[i] == 0xFF && (i + 1 == bytes.size() || bytes[i + 1] != 0)) return i;
  return bytes.size();
}

}  // namespace sphere::media::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sphere::media {

HWY_EXPORT(FindMarker);

size_t find_jpeg_marker(std::span<const uint8_t> bytes) {
  return HWY_DYNAMIC_DISPATCH(FindMarker)(bytes);
}

}  // namespace sphere::media
#endif
