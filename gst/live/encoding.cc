// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/encoding.h"

#include <gst/video/video-event.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <thread>

#include "gst/live/spherical_mark.h"

namespace sphere::live {

namespace {

// Hardware first, in the order of how well GStreamer 1.22 supports it. x264 before openh264: it
// makes better pictures of the same bit rate.
constexpr EncoderKind kinds[] = {
    {"nv", "nvh264enc", "nvh265enc", true,
     "preset=low-latency-hq zerolatency=true rc-mode=cbr bframes=0", "bitrate", 1000, "gop-size"},
    {"va", "vah264enc", "vah265enc", true, "rate-control=cbr b-frames=0 target-usage=6", "bitrate",
     1000, "key-int-max"},
    {"vaapi", "vaapih264enc", "vaapih265enc", true, "rate-control=cbr max-bframes=0", "bitrate",
     1000, "keyframe-period"},
    {"qsv", "qsvh264enc", "qsvh265enc", true, "rate-control=cbr low-latency=true b-frames=0",
     "bitrate", 1000, "gop-size"},
    {"v4l2", "v4l2h264enc", "v4l2h265enc", true, "", "", 1, ""},
    {"x264", "x264enc", "x265enc", false, "tune=zerolatency", "bitrate", 1000, "key-int-max"},
    {"openh264", "openh264enc", "", false,
     "complexity=low rate-control=bitrate scene-change-detection=false enable-frame-skip=false",
     "bitrate", 1, "gop-size"},
};

// The encoder may delay this much of the stream when pictures need more bits than the rate gives.
constexpr int buffer_ms = 500;
constexpr unsigned few_cores = 4;
// Each viewer that joins asks for a key frame; more would cost all others too many bits. The
// encoders' own property min-force-key-unit-interval does not work with x264enc of GStreamer 1.22:
// it compares running times with times that x264enc has moved by 1000 hours, and so forces no
// second one.
constexpr int64_t key_requests_apart = G_USEC_PER_SEC / 2;
// Encoders count pictures. Where the processor has no time for all of them, or a camera sends
// fewer, the next key frame would come much later; this is how much later it may come.
constexpr double key_delay = 1.25;

bool has_property(GstElement* element, const char* name) {
  return g_object_class_find_property(G_OBJECT_GET_CLASS(element), name);
}

/// Names that this version of the element does not have, and values that it does not know, are left
/// out: each of these settings is an improvement, and none is needed.
void set_known(GstElement* element, const std::string& settings) {
  std::istringstream all(settings);
  for (std::string one; all >> one;) {
    const size_t equals = one.find('=');
    const std::string name = one.substr(0, equals);
    GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), name.c_str());
    if (!spec) continue;
    GValue value = G_VALUE_INIT;
    g_value_init(&value, spec->value_type);
    if (gst_value_deserialize_with_pspec(&value, one.c_str() + equals + 1, spec))
      g_object_set_property(G_OBJECT(element), name.c_str(), &value);
    g_value_unset(&value);
  }
}

const char* factory_of(const EncoderKind& kind, VideoForm form) {
  return form == VideoForm::h265 ? kind.h265 : kind.h264;
}

/// Whether the element can be made and gets to its hardware.
bool works(const char* factory) {
  const GstRef<GstElement> element(gst_element_factory_make(factory, nullptr));
  if (!element) return false;
  gst_object_ref_sink(element.get());
  const bool ready =
      gst_element_set_state(element.get(), GST_STATE_READY) != GST_STATE_CHANGE_FAILURE;
  gst_element_set_state(element.get(), GST_STATE_NULL);
  return ready;
}

const char* profile_name(H264Profile profile) {
  switch (profile) {
    case H264Profile::constrained_baseline:
      return "constrained-baseline";
    case H264Profile::main:
      return "main";
    case H264Profile::high:
      return "high";
  }
  return "";
}

/// The profile or one below it: an encoder may know only some.
std::string coded_caps(const EncodingSettings& settings) {
  if (settings.form == VideoForm::h265)
    return "video/x-h265,stream-format=byte-stream,alignment=au";
  // In a list x264enc sees no limit.
  if (settings.profile == H264Profile::constrained_baseline)
    return "video/x-h264,stream-format=byte-stream,alignment=au,profile=constrained-baseline";
  std::string profiles;
  for (int at = static_cast<int>(settings.profile); at >= 0; --at)
    profiles +=
        std::string(profiles.empty() ? "" : ",") + profile_name(static_cast<H264Profile>(at));
  return "video/x-h264,stream-format=byte-stream,alignment=au,profile=(string){" + profiles + "}";
}

}  // namespace

