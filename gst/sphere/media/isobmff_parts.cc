// SPDX-License-Identifier: LGPL-2.1-or-later
// What MP4 and MOV files tell. The order: which tracks stay, what their samples tell, the boxes,
// the media data, and at last everything that says where in the file something is.

#include <algorithm>
#include <memory>
#include <utility>

#include "gst/sphere/media/box_editor.h"
#include "gst/sphere/media/box_edits.h"
#include "gst/sphere/media/embedded.h"
#include "gst/sphere/media/findings.h"
#include "gst/sphere/media/isobmff_layout.h"
#include "gst/sphere/media/isobmff_media.h"
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
  Result<std::vector<TrackPlan>> planned = plan_tracks(boxes, *layout, &findings);
  if (!planned) return planned.error();
  std::vector<TrackPlan> plans = std::move(*planned);
  if (const Status seen = examine_samples(boxes, layout, &plans, &findings); !seen)
    return seen.error();

  // Wider tables of offsets move everything behind them once more.
  const Examination before = examination;
  bool widened = false;
  do {
    examination = before;
    BoxEdits edits(request.in_place);
    BoxEditor editor(boxes, *layout, plans, &findings, &edits);
    if (const Status edited = edit_boxes(boxes, &editor); !edited) return edited.error();
    if (const Status cut = cut_media(boxes, *layout, plans, &findings, &edits); !cut)
      return cut.error();
    if (const Status cut = cut_indexes(boxes, plans, *layout, &findings, &edits); !cut)
      return cut.error();
    examination.edits = edits.take();
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
  examine_trailing(source, boxes.size() - layout->file.trailing, &findings, &examination.edits);
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
