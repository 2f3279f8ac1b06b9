// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/stitch_pipeline.h"

#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "gst/tools/capture_events.h"
#include "gst/tools/decoded_kind.h"
#include "gst/tools/stitch_pair.h"
#include "gst/tools/stitch_sound.h"

namespace sphere::tool {

namespace {

// x265's scale is not x264's: this looks like 18 there.
constexpr int default_quantizer = 18, default_hevc_quantizer = 20;
constexpr int default_jpeg_quality = 95;
// JPEG's own: full range, the matrix of BT.601. Nothing is said of primaries, as in the file.
constexpr const char* jpeg_colours = "colorimetry=(string)1:4:0:0";
// Raw pictures are large; one at either side of the stitcher keeps all threads at work.
constexpr guint raw_pictures = 2;
constexpr int few_cores = 4;

// Widths as parts of the height, of a 360 picture and of the faces of a cube.
constexpr double sphere_shape = 2, cube_shape = 1.5, shape_tolerance = 0.02;

void set_caps(GstElement* filter, const std::string& caps) {
  gst_util_set_object_arg(G_OBJECT(filter), "caps", caps.c_str());
}

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
  if (!input.jpeg()) return "video/x-raw,format=RGBA";
  const media::JpegInfo& jpeg = *input.jpeg();
  if (jpeg.components == 4 || (jpeg.adobe_transform && *jpeg.adobe_transform == 0))
    return "video/x-raw,format=RGBA";
  if (jpeg.components == 1 || jpeg.half_chroma())
    return std::string("video/x-raw,format=I420,chroma-site=jpeg,") + jpeg_colours;
  return std::string("video/x-raw,format=Y444,") + jpeg_colours;
}

/// What both stitchers and the encoders take without a loss: ten bits stay ten bits.
std::string video_format(bool on_gl) {
  return on_gl ? "video/x-raw,format={I420,NV12,P010_10LE}"
               : "video/x-raw,format={I420,NV12,I420_10LE,P010_10LE}";
}

int depth_of(GstPad* pad) {
  const CapsRef caps(gst_pad_get_current_caps(pad));
  GstVideoInfo info;
  if (!caps || !gst_video_info_from_caps(&info, caps.get())) return 0;
  return static_cast<int>(GST_VIDEO_INFO_COMP_DEPTH(&info, 0));
}

std::string encoded_format(const StitchOptions& options, const StitchInput& input) {
  if (options.png_out)
    return input.transparent() ? "video/x-raw,format=RGBA" : "video/x-raw,format=RGB";
  const std::string worked_in = photo_format(input);
  return worked_in.find("RGBA") == std::string::npos
             ? worked_in
             : std::string("video/x-raw,format=Y444,") + jpeg_colours;
}

}  // namespace

