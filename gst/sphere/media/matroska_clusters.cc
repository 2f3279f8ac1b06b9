// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/matroska_clusters.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/codec_config.h"
#include "gst/sphere/media/embedded.h"
#include "gst/sphere/media/sample_tables.h"
#include "gst/sphere/media/sound_channels.h"
#include "gst/sphere/media/vorbis.h"

namespace sphere::media {

namespace {

// In a cluster: its time, its offset, the length of the one before.
constexpr uint32_t cluster_numbers[] = {0xE7, ebml_id::cluster_position, 0xAB};
// In a group: duration, priority, references, padding.
constexpr uint32_t group_numbers[] = {0x9B, 0xFA, 0xFB, 0x75A2};
// After the number of the track: a time of two bytes, and flags.
constexpr uint64_t block_head = 3;
constexpr uint8_t lacing_flags = 0x06;

bool is_number(const Element& element, std::span<const uint32_t> ids) {
  return element.size() <= 8 && std::ranges::find(ids, element.id) != ids.end();
}

SampleForm form_of(CodecData data) {
  switch (data) {
    case CodecData::h264:
      return SampleForm::h264;
    case CodecData::h265:
      return SampleForm::h265;
    case CodecData::av1:
      return SampleForm::av1;
    case CodecData::jpeg:
      return SampleForm::jpeg;
    case CodecData::mpeg2:
      return SampleForm::mpeg2;
    case CodecData::mpeg4:
      return SampleForm::mpeg4;
    case CodecData::dv:
      return SampleForm::dv;
    case CodecData::png:
      return SampleForm::png;
    case CodecData::prores:
      return SampleForm::prores;
    default:
      return SampleForm::harmless;
  }
}

/// Reads the private data of codecs and replaces what may not stay, at the same length.
class PrivateEditor {
 public:
  PrivateEditor(const Source& source, uint64_t offset, std::span<const uint8_t> bytes,
                BlockTrack* track, Findings* findings, std::vector<Edit>* edits)
      : source_(source),
        offset_(offset),
        bytes_(bytes),
        track_(*track),
        findings_(*findings),
        edits_(*edits) {}

  Status run() {
    switch (track_.data) {
      case CodecData::h264:
      case CodecData::h265:
      case CodecData::av1:
      case CodecData::jpeg:
      case CodecData::mpeg2:
      case CodecData::mpeg4:
      case CodecData::dv:
      case CodecData::png:
        return edit_pictures(form_of(track_.data));
      case CodecData::flac:
        return edit_flac();
      case CodecData::vorbis:
        return edit_vorbis();
      case CodecData::prores:
      case CodecData::none:
        return edit_plain();
      default:
        return ok();
    }
  }

 private:
  Error wrong() const { return damaged("the private data of a track can't be read"); }

  void replace(size_t at, std::vector<uint8_t> bytes, const char* what) {
    if (std::equal(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at)))
      return;
    const Where where{offset_ + at, bytes.size(), track_.path + "/CodecPrivate"};
    if (!findings_.add(where, {PartClass::unknown, what}))
      edits_.push_back({where.offset, where.length, std::move(bytes)});
  }

  /// Of coded pictures. What comes after it is removed, too.
  Status edit_pictures(SampleForm form) {
    SampleSettings settings;
    settings.form = form;
    settings.path = track_.path + "/CodecPrivate";
    settings.keeps = Keeps::of(findings_.request());
    if (form == SampleForm::h264 || form == SampleForm::h265) {
      track_.length_size = unit_length_size(form, bytes_);
      if (track_.length_size < 0) return wrong();
    }
    // Windows' description of a picture comes first.
    const size_t head = std::min(track_.private_head, bytes_.size());
    settings.timings = track_.timings = picture_timings(form, bytes_.subspan(head));
    SampleReport report;
    const Result<size_t> used = edit_codec_config(source_, settings, offset_ + head,
                                                  bytes_.subspan(head), &edits_, &report);
    if (!used) return used.error();
    report.finish(&findings_);
    replace(head + *used, std::vector<uint8_t>(bytes_.size() - head - *used),
            "bytes after a description");
    return ok();
  }

