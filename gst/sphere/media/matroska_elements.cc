// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/matroska_elements.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/media/ebml.h"

namespace sphere::media {

namespace {

using enum PartClass;

// From RFC 9559, section 5. What is not here is unknown.
constexpr MatroskaRule rules[] = {
    {0x1A45DFA3, "EBML", useful, true, ""},
    {0x4286, "EBMLVersion", useful, false, ""},
    {0x42F7, "EBMLReadVersion", useful, false, ""},
    {0x42F2, "EBMLMaxIDLength", useful, false, ""},
    {0x42F3, "EBMLMaxSizeLength", useful, false, ""},
    {0x4282, "DocType", useful, false, ""},
    {0x4287, "DocTypeVersion", useful, false, ""},
    {0x4285, "DocTypeReadVersion", useful, false, ""},

    {0x114D9B74, "SeekHead", useful, true, ""},
    {0x4DBB, "Seek", useful, true, ""},
    {0x53AB, "SeekID", useful, false, ""},
    {0x53AC, "SeekPosition", useful, false, ""},

    {0x1549A966, "Info", useful, true, ""},
    {0x2AD7B1, "TimestampScale", useful, false, ""},
    {0x4489, "Duration", useful, false, ""},
    {0x73A4, "SegmentUUID", identity, false, "unique id of the file"},
    {0x7384, "SegmentFilename", identity, false, "name of the file"},
    {0x3CB923, "PrevUUID", identity, false, "unique id of another file"},
    {0x3C83AB, "PrevFilename", identity, false, "name of another file"},
    {0x3EB923, "NextUUID", identity, false, "unique id of another file"},
    {0x3E83BB, "NextFilename", identity, false, "name of another file"},
    {0x4444, "SegmentFamily", identity, false, "unique id of several files"},
    {0x4461, "DateUTC", time, false, "when the file was made"},
    {0x7BA9, "Title", identity, false, "title"},
    {0x4D80, "MuxingApp", identity, false, "program that made the file"},
    {0x5741, "WritingApp", identity, false, "program that made the file"},

    {0x1654AE6B, "Tracks", useful, true, ""},
    {0xAE, "TrackEntry", useful, true, ""},
    {0xD7, "TrackNumber", useful, false, ""},
    {0x73C5, "TrackUID", identity, false, "unique id of the track"},
    {0x83, "TrackType", useful, false, ""},
    {0xB9, "FlagEnabled", useful, false, ""},
    {0x88, "FlagDefault", useful, false, ""},
    {0x55AA, "FlagForced", useful, false, ""},
    {0x55AB, "FlagHearingImpaired", useful, false, ""},
    {0x55AC, "FlagVisualImpaired", useful, false, ""},
    {0x55AD, "FlagTextDescriptions", useful, false, ""},
    {0x55AE, "FlagOriginal", useful, false, ""},
    {0x55AF, "FlagCommentary", useful, false, ""},
    {0x9C, "FlagLacing", useful, false, ""},
    {0x6DE7, "MinCache", useful, false, ""},
    {0x6DF8, "MaxCache", useful, false, ""},
    {0x23E383, "DefaultDuration", useful, false, ""},
    {0x234E7A, "DefaultDecodedFieldDuration", useful, false, ""},
    {0x23314F, "TrackTimestampScale", useful, false, ""},
    {0x55EE, "MaxBlockAdditionID", useful, false, ""},
    {0x536E, "Name", unknown, false, "name of the track"},
    {0x22B59C, "Language", useful, false, ""},
    {0x22B59D, "LanguageBCP47", useful, false, ""},
    {0x86, "CodecID", useful, false, ""},
    {0x63A2, "CodecPrivate", useful, false, ""},
    {0x258688, "CodecName", unknown, false, "name of the codec"},
    {0xAA, "CodecDecodeAll", useful, false, ""},
    {0x56AA, "CodecDelay", useful, false, ""},
    {0x56BB, "SeekPreRoll", useful, false, ""},

    {0xE0, "Video", useful, true, ""},
    {0x9A, "FlagInterlaced", useful, false, ""},
    {0x9D, "FieldOrder", useful, false, ""},
    {0x53B8, "StereoMode", useful, false, ""},
    {0x53C0, "AlphaMode", useful, false, ""},
    {0xB0, "PixelWidth", useful, false, ""},
    {0xBA, "PixelHeight", useful, false, ""},
    {0x54AA, "PixelCropBottom", useful, false, ""},
    {0x54BB, "PixelCropTop", useful, false, ""},
    {0x54CC, "PixelCropLeft", useful, false, ""},
    {0x54DD, "PixelCropRight", useful, false, ""},
    {0x54B0, "DisplayWidth", useful, false, ""},
    {0x54BA, "DisplayHeight", useful, false, ""},
    {0x54B2, "DisplayUnit", useful, false, ""},
    {0x54B3, "AspectRatioType", useful, false, ""},
    {0x2EB524, "UncompressedFourCC", useful, false, ""},
    {0x2383E3, "FrameRate", useful, false, ""},
    {0x55B0, "Colour", useful, true, ""},
    {0x55B1, "MatrixCoefficients", useful, false, ""},
    {0x55B2, "BitsPerChannel", useful, false, ""},
    {0x55B3, "ChromaSubsamplingHorz", useful, false, ""},
    {0x55B4, "ChromaSubsamplingVert", useful, false, ""},
    {0x55B5, "CbSubsamplingHorz", useful, false, ""},
    {0x55B6, "CbSubsamplingVert", useful, false, ""},
    {0x55B7, "ChromaSitingHorz", useful, false, ""},
    {0x55B8, "ChromaSitingVert", useful, false, ""},
    {0x55B9, "Range", useful, false, ""},
    {0x55BA, "TransferCharacteristics", useful, false, ""},
    {0x55BB, "Primaries", useful, false, ""},
    {0x55BC, "MaxCLL", useful, false, ""},
    {0x55BD, "MaxFALL", useful, false, ""},
    {0x55D0, "MasteringMetadata", useful, true, ""},
    {0x55D1, "PrimaryRChromaticityX", useful, false, ""},
    {0x55D2, "PrimaryRChromaticityY", useful, false, ""},
    {0x55D3, "PrimaryGChromaticityX", useful, false, ""},
    {0x55D4, "PrimaryGChromaticityY", useful, false, ""},
    {0x55D5, "PrimaryBChromaticityX", useful, false, ""},
    {0x55D6, "PrimaryBChromaticityY", useful, false, ""},
    {0x55D7, "WhitePointChromaticityX", useful, false, ""},
    {0x55D8, "WhitePointChromaticityY", useful, false, ""},
    {0x55D9, "LuminanceMax", useful, false, ""},
    {0x55DA, "LuminanceMin", useful, false, ""},
    {0x7670, "Projection", useful, true, ""},
    {0x7671, "ProjectionType", useful, false, "360 marking"},
    {0x7672, "ProjectionPrivate", useful, false, ""},
    {0x7673, "ProjectionPoseYaw", useful, false, ""},
    {0x7674, "ProjectionPosePitch", useful, false, ""},
    {0x7675, "ProjectionPoseRoll", useful, false, ""},

    {0xE1, "Audio", useful, true, ""},
    {0xB5, "SamplingFrequency", useful, false, ""},
    {0x78B5, "OutputSamplingFrequency", useful, false, ""},
    {0x9F, "Channels", useful, false, ""},
    {0x6264, "BitDepth", useful, false, ""},
    {0x52F1, "Emphasis", useful, false, ""},

    {0x6D80, "ContentEncodings", useful, true, ""},
    {0x6240, "ContentEncoding", useful, true, ""},
    {0x5031, "ContentEncodingOrder", useful, false, ""},
    {0x5032, "ContentEncodingScope", useful, false, ""},
    {0x5033, "ContentEncodingType", useful, false, ""},
    {0x5034, "ContentCompression", useful, true, ""},
    {0x4254, "ContentCompAlgo", useful, false, ""},
    {0x4255, "ContentCompSettings", useful, false, ""},

    {0x1C53BB6B, "Cues", useful, true, ""},
    {0xBB, "CuePoint", useful, true, ""},
    {0xB3, "CueTime", useful, false, ""},
    {0xB7, "CueTrackPositions", useful, true, ""},
    {0xF7, "CueTrack", useful, false, ""},
    {0xF1, "CueClusterPosition", useful, false, ""},
    {0xF0, "CueRelativePosition", useful, false, ""},
    {0xB2, "CueDuration", useful, false, ""},
    {0x5378, "CueBlockNumber", useful, false, ""},
    {0xEA, "CueCodecState", useful, false, ""},
    {0xDB, "CueReference", useful, true, ""},
    {0x96, "CueRefTime", useful, false, ""},

    {0x1254C367, "Tags", useful, true, ""},
    {0x7373, "Tag", useful, true, ""},
    {0x63C0, "Targets", useful, true, ""},
    {0x68CA, "TargetTypeValue", useful, false, ""},
    {0x63CA, "TargetType", useful, false, ""},
    {0x63C5, "TagTrackUID", identity, false, "unique id of a track"},
};

// Of the tag itself; those of RFC 9559's registry that have to do with people are unknown or below.
constexpr std::pair<std::string_view, PartClass> tag_classes[] = {
    {"BPS", useful},
    {"DURATION", useful},
    {"NUMBER_OF_FRAMES", useful},
    {"NUMBER_OF_BYTES", useful},
    {"_STATISTICS_TAGS", useful},
    {"_STATISTICS_WRITING_APP", identity},
    {"ENCODER", identity},
    {"HANDLER_NAME", identity},
    {"ENCODER_SETTINGS", identity},
    {"ENCODED_BY", identity},
    {"ARTIST", identity},
    {"AUTHOR", identity},
    {"TITLE", identity},
    {"COMMENT", identity},
    {"DESCRIPTION", identity},
    {"COPYRIGHT", identity},
    {"MAKE", identity},
    {"MODEL", identity},
};
constexpr std::string_view place_words[] = {"LOCATION",  "GPS",     "LATITUDE",
                                            "LONGITUDE", "ISO6709", "GEO"};
constexpr std::string_view time_words[] = {"DATE", "TIME"};
constexpr std::string_view identity_words[] = {"SERIAL", "OWNER", "DEVICE", "CAMERA", "UNIQUE"};

constexpr std::pair<std::string_view, CodecData> codecs[] = {
    {"V_MPEG4/ISO/AVC", CodecData::h264},
    {"V_MPEGH/ISO/HEVC", CodecData::h265},
    {"V_AV1", CodecData::av1},
    {"V_MJPEG", CodecData::jpeg},
    {"V_MPEG1", CodecData::mpeg2},
    {"V_MPEG2", CodecData::mpeg2},
    {"V_MPEG4/ISO/SP", CodecData::mpeg4},
    {"V_MPEG4/ISO/ASP", CodecData::mpeg4},
    {"V_MPEG4/ISO/AP", CodecData::mpeg4},
    {"V_VP8", CodecData::none},
    {"V_VP9", CodecData::none},
    {"V_PRORES", CodecData::prores},
    {"V_FFV1", CodecData::none},
    {"V_UNCOMPRESSED", CodecData::none},
    {"A_FLAC", CodecData::flac},
    {"A_VORBIS", CodecData::vorbis},
    {"A_OPUS", CodecData::none},
    {"A_OPUS/EXPERIMENTAL", CodecData::none},
    {"A_AAC", CodecData::none},
    {"A_AAC/MPEG2/MAIN", CodecData::none},
    {"A_AAC/MPEG2/LC", CodecData::none},
    {"A_AAC/MPEG2/LC/SBR", CodecData::none},
    {"A_AAC/MPEG2/SSR", CodecData::none},
    {"A_AAC/MPEG4/MAIN", CodecData::none},
    {"A_AAC/MPEG4/LC", CodecData::none},
    {"A_AAC/MPEG4/LC/SBR", CodecData::none},
    {"A_AAC/MPEG4/SSR", CodecData::none},
    {"A_AAC/MPEG4/LTP", CodecData::none},
    {"A_PCM/INT/LIT", CodecData::none},
    {"A_PCM/INT/BIG", CodecData::none},
    {"A_PCM/FLOAT/IEEE", CodecData::none},
    {"A_MPEG/L1", CodecData::none},
    {"A_MPEG/L2", CodecData::none},
    {"A_MPEG/L3", CodecData::none},
    {"A_AC3", CodecData::none},
    {"A_AC3/BSID9", CodecData::none},
    {"A_AC3/BSID10", CodecData::none},
    {"A_EAC3", CodecData::none},
    {"A_ALAC", CodecData::none},
    {"A_DTS", CodecData::none},
    {"A_DTS/EXPRESS", CodecData::none},
    {"A_DTS/LOSSLESS", CodecData::none},
    {"A_TRUEHD", CodecData::none},
    {"A_MLP", CodecData::none},
    {"A_TTA1", CodecData::none},
};
constexpr std::pair<std::string_view, CodecData> windows_codecs[] = {
    {"XVID", CodecData::mpeg4}, {"xvid", CodecData::mpeg4}, {"DIVX", CodecData::mpeg4},
    {"divx", CodecData::mpeg4}, {"DX50", CodecData::mpeg4}, {"FMP4", CodecData::mpeg4},
    {"MP4V", CodecData::mpeg4}, {"mp4v", CodecData::mpeg4}, {"MJPG", CodecData::jpeg},
    {"mjpg", CodecData::jpeg},  {"LJPG", CodecData::jpeg},  {"MPNG", CodecData::png},
    {"dvsd", CodecData::dv},    {"DVSD", CodecData::dv},    {"dv25", CodecData::dv},
    {"dv50", CodecData::dv},    {"dvh1", CodecData::dv},    {"mpg1", CodecData::mpeg2},
    {"MPG1", CodecData::mpeg2}, {"mpg2", CodecData::mpeg2}, {"MPG2", CodecData::mpeg2},
    {"FFV1", CodecData::none},  {"v210", CodecData::none},  {"H263", CodecData::none},
};
/// What has more than a number: the names of the file's form and of the codecs, languages, the
/// bounds of a projection.
enum class Text { doc_type, codec, language, language_tag, target };
constexpr std::pair<uint32_t, Text> texts[] = {{ebml_id::doc_type, Text::doc_type},
                                               {ebml_id::codec, Text::codec},
                                               {0x22B59C, Text::language},
                                               {0x22B59D, Text::language_tag},
                                               {0x63CA, Text::target}};
constexpr std::string_view target_types[] = {
    "COLLECTION", "EDITION", "ISSUE",   "VOLUME", "OPUS",    "SEASON",   "SEQUEL",
    "ALBUM",      "OPERA",   "CONCERT", "MOVIE",  "EPISODE", "PART",     "SESSION",
    "TRACK",      "SONG",    "CHAPTER", "SHOT",   "SCENE",   "SUBTRACK", "MOVEMENT"};
constexpr size_t largest_number = 8;

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }
bool is_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}

