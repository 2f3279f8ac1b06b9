// SPDX-License-Identifier: LGPL-2.1-or-later
// Any bytes as an MP4 or MOV file: either it is refused, or the edited file is complete, and
// nothing that is denied is found in it. The same in place, and for a marking and a position.

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "gst/sphere/makers/makers.h"
#include "gst/sphere/media/edits.h"
#include "gst/sphere/media/isobmff.h"
#include "gst/sphere/media/part.h"

namespace {

using namespace sphere::media;

void check(std::span<const uint8_t> file, const Request& request) {
  const MemorySource source(file);
  const auto examination = examine_isobmff(source, request);
  if (!examination) return;
  const auto made = edited(file, *examination);
  // What was listed can be written, except where samples overlap with themselves.
  if (!made) return;
  if (request.in_place && made->size() != file.size()) abort();
  const MemorySource again(*made);
  if (!check_isobmff(again)) abort();
  const auto second = examine_isobmff(again, request);
  if (!second) abort();
  if (request.mark || request.position) return;
  for (const Part& part : second->parts)
    if (part.removed) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  Request request;
  request.makers = sphere::makers::all();
  check({bytes, size}, request);
  request.mark = SphereMark();
  request.position = sphere::Position{1, 2, 3};
  check({bytes, size}, request);
  request = Request();
  request.policy = Policy();
  request.makers = sphere::makers::all();
  check({bytes, size}, request);
  request.in_place = true;
  check({bytes, size}, request);
  request.in_place = false;
  request.policy.stitching = request.policy.sound_tracks = false;
  check({bytes, size}, request);
  return 0;
}
