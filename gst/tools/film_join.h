// SPDX-License-Identifier: LGPL-2.1-or-later
// Joins the parts of a film to a file, without a new encode, and puts the sound beside them.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/tools/film_sound.h"
#include "gst/tools/stitch_input.h"

namespace sphere::tool {

struct FilmJoin {
  std::vector<std::string> parts;  ///< files, in the order of the film
  std::string container;           ///< the end of OUT's name, with its dot
  uint32_t timescale = 0;          ///< ticks a second in an MP4 or MOV; 0: the muxer's choice
  /// The sound of this file, unchanged; null: none.
  const StitchInput* copied = nullptr;
  /// Or the sound of these clips.
  std::vector<SoundClip> clips;
  int output = -1;  ///< a descriptor
};

/// What came of it.
struct FilmJoined {
  uint64_t pictures = 0;
  int width = 0, height = 0;
  int sound_tracks = 0;
};

/// Called some ten times a second; false to stop.
using KeepOn = std::function<bool()>;
/// The result of `stopped` is true if `keep_on` stopped it.
Result<FilmJoined> join_film(const FilmJoin& join, const KeepOn& keep_on, bool* stopped);

}  // namespace sphere::tool
