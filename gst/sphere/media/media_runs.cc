// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/media_runs.h"

#include <algorithm>
#include <utility>

namespace sphere::media {

namespace {

// Where tables are not in the order of the file, they are sorted in memory.
constexpr size_t most_sorted_runs = 1 << 17;

Error too_many_unsorted() {
  return unsupported("the media data of the file is in too many pieces that are not in order");
}

}  // namespace

MediaRuns::MediaRuns(const Source& source, const IsoLayout& layout, const std::vector<bool>& wanted)
    : source_(source), layout_(layout), wanted_(wanted) {
  for (size_t i = 0; i < layout.tables.size(); ++i) {
    if (!wanted[i] || layout.tables[i].sizes.count == 0) continue;
    Track track;
    track.index = i;
    track.chunks = std::make_unique<ChunkReader>(source, layout.tables[i]);
    tracks_.push_back(std::move(track));
  }
}

Status MediaRuns::fill(Track* track) {
  const bool all = !layout_.tables[track->index].ascending;
  while (track->chunks && (all || track->ready.empty())) {
    Chunk chunk;
    const Result<bool> more = track->chunks->next(&chunk);
    if (!more) return more.error();
    if (!*more) {
      track->chunks.reset();
      break;
    }
    if (chunk.length == 0) continue;
    if (track->ready.size() == most_sorted_runs) return too_many_unsorted();
    track->ready.push_back(
        {track->index, chunk.offset, chunk.length, chunk.first_sample, chunk.samples, {}});
  }
  if (all && !track->chunks) std::ranges::stable_sort(track->ready, {}, &MediaRun::offset);
  return ok();
}

Status MediaRuns::read_fragment_runs(uint64_t offset) {
  Box moof;
  if (box_at(source_, offset, source_.size(), true, &moof) != Next::box) return cut_off();
  const Result<std::vector<FragmentTrack>> parts = read_fragment(source_, moof, layout_.defaults);
  if (!parts) return parts.error();
  for (const FragmentTrack& part : *parts) {
    const auto& tracks = layout_.file.tracks;
    const auto found = std::ranges::find(tracks, part.id, &sphere::media::Track::id);
    if (found == tracks.end()) return damaged("a fragment belongs to a track that does not exist");
    const auto index = static_cast<size_t>(found - tracks.begin());
    if (!wanted_[index]) continue;
    for (const FragmentRun& run : part.runs) {
      if (run.length == 0) continue;
      if (fragment_runs_.size() == most_sorted_runs) return too_many_unsorted();
      fragment_runs_.push_back({index, run.offset, run.length, 0, run.samples, run});
    }
  }
  return ok();
}

Status MediaRuns::fill_fragments() {
  const bool all = !layout_.fragments_ascending;
  const bool at_begin = fragment_ == 0;
  while (fragment_ < layout_.fragments.size() && (all || fragment_runs_.empty())) {
    const Status read = read_fragment_runs(layout_.fragments[fragment_++]);
    if (!read) return read;
    if (!all) std::ranges::stable_sort(fragment_runs_, {}, &MediaRun::offset);
  }
  if (all && at_begin) std::ranges::stable_sort(fragment_runs_, {}, &MediaRun::offset);
  return ok();
}

Result<std::optional<MediaRun>> MediaRuns::next() {
  std::deque<MediaRun>* first = nullptr;
  for (Track& track : tracks_) {
    if (track.ready.empty()) {
      if (const Status filled = fill(&track); !filled) return filled.error();
    }
    if (!track.ready.empty() && (!first || track.ready.front().offset < first->front().offset))
      first = &track.ready;
  }
  if (fragment_runs_.empty()) {
    if (const Status filled = fill_fragments(); !filled) return filled.error();
  }
  if (!fragment_runs_.empty() && (!first || fragment_runs_.front().offset < first->front().offset))
    first = &fragment_runs_;
  if (!first) return std::optional<MediaRun>();
  MediaRun run = std::move(first->front());
  first->pop_front();
  return std::optional(std::move(run));
}

RunSizes::RunSizes(const Source& source, const IsoLayout& layout, const MediaRun& run) {
  if (run.fragment) {
    fragment_.emplace(source, *run.fragment);
  } else {
    table_.emplace(source, layout.tables[run.track].sizes);
    table_->seek(run.first_sample);
  }
}

bool RunSizes::next(uint64_t* size) {
  return fragment_ ? fragment_->next(size) : table_->next(size);
}

}  // namespace sphere::media
