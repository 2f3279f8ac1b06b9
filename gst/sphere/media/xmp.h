// SPDX-License-Identifier: LGPL-2.1-or-later
// XMP: what its properties tell, and a packet without those that may not stay, or with a position
// and the marking of a 360 picture. The XML of the first marking of 360 videos, likewise.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/exif.h"
#include "gst/sphere/media/findings.h"

namespace sphere::media {

/// Bytes. A larger packet is refused.
inline constexpr uint64_t largest_xmp = 4 << 20;

/// What is put into a packet beside what stays in it.
struct XmpAdditions {
  /// The request's position. Positions in the packet are removed.
  bool position = false;
  /// The request's marking of a picture of this size. Another marking in the packet is removed.
  bool mark = false;
  int width = 0, height = 0;
};

/// Lists the properties of a packet and makes the new one: from what may stay, or, where everything
/// may, from the old one. A packet that can't be read stays only where everything may, and is
/// replaced if something shall be put into it.
Result<NewPacket> examine_xmp(std::span<const uint8_t> packet, const Where& where,
                              const XmpAdditions& additions, Findings* findings);

/// A new packet; empty if there is nothing to put into it.
std::vector<uint8_t> make_xmp(const XmpAdditions& additions, const Request& request);

/// Likewise the XML in a `uuid` box of a video's track (GSpherical). The name of the software,
/// which players require, is replaced where identities may not stay.
Result<NewPacket> examine_video_xml(std::span<const uint8_t> xml, const Where& where,
                                    Findings* findings);
/// The XML for a video of this size.
std::string make_video_xml(const SphereMark& mark, int width, int height);

}  // namespace sphere::media
