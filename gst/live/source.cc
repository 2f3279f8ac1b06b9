// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/source.h"

#include <gst/video/video.h>

#include <algorithm>
#include <map>
#include <vector>

#include "gst/live/encoding.h"
#include "gst/live/source_failure.h"
#include "gst/sphere/media/picture_kind.h"

namespace sphere::live {

namespace {

constexpr guint fresh_pictures = 2, file_pictures = 8;
constexpr int width_step = 32, smallest_width = 64, largest_width = 8192;
// A stream may begin black; what can't be told by then is stitched.
constexpr int most_examined = 30;
constexpr const char* sound_form = "audio/x-raw,rate=48000,channels=2";
constexpr int default_test_width = 1920;

bool is_raw(GstPad* pad, const char* type) {
  CapsRef caps(gst_pad_get_current_caps(pad));
  if (!caps) caps.reset(gst_pad_query_caps(pad, nullptr));
  return caps && !gst_caps_is_empty(caps.get()) && !gst_caps_is_any(caps.get()) &&
         gst_structure_has_name(gst_caps_get_structure(caps.get(), 0), type);
}

bool link_to(GstPad* pad, GstElement* element) {
  const GstRef<GstPad> sink(gst_element_get_static_pad(element, "sink"));
  return sink && !gst_pad_is_linked(sink.get()) && gst_pad_link(pad, sink.get()) == GST_PAD_LINK_OK;
}

int rounded(int width) {
  return std::clamp(width / width_step * width_step, smallest_width, largest_width);
}

/// Sets a property by the name of its value.
Status set_enum(GstElement* element, const char* property, const std::string& name) {
  GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), property);
  const GEnumClass* values = spec ? G_PARAM_SPEC_ENUM(spec)->enum_class : nullptr;
  std::string known;
  for (guint i = 0; values && i < values->n_values; ++i) {
    if (name == values->values[i].value_nick) {
      g_object_set(element, property, values->values[i].value, nullptr);
      return ok();
    }
    known += (known.empty() ? "" : ", ") + std::string(values->values[i].value_nick);
  }
  return invalid(std::string("'test:' has no ") + property + " '" + name + "', only " + known);
}

std::optional<media::PictureKind> kind_of(GstPad* pad, GstBuffer* buffer) {
  const CapsRef caps(gst_pad_get_current_caps(pad));
  GstVideoInfo info;
  if (!caps || !gst_video_info_from_caps(&info, caps.get())) return std::nullopt;
  GstVideoFrame frame;
  if (!gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ)) return std::nullopt;
  media::PictureKind kind = media::PictureKind::unclear;
  const int component = GST_VIDEO_INFO_IS_RGB(&info) ? 1 : 0;
  if (GST_VIDEO_INFO_COMP_DEPTH(&info, static_cast<guint>(component)) == 8)
    kind = media::classify_picture(
        {static_cast<const uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(&frame, component)),
         GST_VIDEO_FRAME_COMP_STRIDE(&frame, component),
         GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, component), GST_VIDEO_INFO_WIDTH(&info),
         GST_VIDEO_INFO_HEIGHT(&info)});
  gst_video_frame_unmap(&frame);
  return kind;
}

}  // namespace

Result<std::unique_ptr<Source>> Source::make(const SourceOptions& options, GstBin* pipeline) {
  std::unique_ptr<Source> made(new Source(options, pipeline));
  if (const Status built = made->build(); !built) return built.error();
  return made;
}

Source::~Source() = default;

std::string Source::problem() const {
  const Lock lock(mutex_);
  return problem_;
}

std::string Source::explain(GstMessage* error) const {
  GstObject* from = GST_MESSAGE_SRC(error);
  if (!reader_ || !from || !gst_object_has_as_ancestor(from, GST_OBJECT(reader_))) return {};
  g_autoptr(GError) told = nullptr;
  gst_message_parse_error(error, &told, nullptr);
  return told ? explain_source_failure(options_.uri, *told, arrived_ > 0) : std::string();
}

GstElement* Source::add(const char* factory, Status* status) {
  GstElement* element = gst_element_factory_make(factory, nullptr);
  if (!element) {
    if (*status) *status = missing_element(factory);
    return nullptr;
  }
  gst_bin_add(pipeline_, element);
  return element;
}

