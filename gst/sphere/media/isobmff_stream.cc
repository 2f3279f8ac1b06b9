// SPDX-License-Identifier: LGPL-2.1-or-later
// Edits MP4 and MOV while a muxer writes it. Boxes are examined whole, with the boxes before them
// around them; media data passes. Where the muxer goes back to fill in the length of the media
// data, or to write its index once more, that is edited in the same way.

#include <algorithm>
#include <deque>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/box_editor.h"
#include "gst/sphere/media/box_edits.h"
#include "gst/sphere/media/edits.h"
#include "gst/sphere/media/findings.h"
#include "gst/sphere/media/isobmff_layout.h"
#include "gst/sphere/media/isobmff_media.h"
#include "gst/sphere/media/isobmff_tracks.h"
#include "gst/sphere/media/muxer_stream.h"
#include "gst/sphere/media/sample_tables.h"

namespace sphere::media {

namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t short_head = 8, long_head = 16;
// Bytes. The index of a day of pictures has some 50 MB.
constexpr uint64_t largest_box = 256 << 20;
// Boxes that changed their length. A muxer makes some.
constexpr size_t most_changes = 100'000;
// More than any file; the media data that is still to come ends there.
constexpr uint64_t far_end = uint64_t{1} << 60;

Error changed_again() {
  return unsupported(
      "the muxer changes what it has written already; use faststart, fragments, or no reserved "
      "space");
}

/// A box that was kept in memory.
struct StoredBox {
  uint64_t offset = 0;  ///< in the muxer's file
  Bytes bytes;
  uint64_t end() const { return offset + bytes.size(); }
};

/// A file of which only some boxes are known: media data is between and after them.
class SparseFile : public Source {
 public:
  /// In the order of offsets.
  explicit SparseFile(std::vector<const StoredBox*> boxes) {
    uint64_t position = 0;
    for (const StoredBox* box : boxes) {
      if (box->offset - position >= short_head) add_gap(position, box->offset);
      parts_.push_back({box->offset, box->bytes});
      position = box->end();
    }
    add_gap(position, far_end);
  }

  uint64_t size() const override { return far_end; }
  size_t read(uint64_t position, std::span<uint8_t> into) const override {
    if (position >= far_end) return 0;
    const auto count = static_cast<size_t>(std::min<uint64_t>(into.size(), far_end - position));
    std::ranges::fill(into.first(count), uint8_t{0});
    for (const Part& part : parts_) {
      const uint64_t begin = std::max(position, part.offset);
      const uint64_t end = std::min(position + count, part.offset + part.bytes.size());
      for (uint64_t i = begin; i < end; ++i)
        into[static_cast<size_t>(i - position)] = part.bytes[static_cast<size_t>(i - part.offset)];
    }
    return count;
  }

 private:
  struct Part {
    uint64_t offset;
    std::span<const uint8_t> bytes;
  };

  /// A box of media data fills it.
  void add_gap(uint64_t begin, uint64_t end) {
    Bytes& head = gaps_.emplace_back();
    const uint64_t size = end - begin;
    const bool is_long = size > std::numeric_limits<uint32_t>::max();
    append32(&head, is_long ? 1 : size);
    for (const char letter : std::string_view("mdat")) head.push_back(static_cast<uint8_t>(letter));
    if (is_long) append64(&head, size);
    parts_.push_back({begin, gaps_.back()});
  }

  std::vector<Part> parts_;
  std::deque<Bytes> gaps_;
};

std::string_view type_of(std::span<const uint8_t> box) {
  return {reinterpret_cast<const char*>(box.data()) + 4, 4};
}

class IsobmffStreamEditor : public MuxerStreamEditor {
 public:
  Status take(uint64_t offset, std::span<const uint8_t> bytes, const Request& request,
              std::vector<Write>* writes) override {
    if (bytes.empty()) return ok();
    adopt(request);
    if (offset != next_in_) return patch(offset, bytes, writes);
    next_in_ += bytes.size();
    // The length of the media data is not known yet: it ends where the muxer writes its index.
    if (open_media_ && !begins_movie(bytes)) {
      write(copy_of(bytes), writes);
      consumed_ += bytes.size();
      return ok();
    }
    if (open_media_) media_end_ = next_in_ - bytes.size();
    open_media_ = false;
    pending_.insert(pending_.end(), bytes.begin(), bytes.end());
    return run(writes);
  }

  Status end(const Request& request, std::vector<Write>* writes) override {
    adopt(request);
    if (next_in_ == 0) return ok();
    if (const Status done = run(writes); !done) return done;
    if (!pending_.empty() || left_ > 0 || !movie_) return invalid("the file ends too early");
    if (media_unsized_) return invalid("the length of the media data was never written");
    return ok();
  }

  std::optional<Bytes> header() const override {
    return edited_movie_.empty() ? std::nullopt : std::optional(edited_movie_);
  }

 private:
  void adopt(const Request& request) {
    if (!begun_) request_ = request;
    begun_ = true;
    request_.policy = request.policy;
    request_.position = request.position;
    request_.position_time = request.position_time;
  }

