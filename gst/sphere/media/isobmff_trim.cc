// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/isobmff_trim.h"

#include <glib.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "gst/sphere/media/box_edits.h"
#include "gst/sphere/media/isobmff_rules.h"
#include "gst/sphere/media/track_samples.h"

namespace sphere::media {

namespace {

constexpr int deepest_nesting = 8;
// Bytes of a box that is copied as it is: a lens table, a track of orientations.
constexpr uint64_t largest_box = 128 << 20;
constexpr uint64_t media_head = 16;  ///< of `mdat`, with a size of 64 bits

/// Boxes of `stbl` that are made anew, or that would name samples which are gone.
constexpr const char* kept_tables[] = {"stsd"};

/// A number in the head of a box that tells a length.
struct LengthField {
  size_t at = 0;  ///< in the content
  int bytes = 4;
};

LengthField length_field(const std::vector<uint8_t>& box, size_t header, const char* type) {
  const bool wide = box.size() > header && box[header] == 1;
  // Version and flags, times of creation and modification, then what comes before the length.
  const size_t before = std::string_view(type) == "tkhd" ? 8 : 4;
  return {4 + (wide ? size_t{16} : size_t{8}) + before, wide ? 8 : 4};
}

void put_length(std::vector<uint8_t>* box, size_t header, const char* type, uint64_t length) {
  const LengthField field = length_field(*box, header, type);
  if (field.bytes == 4) length = std::min<uint64_t>(length, UINT32_MAX);
  for (int i = 0; i < field.bytes; ++i)
    if (const size_t at = header + field.at + static_cast<size_t>(i); at < box->size())
      (*box)[at] = static_cast<uint8_t>(length >> 8 * (field.bytes - 1 - i));
}

}  // namespace

class VideoTrimmer {
 public:
  VideoTrimmer(const Source& source, const std::vector<const Maker*>& makers)
      : source_(source), makers_(makers), made_(new TrimmedVideo(source)) {}

  Result<std::unique_ptr<TrimmedVideo>> trim(double from, std::optional<double> to) {
    Result<IsoLayout> layout = read_isobmff(source_);
    if (!layout) return layout.error();
    layout_ = std::move(*layout);
    if (layout_.file.fragmented)
      return unsupported(
          "is fragmented, and can't be cut; put it into another file first, for example with "
          "'ffmpeg -i IN -c copy OUT.mp4'");
    if (const Status chosen = choose(from, to); !chosen) return chosen.error();
    if (const Status written = write(); !written) return written.error();
    if (layout_.file.trailing > 0)
      made_->cut_.remarks.push_back(
          "the records of the camera behind the video belong to the whole, and are left out");
    return std::move(made_);
  }

 private:
  struct Kept {
    size_t track = 0;
    uint32_t timescale = 1;
    TrackPart part;
    std::vector<SampleRun> runs;
    std::vector<uint64_t> offsets;
  };

