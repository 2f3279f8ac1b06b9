// SPDX-License-Identifier: LGPL-2.1-or-later
// From a checked file to a stitched one: the pipelines of `sphere stitch`.

#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/thread.h"
#include "gst/tools/encoded_times.h"
#include "gst/tools/film_pipeline.h"
#include "gst/tools/lent_picture.h"
#include "gst/tools/output_file.h"
#include "gst/tools/stitch_input.h"
#include "gst/tools/stitch_options.h"
#include "gst/tools/stitch_reader.h"

namespace sphere::tool {

/// What a pipeline tells of itself while it runs; written by its threads.
struct StitchCounts {
  std::atomic<uint64_t> stitched{0};
  std::atomic<int> width{0}, height{0};
  std::atomic<int> sound_tracks{0};
};

/// More than twenty members: one for each element that is changed after it was made, and what the
/// probes on their pads have to know.
class StitchPipeline {
 public:
  static Result<std::unique_ptr<StitchPipeline>> make(const StitchOptions& options,
                                                      const StitchInput& input, int output);
  /// Makes a part of a film instead. `film` must exist longer.
  static Result<std::unique_ptr<StitchPipeline>> make(const StitchOptions& options,
                                                      const StitchInput& input, FilmTask* film);
  ~StitchPipeline();
  StitchPipeline(const StitchPipeline&) = delete;
  StitchPipeline& operator=(const StitchPipeline&) = delete;

  GstElement* element() const { return pipeline_.get(); }
  /// The element that drew, looked up in the bin that chooses.
  std::string stitcher_name() const;
  const StitchCounts& counts() const { return counts_; }
  /// Coded pictures that came out of the file; of two files, out of the one with fewer. For a part
  /// of a film, those of its time.
  uint64_t pictures_read() const;
  /// How many of them were drawn, or could be.
  uint64_t pictures_drawn() const;
  /// Whether it makes a part of a film, which has no picture of its own if IN ends before.
  bool may_be_empty() const { return film_ != nullptr; }
  /// The sentence of what this pipeline itself found wrong while it ran, or "".
  std::string refusal();

 private:
  StitchPipeline() = default;
  Status build(const StitchOptions& options, const StitchInput& input, int output);
  /// What takes the pictures of the file, or of each file, as they are decoded, and hands one
  /// stream of them to `before`.
  Result<std::vector<GstElement*>> build_sources_end(const StitchOptions& options,
                                                     const StitchInput& input, GstElement* before);
  Status build_photo(const StitchInput& input, GstElement* target);
  Status build_photo_ends(const StitchOptions& options, const StitchInput& input,
                          const std::vector<GstElement*>& targets);
  Status build_film_ends(const StitchOptions& options);
  Status build_muxer(const StitchOptions& options, const StitchInput& input);
  Status build_readers(const StitchInput& input, const std::vector<GstElement*>& targets);
  void set_up_encoder(const StitchOptions& options);
  void set_up_view(const StitchOptions& options);
  void set_up_stitcher(const StitchOptions& options, const makers::CaptureInfo& capture);
  GstElement* add(const char* factory);
  bool link(std::initializer_list<GstElement*> elements);
  void refuse(const std::string& sentence);
  /// Lets pictures pass to the muxer, which shall know all tracks before the first one comes.
  void open_muxer();

  /// Why pictures of this kind and format are not taken, or "".
  std::string why_not(media::PictureKind kind, const GstVideoInfo& format) const;
  /// Examines the first decoded pictures until the kind of one is clear. Refuses what has no
  /// fisheyes, or is no sphere, whichever is wanted.
  static GstPadProbeReturn check_decoded(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn watch_stitched(GstPad*, GstPadProbeInfo* info, gpointer self);
  /// Says so if the encoder takes fewer bits than the decoder gives.
  void compare_depths(int encoded);

  FilmTask* film_ = nullptr;
  GstRef<GstElement> pipeline_;
  Status missing_ = ok();
  // Borrowed from the pipeline.
  GstElement* stitcher_ = nullptr;
  GstElement* converter_ = nullptr;  ///< takes decoded pictures, of the first lens if there are two
  GstElement* encoder_ = nullptr;
  GstElement* muxer_ = nullptr;
  GstElement* last_ = nullptr;  ///< what the sink follows
  std::vector<std::unique_ptr<VideoReader>> readers_;
  StitchCounts counts_;
  EncodedTimes encoded_;
  bool lends_ = false;  ///< whether the encoder copies pictures before it returns
  LentPicture lent_;
  int checked_at_ = 0;  ///< decoded pictures; only that pad's thread touches it
  bool from_sphere_ = false;
  const char* what_ = "picture";  ///< what the file is, in words
  bool audio_ = true;
  std::string container_;  ///< the end of OUT's name, with its dot
  // Protects the sentence and the probe; held while they are copied.
  Mutex mutex_;
  std::string refusal_ SPHERE_GUARDED_BY(mutex_);
  gulong held_ SPHERE_GUARDED_BY(mutex_) = 0;  ///< what holds pictures back from the muxer
};

}  // namespace sphere::tool
