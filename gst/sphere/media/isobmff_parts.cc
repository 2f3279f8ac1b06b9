// SPDX-License-Identifier: LGPL-2.1-or-later
// What MP4 and MOV files tell. The order: which tracks stay, what their samples tell, the boxes,
// the media data, and at last everything that says where in the file something is.

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "gst/sphere/base/printable.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/media/box_editor.h"
#include "gst/sphere/media/box_edits.h"
#include "gst/sphere/media/camm_track.h"
#include "gst/sphere/media/embedded.h"
#include "gst/sphere/media/findings.h"
#include "gst/sphere/media/isobmff_layout.h"
#include "gst/sphere/media/isobmff_media.h"
#include "gst/sphere/media/isobmff_rules.h"
#include "gst/sphere/media/isobmff_samples.h"
#include "gst/sphere/media/isobmff_tracks.h"
#include "gst/sphere/media/part.h"

namespace sphere::media {

namespace {

// Records of makers at the end of a file, one before the other.
constexpr int most_trailers = 64;

/// Where the boxes end and the records of makers begin.
uint64_t begin_of_trailers(const Source& source, const Request& request) {
  uint64_t end = source.size();
  for (int i = 0; i < most_trailers; ++i) {
    const uint64_t before = end;
    for (const Maker* maker : request.makers) {
      uint64_t first = end;
      std::vector<Part> parts;
      Traces traces;
      if (maker->trailer(source, end, &first, &parts, &traces) && first < end) {
        end = first;
        break;
      }
    }
    if (end == before) break;
  }
  return end;
}

Status check_request(const Request& request, const IsoFile& file) {
  if (request.in_place && (request.mark || request.position))
    return unsupported("a marking or a position can't be put into a video in place");
  const auto is_video = [](const Track& track) { return track.handler == "vide"; };
  if (request.mark && std::ranges::none_of(file.tracks, is_video))
    return invalid("the file has no pictures that could be marked");
  return ok();
}

/// A brand says what the boxes mean. Old films have none.
Status check_brands(const Source& source, const Findings& findings) {
  const std::optional<Box> box = find_box(source, 0, source.size(), true, "ftyp");
  if (!box || findings.keeps_everything()) return ok();
  constexpr size_t longest = 256, brand_size = 4;
  std::vector<uint8_t> bytes(static_cast<size_t>(std::min<uint64_t>(longest, box->size())));
  bytes.resize(source.read(box->content, bytes));
  for (size_t at = 0; at + brand_size <= bytes.size(); at += brand_size)
    // The second number is a version.
    if (at != brand_size && is_known_brand(as_text(std::span(bytes).subspan(at, brand_size))))
      return ok();
  const auto first = std::span(bytes).first(std::min(bytes.size(), brand_size));
  return unsupported("the kind of the film (ftyp: " + printable(as_text(first), 16) +
                     ") is not known, so nobody can say what its boxes mean");
}

Status edit_boxes(const Source& source, BoxEditor* editor) {
  uint64_t position = 0;
  Box box;
  while (box_at(source, position, source.size(), true, &box) == Next::box) {
    const Result<BoxEditor::Outcome> edited = editor->edit(box, BoxParent::file, {});
    if (!edited) return edited.error();
    position = box.end;
  }
  return ok();
}

/// The track of the request's positions; nothing if it asks for none, or the file can't have it.
std::optional<CammTrack> make_track(const IsoLayout& layout, Findings* findings, uint32_t* id) {
  const std::vector<TimedPosition>& positions = findings->request().positions;
  if (positions.empty()) return std::nullopt;
  *id = 0;
  for (const Track& track : layout.file.tracks) *id = std::max(*id, track.id);
  // The samples are put behind all boxes.
  const bool open = std::ranges::any_of(layout.media, &Box::to_the_end) || layout.moov.to_the_end;
  if (layout.file.fragmented || open || ++*id == 0) {
    findings->remark(
        "the positions along its time could not be put in, because the file is written in pieces; "
        "it has the first one");
    return std::nullopt;
  }
  return make_camm_track(positions, *id, layout.file.length);
}

/// Puts the samples behind all boxes, at `end`, and tells the track in the edits where they are.
/// They have to be all edits that change lengths.
void add_samples(CammTrack track, uint64_t end, std::vector<Edit>* edits) {
  BoxEdits added(false);
  const auto length = static_cast<uint64_t>(added.insert(end, make_box("mdat", track.samples)));
  for (Edit& edit : added.take()) edits->push_back(std::move(edit));
  const uint64_t behind = OffsetMap(*edits)(end);
  const std::vector<uint8_t> before = track.trak;
  track.set_offset(behind - length + 8);
  for (Edit& edit : *edits)
    if (edit.bytes.size() >= before.size() &&
        std::equal(before.rbegin(), before.rend(), edit.bytes.rbegin()))
      std::ranges::copy(track.trak,
                        edit.bytes.end() - static_cast<std::ptrdiff_t>(track.trak.size()));
}

}  // namespace

Result<Examination> examine_isobmff(const Source& source, const Request& request) {
  const RangeSource boxes(source, 0, begin_of_trailers(source, request));
  Result<IsoLayout> read = read_isobmff(boxes);
  if (!read) return read.error();
  const auto layout = std::make_shared<const IsoLayout>(std::move(*read));
  if (const Status possible = check_request(request, layout->file); !possible)
    return possible.error();

  Examination examination;
  Findings findings(request, &examination);
  if (const IsoFile::Length& movie = layout->file.length; movie.timescale)
    examination.duration_ns = static_cast<uint64_t>(static_cast<double>(movie.value) * 1e9 /
                                                    static_cast<double>(movie.timescale));
  if (const Status known = check_brands(boxes, findings); !known) return known.error();
  Result<std::vector<TrackPlan>> planned = plan_tracks(boxes, *layout, &findings);
  if (!planned) return planned.error();
  std::vector<TrackPlan> plans = std::move(*planned);
  if (const Status seen = examine_samples(boxes, layout, &plans, &findings); !seen)
    return seen.error();

  const uint64_t end_of_boxes = boxes.size() - layout->file.trailing;
  // Wider tables of offsets move everything behind them once more.
  const Examination before = examination;
  bool widened = false;
  do {
    examination = before;
    BoxEdits edits(request.in_place);
    BoxEditor editor(boxes, *layout, plans, &findings, &edits);
    uint32_t added_id = 0;
    std::optional<CammTrack> added = make_track(*layout, &findings, &added_id);
    if (added) editor.add_track(added->trak, added_id);
    if (const Status edited = edit_boxes(boxes, &editor); !edited) return edited.error();
    if (const Status cut = cut_media(boxes, *layout, plans, &findings, &edits); !cut)
      return cut.error();
    if (const Status cut = cut_indexes(boxes, plans, *layout, &findings, &edits); !cut)
      return cut.error();
    examination.edits = edits.take();
    if (added) add_samples(std::move(*added), end_of_boxes, &examination.edits);
    const Result<bool> wide = widen_offsets(boxes, *layout, OffsetMap(examination.edits), &plans);
    if (!wide) return wide.error();
    widened = *wide;
  } while (widened);

  const OffsetMap map(examination.edits);
  const Status filled = fill_wide_offsets(boxes, *layout, plans, map, &examination.edits);
  if (!filled) return filled.error();
  BoxEdits moves(request.in_place);
  if (const Status moved = move_chunks(boxes, *layout, plans, map, &moves); !moved)
    return moved.error();
  if (const Status moved = move_fragments(boxes, *layout, plans, map, &moves); !moved)
    return moved.error();
  if (const Status moved = move_indexes(boxes, map, &moves); !moved) return moved.error();
  std::ranges::move(moves.take(), std::back_inserter(examination.edits));
  for (TrackPlan& plan : plans)
    std::ranges::move(plan.size_edits, std::back_inserter(examination.edits));
  examine_trailing(source, end_of_boxes, &findings, &examination.edits);
  examination.edits = joined(std::move(examination.edits));

  std::vector<SampleSettings> settings;
  std::vector<bool> edited;
  for (const TrackPlan& plan : plans) {
    settings.push_back(plan.samples);
    edited.push_back(plan.edited);
  }
  if (std::ranges::find(edited, true) != edited.end())
    examination.sample_edits = [&source, layout, settings, edited] {
      return std::make_unique<SampleEdits>(source, layout, settings, edited);
    };
  if (const Status listed = findings.status(); !listed) return listed.error();
  return examination;
}

}  // namespace sphere::media