  /// Blocks after the first one become padding.
  Status edit_flac() {
    constexpr int stream_info = 0, padding = 1, seek_table = 3;
    ByteReader reader(bytes_);
    if (!reader.starts_with("fLaC")) return wrong();
    for (bool last = false; !last;) {
      const size_t at = reader.position();
      const int head = reader.u8();
      last = head & 0x80;
      const size_t length = reader.u24();
      reader.take(length);
      if (!reader.ok()) return wrong();
      const int type = head & 0x7f;
      if (type == stream_info || type == seek_table) continue;
      std::vector<uint8_t> block(4 + length);
      block[0] = static_cast<uint8_t>((head & 0x80) | padding);
      std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at) + 1, 3, block.begin() + 1);
      replace(at, std::move(block), "comments of the sound");
    }
    return ok();
  }

  /// What the decoder does not need becomes zero.
  Status edit_plain() {
    std::vector<ByteRange> idle;
    const uint64_t longest = track_.private_head + longest_private_data(track_.codec);
    if (track_.codec.starts_with("A_AAC"))
      idle = idle_bytes_of_aac(bytes_);
    else if (track_.codec.starts_with("A_OPUS"))
      idle = idle_bytes_of_opus(bytes_);
    else if (bytes_.size() > longest)
      idle.push_back({longest, bytes_.size()});
    for (const ByteRange& part : idle)
      replace(static_cast<size_t>(part.begin),
              std::vector<uint8_t>(static_cast<size_t>(part.end - part.begin)),
              "bytes that the decoder does not need");
    return ok();
  }

  Status edit_vorbis() {
    std::optional<VorbisComments> comments = find_vorbis_comments(bytes_);
    if (!comments) return wrong();
    replace(comments->offset, std::move(comments->empty), "comments of the sound");
    return ok();
  }

  const Source& source_;
  const uint64_t offset_;
  const std::span<const uint8_t> bytes_;
  BlockTrack& track_;
  Findings& findings_;
  std::vector<Edit>& edits_;
};

}  // namespace

Status examine_codec_private(const Source& source, uint64_t offset, std::span<const uint8_t> bytes,
                             BlockTrack* track, Findings* findings, std::vector<Edit>* edits) {
  return PrivateEditor(source, offset, bytes, track, findings, edits).run();
}

void append_void(uint64_t begin, uint64_t length, std::vector<Edit>* edits) {
  std::vector<uint8_t> head = ebml_void_head(length);
  const uint64_t rest = length - head.size(), content = begin + head.size();
  edits->push_back({begin, head.size(), std::move(head)});
  if (rest) edits->push_back({content, rest, {}, true});
}

ClusterEdits::ClusterEdits(const Source& source, const Element& segment,
                           std::shared_ptr<const std::vector<BlockTrack>> tracks,
                           const Keeps& keeps, SampleReport* report)
    : source_(source),
      reader_(source),
      tracks_(std::move(tracks)),
      keeps_(keeps),
      report_(report),
      position_(segment.content),
      end_(segment.end) {
  for (const BlockTrack& track : *tracks_) {
    SampleSettings settings;
    settings.form = form_of(track.data);
    settings.length_size = track.length_size;
    settings.timings = track.timings;
    settings.bare = true;
    settings.path = track.path;
    settings.keeps = keeps;
    editors_.push_back(make_sample_editor(source, settings));
  }
}

Result<std::optional<Edit>> ClusterEdits::next() {
  if (next_ready_ == ready_.size()) {
    ready_.clear();
    next_ready_ = 0;
    if (const Status filled = fill(); !filled) return filled.error();
  }
  if (ready_.empty()) return std::optional<Edit>();
  return std::optional(std::move(ready_[next_ready_++]));
}

/// Reads on until there is an edit.
Status ClusterEdits::fill() {
  while (ready_.empty() && position_ < end_) {
    Element element;
    const bool inside = position_ < cluster_end_;
    const uint64_t end = inside ? cluster_end_ : end_;
    if (const Status read = reader_.element(position_, end, &element); !read) return read;
    // A cluster of unknown size ends where the next element of the segment begins.
    if (inside && is_top_level(element.id)) {
      cluster_end_ = position_;
      continue;
    }
    if (element.id == ebml_id::cluster) {
      cluster_end_ = element.end;
      position_ = element.content;
      continue;
    }
    position_ = element.end;
    if (inside)
      if (const Status edited = edit_element(element); !edited) return edited;
  }
  return ok();
}

void ClusterEdits::remove(const Element& element, const std::string& path, const char* what) {
  const bool stays = keeps_(PartClass::unknown);
  if (report_)
    report_->add(path, PartClass::unknown, what, {}, element.begin, element.length(), !stays);
  if (!stays) append_void(element.begin, element.length(), &ready_);
}