  /// Whether these bytes are a whole index.
  bool begins_movie(std::span<const uint8_t> bytes) const {
    constexpr size_t smallest = 16;
    if (movie_ || bytes.size() < smallest) return false;
    ByteReader reader(bytes);
    const uint32_t size = reader.u32();
    if (size != bytes.size() || !reader.starts_with("moov")) return false;
    reader.skip(4);
    return reader.starts_with("mvhd");
  }

  Status run(std::vector<Write>* writes) {
    for (;;) {
      if (left_ > 0) {
        const auto now = static_cast<size_t>(std::min<uint64_t>(left_, pending_.size()));
        left_ -= now;
        pass(now, writes);
        if (left_ > 0) return ok();
      }
      if (open_media_) {
        pass(pending_.size(), writes);
        return ok();
      }
      const Result<bool> more = take_box(writes);
      if (!more) return more.error();
      if (!*more) return ok();
    }
  }

  /// The next box; false if it is not all there.
  Result<bool> take_box(std::vector<Write>* writes) {
    if (pending_.size() < short_head) return false;
    ByteReader reader(pending_);
    uint64_t size = reader.u32(), head = short_head;
    const std::string type(type_of(pending_));
    reader.skip(4);
    if (size == 1) {
      if (pending_.size() < long_head) return false;
      size = reader.u64();
      head = long_head;
    }
    const bool media = type == "mdat";
    if (size != 0 && size < head) return damaged("the size of a box is wrong");
    if (media) {
      media_begin_ = consumed_;
      media_content_ = consumed_ + head;
      media_end_.reset();
      // A length of zero is filled in later, or means: up to the end of the file.
      media_unsized_ = size == 0 && !movie_;
      open_media_ = size == 0;
      left_ = size == 0 ? 0 : size - head;
      pass(static_cast<size_t>(head), writes);
      return true;
    }
    if (size == 0) return damaged("a box has no size");
    if (size > largest_box) return unsupported("a box ('" + type + "') is larger than 256 MiB");
    if (size > pending_.size()) return false;
    StoredBox box{consumed_, first(static_cast<size_t>(size))};
    drop(static_cast<size_t>(size));
    if (type == "free" || type == "skip" || type == "wide") {
      // The muxer may turn it into the beginning of the media data.
      space_ = box.offset;
      std::fill(box.bytes.begin() + short_head, box.bytes.end(), uint8_t{0});
      write(std::move(box.bytes), writes);
      return true;
    }
    if (const Status edited = take_known(std::move(box), type, writes); !edited)
      return edited.error();
    return true;
  }

  Status take_known(StoredBox box, const std::string& type, std::vector<Write>* writes) {
    if (type == "moov" && movie_) return damaged("it has two indexes (moov)");
    Result<Bytes> made = edit(box, type, &history_);
    if (!made) return made.error();
    if (history_.size() > most_changes)
      return unsupported("too many parts of the file have to be changed");
    if (type == "moov") {
      movie_out_ = next_out_;
      movie_had_position_ = request_.position.has_value();
      edited_movie_ = *made;
      movie_ = std::move(box);
    } else if (type == "ftyp") {
      type_ = std::move(box);
    }
    write(std::move(*made), writes);
    return ok();
  }

  /// The edited box. What changed its length is added to `history`.
  Result<Bytes> edit(const StoredBox& box, const std::string& type, std::vector<Edit>* history) {
    std::vector<const StoredBox*> known;
    if (type_ && type != "ftyp") known.push_back(&*type_);
    if (movie_ && type != "moov") known.push_back(&*movie_);
    known.push_back(&box);
    // Nothing is known of a file that has no index yet.
    StoredBox empty;
    if (!movie_ && type != "moov") {
      empty = {box.end(), empty_movie()};
      known.push_back(&empty);
    }
    const SparseFile source(known);
    Result<IsoLayout> layout = read_isobmff(source);
    if (!layout) return layout.error();
    Request request = request_;
    const bool has_pictures = std::ranges::any_of(
        layout->file.tracks, [](const Track& track) { return track.handler == "vide"; });
    if (!has_pictures) request.mark.reset();
    Examination found;
    Findings findings(request, &found);
    const Result<std::vector<TrackPlan>> plans = plan_tracks(source, *layout, &findings);
    if (!plans) return plans.error();
    if (const Status plain = check_plans(*plans, findings); !plain) return plain.error();

    Box target;
    if (box_at(source, box.offset, source.size(), true, &target) != Next::box)
      return damaged("a box can't be read");
    BoxEdits edits(false);
    BoxEditor editor(source, *layout, *plans, &findings, &edits);
    const Result<BoxEditor::Outcome> outcome = editor.edit(target, BoxParent::file, {});
    if (!outcome) return outcome.error();
    const std::vector<Edit> own = edits.take();
    std::vector<Edit> all = *history;
    all.insert(all.end(), own.begin(), own.end());
    sort_edits(&all);
    const OffsetMap map(all);
    BoxEdits moves(false);
    const Status moved = type == "moov"   ? move_chunks(source, *layout, *plans, map, &moves)
                         : type == "moof" ? move_fragments(source, *layout, *plans, map, &moves)
                                          : move_indexes(source, map, &moves);
    if (!moved) return moved.error();
    if (!own.empty()) *history = all;
    found.edits = own;
    std::ranges::move(moves.take(), std::back_inserter(found.edits));
    for (Edit& each : found.edits) each.offset -= box.offset;
    sort_edits(&found.edits);
    return edited(box.bytes, found);
  }

