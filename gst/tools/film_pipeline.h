// SPDX-License-Identifier: LGPL-2.1-or-later
// What a StitchPipeline is told and tells when it makes a part of a film instead of a file.

#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <functional>
#include <string>

#include "gst/tools/film_part.h"
#include "gst/tools/picture_chooser.h"

namespace sphere::tool {

struct FilmTask {
  PictureChoice choice;
  PictureCounts counts;
  /// Nanoseconds of the film at which a picture is shown: its number in the part, counted from 0,
  /// and its time in IN.
  std::function<uint64_t(uint64_t number, GstClockTime source)> film_time;
  /// Pictures a second that the encoder is told; 0: as IN says.
  int rate_numerator = 0, rate_denominator = 1;
  /// Form and colours that pictures are converted to before they are encoded, as caps; "": as they
  /// come. All parts of a film have the same.
  std::string raw;
  FilmPartWriter* writer = nullptr;
  /// Filled in while it runs.
  FilmPartEnd end;
};

/// Gives pictures on their way from a pad to the encoder their times in the film, and leaves those
/// out that came before the part.
void time_pictures(GstPad* pad, FilmTask* task);

/// The form of coded pictures in which parts are kept, as caps.
const char* coded_form(bool hevc);

/// A sink that writes coded pictures into the part.
GstElement* make_part_sink(FilmTask* task);

}  // namespace sphere::tool
