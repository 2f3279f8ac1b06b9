// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/sei.h"

#include <glib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "gst/sphere/base/printable.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/media/nal.h"
#include "gst/sphere/media/picture_times.h"
#include "gst/sphere/media/position_text.h"

namespace sphere::media {

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint8_t stop_bit = 0x80;  // rbsp_trailing_bits
constexpr uint8_t filler_byte = 0xff;
constexpr uint32_t times_type = 1, filler_type = 3, t35_type = 4, user_data_type = 5,
                   equirectangular_type = 150;

size_t header_size(NalCodec codec) { return codec == NalCodec::h264 ? 1 : 2; }

// --- what messages tell ------------------------------------------------------------------------

/// A kind of message that viewing needs, and that is harmless up to this size. A larger one has
/// something in it that the standard does not know.
struct KnownMessage {
  uint32_t type;
  size_t most_bytes;
  PartClass part_class;
  const char* what;
};
constexpr std::array known_messages = {
    KnownMessage{0, 512, PartClass::useful, "buffering"},
    KnownMessage{times_type, 512, PartClass::useful, "times of the picture"},
    KnownMessage{2, 64, PartClass::useful, "visible part of the picture"},
    KnownMessage{6, 16, PartClass::useful, "point to begin playing at"},
    KnownMessage{7, 256, PartClass::useful, "reference pictures"},
    KnownMessage{13, 8, PartClass::useful, "freezing of the picture"},
    KnownMessage{14, 4, PartClass::useful, "freezing of the picture"},
    KnownMessage{17, 8, PartClass::useful, "progressive refinement"},
    KnownMessage{19, 1024, PartClass::useful, "film grain"},
    KnownMessage{21, 8, PartClass::useful, "stereo video"},
    KnownMessage{22, 1024, PartClass::useful, "post-filter"},
    KnownMessage{23, 2048, PartClass::useful, "tone mapping"},
    KnownMessage{45, 16, PartClass::useful, "stereo packing"},
    KnownMessage{47, 8, PartClass::useful, "orientation of the picture"},
    KnownMessage{56, 64, PartClass::useful, "power use of the decoder"},
    KnownMessage{128, 64, PartClass::useful, "structure of pictures"},
    KnownMessage{129, 64, PartClass::useful, "parameter sets in use"},
    KnownMessage{130, 64, PartClass::useful, "decoding units"},
    KnownMessage{131, 2, PartClass::useful, "temporal layers"},
    KnownMessage{132, 64, PartClass::useful, "checksum of the picture"},
    KnownMessage{136, 64, PartClass::time, "time code"},
    KnownMessage{137, 24, PartClass::useful, "colours of the mastering display"},
    KnownMessage{138, 16, PartClass::useful, "stereo packing"},
    KnownMessage{142, 2048, PartClass::useful, "colour remapping"},
    KnownMessage{144, 4, PartClass::useful, "light levels"},
    KnownMessage{145, 4, PartClass::useful, "fields of the picture"},
    KnownMessage{147, 1, PartClass::useful, "transfer characteristics"},
    KnownMessage{148, 8, PartClass::useful, "viewing environment"},
    KnownMessage{149, 32, PartClass::useful, "colour volume"},
    KnownMessage{150, 4, PartClass::useful, "equirectangular projection"},
    KnownMessage{151, 4, PartClass::useful, "cubemap projection"},
    KnownMessage{152, 256, PartClass::stitching, "lenses"},
    KnownMessage{154, 16, PartClass::useful, "rotation of the sphere"},
    KnownMessage{155, 4096, PartClass::useful, "packing of regions of the sphere"},
    KnownMessage{156, 512, PartClass::useful, "recommended view"},
    KnownMessage{165, 8, PartClass::useful, "transparency"},
};

bool begins(std::span<const uint8_t> bytes, std::string_view mark) {
  return bytes.size() >= mark.size() && std::memcmp(bytes.data(), mark.data(), mark.size()) == 0;
}
bool contains(std::span<const uint8_t> bytes, std::string_view mark) {
  return std::search(bytes.begin(), bytes.end(), mark.begin(), mark.end(),
                     [](uint8_t byte, char c) { return byte == static_cast<uint8_t>(c); }) !=
         bytes.end();
}

/// Captions and the shape of the picture (ATSC A/53 part 4), and dynamic brightness (SMPTE ST
/// 2094-40).
const char* useful_t35(std::span<const uint8_t> payload) {
  using namespace std::string_view_literals;
  constexpr size_t most_brightness = 1024;
  if (begins(payload, "\xb5\x00\x31GA94\x03"sv)) {
    constexpr size_t before = 10, triplet = 3, marker = 1;
    if (payload.size() < before + marker) return nullptr;
    const size_t count = payload[8] & 0x1f;
    return payload.size() == before + count * triplet + marker ? "captions" : nullptr;
  }
  if (begins(payload, "\xb5\x00\x31GA94\x06"sv) && payload.size() <= 16)
    return "bars at the picture's edges";
  if (begins(payload,
             "\xb5\x00\x31"
             "DTG1"sv) &&
      payload.size() <= 9)
    return "active part of the picture";
  if (begins(payload, "\xb5\x00\x3c\x00\x01\x04"sv) && payload.size() <= most_brightness)
    return "dynamic brightness";
  return nullptr;
}

/// The longest run of visible characters, which is what a person can read of a payload. Shorter
/// ones than a word or two come about by chance; then it is empty.
std::string_view text_of(std::span<const uint8_t> payload) {
  std::string_view best;
  const auto* data = reinterpret_cast<const char*>(payload.data());
  for (size_t i = 0; i < payload.size();) {
    size_t end = i;
    while (end < payload.size() && (payload[end] >= 0x20 || payload[end] == '\t') &&
           payload[end] != 0x7f)
      ++end;
    if (end - i > best.size()) best = {data + i, end - i};
    i = end + 1;
  }
  constexpr size_t least = 8;
  const bool text = best.size() >= least &&
                    g_utf8_validate(best.data(), static_cast<gssize>(best.size()), nullptr);
  return text ? best : std::string_view();
}

void examine_user_data(std::span<const uint8_t> payload, SeiMessage* message, Traces* traces) {
  using namespace std::string_view_literals;
  constexpr size_t uuid_size = 16, most_value = 120;
  const bool has_uuid = message->type == user_data_type && payload.size() >= uuid_size;
  const std::span<const uint8_t> data = has_uuid ? payload.subspan(uuid_size) : payload;
  const std::string_view text = text_of(data);
  const std::vector<Position> positions = positions_in(as_text(data));
  if (!text.empty()) {
    message->value = printable(text, most_value);
    if (traces) traces->add_identity(text);
  }
  if (traces)
    for (const Position& position : positions) traces->add(position);
  // MISB ST 0601 and its relatives: local sets of SMPTE's universal labels.
  constexpr auto local_set = "\x06\x0e\x2b\x34\x02\x0b\x01\x01"sv;
  if (!positions.empty() || contains(payload, local_set)) {
    message->part_class = PartClass::place;
    message->what = "position";
  } else if (begins(payload, "MISPmicrosectime") || begins(payload, "MISPnanosec")) {
    message->part_class = PartClass::time;
    message->what = "time of capture";
  } else if (begins(payload,
                    "\xdc\x45\xe9\xbd\xe6\xd9\x48\xb7\x96\x2c\xd8\x20\xd9\x23\xee\xef"sv) ||
             begins(payload,
                    "\x2c\xa2\xde\x09\xb5\x17\x47\xdb\xbb\x55\xa4\xfe\x7f\xc2\xfc\x4e"sv)) {
    message->part_class = PartClass::identity;  // x264, x265
    message->what = "name and settings of the encoder";
  } else {
    message->part_class = PartClass::unknown;
    message->what = "data of a program";
  }
}

void examine_message(std::span<const uint8_t> payload, SeiMessage* message, Traces* traces) {
  if (message->type == filler_type &&
      std::ranges::all_of(payload, [](uint8_t byte) { return byte == filler_byte; })) {
    message->part_class = PartClass::useful;
    message->what = "filler";
    return;
  }
  if (message->type == t35_type)
    if (const char* what = useful_t35(payload)) {
      message->part_class = PartClass::useful;
      message->what = what;
      return;
    }
  for (const KnownMessage& known : known_messages)
    if (known.type == message->type && payload.size() <= known.most_bytes) {
      message->part_class = known.part_class;
      message->what = known.what;
      return;
    }
  examine_user_data(payload, message, traces);
}

// --- walking -----------------------------------------------------------------------------------

/// A message and its bytes without emulation prevention.
struct PlainMessage {
  SeiMessage message;
  Bytes bytes;
  /// What stays if it can't: the message without what it tells. Empty: nothing.
  Bytes rest;
};

/// Numbers are written as so many times 255 and the rest.
std::optional<uint32_t> read_number(std::span<const uint8_t> bytes, size_t* at) {
  constexpr uint32_t most = 1u << 30;
  uint32_t value = 0;
  for (; *at < bytes.size(); ++*at) {
    value += bytes[*at];
    if (value > most) return std::nullopt;
    if (bytes[*at] != 255) {
      ++*at;
      return value;
    }
  }
  return std::nullopt;
}

void append_number(Bytes* to, size_t value) {
  for (; value >= 255; value -= 255) to->push_back(255);
  to->push_back(static_cast<uint8_t>(value));
}

/// Those of H.264 can have time codes.
void examine_picture_times(std::span<const uint8_t> payload, std::span<const PictureTiming> timings,
                           PlainMessage* one) {
  const std::optional<PictureTimes> times = read_picture_times(payload, timings);
  if (!times) {
    one->message.part_class = PartClass::unknown;
    one->message.what = "times of the picture that can't be read";
    return;
  }
  if (!times->has_time_code) return;
  one->message.part_class = PartClass::time;
  one->message.what = "time code";
  one->message.value = times->value;
  if (times->without.empty()) return;
  append_number(&one->rest, times_type);
  append_number(&one->rest, times->without.size());
  one->rest.insert(one->rest.end(), times->without.begin(), times->without.end());
}

std::vector<PlainMessage> walk(NalCodec codec, std::span<const uint8_t> unit,
                               std::span<const PictureTiming> timings, Traces* traces) {
  std::vector<PlainMessage> messages;
  const PlainUnit plain = without_emulation_prevention(unit);
  size_t at = header_size(codec), end = plain.bytes.size();
  while (end > at && plain.bytes[end - 1] == 0) --end;
  const bool stopped = end > at && plain.bytes[end - 1] == stop_bit;
  if (stopped) --end;
  const auto add = [&](size_t begin, size_t payload, size_t until, uint32_t type) {
    PlainMessage one;
    one.message.type = type;
    one.message.offset = plain.offsets[begin];
    one.message.length = plain.offsets[until] - plain.offsets[begin];
    one.bytes.assign(plain.bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                     plain.bytes.begin() + static_cast<std::ptrdiff_t>(until));
    const std::span<const uint8_t> content(plain.bytes.data() + payload, until - payload);
    if (type == damaged_sei) {
      examine_user_data(content, &one.message, traces);
      one.message.what = "damaged message";
      one.message.part_class = PartClass::unknown;
    } else {
      examine_message(content, &one.message, traces);
      if (type == times_type && codec == NalCodec::h264)
        examine_picture_times(content, timings, &one);
    }
    messages.push_back(std::move(one));
  };
  while (at < end) {
    const size_t begin = at;
    const auto type = read_number({plain.bytes.data(), end}, &at);
    const auto size = type ? read_number({plain.bytes.data(), end}, &at) : std::nullopt;
    if (!size || *size > end - at) {
      // All that is left, with the zeros at the end, whatever they are.
      add(begin, begin, plain.bytes.size(), damaged_sei);
      break;
    }
    at += *size;
    add(begin, at - *size, at, *type);
  }
  return messages;
}

// --- writing -----------------------------------------------------------------------------------

/// A unit of these messages.
Bytes unit_of(std::span<const uint8_t> header, std::span<const Bytes> messages) {
  Bytes plain(header.begin(), header.end());
  for (const Bytes& message : messages) plain.insert(plain.end(), message.begin(), message.end());
  plain.push_back(stop_bit);
  return with_emulation_prevention(plain);
}

/// Messages of filler of so many bytes together, from 2 on: one, or two where the size of one would
/// need a byte more than there is.
Bytes filler_of(size_t length) {
  constexpr size_t least = 2;
  Bytes filler = {filler_type};
  // Of the bytes behind the type, each 256th is one of the size.
  const size_t rest = length - 1, sizes = (rest - 1) / 256 + 1, payload = rest - sizes;
  append_number(&filler, payload);
  filler.resize(filler.size() + payload, filler_byte);
  if (filler.size() == length) return filler;
  filler = filler_of(length - least);
  filler.insert(filler.end(), {filler_type, 0});
  return filler;
}

/// The messages that stay; nothing if all do. A damaged one can stay only where all do, because it
/// can't be written anew.
std::optional<std::vector<Bytes>> kept_of(const std::vector<PlainMessage>& messages,
                                          const KeepSei& keep) {
  std::vector<Bytes> kept;
  bool all = true;
  for (const PlainMessage& one : messages) {
    const bool stays = keep(one.message);
    all = all && stays;
    if (stays && one.message.type != damaged_sei) kept.push_back(one.bytes);
    if (!stays && !one.rest.empty()) kept.push_back(one.rest);
  }
  if (all) return std::nullopt;
  return kept;
}

/// A unit of this length with these messages and filler, if there is one.
std::optional<Bytes> unit_of_length(std::span<const uint8_t> header, std::span<const Bytes> kept,
                                    size_t length) {
  const Bytes bare = unit_of(header, kept);
  if (bare.size() == length) return bare;
  // Where the filler stands, and so the bytes around it, decides whether it needs an emulation
  // prevention byte of its own, or makes one needless.
  constexpr ptrdiff_t slack = 2, least = 2;
  const ptrdiff_t gap = static_cast<ptrdiff_t>(length) - static_cast<ptrdiff_t>(bare.size());
  for (size_t place = kept.size() + 1; place-- > 0;) {
    std::vector<Bytes> messages(kept.begin(), kept.end());
    const auto at = messages.insert(messages.begin() + static_cast<ptrdiff_t>(place), Bytes());
    for (ptrdiff_t size = gap + slack; size >= std::max(least, gap - slack); --size) {
      *at = filler_of(static_cast<size_t>(size));
      Bytes unit = unit_of(header, messages);
      if (unit.size() == length) return unit;
    }
  }
  return std::nullopt;
}

/// A unit of filler data, which has any length.
Bytes filler_unit(NalCodec codec, std::span<const uint8_t> header, size_t length) {
  constexpr uint8_t filler_h264 = 12, filler_h265 = 38;
  Bytes unit(length, filler_byte);
  std::copy_n(header.begin(), std::min(header.size(), length), unit.begin());
  unit[0] = codec == NalCodec::h264 ? filler_h264 : filler_h265 << 1;
  if (length > header.size()) unit.back() = stop_bit;
  return unit;
}

}  // namespace