Status ClusterEdits::edit_element(const Element& element) {
  if (is_number(element, cluster_numbers)) return ok();
  switch (element.id) {
    case ebml_id::simple_block:
      return edit_block(element, element);
    case ebml_id::block_group:
      return edit_group(element);
    case ebml_id::encrypted_block:
      return unsupported("a track is encrypted, so it can't be examined");
    case ebml_id::crc32:
      // What it is a checksum of may be changed, and nothing needs it.
      if (!keeps_(PartClass::unknown)) append_void(element.begin, element.length(), &ready_);
      return ok();
    case ebml_id::void_:
      if (only_zeros(source_, element.content, element.end)) return ok();
      if (report_)
        report_->add("Cluster", PartClass::unknown, "unused bytes that are not zero", {},
                     element.begin, element.length(), !keeps_(PartClass::unknown));
      if (!keeps_(PartClass::unknown))
        ready_.push_back({element.content, element.size(), {}, true});
      return ok();
    default:
      remove(element, "Cluster", "element of an unknown kind");
      return ok();
  }
}

Status ClusterEdits::edit_group(const Element& group) {
  Element block;
  size_t blocks = 0;
  const Status found = reader_.children(group, [&](const Element& child) -> Status {
    if (child.id == ebml_id::block) {
      block = child;
      ++blocks;
    }
    return ok();
  });
  if (!found) return found;
  if (blocks != 1) {
    remove(group, "Cluster", blocks ? "group with several blocks" : "group without a block");
    return ok();
  }
  const size_t before = ready_.size();
  if (const Status edited = edit_block(block, group); !edited) return edited;
  // Removed whole.
  if (ready_.size() > before && ready_[before].offset == group.begin) return ok();
  const Status read = reader_.children(group, [&](const Element& child) -> Status {
    if (child.id == ebml_id::block_additions) return edit_additions(child, block);
    if (child.id == ebml_id::block || is_number(child, group_numbers)) return ok();
    // Neither groups nor blocks belong into a group.
    if (child.id == ebml_id::void_ || child.id == ebml_id::crc32) return edit_element(child);
    remove(child, "Cluster", "element of an unknown kind");
    return ok();
  });
  std::ranges::sort(ready_, {}, &Edit::offset);
  return read;
}

Status ClusterEdits::edit_additions(const Element& additions, const Element& block) {
  uint64_t number = 0;
  if (const Status read = reader_.block_track(block, &number); !read) return read;
  const auto track = std::ranges::find(*tracks_, number, &BlockTrack::number);
  bool known = track != tracks_->end() && track->alpha;
  size_t pictures = 0;
  const Status read = reader_.children(additions, [&](const Element& more) -> Status {
    known &= more.id == ebml_id::block_more;
    return reader_.children(more, [&](const Element& child) -> Status {
      const bool first = child.id == ebml_id::block_add_id && reader_.number(child) == 1;
      known &= first || child.id == ebml_id::block_additional;
      pictures += child.id == ebml_id::block_additional;
      return ok();
    });
  });
  known &= pictures == 1;
  if (!read) return read;
  if (!known) remove(additions, "Cluster", "additions of an unknown kind");
  return ok();
}

/// `whole` is what is removed where the block may not stay.
Status ClusterEdits::edit_block(const Element& block, const Element& whole) {
  uint64_t number = 0;
  if (const Status read = reader_.block_track(block, &number); !read) return read;
  const uint64_t head = reader_.position();
  const auto track = std::ranges::find(*tracks_, number, &BlockTrack::number);
  if (track == tracks_->end()) {
    remove(whole, "Cluster", "block of a track that is not there");
    return ok();
  }
  if (track->dropped) {
    append_void(whole.begin, whole.length(), &ready_);
    return ok();
  }
  const auto& editor = editors_[static_cast<size_t>(track - tracks_->begin())];
  if (!editor) return ok();
  std::array<uint8_t, block_head> bytes{};
  if (head + block_head > block.end || !source_.read_all(head, bytes))
    return damaged("a block is too short");
  if (bytes.back() & lacing_flags) {
    if (keeps_(PartClass::unknown)) return ok();
    return unsupported("several pictures are in one block, so they can't be examined");
  }
  return editor->edit_sample(head + block_head, block.end - head - block_head, &ready_, report_);
}

}  // namespace sphere::media
