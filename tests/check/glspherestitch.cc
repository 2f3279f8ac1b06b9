// SPDX-License-Identifier: LGPL-2.1-or-later
// glspherestitch: its shaders in every dialect, its pictures against the CPU's, and its life as an
// element, all without a display.

#include <array>
#include <optional>

#include "tests/check/changer.h"
#include "tests/check/pipeline.h"
#include "tests/check/process.h"

#include <gst/gl/gl.h>

#include "gst/sphere/gl/headless.h"
#include "gst/sphere/gl/shader.h"
#include "tests/check/profile.h"

using namespace sphere;
using namespace sphere::test;

namespace {

const std::string gl_chain = "glupload ! glspherestitch name=s ";
// Sanitizers and valgrind run Mesa without a compiler, which draws hundreds of times slower. They
// are to see what is touched, so few small pictures do.
const bool slow_gl = g_getenv("GALLIUM_DRIVER") != nullptr;

const std::string quick = "spheretestsrc supersample=1 ";

struct Case {
  std::string name;
  std::string format = "NV12";
  std::string source_size = "width=960";
  std::string lens = "lens=dual-190";
  std::string options = "";
  std::string output = "video/x-raw(ANY)";
  /// dB. A hard seam takes single pixels from one lens or the other, by a rounding.
  double least = 45;
  /// Between the source and the stitcher.
  std::string before = "";
};

/// Draws the case with GL and on the CPU, from the same picture, and wants them equal.
void expect_same(const Case& c) {
  Pipeline p(quick + "num-buffers=1 " + c.lens + " ! video/x-raw,format=" + c.format + "," +
             c.source_size + " ! " + c.before + "tee name=t ! queue ! cpuspherestitch " +
             c.options + " ! " + c.output + " ! appsink name=cpu t. ! queue ! " + gl_chain +
             c.options + " ! " + c.output + " ! gldownload ! video/x-raw ! appsink name=gl");
  p.play();
  const auto pull = [&](const char* name) {
    const GstRef<GstElement> sink = p.child(name);
    return SampleRef(gst_app_sink_try_pull_sample(GST_APP_SINK(sink.get()), deadline));
  };
  const SampleRef cpu = pull("cpu"), gl = pull("gl");
  if (!cpu || !gl) fail_unless(false, "%s: %s", c.name.c_str(), p.wait().c_str());
  GstVideoInfo a, b;
  fail_unless(gst_video_info_from_caps(&a, gst_sample_get_caps(cpu.get())) &&
              gst_video_info_from_caps(&b, gst_sample_get_caps(gl.get())));
  fail_unless(GST_VIDEO_INFO_FORMAT(&a) == GST_VIDEO_INFO_FORMAT(&b), "%s", c.name.c_str());
  fail_unless(gst_video_colorimetry_is_equal(&a.colorimetry, &b.colorimetry), "%s", c.name.c_str());
  for (guint i = 0; i < std::min(GST_VIDEO_INFO_N_COMPONENTS(&a), 3u); ++i) {
    const bool deep = GST_VIDEO_INFO_COMP_DEPTH(&a, 0) > 8;
    const double db = psnr(component_of(cpu.get(), i, deep), component_of(gl.get(), i, deep));
    fail_unless(db >= c.least, "%s, component %u: %g dB", c.name.c_str(), i, db);
  }
}

/// Called in each test, because check forks before it, and GL does not work after a fork.
bool have_gl() {
  const GlProbe& gl = probe_gl();
  if (!gl.usable) g_print("skip: there is no GL here: %s\n", gl.reason.c_str());
  return gl.usable;
}

/// A pair whose lenses differ in all parameters.
std::string uneven_profile() {
  g_autofree char* path = nullptr;
  const int file = g_file_open_tmp("sphere-XXXXXX.json", &path, nullptr);
  fail_unless(file >= 0);
  g_close(file, nullptr);
  fail_unless(g_file_set_contents(path, R"({
    "format": "gst-sphere-lens", "version": 1, "name": "uneven", "frame": [1280, 640],
    "layout": "side-by-side", "lenses": {
      "front": { "position": "right", "model": "kannala-brandt", "coefficients": [0.03, -0.008, 0.001, 0],
                 "fov": 194, "radius": 312, "centre": [963, 317], "rotation": [1.5, -0.7, 2],
                 "vignette": [-0.15, -0.1, 0], "gain": 0.85 },
      "back": { "position": "left", "model": "equisolid", "fov": 190, "radius": 309, "gain": 0.95 } } })",
                                  -1, nullptr));
  return path;
}

