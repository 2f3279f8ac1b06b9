// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/stitch_pipeline.h"

#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

#include <algorithm>
#include <utility>

#include "gst/sphere/base/videoframe.h"
#include "gst/sphere/lens/gstspherelens.h"
#include "gst/sphere/orientation/event.h"

namespace sphere::tool {

namespace {

constexpr int default_quantizer = 18;
constexpr int default_jpeg_quality = 95;
// JPEG's own: full range, the matrix of BT.601. Nothing is said of primaries, as in the file.
constexpr const char* jpeg_colours = "colorimetry=(string)1:4:0:0";
// Raw pictures are large; one at either side of the stitcher keeps all threads at work.
constexpr guint raw_pictures = 2;

// A video may fade in; what can't be told by then is stitched.
constexpr int most_looked_at = 100;

// Decodebin's answer for "not this element"; its enumeration is not in a public header.
constexpr int autoplug_try = 0, autoplug_skip = 2;

/// Decoders in hardware differ from machine to machine, and some give memory that only their own
/// kind can read.
int select_decoder(GstElement*, GstPad*, GstCaps*, GstElementFactory* factory, gpointer) {
  const char* klass = gst_element_factory_get_metadata(factory, GST_ELEMENT_METADATA_KLASS);
  return klass && g_strrstr(klass, "Hardware") ? autoplug_skip : autoplug_try;
}

void set_caps(GstElement* filter, const std::string& caps) {
  gst_util_set_object_arg(G_OBJECT(filter), "caps", caps.c_str());
}

GstPadProbeReturn drop_descriptions(GstPad*, GstPadProbeInfo* info, gpointer) {
  const GstEventType type = GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info));
  return type == GST_EVENT_TAG || type == GST_EVENT_TOC ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

/// A shorter duration of a picture than this is a decoder's guess.
constexpr GstClockTime shortest_duration = GST_MSECOND;

/// Captions and private messages ride on pictures as metas, and encoders write them out again.
gboolean drop_meta(GstBuffer*, GstMeta** meta, gpointer) {
  // What belongs to the memory stays with it.
  const bool bound = GST_META_FLAG_IS_SET(*meta, GST_META_FLAG_LOCKED) ||
                     GST_META_FLAG_IS_SET(*meta, GST_META_FLAG_POOLED) ||
                     (*meta)->info->api == GST_VIDEO_META_API_TYPE;
  if (!bound) *meta = nullptr;
  return TRUE;
}

/// The one form of pixels in which the stitcher shall work, so that no colour is lost on the way.
std::string photo_format(const StitchInput& input) {
  if (input.png()) return "video/x-raw,format=RGBA";
  const media::JpegInfo& jpeg = *input.jpeg();
  if (jpeg.components == 4 || (jpeg.adobe_transform && *jpeg.adobe_transform == 0))
    return "video/x-raw,format=RGBA";
  if (jpeg.components == 1 || jpeg.half_chroma())
    return std::string("video/x-raw,format=I420,chroma-site=jpeg,") + jpeg_colours;
  return std::string("video/x-raw,format=Y444,") + jpeg_colours;
}

std::string encoded_format(const StitchOptions& options, const StitchInput& input) {
  if (options.png_out)
    return input.png() && input.png()->transparent ? "video/x-raw,format=RGBA"
                                                   : "video/x-raw,format=RGB";
  const std::string worked_in = photo_format(input);
  return worked_in.find("RGBA") == std::string::npos
             ? worked_in
             : std::string("video/x-raw,format=Y444,") + jpeg_colours;
}

}  // namespace

GstElement* StitchPipeline::add(const char* factory) {
  GstElement* element = gst_element_factory_make(factory, nullptr);
  if (!element) {
    if (missing_)
      missing_ = failed(std::string("GStreamer's element '") + factory +
                        "' is missing; 'sphere stitch' needs GStreamer's base, good, bad, ugly and "
                        "libav plugins, and gst-sphere's own");
    return nullptr;
  }
  gst_bin_add(GST_BIN(pipeline_.get()), element);
  return element;
}

