// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/stitch/stitching.h"

#include <gst/base/gstbasetransform.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/printable.h"
#include "gst/sphere/lens/gstspherelens.h"
#include "gst/sphere/lens/profile.h"
#include "gst/sphere/lens/table.h"
#include "gst/sphere/orientation/event.h"
#include "gst/sphere/orientation/gstsphereorientationmeta.h"
#include "plugins/stitch/cameratags.h"

namespace sphere {

namespace {

// What is blurred leaves no ghosts, so that the widest band may take more than a cross-fade of the
// same setting.
constexpr double widest_band = 2;
// As in a profile.
constexpr double least_lens_fov = 60;

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

}  // namespace

bool Stitching::set_property(guint id, const GValue* value) {
  {
    Lock lock(mutex_);
    if (!set_stitch_property(settings_, id, value)) return false;
  }
  // The output may want another size.
  if (id == stitch_prop_projection && GST_IS_BASE_TRANSFORM(owner_))
    gst_base_transform_reconfigure_src(GST_BASE_TRANSFORM(owner_));
  return true;
}

bool Stitching::get_property(guint id, GValue* value) {
  Lock lock(mutex_);
  return get_stitch_property(settings_, id, value);
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
      makers::CaptureInfo info;
      event = take_camera_tags(event, &info);
      if (!info.empty()) observe_capture_info(std::move(info));
      break;
    }
    default: {
      std::vector<std::optional<Quaternion>> orientations;
      if (parse_orientation_event(event, &orientations)) {
        track_came_by_event_ = true;
        levelling_.set_track(orientations);
        // It does not hold for the stitched pictures.
        gst_event_unref(event);
        return nullptr;
      }
      observe_lens(event);
      break;
    }
  }
  return event;
}

void Stitching::forget_stream() {
  table_.reset();
  file_ = makers::CaptureInfo();
  track_came_by_event_ = false;
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

void Stitching::observe_capture_info(makers::CaptureInfo info) {
  // Decoders send the tags they have again with each change of another.
  if (!info.lens_table.empty() && info.lens_table != file_.lens_table) {
    file_.lens_table = std::move(info.lens_table);
    file_table_ = read_table(file_.lens_table);
  }
  if (!info.orientations.empty() && info.orientations != file_.orientations) {
    file_.orientations = std::move(info.orientations);
    if (!track_came_by_event_) levelling_.set_track(file_.orientations);
  }
  if (info.problems.empty() || info.problems == file_.problems) return;
  file_.problems = std::move(info.problems);
  for (const std::string& problem : file_.problems)
    GST_ELEMENT_WARNING(
        owner_, STREAM, FORMAT,
        ("What the camera says of itself in this file can't all be used: %s.", problem.c_str()),
        (nullptr));
}

void Stitching::stop() {
  have_formats_ = false;
  warned_no_lens_ = told_interlaced_ = false;
  planner_.reset();
  seam_.reset();
  bands_.reset();
  view_.reset();
  plans_.clear();
  wanted_ = basis_ = Basis();
  announced_.reset();
  forget_stream();
}

bool Stitching::set_formats(const GstVideoInfo& input, const GstVideoInfo& output) {
  if (GST_VIDEO_INFO_IS_INTERLACED(&input)) {
    // GStreamer tries again with each buffer.
    if (!std::exchange(told_interlaced_, true))
      GST_ELEMENT_ERROR(owner_, STREAM, FORMAT,
                        ("Interlaced pictures can't be stitched; put a deinterlacer before."),
                        (nullptr));
    return false;
  }
  told_interlaced_ = false;
  input_ = input;
  output_ = output;
  have_formats_ = true;
  planner_.reset();
  strip_info_ = info_of(SeamStrip::size);
  // Which lens it is may still be on its way, in an event after the caps: the first frame tells.
  return true;
}

GstVideoInfo Stitching::info_of(Size strip) const {
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_INFO_FORMAT(&input_), strip.width, strip.height);
  info.chroma_site = input_.chroma_site;
  info.colorimetry = input_.colorimetry;
  return info;
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
  options.multiband = basis.multiband;
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
  bands_.reset();
  frames_matched_ = 0;
  if (basis.seam.gain || basis.seam.align) {
    seam_.emplace(*planner_, basis.seam);
    applied_.reset();
    applied_to_bands_.reset();
    ++strip_generation_;
  }
  if (planner_->bands()) {
    bands_.emplace(*planner_);
    bands_info_ = info_of(bands_->strip().plan().output);
    if (seam_) seam_->prepare(bands_->strip());
    ++bands_generation_;
  }
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
      if (bands_) bands_->prepare(view, plans_[patch], patch);
    }
    view_ = view;
    applied_.reset();
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
  const double width = settings.blend == Blend::off         ? 0
                       : settings.blend == Blend::multiband ? widest_band * settings.blend_width
                                                            : settings.blend_width;
  wanted_.projection = settings.projection;
  // Where the whole sphere is shown it means nothing.
  wanted_.fov = shows_all(settings.projection) ? 0 : settings.fov;
  wanted_.lens_fov = settings.lens_fov;
  wanted_.blend_width = width;
  wanted_.multiband = settings.blend == Blend::multiband;
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
                                                  own_lens ? "table" : printable(lens).c_str(),
                                                  "origin", G_TYPE_STRING, origin, nullptr)));
  announced_ = basis_ = wanted_;
  return true;
}

