// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/stitch/stitching.h"

#include <gst/base/gstbasetransform.h>

#include <algorithm>
#include <cmath>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/lens/gstspherelens.h"
#include "gst/sphere/lens/profile.h"
#include "gst/sphere/lens/table.h"
#include "gst/sphere/orientation/gstsphereorientationmeta.h"
#include "plugins/stitch/cameratags.h"

namespace sphere {

namespace {

constexpr double default_blend_width =
    4;  // two degrees to either side, as the camera's own app has

// As in a profile.
constexpr double least_lens_fov = 60;

constexpr auto live = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                               GST_PARAM_MUTABLE_PLAYING);
constexpr auto live_controllable =
    static_cast<GParamFlags>(static_cast<int>(live) | GST_PARAM_CONTROLLABLE);

/// Whether a picture has the whole width of the lenses' frame and half its height, where the lenses
/// stand side by side.
bool is_strip_of(const LensPair& pair, Size picture, double pixel_aspect) {
  constexpr double tolerance = 0.02;
  const double shape = static_cast<double>(pair.frame.width) / pair.frame.height;
  const double is = picture.width * pixel_aspect / picture.height;
  const bool side_by_side = pair.front.region.left != pair.back.region.left;
  return side_by_side && std::abs(is / shape - 2) < tolerance;
}

// The seam is measured on every so many frames, and smoothed on all: light and distances change
// slowly, and what is measured takes some frames to be believed in any case.
constexpr unsigned frames_a_measure = 3;

constexpr int fine_grid_width = 2560;

GType registered_enum(const char* name, const GEnumValue* values) {
  const GType registered = g_enum_register_static(name, values);
  gst_type_mark_as_plugin_api(registered, static_cast<GstPluginAPIFlags>(0));
  return registered;
}

}  // namespace

GType stitch_projection_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Projection::equirect), "The whole sphere, 2:1", "equirect"},
      {static_cast<int>(Projection::cubemap),
       "Six faces in 3x2: right, left, up, then down, front, back", "cubemap"},
      {static_cast<int>(Projection::eac),
       "Equi-angular cubemap in 3x2: left, front, right, then down, back, up, turned", "eac"},
      {static_cast<int>(Projection::perspective), "A view without distortion", "perspective"},
      {static_cast<int>(Projection::little_planet), "Stereographic, straight down in the middle",
       "little-planet"},
      {static_cast<int>(Projection::stereographic), "Stereographic, straight on in the middle",
       "stereographic"},
      {0, nullptr, nullptr},
  };
  static const GType type = registered_enum("GstSphereProjection", values);
  return type;
}

GType stitch_match_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Match::off), "Each lens as bright as it is", "off"},
      {static_cast<int>(Match::gain), "Light and colour are made equal around the seam", "gain"},
      {0, nullptr, nullptr},
  };
  static const GType type = registered_enum("GstSphereMatch", values);
  return type;
}

GType stitch_align_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Align::off), "Things at stitch-distance meet", "off"},
      {static_cast<int>(Align::seam), "Things at the seam meet, whatever their distance", "seam"},
      {0, nullptr, nullptr},
  };
  static const GType type = registered_enum("GstSphereAlign", values);
  return type;
}

GType stitch_interpolation_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Interpolation::linear), "Between two by two samples", "linear"},
      {static_cast<int>(Interpolation::cubic), "Between four by four samples: sharper, slower",
       "cubic"},
      {0, nullptr, nullptr},
  };
  static const GType type = registered_enum("GstSphereInterpolation", values);
  return type;
}

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

GType stitch_level_get_type() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<int>(Level::off), "As the camera was held", "off"},
        {static_cast<int>(Level::horizon), "A level horizon; the picture turns with the camera",
         "horizon"},
        {static_cast<int>(Level::full), "A level horizon; the picture keeps its direction", "full"},
        {0, nullptr, nullptr},
    };
    const GType registered = g_enum_register_static("GstSphereLevel", values);
    gst_type_mark_as_plugin_api(registered, static_cast<GstPluginAPIFlags>(0));
    return registered;
  }();
  return type;
}