/// Such as "eng", "es-419" and "de-CH-1996".
bool is_language(std::string_view text, size_t longest) {
  return text.size() <= longest && std::ranges::count_if(text, is_digit) <= 4 &&
         std::ranges::all_of(text, [](char letter) {
           return is_letter(letter) || is_digit(letter) || letter == '-' || letter == '_';
         });
}

}  // namespace

const MatroskaRule* matroska_rule(uint32_t id) {
  static const auto sorted = [] {
    auto list = std::to_array(rules);
    std::ranges::sort(list, {}, &MatroskaRule::id);
    return list;
  }();
  const auto rule = std::ranges::lower_bound(sorted, id, {}, &MatroskaRule::id);
  return rule != sorted.end() && rule->id == id ? &*rule : nullptr;
}

PartClass matroska_tag_class(std::string_view name) {
  std::string upper(name);
  for (char& letter : upper)
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  for (const auto& [known, part_class] : tag_classes)
    if (upper == known) return part_class;
  const auto has = [&](std::string_view word) { return upper.find(word) != std::string::npos; };
  if (std::ranges::any_of(place_words, has)) return place;
  if (std::ranges::any_of(time_words, has)) return time;
  if (std::ranges::any_of(identity_words, has)) return identity;
  return unknown;
}

CodecData matroska_codec_data(std::string_view codec) {
  for (const auto& [name, data] : codecs)
    if (codec == name) return data;
  return CodecData::not_known;
}

