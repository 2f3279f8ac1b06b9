// SPDX-License-Identifier: LGPL-2.1-or-later
// Each property of a stitcher or of the test source that says it may be set while it plays acts
// with the next picture, and so does setting it back.

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "config.h"
#include "tests/check/pipeline.h"
#include "tests/check/process.h"

#if HAVE_GL
#include "gst/sphere/gl/headless.h"
#endif
#include "gst/sphere/orientation/gstsphereorientationmeta.h"
#include "tests/check/profile.h"

using namespace sphere;
using namespace sphere::test;

namespace {

constexpr int width = 320;

/// How a property is tried.
struct Trial {
  std::string value;        ///< in place of what it was before
  std::string beside = "";  ///< properties that it needs to count, as a launch line has them
  int height = width / 2;   ///< of the pictures
};

std::map<std::string, Trial> trials() {
  return {
      {"lens", {"gear360"}},
      {"projection", {"little-planet"}},
      {"fov", {"60", "projection=perspective"}},
      {"lens-fov", {"200"}},
      {"yaw", {"20"}},
      {"pitch", {"-20"}},
      {"roll", {"20"}},
      {"blend", {"off"}},
      {"blend-width", {"8"}},
      {"strip", {"top", "", width / 4}},
      {"level", {"full"}},
      {"smoothing", {"5", "level=horizon"}},
      {"match", {"gain"}},
      {"align", {"seam"}},
      {"stitch-distance", {"0.5"}},
      {"interpolation", {"cubic"}},
      {"keyframes",
       {R"({"format":"gst-sphere-view","version":1,"keyframes":[{"time":0,"yaw":20}]})"}},
      {"threads", {"9", "threads=2"}},
  };
}

/// All threads of this process.
/// A stitcher that gets the same two pictures again and again, between which the camera was turned.
class Stitcher {
 public:
  Stitcher(const std::string& chain, int height)
      : height_(height),
        pipeline_("appsrc name=src format=time caps=video/x-raw,format=NV12,framerate=30/1,width=" +
                  std::to_string(width) + ",height=" + std::to_string(height) + " ! " + chain +
                  " ! appsink name=sink sync=false") {
    pipeline_.play();
  }
  GstRef<GstElement> element() const { return pipeline_.child("s"); }

  /// The second of two pictures that come out of it, its caps before its bytes.
  std::string draw() {
    push(0);
    fail_unless(pipeline_.pull() != nullptr, "%s", pipeline_.wait().c_str());
    push(0.4);
    const SampleRef sample = pipeline_.pull();
    if (!sample) fail_unless(false, "%s", pipeline_.wait().c_str());
    g_autofree char* caps = gst_caps_to_string(gst_sample_get_caps(sample.get()));
    GstMapInfo map;
    fail_unless(gst_buffer_map(gst_sample_get_buffer(sample.get()), &map, GST_MAP_READ));
    std::string drawn = std::string(caps) + std::string(map.data, map.data + map.size);
    gst_buffer_unmap(gst_sample_get_buffer(sample.get()), &map);
    return drawn;
  }

 private:
  void push(double heading) {
    const gsize size = static_cast<gsize>(width) * height_ * 3 / 2;
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, size, nullptr);
    GstMapInfo map;
    fail_unless(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
    // Brighter to the right, so that the lenses differ.
    static const std::vector<uint8_t> scene = frame_with_depth(width, width / 2);
    for (gsize i = 0; i < size; ++i)
      map.data[i] = static_cast<guint8>(scene[i] * 2 / 3 + i % width / 4);
    gst_buffer_unmap(buffer, &map);
    gst_buffer_add_sphere_orientation_meta(buffer, std::cos(heading / 2), 0, std::sin(heading / 2),
                                           0);
    GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(count_++, GST_SECOND, 30);
    const GstRef<GstElement> source = pipeline_.child("src");
    fail_unless_equals_int(gst_app_src_push_buffer(GST_APP_SRC(source.get()), buffer), GST_FLOW_OK);
  }

  const int height_;
  guint64 count_ = 0;
  Pipeline pipeline_;
};

/// A property as text that gst_util_set_object_arg() reads.
std::string text_of(GObject* object, GParamSpec* spec) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, spec->value_type);
  g_object_get_property(object, spec->name, &value);
  g_autofree char* text =
      G_VALUE_HOLDS_STRING(&value) ? g_value_dup_string(&value) : gst_value_serialize(&value);
  g_value_unset(&value);
  return text ? text : "";
}