bool is_sei(NalCodec codec, std::span<const uint8_t> unit) {
  constexpr uint8_t sei_h264 = 6, prefix_sei_h265 = 39, suffix_sei_h265 = 40;
  if (unit.empty()) return false;
  if (codec == NalCodec::h264) return (unit[0] & 0x1f) == sei_h264;
  const uint8_t type = unit[0] >> 1 & 0x3f;
  return type == prefix_sei_h265 || type == suffix_sei_h265;
}

std::vector<SeiMessage> read_sei(NalCodec codec, std::span<const uint8_t> unit,
                                 std::span<const PictureTiming> timings, Traces* traces) {
  std::vector<SeiMessage> messages;
  for (PlainMessage& one : walk(codec, unit, timings, traces))
    messages.push_back(std::move(one.message));
  return messages;
}

KeepSei keep_allowed(const Policy& policy) {
  return [policy](const SeiMessage& message) { return policy.allows(message.part_class); };
}

std::vector<uint8_t> remove_sei(NalCodec codec, std::span<const uint8_t> unit,
                                std::span<const PictureTiming> timings, const KeepSei& keep) {
  const std::vector<PlainMessage> messages = walk(codec, unit, timings, nullptr);
  if (messages.empty()) return {};
  const auto kept = kept_of(messages, keep);
  if (!kept) return {unit.begin(), unit.end()};
  if (kept->empty()) return {};
  return unit_of(unit.first(header_size(codec)), *kept);
}