Status Source::build() {
  Status status = ok();
  // A camera's times are not even, and videorate would drop pictures that come a little early.
  const bool slower = options_.fps > 0 && !options_.uri.starts_with("test:");
  entry_ = add(slower ? "videorate" : "identity", &status);
  fresh_ = add("queue", &status);
  size_ = add("capsfilter", &status);
  pictures_ = add("tee", &status);
  sound_in_ = add("audioconvert", &status);
  GstElement* resample = add("audioresample", &status);
  GstElement* form = add("capsfilter", &status);
  sound_ = add("tee", &status);
  if (!status) return status;
  g_object_set(fresh_, "max-size-buffers", fresh_pictures, "max-size-bytes", 0u, "max-size-time",
               guint64{0}, nullptr);
  gst_util_set_object_arg(G_OBJECT(fresh_), "leaky", "downstream");
  // Never makes pictures that the source has not sent.
  if (slower)
    g_object_set(entry_, "drop-only", TRUE, "skip-to-first", TRUE, "max-rate",
                 std::max(1, static_cast<int>(options_.fps + 0.5)), nullptr);
  g_object_set(pictures_, "allow-not-linked", TRUE, nullptr);
  g_object_set(sound_, "allow-not-linked", TRUE, nullptr);
  gst_util_set_object_arg(G_OBJECT(form), "caps", sound_form);
  if (!gst_element_link(entry_, fresh_) || !gst_element_link(size_, pictures_) ||
      !gst_element_link_many(sound_in_, resample, form, sound_, nullptr))
    return failed("the elements of the source can't be linked");
  const GstRef<GstPad> in(gst_element_get_static_pad(fresh_, "sink"));
  gst_pad_add_probe(in.get(), GST_PAD_PROBE_TYPE_BUFFER, count, this, nullptr);

  const GstRef<GstPad> out(gst_element_get_static_pad(fresh_, "src"));
  gst_pad_add_probe(out.get(), GST_PAD_PROBE_TYPE_BUFFER, change_size, this, nullptr);
  const GstRef<GstPad> first(gst_element_get_static_pad(entry_, "sink"));
  const std::string& uri = options_.uri;
  if (uri.starts_with("test:")) return build_test(uri.substr(5));
  // Everything else is examined when it comes.
  gst_pad_add_probe(first.get(), GST_PAD_PROBE_TYPE_BUFFER, first_picture, this, nullptr);
  if (!gst_uri_is_valid(uri.c_str())) {
    g_autoptr(GError) error = nullptr;
    const GString_ file(gst_filename_to_uri(uri.c_str(), &error));
    if (!file || !g_file_test(uri.c_str(), G_FILE_TEST_IS_REGULAR))
      return not_found("'" + uri + "' is neither a file nor a URI, such as madv://192.168.42.1");
    return build_uri(file.get());
  }
  g_autoptr(GError) error = nullptr;
  GstElement* element = gst_element_make_from_uri(GST_URI_SRC, uri.c_str(), nullptr, &error);
  if (!element)
    return unsupported("nothing here can open '" + uri +
                       "': " + (error ? error->message : "its kind is not known"));
  const GstRef<GstPad> video(gst_element_get_static_pad(element, "video"));
  if (video) return build_camera(element);
  gst_object_unref(gst_object_ref_sink(element));
  return build_uri(uri);
}