Error missing_element(const std::string& factory) {
  return unsupported("GStreamer's element '" + factory +
                     "' is missing; install GStreamer's plugins (base, good, bad, ugly, libav)");
}

std::vector<std::string> encoder_names() {
  std::vector<std::string> names{"auto"};
  for (const EncoderKind& kind : kinds) names.emplace_back(kind.name);
  return names;
}

Result<const EncoderKind*> choose_encoder(const std::string& name, VideoForm form) {
  const bool automatic = name.empty() || name == "auto";
  for (const EncoderKind& kind : kinds) {
    if (!automatic && name != kind.name) continue;
    const std::string factory = factory_of(kind, form);
    if (!factory.empty() && works(factory.c_str())) return &kind;
    if (!automatic)
      return unsupported("the encoder '" + name + "' does not work here: " +
                         (factory.empty() ? "it does not make H.265"
                                          : "its element '" + factory +
                                                "' is not installed, or its hardware is "
                                                "not there") +
                         "; leave --encoder out");
  }
  if (!automatic) return invalid("there is no encoder '" + name + "'");
  return missing_element("x264enc");
}

int default_bitrate(int width, int height, double fps) {
  // 4 Mbit/s for 1920x960 at 30 pictures a second looks well with the fast settings of live
  // encoders. Larger and faster pictures have more in common with each other.
  const double pixels = static_cast<double>(width) * height / (1920.0 * 960.0);
  return static_cast<int>(4000 * std::pow(pixels, 0.75) * std::pow(fps / 30, 0.5));
}

Result<std::unique_ptr<Encoding>> Encoding::make(const EncodingSettings& settings) {
  std::unique_ptr<Encoding> made(new Encoding(settings));
  if (const Status built = made->build(); !built) return built.error();
  return made;
}

Encoding::~Encoding() = default;

Status Encoding::build() {
  bin_.reset(GST_ELEMENT(gst_object_ref_sink(gst_bin_new(nullptr))));
  const EncoderKind& kind = *settings_.encoder;
  const bool h265 = settings_.form == VideoForm::h265;
  std::vector<const char*> names = {"queue"};
  if (settings_.max_width) names.insert(names.end(), {"videoscale", "capsfilter"});
  names.insert(names.end(), {"videoconvert", factory_of(kind, settings_.form),
                             h265 ? "h265parse" : "h264parse", "capsfilter"});
  GstElement* before = nullptr;
  std::vector<GstElement*> made;
  for (const char* name : names) {
    GstElement* element = gst_element_factory_make(name, nullptr);
    if (!element) return missing_element(name);
    gst_bin_add(GST_BIN(bin_.get()), element);
    if (before && !gst_element_link(before, element))
      return failed(std::string("'") + name + "' can't be linked in the encoder");
    before = element;
    made.push_back(element);
  }
  // Two: one that is encoded, and one that waits. More would only be older.
  g_object_set(made.front(), "max-size-buffers", 2u, "max-size-bytes", 0u, "max-size-time",
               guint64{0}, nullptr);
  gst_util_set_object_arg(G_OBJECT(made.front()), "leaky", "downstream");
  if (settings_.max_width)
    gst_util_set_object_arg(
        G_OBJECT(made[2]), "caps",
        ("video/x-raw,width=[2," + std::to_string(settings_.max_width) + "],pixel-aspect-ratio=1/1")
            .c_str());
  GstElement* encoder = made[made.size() - 3];
  encoder_.reset(GST_ELEMENT(gst_object_ref(encoder)));
  set_known(encoder, kind.settings);
  if (has_property(encoder, "speed-preset"))
    gst_util_set_object_arg(
        G_OBJECT(encoder), "speed-preset",
        std::thread::hardware_concurrency() < few_cores ? "ultrafast" : "superfast");
  if (has_property(encoder, "vbv-buf-capacity"))
    g_object_set(encoder, "vbv-buf-capacity", static_cast<guint>(buffer_ms), nullptr);
  set_fps(settings_.fps);
  set_bitrate(settings_.bitrate);
  GstElement* parser = made[made.size() - 2];
  g_object_set(parser, "config-interval", -1, nullptr);
  gst_util_set_object_arg(G_OBJECT(made.back()), "caps", coded_caps(settings_).c_str());

  const GstRef<GstPad> out(gst_element_get_static_pad(made.back(), "src"));
  if (settings_.spherical) mark_as_spherical(out.get(), settings_.form);
  gst_pad_add_probe(out.get(), GST_PAD_PROBE_TYPE_BUFFER, count, this, nullptr);
  gst_pad_add_probe(out.get(), GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, limit_requests, this, nullptr);
  const GstRef<GstPad> in(gst_element_get_static_pad(made.front(), "sink"));
  gst_element_add_pad(bin_.get(), gst_ghost_pad_new("sink", in.get()));
  gst_element_add_pad(bin_.get(), gst_ghost_pad_new("src", out.get()));
  return ok();
}

