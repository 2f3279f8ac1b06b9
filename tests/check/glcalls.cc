// SPDX-License-Identifier: LGPL-2.1-or-later
// glspherestitch: what it asks GL for while nothing changes, and whose pools it takes.

#include <atomic>

#include "tests/check/pipeline.h"

#include <gst/gl/gl.h>
#include <gst/gl/gstglbasefilter.h>
#include <gst/gl/gstglfuncs.h>

#include "gst/sphere/gl/headless.h"
#include "tests/check/profile.h"

using namespace sphere;
using namespace sphere::test;

namespace {

bool have_gl() {
  const GlProbe& gl = probe_gl();
  if (!gl.usable) g_print("skip: there is no GL here: %s\n", gl.reason.c_str());
  return gl.usable;
}

/// Calls that must not be made for an unchanged picture.
std::atomic<int> framebuffer_queries{0}, mesh_uploads{0};

/// GL's own functions, which the counting functions call.
decltype(GstGLFuncs::CheckFramebufferStatus) check_framebuffer = nullptr;
decltype(GstGLFuncs::BufferData) buffer_data = nullptr;

GLenum GSTGLAPI count_framebuffer_query(GLenum target) {
  ++framebuffer_queries;
  return check_framebuffer(target);
}

/// GstGL fills buffers of other kinds on its way to a texture.
void GSTGLAPI count_mesh_upload(GLenum target, GLsizeiptr size, const void* data, GLenum usage) {
  if (target == GL_ARRAY_BUFFER || target == GL_ELEMENT_ARRAY_BUFFER) ++mesh_uploads;
  buffer_data(target, size, data, usage);
}

GstRef<GstGLContext> context_of(GstElement* element) {
  GstGLContext* context = nullptr;
  g_object_get(element, "context", &context, nullptr);
  return GstRef<GstGLContext>(context);
}

/// From here on the calls of this element's GL context are counted.
void count_calls(GstElement* element) {
  const GstRef<GstGLContext> context = context_of(element);
  fail_unless(context != nullptr);
  gst_gl_context_thread_add(
      context.get(),
      [](GstGLContext* gl, gpointer) {
        check_framebuffer = gl->gl_vtable->CheckFramebufferStatus;
        buffer_data = gl->gl_vtable->BufferData;
        gl->gl_vtable->CheckFramebufferStatus = count_framebuffer_query;
        gl->gl_vtable->BufferData = count_mesh_upload;
      },
      nullptr);
  framebuffer_queries = mesh_uploads = 0;
}

/// A pool that increases the number of buffers and therefore refuses the configuration once.
constexpr guint wanted_buffers = 7;
std::atomic<int> adjusted{0};

struct AdjustingPool {
  GstGLBufferPool parent;
};
struct AdjustingPoolClass {
  GstGLBufferPoolClass parent_class;
};
G_DEFINE_TYPE(AdjustingPool, adjusting_pool, GST_TYPE_GL_BUFFER_POOL)

void adjusting_pool_init(AdjustingPool*) {}

void adjusting_pool_class_init(AdjustingPoolClass* klass) {
  GST_BUFFER_POOL_CLASS(klass)->set_config = [](GstBufferPool* pool, GstStructure* config) {
    GstCaps* caps = nullptr;
    guint size = 0, min = 0, max = 0;
    gst_buffer_pool_config_get_params(config, &caps, &size, &min, &max);
    const bool enough = min >= wanted_buffers;
    if (!enough) {
      gst_buffer_pool_config_set_params(config, caps, size, wanted_buffers, 0);
      ++adjusted;
    }
    const gboolean set =
        GST_BUFFER_POOL_CLASS(adjusting_pool_parent_class)->set_config(pool, config);
    return static_cast<gboolean>(enough && set);
  };
}

/// What offer_pool() gives to the element.
struct Offer {
  GstRef<GstGLContext> context;
  GstRef<GstBufferPool> pool;
};

/// Answers the allocation query with a pool, instead of the elements downstream.
GstPadProbeReturn offer_pool(GstPad*, GstPadProbeInfo* info, gpointer data) {
  GstQuery* query = GST_PAD_PROBE_INFO_QUERY(info);
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) return GST_PAD_PROBE_OK;
  auto* offer = static_cast<Offer*>(data);
  auto* pool = GST_BUFFER_POOL(g_object_new(adjusting_pool_get_type(), nullptr));
  gst_object_ref_sink(pool);
  GST_GL_BUFFER_POOL(pool)->context =
      static_cast<GstGLContext*>(gst_object_ref(offer->context.get()));
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  GstVideoInfo video;
  fail_unless(gst_video_info_from_caps(&video, caps));
  gst_query_add_allocation_pool(query, pool, static_cast<guint>(GST_VIDEO_INFO_SIZE(&video)), 0, 0);
  offer->pool.reset(pool);
  return GST_PAD_PROBE_HANDLED;
}

}  // namespace

