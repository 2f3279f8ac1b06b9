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
#include "gst/sphere/orientation/event.h"
#include "gst/sphere/orientation/turn_meta.h"
#include "plugins/stitch/cameratags.h"

namespace sphere {

namespace {

// The width of the coarsest band divided by `blend-width`. It has no fine detail that could appear
// twice, therefore it may be wider than a cross-fade.
constexpr double widest_band = 2;
// Degrees; the same limit as in a profile.
constexpr double least_lens_fov = 60;

/// Whether a picture has the full width and half of the height of the lenses' frame, and the lenses
/// are side by side.
bool is_strip_of(const LensPair& pair, Size picture, double pixel_aspect) {
  constexpr double tolerance = 0.02;
  const double shape = static_cast<double>(pair.frame.width) / pair.frame.height;
  const double is = picture.width * pixel_aspect / picture.height;
  const bool side_by_side = pair.front.region.left != pair.back.region.left;
  return side_by_side && std::abs(is / shape - 2) < tolerance;
}

constexpr int fine_grid_width = 2560;

}  // namespace

bool Stitching::set_property(guint id, const GValue* value) {
  KeyframesSetting keyframes;
  // A file is read outside of the lock.
  if (id == stitch_prop_keyframes) keyframes = KeyframesSetting(g_value_get_string(value));
  {
    Lock lock(mutex_);
    if (id == stitch_prop_keyframes)
      settings_.keyframes = std::move(keyframes);
    else if (!set_stitch_property(settings_, id, value))
      return false;
  }
  // Another projection may need another output size.
  if ((id == stitch_prop_projection || id == stitch_prop_keyframes) &&
      GST_IS_BASE_TRANSFORM(owner_))
    gst_base_transform_reconfigure_src(GST_BASE_TRANSFORM(owner_));
  return true;
}

bool Stitching::get_property(guint id, GValue* value) {
  Lock lock(mutex_);
  return get_stitch_property(settings_, id, value);
}

Projection Stitching::projection() {
  Lock lock(mutex_);
  return settings_.keyframes.first_projection(settings_.projection);
}

GstEvent* Stitching::observe(GstEvent* event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START:
      // A new stream may come from another camera. Its events with lens and orientation come later.
      forget_stream();
      break;
    case GST_EVENT_SEGMENT:
    case GST_EVENT_FLUSH_STOP:
      levelling_.interrupt();
      break;
    case GST_EVENT_TAG: {
      makers::CaptureInfo info;
      event = take_camera_tags(event, &info);
      if (!info.empty() && lens_.observe_capture_info(std::move(info)) && !track_came_by_event_)
        levelling_.set_track(lens_.orientations());
      break;
    }
    default: {
      std::vector<std::optional<Quaternion>> orientations;
      if (parse_orientation_event(event, &orientations)) {
        track_came_by_event_ = true;
        levelling_.set_track(orientations);
        // The track is not valid for the stitched pictures.
        gst_event_unref(event);
        return nullptr;
      }
      lens_.observe(event);
      if (gst_event_parse_sphere_lens(event, nullptr) ||
          gst_event_parse_sphere_lens_table(event, nullptr)) {
        // The stitched pictures have no lenses any more.
        gst_event_unref(event);
        return nullptr;
      }
      break;
    }
  }
  return event;
}

void Stitching::forget_stream() {
  lens_.forget();
  track_came_by_event_ = false;
  levelling_.reset();
}

void Stitching::stop() {
  have_formats_ = false;
  warned_no_lens_ = told_interlaced_ = false;
  pair_.reset();
  wanted_ = basis_ = PairInputs();
  announced_.reset();
  forget_stream();
}

bool Stitching::changes_meta(const GstMeta* meta) {
  return meta->info->api == GST_SPHERE_ORIENTATION_META_API_TYPE;
}

bool Stitching::set_formats(const GstVideoInfo& input, const GstVideoInfo& output) {
  if (GST_VIDEO_INFO_IS_INTERLACED(&input)) {
    // GStreamer calls this again for each buffer: the error is posted only once.
    if (!std::exchange(told_interlaced_, true))
      GST_ELEMENT_ERROR(owner_, STREAM, FORMAT,
                        ("Interlaced pictures can't be stitched; make them progressive with a "
                         "deinterlacer first."),
                        (nullptr));
    return false;
  }
  told_interlaced_ = false;
  input_ = input;
  output_ = output;
  have_formats_ = true;
  pair_.reset();
  strip_info_ = info_of(SeamStrip::size);
  // The event with the lens may come after the caps. Therefore the lens is checked with the first
  // frame.
  return true;
}

GstVideoInfo Stitching::info_of(Size strip) const {
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_INFO_FORMAT(&input_), strip.width, strip.height);
  info.chroma_site = input_.chroma_site;
  info.colorimetry = input_.colorimetry;
  return info;
}