/// Sets each such property of the stitcher in the chain, and sets it back.
void try_all(const std::string& before, const std::string& factory, const std::string& after) {
  const Profile near({.baseline = 0.025, .front = R"(, "gain": 1.2)"});
  const std::map<std::string, Trial> known = trials();
  const GstRef<GstElement> example(gst_element_factory_make(factory.c_str(), nullptr));
  fail_unless(example != nullptr, "no %s", factory.c_str());
  gst_object_ref_sink(example.get());
  guint count = 0;
  g_autofree GParamSpec** specs =
      g_object_class_list_properties(G_OBJECT_GET_CLASS(example.get()), &count);
#if HAVE_GL
  const bool drawn_by_gpu = factory == "spherestitch" && probe_gl().usable && !probe_gl().software;
#else
  const bool drawn_by_gpu = false;
#endif
  size_t tried = 0;
  for (guint i = 0; i < count; ++i) {
    if (!(specs[i]->flags & GST_PARAM_MUTABLE_PLAYING)) continue;
    const std::string name = specs[i]->name;
    const auto trial = known.find(name);
    fail_unless(trial != known.end(), "%s: nobody knows how '%s' is tried", factory.c_str(),
                name.c_str());
    ++tried;
    Stitcher stitcher(
        before + factory + " name=s lens=" + near.path() + " " + trial->second.beside + after,
        trial->second.height);
    const GstRef<GstElement> element = stitcher.element();
    const std::string was = text_of(G_OBJECT(element.get()), specs[i]);
    const std::string first = stitcher.draw();
    const int threads_before = threads();
    gst_util_set_object_arg(G_OBJECT(element.get()), name.c_str(), trial->second.value.c_str());
    const std::string changed = stitcher.draw();
    if (name == "threads") {
      fail_unless(changed == first, "%s: threads changed the picture", factory.c_str());
      fail_unless(threads() == threads_before + (drawn_by_gpu ? 0 : 7),
                  "%s: threads are %d, before they were %d", factory.c_str(), threads(),
                  threads_before);
    } else {
      fail_unless(changed != first, "%s: '%s' changed nothing", factory.c_str(), name.c_str());
    }
    gst_util_set_object_arg(G_OBJECT(element.get()), name.c_str(), was.c_str());
    fail_unless(stitcher.draw() == first, "%s: '%s' was not changed back", factory.c_str(),
                name.c_str());
    fail_unless(name != "threads" || threads() == threads_before, "%s: threads are still more",
                factory.c_str());
  }
  fail_unless(tried >= known.size() - 1, "%s has %zu such properties", factory.c_str(), tried);
}

}  // namespace

GST_START_TEST(cpu_stitcher) { try_all("", "cpuspherestitch", ""); }
GST_END_TEST;

GST_START_TEST(best_stitcher_is_chosen) { try_all("", "spherestitch", ""); }
GST_END_TEST;

#if HAVE_GL
GST_START_TEST(gl_stitcher) {
  const GlProbe& gl = probe_gl();
  if (!gl.usable) {
    g_print("skip: there is no GL here: %s\n", gl.reason.c_str());
    return;
  }
  // Memory that glupload asks for: from any other it makes new buffers, without the metas that say
  // how the camera was held.
  try_all("videoconvert ! video/x-raw,format=RGBA ! glupload ! ", "glspherestitch",
          " ! gldownload");
}
GST_END_TEST;
#endif

GST_START_TEST(test_source) {
  Pipeline p(
      "spheretestsrc name=s supersample=1 threads=1 ! video/x-raw,width=64,framerate=25/1 ! "
      "appsink name=sink max-buffers=1 sync=false");
  const GstRef<GstElement> source = p.child("s");
  guint count = 0;
  g_autofree GParamSpec** specs =
      g_object_class_list_properties(G_OBJECT_GET_CLASS(source.get()), &count);
  int flagged = 0;
  for (guint i = 0; i < count; ++i) flagged += (specs[i]->flags & GST_PARAM_MUTABLE_PLAYING) != 0;
  fail_unless_equals_int(flagged, 2);
  p.play();
  // Some pictures may have been made before a property was set.
  constexpr int most_waiting = 8;
  const auto until = [&](const auto& done) {
    for (int n = 0; n < most_waiting; ++n) {
      const SampleRef sample = p.pull();
      fail_unless(sample != nullptr, "%s", p.wait().c_str());
      if (done(gst_sample_get_buffer(sample.get()))) return true;
    }
    return false;
  };
  fail_unless(until([](GstBuffer*) { return true; }));
  g_object_set(source.get(), "timestamp-offset", G_GINT64_CONSTANT(5000000000), nullptr);
  fail_unless(until([](GstBuffer* b) { return GST_BUFFER_PTS(b) >= 5 * GST_SECOND; }));
  const int threads_before = threads();
  g_object_set(source.get(), "threads", 9, nullptr);
  fail_unless(until([&](GstBuffer*) { return threads() == threads_before + 8; }));
  g_object_set(source.get(), "threads", 1, nullptr);
  fail_unless(until([&](GstBuffer*) { return threads() == threads_before; }));
}
GST_END_TEST;

static Suite* stitchproperties_suite() {
  Suite* suite = suite_create("stitchproperties");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, cpu_stitcher);
  tcase_add_test(tcase, best_stitcher_is_chosen);
#if HAVE_GL
  tcase_add_test(tcase, gl_stitcher);
#endif
  tcase_add_test(tcase, test_source);
  return suite;
}

GST_CHECK_MAIN(stitchproperties)
