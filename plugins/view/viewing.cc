// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/view/viewing.h"

#include <gst/base/gstbasetransform.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/lens/gstspherelens.h"
#include "gst/sphere/orientation/turn_meta.h"
#include "gst/sphere/warp/cubesource.h"
#include "gst/sphere/warp/equirectsource.h"

namespace sphere {

namespace {

// Degrees. Large enough for a hundred turns: a film may go on turning.
constexpr double most_angle = 36000;
// The cells are chosen anew if the field of view has changed by this part. They could be chosen for
// each picture, but that takes a millisecond.
constexpr double same_cell = 0.05;
// Of the input's shape.
constexpr double shape_tolerance = 0.02, sphere_shape = 2, cube_shape = 1.5;

double seconds_now() { return static_cast<double>(g_get_monotonic_time()) / G_USEC_PER_SEC; }

bool is_finite(const ViewAngles& view) {
  return std::isfinite(view.angles.yaw) && std::isfinite(view.angles.pitch) &&
         std::isfinite(view.angles.roll) && std::isfinite(view.fov);
}

double shown_aspect(const GstVideoInfo& info) {
  return static_cast<double>(GST_VIDEO_INFO_PAR_N(&info)) /
         std::max(GST_VIDEO_INFO_PAR_D(&info), 1);
}

Size size_of(const GstVideoInfo& info) {
  return {GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info)};
}

/// GstSphereViewInput: the projections that can be read.
GType input_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Projection::equirect), "Equirectangular, 2:1", "equirect"},
      {static_cast<int>(Projection::cubemap),
       "Six faces in 3x2: right, left, up, then down, front, back", "cubemap"},
      {static_cast<int>(Projection::eac),
       "Equi-angular cubemap in 3x2: left, front, right, then down, back, up, turned", "eac"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_plugin_enum("GstSphereViewInput", values);
  return type;
}

}  // namespace

void install_view_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, view_prop_input,
      g_param_spec_enum("input", "Input",
                        "How the 360 picture is stored. Caps and tags of GStreamer don't tell it",
                        input_type(), static_cast<int>(Projection::equirect), live_property));
  g_object_class_install_property(
      klass, view_prop_projection,
      g_param_spec_enum("projection", "Projection", "How the view is drawn", projection_type(),
                        static_cast<int>(Projection::perspective), live_property));
  g_object_class_install_property(
      klass, view_prop_fov,
      g_param_spec_double("fov", "Field of view",
                          "Horizontal field of view in degrees: perspective 1 to 170, "
                          "little-planet and stereographic 1 to 350; 0 means 90, 270 and 180. "
                          "Ignored when the projection shows the whole sphere, and when there are "
                          "keyframes",
                          0, 350, 0, controllable_property));
  const auto angle = [&](guint id, const char* name, const char* nick, const char* blurb) {
    g_object_class_install_property(
        klass, id,
        g_param_spec_double(name, nick, blurb, -most_angle, most_angle, 0, controllable_property));
  };
  angle(view_prop_yaw, "yaw", "Yaw",
        "Turn of the view to the right in degrees; applied before pitch and roll. It may go on "
        "beyond 180. Ignored when there are keyframes");
  angle(view_prop_pitch, "pitch", "Pitch",
        "Turn of the view upwards in degrees; applied after yaw, before roll. Ignored when there "
        "are keyframes");
  angle(view_prop_roll, "roll", "Roll",
        "Clockwise tilt of the view in degrees; applied after yaw and pitch. Ignored when there "
        "are keyframes");
  install_interpolation_property(klass, view_prop_interpolation,
                                 "How values between the pixels of the input are calculated");
  g_object_class_install_property(
      klass, view_prop_keyframes,
      g_param_spec_string("keyframes", "Keyframes",
                          "What is looked at along stream time: a file, or its JSON text; it "
                          "replaces projection, fov, yaw, pitch and roll. Empty: no keyframes",
                          "", live_property));
  g_object_class_install_property(
      klass, view_prop_inertia,
      g_param_spec_double(
          "inertia", "Inertia",
          "Seconds for which the view goes on turning after a drag; 0 means that it "
          "stops at once",
          0, 10, 0, live_property));
}

bool Viewing::set_property(guint id, const GValue* value) {
  KeyframesSetting keyframes;
  // A file is read outside of the lock.
  if (id == view_prop_keyframes) keyframes = KeyframesSetting(g_value_get_string(value));
  {
    const Lock lock(mutex_);
    switch (id) {
      case view_prop_input:
        settings_.input = static_cast<Projection>(g_value_get_enum(value));
        break;
      case view_prop_projection:
        settings_.projection = static_cast<Projection>(g_value_get_enum(value));
        break;
      case view_prop_fov:
        settings_.view.fov = g_value_get_double(value);
        break;
      case view_prop_yaw:
        settings_.view.angles.yaw = g_value_get_double(value);
        break;
      case view_prop_pitch:
        settings_.view.angles.pitch = g_value_get_double(value);
        break;
      case view_prop_roll:
        settings_.view.angles.roll = g_value_get_double(value);
        break;
      case view_prop_interpolation:
        settings_.interpolation = static_cast<Interpolation>(g_value_get_enum(value));
        break;
      case view_prop_keyframes:
        settings_.keyframes = std::move(keyframes);
        break;
      case view_prop_inertia:
        settings_.inertia = g_value_get_double(value);
        break;
      default:
        return false;
    }
  }
  // Another projection may need another output size.
  if ((id == view_prop_input || id == view_prop_projection || id == view_prop_keyframes) &&
      GST_IS_BASE_TRANSFORM(owner_))
    gst_base_transform_reconfigure_src(GST_BASE_TRANSFORM(owner_));
  return true;
}