bool StitchPipeline::link(std::initializer_list<GstElement*> elements) {
  GstElement* before = nullptr;
  for (GstElement* element : elements) {
    if (!element) return false;
    if (before && !gst_element_link(before, element)) {
      if (missing_)
        missing_ = failed(std::string("'") + GST_ELEMENT_NAME(before) + "' can't be linked to '" +
                          GST_ELEMENT_NAME(element) + "'");
      return false;
    }
    before = element;
  }
  return true;
}

Result<std::unique_ptr<StitchPipeline>> StitchPipeline::make(const StitchOptions& options,
                                                             const StitchInput& input, int output) {
  std::unique_ptr<StitchPipeline> made(new StitchPipeline);
  if (const Status built = made->build(options, input, output); !built) return built.error();
  return made;
}

StitchPipeline::~StitchPipeline() {
  if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

Status StitchPipeline::build(const StitchOptions& options, const StitchInput& input, int output) {
  GstElement* pipeline = gst_pipeline_new(nullptr);
  gst_object_ref_sink(pipeline);
  pipeline_.reset(pipeline);
  audio_ = options.audio;
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  gst_segment_init(&encoded_.segment, GST_FORMAT_TIME);

  converter_ = add("videoconvert");
  GstElement* before = add("capsfilter");
  const bool on_gl = options.stitcher == "gl";
  stitcher_ = add(options.stitcher == "cpu" ? "cpuspherestitch"
                  : on_gl                   ? "glspherestitch"
                                            : "spherestitch");
  GstElement* after = add("capsfilter");
  GstElement* queue = add("queue");
  GstElement* back_converter = add("videoconvert");
  GstElement* encoded = add("capsfilter");
  encoder_ = add(!options.photo_out ? "x264enc" : options.png_out ? "pngenc" : "jpegenc");
  GstElement* sink = add("fdsink");
  if (!missing_) return missing_;
  bool linked;
  if (on_gl)
    linked = link({converter_, before, add("glupload"), stitcher_, add("gldownload"), after});
  else
    linked = link({converter_, before, stitcher_, after});
  if (!linked || !link({after, queue, back_converter, encoded, encoder_})) return missing_;

  for (GstElement* element : {converter_, back_converter})
    g_object_set(element, "n-threads", static_cast<guint>(options.threads), nullptr);
  g_object_set(queue, "max-size-buffers", raw_pictures, "max-size-bytes", 0u, "max-size-time",
               guint64{0}, nullptr);
  gst_util_set_object_arg(G_OBJECT(stitcher_), "projection",
                          projection_names[static_cast<size_t>(options.projection)].data());
  g_object_set(stitcher_, "fov", options.fov, "lens-fov", options.lens_fov, "yaw", options.yaw,
               "pitch", options.pitch, "roll", options.roll, nullptr);
  gst_util_set_object_arg(G_OBJECT(stitcher_), "blend", options.blend.c_str());
  if (options.blend_width >= 0)
    g_object_set(stitcher_, "blend-width", options.blend_width, nullptr);
  gst_util_set_object_arg(G_OBJECT(stitcher_), "strip", options.strip.c_str());
  gst_util_set_object_arg(G_OBJECT(stitcher_), "match", options.match.c_str());
  gst_util_set_object_arg(G_OBJECT(stitcher_), "align", options.align.c_str());
  gst_util_set_object_arg(G_OBJECT(stitcher_), "interpolation", options.interpolation.c_str());
  g_object_set(stitcher_, "stitch-distance", options.stitch_distance, nullptr);
  if (!options.level.empty())
    gst_util_set_object_arg(G_OBJECT(stitcher_), "level", options.level.c_str());
  if (options.smoothing >= 0) g_object_set(stitcher_, "smoothing", options.smoothing, nullptr);
  tell_stitcher(input.capture);
  if (!options.lens.empty()) g_object_set(stitcher_, "lens", options.lens.c_str(), nullptr);
  if (!on_gl) g_object_set(stitcher_, "threads", options.threads, nullptr);
  if (options.width > 0) {
    std::string size = "video/x-raw,pixel-aspect-ratio=1/1,width=" + std::to_string(options.width);
    if (options.projection == Projection::equirect)
      size += ",height=" + std::to_string(options.width / 2);
    set_caps(after, size);
  }
  set_caps(before, input.video() ? "video/x-raw,format={I420,NV12}" : photo_format(input));
  if (!input.video()) set_caps(encoded, encoded_format(options, input));
  g_object_set(sink, "fd", output, nullptr);

  what_ = input.video() ? "video" : "picture";
  if (!options.force && !input.capture.fisheyes) {
    g_autoptr(GstPad) decoded = gst_element_get_static_pad(before, "src");
    gst_pad_add_probe(decoded, GST_PAD_PROBE_TYPE_BUFFER, look_at_decoded, this, nullptr);
  }
  g_autoptr(GstPad) pictures = gst_element_get_static_pad(encoder_, "sink");
  gst_pad_add_probe(
      pictures,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      watch_stitched, this, nullptr);
  const Status ends =
      input.video() ? build_video_ends(options, input) : build_photo_ends(options, input);
  if (!ends) return ends;
  return link({last_, sink}) ? ok() : missing_;
}

void StitchPipeline::tell_stitcher(const makers::CaptureInfo& capture) {
  g_autoptr(GstPad) pad = gst_element_get_static_pad(stitcher_, "sink");
  // A demuxer hands on nothing of a photo, nor of every video; so the stitcher is told before the
  // first picture.
  const auto tell = [&](GstEvent* event) {
    gst_pad_add_probe(
        pad, GST_PAD_PROBE_TYPE_BUFFER,
        +[](GstPad* sink, GstPadProbeInfo*, gpointer told) -> GstPadProbeReturn {
          gst_pad_send_event(sink, gst_event_ref(static_cast<GstEvent*>(told)));
          return GST_PAD_PROBE_REMOVE;
        },
        event, +[](gpointer told) { gst_event_unref(static_cast<GstEvent*>(told)); });
  };
  if (!capture.lens_table.empty()) {
    const BytesRef table(g_bytes_new(capture.lens_table.data(), capture.lens_table.size()));
    tell(gst_event_new_sphere_lens_table(table.get()));
  } else if (!capture.profile.empty()) {
    tell(gst_event_new_sphere_lens(capture.profile.c_str()));
  }
  if (!capture.orientations.empty()) tell(make_orientation_event(capture.orientations));
}

Status StitchPipeline::build_photo_ends(const StitchOptions& options, const StitchInput& input) {
  GstElement* source = add("appsrc");
  if (!link({source, add(input.png() ? "pngdec" : "avdec_mjpeg"), converter_})) return missing_;
  if (!options.png_out) {
    g_object_set(encoder_, "quality", options.quality < 0 ? default_jpeg_quality : options.quality,
                 nullptr);
    // jpegenc's default is a quick approximation.
    gst_util_set_object_arg(G_OBJECT(encoder_), "idct-method", "islow");
  }
  last_ = encoder_;

  const auto length = static_cast<gsize>(input.length());
  auto* bytes = static_cast<guint8*>(g_try_malloc(length));
  const Result<media::FileSource> file = media::FileSource::make(input.descriptor.get());
  if (!bytes || !file || !file->read_all(0, {bytes, length})) {
    g_free(bytes);
    return failed(options.input + ": can't be read" + (bytes ? "" : ": not enough memory"));
  }
  GstBuffer* buffer = gst_buffer_new_wrapped(bytes, length);
  GST_BUFFER_PTS(buffer) = 0;
  const CapsRef caps(
      input.png()
          ? gst_caps_new_simple("image/png", "framerate", GST_TYPE_FRACTION, 0, 1, nullptr)
          : gst_caps_new_simple("image/jpeg", "parsed", G_TYPE_BOOLEAN, TRUE, "width", G_TYPE_INT,
                                input.width(), "height", G_TYPE_INT, input.height(), "framerate",
                                GST_TYPE_FRACTION, 0, 1, nullptr));
  g_object_set(source, "caps", caps.get(), "max-bytes", guint64{0}, nullptr);
  gst_util_set_object_arg(G_OBJECT(source), "format", "time");
  counts_.read = 1;
  gst_app_src_push_buffer(GST_APP_SRC(source), buffer);
  gst_app_src_end_of_stream(GST_APP_SRC(source));
  return ok();
}

Status StitchPipeline::build_video_ends(const StitchOptions& options, const StitchInput& input) {
  GstElement* source = add("filesrc");
  GstElement* demuxer = add("qtdemux");
  GstElement* coded_queue = coded_queue_ = add("queue");
  GstElement* decoder = add("decodebin");
  GstElement* raw_queue = add("queue");
  GstElement* encoded_queue = add("queue");
  muxer_ = add("mp4mux");
  if (!missing_) return missing_;
  if (!link({source, demuxer}) || !link({coded_queue, decoder}) || !link({raw_queue, converter_}) ||
      !link({encoder_, encoded_queue}))
    return missing_;

  // The very file that was checked, whatever its name leads to by now.
  g_object_set(source, "location",
               ("/proc/self/fd/" + std::to_string(input.descriptor.get())).c_str(), nullptr);
  g_object_set(raw_queue, "max-size-buffers", raw_pictures, "max-size-bytes", 0u, "max-size-time",
               guint64{0}, nullptr);
  // The muxer waits for whichever track is behind; then the other must be able to go on.
  g_object_set(encoded_queue, "max-size-buffers", 0u, "max-size-bytes", 0u, "max-size-time",
               guint64{0}, nullptr);
  gst_util_set_object_arg(G_OBJECT(encoder_), "speed-preset", options.preset.c_str());
  gst_util_set_object_arg(G_OBJECT(encoder_), "pass", "qual");
  // In this pass too, x264enc holds to `bitrate` unless there is no buffer to hold it with.
  g_object_set(encoder_, "quantizer",
               static_cast<guint>(options.quality < 0 ? default_quantizer : options.quality),
               "qp-min", 0u, "vbv-buf-capacity", 0u, "threads", static_cast<guint>(options.threads),
               nullptr);

  g_autoptr(GstPad) mux_pad = gst_element_request_pad_simple(muxer_, "video_%u");
  g_autoptr(GstPad) queue_src = gst_element_get_static_pad(encoded_queue, "src");
  if (!mux_pad || gst_pad_link(queue_src, mux_pad) != GST_PAD_LINK_OK)
    return failed("'mp4mux' accepts no video");
  // The same ticks as IN's, so that no time is rounded.
  const guint timescale = input.video()->first("vide")->timescale;
  if (timescale) g_object_set(mux_pad, "trak-timescale", timescale, nullptr);
  guard_muxer(mux_pad);
  gst_pad_add_probe(
      mux_pad,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      time_encoded, this, nullptr);
  last_ = muxer_;

  g_autoptr(GstPad) coded = gst_element_get_static_pad(coded_queue, "src");
  gst_pad_add_probe(
      coded,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      count_read, this, nullptr);
  length_ = input.video()->length;
  guint64 longest = 0;
  for (const media::Track& track : input.video()->tracks)
    if (track.timescale)
      longest = std::max(
          longest, gst_util_uint64_scale_ceil(track.duration, length_.timescale, track.timescale));
  // Fragments have no length there, and a length that does not fit its field is no longer one.
  const bool longer =
      longest > length_.value && longest < (length_.bytes == 4 ? G_MAXUINT32 : G_MAXINT64);
  const guint64 said = std::exchange(length_.value, longest);
  if (said && longer && !input.video()->fragmented) {
    g_autoptr(GstPad) pad = gst_element_get_static_pad(demuxer, "sink");
    gst_pad_add_probe(
        pad, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_PULL),
        lengthen, this, nullptr);
  }
  g_signal_connect(demuxer, "pad-added", G_CALLBACK(+[](GstElement*, GstPad* pad, gpointer self) {
                     static_cast<StitchPipeline*>(self)->take_track(pad);
                   }),
                   this);
  g_signal_connect(decoder, "autoplug-select", G_CALLBACK(select_decoder), nullptr);
  g_signal_connect(decoder, "pad-added", G_CALLBACK(+[](GstElement*, GstPad* pad, gpointer queue) {
                     g_autoptr(GstPad) sink =
                         gst_element_get_static_pad(GST_ELEMENT(queue), "sink");
                     if (!gst_pad_is_linked(sink)) gst_pad_link(pad, sink);
                   }),
                   raw_queue);
  return ok();
}

