// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/stitch/stitching.h"

#include <algorithm>
#include <cmath>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/lens/gstspherelens.h"
#include "gst/sphere/lens/profile.h"

namespace sphere {

namespace {

constexpr double default_blend_width =
    4;  // two degrees to either side, as the camera's own app has
constexpr int largest_side = 32768;

constexpr auto live = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                               GST_PARAM_MUTABLE_PLAYING);
constexpr auto live_controllable =
    static_cast<GParamFlags>(static_cast<int>(live) | GST_PARAM_CONTROLLABLE);

/// Both sides lose what the warp changes; what is left is the same on both.
void forget_geometry(GstStructure* structure) {
  gst_structure_remove_fields(structure, "width", "height", "pixel-aspect-ratio", "multiview-mode",
                              "multiview-flags", "interlace-mode", "field-order", nullptr);
}

/// The one value that a field leaves open nearest to `target`, or that it has already.
void fixate_int(GstStructure* structure, const char* field, int target) {
  if (gst_structure_has_field(structure, field))
    gst_structure_fixate_field_nearest_int(structure, field, target);
  else
    gst_structure_set(structure, field, G_TYPE_INT, target, nullptr);
}

/// Even, because chroma is shared by pairs of pixels in most formats.
int even(double value) {
  return std::clamp(static_cast<int>(std::lround(value / 2)) * 2, 2, largest_side);
}

}  // namespace

GType stitch_blend_get_type() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<int>(Blend::off), "A hard seam: each pixel is from one lens", "off"},
        {static_cast<int>(Blend::feather), "A linear cross-fade over blend-width", "feather"},
        {0, nullptr, nullptr},
    };
    const GType registered = g_enum_register_static("GstSphereBlend", values);
    gst_type_mark_as_plugin_api(registered, static_cast<GstPluginAPIFlags>(0));
    return registered;
  }();
  return type;
}

void install_stitch_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, stitch_prop_lens,
      g_param_spec_string(
          "lens", "Lens",
          "Name of a lens profile (mi-sphere, gear360, theta-s, dual-190) or path of "
          "a profile file; unset: what the stream says",
          nullptr, live));
  const auto angle = [&](guint id, const char* name, const char* nick, const char* blurb) {
    g_object_class_install_property(
        klass, id, g_param_spec_double(name, nick, blurb, -360, 360, 0, live_controllable));
  };
  g_object_class_install_property(
      klass, stitch_prop_fov,
      g_param_spec_double(
          "fov", "Field of view",
          "Full field of view of each lens's image circle in degrees, 60 to 358; 0: "
          "as the lens profile says",
          0, 358, 0, live_controllable));
  angle(stitch_prop_yaw, "yaw", "Yaw",
        "Turn of the view to the right in degrees; applied before pitch and roll");
  angle(stitch_prop_pitch, "pitch", "Pitch",
        "Turn of the view upwards in degrees; applied after yaw, before roll");
  angle(stitch_prop_roll, "roll", "Roll",
        "Clockwise tilt of the view in degrees; applied after yaw and pitch");
  g_object_class_install_property(
      klass, stitch_prop_blend,
      g_param_spec_enum("blend", "Blend", "How the two lenses are joined", stitch_blend_get_type(),
                        static_cast<int>(Blend::feather), live));
  g_object_class_install_property(
      klass, stitch_prop_blend_width,
      g_param_spec_double(
          "blend-width", "Blend width",
          "Width of the whole blended band in degrees, at most what both lenses see; "
          "ignored when blend is off",
          0, 60, default_blend_width, live_controllable));
}

void install_threads_property(GObjectClass* klass, guint id) {
  constexpr int most = 256;
  g_object_class_install_property(
      klass, id,
      g_param_spec_int("threads", "Threads",
                       "Threads that draw; 0: as many as cores. Ignored when a GPU draws", 0, most,
                       default_threads, live));
}

bool Stitching::set_property(guint id, const GValue* value) {
  Lock lock(mutex_);
  switch (id) {
    case stitch_prop_lens:
      settings_.lens = to_string(g_value_get_string(value));
      return true;
    case stitch_prop_fov:
      settings_.fov = g_value_get_double(value);
      return true;
    case stitch_prop_yaw:
      settings_.view.yaw = g_value_get_double(value);
      return true;
    case stitch_prop_pitch:
      settings_.view.pitch = g_value_get_double(value);
      return true;
    case stitch_prop_roll:
      settings_.view.roll = g_value_get_double(value);
      return true;
    case stitch_prop_blend:
      settings_.blend = static_cast<Blend>(g_value_get_enum(value));
      return true;
    case stitch_prop_blend_width:
      settings_.blend_width = g_value_get_double(value);
      return true;
    default:
      return false;
  }
}

