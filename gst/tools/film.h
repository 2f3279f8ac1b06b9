// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes a film of one or more clips, part by part. A run that was stopped goes on with the first
// part that it did not finish.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gst/tools/clip_times.h"
#include "gst/tools/end_signals.h"
#include "gst/tools/film_folder.h"
#include "gst/tools/pipeline_run.h"
#include "gst/tools/progress.h"
#include "gst/tools/reframe_options.h"
#include "gst/tools/stitch_prepare.h"

namespace sphere::tool {

/// A clip whose file is open, and whose lenses are known.
struct FilmClip {
  StitchOptions view;
  StitchInput input;
  FoundLens lens;
  ClipTimes times;
  uint64_t film_begin = 0, film_end = 0;  ///< nanoseconds of the film, when it is made
};

struct FilmResult {
  uint64_t pictures = 0;
  uint64_t kept_parts = 0;  ///< that an earlier run had made
  int width = 0, height = 0;
  int sound_tracks = 0;
  double seconds = 0;  ///< of the film
  uint64_t bytes = 0;
  std::string stitcher, lens;
};

class Film {
 public:
  Film(const ReframeOptions& options, MessagePrinter* printer);
  Film(const Film&) = delete;
  Film& operator=(const Film&) = delete;

  Outcome make();
  const FilmResult& result() const { return result_; }
  /// To be read after make().
  const std::vector<std::unique_ptr<FilmClip>>& clips() const { return clips_; }

 private:
  Outcome open_clips();
  /// The same, with the lenses that were found in this file for an earlier clip.
  StitchOptions with_found_lens(const StitchOptions& wanted) const;
  Status choose_rate();
  Outcome make_parts(FilmFolder* folder);
  Outcome make_clip(FilmFolder* folder, FilmClip* clip);
  /// One part, from a step of the clip on, or from a time of IN. Sets `end`.
  Outcome make_part(const FilmFolder& folder, FilmClip* clip, uint64_t number_in_clip,
                    FilmPartEnd* end);
  /// How many steps a clip has if it is as long as it says; or else more than any film.
  uint64_t steps_of(const FilmClip& clip) const;
  Outcome join(const FilmFolder& folder);
  bool interrupted();
  double expected_pictures() const;

  const ReframeOptions& options_;
  MessagePrinter* printer_;
  Progress progress_;
  std::vector<std::unique_ptr<FilmClip>> clips_;
  FrameRate rate_;  ///< even steps; 0: each picture with its own time
  size_t parts_ = 0;
  uint64_t pictures_done_ = 0;
  std::string raw_;  ///< of the first part's pictures
  FilmResult result_;
  bool stopped_ = false;
  const EndSignals signals_{[this] { stopped_ = true; }};
};

}  // namespace sphere::tool