  /// Which samples of the track of pictures are in the part. Sets its times.
  Status choose_pictures(const TimedTrack& track, double from, std::optional<double> to,
                         Kept* kept) {
    const std::vector<TimedSample>& all = track.samples;
    // Half a picture: times on the command line are rounded.
    const double half = 0.5 * all.front().duration / track.timescale;
    const double opening = track.edit.delay;
    const auto time_of = [&](size_t i) { return track.time_of(all[i].shown); };
    double end_of_whole = 0;
    for (size_t i = 0; i < all.size(); ++i)
      end_of_whole = std::max(end_of_whole,
                              time_of(i) + static_cast<double>(all[i].duration) / track.timescale);
    if (track.edit.length >= 0) end_of_whole = std::min(end_of_whole, opening + track.edit.length);
    made_->cut_.whole = end_of_whole;
    char whole[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(whole, sizeof whole, "%.3f", end_of_whole);
    if (from >= end_of_whole)
      return invalid(std::string("the cut begins after the end of the video, which is ") + whole +
                     " s long");
    if (to && *to > end_of_whole + end_tolerance)
      return invalid(std::string("the cut ends after the end of the video, which is ") + whole +
                     " s long");

    std::optional<size_t> first;
    for (size_t i = 0; i < all.size(); ++i)
      if (all[i].key && (!first || time_of(i) <= from + half)) first = i;
    if (!first) return unsupported("has no key frame, and can't be cut");
    const double begin = std::max(time_of(*first), opening);
    const double wanted_end = to ? std::min(*to, end_of_whole) : end_of_whole;
    if (time_of(*first) >= wanted_end - half) return invalid("has no picture in that time");

    // The earliest picture among those from an index on.
    std::vector<int64_t> earliest(all.size() + 1, std::numeric_limits<int64_t>::max());
    for (size_t i = all.size(); i-- > 0;) earliest[i] = std::min(earliest[i + 1], all[i].shown);
    size_t end = *first + 1;
    for (size_t i = *first; i < all.size(); ++i)
      if (time_of(i) < wanted_end - half) end = i + 1;
    int64_t latest = 0;
    for (size_t i = *first; i < end; ++i) latest = std::max(latest, all[i].shown);
    // Pictures of the rest that are shown before one that is kept come along.
    while (end < all.size() && earliest[end] < latest) latest = std::max(latest, all[end++].shown);

    uint64_t shown = 0;
    int64_t last_tick = 0;
    for (size_t i = *first; i < end; ++i) {
      // Pictures that lean on what comes before the key frame.
      if (all[i].shown < all[*first].shown) continue;
      kept->part.samples.push_back(all[i]);
      last_tick = std::max(last_tick, all[i].shown + static_cast<int64_t>(all[i].duration));
      shown += time_of(i) + half >= begin;
    }
    const double next = end < all.size() ? track.time_of(earliest[end]) : end_of_whole;
    made_->cut_.begin = begin;
    made_->cut_.end = std::min({next, track.time_of(last_tick) + half, end_of_whole});
    made_->cut_.pictures = shown;
    const double length =
        static_cast<double>(all.back().decoded - all.front().decoded + all.back().duration) /
        track.timescale;
    if (length > 0)
      made_->cut_.first_picture =
          static_cast<uint64_t>(std::llround(begin * static_cast<double>(all.size()) / length));
    return ok();
  }

  /// Those of another track that are heard, or seen, in that time.
  void choose_others(const TimedTrack& track, std::string_view handler, Kept* kept) {
    const bool pictures = handler == "vide";
    const std::vector<TimedSample>& all = track.samples;
    const double begin = made_->cut_.begin, end = made_->cut_.end;
    const double tick = 1.0 / track.timescale;
    std::optional<size_t> first;
    for (size_t i = 0; i < all.size(); ++i)
      if (all[i].key && (!first || track.time_of(all[i].shown) <= begin + tick)) first = i;
    if (!first) return;
    size_t from = *first, until = from;
    // A decoder of sound needs the packet before. Records of motion are true for themselves, and
    // programs that ignore edit lists would show one more at a wrong time.
    if (handler == "soun" && from > 0) --from;
    for (size_t i = from; i < all.size(); ++i)
      if (track.time_of(all[i].shown) < end - tick / 2) until = i + 1;
    for (size_t i = from; i < until; ++i)
      if (!pictures || all[i].shown >= all[*first].shown) kept->part.samples.push_back(all[i]);
  }

  /// How a part is shown, by the cut and the track's own edits.
  void choose_edit(const TimedTrack& track, Kept* kept) {
    TrackPart& part = kept->part;
    int64_t earliest = std::numeric_limits<int64_t>::max(), latest = 0;
    for (const TimedSample& sample : part.samples) {
      earliest = std::min(earliest, sample.shown);
      latest = std::max(latest, sample.shown + static_cast<int64_t>(sample.duration));
    }
    earliest = std::max(earliest, track.edit.start);
    part.start = std::max(earliest, track.tick_of(made_->cut_.begin));
    part.delay = std::max(0.0, track.time_of(part.start) - made_->cut_.begin);
    if (part.delay < 0.5 / track.timescale) part.delay = 0;
    const double shown_until = std::min(made_->cut_.end, track.time_of(latest));
    part.length = std::max(0.0, shown_until - track.time_of(part.start));
  }

  Status choose(double from, std::optional<double> to) {
    const Track* pictures = layout_.file.first("vide");
    if (!pictures) return invalid("has no video in it");
    const auto main = static_cast<size_t>(pictures - layout_.file.tracks.data());
    std::vector<size_t> order = {main};
    for (size_t i = 0; i < layout_.file.tracks.size(); ++i)
      if (i != main && layout_.file.tracks[i].samples > 0) order.push_back(i);
    for (const size_t index : order) {
      const Track& header = layout_.file.tracks[index];
      if (is_encrypted_format(header.codec)) return unsupported("is encrypted, and can't be cut");
      const Result<TimedTrack> track = read_timed_track(source_, layout_, index);
      if (!track) return track.error();
      Kept kept;
      kept.track = index;
      kept.timescale = track->timescale;
      if (index == main) {
        if (const Status chosen = choose_pictures(*track, from, to, &kept); !chosen) return chosen;
      } else {
        choose_others(*track, header.handler, &kept);
      }
      if (kept.part.samples.empty()) continue;
      choose_edit(*track, &kept);
      kept.runs = runs_of(kept.part.samples);
      made_->cut_.has_sound |= header.handler == "soun";
      kept_.push_back(std::move(kept));
    }
    return ok();
  }

  Status write() {
    // The order of the file, which has sound and pictures of the same time beside each other.
    std::vector<std::pair<Kept*, size_t>> order;
    uint64_t bytes = 0;
    for (Kept& kept : kept_) {
      kept.offsets.resize(kept.runs.size());
      for (size_t i = 0; i < kept.runs.size(); ++i) {
        order.emplace_back(&kept, i);
        bytes += kept.runs[i].length;
      }
    }
    std::ranges::stable_sort(
        order, {}, [](const auto& entry) { return entry.first->runs[entry.second].offset; });
    const uint64_t index = layout_.moov.end - layout_.moov.begin;
    wide_ = bytes + 2 * index + (1 << 20) > UINT32_MAX;
    std::vector<uint8_t> head;
    // First to see how long it is, then with the offsets.
    for (int round = 0; round < 2; ++round) {
      head.clear();
      if (const std::optional<Box> type = find_box(source_, 0, source_.size(), true, "ftyp"))
        if (const Status copied = copy(*type, &head); !copied) return copied;
      if (const Status written = write_movie(&head); !written) return written;
      uint64_t position = head.size() + media_head;
      made_->runs_.clear();
      for (const auto& [kept, i] : order) {
        const SampleRun& run = kept->runs[i];
        kept->offsets[i] = position;
        made_->runs_.push_back({position, run.offset, run.length});
        position += run.length;
      }
      made_->size_ = position;
    }
    append32(&head, 1);
    for (const char c : {'m', 'd', 'a', 't'}) head.push_back(static_cast<uint8_t>(c));
    append64(&head, bytes + media_head);
    made_->head_ = std::move(head);
    return ok();
  }

  /// A box as it is.
  Status copy(const Box& box, std::vector<uint8_t>* into) const {
    const uint64_t length = box.end - box.begin;
    if (length > largest_box) return unsupported("its '" + box.type + "' is too large");
    const size_t at = into->size();
    into->resize(at + static_cast<size_t>(length));
    return source_.read_all(box.begin, std::span(*into).subspan(at)) ? ok() : cut_off();
  }

  /// A box whose boxes are visited; what the visitor writes becomes its content.
  template <typename Visit>
  Status rewrite(const Box& parent, std::vector<uint8_t>* into, const Visit& visit) {
    if (++depth_ > deepest_nesting) return damaged("its boxes are nested too deeply");
    std::vector<uint8_t> content;
    const Status read = for_each_child(source_, parent, 0, &boxes_,
                                       [&](const Box& box) { return visit(box, &content); });
    --depth_;
    if (!read) return read;
    const std::vector<uint8_t> box = make_box(parent.type.c_str(), content);
    into->insert(into->end(), box.begin(), box.end());
    return ok();
  }

  Status copy_with_length(const Box& box, uint64_t length, std::vector<uint8_t>* into) const {
    std::vector<uint8_t> bytes;
    if (const Status copied = copy(box, &bytes); !copied) return copied;
    put_length(&bytes, static_cast<size_t>(box.content - box.begin), box.type.c_str(), length);
    into->insert(into->end(), bytes.begin(), bytes.end());
    return ok();
  }

  uint64_t in_movie(double seconds) const {
    return static_cast<uint64_t>(std::llround(seconds * layout_.file.length.timescale));
  }

  Status write_movie(std::vector<uint8_t>* into) {
    double longest = 0;
    for (const Kept& kept : kept_) longest = std::max(longest, kept.part.delay + kept.part.length);
    return rewrite(layout_.moov, into, [&](const Box& box, std::vector<uint8_t>* content) {
      if (box.type == "mvhd") return copy_with_length(box, in_movie(longest), content);
      if (box.type == "trak") return write_track(box, content);
      if (box.type == "udta") return write_user_data(box, content);
      return copy(box, content);
    });
  }

  Status write_track(const Box& trak, std::vector<uint8_t>* into) {
    const auto kept = std::ranges::find_if(kept_, [&](const Kept& each) {
      return layout_.tables[each.track].trak.begin == trak.begin;
    });
    if (kept == kept_.end()) return ok();
    return rewrite(trak, into, [&](const Box& box, std::vector<uint8_t>* content) -> Status {
      if (box.type == "edts") return ok();
      if (box.type == "mdia") return write_media(box, *kept, content);
      if (box.type != "tkhd") return copy(box, content);
      const double length = kept->part.delay + kept->part.length;
      if (const Status copied = copy_with_length(box, in_movie(length), content); !copied)
        return copied;
      const std::vector<uint8_t> edits =
          make_edits(kept->part, layout_.file.length.timescale, kept->timescale);
      content->insert(content->end(), edits.begin(), edits.end());
      return ok();
    });
  }

  Status write_media(const Box& mdia, const Kept& kept, std::vector<uint8_t>* into) {
    return rewrite(mdia, into, [&](const Box& box, std::vector<uint8_t>* content) -> Status {
      if (box.type == "mdhd") return copy_with_length(box, decoded_length(kept.part), content);
      if (box.type != "minf") return copy(box, content);
      return rewrite(box, content, [&](const Box& child, std::vector<uint8_t>* inner) -> Status {
        if (child.type != "stbl") return copy(child, inner);
        return rewrite(child, inner, [&](const Box& table, std::vector<uint8_t>* tables) -> Status {
          if (std::ranges::find(kept_tables, table.type) == std::end(kept_tables)) return ok();
          if (const Status copied = copy(table, tables); !copied) return copied;
          const std::vector<uint8_t> made = make_tables(kept.part, kept.runs, kept.offsets, wide_);
          tables->insert(tables->end(), made.begin(), made.end());
          return ok();
        });
      });
    });
  }

  Status write_user_data(const Box& udta, std::vector<uint8_t>* into) {
    return rewrite(udta, into, [&](const Box& box, std::vector<uint8_t>* content) -> Status {
      std::vector<uint8_t> bytes;
      if (const Status copied = copy(box, &bytes); !copied) return copied;
      for (const Maker* maker : makers_)
        if (const auto part = maker->cut_box("moov/udta/" + box.type, bytes,
                                             {made_->cut_.first_picture, made_->cut_.pictures})) {
          content->insert(content->end(), part->begin(), part->end());
          return ok();
        }
      content->insert(content->end(), bytes.begin(), bytes.end());
      return ok();
    });
  }

  static constexpr double end_tolerance = 0.5;  ///< seconds

  const Source& source_;
  const std::vector<const Maker*>& makers_;
  std::unique_ptr<TrimmedVideo> made_;
  IsoLayout layout_;
  std::vector<Kept> kept_;
  bool wide_ = false;
  int boxes_ = 0, depth_ = 0;
};

Result<std::unique_ptr<TrimmedVideo>> TrimmedVideo::make(const Source& source, double from,
                                                         std::optional<double> to,
                                                         const std::vector<const Maker*>& makers) {
  return VideoTrimmer(source, makers).trim(from, to);
}

size_t TrimmedVideo::read(uint64_t position, std::span<uint8_t> into) const {
  size_t done = 0;
  if (position < head_.size()) {
    const auto at = static_cast<size_t>(position);
    done = std::min(into.size(), head_.size() - at);
    std::copy_n(head_.begin() + static_cast<ptrdiff_t>(at), done, into.begin());
    position += done;
  }
  auto run = std::ranges::upper_bound(runs_, position, {}, &Run::position);
  if (run != runs_.begin()) --run;
  for (; run != runs_.end() && done < into.size(); ++run) {
    if (position < run->position || position - run->position >= run->length) continue;
    const uint64_t within = position - run->position;
    const auto wanted =
        static_cast<size_t>(std::min<uint64_t>(into.size() - done, run->length - within));
    const size_t got = source_.read(run->offset + within, into.subspan(done, wanted));
    done += got;
    position += got;
    if (got < wanted) break;
  }
  return done;
}

}  // namespace sphere::media
