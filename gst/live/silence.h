// SPDX-License-Identifier: LGPL-2.1-or-later
// Coded silence for where a source sends no sound: a muxer waits for what it was promised.

#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "gst/live/output.h"
#include "gst/sphere/base/gobject.h"

namespace sphere::live {

struct SilentPacket {
  std::vector<uint8_t> bytes;
  GstClockTime duration;
};

/// A packet that fits in a stream of these caps; nothing if they are not AAC-LC in raw blocks.
std::optional<SilentPacket> silent_packet(const GstCaps* caps);

/// The caps of the sound that `Branch` encodes; null if they are not known before it comes.
CapsRef caps_of_encoded_sound(AudioForm form);

}  // namespace sphere::live
