// SPDX-License-Identifier: LGPL-2.1-or-later
// A camera's preview over RTSP, for all families that have one.

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "hw/camera.h"

namespace sphere::hw {

struct RtspAddress {
  std::string host;
  uint16_t port = 554;
  std::string url;
};

/// Null if GStreamer's rtspsrc is not installed.
std::shared_ptr<Preview> make_rtsp_preview(const RtspAddress& address, PreviewOptions options,
                                           const char* name);

}  // namespace sphere::hw
