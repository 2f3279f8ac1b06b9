// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/isobmff_rules.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/base/printable.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/media/esds.h"

namespace sphere::media {

namespace {

using H = Handling;
using P = BoxParent;

constexpr BoxRule rules[] = {
    {P::file, "ftyp", H::keep},
    {P::file, "styp", H::keep},
    {P::file, "moov", H::movie, P::movie},
    {P::file, "moof", H::fragment, P::fragment},
    {P::file, "mdat", H::media_data},
    {P::file, "sidx", H::index},
    {P::file, "mfra", H::fragment_offset},
    {P::movie, "mvhd", H::times},
    {P::movie, "trak", H::track, P::track},
    {P::movie, "mvex", H::enter, P::extends},
    {P::movie, "pssh", H::encrypted},
    {P::extends, "mehd", H::keep},
    {P::extends, "trex", H::keep},
    {P::track, "tkhd", H::times},
    {P::track, "edts", H::enter, P::edits},
    {P::track, "tref", H::track_list},
    {P::track, "tapt", H::enter, P::aperture},
    {P::track, "mdia", H::enter, P::media},
    {P::edits, "elst", H::keep},
    {P::aperture, "clef", H::keep},
    {P::aperture, "prof", H::keep},
    {P::aperture, "enof", H::keep},
    {P::media, "mdhd", H::times},
    {P::media, "hdlr", H::handler},
    {P::media, "minf", H::enter, P::information},
    {P::information, "vmhd", H::keep},
    {P::information, "smhd", H::keep},
    {P::information, "nmhd", H::keep},
    {P::information, "sthd", H::keep},
    {P::information, "gmhd", H::enter, P::generic},
    {P::information, "hdlr", H::handler},
    {P::information, "dinf", H::enter, P::information},
    {P::information, "dref", H::references},
    {P::information, "stbl", H::enter, P::tables},
    {P::generic, "gmin", H::keep},
    {P::tables, "stsd", H::descriptions},
    {P::tables, "stts", H::keep},
    {P::tables, "ctts", H::keep},
    {P::tables, "cslg", H::keep},
    {P::tables, "stss", H::keep},
    {P::tables, "stps", H::keep},
    {P::tables, "stsc", H::keep},
    {P::tables, "stsz", H::keep},
    {P::tables, "stz2", H::keep},
    {P::tables, "stco", H::keep},
    {P::tables, "co64", H::keep},
    {P::tables, "sdtp", H::keep},
    {P::tables, "sgpd", H::grouping},
    {P::tables, "sbgp", H::grouping},
    {P::tables, "senc", H::encrypted},
    {P::visual, "avcC", H::parameters},
    {P::visual, "hvcC", H::parameters},
    {P::visual, "lhvC", H::parameters},
    {P::visual, "av1C", H::parameters},
    {P::visual, "vpcC", H::keep},
    {P::visual, "esds", H::parameters},
    {P::visual, "btrt", H::keep},
    {P::visual, "pasp", H::keep},
    {P::visual, "clap", H::keep},
    {P::visual, "colr", H::colours},
    {P::visual, "mdcv", H::keep},
    {P::visual, "clli", H::keep},
    {P::visual, "SmDm", H::keep},
    {P::visual, "CoLL", H::keep},
    {P::visual, "cclv", H::keep},
    {P::visual, "fiel", H::keep},
    {P::visual, "gama", H::keep},
    {P::visual, "chrm", H::keep},
    {P::visual, "d263", H::vendor},
    {P::visual, "dvcC", H::keep},
    {P::visual, "dvvC", H::keep},
    {P::visual, "dvwC", H::keep},
    {P::visual, "hfov", H::keep},
    {P::visual, "ACLR", H::keep},
    {P::visual, "ADHR", H::keep},
    {P::visual, "APRG", H::keep},
    {P::visual, "ARES", H::keep},
    {P::visual, "st3d", H::sphere_mark},
    {P::visual, "sv3d", H::sphere_mark, P::sphere},
    {P::visual, "sinf", H::encrypted},
    {P::visual, "vexu", H::enter, P::view},
    {P::view, "eyes", H::enter, P::view},
    {P::view, "stri", H::keep},
    {P::view, "hero", H::keep},
    {P::view, "cams", H::enter, P::view},
    {P::view, "blin", H::keep},
    {P::view, "cmfy", H::enter, P::view},
    {P::view, "dadj", H::keep},
    {P::view, "proj", H::enter, P::view},
    {P::view, "prji", H::keep},
    {P::view, "pack", H::enter, P::view},
    {P::view, "pkin", H::keep},
    {P::sphere, "svhd", H::source},
    {P::sphere, "proj", H::enter, P::projection},
    {P::projection, "prhd", H::keep},
    {P::projection, "equi", H::keep},
    {P::projection, "cbmp", H::keep},
    {P::projection, "mshp", H::mesh},
    {P::sound, "esds", H::parameters},
    {P::sound, "wave", H::enter, P::wave},
    {P::sound, "chan", H::keep},
    {P::sound, "chnl", H::keep},
    {P::sound, "srat", H::keep},
    {P::sound, "pcmC", H::keep},
    {P::sound, "dOps", H::keep},
    {P::sound, "dfLa", H::flac},
    {P::sound, "alac", H::keep},
    {P::sound, "dac3", H::keep},
    {P::sound, "dec3", H::keep},
    {P::sound, "dac4", H::keep},
    {P::sound, "damr", H::vendor},
    {P::sound, "ddts", H::keep},
    {P::sound, "dmlp", H::keep},
    {P::sound, "mhaC", H::keep},
    {P::sound, "btrt", H::keep},
    {P::sound, "SA3D", H::ambisonics},
    {P::sound, "sinf", H::encrypted},
    {P::wave, "frma", H::keep},
    {P::wave, "mp4a", H::keep},
    {P::wave, "enda", H::keep},
    {P::wave, "esds", H::parameters},
    {P::wave, "alac", H::keep},
    {P::wave, "chan", H::keep},
    {P::wave, "dac3", H::keep},
    {P::wave, "dec3", H::keep},
    {P::wave, "ddts", H::keep},
    {P::fragment, "mfhd", H::keep},
    {P::fragment, "traf", H::track_fragment, P::track_fragment},
    {P::fragment, "pssh", H::encrypted},
    {P::track_fragment, "tfhd", H::keep},
    {P::track_fragment, "tfdt", H::keep},
    {P::track_fragment, "trun", H::keep},
    {P::track_fragment, "sdtp", H::keep},
    {P::track_fragment, "sgpd", H::grouping},
    {P::track_fragment, "sbgp", H::grouping},
    {P::track_fragment, "senc", H::encrypted},
};

using C = PartClass;
using T = TextForm;

// Standard names, and those of several vendors. Those of one vendor are in gst/sphere/makers.
constexpr UserRule user_rules[] = {
    {"\xa9xyz", C::place, "position", T::international},
    {"@xyz", C::place, "position"},
    {"loci", C::place, "position", T::none},
    {"gps ", C::place, "positions", T::none},
    {"gps0", C::place, "positions", T::none},
    {"gpsa", C::place, "positions", T::none},
    {"GPS ", C::place, "positions", T::none},
    {"\xa9"
     "day",
     C::time, "date", T::international},
    {"@day", C::time, "date"},
    {"yrrc", C::time, "year of recording", T::none},
    {"purd", C::time, "date of purchase"},
    {"\xa9mak", C::identity, "maker of the camera", T::international},
    {"\xa9mod", C::identity, "model of the camera", T::international},
    {"\xa9mdl", C::identity, "model of the camera", T::international},
    {"@mak", C::identity, "maker of the camera"},
    {"@mod", C::identity, "model of the camera"},
    {"manu", C::identity, "maker of the camera"},
    {"modl", C::identity, "model of the camera"},
    {"\xa9swr", C::identity, "software", T::international},
    {"@swr", C::identity, "software"},
    {"\xa9too", C::identity, "software", T::international},
    {"\xa9"
     "enc",
     C::identity, "software", T::international},
    {"\xa9"
     "fmt",
     C::identity, "software", T::international},
    {"\xa9nam", C::identity, "title", T::international},
    {"\xa9"
     "ART",
     C::identity, "artist", T::international},
    {"aART", C::identity, "artist"},
    {"\xa9"
     "aut",
     C::identity, "author", T::international},
    {"\xa9"
     "alb",
     C::identity, "album", T::international},
    {"\xa9"
     "cmt",
     C::identity, "comment", T::international},
    {"\xa9"
     "cpy",
     C::identity, "copyright", T::international},
    {"\xa9"
     "des",
     C::identity, "description", T::international},
    {"\xa9"
     "dir",
     C::identity, "director", T::international},
    {"\xa9inf", C::identity, "information", T::international},
    {"\xa9prd", C::identity, "producer", T::international},
    {"\xa9req", C::identity, "requirements", T::international},
    {"\xa9src", C::identity, "provider", T::international},
    {"\xa9wrt", C::identity, "writer", T::international},
    {"\xa9wrn", C::identity, "warning", T::international},
    {"\xa9grp", C::identity, "group", T::international},
    {"\xa9gen", C::identity, "genre", T::international},
    {"\xa9lyr", C::identity, "text", T::international},
    {"\xa9uid", C::identity, "unique id", T::international},
    {"\xa9SNum", C::identity, "serial number"},
    {"SNum", C::identity, "serial number"},
    {"slno", C::identity, "serial number"},
    {"fsid", C::identity, "name of the file"},
    {"name", C::identity, "name"},
    {"titl", C::identity, "title", T::three_gpp},
    {"dscp", C::identity, "description", T::three_gpp},
    {"auth", C::identity, "author", T::three_gpp},
    {"perf", C::identity, "performer", T::three_gpp},
    {"albm", C::identity, "album", T::three_gpp},
    {"cprt", C::identity, "copyright", T::three_gpp},
    {"gnre", C::identity, "genre", T::three_gpp},
    {"kywd", C::identity, "keywords", T::none},
    {"desc", C::identity, "description"},
    {"ldes", C::identity, "description"},
    {"tvsh", C::identity, "title"},
    {"cpil", C::useful, "part of a collection", T::none},
    {"apID", C::identity, "account"},
    {"ownr", C::identity, "owner"},
    {"covr", C::unknown, "picture", T::none},
    {"thum", C::unknown, "picture", T::none},
    {"ptrh", C::unknown, "picture", T::none},
    {"XMP_", C::unknown, "XMP", T::none},
};

constexpr UserRule key_rules[] = {
    // The beginnings of names; the first that fits counts.
    {"com.apple.quicktime.location.date", C::place, "time of the position"},
    {"com.apple.quicktime.location.", C::place, "position"},
    {"com.apple.quicktime.direction.", C::place, "direction"},
    {"com.apple.quicktime.creationdate", C::time, "date"},
    {"com.apple.quicktime.year", C::time, "date"},
    {"com.apple.quicktime.make", C::identity, "maker of the camera"},
    {"com.apple.quicktime.model", C::identity, "model of the camera"},
    {"com.apple.quicktime.software", C::identity, "software"},
    {"com.apple.quicktime.content.identifier", C::identity, "unique id"},
    {"com.apple.quicktime.camera.identifier", C::identity, "unique id"},
    {"com.apple.quicktime.camera.", C::identity, "camera"},
    {"com.apple.quicktime.title", C::identity, "title"},
    {"com.apple.quicktime.displayname", C::identity, "title"},
    {"com.apple.quicktime.author", C::identity, "author"},
    {"com.apple.quicktime.artist", C::identity, "artist"},
    {"com.apple.quicktime.album", C::identity, "album"},
    {"com.apple.quicktime.comment", C::identity, "comment"},
    {"com.apple.quicktime.copyright", C::identity, "copyright"},
    {"com.apple.quicktime.description", C::identity, "description"},
    {"com.apple.quicktime.director", C::identity, "director"},
    {"com.apple.quicktime.information", C::identity, "information"},
    {"com.apple.quicktime.keywords", C::identity, "keywords"},
    {"com.apple.quicktime.producer", C::identity, "producer"},
    {"com.apple.quicktime.publisher", C::identity, "publisher"},
    {"com.android.version", C::identity, "software"},
    {"com.android.manufacturer", C::identity, "maker of the camera"},
    {"com.android.model", C::identity, "model of the camera"},
    {"com.android.capture.fps", C::useful, "pictures per second"},
    {"encoder", C::identity, "software"},
};

constexpr std::string_view neutral_handlers[] = {
    "",
    "VideoHandler",
    "SoundHandler",
    "VideoHandle",
    "SoundHandle",
    "DataHandler",
    "MetaHandler",
    "Core Media Video",
    "Core Media Audio",
    "Core Media Data Handler",
    "Apple Video Media Handler",
    "Apple Sound Media Handler",
    "Apple Alias Data Handler",
};

constexpr std::string_view neutral_encoders[] = {
    "", "H.264", "H.265", "HEVC", "AVC Coding", "HEVC Coding", "VPC Coding", "AOM Coding"};

/// A text of a Pascal string (its length first) or of C.
std::string_view text_without_length(std::string_view text) {
  const std::string_view blank("\0 ", 2);
  if (!text.empty() && static_cast<uint8_t>(text.front()) < 0x20) text.remove_prefix(1);
  const size_t end = text.find_last_not_of(blank);
  return text.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

/// Of a descriptor of MPEG-4 and what is in it: its tag, its length in pieces of 7 bits.
std::optional<uint64_t> length_of_descriptor(std::span<const uint8_t> bytes) {
  constexpr uint8_t tag_of_stream = 3;
  ByteReader reader(bytes);
  if (reader.u8() != tag_of_stream) return std::nullopt;
  uint64_t length = 0;
  for (int i = 0; i < 4; ++i) {
    const uint8_t byte = reader.u8();
    length = length << 7 | (byte & 127);
    if (byte < 128) return reader.ok() ? std::optional(reader.position() + length) : std::nullopt;
  }
  return std::nullopt;
}

/// Of a description of sound, of which the first bytes are given.
std::optional<uint64_t> length_of_sound(const Box& box, std::span<const uint8_t> bytes) {
  const std::string_view type = box.type;
  ByteReader reader(bytes);
  if (type == "esds" && bytes.size() > 4) {
    const auto length = length_of_descriptor(bytes.subspan(4));
    return length ? std::optional(4 + *length) : std::nullopt;
  }
  if (type == "dOps") {
    constexpr uint64_t head = 11;
    reader.skip(1);
    const uint64_t channels = reader.u8();
    reader.skip(8);
    const bool listed = reader.u8() != 0;
    return reader.ok() ? std::optional(head + (listed ? 2 + channels : 0)) : std::nullopt;
  }
  if (type == "alac") {
    // A layout of channels may follow.
    constexpr uint64_t plain = 28, layout = 24;
    return box.size() == plain + layout ? plain + layout : plain;
  }
  // With a list of channels.
  struct List {
    std::string_view type;
    unsigned count_at, entry;
  };
  for (const List& list : {List{"chan", 12, 20}, List{"SA3D", 8, 4}}) {
    if (type != list.type) continue;
    reader.skip(list.count_at);
    const uint64_t length = list.count_at + 4 + list.entry * uint64_t{reader.u32()};
    return reader.ok() && length <= box.size() ? std::optional(length) : std::nullopt;
  }
  // MPEG-H and AC-4: no real description is longer than this one.
  if (type == "mhaC") {
    reader.skip(3);
    return 5 + uint64_t{reader.u16()};
  }
  if (type == "dac4") return 64;
  return std::nullopt;
}

/// Of Dolby Digital Plus (ETSI TS 102 366, F.6).
std::optional<uint64_t> length_of_dec3(std::span<const uint8_t> bytes) {
  ByteReader reader(bytes);
  const int streams = (reader.u16() & 7) + 1;
  for (int i = 0; i < streams; ++i) {
    reader.skip(2);
    const bool has_dependent = reader.u8() & 0x1e;
    if (has_dependent) reader.skip(1);
  }
  if (!reader.ok()) return std::nullopt;
  const size_t length = reader.position();
  return reader.u8() == 1 ? length + 2 : length;  // of objects: one byte more
}

/// Of where the channels of sound are heard (ISO/IEC 14496-12, 12.2.4).
std::optional<uint64_t> length_of_chnl(std::span<const uint8_t> bytes) {
  constexpr uint8_t last_known = 43, explicit_place = 126, unknown_place = 127;
  ByteReader reader(bytes);
  const uint8_t version = reader.u8();
  reader.skip(3);
  const uint8_t structure = reader.u8();
  if (version != 0) return std::nullopt;
  if (structure & 1) {
    if (reader.u8() != 0)
      reader.skip(8);  // the channels that are left out
    else
      for (const size_t objects = structure >> 1 & 1; reader.remaining() > objects;) {
        const uint8_t place = reader.u8();
        if (place > last_known && place != explicit_place && place != unknown_place)
          return std::nullopt;
        if (place == explicit_place) reader.skip(3);
      }
  }
  if (structure & 2) reader.skip(1);
  return reader.ok() ? std::optional<uint64_t>(reader.position()) : std::nullopt;
}

/// Bytes of the description of a group of samples (ISO/IEC 14496-12, 10, and 14496-15).
std::optional<unsigned> size_of_group(std::string_view type) {
  struct Group {
    std::string_view type;
    unsigned size;
  };
  static constexpr Group groups[] = {{"roll", 2}, {"prol", 2}, {"rap ", 1}, {"sync", 1},
                                     {"tele", 1}, {"tsas", 0}, {"stsa", 0}};
  for (const Group& group : groups)
    if (group.type == type) return group.size;
  return std::nullopt;
}

/// Of the list that says to which group samples belong, and the list of groups.
std::optional<uint64_t> length_of_groups(const Source& source, const Box& box) {
  if (box.type != "sbgp" && box.type != "sgpd") return std::nullopt;
  Window window(source, box.content, 256);
  uint8_t type[4] = {};
  uint64_t version = 0, ignored = 0, length = 0, count = 0;
  window.number(1, &version);
  window.number(3, &ignored);
  source.read(box.content + 4, type);
  window.number(4, &ignored);
  if (box.type == "sbgp") {
    if (version == 1) window.number(4, &ignored);
    window.number(4, &count);
    return window.position() - box.content + count * 8;
  }
  const std::optional<unsigned> size = size_of_group(as_text(type));
  if (!size) return std::nullopt;
  if (version >= 1) window.number(4, &length);
  if (version >= 2) window.number(4, &ignored);
  if (!window.number(4, &count)) return std::nullopt;
  if (version == 0 || length == *size) return window.position() - box.content + count * *size;
  if (length > 0) return std::nullopt;
  for (; count > 0 && window.position() < box.end; --count) {
    if (!window.number(4, &length) || length != *size) return std::nullopt;
    window.seek(window.position() + length);
  }
  return window.position() - box.content;
}

std::optional<uint64_t> length_of_fragment(std::string_view type, std::span<const uint8_t> bytes) {
  ByteReader reader(bytes);
  const uint32_t flags = reader.u32() & 0xffffff;
  uint64_t length = 8;
  if (type == "tfhd") {
    for (const auto& [flag, size] : {std::pair{1u, 8u}, {2u, 4u}, {8u, 4u}, {16u, 4u}, {32u, 4u}})
      if (flags & flag) length += size;
    return length;
  }
  const uint64_t count = reader.u32();
  if (!reader.ok()) return std::nullopt;
  for (const uint32_t flag : {1u, 4u})
    if (flags & flag) length += 4;
  uint64_t entry = 0;
  for (const uint32_t flag : {0x100u, 0x200u, 0x400u, 0x800u})
    if (flags & flag) entry += 4;
  return length + count * entry;
}

}  // namespace

const BoxRule* find_rule(BoxParent parent, std::string_view type) {
  for (const BoxRule& rule : rules)
    if (rule.parent == parent && rule.type == type) return &rule;
  return nullptr;
}

std::optional<uint64_t> expected_length(const Source& source, const Box& box) {
  uint8_t bytes[20] = {};
  const size_t have = source.read(
      box.content,
      std::span(bytes).first(static_cast<size_t>(std::min<uint64_t>(sizeof bytes, box.size()))));
  ByteReader reader({bytes, have});
  const bool wide = reader.u8() == 1;
  reader.skip(3);
  const uint64_t count = reader.u32();
  struct Table {
    std::string_view type;
    unsigned head, entry;
  };
  static constexpr Table lists[] = {{"stts", 8, 8},  {"ctts", 8, 8}, {"stss", 8, 4}, {"stps", 8, 4},
                                    {"stsc", 8, 12}, {"stco", 8, 4}, {"co64", 8, 8}};
  for (const Table& list : lists)
    if (box.type == list.type) return list.head + count * list.entry;
  static constexpr Table fixed[] = {
      {"mvhd", 100, 112}, {"tkhd", 84, 96}, {"mdhd", 24, 36}, {"vmhd", 12, 12}, {"smhd", 8, 8},
      {"nmhd", 4, 4},     {"sthd", 4, 4},   {"gmin", 16, 16}, {"mehd", 8, 12},  {"trex", 24, 24},
      {"mfhd", 8, 8},     {"tfdt", 8, 12},  {"clef", 12, 12}, {"prof", 12, 12}, {"enof", 12, 12},
      {"cslg", 24, 44},   {"prhd", 16, 16}, {"equi", 20, 20}, {"cbmp", 12, 12}};
  for (const Table& one : fixed)
    if (box.type == one.type) return wide ? one.entry : one.head;
  static constexpr Table plain[] = {
      {"pasp", 8, 0},  {"clap", 32, 0}, {"btrt", 12, 0},  {"mdcv", 24, 0}, {"clli", 4, 0},
      {"fiel", 2, 0},  {"gama", 4, 0},  {"hfov", 4, 0},   {"frma", 4, 0},  {"dvcC", 24, 0},
      {"dvvC", 24, 0}, {"dvwC", 24, 0}, {"CoLL", 8, 0},   {"SmDm", 28, 0}, {"damr", 9, 0},
      {"dac3", 3, 0},  {"enda", 2, 0},  {"srat", 8, 0},   {"pcmC", 6, 0},  {"ACLR", 16, 0},
      {"APRG", 16, 0}, {"ADHR", 24, 0}, {"ARES", 112, 0}, {"ddts", 20, 0}, {"stri", 5, 0},
      {"hero", 5, 0},  {"blin", 8, 0},  {"dadj", 8, 0},   {"prji", 8, 0},  {"pkin", 8, 0},
      {"dmlp", 10, 0}, {"d263", 7, 0},  {"mp4a", 4, 0}};
  for (const Table& one : plain)
    if (box.type == one.type) return one.head;
  if (const auto length = length_of_sound(box, {bytes, have})) return length;
  if (const auto length = length_of_groups(source, box)) return length;
  if (box.type == "trun" || box.type == "tfhd") return length_of_fragment(box.type, {bytes, have});
  // Brands. Real files have less than ten.
  if (box.type == "ftyp" || box.type == "styp") return std::min<uint64_t>(box.size(), 72);
  if (box.type == "vpcC") return wide ? 12 : 10;
  if (box.type == "chrm") return 4;
  if (box.type == "cclv") {
    uint64_t length = 1;
    for (const auto& [flag, size] : {std::pair{32u, 24u}, {16u, 4u}, {8u, 4u}, {4u, 4u}})
      if (bytes[0] & flag) length += size;
    return length;
  }
  if (box.type == "dec3" || box.type == "chnl") {
    std::array<uint8_t, 256> longer{};
    const std::span<const uint8_t> begin(
        longer.data(),
        source.read(box.content, std::span(longer).first(static_cast<size_t>(
                                     std::min<uint64_t>(longer.size(), box.size())))));
    return box.type == "dec3" ? length_of_dec3(begin) : length_of_chnl(begin);
  }
  if (box.type == "elst") return 8 + count * (wide ? 20 : 12);
  if (box.type == "st3d") return 5;
  if (box.type == "stsz") {
    const bool same = count != 0;
    return 12 + (same ? 0 : uint64_t{reader.u32()} * 4);
  }
  if (box.type == "stz2") return 12 + (uint64_t{reader.u32()} * (count & 255) + 7) / 8;
  if (box.type == "colr" && as_text({bytes, 4}) == "nclx") return 11;
  if (box.type == "colr" && as_text({bytes, 4}) == "nclc") return 10;
  return std::nullopt;
}

const UserRule* find_user_rule(std::string_view type) {
  for (const UserRule& rule : user_rules)
    if (rule.type == type) return &rule;
  return nullptr;
}

const UserRule* find_key_rule(std::string_view key) {
  for (const UserRule& rule : key_rules)
    if (key.starts_with(rule.type)) return &rule;
  return nullptr;
}

bool is_known_key(std::string_view key) {
  static constexpr std::string_view ends[] = {"ISO6709",
                                              "name",
                                              "body",
                                              "note",
                                              "role",
                                              "facing",
                                              "motion",
                                              "accuracy.horizontal",
                                              "focal_length.35mm_equivalent",
                                              "lens_model",
                                              "framereadouttimeinmicroseconds"};
  const UserRule* const rule = find_key_rule(key);
  if (!rule) return false;
  const std::string_view rest = key.substr(rule->type.size());
  return rest.empty() ||
         (rule->type.ends_with('.') && std::ranges::find(ends, rest) != std::end(ends));
}

bool is_known_brand(std::string_view brand) {
  // Of ISO, MPEG, 3GPP, Apple and Adobe, with a version or a profile after them.
  static constexpr std::string_view families[] = {"iso", "mp4", "mp7", "3g",
                                                  "M4",  "F4",  "f4",  "cmf"};
  static constexpr std::string_view known[] = {"qt  ", "avc1", "hvc1", "av01", "dash",
                                               "msdh", "msix", "MSNV", "XAVC", "mmp4",
                                               "isml", "piff", "dby1"};
  const auto begins = [&](std::string_view family) { return brand.starts_with(family); };
  return std::ranges::any_of(families, begins) ||
         std::ranges::find(known, brand) != std::end(known);
}

bool is_neutral_handler(std::string_view name) {
  return std::ranges::find(neutral_handlers, text_without_length(name)) !=
         std::end(neutral_handlers);
}

bool is_neutral_encoder(std::string_view name) {
  return std::ranges::find(neutral_encoders, text_without_length(name)) !=
         std::end(neutral_encoders);
}

std::string name_of_type(std::string_view type) {
  std::string name;
  for (const char c : type) {
    if (c == '\xa9')
      name += "©";
    else
      name += c;
  }
  return name;
}

std::string name_of_box(const Source& source, const Box& box) {
  if (box.type != "uuid") return name_of_type(box.type);
  uint8_t bytes[16];
  std::string name = "uuid:";
  if (box.size() < sizeof bytes || !source.read_all(box.content, bytes)) return name;
  for (const uint8_t byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    name += digits;
  }
  return name;
}

std::string text_of(std::span<const uint8_t> content, TextForm form) {
  ByteReader reader(content);
  switch (form) {
    case TextForm::none:
      return {};
    case TextForm::plain:
      break;
    case TextForm::international: {
      const size_t length = reader.u16();
      reader.skip(2);
      if (reader.ok() && length <= reader.remaining())
        return std::string(as_text(reader.take(length)));
      reader = ByteReader(content);
      break;
    }
    case TextForm::three_gpp:
      reader.skip(6);
      break;
  }
  const std::string_view text = as_text(reader.take(reader.remaining()));
  return std::string(text.substr(0, text.find('\0')));
}

std::string shortened(std::string_view text) { return printable(text.substr(0, 400), 80); }

SampleForm picture_form(std::string_view codec) {
  struct Form {
    std::string_view codec;
    SampleForm form;
  };
  static constexpr Form forms[] = {
      {"avc1", SampleForm::h264},     {"avc2", SampleForm::h264},
      {"avc3", SampleForm::h264},     {"avc4", SampleForm::h264},
      {"dva1", SampleForm::h264},     {"dvav", SampleForm::h264},
      {"hvc1", SampleForm::h265},     {"hev1", SampleForm::h265},
      {"dvh1", SampleForm::h265},     {"dvhe", SampleForm::h265},
      {"av01", SampleForm::av1},      {"jpeg", SampleForm::jpeg},
      {"mjpa", SampleForm::jpeg},     {"mjpb", SampleForm::jpeg},
      {"mp4v", SampleForm::mpeg4},    {"vp08", SampleForm::harmless},
      {"vp09", SampleForm::harmless}, {"s263", SampleForm::harmless},
      {"h263", SampleForm::harmless}, {"H263", SampleForm::harmless},
      {"apch", SampleForm::prores},   {"apcn", SampleForm::prores},
      {"apcs", SampleForm::prores},   {"apco", SampleForm::prores},
      {"ap4h", SampleForm::prores},   {"ap4x", SampleForm::prores},
      {"AVdn", SampleForm::vc3},      {"AVdh", SampleForm::vc3},
      {"png ", SampleForm::png},      {"LJPG", SampleForm::jpeg},
      {"dvc ", SampleForm::dv},       {"dvcp", SampleForm::dv},
      {"dvpp", SampleForm::dv},       {"dv5n", SampleForm::dv},
      {"dv5p", SampleForm::dv},       {"dvh2", SampleForm::dv},
      {"dvh3", SampleForm::dv},       {"dvh5", SampleForm::dv},
      {"dvh6", SampleForm::dv},       {"dvhp", SampleForm::dv},
      {"dvhq", SampleForm::dv},       {"AVdv", SampleForm::dv},
      {"m1v ", SampleForm::mpeg2},    {"m1v1", SampleForm::mpeg2},
      {"m2v1", SampleForm::mpeg2},    {"mpg1", SampleForm::mpeg2},
      {"mpg2", SampleForm::mpeg2},    {"raw ", SampleForm::harmless},
      {"2vuy", SampleForm::harmless}, {"yuv2", SampleForm::harmless},
      {"v210", SampleForm::harmless}, {"FFV1", SampleForm::harmless},
  };
  for (const Form& form : forms)
    if (form.codec == codec) return form.form;
  // HDV, XDCAM and IMX, with a letter or two for the size and the rate.
  static constexpr std::string_view mpeg2[] = {"hdv", "xdv", "xd5", "xd4",
                                               "xdh", "mx5", "mx4", "mx3"};
  const auto begins = [&](std::string_view family) { return codec.starts_with(family); };
  return std::ranges::any_of(mpeg2, begins) ? SampleForm::mpeg2 : SampleForm::unknown;
}

bool is_known_sound(std::string_view codec) {
  static constexpr std::string_view known[] = {
      "mp4a", "ac-3", "ec-3", "ac-4", "Opus", "fLaC", "alac", "samr", "sawb", "sowt", "twos",
      "in24", "in32", "fl32", "fl64", "lpcm", "ipcm", "fpcm", "raw ", "ulaw", "alaw", "ima4",
      ".mp3", "mp3 ", ".mp2", "mha1", "mhm1", "dtsc", "dtsh", "dtsl", "dtse", "mlpa", "agsm"};
  return std::ranges::find(known, codec) != std::end(known);
}

SampleForm form_of_object(uint8_t type, bool sound) {
  const auto between = [&](uint8_t first, uint8_t last) { return type >= first && type <= last; };
  using namespace object_type;
  if (sound) {
    const bool known = type == mpeg4_aac || between(mpeg2_aac_first, mpeg2_aac_last) ||
                       type == mpeg2_sound || type == mpeg1_sound || type == ac3 || type == eac3 ||
                       between(dts_first, dts_last) || type == opus || type == vorbis;
    return known ? SampleForm::harmless : SampleForm::unknown;
  }
  if (type == object_type::jpeg) return SampleForm::jpeg;
  if (type == object_type::png) return SampleForm::png;
  if (type == mpeg4_visual) return SampleForm::mpeg4;
  const bool mpeg2 = type == mpeg1_visual || between(mpeg2_visual_first, mpeg2_visual_last);
  return mpeg2 ? SampleForm::mpeg2 : SampleForm::unknown;
}

bool is_known_group(std::string_view type) { return size_of_group(type).has_value(); }

bool is_encrypted_format(std::string_view codec) {
  static constexpr std::string_view encrypted[] = {"encv", "enca", "enct", "encs",
                                                   "encm", "encf", "drms", "drmi"};
  return std::ranges::find(encrypted, codec) != std::end(encrypted);
}

}  // namespace sphere::media