Status Source::build_test(const std::string& words) {
  kind_ = Kind::test;
  complete_ = true;
  std::map<std::string, std::string> settings;
  std::string rest = words.starts_with("?") ? words.substr(1) : words;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('&'), rest.size());
    const std::string one = rest.substr(0, end);
    rest.erase(0, end + 1);
    const size_t equals = one.find('=');
    if (equals == std::string::npos)
      return invalid("'test:' takes settings such as test:?pattern=graticule&sound=no");
    settings[one.substr(0, equals)] = one.substr(equals + 1);
  }
  for (const auto& [name, value] : settings)
    if (name != "pattern" && name != "sound" && name != "lens")
      return invalid("'test:' has no setting '" + name + "', only pattern, lens and sound");
  Status status = ok();
  GstElement* source = add("spheretestsrc", &status);
  GstElement* form = add("capsfilter", &status);
  if (!status) return status;
  // One sample for each pixel, because the processor is needed for the stream.
  g_object_set(source, "is-live", TRUE, "supersample", 1, nullptr);
  if (settings.count("pattern"))
    if (const Status set = set_enum(source, "pattern", settings["pattern"]); !set) return set;
  if (settings.count("lens")) g_object_set(source, "lens", settings["lens"].c_str(), nullptr);
  const int width = options_.width ? options_.width : default_test_width;
  const double fps = options_.fps > 0 ? options_.fps : 30;
  test_form_ = form;
  fps_ = fps;
  set_test_form(width);
  if (!gst_element_link_many(source, form, entry_, nullptr))
    return failed("the test picture can't be linked");
  if (settings["sound"] != "no") {
    GstElement* tone = add("audiotestsrc", &status);
    if (!status) return status;
    g_object_set(tone, "is-live", TRUE, "volume", 0.2, "samplesperbuffer", 480, nullptr);
    gst_util_set_object_arg(G_OBJECT(tone), "wave", "sine");
    if (!gst_element_link(tone, sound_in_)) return failed("the test tone can't be linked");
    has_sound_ = true;
  }
  return complete_chain(true, width);
}

Status Source::build_camera(GstElement* camera) {
  kind_ = Kind::camera;
  gst_bin_add(pipeline_, camera);
  camera_ = camera;
  if (options_.latency >= 0 && g_object_class_find_property(G_OBJECT_GET_CLASS(camera), "latency"))
    g_object_set(camera, "latency", static_cast<guint>(options_.latency), nullptr);
  GParamSpec* consent = g_object_class_find_property(G_OBJECT_GET_CLASS(camera), "consent");
  if (consent && options_.consent) {
    const CapsRef caps(gst_caps_from_string(options_.consent->c_str()));
    g_object_set(camera, "consent", caps.get(), nullptr);
  }
  if (consent && options_.ledger) g_object_set(camera, "ledger", options_.ledger->c_str(), nullptr);
  Status status = ok();
  GstElement* decoder = add("decodebin", &status);
  if (!status) return status;
  g_signal_connect(decoder, "pad-added", G_CALLBACK(+[](GstElement*, GstPad* pad, gpointer self) {
                     static_cast<Source*>(self)->take_decoded(pad);
                   }),
                   this);
  if (!gst_element_link_pads(camera, "video", decoder, "sink"))
    return failed("the camera's pictures can't be decoded");
  g_signal_connect(camera, "pad-added", G_CALLBACK(+[](GstElement*, GstPad* pad, gpointer self) {
                     if (g_str_has_prefix(GST_PAD_NAME(pad), "audio"))
                       static_cast<Source*>(self)->take_sound(pad);
                   }),
                   this);
  // When the camera's sound ends, its pictures go on, and the sound may come back.
  const GstRef<GstPad> in(gst_element_get_static_pad(sound_in_, "sink"));
  gst_pad_add_probe(in.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, drop_end, this, nullptr);
  return ok();
}

Status Source::build_uri(const std::string& uri) {
  kind_ = uri.starts_with("rtsp") ? Kind::live : Kind::file;
  // At the beginning of a file pictures come at once, while the stitcher prepares itself.
  if (kind_ == Kind::file) g_object_set(fresh_, "max-size-buffers", file_pictures, nullptr);
  Status status = ok();
  GstElement* decoder = add("uridecodebin", &status);
  if (!status) return status;
  reader_ = decoder;
  g_object_set(decoder, "uri", uri.c_str(), nullptr);
  g_signal_connect(decoder, "pad-added", G_CALLBACK(+[](GstElement*, GstPad* pad, gpointer self) {
                     static_cast<Source*>(self)->take_decoded(pad);
                   }),
                   this);
  g_signal_connect(decoder, "no-more-pads", G_CALLBACK(+[](GstElement*, gpointer self) {
                     static_cast<Source*>(self)->complete_ = true;
                   }),
                   this);
  return ok();
}

