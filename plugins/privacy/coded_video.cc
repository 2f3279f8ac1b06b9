// SPDX-License-Identifier: LGPL-2.1-or-later
// ITU-T H.264 7.3.1 and annex B, H.265 7.3.1 and annex B; ISO/IEC 14496-15 5.3.3 and 8.3.3.

#include "plugins/privacy/coded_video.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/codec_config.h"
#include "plugins/privacy/buffer_bytes.h"

namespace sphere::privacy {

namespace {

using media::NalCodec;
using Bytes = std::vector<uint8_t>;

uint8_t type_of(NalCodec codec, uint8_t first) {
  return codec == NalCodec::h264 ? first & 0x1f : first >> 1 & 0x3f;
}

bool is_filler(NalCodec codec, uint8_t type) { return type == (codec == NalCodec::h264 ? 12 : 38); }

/// Pictures, parameter sets, delimiters: the kinds of units that the standards define. Others carry
/// what a maker likes.
bool is_defined(NalCodec codec, uint8_t type) {
  if (codec == NalCodec::h264) return (type >= 1 && type <= 15) || (type >= 19 && type <= 21);
  return type <= 9 || (type >= 16 && type <= 21) || (type >= 32 && type <= 40);
}

/// Delimiters, and the ends of sequences and streams, have a byte behind their header at most.
bool is_mark(NalCodec codec, uint8_t type) {
  return codec == NalCodec::h264 ? type >= 9 && type <= 11 : type >= 35 && type <= 37;
}

bool is_short_mark(NalCodec codec, std::span<const uint8_t> unit) {
  const size_t longest = codec == NalCodec::h264 ? 2 : 3;
  while (!unit.empty() && unit.back() == 0) unit = unit.first(unit.size() - 1);
  return unit.size() <= longest;
}

bool is_empty_filler(NalCodec codec, std::span<const uint8_t> unit) {
  const size_t header = codec == NalCodec::h264 ? 1 : 2;
  return unit.size() > header &&
         std::all_of(unit.begin() + static_cast<std::ptrdiff_t>(header), unit.end() - 1,
                     [](uint8_t byte) { return byte == 0xff; });
}

enum class UnitEdit { keep, change, remove };

/// `changed` gets the unit where it changes.
UnitEdit examine(NalCodec codec, std::span<const uint8_t> unit, const media::Policy& policy,
                 std::span<const media::PictureTiming> timings, Bytes* changed) {
  using media::PartClass;
  if (unit.empty()) return UnitEdit::remove;
  if (media::is_sei(codec, unit)) {
    *changed = media::remove_sei(codec, unit, timings, media::keep_allowed(policy));
    if (changed->empty()) return UnitEdit::remove;
    return std::ranges::equal(*changed, unit) ? UnitEdit::keep : UnitEdit::change;
  }
  const uint8_t type = type_of(codec, unit[0]);
  const bool known = is_filler(codec, type) ? is_empty_filler(codec, unit)
                     : is_mark(codec, type) ? is_short_mark(codec, unit)
                                            : is_defined(codec, type);
  return known || policy.allows(PartClass::unknown) ? UnitEdit::keep : UnitEdit::remove;
}

struct Unit {
  size_t begin = 0;  ///< of what is before it: its length, or its start code
  size_t data = 0, end = 0;
};

std::optional<std::vector<Unit>> with_lengths(std::span<const uint8_t> bytes, size_t length_size) {
  std::vector<Unit> units;
  for (size_t at = 0; at < bytes.size();) {
    if (bytes.size() - at < length_size) return std::nullopt;
    size_t length = 0;
    for (size_t i = 0; i < length_size; ++i) length = length << 8 | bytes[at + i];
    const size_t data = at + length_size;
    if (length > bytes.size() - data) return std::nullopt;
    units.push_back({at, data, data + length});
    at = data + length;
  }
  return units;
}

std::optional<std::vector<Unit>> with_start_codes(std::span<const uint8_t> bytes) {
  std::vector<Unit> units;
  size_t code = 0;
  while (code < bytes.size() && bytes[code] == 0) ++code;
  if (code == bytes.size()) return units;
  if (code < 2 || bytes[code] != 1) return std::nullopt;
  for (size_t begin = 0, data = code + 1;;) {
    size_t next = data;
    while (next + 2 < bytes.size() &&
           !(bytes[next] == 0 && bytes[next + 1] == 0 && bytes[next + 2] <= 1))
      ++next;
    if (next + 2 >= bytes.size()) {
      units.push_back({begin, data, bytes.size()});
      return units;
    }
    // Zeros before a start code belong to it; those at the end of the stream are followed by none.
    units.push_back({begin, data, next});
    begin = next;
    while (next < bytes.size() && bytes[next] == 0) ++next;
    if (next == bytes.size()) return units;
    if (bytes[next] != 1) return std::nullopt;
    data = next + 1;
  }
}

void append(Bytes* to, std::span<const uint8_t> bytes) {
  to->insert(to->end(), bytes.begin(), bytes.end());
}

BufferRef buffer_like(GstBuffer* original, const Bytes& bytes) {
  BufferRef buffer(gst_buffer_new_memdup(bytes.data(), bytes.size()));
  gst_buffer_copy_into(buffer.get(), original, GST_BUFFER_COPY_METADATA, 0, G_MAXSIZE);
  return buffer;
}

Bytes bytes_of_field(const GstStructure* caps, const char* field) {
  return bytes_of(buffer_in(gst_structure_get_value(caps, field)));
}

/// An AVCDecoderConfigurationRecord with nothing but parameter sets; empty if it is damaged.
Bytes clean_description_h264(const Bytes& description) {
  constexpr uint8_t sequence_set = 7, picture_set = 8, subset = 15, extension = 13, mask = 31;
  ByteReader reader(description);
  const auto head = reader.take(5);
  Bytes out(head.begin(), head.end());
  const uint8_t profile = head.empty() ? 0 : head[1];
  const auto copy_units = [&](uint8_t count_mask, std::initializer_list<uint8_t> types) {
    const size_t count_at = out.size();
    const uint8_t count = reader.u8();
    uint8_t kept = 0;
    out.push_back(0);
    for (int left = count & count_mask; left > 0 && reader.ok(); --left) {
      const size_t begin = reader.position();
      const auto unit = reader.take(reader.u16());
      if (!reader.ok() || unit.empty() || std::ranges::find(types, unit[0] & mask) == types.end())
        continue;
      append(&out, std::span(description).subspan(begin, reader.position() - begin));
      ++kept;
    }
    out[count_at] = static_cast<uint8_t>((count & ~count_mask) | kept);
  };
  copy_units(mask, {sequence_set, subset});
  copy_units(0xff, {picture_set});
  if (!reader.ok()) return {};
  // The high profiles have a part that some encoders leave out.
  static constexpr uint8_t high[] = {100, 110, 122, 144, 244};
  if (std::ranges::find(high, profile) == std::end(high) || reader.remaining() < 4 ||
      (description[reader.position()] & 0xfc) != 0xfc)
    return out;
  append(&out, reader.take(3));
  copy_units(0xff, {extension});
  return reader.ok() ? out : Bytes();
}

/// An HEVCDecoderConfigurationRecord without arrays of messages; empty if it is damaged.
Bytes clean_description_h265(const Bytes& description) {
  constexpr size_t before = 22;
  ByteReader reader(description);
  const auto head = reader.take(before);
  Bytes out(before + 1);
  std::ranges::copy(head, out.begin());
  const size_t count_at = before;
  uint8_t arrays = reader.u8(), kept = 0;
  for (; arrays > 0 && reader.ok(); --arrays) {
    const size_t begin = reader.position();
    const uint8_t type = reader.u8() & 0x3f;
    for (uint16_t units = reader.u16(); units > 0 && reader.ok(); --units)
      reader.skip(reader.u16());
    if (!reader.ok()) break;
    constexpr uint8_t first_parameter_set = 32, last_parameter_set = 34;
    if (type < first_parameter_set || type > last_parameter_set) continue;
    append(&out, std::span(description).subspan(begin, reader.position() - begin));
    ++kept;
  }
  if (!reader.ok()) return {};
  out[count_at] = kept;
  return out;
}

}  // namespace

bool CodedVideo::is_such(const GstStructure* caps) {
  return gst_structure_has_name(caps, "video/x-h264") ||
         gst_structure_has_name(caps, "video/x-h265");
}

Result<CodedVideo> CodedVideo::make(const GstStructure* caps) {
  const NalCodec codec =
      gst_structure_has_name(caps, "video/x-h264") ? NalCodec::h264 : NalCodec::h265;
  const std::string_view format = [&] {
    const char* text = gst_structure_get_string(caps, "stream-format");
    return std::string_view(text ? text : "");
  }();
  const std::string_view alignment = [&] {
    const char* text = gst_structure_get_string(caps, "alignment");
    return std::string_view(text ? text : "");
  }();
  if (format == "byte-stream") {
    if (alignment != "au" && alignment != "nal")
      return unsupported("the stream is not aligned to units");
    return CodedVideo(codec, 0);
  }
  if (format.empty()) return unsupported("the caps don't tell the stream-format");
  const Bytes description = bytes_of_field(caps, "codec_data");
  const size_t size_at = codec == NalCodec::h264 ? 4 : 21;
  // In avc3 and hev1 the description may be missing; GStreamer's lengths then have four bytes.
  constexpr size_t usual = 4;
  if (description.empty()) return CodedVideo(codec, usual);
  if (description.size() <= size_at) return invalid("the description of the stream is cut");
  CodedVideo video(codec, (description[size_at] & 3) + 1);
  if (codec == NalCodec::h264)
    video.timings_ = media::picture_timings(media::SampleForm::h264, description);
  return video;
}

CapsRef CodedVideo::clean_caps(const GstCaps* caps, const media::Policy& policy) const {
  CapsRef clean(gst_caps_copy(caps));
  if (policy.allows(media::PartClass::unknown)) return clean;
  for (guint i = 0; i < gst_caps_get_size(clean.get()); ++i) {
    GstStructure* structure = gst_caps_get_structure(clean.get(), i);
    gst_structure_remove_field(structure, "streamheader");
    const Bytes description = bytes_of_field(structure, "codec_data");
    if (description.empty()) continue;
    const Bytes less = codec_ == NalCodec::h264 ? clean_description_h264(description)
                                                : clean_description_h265(description);
    if (less.empty()) {
      gst_structure_remove_field(structure, "codec_data");
    } else if (less != description) {
      const BufferRef buffer(gst_buffer_new_memdup(less.data(), less.size()));
      gst_structure_set(structure, "codec_data", GST_TYPE_BUFFER, buffer.get(), nullptr);
    }
  }
  return clean;
}

Result<BufferRef> CodedVideo::clean(BufferRef buffer, const media::Policy& policy) {
  Bytes out;
  {
    const MappedBytes map(buffer.get());
    if (!map) return failed("a buffer can't be read");
    const std::span<const uint8_t> bytes = map.bytes();
    const auto units =
        length_size_ > 0 ? with_lengths(bytes, length_size_) : with_start_codes(bytes);
    if (!units) return invalid("the coded video is damaged");
    bool changes = false;
    for (const Unit& unit : *units) {
      Bytes changed;
      const auto data = bytes.subspan(unit.data, unit.end - unit.data);
      if (codec_ == NalCodec::h264) media::add_picture_timing(data, &timings_);
      const UnitEdit edit = examine(codec_, data, policy, timings_, &changed);
      if (edit == UnitEdit::keep && !changes) continue;
      if (!changes) append(&out, bytes.first(unit.begin));
      changes = true;
      if (edit == UnitEdit::remove) continue;
      if (edit == UnitEdit::keep) {
        append(&out, bytes.subspan(unit.begin, unit.end - unit.begin));
        continue;
      }
      if (length_size_ == 0) append(&out, bytes.subspan(unit.begin, unit.data - unit.begin));
      for (size_t i = length_size_; i-- > 0;)
        out.push_back(static_cast<uint8_t>(changed.size() >> (8 * i)));
      append(&out, changed);
    }
    if (changes) return out.empty() ? BufferRef() : buffer_like(buffer.get(), out);
  }
  return buffer;
}

}  // namespace sphere::privacy