std::vector<uint8_t> blank_sei(NalCodec codec, std::span<const uint8_t> unit,
                               std::span<const PictureTiming> timings, const KeepSei& keep) {
  if (unit.empty()) return {};
  const std::vector<PlainMessage> messages = walk(codec, unit, timings, nullptr);
  auto kept = kept_of(messages, keep);
  if (!kept) return {unit.begin(), unit.end()};
  const std::span<const uint8_t> header = unit.first(std::min(unit.size(), header_size(codec)));
  for (;;) {
    if (auto found = unit_of_length(header, *kept, unit.size())) return std::move(*found);
    if (kept->empty()) return filler_unit(codec, header, unit.size());
    kept->pop_back();
  }
}

std::vector<uint8_t> equirectangular_sei(NalCodec codec) {
  // Until it is cancelled, no guard bands: the flags 0, 1, 0, two zero bits, and the alignment.
  constexpr uint8_t flags = 0x44;
  const Bytes message = {equirectangular_type, 1, flags};
  constexpr std::array<uint8_t, 1> header_h264 = {6};
  constexpr std::array<uint8_t, 2> header_h265 = {39 << 1, 1};
  const std::span<const uint8_t> header =
      codec == NalCodec::h264 ? std::span<const uint8_t>(header_h264) : header_h265;
  return unit_of(header, {&message, 1});
}

}  // namespace sphere::media