void StitchPipeline::take_track(GstPad* pad) {
  const CapsRef caps(gst_pad_get_current_caps(pad));
  if (!caps) return;
  const char* type = gst_structure_get_name(gst_caps_get_structure(caps.get(), 0));
  if (g_str_has_prefix(type, "audio/")) {
    if (audio_) take_sound(pad, caps.get());
  } else if (g_str_has_prefix(type, "video/") || g_str_has_prefix(type, "image/")) {
    g_autoptr(GstPad) sink = gst_element_get_static_pad(coded_queue_, "sink");
    if (!gst_pad_is_linked(sink)) gst_pad_link(pad, sink);
  }
}

void StitchPipeline::take_sound(GstPad* pad, GstCaps* caps) {
  GstPadTemplate* pad_template =
      gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(muxer_), "audio_%u");
  const CapsRef taken(gst_pad_template_get_caps(pad_template));
  if (!gst_caps_can_intersect(caps, taken.get())) {
    const char* type = gst_structure_get_name(gst_caps_get_structure(caps, 0));
    refuse(std::string("its sound track (") + type +
           ") can't be copied into an MP4 file; --no-audio leaves it out");
    return;
  }
  GstElement* queue = gst_element_factory_make("queue", nullptr);
  g_object_set(queue, "max-size-buffers", 0u, "max-size-bytes", 0u, "max-size-time", guint64{0},
               nullptr);
  gst_bin_add(GST_BIN(pipeline_.get()), queue);
  g_autoptr(GstPad) mux_pad = gst_element_request_pad_simple(muxer_, "audio_%u");
  g_autoptr(GstPad) in = gst_element_get_static_pad(queue, "sink");
  g_autoptr(GstPad) out = gst_element_get_static_pad(queue, "src");
  if (mux_pad) guard_muxer(mux_pad);
  if (!mux_pad || gst_pad_link(out, mux_pad) != GST_PAD_LINK_OK ||
      gst_pad_link(pad, in) != GST_PAD_LINK_OK) {
    refuse("its sound track can't be copied; --no-audio leaves it out");
    return;
  }
  gst_element_sync_state_with_parent(queue);
  ++counts_.sound_tracks;
}