GST_START_TEST(unchanged_view_has_no_upload_and_no_gl_query) {
  if (!have_gl()) return;
  const Profile near({.baseline = 0.025, .front = R"(, "gain": 1.1)"});
  const struct {
    const char* format;
    const char* options;
    const char* output;
    /// Pictures after which nothing changes any more: an aligned join moves by little in each.
    int settled = 3;
  } cases[] = {
      {"NV12", "", "video/x-raw(ANY)"},
      {"I420", "blend=off", "video/x-raw(ANY)"},
      {"RGBA", "projection=cubemap", "video/x-raw(ANY)"},
      // Coarser than the source, so that smaller copies of it are drawn first.
      {"NV12", "", "video/x-raw(ANY),width=120"},
      // With an unchanged picture, what is measured at the seam is always the same.
      {"NV12", "match=gain align=seam", "video/x-raw(ANY)", 100},
      {"NV12", "match=gain align=seam blend=multiband", "video/x-raw(ANY)", 100},
  };
  for (const auto& c : cases) {
    Pipeline p(std::string("spheretestsrc supersample=1 num-buffers=1 ! video/x-raw,format=") +
               c.format + ",width=640 ! imagefreeze num-buffers=" + std::to_string(c.settled + 9) +
               " ! glupload ! glspherestitch "
               "name=s lens=" +
               near.path() + " " + c.options + " ! " + c.output +
               " ! appsink name=sink sync=false max-buffers=1");
    p.play();
    for (int n = 0; n < c.settled; ++n) fail_unless(p.pull() != nullptr, "%s", p.wait().c_str());
    // The counting may begin up to two pictures late, because these are drawn already.
    count_calls(p.child("s").get());
    int pictures = 0;
    while (p.pull()) ++pictures;
    fail_unless_equals_int(pictures, 9);
    fail_unless(framebuffer_queries == 0, "%s %s: the framebuffer was asked for %d times", c.format,
                c.options, framebuffer_queries.load());
    fail_unless(mesh_uploads == 0, "%s %s: %d uploads", c.format, c.options, mesh_uploads.load());
  }
}
GST_END_TEST;

GST_START_TEST(changed_view_has_an_upload_and_no_gl_query) {
  if (!have_gl()) return;
  Pipeline p(
      "spheretestsrc supersample=1 num-buffers=1 ! video/x-raw,format=NV12,width=320 ! "
      "imagefreeze num-buffers=8 ! glupload ! glspherestitch name=s lens=dual-190 ! "
      "appsink name=sink sync=false max-buffers=1");
  p.play();
  fail_unless(p.pull() != nullptr, "%s", p.wait().c_str());
  const GstRef<GstElement> stitch = p.child("s");
  count_calls(stitch.get());
  double yaw = 0;
  while (p.pull()) g_object_set(stitch.get(), "yaw", yaw += 10, nullptr);
  fail_unless(mesh_uploads > 0);
  fail_unless_equals_int(framebuffer_queries, 0);
}
GST_END_TEST;

GST_START_TEST(pool_may_change_its_configuration) {
  if (!have_gl()) return;
  Pipeline p(
      "spheretestsrc supersample=1 num-buffers=4 ! video/x-raw,format=NV12,width=320 ! "
      "glupload ! glspherestitch name=s ! appsink name=sink sync=false");
  const GstRef<GstElement> stitch = p.child("s");
  const GstRef<GstPad> pad(gst_element_get_static_pad(stitch.get(), "src"));
  // The element uses a context that exists already.
  p.set_state(GST_STATE_READY);
  GstGLDisplay* const display = GST_GL_BASE_FILTER(stitch.get())->display;
  fail_unless(display != nullptr);
  Offer offer;
  offer.context.reset(gst_gl_context_new(display));
  g_autoptr(GError) problem = nullptr;
  fail_unless(gst_gl_context_create(offer.context.get(), nullptr, &problem), "%s",
              problem ? problem->message : "");
  fail_unless(gst_gl_display_add_context(display, offer.context.get()));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, offer_pool, &offer, nullptr);
  p.play();
  int pictures = 0;
  while (const SampleRef sample = p.pull()) {
    fail_unless(gst_sample_get_buffer(sample.get())->pool == offer.pool.get(),
                "another pool was taken");
    ++pictures;
  }
  const std::string error = p.wait();
  fail_unless(error.empty(), "%s", error.c_str());
  fail_unless_equals_int(pictures, 4);
  fail_unless(adjusted > 0);
  GstStructure* config = gst_buffer_pool_get_config(offer.pool.get());
  guint min = 0;
  gst_buffer_pool_config_get_params(config, nullptr, nullptr, &min, nullptr);
  gst_structure_free(config);
  fail_unless_equals_int(static_cast<int>(min), static_cast<int>(wanted_buffers));
}
GST_END_TEST;

static Suite* glcalls_suite() {
  Suite* suite = suite_create("glcalls");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, unchanged_view_has_no_upload_and_no_gl_query);
  tcase_add_test(tcase, changed_view_has_an_upload_and_no_gl_query);
  tcase_add_test(tcase, pool_may_change_its_configuration);
  return suite;
}

GST_CHECK_MAIN(glcalls)