void Source::take_decoded(GstPad* pad) {
  const bool video = is_raw(pad, "video/x-raw");
  if (!video && !is_raw(pad, "audio/x-raw")) return;
  GstElement* next = video ? entry_ : sound_in_;
  if (kind_ == Kind::file) {
    // A file comes as fast as it can be read; it is played as fast as it was taken.
    Status status = ok();
    GstElement* pace = add("clocksync", &status);
    if (!status || !gst_element_link(pace, next)) {
      if (pace) gst_bin_remove(pipeline_, pace);
      return;
    }
    gst_element_sync_state_with_parent(pace);
    next = pace;
  }
  if (link_to(pad, next) && !video) has_sound_ = true;
}

void Source::take_sound(GstPad* pad) {
  Status status = ok();
  GstElement* decoder = add("decodebin", &status);
  if (!status) return;
  g_signal_connect(decoder, "pad-added",
                   G_CALLBACK(+[](GstElement*, GstPad* decoded, gpointer self) {
                     auto* source = static_cast<Source*>(self);
                     if (link_to(decoded, source->sound_in_)) source->has_sound_ = true;
                   }),
                   this);
  link_to(pad, decoder);
  gst_element_sync_state_with_parent(decoder);
  // The decoder goes with the pad. Its thread is not this one: the camera has ended the stream.
  g_signal_connect_object(
      pad, "unlinked", G_CALLBACK(+[](GstPad*, GstPad*, gpointer gone) {
        auto* element = GST_ELEMENT(gone);
        gst_element_call_async(
            element,
            [](GstElement* it, gpointer) {
              gst_element_set_locked_state(it, TRUE);
              gst_element_set_state(it, GST_STATE_NULL);
              if (const GstRef<GstObject> parent{gst_object_get_parent(GST_OBJECT(it))})
                gst_bin_remove(GST_BIN(parent.get()), it);
            },
            nullptr, nullptr);
      }),
      decoder, static_cast<GConnectFlags>(0));
}

GstPadProbeReturn Source::drop_end(GstPad*, GstPadProbeInfo* info, gpointer) {
  return GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS ? GST_PAD_PROBE_DROP
                                                                         : GST_PAD_PROBE_OK;
}

GstPadProbeReturn Source::count(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<Source*>(data);
  ++self->arrived_;
  // This picture has passed the filter, and the next one is not drawn yet.
  if (self->test_size_changed_.exchange(false)) self->set_test_form(self->width_);
  // A file comes at its own pace, and the test picture is late only if the processor is too slow
  // for everything.
  if (self->kind_ == Kind::file || self->kind_ == Kind::test) return GST_PAD_PROBE_OK;
  const EventRef event(gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0));
  const GstRef<GstClock> clock(gst_element_get_clock(GST_ELEMENT(self->pipeline_)));
  if (!event || !clock) return GST_PAD_PROBE_OK;
  const GstSegment* segment = nullptr;
  gst_event_parse_segment(event.get(), &segment);
  const GstClockTime time = gst_segment_to_running_time(
      segment, GST_FORMAT_TIME, GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)));
  if (!GST_CLOCK_TIME_IS_VALID(time)) return GST_PAD_PROBE_OK;
  const GstClockTimeDiff late =
      GST_CLOCK_DIFF(time + gst_element_get_base_time(GST_ELEMENT(self->pipeline_)),
                     gst_clock_get_time(clock.get()));
  return self->late_pictures_.is_late(g_get_monotonic_time(), late / 1000) ? GST_PAD_PROBE_DROP
                                                                           : GST_PAD_PROBE_OK;
}

bool LatePictureDetector::is_late(int64_t now, int64_t late) {
  if (!best_ || now - best_->since > memory) {
    before_ = best_;
    best_ = {now, late};
  }
  best_->late = std::min(best_->late, late);
  const int64_t best = before_ ? std::min(before_->late, best_->late) : best_->late;
  return late - best > most_behind;
}

GstPadProbeReturn Source::first_picture(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<Source*>(data);
  const Status examined = self->examine(pad, GST_PAD_PROBE_INFO_BUFFER(info));
  if (!examined) {
    {
      const Lock lock(self->mutex_);
      self->problem_ = examined.error().message;
    }
    return GST_PAD_PROBE_DROP;
  }
  return self->width_ ? GST_PAD_PROBE_REMOVE : GST_PAD_PROBE_DROP;
}