  /// The samples have passed, or will pass, as they are.
  Status check_plans(const std::vector<TrackPlan>& plans, const Findings& findings) const {
    if (findings.keeps_everything()) return ok();
    for (const TrackPlan& plan : plans)
      if (!plan.kept || plan.samples.form == SampleForm::camm ||
          plan.samples.form == SampleForm::gpmf)
        return unsupported("the file has a track with data (" + plan.samples.path +
                           "), which can't be taken out while it is written; use 'sphere redact'");
    return ok();
  }

  static Bytes empty_movie() {
    Bytes content(100);
    return make_box("moov", make_box("mvhd", content));
  }

  /// The muxer goes back.
  Status patch(uint64_t offset, std::span<const uint8_t> bytes, std::vector<Write>* writes) {
    if (movie_ && offset == movie_->offset && bytes.size() == movie_->bytes.size())
      return replace_movie(bytes, writes);
    const bool at_media = offset == media_begin_ || (space_ && offset == *space_);
    if (!at_media || media_content_ == 0 || offset + bytes.size() != media_content_ ||
        !only_heads(bytes))
      return changed_again();
    // The length must be that of what has passed.
    const StoredBox head{offset, {bytes.begin(), bytes.end()}};
    const std::optional<uint64_t> end = media_end(head);
    if (!end || (media_end_ && *end != *media_end_))
      return damaged("the muxer writes a wrong length of the media data");
    media_unsized_ = false;
    writes->push_back({media_out_ - (media_begin_ - offset), head.bytes});
    return ok();
  }

  /// Whether bytes are the heads of empty space and of media data, and nothing else.
  static bool only_heads(std::span<const uint8_t> bytes) {
    ByteReader reader(bytes);
    while (reader.remaining() >= short_head) {
      const uint32_t size = reader.u32();
      if (reader.starts_with("mdat")) {
        if (size == 1) reader.skip(8);
        break;
      }
      if (size != short_head || !(reader.starts_with("free") || reader.starts_with("wide")))
        return false;
    }
    return reader.ok() && reader.remaining() == 0;
  }

  static std::optional<uint64_t> media_end(const StoredBox& heads) {
    ByteReader reader(heads.bytes);
    while (reader.remaining() >= short_head) {
      const uint64_t begin = heads.offset + reader.position();
      uint64_t size = reader.u32();
      if (!reader.starts_with("mdat")) {
        reader.skip(4);
        continue;
      }
      if (size == 1) size = reader.u64();
      return reader.ok() && size <= far_end ? std::optional(begin + size) : std::nullopt;
    }
    return std::nullopt;
  }

  /// The index once more, such as with the duration in it. It has to have its length, because what
  /// follows was written.
  Status replace_movie(std::span<const uint8_t> bytes, std::vector<Write>* writes) {
    const StoredBox now{movie_->offset, {bytes.begin(), bytes.end()}};
    movie_.reset();
    if (!movie_had_position_) request_.position.reset();
    std::vector<Edit> history;
    for (const Edit& each : history_)
      if (each.offset < now.offset) history.push_back(each);
    Result<Bytes> made = edit(now, "moov", &history);
    movie_ = now;
    if (!made) return made.error();
    const size_t length = edited_movie_.size();
    if (made->size() > length || (made->size() < length && length - made->size() < short_head))
      return failed("the index of the file changed its length");
    if (made->size() < length) {
      // Something was withdrawn meanwhile: empty space takes its room.
      const Bytes space = make_box("free", Bytes(length - made->size() - short_head));
      made->insert(made->end(), space.begin(), space.end());
    }
    edited_movie_ = *made;
    writes->push_back({movie_out_, std::move(*made)});
    return ok();
  }

  void pass(size_t size, std::vector<Write>* writes) {
    if (consumed_ == media_begin_ && media_content_ > consumed_) media_out_ = next_out_;
    write(first(size), writes);
    drop(size);
  }

  uint64_t left_ = 0;        ///< bytes of the present media data that are to come
  bool open_media_ = false;  ///< their number is not known

  std::optional<StoredBox> type_, movie_;  ///< ftyp and moov of the muxer
  Bytes edited_movie_;
  uint64_t movie_out_ = 0;
  bool movie_had_position_ = false;
  std::vector<Edit> history_;  ///< of all boxes, in the offsets of the muxer

  // The last media data.
  uint64_t media_begin_ = far_end, media_content_ = 0, media_out_ = 0;
  std::optional<uint64_t> media_end_;
  bool media_unsized_ = false;
  std::optional<uint64_t> space_;  ///< empty space before it
};

}  // namespace

std::unique_ptr<StreamEditor> make_isobmff_stream_editor(bool) {
  return std::make_unique<IsobmffStreamEditor>();
}

}  // namespace sphere::media
