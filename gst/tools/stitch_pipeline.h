// SPDX-License-Identifier: LGPL-2.1-or-later
// From a checked file to a stitched one: the pipelines of `sphere stitch`.

#pragma once

#include <gst/gst.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/thread.h"
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
  ~StitchPipeline();
  StitchPipeline(const StitchPipeline&) = delete;
  StitchPipeline& operator=(const StitchPipeline&) = delete;

  GstElement* element() const { return pipeline_.get(); }
  GstElement* stitcher() const { return stitcher_; }
  const StitchCounts& counts() const { return counts_; }
  /// Coded pictures that came out of the file; of two files, out of the one with fewer.
  uint64_t pictures_read() const;
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
  Status build_video_ends(const StitchOptions& options, const StitchInput& input,
                          const std::vector<GstElement*>& targets);
  void set_up_encoder(const StitchOptions& options);
  void set_up_view(const StitchOptions& options);
  void set_up_stitcher(const StitchOptions& options, const makers::CaptureInfo& capture);
  /// Before the first picture, what the camera says of itself in the file.
  void tell_stitcher(const makers::CaptureInfo& capture);
  GstElement* add(const char* factory);
  bool link(std::initializer_list<GstElement*> elements);
  void refuse(const std::string& sentence);
  void take_sound(GstPad* pad, GstCaps* caps);
  void guard_muxer(GstPad* pad);
  /// Lets pictures pass to the muxer, which shall know all tracks before the first one comes.
  void open_muxer();

  /// Why pictures of this kind are not taken, or "".
  std::string why_not(media::PictureKind kind) const;
  /// Looks at the first decoded pictures, until one can be told, and refuses what has no fisheyes,
  /// or is no sphere, whichever is wanted.
  static GstPadProbeReturn check_decoded(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  /// mp4mux takes the sum of the steps in decoding order for the length of a track, and writes an
  /// edit list of that length. Where steps differ and pictures are out of order, that cuts pictures
  /// off the end. Only the last picture's duration counts for it, so each is given the one that
  /// makes the sum right if it is the last.
  static GstPadProbeReturn time_encoded(GstPad*, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn watch_stitched(GstPad*, GstPadProbeInfo* info, gpointer self);
  /// Says so if the encoder takes fewer bits than the decoder gives.
  void compare_depths(int encoded);

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
  /// Running times of what goes to the muxer; only its own pad's thread touches it.
  struct EncodedTimes {
    GstSegment segment{};
    bool begun = false;
    gint64 first_decoded = 0, first_shown = 0, end = 0;
  } encoded_;
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