bool Stitching::get_property(guint id, GValue* value) {
  Lock lock(mutex_);
  switch (id) {
    case stitch_prop_lens:
      g_value_set_string(value, settings_.lens.empty() ? nullptr : settings_.lens.c_str());
      return true;
    case stitch_prop_fov:
      g_value_set_double(value, settings_.fov);
      return true;
    case stitch_prop_yaw:
      g_value_set_double(value, settings_.view.yaw);
      return true;
    case stitch_prop_pitch:
      g_value_set_double(value, settings_.view.pitch);
      return true;
    case stitch_prop_roll:
      g_value_set_double(value, settings_.view.roll);
      return true;
    case stitch_prop_blend:
      g_value_set_enum(value, static_cast<int>(settings_.blend));
      return true;
    case stitch_prop_blend_width:
      g_value_set_double(value, settings_.blend_width);
      return true;
    default:
      return false;
  }
}

void Stitching::observe(GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) {
    // A new stream may come from another camera; its own event, if any, follows.
    Lock lock(mutex_);
    stream_lens_.clear();
    return;
  }
  const gchar* lens = nullptr;
  if (!gst_event_parse_sphere_lens(event, &lens)) return;
  Lock lock(mutex_);
  stream_lens_ = lens;
}

void Stitching::stop() {
  have_formats_ = false;
  warned_no_lens_ = false;
  planner_.reset();
  view_.reset();
  plan_ = Plan();
  Lock lock(mutex_);
  stream_lens_.clear();
}

bool Stitching::set_formats(const GstVideoInfo& input, const GstVideoInfo& output) {
  if (GST_VIDEO_INFO_IS_INTERLACED(&input)) {
    GST_ELEMENT_ERROR(owner_, STREAM, FORMAT,
                      ("Interlaced pictures can't be stitched; put a deinterlacer before."),
                      (nullptr));
    return false;
  }
  input_ = input;
  output_ = output;
  have_formats_ = true;
  planner_.reset();
  // Which lens it is may still be on its way, in an event after the caps: the first frame tells.
  return true;
}

Status Stitching::make_planner(const Basis& basis) {
  Result<LensPair> pair = load_profile(basis.lens);
  if (!pair) return pair.error();
  const Size source = {GST_VIDEO_INFO_WIDTH(&input_), GST_VIDEO_INFO_HEIGHT(&input_)};
  const double aspect = static_cast<double>(GST_VIDEO_INFO_PAR_N(&input_)) /
                        std::max(GST_VIDEO_INFO_PAR_D(&input_), 1);
  if (const Status fits = Planner::fits(*pair, source, aspect); !fits) return fits;
  const Size output = {GST_VIDEO_INFO_WIDTH(&output_), GST_VIDEO_INFO_HEIGHT(&output_)};
  PlanOptions options;
  options.fov = radians(basis.fov);
  options.blend_width = radians(basis.blend_width);
  Result<Planner> planner = Planner::make(*pair, source, output, options);
  if (!planner) return planner.error();
  planner_.emplace(std::move(*planner));
  view_.reset();
  return ok();
}

const Plan* Stitching::plan() {
  if (!have_formats_) {
    GST_ELEMENT_ERROR(owner_, CORE, NEGOTIATION, ("No format was agreed on before the pictures."),
                      (nullptr));
    return nullptr;
  }
  StitchSettings settings;
  std::string stream_lens;
  {
    Lock lock(mutex_);
    settings = settings_;
    stream_lens = stream_lens_;
  }
  if (settings.lens.empty()) settings.lens = stream_lens;
  if (settings.lens.empty()) {
    settings.lens = default_profile;
    if (!warned_no_lens_) {
      warned_no_lens_ = true;
      GST_ELEMENT_WARNING(owner_, STREAM, FORMAT,
                          ("Neither the stream nor the property 'lens' says which lenses took the "
                           "pictures; '%s' is assumed.",
                           default_profile),
                          (nullptr));
    }
  }
  const Basis basis = {settings.lens, settings.fov,
                       settings.blend == Blend::off ? 0 : settings.blend_width};
  if (!planner_ || basis != basis_) {
    planner_.reset();
    if (const Status made = make_planner(basis); !made) {
      const char* text = made.error().message.c_str();
      if (made.error().kind == Error::Kind::not_found)
        GST_ELEMENT_ERROR(owner_, RESOURCE, NOT_FOUND, ("%s.", text), (nullptr));
      else
        GST_ELEMENT_ERROR(owner_, RESOURCE, SETTINGS, ("%s.", text), (nullptr));
      return nullptr;
    }
    basis_ = basis;
  }
  if (!view_ || *view_ != settings.view) {
    planner_->build(rotation(settings.view), plan_);
    view_ = settings.view;
    ++generation_;
  }
  return &plan_;
}

