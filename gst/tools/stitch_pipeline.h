// SPDX-License-Identifier: LGPL-2.1-or-later
// From a checked file to a stitched one: the pipelines of `sphere stitch`.

#pragma once

#include <gst/gst.h>

#include <atomic>
#include <memory>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/thread.h"
#include "gst/tools/output_file.h"
#include "gst/tools/stitch_input.h"
#include "gst/tools/stitch_options.h"

namespace sphere::tool {

/// What a pipeline tells of itself while it runs; written by its threads.
struct StitchCounts {
  std::atomic<uint64_t> read{0};  ///< coded pictures that came out of the file
  std::atomic<uint64_t> stitched{0};
  std::atomic<int> width{0}, height{0};
  std::atomic<int> sound_tracks{0};
};

class StitchPipeline {
 public:
  static Result<std::unique_ptr<StitchPipeline>> make(const StitchOptions& options,
                                                      const StitchInput& input, int output);
  ~StitchPipeline();
  StitchPipeline(const StitchPipeline&) = delete;
  StitchPipeline& operator=(const StitchPipeline&) = delete;

  GstElement* element() const { return pipeline_.get(); }
  GstElement* stitcher() const { return stitcher_; }
  const StitchCounts& counts() const { return counts_; }
  /// The sentence of what this pipeline itself found wrong while it ran, or "".
  std::string refusal();

 private:
  StitchPipeline() = default;
  Status build(const StitchOptions& options, const StitchInput& input, int output);
  Status build_photo_ends(const StitchOptions& options, const StitchInput& input);
  Status build_video_ends(const StitchOptions& options, const StitchInput& input);
  /// Before the first picture, what the camera says of itself in the file.
  void tell_stitcher(const makers::CaptureInfo& capture);
  GstElement* add(const char* factory);
  bool link(std::initializer_list<GstElement*> elements);
  void refuse(const std::string& sentence);
  void take_track(GstPad* pad);
  void take_sound(GstPad* pad, GstCaps* caps);
  void guard_muxer(GstPad* pad);
  /// qtdemux ends a track where its own time, not the movie's, passes the length of the movie; so a
  /// track that an edit list enters late loses its end. It is shown the length of the
  /// longest track instead.
  static GstPadProbeReturn lengthen(GstPad*, GstPadProbeInfo* info, gpointer self);

  /// Looks at the first decoded pictures, until one can be told, and refuses what has no fisheyes.
  static GstPadProbeReturn look_at_decoded(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn count_read(GstPad*, GstPadProbeInfo* info, gpointer self);
  /// mp4mux takes the sum of the steps in decoding order for the length of a track, and writes an
  /// edit list of that length. Where steps differ and pictures are out of order, that cuts pictures
  /// off the end. Only the last picture's duration counts for it, so each is given the one that
  /// makes the sum right if it is the last.
  static GstPadProbeReturn time_encoded(GstPad*, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn watch_stitched(GstPad*, GstPadProbeInfo* info, gpointer self);

  GstRef<GstElement> pipeline_;
  Status missing_ = ok();
  // Borrowed from the pipeline.
  GstElement* stitcher_ = nullptr;
  GstElement* converter_ = nullptr;    ///< takes decoded pictures
  GstElement* coded_queue_ = nullptr;  ///< takes coded ones
  GstElement* encoder_ = nullptr;
  GstElement* muxer_ = nullptr;
  GstElement* last_ = nullptr;  ///< what the sink follows
  StitchCounts counts_;
  /// Running times of what goes to the muxer; only its own pad's thread touches it.
  struct EncodedTimes {
    GstSegment segment{};
    bool begun = false;
    gint64 first_decoded = 0, first_shown = 0, end = 0;
  } encoded_;
  int looked_at_ = 0;             ///< decoded pictures; only that pad's thread touches it
  const char* what_ = "picture";  ///< what the file is, in words
  GstSegment segment_{};          ///< of coded pictures; only its own pad's thread touches it
  bool audio_ = true;
  media::IsoFile::Length length_;
  // Protects the sentence; held while it is copied.
  Mutex mutex_;
  std::string refusal_ SPHERE_GUARDED_BY(mutex_);
};

}  // namespace sphere::tool