GType stitch_strip_get_type() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<int>(Strip::top), "The upper half", "top"},
        {static_cast<int>(Strip::middle), "The middle half", "middle"},
        {static_cast<int>(Strip::bottom), "The lower half", "bottom"},
        {0, nullptr, nullptr},
    };
    const GType registered = g_enum_register_static("GstSphereStrip", values);
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
          "Name of a lens profile (mi-sphere, gear360, theta-s, dual-190) or path of a file: a "
          "profile, or a recording or photo with the camera's own table; unset: what the stream "
          "says",
          nullptr, live));
  const auto angle = [&](guint id, const char* name, const char* nick, const char* blurb) {
    g_object_class_install_property(
        klass, id, g_param_spec_double(name, nick, blurb, -360, 360, 0, live_controllable));
  };
  g_object_class_install_property(
      klass, stitch_prop_projection,
      g_param_spec_enum("projection", "Projection", "How the sphere lies in the output",
                        stitch_projection_get_type(), static_cast<int>(Projection::equirect),
                        live));
  g_object_class_install_property(
      klass, stitch_prop_fov,
      g_param_spec_double(
          "fov", "Field of view",
          "Field of view in degrees. Of a view, across the output: perspective 1 to 170, little "
          "planet and stereographic 1 to 350; 0: 90, 270 and 180. Where the output shows the whole "
          "sphere, the same as lens-fov",
          0, 358, 0, live_controllable));
  g_object_class_install_property(
      klass, stitch_prop_lens_fov,
      g_param_spec_double(
          "lens-fov", "Field of view of the lenses",
          "Full field of view of each lens's image circle in degrees, 60 to 358 (less is taken for "
          "60); 0: as the lens profile says",
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
          "Width of the whole blended band in degrees, at most what both lenses see less the last "
          "degree of each; "
          "ignored when blend is off",
          0, 60, default_blend_width, live_controllable));
  g_object_class_install_property(
      klass, stitch_prop_strip,
      g_param_spec_enum("strip", "Strip",
                        "Which rows of the lenses' frame pictures of half its height have, as a "
                        "camera's fastest modes make them; ignored for whole pictures",
                        stitch_strip_get_type(), static_cast<int>(Strip::middle), live));
  g_object_class_install_property(
      klass, stitch_prop_level,
      g_param_spec_enum("level", "Level",
                        "What is undone of how the camera was held, by the file's orientation "
                        "track or the meta on each picture; yaw, pitch and roll come on top",
                        stitch_level_get_type(), static_cast<int>(Level::off), live));
  g_object_class_install_property(
      klass, stitch_prop_smoothing,
      g_param_spec_double("smoothing", "Smoothing",
                          "Seconds over which the heading is averaged that the picture follows; "
                          "ignored unless level is horizon",
                          0, 10, 0, live_controllable));
  g_object_class_install_property(
      klass, stitch_prop_match,
      g_param_spec_enum("match", "Match", "Whether the lenses' light is made equal at the seam",
                        stitch_match_get_type(), static_cast<int>(Match::off), live));
  g_object_class_install_property(
      klass, stitch_prop_align,
      g_param_spec_enum("align", "Align", "Whether near things are made to meet at the seam",
                        stitch_align_get_type(), static_cast<int>(Align::off), live));
  g_object_class_install_property(
      klass, stitch_prop_stitch_distance,
      g_param_spec_double(
          "stitch-distance", "Stitch distance",
          "Distance in metres at which things meet at the seam, by the lens profile's "
          "baseline; 0: "
          "infinitely far. Ignored when the profile has no baseline; align starts from it",
          0, 1000, 0, live_controllable));
  g_object_class_install_property(
      klass, stitch_prop_interpolation,
      g_param_spec_enum("interpolation", "Interpolation", "How the fisheyes are sampled",
                        stitch_interpolation_get_type(), static_cast<int>(Interpolation::linear),
                        live));
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
  if (!store(id, value)) return false;
  // The output may want another size.
  if (id == stitch_prop_projection && GST_IS_BASE_TRANSFORM(owner_))
    gst_base_transform_reconfigure_src(GST_BASE_TRANSFORM(owner_));
  return true;
}

