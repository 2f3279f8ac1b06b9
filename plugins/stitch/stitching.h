// SPDX-License-Identifier: LGPL-2.1-or-later
// What the GL and the CPU stitcher have in common: properties, negotiation, which lens, and the
// plan for each frame. Everything but the drawing.

#pragma once

#include <gst/video/video.h>

#include <memory>
#include <optional>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/stitch/plan.h"
#include "gst/sphere/stitch/seam.h"

namespace sphere {

enum class Blend { off, feather };
enum class Match { off, gain };
enum class Align { off, seam };
enum class Interpolation { linear, cubic };

/// What a person sets. Copied as a whole, once a buffer.
struct StitchSettings {
  std::string lens;  ///< profile name or file; empty: what the stream says
  double fov = 0;    ///< degrees; 0: as the profile says
  Angles view;
  Blend blend = Blend::feather;
  double blend_width = 4;  ///< degrees
  Match match = Match::off;
  Align align = Align::off;
  double stitch_distance = 0;  ///< metres; 0: infinitely far
  Interpolation interpolation = Interpolation::linear;
  bool operator==(const StitchSettings&) const = default;
};

/// Ids of the properties that install_stitch_properties() installs; an element's own follow.
enum StitchProperty : guint {
  stitch_prop_lens = 1,
  stitch_prop_fov,
  stitch_prop_yaw,
  stitch_prop_pitch,
  stitch_prop_roll,
  stitch_prop_blend,
  stitch_prop_blend_width,
  stitch_prop_match,
  stitch_prop_align,
  stitch_prop_stitch_distance,
  stitch_prop_interpolation,
  stitch_prop_end,
};

void install_stitch_properties(GObjectClass* klass);
/// The property `threads`, of those that draw on the CPU. 0: as many as cores.
void install_threads_property(GObjectClass* klass, guint id);
inline constexpr int default_threads = 0;

/// One stitcher's settings and, while it runs, its planner and plan.
class Stitching {
 public:
  explicit Stitching(GstElement* owner) : owner_(owner) {}

  bool set_property(guint id, const GValue* value);
  bool get_property(guint id, GValue* value);

  /// Looks at a serialised event on the sink pad; a `sphere-lens` event is remembered.
  void observe(GstEvent* event);
  void stop();

  /// Sets both formats. On failure posts an element error that says what to do, and returns false.
  bool set_formats(const GstVideoInfo& input, const GstVideoInfo& output);

  /// The plan for the frame that is to be drawn now, rebuilt if anything changed, or null after an
  /// element error was posted. Valid until the next call; `generation()` counts its changes.
  const Plan* plan();
  unsigned generation() const { return generation_; }
  /// How the frame is to be sampled; as it was when plan() was called.
  Interpolation interpolation() const { return interpolation_; }

  /// What is to be drawn of this frame's input first, in the format of the pictures and of
  /// SeamStrip::size, and handed to measure(); null where nothing is, for this frame. After plan().
  const Plan* strip();
  /// The format of the strip's picture.
  const GstVideoInfo& strip_info() const { return strip_info_; }
  void measure(const GstVideoFrame& strip);
  /// Matches the seam in the plan, where that is wanted. Once a frame, after plan() and measure().
  void match();

 private:
  /// Everything that a planner depends on.
  struct Basis {
    std::string lens;
    std::shared_ptr<const LensPair> own_lens;  ///< the camera's table; comes before the name
    double fov = 0, blend_width = 0, stitch_distance = 0;
    SeamOptions seam;
    bool operator==(const Basis&) const = default;
  };
  Status make_planner(const Basis& basis);
  void observe_table(GBytes* table);

  GstElement* const owner_;

  // Order: taken alone. Never held across a post or while a plan is built.
  Mutex mutex_;
  StitchSettings settings_ SPHERE_GUARDED_BY(mutex_);
  std::string stream_lens_ SPHERE_GUARDED_BY(mutex_);
  std::shared_ptr<const LensPair> stream_table_ SPHERE_GUARDED_BY(mutex_);

  // State: touched by the streaming thread alone (and by stop(), when there is none).
  GstVideoInfo input_{}, output_{};
  bool have_formats_ = false, warned_no_lens_ = false;
  Basis basis_;
  BytesRef table_;  // what stream_table_ was made of
  std::optional<Planner> planner_;
  std::optional<Angles> view_;
  Plan plan_;
  unsigned generation_ = 0;
  Interpolation interpolation_ = Interpolation::linear;
  std::optional<Seam> seam_;
  GstVideoInfo strip_info_{};
  unsigned frames_matched_ = 0;
};

/// GstSphereBlend, the enumeration of the property `blend`.
GType stitch_blend_get_type();
/// GstSphereMatch and GstSphereAlign, those of `match` and `align`.
GType stitch_match_get_type();
GType stitch_align_get_type();
/// GstSphereInterpolation, that of `interpolation`.
GType stitch_interpolation_get_type();

}  // namespace sphere
