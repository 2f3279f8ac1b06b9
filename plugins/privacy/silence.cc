// SPDX-License-Identifier: LGPL-2.1-or-later
// Silence in the same format and with the same times as the sound that it replaces.

#include "plugins/privacy/silence.h"

#include <cstring>
#include <string_view>

#include "gst/sphere/media/silent_packets.h"
#include "plugins/privacy/buffer_bytes.h"
#include "plugins/privacy/stream_headers.h"

namespace sphere::privacy {

using media::aac_lc_channels;
using media::silent_aac;
using media::silent_adts;
using media::silent_opus;

namespace {

constexpr uint8_t mulaw_silence = 0xff;  // 0
constexpr uint8_t alaw_silence = 0xd5;   // 8 of 32768, the smallest value of A-law
// More than the look-ahead and the overlap of any codec's frames.
constexpr GstClockTime coded_overlap = 50 * GST_MSECOND;
constexpr GstClockTime longest_packet = 120 * GST_MSECOND;

int channels_of(const GstStructure* structure) {
  const GValue* value = gst_structure_get_value(structure, "codec_data");
  if (!value || !GST_VALUE_HOLDS_BUFFER(value) || !gst_value_get_buffer(value)) return 0;
  const MappedBytes config(gst_value_get_buffer(value));
  return aac_lc_channels(config.bytes()).value_or(0);
}

/// Whether a sample has this number of whole bytes, and silence can be written to it.
bool has_whole_bytes(const GstAudioInfo& info) {
  return GST_AUDIO_INFO_FORMAT(&info) > GST_AUDIO_FORMAT_ENCODED &&
         GST_AUDIO_INFO_WIDTH(&info) > 0 && GST_AUDIO_INFO_WIDTH(&info) % 8 == 0 &&
         GST_AUDIO_INFO_BPF(&info) > 0;
}

/// Copies times, flags, and metas about time from the buffer that is replaced.
void copy_time(GstBuffer* to, GstBuffer* from) {
  gst_buffer_copy_into(
      to, from, static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS),
      0, static_cast<gsize>(-1));
  GST_BUFFER_FLAG_SET(to, GST_BUFFER_FLAG_GAP);
  if (const GstAudioClippingMeta* clipping = gst_buffer_get_audio_clipping_meta(from))
    gst_buffer_add_audio_clipping_meta(to, clipping->format, clipping->start, clipping->end);
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(from, &state,
                                                          GST_REFERENCE_TIMESTAMP_META_API_TYPE)) {
    const auto* stamp = reinterpret_cast<GstReferenceTimestampMeta*>(meta);
    gst_buffer_add_reference_timestamp_meta(to, stamp->reference, stamp->timestamp,
                                            stamp->duration);
  }
}

}  // namespace

Silence::Silence(const GstCaps* caps) {
  if (!caps || gst_caps_get_size(caps) != 1) return;
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  const std::string_view name = gst_structure_get_name(structure);
  if (name == "audio/x-raw") {
    // It is not known which bytes are silence in the format `ENCODED`.
    if (gst_audio_info_from_caps(&info_, caps) && has_whole_bytes(info_)) kind_ = Kind::raw;
  } else if (name == "audio/x-mulaw" || name == "audio/x-alaw") {
    kind_ = Kind::bytes;
    byte_ = name == "audio/x-mulaw" ? mulaw_silence : alaw_silence;
  } else if (name == "audio/x-opus") {
    kind_ = Kind::opus;
    int family = 0;
    gst_structure_get_int(structure, "channel-mapping-family", &family);
    if (family != 0 &&
        !(gst_structure_get_int(structure, "stream-count", &opus_streams_) &&
          gst_structure_get_int(structure, "coupled-count", &opus_coupled_) && opus_streams_ > 0))
      kind_ = Kind::none;
  } else if (name == "audio/mpeg") {
    int version = 0;
    if (!gst_structure_get_int(structure, "mpegversion", &version) ||
        (version != 2 && version != 4))
      return;
    const char* format = gst_structure_get_string(structure, "stream-format");
    gboolean framed = FALSE;
    if (g_strcmp0(format, "raw") == 0) {
      aac_block_ = silent_aac(channels_of(structure));
      if (!aac_block_.empty()) kind_ = Kind::aac;
    } else if (g_strcmp0(format, "adts") == 0 &&
               gst_structure_get_boolean(structure, "framed", &framed) && framed) {
      kind_ = Kind::adts;
    }
  }
}

