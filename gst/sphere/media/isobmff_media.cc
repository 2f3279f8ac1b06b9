// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/isobmff_media.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/embedded.h"
#include "gst/sphere/media/media_runs.h"
#include "gst/sphere/media/movie_editor.h"

namespace sphere::media {

namespace {

// Edits are held in memory.
constexpr size_t most_cuts = 1 << 18;
// Of a `stco` that becomes a `co64`, which is held in memory.
constexpr uint64_t most_wide_offsets = 1 << 20;

Error offset_too_large() {
  return unsupported("the offsets in the new file would be too large for its tables (4 GiB)");
}

/// Cuts the parts of media data that go.
class MediaCutter : private MovieEditor {
 public:
  using MovieEditor::MovieEditor;

  Status run() {
    MediaRuns runs(source_, layout_, std::vector<bool>(plans_.size(), true));
    if (!layout_.media.empty()) position_ = layout_.media.front().content;
    for (;;) {
      const Result<std::optional<MediaRun>> run = runs.next();
      if (!run) return run.error();
      if (!*run) break;
      if (const Status added = add(**run); !added) return added;
    }
    while (box_ < layout_.media.size())
      if (const Status ended = end_box(); !ended) return ended;
    if (unreferenced_.count > 0) findings_.add(unreferenced_);
    return ok();
  }

 private:
  const Box& box() const { return layout_.media[box_]; }

  Status add(const MediaRun& run) {
    while (box_ < layout_.media.size() && run.offset >= box().end)
      if (const Status ended = end_box(); !ended) return ended;
    const uint64_t end = run.offset + run.length;
    if (box_ == layout_.media.size() || run.offset < box().content || end > box().end)
      return damaged("a sample of " + plans_[run.track].samples.path +
                     " is not in the media data, at byte " + std::to_string(run.offset));
    const TrackPlan& plan = plans_[run.track];
    const bool overlaps = run.offset < (plan.kept ? dropped_end_ : kept_end_);
    const bool twice = run.offset < kept_end_ && plan.kept && (plan.edited || last_edited_);
    if (overlaps || twice) return damaged("samples overlap at byte " + std::to_string(run.offset));
    if (!plan.kept) {
      dropped_end_ = std::max(dropped_end_, end);
      dropped_bytes_ += run.length;
      if (!unknown_stays_) return ok();
      // Only the samples go, and not what is between them.
      if (run.offset != cut_end_) {
        if (const Status cut = flush(); !cut) return cut;
        cut_begin_ = run.offset;
      }
      cut_end_ = end;
      return ok();
    }
    if (const Status cut = cut_gap(run.offset); !cut) return cut;
    position_ = std::max(position_, end);
    kept_end_ = std::max(kept_end_, end);
    last_edited_ = plan.edited;
    return ok();
  }

  /// Cuts what is between the last sample that stays and this offset.
  Status cut_gap(uint64_t until) {
    if (unknown_stays_) return flush();
    const uint64_t dropped = std::exchange(dropped_bytes_, 0);
    if (until <= position_ || only_zeros(source_, position_, until)) return ok();
    if (until - position_ > dropped) {
      if (unreferenced_.length == 0) unreferenced_.offset = position_;
      unreferenced_.length += until - position_ - dropped;
      ++unreferenced_.count;
    }
    return cut(position_, until);
  }

  Status flush() {
    const uint64_t begin = std::exchange(cut_begin_, 0), end = std::exchange(cut_end_, 0);
    return end > begin && !only_zeros(source_, begin, end) ? cut(begin, end) : ok();
  }

  Status cut(uint64_t begin, uint64_t end) {
    if (++cuts_ > most_cuts) return unsupported("the samples that must go are in too many pieces");
    change_ += edits_.cut(begin, end - begin);
    return ok();
  }

  Status end_box() {
    if (const Status cut = cut_gap(box().end); !cut) return cut;
    edits_.resize(box(), std::exchange(change_, 0));
    if (++box_ < layout_.media.size()) position_ = box().content;
    return ok();
  }

