// SPDX-License-Identifier: LGPL-2.1-or-later
// What the GL and the CPU stitcher have in common: which lens, and the plan for each frame.
// Everything but the drawing.

#pragma once

#include <gst/video/video.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/geometry/projection.h"
#include "gst/sphere/makers/capture.h"
#include "gst/sphere/stitch/multiband.h"
#include "gst/sphere/stitch/plan.h"
#include "gst/sphere/stitch/seam.h"
#include "plugins/stitch/levelling.h"
#include "plugins/stitch/stitchsettings.h"
#include "gst/sphere/warp/workers.h"

namespace sphere {

/// One stitcher's settings and, while it runs, its planner and plan.
class Stitching {
 public:
  explicit Stitching(GstElement* owner) : owner_(owner), levelling_(owner) {}

  bool set_property(guint id, const GValue* value);
  bool get_property(guint id, GValue* value);

  /// Takes a serialised event on the sink pad: a `sphere-lens` event is remembered, and the
  /// camera's own data is taken out of tags. Returns what may be passed on, or null.
  GstEvent* observe(GstEvent* event);
  void stop();

  /// Sets both formats. On failure posts an element error that says what to do, and returns false.
  bool set_formats(const GstVideoInfo& input, const GstVideoInfo& output);

  /// What the output is to show, for its size to be chosen.
  Projection projection();

  /// The plans, one for each patch of the output, by which `in` is to be drawn as `out`, rebuilt if
  /// anything changed, or none after an element error was posted. Valid until the next call;
  /// `generation()` counts their changes. An orientation meta on `out` becomes that of what is
  /// drawn.
  std::span<const Plan> plan(GstBuffer* in, GstBuffer* out, const GstSegment& segment);
  unsigned generation() const { return generation_; }
  /// How many smaller copies of the input the plans ask for.
  int reductions() const { return planner_ ? planner_->reductions() : 0; }
  /// How the frame is to be sampled; as it was when plan() was called.
  Interpolation interpolation() const { return interpolation_; }

  /// What is to be drawn of this frame's input first, in the format of the pictures and of
  /// SeamStrip::size, and handed to measure(); null where nothing is, for this frame. After plan().
  const Plan* strip();
  /// Counts the changes of that plan.
  unsigned strip_generation() const { return strip_generation_; }
  /// The format of the strip's picture.
  const GstVideoInfo& strip_info() const { return strip_info_; }
  void measure(const GstVideoFrame& strip);
  /// Matches the seam in the plans, where that is wanted. Once a frame, after plan() and measure().
  void match();

  /// What is to be drawn of this frame's input next, in the format of the pictures and of its own
  /// size, and handed to blend(); null where bands are not blended. After match().
  const Plan* bands() const { return bands_ ? &bands_->strip().plan() : nullptr; }
  const GstVideoInfo& bands_info() const { return bands_info_; }
  /// Counts the changes of that plan.
  unsigned bands_generation() const { return bands_generation_; }
  /// `workers` may be null.
  void blend(const GstVideoFrame& bands, Workers* workers);
  /// What is to be added to the picture that is drawn by the plan, or null. After blend().
  const SeamField* field() const { return bands_ ? &bands_->field() : nullptr; }

 private:
  /// Everything that a planner depends on.
  struct Basis {
    std::string lens;
    std::shared_ptr<const LensPair> own_lens;  ///< the camera's table; comes before the name
    Projection projection = Projection::equirect;
    double fov = 0, lens_fov = 0, blend_width = 0;
    bool multiband = false;
    Strip strip = Strip::middle;
    double stitch_distance = 0;
    SeamOptions seam;
    bool operator==(const Basis&) const = default;
  };
  bool ensure_planner(const StitchSettings& settings);
  Status make_planner(const Basis& basis);
  void observe_lens(GstEvent* event);
  void observe_table(GBytes* table);
  std::shared_ptr<const LensPair> read_table(std::span<const uint8_t> table);
  void forget_stream();
  void observe_capture_info(makers::CaptureInfo info);
  StripPicture picture_of(const GstVideoFrame& strip) const;
  GstVideoInfo info_of(Size strip) const;

  GstElement* const owner_;

  // Order: taken alone. Never held across a post or while a plan is built.
  Mutex mutex_;
  StitchSettings settings_ SPHERE_GUARDED_BY(mutex_);
  std::string stream_lens_ SPHERE_GUARDED_BY(mutex_);
  std::shared_ptr<const LensPair> stream_table_ SPHERE_GUARDED_BY(mutex_);

  // State: touched by the streaming thread alone (and by stop(), when there is none).
  GstVideoInfo input_{}, output_{};
  bool have_formats_ = false, warned_no_lens_ = false, told_interlaced_ = false;
  // Of this frame. Kept, so that to copy the names in them allocates nothing.
  StitchSettings current_;
  Basis wanted_, basis_;
  std::optional<Basis> announced_;    // what the bus was last told of
  BytesRef table_;                    // what stream_table_ was made of
  makers::CaptureInfo file_;          // what the file's own box says
  bool track_came_by_event_ = false;  // then the file's own is not looked at
  std::shared_ptr<const LensPair> file_table_;
  Levelling levelling_;
  std::optional<Planner> planner_;
  std::optional<Mat3> view_;
  std::vector<Plan> plans_;
  unsigned generation_ = 0;
  Interpolation interpolation_ = Interpolation::linear;
  std::optional<Seam> seam_;
  unsigned strip_generation_ = 0;
  // The seam's generation that the plans have, and that the plan for the bands has; none: not yet.
  std::optional<unsigned> applied_, applied_to_bands_;
  GstVideoInfo strip_info_{};
  unsigned frames_matched_ = 0;
  std::optional<Multiband> bands_;
  GstVideoInfo bands_info_{};
  unsigned bands_generation_ = 0;
};

}  // namespace sphere
