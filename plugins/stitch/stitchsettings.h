// SPDX-License-Identifier: LGPL-2.1-or-later
// The settings of a stitcher, and their properties.

#pragma once

#include <gst/gst.h>

#include <string>

#include "gst/sphere/geometry/projection.h"
#include "gst/sphere/view/keyframes_setting.h"
#include "gst/sphere/warp/elementproperties.h"
#include "plugins/stitch/levelling.h"

namespace sphere {

enum class Blend { off, feather, multiband };
/// The rows of the lenses' frame that a picture of half its height contains.
enum class FrameRows { top, middle, bottom };
enum class Match { off, gain };
enum class Align { off, seam };

/// Copied as a whole, once for each buffer.
struct StitchSettings {
  std::string lens;  ///< profile name or file; empty: what the stream says
  Projection projection = Projection::equirect;
  double fov = 0;       ///< degrees, horizontal, of a view; 0: the projection's default
  double lens_fov = 0;  ///< degrees, of each lens; 0: as the profile says
  Angles view;
  Blend blend = Blend::feather;
  double blend_width = 4;  ///< degrees
  FrameRows frame_rows = FrameRows::middle;
  Level level = Level::off;
  double smoothing = 0;  ///< seconds
  Match match = Match::off;
  Align align = Align::off;
  double stitch_distance = 0;  ///< metres; 0: infinitely far
  Interpolation interpolation = Interpolation::linear;
  KeyframesSetting keyframes;
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
  stitch_prop_keyframes,
  stitch_prop_end,
};

void install_stitch_properties(GObjectClass* klass);

/// Writes a property's value to the settings, or reads it from them. Returns false if the id is not
/// one of these properties. `keyframes` is not written by set_stitch_property(), because a file is
/// read for it.
bool set_stitch_property(StitchSettings& settings, guint id, const GValue* value);
bool get_stitch_property(const StitchSettings& settings, guint id, GValue* value);

/// GstSphereLevel, the enumeration of the property `level`.
GType stitch_level_get_type();

/// GstSphereStrip, the enumeration of the property `strip`.
GType stitch_frame_rows_get_type();

/// GstSphereBlend, the enumeration of the property `blend`.
GType stitch_blend_get_type();
/// GstSphereMatch and GstSphereAlign, those of `match` and `align`.
GType stitch_match_get_type();
GType stitch_align_get_type();

}  // namespace sphere
