// SPDX-License-Identifier: LGPL-2.1-or-later
// Edits Matroska while a muxer writes it. What comes before the first cluster is kept in memory:
// when the muxer goes back to fill in a size there, it is edited and written once more. Clusters
// pass block by block; what comes after them is examined element by element.

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "gst/sphere/media/ebml.h"
#include "gst/sphere/media/edits.h"
#include "gst/sphere/media/matroska_clusters.h"
#include "gst/sphere/media/matroska_mark.h"
#include "gst/sphere/media/matroska_parts.h"
#include "gst/sphere/media/muxer_stream.h"
#include "gst/sphere/media/sample_tables.h"

namespace sphere::media {

namespace {

// Bytes of the longest head of an element: an id of 4 bytes and a size of 8.
constexpr size_t longest_head = 12;
// Bytes. Real files have some thousand before the first cluster, and pictures of some MB.
constexpr size_t largest_head = 16 << 20, largest_element = 64 << 20;
// What a muxer goes back for: a size, or a number.
constexpr size_t longest_patch = 16;
// Bytes for a position, and of the shortest element Void.
constexpr size_t position_room = 128, least_void = 2;

using Bytes = std::vector<uint8_t>;

// The head of a cluster of unknown size.
constexpr std::array<uint8_t, longest_head> cluster_head = {0x1f, 0x43, 0xb6, 0x75, 0x01, 0xff,
                                                            0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

Error too_large() { return invalid("an element is too large"); }

/// The bytes of the size of an element; 0: the element is not valid.
size_t size_bytes(const Bytes& bytes, const Element& element) {
  const int id_bytes = std::countl_zero(bytes[static_cast<size_t>(element.begin)]) + 1;
  return static_cast<size_t>(element.content - element.begin) - static_cast<size_t>(id_bytes);
}

/// A size of this many bytes that means: unknown.
Bytes unknown_size(size_t bytes) {
  Bytes size(bytes, 0xff);
  size[0] = static_cast<uint8_t>((1u << (9 - bytes)) - 1);
  return size;
}

class MatroskaStreamEditor : public MuxerStreamEditor {
 public:
  explicit MatroskaStreamEditor(bool can_go_back) : can_go_back_(can_go_back) {}

  Status take(uint64_t offset, std::span<const uint8_t> bytes, const Request& request,
              std::vector<Write>* writes) override {
    if (!begun_) {
      begun_ = true;
      request_ = request;
      reserve_ = request.position && can_go_back_ ? position_room : 0;
      // The position is written at the end, because nothing of it may be written after a
      // withdrawal.
      request_.position.reset();
      request_.position_time.reset();
    }
    // Consent is asked for with each write; the marks stay as they were in the beginning.
    request_.policy = request.policy;
    if (offset != next_in_) return patch(offset, bytes, writes);
    pending_.insert(pending_.end(), bytes.begin(), bytes.end());
    next_in_ += bytes.size();
    return run(false, writes);
  }

  Status end(const Request& request, std::vector<Write>* writes) override {
    if (!begun_) return ok();
    request_.policy = request.policy;
    if (const Status done = run(true, writes); !done) return done;
    if (!pending_.empty() || !head_done_) return invalid("the file ends too early");
    if (!request.position) return ok();
    Bytes tags = matroska_position_tags(*request.position);
    // Many players don't read tags behind the clusters, so there is room for them before.
    if (tags.size() + least_void <= reserve_) {
      reserved_tags_ = std::move(tags);
    } else {
      last_tags_ = tags.size();
      write(std::move(tags), writes);
    }
    // The size of the segment, if the muxer has filled it in, grows by tags at the end.
    return write_head(writes);
  }

  std::optional<Bytes> header() const override {
    return head_done_ ? std::optional(edited_head_) : std::nullopt;
  }

 private:
  /// The element at the beginning of what is pending; nothing while its head is not all there.
  Result<std::optional<Element>> next_element(size_t at, bool last) {
    Element element;
    if (at >= pending_.size()) return std::optional<Element>();
    const MemorySource source(pending_);
    EbmlReader reader(source);
    // Its end may be far beyond of what has come.
    const Status read = reader.element(at, UINT64_MAX / 2, &element);
    if (read) return std::optional(element);
    if (!last && pending_.size() - at < longest_head) return std::optional<Element>();
    return read.error();
  }

  Status run(bool last, std::vector<Write>* writes) {
    if (!head_done_) {
      const Result<bool> complete = find_head(last);
      if (!complete) return complete.error();
      if (!*complete) return ok();
      if (const Status written = write_head(writes); !written) return written;
    }
    for (;;) {
      const Result<std::optional<Element>> element = next_element(0, last);
      if (!element) return element.error();
      if (!*element) return ok();
      const Result<bool> done = take_element(**element, last, writes);
      if (!done) return done.error();
      if (!*done) return ok();
    }
  }

  /// Whether everything before the first cluster has come; moves it to head_.
  Result<bool> find_head(bool last) {
    size_t at = 0;
    for (int level = 0;; ++level) {
      const Result<std::optional<Element>> found = next_element(at, last);
      if (!found) return found.error();
      if (!*found || (*found)->id == ebml_id::cluster) {
        if (!*found && !(last && at == pending_.size() && level > 1)) return false;
        break;
      }
      const Element& element = **found;
      if ((level == 0) != (element.id == ebml_id::header)) return invalid("not a Matroska file");
      if ((level == 1) != (element.id == ebml_id::segment)) return damaged("it has no segment");
      if (level == 1) {
        segment_ = element;
        at = static_cast<size_t>(element.content);
        continue;
      }
      if (element.unknown_size) return damaged("an element without a size");
      if (element.end > largest_head) return too_large();
      if (element.end > pending_.size()) return false;
      at = static_cast<size_t>(element.end);
    }
    head_.assign(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(at));
    drop(at);
    return true;
  }

  /// Edits the head and writes it. A second time it has the same length.
  Status write_head(std::vector<Write>* writes) {
    Bytes whole = head_;
    const size_t size_at = static_cast<size_t>(segment_.content) - size_bytes(head_, segment_);
    const size_t size_length = size_bytes(head_, segment_);
    std::ranges::copy(unknown_size(size_length),
                      whole.begin() + static_cast<std::ptrdiff_t>(size_at));
    const MemorySource source(whole);
    Result<MatroskaHead> examined = examine_matroska_head(source, request_);
    if (!examined) return examined.error();
    Result<Bytes> made = edited(whole, examined->found);
    if (!made) return made.error();
    if (const Status moved = add_reserve(&*made); !moved) return moved;
    if (head_done_ && made->size() != edited_head_.size())
      return failed("the beginning of the file became longer, although it was sent already");
    const int64_t growth = static_cast<int64_t>(made->size()) - static_cast<int64_t>(head_.size());
    if (const Status sized = write_size(size_at, size_length, growth, &*made); !sized) return sized;
    if (!head_done_) {
      head_done_ = true;
      growth_ = growth;
      tracks_ = std::make_shared<const std::vector<BlockTrack>>(std::move(examined->tracks));
      next_out_ = made->size();
      writes->push_back({0, *made});
    } else if (*made != edited_head_) {
      writes->push_back({0, *made});
    }
    edited_head_ = std::move(*made);
    return ok();
  }

  /// Room for the position before the first cluster, which moves everything behind it.
  Status add_reserve(Bytes* head) const {
    if (!reserve_) return ok();
    if (const Status moved = move_seeks(head); !moved) return moved;
    const size_t empty = reserve_ - reserved_tags_.size();
    head->insert(head->end(), reserved_tags_.begin(), reserved_tags_.end());
    const Bytes space = ebml_void_head(empty);
    head->insert(head->end(), space.begin(), space.end());
    head->insert(head->end(), empty - space.size(), 0);
    return ok();
  }
  Status move_seeks(Bytes* head) const {
    const Bytes before = *head;
    const MemorySource source(before);
    EbmlReader reader(source);
    Element header, segment;
    Status read = reader.element(0, before.size(), &header);
    if (read) read = reader.element(header.end, UINT64_MAX / 2, &segment);
    if (!read) return read;
    segment.end = before.size();
    const uint64_t in_head = before.size() - segment.content;
    const auto walk = [&](const auto& self, const Element& parent) -> Status {
      return reader.children(parent, [&](const Element& child) -> Status {
        if (child.id == ebml_id::seek_head || child.id == ebml_id::seek) return self(self, child);
        const uint64_t position = child.id == ebml_id::seek_position ? reader.number(child) : 0;
        if (position < in_head) return ok();
        const Bytes number = ebml_number(position + reserve_, static_cast<int>(child.size()));
        if (number.size() != child.size())
          return unsupported("the index of the file has no room for longer positions");
        std::ranges::copy(number, head->begin() + static_cast<std::ptrdiff_t>(child.content));
        return ok();
      });
    };
    return walk(walk, segment);
  }

  /// The size of the segment, if the muxer knows it.
  Status write_size(size_t at, size_t length, int64_t growth, Bytes* head) const {
    Element segment;
    const MemorySource source(head_);
    if (const Status read = EbmlReader(source).element(segment_.begin, UINT64_MAX / 2, &segment);
        !read)
      return read;
    if (segment.unknown_size) return ok();
    const uint64_t size = segment.size() + static_cast<uint64_t>(growth) + last_tags_;
    const Bytes bytes = ebml_size(size, static_cast<int>(length));
    if (bytes.size() != length)
      return unsupported("the size of the segment has no room for a longer one");
    std::ranges::copy(bytes, head->begin() + static_cast<std::ptrdiff_t>(at));
    return ok();
  }

  /// An element after the head. Returns false if it is not all there.
  Result<bool> take_element(const Element& element, bool last, std::vector<Write>* writes) {
    const auto head = static_cast<size_t>(element.content);
    if (inside_ && (is_top_level(element.id) || consumed_ >= cluster_end_)) inside_ = false;
    if (!inside_ && element.id == ebml_id::cluster) {
      inside_ = true;
      cluster_end_ = element.unknown_size ? UINT64_MAX : consumed_ + element.end;
      clusters_.push_back(consumed_);
      pass(head, writes);
      return true;
    }
    if (element.unknown_size) {
      // Behind the clusters the muxer fills in sizes afterwards.
      if (inside_ || last) return damaged("an element without a size");
      return pending_.size() > largest_element ? Result<bool>(too_large()) : false;
    }
    if (element.end > largest_element) return too_large();
    if (element.end > pending_.size()) return false;
    const Status edited = inside_ ? edit_in_cluster(element, writes) : edit_after(element, writes);
    if (!edited) return edited.error();
    return true;
  }

  Status edit_in_cluster(const Element& element, std::vector<Write>* writes) {
    const auto size = static_cast<size_t>(element.end);
    if (element.id == ebml_id::cluster_position) return write_moved(first(size), writes);
    // Around it stands a cluster that has no other element.
    Bytes whole(cluster_head.begin(), cluster_head.end());
    const size_t before = whole.size();
    whole.resize(before + size);
    std::copy_n(pending_.begin(), size, whole.begin() + static_cast<std::ptrdiff_t>(before));
    const MemorySource source(whole);
    Element segment;
    segment.end = whole.size();
    Examination found;
    ClusterEdits edits(source, segment, tracks_, Keeps{request_.policy}, nullptr);
    for (;;) {
      Result<std::optional<Edit>> edit = edits.next();
      if (!edit) return edit.error();
      if (!*edit) break;
      found.edits.push_back(std::move(**edit));
    }
    return write_edited_part(whole, before, found, size, writes);
  }

  /// An element behind the clusters, or between them.
  Status edit_after(const Element& element, std::vector<Write>* writes) {
    const auto size = static_cast<size_t>(element.end);
    // Around it stands what the head says of the tracks.
    Bytes whole = edited_head_;
    const size_t before = whole.size();
    Element segment;
    const MemorySource head(edited_head_);
    EbmlReader reader(head);
    Element header;
    Status read = reader.element(0, before, &header);
    if (read) read = reader.element(header.end, UINT64_MAX / 2, &segment);
    if (!read) return read;
    const size_t length = size_bytes(edited_head_, segment);
    std::ranges::copy(
        unknown_size(length),
        whole.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(segment.content) - length));
    whole.insert(whole.end(), pending_.begin(),
                 pending_.begin() + static_cast<std::ptrdiff_t>(size));
    Request look = request_;
    look.mark.reset();
    const MemorySource source(whole);
    Result<MatroskaHead> examined = examine_matroska_head(source, look);
    if (!examined) return examined.error();
    std::erase_if(examined->found.edits, [&](const Edit& edit) { return edit.offset < before; });
    return write_edited_part(whole, before, examined->found, size, writes);
  }

  Status write_edited_part(const Bytes& whole, size_t before, const Examination& found, size_t size,
                           std::vector<Write>* writes) {
    Result<Bytes> made = edited(whole, found);
    if (!made) return made.error();
    made->erase(made->begin(), made->begin() + static_cast<std::ptrdiff_t>(before));
    if (made->size() != size) return failed("an element changed its length");
    return write_moved(std::move(*made), writes);
  }

  /// Writes the edited form of what is pending. Positions in it grow with the head.
  Status write_moved(Bytes bytes, std::vector<Write>* writes) {
    const size_t size = bytes.size();
    const MemorySource source(bytes);
    EbmlReader reader(source);
    std::vector<std::pair<Element, uint64_t>> moved;
    const auto walk = [&](const auto& self, const Element& parent) -> Status {
      return reader.children(parent, [&](const Element& child) -> Status {
        switch (child.id) {
          case ebml_id::seek_position:
          case ebml_id::cue_cluster_position:
          case ebml_id::cluster_position:
            moved.emplace_back(child, new_position(reader.number(child)));
            return ok();
          case ebml_id::seek_head:
          case ebml_id::seek:
          case ebml_id::cues:
          case ebml_id::cue_point:
          case ebml_id::cue_track_positions:
            return self(self, child);
          case ebml_id::crc32:
            moved.emplace_back(child, 0);
            return ok();
          default:
            return ok();
        }
      });
    };
    Element all;
    all.end = bytes.size();
    if (const Status read = walk(walk, all); !read) return read;
    for (const auto& [element, position] : moved) {
      Bytes number;
      if (element.id == ebml_id::crc32) {
        number = Bytes(static_cast<size_t>(element.length()));
        std::ranges::copy(ebml_void_head(element.length()), number.begin());
        std::ranges::copy(number, bytes.begin() + static_cast<std::ptrdiff_t>(element.begin));
        continue;
      }
      number = ebml_number(position, static_cast<int>(element.size()));
      if (number.size() != element.size())
        return unsupported("the index of the file has no room for longer positions");
      std::ranges::copy(number, bytes.begin() + static_cast<std::ptrdiff_t>(element.content));
    }
    write(std::move(bytes), writes);
    drop(size);
    return ok();
  }

  /// Positions are counted from the content of the segment.
  uint64_t new_position(uint64_t before) const {
    const uint64_t in_head = head_.size() - segment_.content;
    return before >= in_head ? before + static_cast<uint64_t>(growth_) : before;
  }

  /// The muxer goes back.
  Status patch(uint64_t offset, std::span<const uint8_t> bytes, std::vector<Write>* writes) {
    if (offset > next_in_ || bytes.size() > next_in_ - offset)
      return invalid("bytes of the file are missing");
    if (offset >= consumed_) {
      std::ranges::copy(bytes, pending_.begin() + static_cast<std::ptrdiff_t>(offset - consumed_));
      return ok();
    }
    if (offset < head_.size()) {
      if (bytes.size() > head_.size() - offset) return invalid("the muxer writes over a cluster");
      std::ranges::copy(bytes, head_.begin() + static_cast<std::ptrdiff_t>(offset));
      return write_head(writes);
    }
    // The size of a cluster, which was not known when it began.
    const uint64_t size_offset = offset - 4;
    if (bytes.size() > longest_patch || offset < head_.size() + 4 ||
        !std::ranges::binary_search(clusters_, size_offset))
      return unsupported("the muxer changes what it has written already");
    writes->push_back({offset + static_cast<uint64_t>(growth_), {bytes.begin(), bytes.end()}});
    return ok();
  }

  void pass(size_t size, std::vector<Write>* writes) {
    write(first(size), writes);
    drop(size);
  }

  Bytes head_, edited_head_;
  Element segment_;  ///< in the head
  bool head_done_ = false;
  int64_t growth_ = 0;  ///< of the head
  std::shared_ptr<const std::vector<BlockTrack>> tracks_;

  bool inside_ = false;  ///< a cluster
  uint64_t cluster_end_ = 0;
  std::vector<uint64_t> clusters_;  ///< offsets of their first bytes, as the muxer has them
  const bool can_go_back_;
  size_t reserve_ = 0;      ///< bytes before the first cluster, for the position
  Bytes reserved_tags_;     ///< what is in them
  uint64_t last_tags_ = 0;  ///< bytes of the position at the end of the file
};

}  // namespace

std::unique_ptr<StreamEditor> make_matroska_stream_editor(bool can_go_back) {
  return std::make_unique<MatroskaStreamEditor>(can_go_back);
}

}  // namespace sphere::media