GstPadProbeReturn StitchPipeline::lengthen(GstPad*, GstPadProbeInfo* info, gpointer data) {
  const media::IsoFile::Length& length = static_cast<StitchPipeline*>(data)->length_;
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  if (!buffer) return GST_PAD_PROBE_OK;
  const guint64 begin = info->offset, end = begin + gst_buffer_get_size(buffer);
  for (int i = 0; i < length.bytes; ++i) {
    const guint64 offset = length.offset + static_cast<guint64>(i);
    if (offset < begin || offset >= end) continue;
    const auto byte = static_cast<guint8>(length.value >> 8 * (length.bytes - 1 - i));
    buffer = gst_buffer_make_writable(buffer);
    gst_buffer_fill(buffer, offset - begin, &byte, 1);
  }
  info->data = buffer;
  return GST_PAD_PROBE_OK;
}

void StitchPipeline::guard_muxer(GstPad* pad) {
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, drop_descriptions, nullptr, nullptr);
}

void StitchPipeline::refuse(const std::string& sentence) {
  {
    Lock lock(mutex_);
    if (refusal_.empty()) refusal_ = sentence;
  }
  gst_element_post_message(pipeline_.get(),
                           gst_message_new_application(GST_OBJECT(pipeline_.get()),
                                                       gst_structure_new_empty("sphere-refusal")));
}