bool Viewing::get_property(guint id, GValue* value) {
  const Lock lock(mutex_);
  switch (id) {
    case view_prop_input:
      g_value_set_enum(value, static_cast<int>(settings_.input));
      return true;
    case view_prop_projection:
      g_value_set_enum(value, static_cast<int>(settings_.projection));
      return true;
    case view_prop_fov:
      g_value_set_double(value, settings_.view.fov);
      return true;
    case view_prop_yaw:
      g_value_set_double(value, settings_.view.angles.yaw);
      return true;
    case view_prop_pitch:
      g_value_set_double(value, settings_.view.angles.pitch);
      return true;
    case view_prop_roll:
      g_value_set_double(value, settings_.view.angles.roll);
      return true;
    case view_prop_interpolation:
      g_value_set_enum(value, static_cast<int>(settings_.interpolation));
      return true;
    case view_prop_keyframes:
      g_value_set_string(value, settings_.keyframes.words());
      return true;
    case view_prop_inertia:
      g_value_set_double(value, settings_.inertia);
      return true;
    default:
      return false;
  }
}

Projection Viewing::projection() {
  const Lock lock(mutex_);
  return settings_.keyframes.first_projection(settings_.projection);
}

Projection Viewing::input() {
  const Lock lock(mutex_);
  return settings_.input;
}

void Viewing::notify(const ViewAngles& before, const ViewAngles& now) {
  const auto tell = [&](const char* name, double was, double is) {
    if (was != is) g_object_notify(G_OBJECT(owner_), name);
  };
  tell("yaw", before.angles.yaw, now.angles.yaw);
  tell("pitch", before.angles.pitch, now.angles.pitch);
  tell("roll", before.angles.roll, now.angles.roll);
  tell("fov", before.fov, now.fov);
}

bool Viewing::navigate(GstEvent* event) {
  ViewAngles before, now;
  {
    const Lock lock(mutex_);
    if (settings_.keyframes.is_set() || !shown_) return false;
    const Canvas canvas(settings_.projection, *shown_, radians(settings_.view.fov));
    before = settings_.view;
    const Navigator::Answer answer = navigator_.handle(event, canvas, before, seconds_now());
    if (!answer.is_ours) return false;
    // An event may have a position that is no number.
    if (answer.view && is_finite(*answer.view)) settings_.view = *answer.view;
    now = settings_.view;
  }
  notify(before, now);
  return true;
}

void Viewing::turn_by_inertia() {
  ViewAngles before, now;
  {
    const Lock lock(mutex_);
    if (settings_.keyframes.is_set()) return;
    before = settings_.view;
    const std::optional<ViewAngles> view =
        navigator_.turn_by_inertia(before, settings_.inertia, seconds_now());
    if (!view || !is_finite(*view)) return;
    settings_.view = now = *view;
  }
  notify(before, now);
}

GstEvent* Viewing::observe(GstEvent* event) {
  // The stitchers don't pass this event on.
  const bool names_lenses = gst_event_parse_sphere_lens(event, nullptr) ||
                            gst_event_parse_sphere_lens_table(event, nullptr);
  if (names_lenses && !std::exchange(told_lenses_, true))
    GST_ELEMENT_WARNING(owner_, STREAM, FORMAT,
                        ("The pictures are those of two lenses; put spherestitch before "
                         "sphereview."),
                        (nullptr));
  return event;
}

bool Viewing::set_formats(const GstVideoInfo& input, const GstVideoInfo& output) {
  const char* refusal = nullptr;
  const GstVideoMultiviewMode views = GST_VIDEO_INFO_MULTIVIEW_MODE(&input);
  if (GST_VIDEO_INFO_IS_INTERLACED(&input))
    refusal =
        "Interlaced pictures can't be drawn anew; make them progressive with a deinterlacer first.";
  else if (views != GST_VIDEO_MULTIVIEW_MODE_NONE && views != GST_VIDEO_MULTIVIEW_MODE_MONO)
    refusal =
        "The picture is stereo: it has two spheres. Take one of them first, with videocrop and a "
        "capssetter that says multiview-mode=mono.";
  if (refusal) {
    // GStreamer calls this again for each buffer: the error is posted only once.
    if (!std::exchange(told_refusal_, true))
      GST_ELEMENT_ERROR(owner_, STREAM, FORMAT, ("%s", refusal), (nullptr));
    return false;
  }
  told_refusal_ = false;
  input_ = input;
  output_ = output;
  have_formats_ = true;
  source_.reset();
  const Lock lock(mutex_);
  shown_ = size_of(output);
  return true;
}

