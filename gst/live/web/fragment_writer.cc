// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/fragment_writer.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace sphere::live {

namespace {

enum NalType : uint8_t {
  nal_idr = 5,
  nal_sps = 7,
  nal_pps = 8,
  nal_delimiter = 9,
  nal_filler = 12
};

/// Flags of a sample (ISO/IEC 14496-12, 8.8.3.1).
constexpr uint32_t key_sample = 0x02000000, other_sample = 0x01010000;

using Bytes = std::span<const uint8_t>;

/// Writes boxes. A box is open from the construction of a `Scope` to its end.
class Writer {
 public:
  class Scope {
   public:
    Scope(Writer& writer, std::string_view type) : writer_(writer), at_(writer.bytes_.size()) {
      writer.u32(0);
      writer.text(type);
    }
    /// A full box.
    Scope(Writer& writer, std::string_view type, uint8_t version, uint32_t flags)
        : Scope(writer, type) {
      writer.u32(static_cast<uint32_t>(version) << 24 | flags);
    }
    ~Scope() { writer_.put_u32(at_, static_cast<uint32_t>(writer_.bytes_.size() - at_)); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Writer& writer_;
    const size_t at_;
  };

  void u8(unsigned value) { bytes_.push_back(static_cast<uint8_t>(value)); }
  void u16(unsigned value) {
    u8(value >> 8 & 0xff);
    u8(value & 0xff);
  }
  void u32(uint32_t value) {
    u16(value >> 16);
    u16(value & 0xffff);
  }
  void u64(uint64_t value) {
    u32(static_cast<uint32_t>(value >> 32));
    u32(static_cast<uint32_t>(value));
  }
  void zeros(size_t count) { bytes_.insert(bytes_.end(), count, 0); }
  void text(std::string_view text) { bytes_.insert(bytes_.end(), text.begin(), text.end()); }
  void data(Bytes data) { bytes_.insert(bytes_.end(), data.begin(), data.end()); }
  size_t size() const { return bytes_.size(); }
  void put_u32(size_t at, uint32_t value) {
    for (size_t i = 0; i < 4; ++i) bytes_[at + i] = static_cast<uint8_t>(value >> (24 - 8 * i));
  }
  std::vector<uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
};

using Box = Writer::Scope;

/// The unit transformation, as MP4 has it.
void write_matrix(Writer& out) {
  for (const uint32_t value : {0x10000u, 0u, 0u, 0u, 0x10000u, 0u, 0u, 0u, 0x40000000u})
    out.u32(value);
}

void write_video_entry(Writer& out, const FragmentFormat& format) {
  const Box entry(out, "avc1");
  out.zeros(6);
  out.u16(1);  // data reference
  out.zeros(16);
  out.u16(format.width);
  out.u16(format.height);
  out.u32(0x480000);  // 72 dpi
  out.u32(0x480000);
  out.u32(0);
  out.u16(1);  // pictures a sample
  out.zeros(32);
  out.u16(24);  // depth
  out.u16(0xffff);
  const Box configuration(out, "avcC");
  out.u8(1);
  out.data(Bytes(format.sps).subspan(1, 3));
  out.u8(0xfc | 3);  // lengths of 4 bytes
  out.u8(0xe0 | 1);
  out.u16(static_cast<unsigned>(format.sps.size()));
  out.data(format.sps);
  out.u8(1);
  out.u16(static_cast<unsigned>(format.pps.size()));
  out.data(format.pps);
}

void write_audio_entry(Writer& out, const FragmentFormat& format) {
  const Box entry(out, "Opus");
  out.zeros(6);
  out.u16(1);
  out.zeros(8);
  out.u16(format.channels);
  out.u16(16);
  out.u32(0);
  out.u32(audio_timescale << 16);
  const Box specific(out, "dOps");
  out.u8(0);
  out.u8(format.channels);
  // The decoder may drop this much at the beginning; a live stream has no true beginning.
  out.u16(0);
  out.u32(audio_timescale);
  out.u16(0);  // gain
  out.u8(0);   // mono or stereo
}

void write_track(Writer& out, const FragmentFormat& format, Track track) {
  const bool video = track == Track::video;
  const Box trak(out, "trak");
  {
    const Box header(out, "tkhd", 0, 7);  // enabled, in the movie, in the preview
    out.zeros(8);
    out.u32(static_cast<uint32_t>(track));
    out.zeros(4);
    out.u32(0);  // duration: not known
    out.zeros(8);
    out.zeros(4);
    out.u16(video ? 0 : 0x100);  // volume
    out.zeros(2);
    write_matrix(out);
    out.u32(video ? static_cast<uint32_t>(format.width) << 16 : 0);
    out.u32(video ? static_cast<uint32_t>(format.height) << 16 : 0);
  }
  const Box media(out, "mdia");
  {
    const Box header(out, "mdhd", 0, 0);
    out.zeros(8);
    out.u32(video ? video_timescale : audio_timescale);
    out.u32(0);
    out.u16(0x55c4);  // "und", no language
    out.u16(0);
  }
  {
    const Box handler(out, "hdlr", 0, 0);
    out.zeros(4);
    out.text(video ? "vide" : "soun");
    out.zeros(12);
    out.text(video ? "pictures" : "sound");
    out.u8(0);
  }
  const Box information(out, "minf");
  if (video) {
    const Box header(out, "vmhd", 0, 1);
    out.zeros(8);
  } else {
    const Box header(out, "smhd", 0, 0);
    out.zeros(4);
  }
  {
    const Box data(out, "dinf");
    const Box references(out, "dref", 0, 0);
    out.u32(1);
    const Box here(out, "url ", 0, 1);
  }
  const Box table(out, "stbl");
  {
    const Box descriptions(out, "stsd", 0, 0);
    out.u32(1);
    if (video)
      write_video_entry(out, format);
    else
      write_audio_entry(out, format);
  }
  for (const std::string_view type : {"stts", "stsc", "stco"}) {
    const Box empty(out, type, 0, 0);
    out.u32(0);
  }
  const Box sizes(out, "stsz", 0, 0);
  out.u32(0);
  out.u32(0);
}

}  // namespace

AccessUnit split_access_unit(Bytes bytes) {
  AccessUnit unit;
  unit.data.reserve(bytes.size() + 16);
  // Where the next start code (00 00 01) is, from `from` on.
  const auto next_start = [&](size_t from) {
    static constexpr std::array<uint8_t, 3> code = {0, 0, 1};
    const auto found = std::search(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(),
                                   code.begin(), code.end());
    return static_cast<size_t>(found - bytes.begin());
  };
  size_t at = next_start(0);
  while (at + 3 < bytes.size()) {
    const size_t begin = at + 3;
    at = next_start(begin);
    size_t end = at;
    // Zeros before a start code belong to it.
    while (end > begin && bytes[end - 1] == 0) --end;
    if (end == begin) continue;
    const Bytes nal = bytes.subspan(begin, end - begin);
    const uint8_t type = nal[0] & 31;
    if (type == nal_sps || type == nal_pps) {
      std::vector<uint8_t>& set = type == nal_sps ? unit.sps : unit.pps;
      if (set.empty()) set.assign(nal.begin(), nal.end());
      continue;
    }
    if (type == nal_delimiter || type == nal_filler) continue;
    if (type == nal_idr) unit.is_key = true;
    for (size_t i = 0; i < 4; ++i)
      unit.data.push_back(static_cast<uint8_t>(nal.size() >> (24 - 8 * i)));
    unit.data.insert(unit.data.end(), nal.begin(), nal.end());
  }
  return unit;
}

std::string codecs_of(const FragmentFormat& format) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text = "avc1.";
  for (size_t i = 1; i <= 3 && i < format.sps.size(); ++i) {
    text += digits[format.sps[i] >> 4];
    text += digits[format.sps[i] & 15];
  }
  return format.audio ? text + ", opus" : text;
}