const Plan* Stitching::strip() {
  if (!seam_ || !seam_->usable() || frames_matched_ % frames_a_measure) return nullptr;
  return &seam_->strip().plan();
}

StripPicture Stitching::picture_of(const GstVideoFrame& strip) const {
  StripPicture picture;
  const GstVideoFormatInfo* format = strip.info.finfo;
  // A sample that stands for several pixels stands in their middle, or on the first of them.
  const auto phase = [&](int step, GstVideoChromaSite cosited) {
    return step > 1 && !(strip.info.chroma_site & cosited) ? step / 2.0 : 0.5;
  };
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
    c.phase_x = phase(c.step_x, GST_VIDEO_CHROMA_SITE_H_COSITED);
    c.phase_y = phase(c.step_y, GST_VIDEO_CHROMA_SITE_V_COSITED);
  }
  picture.rgb = GST_VIDEO_INFO_IS_RGB(&strip.info);
  if (picture.rgb || input_.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255) {
    picture.black = 0;
    picture.white = 255;
  }
  return picture;
}

void Stitching::measure(const GstVideoFrame& strip) {
  // Pictures without a rate are photos, each of another place.
  seam_->measure(picture_of(strip), GST_VIDEO_INFO_FPS_N(&input_) == 0);
}

void Stitching::blend(const GstVideoFrame& bands, Workers* workers) {
  const StripPicture picture = picture_of(bands);
  constexpr int components = 3;
  const auto blend = [&](int component) { bands_->blend(picture, component); };
  if (workers)
    workers->run(components, blend);
  else
    for (int k = 0; k < components; ++k) blend(k);
}

void Stitching::match() {
  if (!seam_ || !seam_->usable()) return;
  seam_->settle();
  if (applied_ != seam_->generation()) {
    for (size_t patch = 0; patch < plans_.size(); ++patch)
      seam_->apply(plans_[patch], static_cast<int>(patch));
    applied_ = seam_->generation();
    ++generation_;
  }
  if (bands_ && applied_to_bands_ != seam_->generation()) {
    seam_->apply_to(bands_->strip());
    applied_to_bands_ = seam_->generation();
    ++bands_generation_;
  }
  ++frames_matched_;
  if (GST_VIDEO_INFO_FPS_N(&input_) == 0) frames_matched_ = 0;
}

}  // namespace sphere
