// SPDX-License-Identifier: LGPL-2.1-or-later
// Which encoder a live stream takes on machines that have some in hardware. The elements are ours:
// they have the names and properties of those of GStreamer, and x264 inside.

// The standard library comes first: check defines `fail` as a macro.
#include <string>
#include <tuple>

#include "tests/check/live_outputs.h"

#include <gst/check/gstharness.h>

#include "gst/live/encoding.h"
#include "gst/sphere/base/iterator.h"

using namespace sphere;
using namespace sphere::live;
using namespace sphere::test;

namespace {

constexpr const char* broken_element = "nvh264enc";   // installed, but its hardware is not there
constexpr const char* present_element = "vah264enc";  // before the next one in the order
constexpr const char* plain_element = "v4l2h264enc";  // has its settings in a structure

enum Control { control_vbr, control_cbr };
enum { PROP_RATE_CONTROL = 1, PROP_B_FRAMES, PROP_BITRATE, PROP_KEY_INT_MAX, PROP_EXTRA };

GType control_type() {
  static const GEnumValue values[] = {
      {control_vbr, "Variable", "vbr"}, {control_cbr, "Constant", "cbr"}, {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("LiveEncodersControl", values);
  return type;
}

struct HardwareEncoder {
  GstBin parent;
  int control;
  guint b_frames, bitrate, key_interval;
  GstStructure* extra;
};
struct HardwareEncoderClass {
  GstBinClass parent_class;
};

G_DEFINE_TYPE(HardwareEncoder, hardware_encoder, GST_TYPE_BIN)

void hardware_encoder_init(HardwareEncoder* self) {
  self->b_frames = 3;
  GstElement* inside = gst_element_factory_make("x264enc", nullptr);
  gst_util_set_object_arg(G_OBJECT(inside), "tune", "zerolatency");
  gst_bin_add(GST_BIN(self), inside);
  for (const char* name : {"sink", "src"}) {
    const GstRef<GstPad> pad(gst_element_get_static_pad(inside, name));
    gst_element_add_pad(GST_ELEMENT(self), gst_ghost_pad_new(name, pad.get()));
  }
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec*) {
  auto* self = reinterpret_cast<HardwareEncoder*>(object);
  switch (id) {
    case PROP_RATE_CONTROL:
      self->control = g_value_get_enum(value);
      break;
    case PROP_B_FRAMES:
      self->b_frames = g_value_get_uint(value);
      break;
    case PROP_BITRATE:
      self->bitrate = g_value_get_uint(value);
      break;
    case PROP_KEY_INT_MAX:
      self->key_interval = g_value_get_uint(value);
      break;
    default:
      if (self->extra) gst_structure_free(self->extra);
      self->extra = static_cast<GstStructure*>(g_value_dup_boxed(value));
  }
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange change) {
  // An object that is made by the factory knows its name only now.
  GstElementFactory* factory = gst_element_get_factory(element);
  if (change == GST_STATE_CHANGE_NULL_TO_READY && factory &&
      g_str_equal(GST_OBJECT_NAME(factory), broken_element))
    return GST_STATE_CHANGE_FAILURE;
  return GST_ELEMENT_CLASS(hardware_encoder_parent_class)->change_state(element, change);
}

void finalize(GObject* object) {
  auto* self = reinterpret_cast<HardwareEncoder*>(object);
  if (self->extra) gst_structure_free(self->extra);
  G_OBJECT_CLASS(hardware_encoder_parent_class)->finalize(object);
}

void hardware_encoder_class_init(HardwareEncoderClass* type) {
  auto* object = G_OBJECT_CLASS(type);
  object->set_property = set_property;
  object->finalize = finalize;
  constexpr auto flags = G_PARAM_WRITABLE;
  const auto add = [object](guint id, GParamSpec* spec) {
    g_object_class_install_property(object, id, spec);
  };
  add(PROP_RATE_CONTROL,
      g_param_spec_enum("rate-control", "", "", control_type(), control_vbr, flags));
  add(PROP_B_FRAMES, g_param_spec_uint("b-frames", "", "", 0, 16, 3, flags));
  add(PROP_BITRATE, g_param_spec_uint("bitrate", "", "", 0, G_MAXUINT, 0, flags));
  add(PROP_KEY_INT_MAX, g_param_spec_uint("key-int-max", "", "", 0, G_MAXUINT, 0, flags));
  add(PROP_EXTRA, g_param_spec_boxed("extra-controls", "", "", GST_TYPE_STRUCTURE, flags));
  auto* element = GST_ELEMENT_CLASS(type);
  element->change_state = change_state;
  gst_element_class_set_static_metadata(element, "Encoder", "Codec/Encoder/Video",
                                        "Stands for one in hardware", "gst-sphere");
  for (const auto& [name, direction, caps] : {std::tuple("sink", GST_PAD_SINK, "video/x-raw"),
                                              std::tuple("src", GST_PAD_SRC, "video/x-h264")}) {
    const CapsRef form(gst_caps_from_string(caps));
    gst_element_class_add_pad_template(
        element, gst_pad_template_new(name, direction, GST_PAD_ALWAYS, form.get()));
  }
}

/// A type for each name: a class knows only the first factory that makes an object of it.
GType type_of(const char* name) {
  const std::string type = std::string("LiveEncoders-") + name;
  if (const GType known = g_type_from_name(type.c_str())) return known;
  return g_type_register_static_simple(
      hardware_encoder_get_type(), type.c_str(), sizeof(HardwareEncoderClass), nullptr,
      sizeof(HardwareEncoder), nullptr, static_cast<GTypeFlags>(0));
}

void install(const char* name) {
  fail_unless(gst_element_register(nullptr, name, GST_RANK_NONE, type_of(name)));
}

void remove_all() {
  for (const char* name : {broken_element, present_element, plain_element}) {
    GstPluginFeature* feature = gst_registry_lookup_feature(gst_registry_get(), name);
    if (!feature) continue;
    // The reference is kept: the class of the element still points to it.
    gst_registry_remove_feature(gst_registry_get(), feature);
  }
}

std::string automatic() {
  const auto chosen = choose_encoder("auto", VideoForm::h264);
  fail_unless(bool(chosen), "%s", chosen ? "" : chosen.error().message.c_str());
  return (*chosen)->name;
}

/// Ours in what was built.
HardwareEncoder* inside(GstElement* bin) {
  HardwareEncoder* found = nullptr;
  for (const auto& element : objects_of<GstElement>(gst_bin_iterate_recurse(GST_BIN(bin))))
    if (g_type_is_a(G_OBJECT_TYPE(element.get()), hardware_encoder_get_type()))
      found = reinterpret_cast<HardwareEncoder*>(element.get());
  return found;
}

}  // namespace

GST_START_TEST(hardware_comes_first) {
  remove_all();
  const std::string without = automatic();
  install(broken_element);
  fail_unless(automatic() == without);
  const auto broken = choose_encoder("nv", VideoForm::h264);
  fail_if(bool(broken));
  fail_unless(broken.error().message.find("hardware is not there") != std::string::npos, "%s",
              broken.error().message.c_str());
  install(plain_element);
  fail_unless(automatic() == "v4l2");
  install(present_element);
  fail_unless(automatic() == "va");
  fail_unless((*choose_encoder("auto", VideoForm::h264))->hardware);
  // Who asks for software gets it.
  fail_unless_equals_string((*choose_encoder("x264", VideoForm::h264))->name, "x264");
}
GST_END_TEST

GST_START_TEST(hardware_is_set_for_low_latency) {
  remove_all();
  install(present_element);
  install(plain_element);
  EncodingSettings settings;
  settings.encoder = *choose_encoder("va", VideoForm::h264);
  settings.bitrate = 2500;
  settings.key_interval = 1.5;
  const auto encoding = Encoding::make(settings);
  fail_unless(bool(encoding), "%s", encoding ? "" : encoding.error().message.c_str());
  HardwareEncoder* encoder = inside((*encoding)->element());
  fail_unless(encoder != nullptr);
  fail_unless_equals_int(encoder->control, control_cbr);
  fail_unless_equals_int(static_cast<int>(encoder->b_frames), 0);
  fail_unless_equals_int(static_cast<int>(encoder->bitrate), 2500);
  fail_unless_equals_int(static_cast<int>(encoder->key_interval), 45);
  (*encoding)->set_bitrate(900);
  fail_unless_equals_int(static_cast<int>(encoder->bitrate), 900);

  settings.encoder = *choose_encoder("v4l2", VideoForm::h264);
  const auto plain = Encoding::make(settings);
  fail_unless(bool(plain));
  encoder = inside((*plain)->element());
  fail_unless(encoder && encoder->extra);
  int rate = 0, interval = 0;
  fail_unless(gst_structure_get_int(encoder->extra, "video_bitrate", &rate) && rate == 2'500'000);
  fail_unless(gst_structure_get_int(encoder->extra, "h264_i_frame_period", &interval) &&
              interval == 45);
  (*plain)->set_bitrate(900);
  fail_unless(gst_structure_get_int(encoder->extra, "video_bitrate", &rate) && rate == 900'000);
}
GST_END_TEST

/// Where the processor drops most pictures, a segment of HLS would have many times its length.
GST_START_TEST(key_frames_come_in_time_if_pictures_are_missing) {
  remove_all();
  EncodingSettings settings;
  settings.encoder = *choose_encoder("x264", VideoForm::h264);
  settings.key_interval = 1;
  settings.fps = 30;
  const auto encoding = Encoding::make(settings);
  fail_unless(bool(encoding));
  GstHarness* harness = gst_harness_new_with_element((*encoding)->element(), "sink", "src");
  gst_harness_set_src_caps_str(harness,
                               "video/x-raw,format=I420,width=64,height=32,framerate=30/1");
  constexpr GstClockTime step = GST_SECOND / 10;
  GstClockTime last_key = GST_CLOCK_TIME_NONE;
  int keys = 0;
  for (GstClockTime time = 0; time < 10 * GST_SECOND; time += step) {
    GstBuffer* picture = gst_buffer_new_allocate(nullptr, 64 * 32 * 3 / 2, nullptr);
    GST_BUFFER_PTS(picture) = time;
    fail_unless(gst_harness_push(harness, picture) == GST_FLOW_OK);
    // One at a time, because what comes too fast is dropped.
    const BufferRef coded(gst_harness_pull(harness));
    fail_unless(coded != nullptr);
    if (GST_BUFFER_FLAG_IS_SET(coded.get(), GST_BUFFER_FLAG_DELTA_UNIT)) continue;
    fail_unless(keys == 0 || GST_BUFFER_PTS(coded.get()) - last_key <= 1500 * GST_MSECOND);
    last_key = GST_BUFFER_PTS(coded.get());
    ++keys;
  }
  fail_unless(keys >= 6, "%d", keys);
  gst_harness_teardown(harness);
}
GST_END_TEST

GST_START_TEST(a_stream_takes_it) {
  remove_all();
  install(broken_element);
  install(present_element);
  Running run({recorded(1)}, "test:?sound=no");
  run.start();
  fail_unless(run.until([] { return recorder(1).pictures() > 5; }));
  fail_unless(run.session->status().encoder == "va");
  const std::lock_guard lock(recorder(1).mutex);
  fail_unless(recorder(1).video.front().key);
}
GST_END_TEST

static Suite* live_encoders_suite() {
  Suite* suite = suite_create("live_encoders");
  TCase* all = tcase_create("all");
  suite_add_tcase(suite, all);
  tcase_add_test(all, hardware_comes_first);
  tcase_add_test(all, hardware_is_set_for_low_latency);
  tcase_add_test(all, key_frames_come_in_time_if_pictures_are_missing);
  tcase_add_test(all, a_stream_takes_it);
  return suite;
}

GST_CHECK_MAIN(live_encoders)