GstElement* StitchPipeline::add(const char* factory) {
  return add_element(GST_BIN(pipeline_.get()), factory, &missing_);
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

Result<std::unique_ptr<StitchPipeline>> StitchPipeline::make(const StitchOptions& options,
                                                             const StitchInput& input,
                                                             FilmTask* film) {
  std::unique_ptr<StitchPipeline> made(new StitchPipeline);
  made->film_ = film;
  if (const Status built = made->build(options, input, -1); !built) return built.error();
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
  container_ = options.container;

  GstElement* before = add("capsfilter");
  const bool on_gl = options.stitcher == "gl";
  const std::string drawer = options.from_sphere ? "sphereview" : "spherestitch";
  stitcher_ = add(((options.stitcher == "auto" ? "" : options.stitcher) + drawer).c_str());
  GstElement* after = add("capsfilter");
  GstElement* queue = add("queue");
  GstElement* back_converter = add("videoconvert");
  GstElement* encoded = add("capsfilter");
  encoder_ = add(!options.photo_out ? (options.hevc() ? "x265enc" : "x264enc")
                 : options.png_out  ? "pngenc"
                                    : "jpegenc");
  GstElement* sink = film_ ? make_part_sink(film_) : add("fdsink");
  if (film_ && !sink) missing_ = missing_element("appsink");
  if (!missing_) return missing_;
  GstElement* first = before;
  if (film_) {
    gst_bin_add(GST_BIN(pipeline_.get()), sink);
    first = make_picture_chooser(film_->choice, &film_->counts);
    gst_bin_add(GST_BIN(pipeline_.get()), first);
    if (!link({before, first})) return missing_;
  }
  bool linked;
  if (on_gl)
    linked = link({first, add("glupload"), stitcher_, add("gldownload"), after});
  else
    linked = link({first, stitcher_, after});
  if (!linked || !link({after, queue, back_converter, encoded, encoder_})) return missing_;

  g_object_set(back_converter, "n-threads", static_cast<guint>(options.threads), nullptr);
  g_object_set(queue, "max-size-buffers", raw_pictures, "max-size-bytes", 0u, "max-size-time",
               guint64{0}, nullptr);
  set_up_view(options);
  if (options.from_sphere && !options.stored.empty())
    gst_util_set_object_arg(G_OBJECT(stitcher_), "input", options.stored.c_str());
  if (!options.from_sphere) set_up_stitcher(options, input.capture);
  if (!on_gl) g_object_set(stitcher_, "threads", options.threads, nullptr);
  if (options.width > 0) {
    std::string size = "video/x-raw,pixel-aspect-ratio=1/1,width=" + std::to_string(options.width);
    const int height = options.height > 0                           ? options.height
                       : options.projection == Projection::equirect ? options.width / 2
                                                                    : 0;
    if (height > 0) size += ",height=" + std::to_string(height);
    set_caps(after, size);
  }
  const std::string format = input.video() ? video_format(on_gl) : photo_format(input);
  set_caps(before, format);
  if (!input.video()) set_caps(encoded, encoded_format(options, input));
  if (film_) {
    if (!film_->raw.empty()) set_caps(encoded, film_->raw);
    g_autoptr(GstPad) drawn = gst_element_get_static_pad(encoded, "src");
    time_pictures(drawn, film_);
  } else {
    g_object_set(sink, "fd", output, nullptr);
  }

  what_ = input.video() ? "video" : "picture";
  from_sphere_ = options.from_sphere;
  const bool known =
      from_sphere_ ? input.spherical() || !options.stored.empty() : input.capture.fisheyes;
  if (!options.force && !known) {
    g_autoptr(GstPad) decoded = gst_element_get_static_pad(before, "src");
    gst_pad_add_probe(decoded, GST_PAD_PROBE_TYPE_BUFFER, check_decoded, this, nullptr);
  }
  g_autoptr(GstPad) pictures = gst_element_get_static_pad(encoder_, "sink");
  gst_pad_add_probe(
      pictures,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      watch_stitched, this, nullptr);
  const Result<std::vector<GstElement*>> targets = build_sources_end(options, input, before);
  if (!targets) return targets.error();
  const Status ends = film_           ? build_film_ends(options)
                      : input.video() ? build_muxer(options, input)
                                      : build_photo_ends(options, input, *targets);
  if (!ends) return ends;
  if (input.video())
    if (const Status read = build_readers(input, *targets); !read) return read;
  return link({last_, sink}) ? ok() : missing_;
}

std::string StitchPipeline::stitcher_name() const {
  for (const char* property : {"stitcher", "viewer"}) {
    if (!g_object_class_find_property(G_OBJECT_GET_CLASS(stitcher_), property)) continue;
    g_autofree char* chosen = nullptr;
    g_object_get(stitcher_, property, &chosen, nullptr);
    return to_string(chosen);
  }
  return GST_OBJECT_NAME(gst_element_get_factory(stitcher_));
}

void StitchPipeline::set_up_view(const StitchOptions& options) {
  gst_util_set_object_arg(G_OBJECT(stitcher_), "projection",
                          projection_names[static_cast<size_t>(options.projection)].data());
  g_object_set(stitcher_, "fov", options.fov, "yaw", options.yaw, "pitch", options.pitch, "roll",
               options.roll, nullptr);
  if (!options.keyframes.empty())
    g_object_set(stitcher_, "keyframes", options.keyframes.c_str(), nullptr);
  gst_util_set_object_arg(G_OBJECT(stitcher_), "interpolation", options.interpolation.c_str());
}

void StitchPipeline::set_up_stitcher(const StitchOptions& options,
                                     const makers::CaptureInfo& capture) {
  g_object_set(stitcher_, "lens-fov", options.lens_fov, "stitch-distance", options.stitch_distance,
               nullptr);
  const std::pair<const char*, const std::string&> words[] = {{"blend", options.blend},
                                                              {"strip", options.strip},
                                                              {"match", options.match},
                                                              {"align", options.align},
                                                              {"level", options.level}};
  for (const auto& [name, word] : words)
    if (!word.empty()) gst_util_set_object_arg(G_OBJECT(stitcher_), name, word.c_str());
  if (options.blend_width >= 0)
    g_object_set(stitcher_, "blend-width", options.blend_width, nullptr);
  if (options.smoothing >= 0) g_object_set(stitcher_, "smoothing", options.smoothing, nullptr);
  tell_stitcher(stitcher_, capture);
  if (!options.lens.empty()) g_object_set(stitcher_, "lens", options.lens.c_str(), nullptr);
}

Result<std::vector<GstElement*>> StitchPipeline::build_sources_end(const StitchOptions& options,
                                                                   const StitchInput& input,
                                                                   GstElement* before) {
  std::vector<GstElement*> targets;
  const auto add_converter = [&]() {
    GstElement* converter = add("videoconvert");
    if (converter)
      g_object_set(converter, "n-threads", static_cast<guint>(options.threads), nullptr);
    targets.push_back(converter);
    return converter;
  };
  converter_ = add_converter();
  if (!input.two_pictures()) {
    if (!link({converter_, before})) return missing_.error();
    return targets;
  }
  GstElement* joiner = make_pair_joiner();
  gst_bin_add(GST_BIN(pipeline_.get()), joiner);
  GstCaps* caps = nullptr;
  g_object_get(before, "caps", &caps, nullptr);
  const CapsRef format(caps);
  for (const char* side : {"left", "right"}) {
    GstElement* converter =
        targets.size() == 1 && g_str_equal(side, "left") ? converter_ : add_converter();
    GstElement* filter = add("capsfilter");
    if (!link({converter, filter})) return missing_.error();
    g_object_set(filter, "caps", format.get(), nullptr);
    gst_element_link_pads(filter, "src", joiner, side);
  }
  if (!link({joiner, before})) return missing_.error();
  return targets;
}

Status StitchPipeline::build_photo_ends(const StitchOptions& options, const StitchInput& input,
                                        const std::vector<GstElement*>& targets) {
  if (!options.png_out) {
    g_object_set(encoder_, "quality", options.quality < 0 ? default_jpeg_quality : options.quality,
                 nullptr);
    // jpegenc's default is a quick approximation.
    gst_util_set_object_arg(G_OBJECT(encoder_), "idct-method", "islow");
  }
  last_ = encoder_;
  if (const Status built = build_photo(input, targets[0]); !built) return built;
  return input.right ? build_photo(*input.right, targets[1]) : ok();
}

Status StitchPipeline::build_photo(const StitchInput& input, GstElement* target) {
  GstElement* source = add("appsrc");
  // pngdec 1.22 takes 16 bits in the wrong order of bytes.
  const char* decoder = input.png() && input.png()->bits <= 8 ? "pngdec"
                        : input.png() || input.tiff()         ? "gdkpixbufdec"
                        : input.webp()                        ? "webpdec"
                                                              : "avdec_mjpeg";
  if (!link({source, add(decoder), target})) return missing_;
  const auto length = static_cast<gsize>(input.photo.length);
  auto* bytes = static_cast<guint8*>(g_try_malloc(length));
  const Result<media::FileSource> file = media::FileSource::make(input.descriptor.get());
  if (!bytes || !file || !file->read_all(input.photo.offset, {bytes, length})) {
    g_free(bytes);
    return failed(input.path + ": can't be read" + (bytes ? "" : ": not enough memory"));
  }
  GstBuffer* buffer = gst_buffer_new_wrapped(bytes, length);
  GST_BUFFER_PTS(buffer) = 0;
  const char* type = input.png()    ? "image/png"
                     : input.tiff() ? "image/tiff"
                     : input.webp() ? "image/webp"
                                    : "image/jpeg";
  const CapsRef caps(gst_caps_new_simple(type, "framerate", GST_TYPE_FRACTION, 0, 1, nullptr));
  if (const media::JpegInfo* jpeg = input.jpeg())
    gst_caps_set_simple(caps.get(), "parsed", G_TYPE_BOOLEAN, TRUE, "width", G_TYPE_INT,
                        jpeg->width, "height", G_TYPE_INT, jpeg->height, nullptr);
  g_object_set(source, "caps", caps.get(), "max-bytes", guint64{0}, nullptr);
  gst_util_set_object_arg(G_OBJECT(source), "format", "time");
  gst_app_src_push_buffer(GST_APP_SRC(source), buffer);
  gst_app_src_end_of_stream(GST_APP_SRC(source));
  return ok();
}

void StitchPipeline::set_up_encoder(const StitchOptions& options) {
  gst_util_set_object_arg(G_OBJECT(encoder_), "speed-preset", options.preset.c_str());
  if (options.hevc()) {
    const int quantizer = options.quality < 0 ? default_hevc_quantizer : options.quality;
    std::string settings = "crf=" + std::to_string(quantizer);
    if (options.threads) settings += ":pools=" + std::to_string(options.threads);
    g_object_set(encoder_, "option-string", settings.c_str(), nullptr);
    return;
  }
  lends_ = true;
  g_autoptr(GstPad) pictures = gst_element_get_static_pad(encoder_, "sink");
  gst_pad_add_probe(pictures, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, LentPicture::need_no_more,
                    nullptr, nullptr);
  gst_util_set_object_arg(G_OBJECT(encoder_), "pass", "qual");
  // A thread of x264's own that looks ahead, and each further thread, holds some pictures more,
  // twice each: x264 copies what GStreamer holds. On few cores there is nothing to gain from them,
  // because the decoder and the stitcher have threads, too.
  const int cores = options.threads ? options.threads : static_cast<int>(g_get_num_processors());
  int encoder_threads = options.threads;
  if (cores <= few_cores) {
    encoder_threads = cores;
    g_object_set(encoder_, "option-string", "sync-lookahead=0", nullptr);
  }
  // In this pass too, x264enc holds to `bitrate` unless there is no buffer to hold it with.
  g_object_set(encoder_, "quantizer",
               static_cast<guint>(options.quality < 0 ? default_quantizer : options.quality),
               "qp-min", 0u, "vbv-buf-capacity", 0u, "threads", static_cast<guint>(encoder_threads),
               nullptr);
}

Status StitchPipeline::build_film_ends(const StitchOptions& options) {
  GstElement* parser = options.hevc() ? add("h265parse") : nullptr;
  last_ = add("capsfilter");
  if (!missing_) return missing_;
  set_caps(last_, coded_form(options.hevc()));
  set_up_encoder(options);
  return (parser ? link({encoder_, parser, last_}) : link({encoder_, last_})) ? ok() : missing_;
}

Status StitchPipeline::build_muxer(const StitchOptions& options, const StitchInput& input) {
  // x265enc gives no form that files have.
  GstElement* parser = options.hevc() ? add("h265parse") : nullptr;
  GstElement* encoded_queue = add("queue");
  muxer_ = add(muxer_of(container_));
  if (!missing_) return missing_;
  if (options.hevc() ? !link({encoder_, parser, encoded_queue}) : !link({encoder_, encoded_queue}))
    return missing_;
  // The muxer waits for whichever track is behind; then the other must be able to go on.
  g_object_set(encoded_queue, "max-size-buffers", 0u, "max-size-bytes", 0u, "max-size-time",
               guint64{0}, nullptr);
  set_up_encoder(options);

  g_autoptr(GstPad) mux_pad = gst_element_request_pad_simple(muxer_, "video_%u");
  g_autoptr(GstPad) queue_src = gst_element_get_static_pad(encoded_queue, "src");
  if (!mux_pad || gst_pad_link(queue_src, mux_pad) != GST_PAD_LINK_OK)
    return failed(std::string("'") + muxer_of(container_) + "' accepts no video");
  keep_descriptions_out(mux_pad);
  if (container_ != ".mkv") {
    // The same ticks as IN's, so that no time is rounded.
    if (const guint timescale = input.video()->timescale)
      g_object_set(mux_pad, "trak-timescale", timescale, nullptr);
    encoded_.watch(mux_pad);
  }
  {
    Lock lock(mutex_);
    held_ = gst_pad_add_probe(queue_src, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, nullptr, nullptr,
                              nullptr);
  }
  last_ = muxer_;
  return ok();
}

Status StitchPipeline::build_readers(const StitchInput& input,
                                     const std::vector<GstElement*>& targets) {
  const auto add_reader = [&](const StitchInput& file, std::vector<GstElement*> into, bool first) {
    std::function<void(GstPad*, GstCaps*)> sound = [this](GstPad* pad, GstCaps* caps) {
      if (!audio_ || film_) return;
      const Status taken =
          SoundCopier(GST_BIN(pipeline_.get()), muxer_, container_).take(pad, caps);
      if (taken)
        ++counts_.sound_tracks;
      else
        refuse(taken.error().message);
    };
    std::function<void()> found = [this] {
      if (muxer_) open_muxer();
    };
    // The sound of both files is the same; one of them is enough.
    if (!first) {
      sound = [](GstPad*, GstCaps*) {};
      found = [] {};
    }
    readers_.push_back(std::make_unique<VideoReader>(GST_BIN(pipeline_.get()), file,
                                                     std::move(into), sound, found));
    const Status built = readers_.back()->build();
    if (film_) readers_.back()->count_between(film_->choice.begin, film_->choice.end);
    return built;
  };
  if (!input.right) return add_reader(input, targets, true);
  const Status left = add_reader(input, {targets[0]}, true);
  return left ? add_reader(*input.right, {targets[1]}, false) : left;
}

uint64_t StitchPipeline::pictures_drawn() const {
  return film_ ? film_->counts.decoded.load() : counts_.stitched.load();
}

uint64_t StitchPipeline::pictures_read() const {
  if (readers_.empty()) return 1;
  uint64_t least = UINT64_MAX;
  for (const auto& reader : readers_) least = std::min(least, reader->pictures_read());
  return least;
}

void StitchPipeline::open_muxer() {
  gulong held = 0;
  {
    Lock lock(mutex_);
    held = std::exchange(held_, 0);
  }
  if (!held) return;
  g_autoptr(GstPad) mux_pad = gst_element_get_static_pad(muxer_, "video_0");
  g_autoptr(GstPad) queue_src = mux_pad ? gst_pad_get_peer(mux_pad) : nullptr;
  if (queue_src) gst_pad_remove_probe(queue_src, held);
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

std::string StitchPipeline::why_not(media::PictureKind kind, const GstVideoInfo& format) const {
  if (from_sphere_) {
    const double shape =
        static_cast<double>(format.width) / format.height * format.par_n / format.par_d;
    const auto is = [&](double wanted) { return std::abs(shape / wanted - 1) <= shape_tolerance; };
    if (kind == media::PictureKind::two_fisheyes)
      return std::string(
          "shows two fisheyes; name their lenses with --lens, or find them with "
          "--lens auto");
    if (kind == media::PictureKind::flat)
      return std::string("looks like an ordinary ") + what_ +
             ": its left and right edges do not fit together; --force takes it for a 360 one";
    if (!is(sphere_shape))
      return "has pictures of " + std::to_string(format.width) + "x" +
             std::to_string(format.height) + ", and a 360 " + what_ + " is twice as wide as high" +
             (is(cube_shape) ? "; --input tells that it consists of the faces of a cube"
              : is(1) || is(2 * sphere_shape)
                  ? "; of a stereo one, cut one of the two spheres out first"
                  : "") +
             "; --force takes it for one";
    return {};
  }
  const std::string lack = lack_of_fisheyes(kind, what_);
  if (lack.empty()) return {};
  return lack + (kind == media::PictureKind::sphere
                     ? use_as_it_is
                     : std::string(take_fisheyes) + ", or stitch it with --force");
}

GstPadProbeReturn StitchPipeline::check_decoded(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<StitchPipeline*>(data);
  // What can't be told by then is drawn.
  if (++self->checked_at_ > most_examined) return GST_PAD_PROBE_REMOVE;
  GstVideoInfo format;
  const std::optional<media::PictureKind> decoded =
      classify_decoded(pad, GST_PAD_PROBE_INFO_BUFFER(info), &format);
  if (!decoded) return GST_PAD_PROBE_OK;
  const media::PictureKind kind = *decoded;
  const std::string refusal = self->why_not(kind, format);
  if (refusal.empty())
    return kind == media::PictureKind::unclear ? GST_PAD_PROBE_OK : GST_PAD_PROBE_REMOVE;
  // This picture goes no further, nor any after it: the probe stays.
  self->checked_at_ = 0;
  self->refuse(refusal);
  return GST_PAD_PROBE_DROP;
}

void StitchPipeline::compare_depths(int encoded) {
  g_autoptr(GstPad) pad = gst_element_get_static_pad(converter_, "sink");
  // The pad itself has its caps only when those after it have theirs.
  g_autoptr(GstPad) decoder = gst_pad_get_peer(pad);
  const int decoded = decoder ? depth_of(decoder) : 0;
  if (encoded >= decoded) return;
  GST_ELEMENT_WARNING(
      pipeline_.get(), STREAM, FORMAT,
      ("its pictures have %d bits for each colour, which become %d", decoded, encoded), (nullptr));
}

GstPadProbeReturn StitchPipeline::watch_stitched(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<StitchPipeline*>(data);
  StitchCounts& counts = self->counts_;
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    // The encoder's last pictures come out now.
    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) self->lent_.take_back();
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      GstVideoInfo format;
      if (gst_video_info_from_caps(&format, caps)) {
        counts.width = GST_VIDEO_INFO_WIDTH(&format);
        counts.height = GST_VIDEO_INFO_HEIGHT(&format);
        // A photo's are told when the file is looked through.
        if (self->muxer_ || self->film_)
          self->compare_depths(static_cast<int>(GST_VIDEO_INFO_COMP_DEPTH(&format, 0)));
      }
    }
    return GST_PAD_PROBE_OK;
  }
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  gst_buffer_foreach_meta(buffer, drop_meta, nullptr);
  info->data = self->lends_ ? self->lent_.lend(buffer) : buffer;
  ++counts.stitched;
  return GST_PAD_PROBE_OK;
}

}  // namespace sphere::tool
