// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/fragments.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "gst/sphere/base/bytes.h"

namespace sphere::live {

namespace {

using Bytes = std::span<const uint8_t>;

constexpr size_t plain_header = 8, long_header = 16;
constexpr uint32_t sample_is_not_key = 0x10000;
constexpr size_t most_tracks = 16, most_samples = 1 << 20;

struct BoxView {
  std::string_view type;
  size_t offset = 0;  ///< of the content, from the first byte of what was searched
  Bytes content;
};

/// Calls `take` for each box in these bytes. False if one does not end within them.
template <typename Function>
bool for_each_box(Bytes bytes, Function take) {
  ByteReader reader(bytes);
  while (reader.remaining() > 0) {
    uint64_t size = reader.u32();
    const Bytes type = reader.take(4);
    size_t header = plain_header;
    if (size == 1) {
      size = reader.u64();
      header = long_header;
    }
    if (!reader.ok() || size < header || size - header > reader.remaining()) return false;
    const size_t offset = reader.position();
    const Bytes content = reader.take(static_cast<size_t>(size) - header);
    take(BoxView{{reinterpret_cast<const char*>(type.data()), 4}, offset, content});
  }
  return reader.ok();
}

/// The content of the first box of this type, along a path such as {"mdia", "mdhd"}.
std::optional<BoxView> find(Bytes bytes, std::initializer_list<std::string_view> path) {
  std::optional<BoxView> found;
  size_t offset = 0;
  for (const std::string_view type : path) {
    std::optional<BoxView> next;
    if (!for_each_box(bytes,
                      [&](const BoxView& box) {
                        if (!next && box.type == type) next = box;
                      }) &&
        !next)
      return std::nullopt;
    if (!next) return std::nullopt;
    offset += next->offset;
    found = next;
    found->offset = offset;
    bytes = next->content;
  }
  return found;
}

std::string avc_codec(Bytes entry) {
  // The fixed fields of a VisualSampleEntry come before its boxes.
  if (entry.size() < 78) return {};
  const auto record = find(entry.subspan(78), {"avcC"});
  if (!record || record->content.size() < 4) return {};
  char text[16];
  std::snprintf(text, sizeof text, "avc1.%02X%02X%02X", record->content[1], record->content[2],
                record->content[3]);
  return text;
}

/// `esds`: a chain of descriptors; the object type stands in the one of the decoder, and the kind
/// of AAC in the first five bits of its configuration.
std::string aac_codec(Bytes entry) {
  if (entry.size() < 28) return {};
  const auto box = find(entry.subspan(28), {"esds"});
  if (!box) return {};
  ByteReader reader(box->content);
  reader.skip(4);
  const auto descriptor = [&reader]() -> uint8_t {
    const uint8_t tag = reader.u8();
    for (int i = 0; i < 4; ++i)
      if (!(reader.u8() & 0x80)) break;
    return tag;
  };
  if (descriptor() != 3) return {};
  reader.skip(3);
  if (descriptor() != 4) return {};
  const unsigned type = reader.u8();
  reader.skip(12);
  if (descriptor() != 5) return {};
  const unsigned kind = reader.u8() >> 3;
  if (!reader.ok()) return {};
  char text[16];
  std::snprintf(text, sizeof text, "mp4a.%02X.%u", type, kind);
  return text;
}

std::optional<FragmentTrack> read_track(Bytes trak) {
  FragmentTrack track;
  if (const auto header = find(trak, {"tkhd"})) {
    ByteReader reader(header->content);
    const uint32_t version = reader.u32() >> 24;
    reader.skip(version ? 16 : 8);
    track.id = reader.u32();
    if (!reader.ok()) return std::nullopt;
  }
  if (const auto header = find(trak, {"mdia", "mdhd"})) {
    ByteReader reader(header->content);
    const uint32_t version = reader.u32() >> 24;
    reader.skip(version ? 16 : 8);
    track.timescale = reader.u32();
    if (!reader.ok()) return std::nullopt;
  }
  if (const auto handler = find(trak, {"mdia", "hdlr"}))
    track.video =
        handler->content.size() >= 12 &&
        std::string_view(reinterpret_cast<const char*>(handler->content.data()) + 8, 4) == "vide";
  const auto entries = find(trak, {"mdia", "minf", "stbl", "stsd"});
  if (!track.id || !track.timescale || !entries || entries->content.size() < 8) return std::nullopt;
  for_each_box(entries->content.subspan(8), [&track](const BoxView& entry) {
    if (entry.type == "avc1" || entry.type == "avc3") {
      track.codec = avc_codec(entry.content);
      if (entry.content.size() >= 28) {
        track.width = entry.content[24] << 8 | entry.content[25];
        track.height = entry.content[26] << 8 | entry.content[27];
      }
    } else if (entry.type == "mp4a") {
      track.codec = aac_codec(entry.content);
    } else if (entry.type == "Opus") {
      track.codec = "opus";
    }
  });
  return track;
}

void put_u32(uint8_t* at, uint32_t value) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}
void put_u64(uint8_t* at, uint64_t value) {
  put_u32(at, static_cast<uint32_t>(value >> 32));
  put_u32(at + 4, static_cast<uint32_t>(value));
}

/// The decode time of a fragment, and where it stands.
struct BeginField {
  uint64_t begin = 0;
  size_t offset = 0;  ///< of the number, from the fragment's first byte
  bool wide = false;  ///< 64 bits
};

std::optional<BeginField> find_begin(Bytes fragment) {
  const auto box = find(fragment, {"moof", "traf", "tfdt"});
  if (!box) return std::nullopt;
  ByteReader reader(box->content);
  BeginField field;
  field.wide = reader.u32() >> 24;
  field.offset = box->offset + 4;
  field.begin = field.wide ? reader.u64() : reader.u32();
  if (!reader.ok()) return std::nullopt;
  return field;
}

/// What fits is written, which is returned: 32 bits are full after a day.
uint64_t write_begin(const BeginField& field, uint64_t begin, std::vector<uint8_t>* fragment) {
  uint8_t* at = fragment->data() + field.offset;
  if (field.wide) {
    put_u64(at, begin);
    return begin;
  }
  const auto narrow = static_cast<uint32_t>(std::min<uint64_t>(begin, UINT32_MAX));
  put_u32(at, narrow);
  return narrow;
}

}  // namespace