std::string StitchPipeline::refusal() {
  Lock lock(mutex_);
  return refusal_;
}

GstPadProbeReturn StitchPipeline::look_at_decoded(GstPad* pad, GstPadProbeInfo* info,
                                                  gpointer data) {
  auto* self = static_cast<StitchPipeline*>(data);
  if (++self->looked_at_ > most_looked_at) return GST_PAD_PROBE_REMOVE;
  const CapsRef caps(gst_pad_get_current_caps(pad));
  GstVideoInfo format;
  if (!caps || !gst_video_info_from_caps(&format, caps.get())) return GST_PAD_PROBE_OK;
  VideoFrame frame(format, GST_PAD_PROBE_INFO_BUFFER(info), GST_MAP_READ);
  if (!frame) return GST_PAD_PROBE_OK;
  // Green is most of what brightness is.
  const int component = GST_VIDEO_INFO_IS_RGB(&format) ? 1 : 0;
  const media::Look look = media::look_of(
      {static_cast<const uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(frame.get(), component)),
       GST_VIDEO_FRAME_COMP_STRIDE(frame.get(), component),
       GST_VIDEO_FRAME_COMP_PSTRIDE(frame.get(), component), GST_VIDEO_FRAME_WIDTH(frame.get()),
       GST_VIDEO_FRAME_HEIGHT(frame.get())});
  if (look == media::Look::unclear) return GST_PAD_PROBE_OK;
  const std::string refusal = lack_of_fisheyes(look, self->what_);
  if (refusal.empty()) return GST_PAD_PROBE_REMOVE;
  // This picture goes no further, nor any after it: the probe stays.
  self->looked_at_ = 0;
  self->refuse(refusal + (look == media::Look::sphere
                              ? use_as_it_is
                              : std::string(take_fisheyes) + ", or stitch it with --force"));
  return GST_PAD_PROBE_DROP;
}