size_t longest_private_data(std::string_view codec) {
  // The cookie of ALAC can have a layout of channels, the record of FFV1 has tables of contexts.
  static constexpr std::pair<std::string_view, size_t> lengths[] = {
      {"A_ALAC", 48}, {"V_VP9", 12}, {"V_PRORES", 4}, {"V_FFV1", 256}, {windows_codec, 256}};
  for (const auto& [name, length] : lengths)
    if (codec == name) return length;
  return 0;
}

bool is_plain_content(uint32_t id, std::span<const uint8_t> content) {
  const auto found = std::ranges::find(texts, id, &std::pair<uint32_t, Text>::first);
  if (found == std::end(texts)) return content.size() <= largest_number;
  // A text may end with zeros.
  std::string_view text = as_text(content);
  text = text.substr(0, text.find_last_not_of('\0') + 1);
  switch (found->second) {
    case Text::doc_type:
      return text == "matroska" || text == "webm";
    case Text::codec:
      return content.size() <= longest_plain &&
             (text == windows_codec || matroska_codec_data(text) != CodecData::not_known);
    case Text::language:
      return is_language(text, 6);
    case Text::language_tag:
      return is_language(text, 16);
    case Text::target:
      return std::ranges::find(target_types, text) != std::end(target_types);
  }
  return false;
}

bool is_plain_tag(std::string_view name, std::string_view text) {
  if (name == "_STATISTICS_TAGS") {
    while (!text.empty()) {
      const std::string_view word = text.substr(0, text.find(' '));
      if (matroska_tag_class(word) != useful) return false;
      text.remove_prefix(std::min(text.size(), word.size() + 1));
    }
    return true;
  }
  // A number, or a time as 00:00:01.000000000.
  const bool is_time = name == "DURATION";
  return text.size() <= (is_time ? 24 : 20) && std::ranges::all_of(text, [&](char letter) {
           return is_digit(letter) || (is_time && (letter == ':' || letter == '.'));
         });
}

CodecData windows_codec_data(std::string_view letters) {
  for (const auto& [name, data] : windows_codecs)
    if (letters == name) return data;
  return CodecData::not_known;
}

}  // namespace sphere::media
