// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/stitch/stitchsettings.h"

#include "gst/sphere/base/gobject.h"

namespace sphere {

namespace {

constexpr double default_blend_width =
    4;  // two degrees to either side, as the camera's own app has

}  // namespace

GType stitch_match_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Match::off), "The brightness of each lens is not changed", "off"},
      {static_cast<int>(Match::gain), "Brightness and colour are made equal around the seam",
       "gain"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_plugin_enum("GstSphereMatch", values);
  return type;
}

GType stitch_align_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Align::off), "Things at stitch-distance are joined without a step", "off"},
      {static_cast<int>(Align::seam), "Things at all distances are moved together at the seam",
       "seam"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_plugin_enum("GstSphereAlign", values);
  return type;
}

GType stitch_blend_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Blend::off), "A hard seam: each pixel is from one lens", "off"},
      {static_cast<int>(Blend::feather), "A linear cross-fade over blend-width", "feather"},
      {static_cast<int>(Blend::multiband),
       "Coarse detail is blended over a wide band, fine detail over a few pixels", "multiband"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_plugin_enum("GstSphereBlend", values);
  return type;
}

GType stitch_level_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Level::off), "The picture is not levelled", "off"},
      {static_cast<int>(Level::horizon), "The horizon is level; the view turns with the camera",
       "horizon"},
      {static_cast<int>(Level::full), "The horizon is level; the view keeps its direction", "full"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_plugin_enum("GstSphereLevel", values);
  return type;
}

GType stitch_frame_rows_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(FrameRows::top), "The upper half", "top"},
      {static_cast<int>(FrameRows::middle), "The middle half", "middle"},
      {static_cast<int>(FrameRows::bottom), "The lower half", "bottom"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_plugin_enum("GstSphereStrip", values);
  return type;
}

void install_stitch_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, stitch_prop_lens,
      g_param_spec_string(
          "lens", "Lens",
          "Name of a lens profile (mi-sphere, gear360, theta-s, dual-190) or path of a file: a "
          "profile, or a recording or photo with the camera's own lens table; or the text of a "
          "profile; if it is empty, "
          "the stream names the lenses",
          "", live_property));
  const auto angle = [&](guint id, const char* name, const char* nick, const char* blurb) {
    g_object_class_install_property(
        klass, id, g_param_spec_double(name, nick, blurb, -360, 360, 0, controllable_property));
  };
  g_object_class_install_property(
      klass, stitch_prop_projection,
      g_param_spec_enum("projection", "Projection", "How the sphere is projected into the output",
                        projection_type(), static_cast<int>(Projection::equirect), live_property));
  g_object_class_install_property(
      klass, stitch_prop_fov,
      g_param_spec_double("fov", "Field of view",
                          "Horizontal field of view of the output in degrees: perspective 1 to "
                          "170, little-planet and stereographic 1 to 350; 0 means 90, 270 and 180. "
                          "Ignored when the projection shows the whole "
                          "sphere",
                          0, 350, 0, controllable_property));
  g_object_class_install_property(
      klass, stitch_prop_lens_fov,
      g_param_spec_double(
          "lens-fov", "Field of view of the lenses",
          "Full field of view of each lens's image circle in degrees, 60 to 358; values between 0 "
          "and 60 are treated as 60; 0 means the value of the lens profile",
          0, 358, 0, controllable_property));
  angle(stitch_prop_yaw, "yaw", "Yaw",
        "Turn of the view to the right in degrees; applied before pitch and roll");
  angle(stitch_prop_pitch, "pitch", "Pitch",
        "Turn of the view upwards in degrees; applied after yaw, before roll");
  angle(stitch_prop_roll, "roll", "Roll",
        "Clockwise tilt of the view in degrees; applied after yaw and pitch");
  g_object_class_install_property(
      klass, stitch_prop_blend,
      g_param_spec_enum("blend", "Blend", "How the two lenses are joined", stitch_blend_get_type(),
                        static_cast<int>(Blend::feather), live_property));
  g_object_class_install_property(
      klass, stitch_prop_blend_width,
      g_param_spec_double(
          "blend-width", "Blend width",
          "Width of the whole blended band in degrees, limited to what both lenses see without the "
          "last degree of each; with multiband the coarsest detail is blended over twice this "
          "width, the finest over a few pixels. Ignored when blend is off",
          0, 60, default_blend_width, controllable_property));
  g_object_class_install_property(
      klass, stitch_prop_strip,
      g_param_spec_enum(
          "strip", "Strip",
          "For pictures that have half of the rows of the lenses' frame, as in the fastest modes "
          "of a camera: which rows they have. Ignored for complete pictures",
          stitch_frame_rows_get_type(), static_cast<int>(FrameRows::middle), live_property));
  g_object_class_install_property(
      klass, stitch_prop_level,
      g_param_spec_enum(
          "level", "Level",
          "Which movements of the camera are removed, with the file's orientation track or the "
          "meta on each picture; yaw, pitch and roll are applied afterwards",
          stitch_level_get_type(), static_cast<int>(Level::off), live_property));
  g_object_class_install_property(
      klass, stitch_prop_smoothing,
      g_param_spec_double("smoothing", "Smoothing",
                          "Seconds over which the heading of the camera is averaged; ignored "
                          "unless level is horizon",
                          0, 10, 0, controllable_property));
  g_object_class_install_property(
      klass, stitch_prop_match,
      g_param_spec_enum(
          "match", "Match",
          "Whether differences of brightness and colour between the lenses are corrected",
          stitch_match_get_type(), static_cast<int>(Match::off), live_property));
  g_object_class_install_property(
      klass, stitch_prop_align,
      g_param_spec_enum("align", "Align", "Whether near things are moved together at the seam",
                        stitch_align_get_type(), static_cast<int>(Align::off), live_property));
  g_object_class_install_property(
      klass, stitch_prop_stitch_distance,
      g_param_spec_double(
          "stitch-distance", "Stitch distance",
          "Distance in metres at which things are joined at the seam without a step, calculated "
          "with the baseline of the lens profile; 0 means infinitely far. align starts from it. "
          "Ignored when the profile has no baseline",
          0, 1000, 0, controllable_property));
  g_object_class_install_property(
      klass, stitch_prop_keyframes,
      g_param_spec_string("keyframes", "Keyframes",
                          "What is looked at along stream time: a file, or its JSON text; it "
                          "replaces projection, fov, yaw, pitch and roll. Empty: no keyframes",
                          "", live_property));
  install_interpolation_property(klass, stitch_prop_interpolation,
                                 "How values between the pixels of the fisheyes are calculated");
}