std::vector<uint8_t> write_beginning(const FragmentFormat& format) {
  Writer out;
  {
    const Box type(out, "ftyp");
    out.text("iso6");
    out.u32(0);
    out.text("iso6mp41");
  }
  {
    const Box movie(out, "moov");
    {
      const Box header(out, "mvhd", 0, 0);
      out.zeros(8);
      out.u32(1000);
      out.u32(0);
      out.u32(0x10000);  // rate
      out.u16(0x100);    // volume
      out.zeros(10);
      write_matrix(out);
      out.zeros(24);
      out.u32(3);  // next track
    }
    write_track(out, format, Track::video);
    if (format.audio) write_track(out, format, Track::audio);
    const Box extends(out, "mvex");
    for (const Track track : {Track::video, Track::audio}) {
      if (track == Track::audio && !format.audio) continue;
      const Box defaults(out, "trex", 0, 0);
      out.u32(static_cast<uint32_t>(track));
      out.u32(1);
      out.u32(0);
      out.u32(0);
      out.u32(track == Track::video ? other_sample : key_sample);
    }
  }
  return out.take();
}

std::vector<uint8_t> write_fragment(const FragmentSample& sample) {
  Writer out;
  size_t offset_at = 0;
  {
    const Box fragment(out, "moof");
    {
      const Box header(out, "mfhd", 0, 0);
      out.u32(sample.number);
    }
    const Box track(out, "traf");
    {
      const Box header(out, "tfhd", 0, 0x20000);  // offsets count from the moof
      out.u32(static_cast<uint32_t>(sample.track));
    }
    {
      const Box time(out, "tfdt", 1, 0);
      out.u64(sample.decode_time);
    }
    const Box run(out, "trun", 0, 0x701);  // offset; duration, size and flags of each sample
    out.u32(1);
    offset_at = out.size();
    out.u32(0);
    out.u32(sample.duration);
    out.u32(static_cast<uint32_t>(sample.data.size()));
    out.u32(sample.is_key ? key_sample : other_sample);
  }
  {
    const Box data(out, "mdat");
    out.put_u32(offset_at, static_cast<uint32_t>(out.size()));
    out.data(sample.data);
  }
  return out.take();
}

}  // namespace sphere::live