const FragmentTrack* FragmentReader::track(uint32_t id) const {
  const auto found = std::find_if(tracks_.begin(), tracks_.end(),
                                  [id](const FragmentTrack& track) { return track.id == id; });
  return found == tracks_.end() ? nullptr : &*found;
}

std::optional<Fragment> FragmentReader::next() {
  if (whole_.empty()) return std::nullopt;
  Fragment first = std::move(whole_.front());
  whole_.erase(whole_.begin());
  return first;
}

Status FragmentReader::push(Bytes bytes) {
  waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
  size_t taken = 0;
  for (;;) {
    const Bytes rest = Bytes(waiting_).subspan(taken);
    ByteReader reader(rest);
    uint64_t size = reader.u32();
    reader.skip(4);
    if (size == 1) size = reader.u64();
    if (!reader.ok()) break;
    if (size < plain_header || size > most_bytes)
      return invalid("the muxer's stream has a box of " + std::to_string(size) + " bytes");
    if (size > rest.size()) break;
    if (const Status box = take_box(rest.first(static_cast<size_t>(size))); !box) return box;
    taken += static_cast<size_t>(size);
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(taken));
  return ok();
}

Status FragmentReader::take_box(Bytes box) {
  const std::string_view type(reinterpret_cast<const char*>(box.data()) + 4, 4);
  const auto append = [box](std::vector<uint8_t>* to) {
    to->insert(to->end(), box.begin(), box.end());
  };
  if (type == "ftyp" && !has_movie_) {
    header_.clear();
    append(&header_);
    return ok();
  }
  if (type == "moov") {
    // At the end of a stream the muxer may write it once more, with the final duration.
    if (has_movie_) return ok();
    has_movie_ = true;
    append(&header_);
    Status read = ok();
    for_each_box(box.subspan(plain_header), [&](const BoxView& part) {
      if (part.type != "trak" || !read) return;
      const auto track = read_track(part.content);
      if (!track || tracks_.size() == most_tracks)
        read = invalid("the muxer's header has a track that can't be read");
      else
        tracks_.push_back(*track);
    });
    default_duration_.assign(tracks_.size(), 0);
    default_flags_.assign(tracks_.size(), 0);
    if (const auto extends = find(box.subspan(plain_header), {"mvex"}))
      for_each_box(extends->content, [&](const BoxView& part) {
        if (part.type != "trex") return;
        ByteReader reader(part.content);
        reader.skip(4);
        const uint32_t id = reader.u32();
        reader.skip(4);
        const uint32_t duration = reader.u32();
        reader.skip(4);
        const uint32_t flags = reader.u32();
        for (size_t i = 0; i < tracks_.size(); ++i)
          if (tracks_[i].id == id && reader.ok()) {
            default_duration_[i] = duration;
            default_flags_[i] = flags;
          }
      });
    if (read && tracks_.empty()) return invalid("the muxer's header has no track");
    return read;
  }
  if (type == "mdat") {
    if (!open_) return ok();
    append(&open_->bytes);
    whole_.push_back(std::move(*open_));
    open_.reset();
    return ok();
  }
  if (type != "moof") return ok();

  Fragment fragment;
  append(&fragment.bytes);
  const Bytes content = box.subspan(plain_header);
  const auto header = find(content, {"traf", "tfhd"});
  const auto time = find_begin(fragment.bytes);
  if (!header || !time) return invalid("the muxer's stream has a fragment without a time");
  ByteReader of_header(header->content);
  const uint32_t flags = of_header.u32();
  fragment.track = of_header.u32();
  if (flags & 1) of_header.skip(8);
  if (flags & 2) of_header.skip(4);
  uint32_t duration = 0, sample_flags = 0;
  for (size_t i = 0; i < tracks_.size(); ++i)
    if (tracks_[i].id == fragment.track) {
      duration = default_duration_[i];
      sample_flags = default_flags_[i];
    }
  if (flags & 8) duration = of_header.u32();
  if (flags & 0x10) of_header.skip(4);
  if (flags & 0x20) sample_flags = of_header.u32();
  fragment.begin = time->begin;
  bool good = of_header.ok();
  const auto part = find(content, {"traf"});
  bool first = true;
  for_each_box(part->content, [&](const BoxView& run) {
    if (run.type != "trun") return;
    ByteReader reader(run.content);
    const uint32_t has = reader.u32();
    const uint32_t samples = reader.u32();
    if (has & 1) reader.skip(4);
    const uint32_t first_flags = has & 4 ? reader.u32() : sample_flags;
    if (samples > most_samples) good = false;
    for (uint32_t i = 0; good && i < samples; ++i) {
      fragment.duration += has & 0x100 ? reader.u32() : duration;
      if (has & 0x200) reader.skip(4);
      uint32_t own = i == 0 ? first_flags : sample_flags;
      if (has & 0x400) {
        const uint32_t stated = reader.u32();
        if (!(has & 4) || i > 0) own = stated;
      }
      if (has & 0x800) reader.skip(4);
      if (first) fragment.key = !(own & sample_is_not_key);
      first = false;
    }
    fragment.samples += samples;
    good = good && reader.ok();
  });
  const FragmentTrack* of = track(fragment.track);
  if (!good || !of) return invalid("the muxer's stream has a fragment that can't be read");
  if (!of->video && sound_delay_ > 0) {
    const auto units = static_cast<uint64_t>(std::llround(sound_delay_ * of->timescale));
    fragment.begin = write_begin(*time, time->begin + units, &fragment.bytes);
  }
  open_ = std::move(fragment);
  return ok();
}

Status number_fragment(std::vector<uint8_t>* bytes, uint32_t number) {
  const auto sequence = find(*bytes, {"moof", "mfhd"});
  if (!sequence || sequence->content.size() < 8) return invalid("this is no fragment");
  put_u32(bytes->data() + sequence->offset + 4, number);
  return ok();
}

}  // namespace sphere::live