GstPadProbeReturn StitchPipeline::count_read(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<StitchPipeline*>(data);
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) gst_event_copy_segment(event, &self->segment_);
    return GST_PAD_PROBE_OK;
  }
  // What an edit list cuts away is decoded, for others lean on it, but not shown.
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  const GstClockTime begin = GST_BUFFER_PTS(buffer);
  const GstClockTime end = GST_CLOCK_TIME_IS_VALID(begin) && GST_BUFFER_DURATION_IS_VALID(buffer)
                               ? begin + GST_BUFFER_DURATION(buffer)
                               : GST_CLOCK_TIME_NONE;
  if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DECODE_ONLY) &&
      gst_segment_clip(&self->segment_, GST_FORMAT_TIME, begin, end, nullptr, nullptr))
    ++self->counts_.read;
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn StitchPipeline::time_encoded(GstPad*, GstPadProbeInfo* info, gpointer data) {
  EncodedTimes& times = static_cast<StitchPipeline*>(data)->encoded_;
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) {
    if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_SEGMENT)
      gst_event_copy_segment(GST_PAD_PROBE_INFO_EVENT(info), &times.segment);
    return GST_PAD_PROBE_OK;
  }
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  info->data = buffer;
  const auto running = [&](GstClockTime time) {
    guint64 value = 0;
    const int sign =
        gst_segment_to_running_time_full(&times.segment, GST_FORMAT_TIME, time, &value);
    return sign < 0 ? -static_cast<gint64>(value) : static_cast<gint64>(value);
  };
  if (!GST_BUFFER_PTS_IS_VALID(buffer) || !GST_BUFFER_DTS_IS_VALID(buffer)) return GST_PAD_PROBE_OK;
  const gint64 shown = running(GST_BUFFER_PTS(buffer)), decoded = running(GST_BUFFER_DTS(buffer));
  const GstClockTime duration =
      GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer) : 0;
  const gint64 end = shown + static_cast<gint64>(std::max(duration, shortest_duration));
  if (!times.begun) {
    times.begun = true;
    times.first_decoded = decoded;
    times.first_shown = shown;
    times.end = end;
  }
  times.first_shown = std::min(times.first_shown, shown);
  times.end = std::max(times.end, end);
  GST_BUFFER_DURATION(buffer) = static_cast<GstClockTime>(
      std::max<gint64>(times.end - times.first_shown - (decoded - times.first_decoded),
                       static_cast<gint64>(shortest_duration)));
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn StitchPipeline::watch_stitched(GstPad*, GstPadProbeInfo* info, gpointer data) {
  StitchCounts& counts = static_cast<StitchPipeline*>(data)->counts_;
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      GstVideoInfo format;
      if (gst_video_info_from_caps(&format, caps)) {
        counts.width = GST_VIDEO_INFO_WIDTH(&format);
        counts.height = GST_VIDEO_INFO_HEIGHT(&format);
      }
    }
    return GST_PAD_PROBE_OK;
  }
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  gst_buffer_foreach_meta(buffer, drop_meta, nullptr);
  info->data = buffer;
  ++counts.stitched;
  return GST_PAD_PROBE_OK;
}

}  // namespace sphere::tool