BufferRef Silence::raw(GstBuffer* sound) const {
  const gsize size = gst_buffer_get_size(sound);
  const auto sample = static_cast<gsize>(GST_AUDIO_INFO_WIDTH(&info_)) / 8;
  const bool planar = GST_AUDIO_INFO_LAYOUT(&info_) == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  gsize silent_size = size;
  gsize samples = 0;
  if (planar) {
    const GstAudioMeta* meta = gst_buffer_get_audio_meta(sound);
    samples = meta ? meta->samples : size / GST_AUDIO_INFO_BPF(&info_);
    // The planes of the original may overlap or have gaps between them. Those of the copy follow
    // each other. A meta can't describe planes without samples, and without a meta a planar buffer
    // can't be read.
    if (samples == 0 || samples > size / sample) return nullptr;
    silent_size = samples * GST_AUDIO_INFO_BPF(&info_);
  }
  BufferRef silent(gst_buffer_new_allocate(nullptr, silent_size, nullptr));
  if (!silent) return nullptr;
  // Cleared first: the memory may contain freed data, and silence is not written to an incomplete
  // sample at the end.
  if (gst_buffer_memset(silent.get(), 0, 0, silent_size) != silent_size) return nullptr;
  GstMapInfo map;
  if (!gst_buffer_map(silent.get(), &map, GST_MAP_WRITE)) return nullptr;
  if (map.size >= sample)
    gst_audio_format_info_fill_silence(info_.finfo, map.data, map.size - map.size % sample);
  gst_buffer_unmap(silent.get(), &map);
  if (planar && !gst_buffer_add_audio_meta(silent.get(), &info_, samples, nullptr)) return nullptr;
  return silent;
}

std::vector<uint8_t> Silence::packet(GstBuffer* sound) const {
  if (gst_buffer_get_size(sound) == 0) return {};
  if (kind_ == Kind::aac) return aac_block_;
  if (kind_ == Kind::bytes) return std::vector<uint8_t>(gst_buffer_get_size(sound), byte_);
  const MappedBytes mapping(sound);
  if (kind_ == Kind::adts) return silent_adts(mapping.bytes());
  return silent_opus(mapping.bytes(), opus_streams_, opus_coupled_);
}

BufferRef Silence::in_place_of(GstBuffer* sound) const {
  BufferRef silent;
  if (kind_ == Kind::raw) {
    silent = raw(sound);
  } else if (kind_ != Kind::none) {
    const std::vector<uint8_t> bytes = packet(sound);
    if (bytes.empty()) return nullptr;
    silent.reset(gst_buffer_new_memdup(bytes.data(), bytes.size()));
  }
  if (silent) copy_time(silent.get(), sound);
  return silent;
}

BufferRef Silence::clean_header(GstBuffer* buffer) const {
  if (kind_ != Kind::opus || !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_HEADER))
    return nullptr;
  const MappedBytes mapping(buffer);
  const Header bytes = clean_opus_header(mapping.bytes());
  if (bytes.empty()) return nullptr;
  BufferRef clean(gst_buffer_new_memdup(bytes.data(), bytes.size()));
  copy_time(clean.get(), buffer);
  GST_BUFFER_FLAG_UNSET(clean.get(), GST_BUFFER_FLAG_GAP);
  return clean;
}

GstClockTime Silence::overlap(const GstBuffer* sound) const {
  if (kind_ == Kind::raw || kind_ == Kind::bytes) return 0;
  const GstClockTime duration = GST_BUFFER_DURATION(sound);
  return coded_overlap + 3 * (GST_CLOCK_TIME_IS_VALID(duration) ? duration : longest_packet);
}

}  // namespace sphere::privacy
