// SPDX-License-Identifier: LGPL-2.1-or-later
// The sound of a film that is cut, put together, or faster or slower than IN: decoded, put where
// its pictures are, with the pitch that it had.

#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/tools/clip_times.h"
#include "gst/tools/stitch_input.h"

namespace sphere::tool {

inline constexpr int film_sound_rate = 48000, film_sound_channels = 2;
// Beyond these, speech is no longer speech.
inline constexpr double slowest_sound = 0.5, fastest_sound = 2;

/// A clip whose sound is needed, and where its pictures are in the film.
struct SoundClip {
  const StitchInput* input;
  ClipTimes times;
  uint64_t film_begin, film_end;  ///< nanoseconds of the film
};

/// Whether there is anything to be heard in a clip.
bool has_sound(const SoundClip& clip);
/// Whether a part of a clip is too fast or too slow for its sound to be kept.
bool leaves_sound_out(const SoundClip& clip);

/// Takes samples of both channels, side by side, in the order of the film; false to stop.
using TakeSound = std::function<bool(std::span<const float>)>;
/// Makes the sound of the whole film, silence where there is none.
Status make_film_sound(const std::vector<SoundClip>& clips, const TakeSound& take);

}  // namespace sphere::tool