GstCaps* stitch_transform_caps(const GstCaps* caps) {
  GstCaps* others = gst_caps_copy(caps);
  for (guint i = 0; i < gst_caps_get_size(others); ++i) {
    GstStructure* structure = gst_caps_get_structure(others, i);
    forget_geometry(structure);
    // Whatever doesn't fit is refused when the lens is known, in words.
    gst_structure_set(structure, "width", GST_TYPE_INT_RANGE, 1, largest_side, "height",
                      GST_TYPE_INT_RANGE, 1, largest_side, nullptr);
  }
  return others;
}

void stitch_leave_size_open(GstQuery* query) {
  GstCaps* answer = nullptr;
  gst_query_parse_caps_result(query, &answer);
  if (!answer || gst_caps_is_any(answer)) return;
  const CapsRef open(gst_caps_new_empty());
  for (guint i = 0; i < gst_caps_get_size(answer); ++i) {
    const GstStructure* one = gst_caps_get_structure(answer, i);
    const GstCapsFeatures* features = gst_caps_get_features(answer, i);
    bool covered = false;
    for (guint j = i + 1; j < gst_caps_get_size(answer) && !covered; ++j)
      covered = gst_structure_is_subset(one, gst_caps_get_structure(answer, j)) &&
                gst_caps_features_is_equal(features, gst_caps_get_features(answer, j));
    if (!covered)
      gst_caps_append_structure_full(open.get(), gst_structure_copy(one),
                                     gst_caps_features_copy(features));
  }
  gst_query_set_caps_result(query, open.get());
}

GstCaps* stitch_fixate_output(const GstCaps* input, GstCaps* output) {
  output = gst_caps_truncate(output);
  output = gst_caps_make_writable(output);
  GstStructure* out = gst_caps_get_structure(output, 0);
  const GstStructure* in = gst_caps_get_structure(input, 0);

  int in_width = 0, in_height = 0, par_n = 1, par_d = 1;
  gst_structure_get_int(in, "width", &in_width);
  gst_structure_get_int(in, "height", &in_height);
  gst_structure_get_fraction(in, "pixel-aspect-ratio", &par_n, &par_d);
  // The lenses stand in a row, or one over the other; either way the sphere is as wide as both.
  const double shown_width = in_width * static_cast<double>(par_n) / std::max(par_d, 1);
  const double both = shown_width >= in_height ? shown_width : 2.0 * shown_width;

  int width = 0, height = 0;
  const bool have_width = gst_structure_get_int(out, "width", &width);
  const bool have_height = gst_structure_get_int(out, "height", &height);
  if (!have_width) {
    fixate_int(out, "width", have_height ? even(2.0 * height) : even(both));
    gst_structure_get_int(out, "width", &width);
  }
  if (!have_height) {
    fixate_int(out, "height", even(width / 2.0));
    gst_structure_get_int(out, "height", &height);
  }
  // A whole sphere is shown twice as wide as high, whatever the count of its pixels.
  if (gst_structure_has_field(out, "pixel-aspect-ratio"))
    gst_structure_fixate_field_nearest_fraction(out, "pixel-aspect-ratio", 2 * height, width);
  else
    gst_structure_set(out, "pixel-aspect-ratio", GST_TYPE_FRACTION, 2 * height, width, nullptr);
  return gst_caps_fixate(output);
}

bool stitch_keeps_meta(const GstMeta* meta) {
  if (GST_META_FLAG_IS_SET(meta, GST_META_FLAG_POOLED) ||
      GST_META_FLAG_IS_SET(meta, GST_META_FLAG_LOCKED))
    return false;
  const GType api = meta->info->api;
  for (const char* tag : {GST_META_TAG_VIDEO_SIZE_STR, GST_META_TAG_VIDEO_ORIENTATION_STR,
                          GST_META_TAG_MEMORY_STR, GST_META_TAG_MEMORY_REFERENCE_STR}) {
    if (gst_meta_api_type_has_tag(api, g_quark_from_static_string(tag))) return false;
  }
  // Their coordinates are those of the fisheyes, which their tags don't say.
  return api != GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE && api != GST_VIDEO_CROP_META_API_TYPE &&
         api != GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE && api != GST_VIDEO_META_API_TYPE;
}

}  // namespace sphere