bool Stitching::store(guint id, const GValue* value) {
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
    case stitch_prop_strip:
      settings_.strip = static_cast<Strip>(g_value_get_enum(value));
      return true;
    case stitch_prop_level:
      settings_.level = static_cast<Level>(g_value_get_enum(value));
      return true;
    case stitch_prop_smoothing:
      settings_.smoothing = g_value_get_double(value);
      return true;
    case stitch_prop_match:
      settings_.match = static_cast<Match>(g_value_get_enum(value));
      return true;
    case stitch_prop_align:
      settings_.align = static_cast<Align>(g_value_get_enum(value));
      return true;
    case stitch_prop_stitch_distance:
      settings_.stitch_distance = g_value_get_double(value);
      return true;
    case stitch_prop_interpolation:
      settings_.interpolation = static_cast<Interpolation>(g_value_get_enum(value));
      return true;
    case stitch_prop_projection:
      settings_.projection = static_cast<Projection>(g_value_get_enum(value));
      return true;
    case stitch_prop_lens_fov:
      settings_.lens_fov = g_value_get_double(value);
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
    case stitch_prop_strip:
      g_value_set_enum(value, static_cast<int>(settings_.strip));
      return true;
    case stitch_prop_level:
      g_value_set_enum(value, static_cast<int>(settings_.level));
      return true;
    case stitch_prop_smoothing:
      g_value_set_double(value, settings_.smoothing);
      return true;
    case stitch_prop_match:
      g_value_set_enum(value, static_cast<int>(settings_.match));
      return true;
    case stitch_prop_align:
      g_value_set_enum(value, static_cast<int>(settings_.align));
      return true;
    case stitch_prop_stitch_distance:
      g_value_set_double(value, settings_.stitch_distance);
      return true;
    case stitch_prop_interpolation:
      g_value_set_enum(value, static_cast<int>(settings_.interpolation));
      return true;
    case stitch_prop_projection:
      g_value_set_enum(value, static_cast<int>(settings_.projection));
      return true;
    case stitch_prop_lens_fov:
      g_value_set_double(value, settings_.lens_fov);
      return true;
    default:
      return false;
  }
}

Projection Stitching::projection() {
  Lock lock(mutex_);
  return settings_.projection;
}

GstEvent* Stitching::observe(GstEvent* event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START:
      // A new stream may come from another camera; what tells of it follows.
      forget_stream();
      break;
    case GST_EVENT_SEGMENT:
    case GST_EVENT_FLUSH_STOP:
      levelling_.interrupt();
      break;
    case GST_EVENT_TAG: {
      media::CameraData data;
      event = take_camera_tags(event, &data);
      if (!data.empty()) observe_camera_data(std::move(data));
      break;
    }
    default:
      observe_lens(event);
      break;
  }
  return event;
}

void Stitching::forget_stream() {
  table_.reset();
  file_ = media::CameraData();
  file_table_.reset();
  levelling_.reset();
  Lock lock(mutex_);
  stream_lens_.clear();
  stream_table_.reset();
}

void Stitching::observe_lens(GstEvent* event) {
  // An event may have both: the name is for a table that can't be used.
  const gchar* lens = nullptr;
  GBytes* table = nullptr;
  const bool has_name = gst_event_parse_sphere_lens(event, &lens);
  const bool has_table = gst_event_parse_sphere_lens_table(event, &table);
  if (!has_name && !has_table) return;
  {
    Lock lock(mutex_);
    stream_lens_ = to_string(lens);
    if (!has_table) stream_table_.reset();
  }
  if (has_table)
    observe_table(table);
  else
    table_.reset();
}

void Stitching::observe_table(GBytes* table) {
  // A source that reconnects sends the same again.
  if (table_ && g_bytes_equal(table_.get(), table)) return;
  table_.reset(g_bytes_ref(table));
  gsize size = 0;
  const auto* data = static_cast<const uint8_t*>(g_bytes_get_data(table, &size));
  std::shared_ptr<const LensPair> pair = read_table({data, size});
  Lock lock(mutex_);
  stream_table_ = std::move(pair);
}

std::shared_ptr<const LensPair> Stitching::read_table(std::span<const uint8_t> table) {
  Result<LensPair> pair = parse_table(table, "of the camera");
  if (pair) return std::make_shared<const LensPair>(std::move(*pair));
  GST_ELEMENT_WARNING(owner_, STREAM, FORMAT,
                      ("The camera's own lens table can't be used, a profile is taken instead: %s.",
                       pair.error().message.c_str()),
                      (nullptr));
  return nullptr;
}

void Stitching::observe_camera_data(media::CameraData data) {
  // Decoders send the tags they have again with each change of another.
  if (!data.table.empty() && data.table != file_.table) {
    file_.table = std::move(data.table);
    file_table_ = read_table(file_.table);
  }
  // Byte by byte, for what is no number is never equal.
  const auto bytes = [](const media::CameraData& d) {
    return std::as_bytes(std::span(d.matrices));
  };
  if (!data.matrices.empty() && !std::ranges::equal(bytes(data), bytes(file_))) {
    file_.matrices = std::move(data.matrices);
    levelling_.set_track(file_.matrices);
  }
  if (data.problems.empty() || data.problems == file_.problems) return;
  file_.problems = std::move(data.problems);
  for (const std::string& problem : file_.problems)
    GST_ELEMENT_WARNING(
        owner_, STREAM, FORMAT,
        ("What the camera says of itself in this file can't all be used: %s.", problem.c_str()),
        (nullptr));
}

