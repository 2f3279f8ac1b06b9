// SPDX-License-Identifier: LGPL-2.1-or-later
// The mark in H.264 and H.265 that says that the pictures are equirectangular (SEI 150), for
// streams whose container has no place for it: RTMP, MPEG-TS and RTP.

#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "gst/live/output.h"

namespace sphere::live {

/// Where the start code of the first coded slice begins in an access unit of a byte stream; nothing
/// if it has no slice.
std::optional<size_t> first_slice(VideoForm form, std::span<const uint8_t> unit);

/// Puts the message before the slices of each key frame that passes this source pad. Its stream is
/// a byte stream of whole access units.
void mark_as_spherical(GstPad* pad, VideoForm form);

}  // namespace sphere::live