  const bool unknown_stays_ = findings_.keeps_everything();
  size_t box_ = 0, cuts_ = 0;
  uint64_t position_ = 0;  ///< everything before is decided
  uint64_t kept_end_ = 0, dropped_end_ = 0, dropped_bytes_ = 0;
  uint64_t cut_begin_ = 0, cut_end_ = 0;
  int64_t change_ = 0;  ///< of the box
  bool last_edited_ = false;
  Part unreferenced_{0,  0, "mdat", PartClass::unknown, "bytes that belong to no sample",
                     {}, 0, true};
};

/// Calls a function for each box at the top of the file.
Status for_each_box(const Source& source, const std::function<Status(const Box&)>& visit) {
  uint64_t position = 0;
  Box box;
  while (box_at(source, position, source.size(), true, &box) == Next::box) {
    if (const Status visited = visit(box); !visited) return visited;
    position = box.end;
  }
  return ok();
}

/// `sidx`: sizes of parts of the file, one after the other.
struct SegmentIndex {
  uint32_t id = 0;
  uint64_t first_field = 0;  ///< where the first offset is written
  int first_size = 4;
  uint64_t first = 0;    ///< from the end of the box
  uint64_t entries = 0;  ///< offset of the list
  uint16_t count = 0;
};

bool read_index(const Source& source, const Box& box, SegmentIndex* index) {
  Window window(source, box.content, 64);
  uint64_t version = 0, value = 0, id = 0;
  if (!window.number(1, &version) || !window.number(3, &value) || !window.number(4, &id) ||
      !window.number(4, &value))
    return false;
  index->id = static_cast<uint32_t>(id);
  index->first_size = version == 0 ? 4 : 8;
  if (!window.number(index->first_size, &value)) return false;
  index->first_field = window.position();
  if (!window.number(index->first_size, &index->first) || !window.number(2, &value) ||
      !window.number(2, &value))
    return false;
  index->count = static_cast<uint16_t>(value);
  index->entries = window.position();
  return index->entries + index->count * 12U == box.end && index->first <= source.size();
}

/// `tfra`: times and offsets of fragments.
struct FragmentIndex {
  uint64_t entries = 0;
  uint64_t count = 0;
  int number_size = 4;
  uint64_t entry = 0;  ///< bytes
};

bool read_fragment_index(const Source& source, const Box& box, FragmentIndex* index) {
  Window window(source, box.content, 64);
  uint64_t version = 0, value = 0, lengths = 0;
  if (!window.number(1, &version) || !window.number(3, &value) || !window.number(4, &value) ||
      !window.number(4, &lengths) || !window.number(4, &index->count))
    return false;
  index->number_size = version == 1 ? 8 : 4;
  index->entry = static_cast<uint64_t>(index->number_size) * 2 + (lengths >> 4 & 3) +
                 (lengths >> 2 & 3) + (lengths & 3) + 3;
  index->entries = window.position();
  return index->entries + index->count * index->entry == box.end;
}

/// A number of a table that becomes another one.
Status put_offset(BoxEdits* edits, uint64_t field, int size, uint64_t value) {
  if (size == 8) {
    edits->put64(field, value);
    return ok();
  }
  if (value > UINT32_MAX) return offset_too_large();
  edits->put32(field, value);
  return ok();
}

/// A list of numbers, of which only those that change are written; neighbours in one edit.
class TableMover {
 public:
  TableMover(const Source& source, const OffsetMap& map, BoxEdits* edits)
      : source_(source), map_(map), edits_(*edits) {}

  Status move(uint64_t table, uint64_t count, int size) {
    constexpr uint64_t at_once = 1 << 14;
    Window window(source_, table, 1 << 14);
    for (uint64_t done = 0; done < count;) {
      const uint64_t now = std::min(at_once, count - done);
      std::vector<uint8_t> bytes;
      bytes.reserve(static_cast<size_t>(now) * static_cast<size_t>(size));
      bool changes = false;
      for (uint64_t i = 0; i < now; ++i) {
        uint64_t old = 0;
        if (!window.number(size, &old)) return cut_off();
        const uint64_t moved = map_(old);
        changes |= moved != old;
        if (size == 8)
          append64(&bytes, moved);
        else if (moved > UINT32_MAX)
          return offset_too_large();
        else
          append32(&bytes, moved);
      }
      if (changes) edits_.overwrite(table + done * static_cast<unsigned>(size), std::move(bytes));
      done += now;
    }
    return ok();
  }