void Stitching::stop() {
  have_formats_ = false;
  warned_no_lens_ = false;
  planner_.reset();
  seam_.reset();
  view_.reset();
  plans_.clear();
  wanted_ = basis_ = Basis();
  announced_.reset();
  forget_stream();
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
  gst_video_info_set_format(&strip_info_, GST_VIDEO_INFO_FORMAT(&input_), SeamStrip::size.width,
                            SeamStrip::size.height);
  strip_info_.chroma_site = input_.chroma_site;
  strip_info_.colorimetry = input_.colorimetry;
  // Which lens it is may still be on its way, in an event after the caps: the first frame tells.
  return true;
}

Status Stitching::make_planner(const Basis& basis) {
  Result<LensPair> pair = basis.own_lens ? *basis.own_lens : load_profile(basis.lens);
  if (!pair) return pair.error();
  const Size source = {GST_VIDEO_INFO_WIDTH(&input_), GST_VIDEO_INFO_HEIGHT(&input_)};
  const double aspect = static_cast<double>(GST_VIDEO_INFO_PAR_N(&input_)) /
                        std::max(GST_VIDEO_INFO_PAR_D(&input_), 1);
  if (is_strip_of(*pair, source, aspect)) {
    const double from = basis.strip == Strip::top ? 0 : basis.strip == Strip::middle ? 0.25 : 0.5;
    pair = pair->rows(from, from + 0.5);
  }
  if (const Status fits = Planner::fits(*pair, source, aspect); !fits) return fits;
  const Size output = {GST_VIDEO_INFO_WIDTH(&output_), GST_VIDEO_INFO_HEIGHT(&output_)};
  PlanOptions options;
  options.fov = basis.lens_fov > 0 ? radians(std::max(basis.lens_fov, least_lens_fov)) : 0;
  options.blend_width = radians(basis.blend_width);
  options.distance = basis.stitch_distance;
  // The edge of a near thing is as sharp as the grid.
  if (basis.seam.align && output.width <= fine_grid_width) options.most_cell = 8;
  const double out_aspect = static_cast<double>(GST_VIDEO_INFO_PAR_N(&output_)) /
                            std::max(GST_VIDEO_INFO_PAR_D(&output_), 1);
  const Canvas canvas(basis.projection, output, radians(basis.fov), out_aspect);
  Result<Planner> planner = Planner::make(*pair, source, canvas, options);
  if (!planner) return planner.error();
  planner_.emplace(std::move(*planner));
  plans_.resize(planner_->patches());
  view_.reset();
  seam_.reset();
  frames_matched_ = 0;
  if (basis.seam.gain || basis.seam.align) seam_.emplace(*planner_, basis.seam);
  return ok();
}

std::span<const Plan> Stitching::plan(GstBuffer* in, GstBuffer* out, const GstSegment& segment) {
  if (!have_formats_) {
    GST_ELEMENT_ERROR(owner_, CORE, NEGOTIATION, ("No format was agreed on before the pictures."),
                      (nullptr));
    return {};
  }
  {
    Lock lock(mutex_);
    current_ = settings_;
  }
  const StitchSettings& settings = current_;
  interpolation_ = settings.interpolation;
  if (!ensure_planner(settings)) return {};
  const Mat3 view = levelling_.view(settings.level, settings.smoothing, in, segment, input_) *
                    rotation(settings.view);
  if (!view_ || *view_ != view) {
    for (int patch = 0; patch < planner_->patches(); ++patch) {
      planner_->build(view, plans_[patch], patch);
      if (seam_) seam_->prepare(view, plans_[patch], patch);
    }
    view_ = view;
    ++generation_;
  }
  if (GstSphereOrientationMeta* meta = gst_buffer_get_sphere_orientation_meta(out)) {
    const Quaternion q =
        normalised(Quaternion{meta->w, meta->x, meta->y, meta->z} * quaternion_of(view));
    meta->w = q.w;
    meta->x = q.x;
    meta->y = q.y;
    meta->z = q.z;
  }
  return plans_;
}

