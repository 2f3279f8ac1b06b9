// SPDX-License-Identifier: LGPL-2.1-or-later
// What a person sets at a stitcher, and the properties by which it is set.

#pragma once

#include <gst/gst.h>

#include <atomic>
#include <string>

#include "gst/sphere/geometry/projection.h"
#include "gst/sphere/warp/workers.h"
#include "plugins/stitch/levelling.h"

namespace sphere {

enum class Blend { off, feather, multiband };
/// Which rows of the lenses' frame a picture has that is half as high.
enum class Strip { top, middle, bottom };
enum class Match { off, gain };
enum class Align { off, seam };
enum class Interpolation { linear, cubic };

/// What a person sets. Copied as a whole, once a buffer.
struct StitchSettings {
  std::string lens;  ///< profile name or file; empty: what the stream says
  Projection projection = Projection::equirect;
  double fov = 0;       ///< degrees across the output, where it is a view; 0: as usual
  double lens_fov = 0;  ///< degrees, of each lens; 0: as the profile says
  Angles view;
  Blend blend = Blend::feather;
  double blend_width = 4;  ///< degrees
  Strip strip = Strip::middle;
  Level level = Level::off;
  double smoothing = 0;  ///< seconds
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
  stitch_prop_strip,
  stitch_prop_level,
  stitch_prop_smoothing,
  stitch_prop_match,
  stitch_prop_align,
  stitch_prop_stitch_distance,
  stitch_prop_interpolation,
  stitch_prop_projection,
  stitch_prop_lens_fov,
  stitch_prop_end,
};

void install_stitch_properties(GObjectClass* klass);
/// The property `threads`, of those that draw on the CPU. 0: as many as cores.
void install_threads_property(GObjectClass* klass, guint id);
class ThreadsProperty {
 public:
  explicit ThreadsProperty(guint id) : id_(id) {}
  int threads() const { return threads_; }

  /// False where the id is another's.
  bool set(guint id, const GValue* value) {
    if (id == id_) threads_ = g_value_get_int(value);
    return id == id_;
  }
  bool get(guint id, GValue* value) const {
    if (id == id_) g_value_set_int(value, threads_);
    return id == id_;
  }

 private:
  const guint id_;
  std::atomic<int> threads_ = Workers::default_threads;
};

/// Puts a property's value into settings, or takes it from them; false where the id is not one of
/// these properties.
bool set_stitch_property(StitchSettings& settings, guint id, const GValue* value);
bool get_stitch_property(const StitchSettings& settings, guint id, GValue* value);

/// GstSphereProjection, the enumeration of the property `projection`.
GType stitch_projection_get_type();

/// GstSphereLevel, the enumeration of the property `level`.
GType stitch_level_get_type();

/// GstSphereStrip, the enumeration of the property `strip`.
GType stitch_strip_get_type();

/// GstSphereBlend, the enumeration of the property `blend`.
GType stitch_blend_get_type();
/// GstSphereMatch and GstSphereAlign, those of `match` and `align`.
GType stitch_match_get_type();
GType stitch_align_get_type();
/// GstSphereInterpolation, that of `interpolation`.
GType stitch_interpolation_get_type();

}  // namespace sphere