 private:
  const Source& source_;
  const OffsetMap& map_;
  BoxEdits& edits_;
};

}  // namespace

Status cut_media(const Source& source, const IsoLayout& layout, const std::vector<TrackPlan>& plans,
                 Findings* findings, BoxEdits* edits) {
  const bool all = std::ranges::all_of(plans, &TrackPlan::kept);
  if (all && findings->keeps_everything()) return ok();
  return MediaCutter(source, layout, plans, findings, edits).run();
}

Status cut_indexes(const Source& source, const std::vector<TrackPlan>& plans,
                   const IsoLayout& layout, Findings* findings, BoxEdits* edits) {
  if (findings->keeps_everything() && std::ranges::all_of(plans, &TrackPlan::kept)) return ok();
  const bool all = std::ranges::all_of(plans, &TrackPlan::kept);
  const auto remove = [&](const Box& box) {
    findings->add(Part{box.begin,
                       box.end - box.begin,
                       box.type,
                       PartClass::unknown,
                       "index of which something is gone",
                       {},
                       1,
                       true});
    edits->remove(box);
    return ok();
  };
  return for_each_box(source, [&](const Box& box) -> Status {
    if (box.type == "sidx") {
      SegmentIndex index;
      bool kept = read_index(source, box, &index);
      for (size_t i = 0; i < plans.size(); ++i)
        if (layout.file.tracks[i].id == index.id) kept &= plans[i].kept;
      if (!kept) return remove(box);
    }
    if (box.type == "mfra") {
      bool known = all;
      int count = 0;
      const Status read = for_each_child(source, box, 0, &count, [&](const Box& child) {
        FragmentIndex index;
        if (child.type == "tfra")
          known &= read_fragment_index(source, child, &index);
        else
          known &= child.type == "mfro" && child.size() == 8;
        return ok();
      });
      if (!read || !known) return remove(box);
    }
    return ok();
  });
}

Status move_chunks(const Source& source, const IsoLayout& layout,
                   const std::vector<TrackPlan>& plans, const OffsetMap& map, BoxEdits* edits) {
  if (!map.changes()) return ok();
  TableMover mover(source, map, edits);
  for (size_t i = 0; i < plans.size(); ++i) {
    const ChunkTable& offsets = layout.tables[i].offsets;
    if (!plans[i].kept || plans[i].wide_offsets || !offsets.present) continue;
    if (const Status moved = mover.move(offsets.table, offsets.count, offsets.entry); !moved)
      return moved;
  }
  return ok();
}

Result<bool> widen_offsets(const Source& source, const IsoLayout& layout, const OffsetMap& map,
                           std::vector<TrackPlan>* plans) {
  if (map(UINT32_MAX) <= UINT32_MAX) return false;
  bool widened = false;
  for (size_t i = 0; i < plans->size(); ++i) {
    TrackPlan& plan = (*plans)[i];
    const ChunkTable& offsets = layout.tables[i].offsets;
    if (!plan.kept || plan.wide_offsets || !offsets.present || offsets.entry != 4) continue;
    Window window(source, offsets.table, 1 << 14);
    for (uint64_t chunk = 0; chunk < offsets.count && !plan.wide_offsets; ++chunk) {
      uint64_t offset = 0;
      if (!window.number(4, &offset)) return cut_off();
      plan.wide_offsets = map(offset) > UINT32_MAX;
    }
    if (plan.wide_offsets && offsets.count > most_wide_offsets) return offset_too_large();
    widened |= plan.wide_offsets;
  }
  return widened;
}

Status fill_wide_offsets(const Source& source, const IsoLayout& layout,
                         const std::vector<TrackPlan>& plans, const OffsetMap& map,
                         std::vector<Edit>* edits) {
  for (size_t i = 0; i < plans.size(); ++i) {
    if (!plans[i].kept || !plans[i].wide_offsets) continue;
    const ChunkTable& offsets = layout.tables[i].offsets;
    const auto edit = std::ranges::find_if(*edits, [&](const Edit& each) {
      return each.offset == offsets.box.begin && each.length > 0;
    });
    if (edit == edits->end()) return failed("the table of offsets was not found again");
    std::vector<uint8_t> content(4);
    append32(&content, offsets.count);
    Window window(source, offsets.table, 1 << 14);
    for (uint64_t chunk = 0; chunk < offsets.count; ++chunk) {
      uint64_t offset = 0;
      if (!window.number(4, &offset)) return cut_off();
      append64(&content, map(offset));
    }
    edit->bytes = make_box("co64", content);
  }
  return ok();
}

namespace {

/// Writes the offsets of one track in a fragment. `base` is what they are counted from in the new
/// file; returns where the data of the track ends there.
Result<uint64_t> move_runs(const FragmentTrack& track, uint64_t base, const OffsetMap& map,
                           BoxEdits* edits) {
  uint64_t end = base;
  for (const FragmentRun& run : track.runs) {
    const uint64_t offset = map(run.offset);
    const auto now = static_cast<int64_t>(offset - base);
    const auto before = static_cast<int64_t>(run.offset - track.base);
    if (run.offset_field) {
      if (now > INT32_MAX || now < INT32_MIN) return offset_too_large();
      if (now != before) edits->put32(run.offset_field, static_cast<uint32_t>(now));
    } else if (run.length > 0 && offset != end) {
      return unsupported("the fragments of the file can't be moved");
    }
    end = offset + run.length;
  }
  return end;
}

}  // namespace

Status move_fragments(const Source& source, const IsoLayout& layout,
                      const std::vector<TrackPlan>& plans, const OffsetMap& map, BoxEdits* edits) {
  if (!map.changes()) return ok();
  for (const uint64_t position : layout.fragments) {
    Box moof;
    if (box_at(source, position, source.size(), true, &moof) != Next::box) return cut_off();
    const Result<std::vector<FragmentTrack>> tracks = read_fragment(source, moof, layout.defaults);
    if (!tracks) return tracks.error();
    uint64_t end = map(moof.begin);
    for (const FragmentTrack& track : *tracks) {
      const auto& all = layout.file.tracks;
      const auto found = std::ranges::find(all, track.id, &Track::id);
      if (found == all.end() || !plans[static_cast<size_t>(found - all.begin())].kept) continue;
      uint64_t base = end;
      if (track.kind == FragmentTrack::Base::fragment) base = map(moof.begin);
      if (track.kind == FragmentTrack::Base::own) {
        base = map(track.base);
        if (base != track.base) edits->put64(track.base_field, base);
      }
      const Result<uint64_t> moved = move_runs(track, base, map, edits);
      if (!moved) return moved.error();
      end = *moved;
      if (edits->count() > most_cuts)
        return unsupported("the file has too many fragments to be changed");
    }
  }
  return ok();
}

Status move_indexes(const Source& source, const OffsetMap& map, BoxEdits* edits) {
  if (!map.changes()) return ok();
  return for_each_box(source, [&](const Box& box) -> Status {
    // One that is taken out has no length.
    if (map(box.begin) == map(box.end)) return ok();
    SegmentIndex index;
    if (box.type == "sidx" && read_index(source, box, &index)) {
      uint64_t offset = box.end + index.first;
      const uint64_t first = map(offset) - map(box.end);
      if (first != index.first) {
        const Status put = put_offset(edits, index.first_field, index.first_size, first);
        if (!put) return put;
      }
      Window window(source, index.entries, 1 << 12);
      for (unsigned i = 0; i < index.count; ++i) {
        uint64_t value = 0, ignored = 0;
        const uint64_t field = window.position();
        if (!window.number(4, &value) || !window.number(8, &ignored)) return cut_off();
        const uint64_t size = value & 0x7fffffff, now = map(offset + size) - map(offset);
        if (now > 0x7fffffff) return offset_too_large();
        if (now != size) edits->put32(field, (value & 0x80000000) | now);
        offset += size;
      }
    }
    if (box.type != "mfra") return ok();
    int count = 0;
    return for_each_child(source, box, 0, &count, [&](const Box& child) -> Status {
      FragmentIndex list;
      if (child.type != "tfra" || !read_fragment_index(source, child, &list)) return ok();
      Window window(source, list.entries, 1 << 12);
      for (uint64_t i = 0; i < list.count; ++i) {
        const uint64_t field =
            list.entries + i * list.entry + static_cast<unsigned>(list.number_size);
        uint64_t offset = 0;
        window.seek(field);
        if (!window.number(list.number_size, &offset)) return cut_off();
        const uint64_t now = map(offset);
        if (now == offset) continue;
        if (const Status put = put_offset(edits, field, list.number_size, now); !put) return put;
      }
      return ok();
    });
  });
}

}  // namespace sphere::media