void Encoding::set_bitrate(int kbit_s) {
  const EncoderKind& kind = *settings_.encoder;
  bitrate_ = kbit_s;
  if (!*kind.bitrate) {
    set_controls();
    return;
  }
  const gint64 value = std::max<gint64>(1, gint64{kbit_s} * 1000 / kind.bits);
  set_known(encoder_.get(), std::string(kind.bitrate) + "=" + std::to_string(value));
}

void Encoding::set_fps(double fps) {
  const char* property = settings_.encoder->interval;
  key_interval_ = std::max(1, static_cast<int>(settings_.key_interval * fps + 0.5));
  if (*property)
    set_known(encoder_.get(), std::string(property) + "=" + std::to_string(key_interval_));
  else
    set_controls();
}

void Encoding::set_controls() {
  if (!has_property(encoder_.get(), "extra-controls")) return;
  GstStructure* controls = gst_structure_new(
      "controls", "repeat_sequence_header", G_TYPE_INT, 1, "video_bitrate", G_TYPE_INT,
      bitrate_ * 1000, "h264_i_frame_period", G_TYPE_INT, key_interval_.load(), nullptr);
  g_object_set(encoder_.get(), "extra-controls", controls, nullptr);
  gst_structure_free(controls);
}

void Encoding::request_key_frame() {
  key_requested_at_ = g_get_monotonic_time();
  key_wanted_ = false;
  const GstRef<GstPad> pad(gst_element_get_static_pad(encoder_.get(), "src"));
  gst_pad_send_event(pad.get(),
                     gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
}

GstPadProbeReturn Encoding::limit_requests(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<Encoding*>(data);
  if (!gst_video_event_is_force_key_unit(GST_PAD_PROBE_INFO_EVENT(info))) return GST_PAD_PROBE_OK;
  if (g_get_monotonic_time() - self->key_requested_at_ >= key_requests_apart)
    self->request_key_frame();
  else
    self->key_wanted_ = true;
  return GST_PAD_PROBE_DROP;
}

bool Encoding::lacks_key_frame(GstBuffer* picture) {
  const GstClockTime time = GST_BUFFER_PTS(picture);
  if (!GST_CLOCK_TIME_IS_VALID(time)) return false;
  const bool is_key = !GST_BUFFER_FLAG_IS_SET(picture, GST_BUFFER_FLAG_DELTA_UNIT);
  const auto longest = static_cast<GstClockTime>(key_delay * settings_.key_interval * GST_SECOND);
  const bool lacks = !is_key && GST_CLOCK_TIME_IS_VALID(key_at_) && time >= key_at_ + longest;
  if (is_key || lacks || !GST_CLOCK_TIME_IS_VALID(key_at_)) key_at_ = time;
  return lacks;
}

GstPadProbeReturn Encoding::count(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<Encoding*>(data);
  ++self->encoded_;
  if (self->lacks_key_frame(GST_PAD_PROBE_INFO_BUFFER(info)))
    self->request_key_frame();
  else if (self->key_wanted_ &&
           g_get_monotonic_time() - self->key_requested_at_ >= key_requests_apart)
    self->request_key_frame();
  return GST_PAD_PROBE_OK;
}

}  // namespace sphere::live
