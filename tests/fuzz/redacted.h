// SPDX-License-Identifier: LGPL-2.1-or-later
// What must be true of every file, however damaged: a reader refuses it, or takes everything out
// that may not stay, and finds nothing more to take out afterwards.

#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include "gst/sphere/makers/makers.h"
#include "gst/sphere/media/edits.h"
#include "gst/sphere/media/part.h"

namespace sphere::test {

using Reader = Result<media::Examination> (*)(const media::Source&, const media::Request&);

inline void require(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "%s\n", what);
  abort();
}

/// Ends the process where the rule is broken. Returns the edited file; empty if it was refused.
inline std::vector<uint8_t> check_redacted(Reader reader, std::span<const uint8_t> bytes,
                                           media::Request request) {
  request.makers = makers::all();
  const media::MemorySource source(bytes);
  const Result<media::Examination> found = reader(source, request);
  if (!found) return {};
  const Result<std::vector<uint8_t>> written = media::edited(bytes, *found);
  require(static_cast<bool>(written), "the edits overlap");
  require(!request.in_place || written->size() == bytes.size(), "the length changed");
  // What was put in may stay.
  media::Request again = request;
  again.position.reset();
  again.mark.reset();
  const Result<media::Examination> second = reader(media::MemorySource(*written), again);
  require(static_cast<bool>(second), "the edited file is refused");
  for (const media::Part& part : second->parts)
    if (part.removed || !again.policy.allows(part.part_class)) {
      std::fprintf(stderr, "%s: %s\n", part.path.c_str(), part.what.c_str());
      require(false, "something is left that may not stay");
    }
  require(!second->changes(), "a second run changes the file again");
  return *written;
}

/// With everything denied, in both ways; and with a marking and a position put in.
inline void check_photo(Reader reader, std::span<const uint8_t> bytes) {
  media::Request request;
  request.policy = {};
  check_redacted(reader, bytes, request);
  request.policy.stitching = false;
  request.in_place = true;
  check_redacted(reader, bytes, request);
  request.in_place = false;
  request.policy.place = request.policy.time = true;
  request.position = Position{-12.3456789, 98.7654321, -1.5};
  request.position_time = 1'700'000'000'123'456;
  request.mark = media::SphereMark{};
  check_redacted(reader, bytes, request);
  request.policy = media::Policy::everything();
  check_redacted(reader, bytes, request);
}

}  // namespace sphere::test