bool Stitching::ensure_planner(const StitchSettings& settings) {
  std::string& lens = wanted_.lens;
  std::shared_ptr<const LensPair>& own_lens = wanted_.own_lens;
  lens = settings.lens;
  own_lens.reset();
  const char* origin = "property";
  if (lens.empty()) {
    Lock lock(mutex_);
    own_lens = stream_table_ ? stream_table_ : file_table_;
    lens = stream_lens_;
    origin = stream_table_ || !file_table_ ? "stream" : "file";
  }
  if (lens.empty() && !own_lens) {
    lens = default_profile;
    origin = "default";
    if (!warned_no_lens_) {
      warned_no_lens_ = true;
      GST_ELEMENT_WARNING_WITH_DETAILS(
          owner_, STREAM, FORMAT,
          ("Neither the stream nor the property 'lens' says which lenses took the pictures; '%s' "
           "is assumed.",
           default_profile),
          (nullptr), ("assumed-lens", G_TYPE_STRING, default_profile, nullptr));
    }
  }
  const bool view = !shows_all(settings.projection);
  wanted_.projection = settings.projection;
  wanted_.fov = view ? settings.fov : 0;
  wanted_.lens_fov = settings.lens_fov > 0 || view ? settings.lens_fov : settings.fov;
  wanted_.blend_width = settings.blend == Blend::off ? 0 : settings.blend_width;
  wanted_.strip = settings.strip;
  wanted_.stitch_distance = settings.stitch_distance;
  wanted_.seam = {settings.match == Match::gain, settings.align == Align::seam,
                  bool(GST_VIDEO_INFO_IS_RGB(&input_))};
  if (planner_ && wanted_ == basis_) return true;
  planner_.reset();
  if (const Status made = make_planner(wanted_); !made) {
    const char* text = made.error().message.c_str();
    if (made.error().kind == Error::Kind::not_found)
      GST_ELEMENT_ERROR(owner_, RESOURCE, NOT_FOUND, ("%s.", text), (nullptr));
    else
      GST_ELEMENT_ERROR(owner_, RESOURCE, SETTINGS, ("%s.", text), (nullptr));
    return false;
  }
  if (!announced_ || announced_->lens != lens || announced_->own_lens != own_lens)
    gst_element_post_message(
        owner_,
        gst_message_new_element(GST_OBJECT(owner_),
                                gst_structure_new("sphere-lens", "lens", G_TYPE_STRING,
                                                  own_lens ? "table" : lens.c_str(), "origin",
                                                  G_TYPE_STRING, origin, nullptr)));
  announced_ = basis_ = wanted_;
  return true;
}

const Plan* Stitching::strip() {
  if (!seam_ || !seam_->usable() || frames_matched_ % frames_a_measure) return nullptr;
  return &seam_->strip().plan();
}

void Stitching::measure(const GstVideoFrame& strip) {
  StripPicture picture;
  const GstVideoFormatInfo* format = strip.info.finfo;
  for (int k = 0; k < 3; ++k) {
    StripPicture::Component& c = picture.component[k];
    c.stride = GST_VIDEO_FRAME_COMP_STRIDE(&strip, k);
    c.pixel = GST_VIDEO_FRAME_COMP_PSTRIDE(&strip, k);
    const auto bits = static_cast<int>(GST_VIDEO_FORMAT_INFO_DEPTH(format, k));
    // Not GST_VIDEO_FRAME_COMP_DATA: of P010, GStreamer 1.22 says that Cr is one byte after Cb.
    const guint plane = GST_VIDEO_FORMAT_INFO_PLANE(format, k);
    const bool second = k > 0 && plane == GST_VIDEO_FORMAT_INFO_PLANE(format, k - 1);
    c.data = static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&strip, plane)) +
             (bits > 8 ? (second ? 2 : 0) : GST_VIDEO_FORMAT_INFO_POFFSET(format, k));
    if (bits > 8) c.drop = static_cast<int>(GST_VIDEO_FORMAT_INFO_SHIFT(format, k)) + bits - 8;
    c.step_x = 1 << GST_VIDEO_FORMAT_INFO_W_SUB(format, k);
    c.step_y = 1 << GST_VIDEO_FORMAT_INFO_H_SUB(format, k);
  }
  picture.rgb = GST_VIDEO_INFO_IS_RGB(&strip.info);
  if (picture.rgb || input_.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255) {
    picture.black = 0;
    picture.white = 255;
  }
  // Pictures without a rate are photos, each of another place.
  seam_->measure(picture, GST_VIDEO_INFO_FPS_N(&input_) == 0);
}

void Stitching::match() {
  if (!seam_ || !seam_->usable()) return;
  seam_->settle();
  for (size_t patch = 0; patch < plans_.size(); ++patch)
    seam_->apply(plans_[patch], static_cast<int>(patch));
  ++generation_;
  ++frames_matched_;
  if (GST_VIDEO_INFO_FPS_N(&input_) == 0) frames_matched_ = 0;
}

}  // namespace sphere