Status Stitching::make_pair(const PairInputs& inputs) {
  Result<LensPair> pair = inputs.own_lens ? *inputs.own_lens : load_profile(inputs.lens);
  if (!pair) return pair.error();
  const Size source = {GST_VIDEO_INFO_WIDTH(&input_), GST_VIDEO_INFO_HEIGHT(&input_)};
  const double aspect = static_cast<double>(GST_VIDEO_INFO_PAR_N(&input_)) /
                        std::max(GST_VIDEO_INFO_PAR_D(&input_), 1);
  if (is_strip_of(*pair, source, aspect)) {
    const double from = inputs.frame_rows == FrameRows::top      ? 0
                        : inputs.frame_rows == FrameRows::middle ? 0.25
                                                                 : 0.5;
    pair = pair->rows(from, from + 0.5);
  }
  if (const Status fits = Planner::fits(*pair, source, aspect); !fits) return fits;
  const Size output = {GST_VIDEO_INFO_WIDTH(&output_), GST_VIDEO_INFO_HEIGHT(&output_)};
  PlanOptions options;
  options.lens_fov = inputs.lens_fov > 0 ? radians(std::max(inputs.lens_fov, least_lens_fov)) : 0;
  options.blend_width = radians(inputs.blend_width);
  options.multiband = inputs.multiband;
  options.distance = inputs.stitch_distance;
  // The disparity at the edge of a near thing can only change from one cell to the next.
  if (inputs.seam.align && output.width <= fine_grid_width) options.cells.most_cell = 8;
  const double out_aspect = static_cast<double>(GST_VIDEO_INFO_PAR_N(&output_)) /
                            std::max(GST_VIDEO_INFO_PAR_D(&output_), 1);
  const Canvas canvas(inputs.projection, output, radians(inputs.fov), out_aspect);
  Result<Planner> planner = Planner::make(*pair, source, canvas, options);
  if (!planner) return planner.error();
  pair_.emplace(std::move(*planner), inputs.seam);
  if (const WarpGrid* bands = pair_->bands()) bands_info_ = info_of(bands->output);
  return ok();
}

bool Stitching::prepare(GstBuffer* in, GstBuffer* out, const GstSegment& segment) {
  if (!have_formats_) {
    GST_ELEMENT_ERROR(owner_, CORE, NEGOTIATION,
                      ("Pictures arrived before their format was negotiated."), (nullptr));
    return false;
  }
  {
    Lock lock(mutex_);
    current_ = settings_;
  }
  View looked_at = {rotation(current_.view), current_.fov, current_.projection};
  if (const Status applied = current_.keyframes.apply(segment, in, &looked_at); !applied) {
    GST_ELEMENT_ERROR(owner_, RESOURCE, SETTINGS, ("%s.", applied.error().message.c_str()),
                      (nullptr));
    return false;
  }
  current_.fov = looked_at.fov;
  current_.projection = looked_at.projection;
  const StitchSettings& settings = current_;
  if (!ensure_pair(settings)) return false;
  const Mat3 view =
      levelling_.view(settings.level, settings.smoothing, in, segment, input_) * looked_at.rotation;
  pair_->build(view);
  turn_orientation_meta(out, view);
  return true;
}

void Stitching::choose_lens(const std::string& setting) {
  wanted_.lens = setting;
  wanted_.own_lens.reset();
  lens_origin_ = "property";
  if (!setting.empty()) return;
  lens_.read(stream_lens_);
  wanted_.lens = stream_lens_.name;
  wanted_.own_lens = stream_lens_.table;
  lens_origin_ = stream_lens_.origin;
  if (!wanted_.lens.empty() || wanted_.own_lens) return;
  wanted_.lens = default_profile;
  lens_origin_ = "default";
  if (std::exchange(warned_no_lens_, true)) return;
  GST_ELEMENT_WARNING_WITH_DETAILS(owner_, STREAM, FORMAT,
                                   ("Neither the stream nor 'lens' names the lenses of the camera; "
                                    "'%s' is assumed.",
                                    default_profile),
                                   (nullptr),
                                   ("assumed-lens", G_TYPE_STRING, default_profile, nullptr));
}

bool Stitching::ensure_pair(const StitchSettings& settings) {
  choose_lens(settings.lens);
  const double width = settings.blend == Blend::off         ? 0
                       : settings.blend == Blend::multiband ? widest_band * settings.blend_width
                                                            : settings.blend_width;
  wanted_.projection = settings.projection;
  // The field of view has no meaning if the whole sphere is shown.
  wanted_.fov = shows_all(settings.projection) ? 0 : settings.fov;
  wanted_.lens_fov = settings.lens_fov;
  wanted_.blend_width = width;
  wanted_.multiband = settings.blend == Blend::multiband;
  wanted_.frame_rows = settings.frame_rows;
  wanted_.stitch_distance = settings.stitch_distance;
  wanted_.seam = {settings.match == Match::gain, settings.align == Align::seam,
                  bool(GST_VIDEO_INFO_IS_RGB(&input_))};
  if (pair_ && wanted_ == basis_) return true;
  pair_.reset();
  if (const Status made = make_pair(wanted_); !made) {
    const char* text = made.error().message.c_str();
    if (made.error().kind == Error::Kind::not_found)
      GST_ELEMENT_ERROR(owner_, RESOURCE, NOT_FOUND, ("%s.", text), (nullptr));
    else
      GST_ELEMENT_ERROR(owner_, RESOURCE, SETTINGS, ("%s.", text), (nullptr));
    return false;
  }
  const std::string& lens = wanted_.lens;
  if (!announced_ || announced_->lens != lens || announced_->own_lens != wanted_.own_lens)
    gst_element_post_message(
        owner_,
        gst_message_new_element(GST_OBJECT(owner_),
                                gst_structure_new("sphere-lens", "lens", G_TYPE_STRING,
                                                  wanted_.own_lens        ? "table"
                                                  : is_profile_text(lens) ? "given"
                                                                          : printable(lens).c_str(),
                                                  "origin", G_TYPE_STRING, lens_origin_, nullptr)));
  announced_ = basis_ = wanted_;
  return true;
}

void Stitching::measure(const GstVideoFrame& strip) {
  pair_->measure(strip_picture(strip), has_photos());
}

void Stitching::match() { pair_->match(has_photos()); }

void Stitching::blend(const GstVideoFrame& bands, Workers* workers) {
  const StripPicture picture = strip_picture(bands);
  constexpr int components = 3;
  const auto blend = [&](int component) { pair_->blend(picture, component); };
  if (workers)
    workers->run(components, blend);
  else
    for (int k = 0; k < components; ++k) blend(k);
}

}  // namespace sphere