bool Viewing::make_source() {
  const Size size = size_of(input_);
  source_.reset();
  builder_.reset();
  if (current_.input == Projection::equirect) {
    source_ = std::make_unique<EquirectSource>(size);
  } else if (CubeLayout::fits(size)) {
    source_ = std::make_unique<CubeSource>(size, current_.input == Projection::eac);
  } else {
    GST_ELEMENT_ERROR(owner_, STREAM, FORMAT,
                      ("A picture of %dx%d is too small for the six faces of a cube; set another "
                       "input.",
                       size.width, size.height),
                      (nullptr));
    return false;
  }
  tell_shape();
  return true;
}

void Viewing::tell_shape() {
  const Size size = size_of(input_);
  const double shape = size.width * shown_aspect(input_) / size.height;
  const auto is = [&](double wanted) { return std::abs(shape / wanted - 1) <= shape_tolerance; };
  const bool faces = current_.input != Projection::equirect;
  if (is(faces ? cube_shape : sphere_shape) || std::exchange(told_shape_, true)) return;
  // What the shape says that the picture may be.
  const char* may_be = "It may be no 360 picture.";
  if (faces && is(sphere_shape))
    may_be = "It may be equirectangular: then 'equirect' is the right input.";
  else if (!faces && is(cube_shape))
    may_be = "It may consist of the faces of a cube: then 'cubemap' or 'eac' is the right input.";
  else if (is(1) || is(2 * sphere_shape))
    may_be =
        "It may be stereo, with two spheres: crop it to one of them first. Or it may be no 360 "
        "picture.";
  GST_ELEMENT_WARNING(owner_, STREAM, FORMAT,
                      ("A picture of %dx%d has not the shape of %s. %s Pictures of two lenses have "
                       "to be stitched first.",
                       size.width, size.height,
                       faces ? "six faces, 3:2" : "an equirectangular sphere, 2:1", may_be),
                      (nullptr));
}

bool Viewing::changes_meta(const GstMeta* meta) {
  return meta->info->api == GST_SPHERE_ORIENTATION_META_API_TYPE;
}

bool Viewing::prepare(GstBuffer* in, GstBuffer* out, const GstSegment& segment) {
  if (!have_formats_) {
    GST_ELEMENT_ERROR(owner_, CORE, NEGOTIATION,
                      ("Pictures arrived before their format was negotiated."), (nullptr));
    return false;
  }
  turn_by_inertia();
  const Projection input = current_.input;
  {
    const Lock lock(mutex_);
    current_ = settings_;
  }
  if ((!source_ || current_.input != input) && !make_source()) return false;
  View drawn = {rotation(current_.view.angles), current_.view.fov, current_.projection};
  if (const Status applied = current_.keyframes.apply(segment, in, &drawn); !applied) {
    GST_ELEMENT_ERROR(owner_, RESOURCE, SETTINGS, ("%s.", applied.error().message.c_str()),
                      (nullptr));
    return false;
  }
  if (!build(drawn)) return false;
  turn_orientation_meta(out, drawn.rotation);
  return true;
}

bool Viewing::build(const View& view) {
  const bool other_picture = !builder_ || view.projection != drawn_.projection;
  const bool other_canvas = other_picture || view.fov != drawn_.fov;
  if (other_canvas) {
    const Canvas canvas(view.projection, size_of(output_), radians(view.fov),
                        shown_aspect(output_));
    if (const Status fits = GridBuilder::fits(canvas); !fits) {
      GST_ELEMENT_ERROR(
          owner_, STREAM, FORMAT,
          ("%s; choose another size behind this element.", fits.error().message.c_str()),
          (nullptr));
      return false;
    }
    const double fov = drawn_fov(view.projection, view.fov);
    const bool keeps_cell = !other_picture && std::abs(fov / cell_chosen_at_ - 1) <= same_cell;
    const int cell = keeps_cell ? builder_->cell() : 0;
    builder_.emplace(canvas, triangles_);
    if (keeps_cell) {
      builder_->set_cell(cell, *source_);
    } else {
      builder_->choose_cell(*source_, {});
      cell_chosen_at_ = fov;
    }
    grids_.resize(static_cast<size_t>(builder_->patches()));
  }
  if (!other_canvas && view.rotation == drawn_.rotation) return true;
  for (int patch = 0; patch < builder_->patches(); ++patch)
    builder_->build(*source_, view.rotation, grids_[static_cast<size_t>(patch)], patch);
  drawn_ = view;
  ++generation_;
  return true;
}

void Viewing::stop() {
  have_formats_ = told_refusal_ = told_shape_ = told_lenses_ = false;
  builder_.reset();
  source_.reset();
  grids_.clear();
  const Lock lock(mutex_);
  navigator_.reset();
  shown_.reset();
}

}  // namespace sphere