/// Starts, flushes, changes size and format, stops; `changing`: and properties change meanwhile.
void start_and_stop(int rounds, bool changing) {
  Pipeline p(
      "videotestsrc name=src ! capsfilter name=caps "
      "caps=video/x-raw,format=NV12,width=64,height=32 ! " +
      gl_chain + "lens=dual-190 ! gldownload ! appsink name=sink sync=false max-buffers=1");
  const GstRef<GstElement> filter = p.child("caps");
  std::optional<PropertyChanger> changer;
  if (changing) changer.emplace(p.child("s").get());
  GrowthCheck growth;
  for (int i = 0; i < rounds; ++i) {
    p.play();
    fail_unless(p.pull() != nullptr, "round %d", i);
    g_autoptr(GstCaps) caps =
        gst_caps_from_string(i % 2 ? "video/x-raw,format=NV12,width=64,height=32"
                                   : "video/x-raw,format=I420,width=96,height=48");
    g_object_set(filter.get(), "caps", caps, nullptr);
    fail_unless(p.pull() != nullptr, "round %d", i);
    fail_unless(gst_element_seek_simple(p.element(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0));
    fail_unless(p.pull() != nullptr, "round %d", i);
    fail_unless_equals_int(p.set_state(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
    growth.round(i);
  }
  if (changer) fail_unless(changer->stop() > 0);
}

}  // namespace

GST_START_TEST(shaders_compile_in_every_dialect) {
  if (!have_gl()) return;
  constexpr std::array apis = {"gles2", "opengl3", "opengl"};
  static constexpr std::array attributes = {"position", "x",  "y",     "gain",
                                            "x2",       "y2", "gain2", "share"};
  static constexpr std::array exact_attributes = {"position", "direction", "y",     "gain",
                                                  "x2",       "y2",        "gain2", "share"};
  int contexts = 0;
  for (const char* api : apis) {
    const GstRef<GstGLDisplay> display = headless_display();
    fail_unless(display != nullptr, "no headless display");
    const GstRef<GstGLContext> context(gst_gl_context_new(display.get()));
    fail_unless(context != nullptr);
    // The API of a display is fixed; this variable is read for each new context.
    g_setenv("GST_GL_API", api, TRUE);
    g_autoptr(GError) error = nullptr;
    const bool made = gst_gl_context_create(context.get(), nullptr, &error);
    g_unsetenv("GST_GL_API");
    if (!made) {
      g_print("skip: no %s here: %s\n", api, error->message);
      continue;
    }
    ++contexts;
    // The variant `exact` exists only for one layer without an edge.
    static constexpr int bits = 7, two_layers = 1, edge = 8, exact = 64;
    static constexpr int variants = 64 + 16;
    struct Job {
      int compiled = 0;
      std::string complaint;
    } job;
    gst_gl_context_thread_add(
        context.get(),
        [](GstGLContext* gl, gpointer data) {
          auto* j = static_cast<Job*>(data);
          std::vector<Dialect> dialects = {dialect_of(gl)};
          // Newer ones take older text.
          if (dialects[0] == Dialect::gles3) dialects.push_back(Dialect::gles2);
          for (Dialect dialect : dialects)
            for (int variant = 0; variant < 1 << bits; ++variant) {
              if (variant & exact && variant & (two_layers | edge)) continue;
              std::vector<const char*> defines;
              if (variant & 1) defines.push_back("TWO_LAYERS");
              if (variant & 2) defines.push_back("GAIN");
              if (variant & 4) defines.push_back("CUBIC");
              if (variant & 8) defines.push_back("EDGE");
              if (variant & 16) defines.push_back("REDUCED");
              if (variant & 32) defines.push_back("ADDED");
              if (variant & exact) defines.push_back("EXACT");
              const auto program = make_program(gl, dialect, "warp.vert", "warp.frag", defines,
                                                variant & exact ? exact_attributes : attributes);
              if (program)
                ++j->compiled;
              else
                j->complaint += program.error().message;
            }
          // Errors are reported with the compiler's message.
          const char* broken[] = {"TEXTURE nonesuch"};
          const auto program =
              make_program(gl, dialects[0], "warp.vert", "warp.frag", broken, attributes);
          if (program || program.error().message.find("does not compile: ") == std::string::npos)
            j->complaint += "a broken shader is not complained of";
        },
        &job);
    fail_unless(job.complaint.empty(), "%s", job.complaint.c_str());
    fail_unless(job.compiled == variants || job.compiled == 2 * variants, "%d", job.compiled);
  }
  fail_unless(contexts > 0, "no GL at all");
}
GST_END_TEST;

GST_START_TEST(pictures_match_the_cpus) {
  if (!have_gl()) return;
  const std::string uneven = uneven_profile();
  const Profile near({.baseline = 0.025});
  const Case cases[] = {
      {"NV12"},
      {"I420", "I420"},
      {"Y444", "Y444"},
      {"RGBA", "RGBA"},
      {"turned", "NV12", "width=960", "lens=dual-190", "yaw=40 pitch=-35 roll=15"},
      {"turned far", "I420", "width=960", "lens=dual-190", "yaw=-170 pitch=80 roll=-60"},
      {"gear360", "NV12", "width=1280", "lens=gear360"},
      {"theta-s", "I420", "width=1280", "lens=theta-s", "pitch=10"},
      {"wide band", "NV12", "width=960", "lens=dual-190", "blend-width=10"},
      {"narrow lens", "NV12", "width=960", "lens=dual-190", "lens-fov=184 blend-width=8"},
      {"hard seam", "NV12", "width=960", "lens=dual-190", "blend=off", "video/x-raw(ANY)", 38},
      {"unequal lenses", "NV12", "width=1280", "lens=" + uneven},
      {"unequal lenses, RGBA", "RGBA", "width=1280", "lens=" + uneven, "yaw=100"},
      {"matched", "NV12", "width=1280", "lens=" + uneven, "lens=dual-190 match=gain"},
      {"matched, I420", "I420", "width=960", "lens=" + uneven, "lens=dual-190 match=gain yaw=70"},
      {"matched, RGBA", "RGBA", "width=960", "lens=" + uneven, "lens=dual-190 match=gain pitch=30"},
      {"aligned", "NV12", "width=1280", "depth=true lens=" + near.path(), "align=seam"},
      {"aligned and matched", "Y444", "width=960", "depth=true lens=" + near.path(),
       "align=seam match=gain roll=20"},
      {"cubic", "NV12", "width=960", "lens=dual-190", "interpolation=cubic yaw=30"},
      {"cubic, matched, RGBA", "RGBA", "width=960", "lens=" + uneven,
       "lens=dual-190 interpolation=cubic match=gain"},
      {"ten bits", "NV12", "width=960", "lens=dual-190", "pitch=10", "video/x-raw(ANY)", 45,
       "videoconvert ! video/x-raw,format=P010_10LE ! "},
      {"ten bits, matched", "NV12", "width=960", "lens=" + uneven, "lens=dual-190 match=gain",
       "video/x-raw(ANY)", 45, "videoconvert ! video/x-raw,format=P010_10LE ! "},
      {"bands", "NV12", "width=960", "lens=" + uneven, "lens=dual-190 blend=multiband"},
      {"bands, turned", "I420", "width=960", "lens=" + uneven,
       "lens=dual-190 blend=multiband yaw=70 pitch=-50 roll=30"},
      {"bands, RGBA", "RGBA", "width=1280", "lens=" + uneven,
       "lens=dual-190 blend=multiband blend-width=3 pitch=85"},
      {"bands, Y444, unequal lenses", "Y444", "width=1280", "lens=" + uneven,
       "blend=multiband yaw=100"},
      {"bands, matched and aligned", "NV12", "width=1280", "depth=true lens=" + near.path(),
       "blend=multiband align=seam match=gain yaw=30"},
      {"bands, cubic, a cubemap", "NV12", "width=960", "lens=" + uneven,
       "lens=dual-190 blend=multiband interpolation=cubic projection=cubemap pitch=20",
       "video/x-raw(ANY),width=960,height=640"},
      {"bands, ten bits", "NV12", "width=960", "lens=" + uneven,
       "lens=dual-190 blend=multiband pitch=10", "video/x-raw(ANY)", 45,
       "videoconvert ! video/x-raw,format=P010_10LE ! "},
      {"for one distance", "NV12", "width=960", "depth=true lens=" + near.path(),
       "stitch-distance=1.5"},
      {"larger", "NV12", "width=640", "lens=dual-190", "", "video/x-raw(ANY),width=1600"},
      {"another shape", "I420", "width=960", "lens=dual-190", "",
       "video/x-raw(ANY),width=960,height=540"},
      {"odd", "I420", "width=962,height=481", "lens=dual-190", "",
       "video/x-raw(ANY),width=651,height=333"},
      {"cubemap", "NV12", "width=960", "lens=dual-190", "projection=cubemap yaw=20"},
      {"cubemap, matched, odd faces", "I420", "width=960", "lens=" + uneven,
       "lens=dual-190 projection=cubemap match=gain", "video/x-raw(ANY),width=502,height=334"},
      {"eac", "RGBA", "width=960", "lens=dual-190", "projection=eac pitch=30"},
      {"perspective", "NV12", "width=960", "lens=dual-190",
       "projection=perspective fov=120 yaw=90 interpolation=cubic"},
      {"little planet", "I420", "width=1280", "lens=dual-190", "projection=little-planet"},
      {"little planet, unequal lenses", "RGBA", "width=1280", "lens=" + uneven,
       "projection=little-planet", "video/x-raw(ANY),width=400,height=300"},
      {"stereographic, ten bits", "NV12", "width=960", "lens=dual-190",
       "projection=stereographic fov=300", "video/x-raw(ANY),width=320", 45,
       "videoconvert ! video/x-raw,format=P010_10LE ! "},
      // In a smaller output, a tenth of its pixel is more of the source.
      {"coarser", "NV12", "width=1280", "lens=dual-190", "", "video/x-raw(ANY),width=480", 42},
      {"coarser, cubic, matched", "Y444", "width=1280", "lens=" + uneven,
       "lens=dual-190 interpolation=cubic match=gain", "video/x-raw(ANY),width=480", 42},
      {"far coarser", "I420", "width=1282,height=641", "lens=dual-190", "pitch=50",
       "video/x-raw(ANY),width=120", 38},
      {"narrow pixels", "NV12", "width=640,height=640,pixel-aspect-ratio=2/1"},
      // In so small a picture, all detail of the scene lies between two pixels.
      {"small", "NV12", "width=64", "lens=dual-190", "", "video/x-raw(ANY)", 40},
  };
  for (Case c : cases) {
    if (slow_gl) {
      if (c.source_size.rfind("width=", 0) != 0) continue;
      c.source_size = "width=128";
      c.output = "video/x-raw(ANY)";
      c.least = 25;
    }
    expect_same(c);
  }
  g_unlink(uneven.c_str());
}
GST_END_TEST;

GST_START_TEST(size_and_colour_are_negotiated_as_on_the_cpu) {
  if (!have_gl()) return;
  const SampleRef sample = sample_of(
      quick +
      "num-buffers=1 ! video/x-raw,format=I420,width=640,framerate=25/1,colorimetry=bt601 ! " +
      gl_chain + "! gldownload ! video/x-raw,width=480");
  const GstStructure* s = gst_caps_get_structure(gst_sample_get_caps(sample.get()), 0);
  int width = 0, height = 0, n = 0, d = 0;
  fail_unless(gst_structure_get_int(s, "width", &width) && width == 480);
  fail_unless(gst_structure_get_int(s, "height", &height) && height == 240);
  fail_unless(gst_structure_get_fraction(s, "framerate", &n, &d) && n == 25 && d == 1);
  fail_unless_equals_string(gst_structure_get_string(s, "colorimetry"), "bt601");
  fail_unless_equals_string(gst_structure_get_string(s, "chroma-site"), "jpeg");
}
GST_END_TEST;

GST_START_TEST(times_pass_and_the_end_comes) {
  if (!have_gl()) return;
  Pipeline p(quick + "num-buffers=7 ! video/x-raw,width=320,framerate=10/1 ! " + gl_chain +
             "! gldownload ! appsink name=sink");
  p.play();
  int count = 0;
  while (const SampleRef sample = p.pull()) {
    GstBuffer* buffer = gst_sample_get_buffer(sample.get());
    fail_unless_equals_uint64(GST_BUFFER_PTS(buffer), count * 100 * GST_MSECOND);
    fail_unless_equals_uint64(GST_BUFFER_DURATION(buffer), 100 * GST_MSECOND);
    ++count;
  }
  fail_unless_equals_int(count, 7);
  fail_unless(p.wait().empty());
}
GST_END_TEST;

GST_START_TEST(metas_pass_except_regions_of_interest) {
  if (!have_gl()) return;
  Pipeline p(quick + "num-buffers=2 ! video/x-raw,format=NV12,width=320 ! " + gl_chain +
             "! fakesink");
  const GstRef<GstElement> stitch = p.child("s");
  const GstRef<GstPad> in(gst_element_get_static_pad(stitch.get(), "sink"));
  const GstRef<GstPad> out(gst_element_get_static_pad(stitch.get(), "src"));
  gst_pad_add_probe(
      in.get(), GST_PAD_PROBE_TYPE_BUFFER,
      +[](GstPad*, GstPadProbeInfo* info, gpointer) {
        GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
        info->data = buffer;
        gst_buffer_add_video_time_code_meta_full(buffer, 30, 1, nullptr,
                                                 GST_VIDEO_TIME_CODE_FLAGS_NONE, 1, 2, 3, 4, 0);
        gst_buffer_add_video_region_of_interest_meta(buffer, "face", 1, 2, 3, 4);
        return GST_PAD_PROBE_OK;
      },
      nullptr, nullptr);
  int carried = 0;
  gst_pad_add_probe(
      out.get(), GST_PAD_PROBE_TYPE_BUFFER,
      +[](GstPad*, GstPadProbeInfo* info, gpointer data) {
        GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
        const GstVideoTimeCodeMeta* code = gst_buffer_get_video_time_code_meta(buffer);
        if (code && code->tc.seconds == 3 && !gst_buffer_get_video_region_of_interest_meta(buffer))
          ++*static_cast<int*>(data);
        return GST_PAD_PROBE_OK;
      },
      &carried, nullptr);
  const std::string error = p.run();
  fail_unless(error.empty(), "%s", error.c_str());
  fail_unless_equals_int(carried, 2);
}
GST_END_TEST;

// What comes as textures leaves as textures: the one that was read was never fetched from the GPU,
// and the one that was drawn is known to the GPU alone.
GST_START_TEST(textures_are_not_copied) {
  if (!have_gl()) return;
  Pipeline p(quick + "num-buffers=3 ! video/x-raw,format=NV12,width=320 ! " + gl_chain +
             "! glspherestitch ! appsink name=sink");
  std::vector<GstBuffer*> between;
  const GstRef<GstElement> first = p.child("s");
  g_autoptr(GstPad) pad = gst_element_get_static_pad(first.get(), "src");
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER,
      +[](GstPad*, GstPadProbeInfo* info, gpointer data) {
        static_cast<std::vector<GstBuffer*>*>(data)->push_back(
            gst_buffer_ref(GST_PAD_PROBE_INFO_BUFFER(info)));
        return GST_PAD_PROBE_OK;
      },
      &between, nullptr);
  const auto expect_on_gpu = [](GstBuffer* buffer) {
    fail_unless_equals_int(static_cast<int>(gst_buffer_n_memory(buffer)), 2);
    for (guint plane = 0; plane < 2; ++plane) {
      GstMemory* memory = gst_buffer_peek_memory(buffer, plane);
      fail_unless(gst_is_gl_memory(memory));
      fail_unless(GST_MEMORY_FLAG_IS_SET(memory, GST_GL_BASE_MEMORY_TRANSFER_NEED_DOWNLOAD));
      fail_unless(!GST_MEMORY_FLAG_IS_SET(memory, GST_GL_BASE_MEMORY_TRANSFER_NEED_UPLOAD));
    }
  };
  p.play();
  int count = 0;
  while (const SampleRef sample = p.pull()) {
    expect_on_gpu(gst_sample_get_buffer(sample.get()));
    ++count;
  }
  fail_unless_equals_int(count, 3);
  fail_unless(p.wait().empty());
  fail_unless_equals_int(static_cast<int>(between.size()), 3);
  for (GstBuffer* buffer : between) {
    expect_on_gpu(buffer);
    gst_buffer_unref(buffer);
  }
}
GST_END_TEST;

GST_START_TEST(wrong_input_has_a_helpful_error) {
  if (!have_gl()) return;
  const auto error = [](const std::string& line) { return Pipeline(line).run(); };
  const std::string lens = error(quick + "num-buffers=1 ! video/x-raw,width=320 ! " + gl_chain +
                                 "lens=no-such ! fakesink");
  fail_unless(lens.find("no-such") != std::string::npos, "%s", lens.c_str());
  const std::string misfit = error(quick + "num-buffers=1 ! video/x-raw,width=320 ! " + gl_chain +
                                   "lens=theta-s ! fakesink");
  fail_unless(misfit.find("320x180") != std::string::npos, "%s", misfit.c_str());
  const std::string tiny =
      error("videotestsrc num-buffers=1 ! video/x-raw,format=NV12,width=16,height=8 ! " + gl_chain +
            "lens=dual-190 ! fakesink");
  fail_unless(tiny.find("16x8") != std::string::npos, "%s", tiny.c_str());
  const std::string interlaced = error(
      "videotestsrc num-buffers=1 ! video/x-raw,format=NV12,width=64,height=32,"
      "interlace-mode=interleaved ! " +
      gl_chain + "lens=dual-190 ! fakesink");
  fail_unless(interlaced.find("deinterlace") != std::string::npos, "%s", interlaced.c_str());
}
GST_END_TEST;

GST_START_TEST(properties_set_from_another_thread_while_it_plays) {
  if (!have_gl()) return;
  const int frames = slow_gl ? 20 : 100;
  play_while_changed("videotestsrc num-buffers=" + std::to_string(frames) +
                         " ! video/x-raw,format=NV12,width=160,height=80 ! " + gl_chain +
                         "lens=dual-190 ! gldownload ! appsink name=sink",
                     frames);
}
GST_END_TEST;

// Each start makes a context and compiles shaders. Neither threads nor descriptors may grow.
GST_START_TEST(starts_stops_flushes_and_sizes) {
  if (!have_gl()) return;
  start_and_stop(g_getenv("SPHERE_VALGRIND") ? 5 : 150, false);
}
GST_END_TEST;

// Fewer rounds, because each start compiles the shaders for the present properties.
GST_START_TEST(starts_stops_flushes_and_sizes_under_changing_properties) {
  if (!have_gl()) return;
  start_and_stop(g_getenv("SPHERE_VALGRIND") ? 5 : 25, true);
}
GST_END_TEST;

static Suite* glspherestitch_suite() {
  Suite* suite = suite_create("glspherestitch");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, shaders_compile_in_every_dialect);
  tcase_add_test(tcase, pictures_match_the_cpus);
  tcase_add_test(tcase, size_and_colour_are_negotiated_as_on_the_cpu);
  tcase_add_test(tcase, times_pass_and_the_end_comes);
  tcase_add_test(tcase, metas_pass_except_regions_of_interest);
  tcase_add_test(tcase, textures_are_not_copied);
  tcase_add_test(tcase, wrong_input_has_a_helpful_error);
  tcase_add_test(tcase, properties_set_from_another_thread_while_it_plays);
  tcase_add_test(tcase, starts_stops_flushes_and_sizes);
  tcase_add_test(tcase, starts_stops_flushes_and_sizes_under_changing_properties);
  return suite;
}

GST_CHECK_MAIN(glspherestitch)