Status Source::examine(GstPad* pad, GstBuffer* buffer) {
  const CapsRef caps(gst_pad_get_current_caps(pad));
  GstVideoInfo info;
  if (!caps || !gst_video_info_from_caps(&info, caps.get()))
    return unsupported("the pictures of the source are of a form that can't be used");
  bool stitch = options_.projection == Projection::fisheye;
  if (options_.projection == Projection::automatic) {
    const auto kind = kind_of(pad, buffer);
    if (kind && *kind == media::PictureKind::unclear && ++examined_ < most_examined) return ok();
    if (kind && *kind == media::PictureKind::flat)
      return unsupported(
          "these are pictures of neither two fisheyes nor a sphere; if they are, say so with "
          "--projection fisheye or --projection sphere");
    stitch = !kind || *kind != media::PictureKind::sphere;
  }
  const int rate_n = GST_VIDEO_INFO_FPS_N(&info), rate_d = GST_VIDEO_INFO_FPS_D(&info);
  double fps = rate_n > 0 && rate_d > 0 ? static_cast<double>(rate_n) / rate_d : 30;
  if (options_.fps > 0) fps = std::min(fps, options_.fps);
  fps_ = fps;
  const int width = options_.width
                        ? options_.width
                        : rounded(std::min(GST_VIDEO_INFO_WIDTH(&info), options_.most_width));
  return complete_chain(stitch, width);
}

Status Source::complete_chain(bool stitch, int width) {
  Status status = ok();
  std::vector<GstElement*> chain = {fresh_, add("videoconvert", &status)};
  if (stitch) {
    GstElement* stitcher = add("spherestitch", &status);
    if (stitcher && !options_.lens.empty())
      g_object_set(stitcher, "lens", options_.lens.c_str(), nullptr);
    chain.push_back(stitcher);
  } else {
    chain.push_back(add("videoscale", &status));
  }
  if (!status) return status;
  width_ = width;
  apply_width();
  if (options_.known) options_.known(width, fps_);
  chain.push_back(size_);
  for (size_t i = 0; i + 1 < chain.size(); ++i)
    if (!gst_element_link(chain[i], chain[i + 1])) return failed("the stitcher can't be linked");
  // From the end, because the first one may get a picture at once.
  for (size_t i = chain.size(); i-- > 0;) gst_element_sync_state_with_parent(chain[i]);
  return ok();
}

void Source::apply_width() {
  const int width = width_;
  gst_util_set_object_arg(G_OBJECT(size_), "caps",
                          ("video/x-raw,format={I420,NV12},pixel-aspect-ratio=1/1,width=" +
                           std::to_string(width) + ",height=" + std::to_string(width / 2))
                              .c_str());
}

void Source::take_back_sound() {
  if (!camera_ || !options_.consent) return;
  const CapsRef nothing(gst_caps_new_empty());
  g_object_set(camera_, "consent", nothing.get(), nullptr);
}

void Source::set_test_form(int width) {
  gint numerator = 30, denominator = 1;
  gst_util_double_to_fraction(fps_, &numerator, &denominator);
  gst_util_set_object_arg(
      G_OBJECT(test_form_), "caps",
      ("video/x-raw,format=I420,width=" + std::to_string(width) +
       ",framerate=" + std::to_string(numerator) + "/" + std::to_string(denominator))
          .c_str());
}

void Source::set_width(int width) {
  width_ = width;
  size_changed_ = true;
}

GstPadProbeReturn Source::change_size(GstPad*, GstPadProbeInfo*, gpointer data) {
  auto* self = static_cast<Source*>(data);
  // Between two pictures: one that is being stitched would not fit through the filter any more.
  if (!self->size_changed_.exchange(false)) return GST_PAD_PROBE_OK;
  self->apply_width();
  // Drawing the test picture takes time, too.
  self->test_size_changed_ = self->test_form_ != nullptr;
  return GST_PAD_PROBE_OK;
}

}  // namespace sphere::live
