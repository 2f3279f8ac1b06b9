// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/silence.h"

#include "gst/sphere/media/silent_packets.h"

namespace sphere::live {

namespace {

// Of a block of AAC-LC.
constexpr guint64 samples = 1024;

}  // namespace

std::optional<SilentPacket> silent_packet(const GstCaps* caps) {
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  const GValue* value = gst_structure_get_value(structure, "codec_data");
  int rate = 0;
  if (!gst_structure_has_name(structure, "audio/mpeg") || !value ||
      !GST_VALUE_HOLDS_BUFFER(value) || !gst_structure_get_int(structure, "rate", &rate) ||
      rate <= 0)
    return std::nullopt;
  GstMapInfo map;
  if (!gst_buffer_map(gst_value_get_buffer(value), &map, GST_MAP_READ)) return std::nullopt;
  const std::optional<int> channels = media::aac_lc_channels({map.data, map.size});
  gst_buffer_unmap(gst_value_get_buffer(value), &map);
  SilentPacket packet{media::silent_aac(channels.value_or(0)),
                      gst_util_uint64_scale_int(GST_SECOND, samples, rate)};
  if (packet.bytes.empty()) return std::nullopt;
  return packet;
}

CapsRef caps_of_encoded_sound(AudioForm form) {
  if (form != AudioForm::aac) return nullptr;
  // As avenc_aac writes it: a muxer takes no other codec_data later.
  return CapsRef(gst_caps_from_string(
      "audio/mpeg,mpegversion=4,rate=48000,channels=2,stream-format=raw,framed=true,"
      "codec_data=(buffer)119056e500"));
}

}  // namespace sphere::live