bool set_stitch_property(StitchSettings& settings, guint id, const GValue* value) {
  switch (id) {
    case stitch_prop_lens:
      settings.lens = to_string(g_value_get_string(value));
      return true;
    case stitch_prop_fov:
      settings.fov = g_value_get_double(value);
      return true;
    case stitch_prop_yaw:
      settings.view.yaw = g_value_get_double(value);
      return true;
    case stitch_prop_pitch:
      settings.view.pitch = g_value_get_double(value);
      return true;
    case stitch_prop_roll:
      settings.view.roll = g_value_get_double(value);
      return true;
    case stitch_prop_blend:
      settings.blend = static_cast<Blend>(g_value_get_enum(value));
      return true;
    case stitch_prop_blend_width:
      settings.blend_width = g_value_get_double(value);
      return true;
    case stitch_prop_strip:
      settings.frame_rows = static_cast<FrameRows>(g_value_get_enum(value));
      return true;
    case stitch_prop_level:
      settings.level = static_cast<Level>(g_value_get_enum(value));
      return true;
    case stitch_prop_smoothing:
      settings.smoothing = g_value_get_double(value);
      return true;
    case stitch_prop_match:
      settings.match = static_cast<Match>(g_value_get_enum(value));
      return true;
    case stitch_prop_align:
      settings.align = static_cast<Align>(g_value_get_enum(value));
      return true;
    case stitch_prop_stitch_distance:
      settings.stitch_distance = g_value_get_double(value);
      return true;
    case stitch_prop_interpolation:
      settings.interpolation = static_cast<Interpolation>(g_value_get_enum(value));
      return true;
    case stitch_prop_projection:
      settings.projection = static_cast<Projection>(g_value_get_enum(value));
      return true;
    case stitch_prop_lens_fov:
      settings.lens_fov = g_value_get_double(value);
      return true;
    default:
      return false;
  }
}

bool get_stitch_property(const StitchSettings& settings, guint id, GValue* value) {
  switch (id) {
    case stitch_prop_lens:
      g_value_set_string(value, settings.lens.c_str());
      return true;
    case stitch_prop_fov:
      g_value_set_double(value, settings.fov);
      return true;
    case stitch_prop_yaw:
      g_value_set_double(value, settings.view.yaw);
      return true;
    case stitch_prop_pitch:
      g_value_set_double(value, settings.view.pitch);
      return true;
    case stitch_prop_roll:
      g_value_set_double(value, settings.view.roll);
      return true;
    case stitch_prop_blend:
      g_value_set_enum(value, static_cast<int>(settings.blend));
      return true;
    case stitch_prop_blend_width:
      g_value_set_double(value, settings.blend_width);
      return true;
    case stitch_prop_strip:
      g_value_set_enum(value, static_cast<int>(settings.frame_rows));
      return true;
    case stitch_prop_level:
      g_value_set_enum(value, static_cast<int>(settings.level));
      return true;
    case stitch_prop_smoothing:
      g_value_set_double(value, settings.smoothing);
      return true;
    case stitch_prop_match:
      g_value_set_enum(value, static_cast<int>(settings.match));
      return true;
    case stitch_prop_align:
      g_value_set_enum(value, static_cast<int>(settings.align));
      return true;
    case stitch_prop_stitch_distance:
      g_value_set_double(value, settings.stitch_distance);
      return true;
    case stitch_prop_interpolation:
      g_value_set_enum(value, static_cast<int>(settings.interpolation));
      return true;
    case stitch_prop_projection:
      g_value_set_enum(value, static_cast<int>(settings.projection));
      return true;
    case stitch_prop_lens_fov:
      g_value_set_double(value, settings.lens_fov);
      return true;
    case stitch_prop_keyframes:
      g_value_set_string(value, settings.keyframes.words());
      return true;
    default:
      return false;
  }
}

}  // namespace sphere
