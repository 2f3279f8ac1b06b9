// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/gl/buffers.h"

#include <gst/gl/gstglfuncs.h>

#include <algorithm>

namespace sphere {

namespace {

// One is being drawn, one is being read back, and one is queued between elements.
constexpr guint least_buffers = 3;

using PoolRef = GstRef<GstBufferPool>;

/// Configures a pool for pictures of these caps. A pool may change the configuration, for example
/// the smallest number of buffers, and returns false once. Its own configuration is accepted if it
/// is sufficient, and written to `size`, `min` and `max`. Returns false if it is not sufficient.
bool configure_pool(GstBufferPool* pool, GstCaps* caps, guint& size, guint& min, guint& max) {
  GstStructure* config = gst_buffer_pool_get_config(pool);
  gst_buffer_pool_config_set_params(config, caps, size, min, max);
  gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_GL_SYNC_META);
  if (gst_buffer_pool_set_config(pool, config)) return true;
  config = gst_buffer_pool_get_config(pool);
  if (!gst_buffer_pool_config_validate_params(config, caps, size, min, max)) {
    gst_structure_free(config);
    return false;
  }
  gst_buffer_pool_config_get_params(config, nullptr, &size, &min, &max);
  return gst_buffer_pool_set_config(pool, config);
}

}  // namespace

BufferRef make_gl_buffer(GstGLContext* context, const GstVideoInfo& info) {
  const PoolRef pool(gst_gl_buffer_pool_new(context));
  const CapsRef caps(gst_video_info_to_caps(&info));
  gst_caps_set_features(caps.get(), 0,
                        gst_caps_features_new(GST_CAPS_FEATURE_MEMORY_GL_MEMORY, nullptr));
  gst_caps_set_simple(caps.get(), "texture-target", G_TYPE_STRING, GST_GL_TEXTURE_TARGET_2D_STR,
                      nullptr);
  auto size = static_cast<guint>(GST_VIDEO_INFO_SIZE(&info));
  guint min = 1, max = 1;
  GstBuffer* buffer = nullptr;
  if (!configure_pool(pool.get(), caps.get(), size, min, max) ||
      !gst_buffer_pool_set_active(pool.get(), TRUE) ||
      gst_buffer_pool_acquire_buffer(pool.get(), &buffer, nullptr) != GST_FLOW_OK)
    return nullptr;
  // The buffer has a reference to the pool until it is released.
  gst_buffer_pool_set_active(pool.get(), FALSE);
  return BufferRef(buffer);
}

gboolean gl_unit_size(GstBaseTransform*, GstCaps* caps, gsize* size) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) return FALSE;
  *size = GST_VIDEO_INFO_SIZE(&info);
  return TRUE;
}

bool propose_gl_allocation(GstGLBaseFilter* filter, GstQuery* query) {
  const GstRef<GstGLContext> context(gst_gl_base_filter_get_gl_context(filter));
  if (!context) return false;
  GstCaps* caps = nullptr;
  gboolean need_pool = FALSE;
  gst_query_parse_allocation(query, &caps, &need_pool);
  GstVideoInfo info;
  if (!caps || !gst_video_info_from_caps(&info, caps)) return false;
  auto size = static_cast<guint>(GST_VIDEO_INFO_SIZE(&info));
  PoolRef pool;
  if (need_pool) {
    pool.reset(gst_gl_buffer_pool_new(context.get()));
    guint min = 0, max = 0;
    if (!configure_pool(pool.get(), caps, size, min, max)) return false;
  }
  gst_query_add_allocation_pool(query, pool.get(), size, least_buffers, 0);
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  if (context->gl_vtable->FenceSync)
    gst_query_add_allocation_meta(query, GST_GL_SYNC_META_API_TYPE, nullptr);
  return true;
}

bool decide_gl_allocation(GstGLBaseFilter* filter, GstQuery* query) {
  const GstRef<GstGLContext> context(gst_gl_base_filter_get_gl_context(filter));
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  GstVideoInfo info;
  if (!context || !caps || !gst_video_info_from_caps(&info, caps)) return false;

  auto size = static_cast<guint>(GST_VIDEO_INFO_SIZE(&info));
  guint min = 0, max = 0;
  PoolRef pool;
  const bool offered = gst_query_get_n_allocation_pools(query) > 0;
  if (offered) {
    GstBufferPool* other = nullptr;
    gst_query_parse_nth_allocation_pool(query, 0, &other, &size, &min, &max);
    pool.reset(other);
    // The pool must be of textures that this context can use.
    if (pool && (!GST_IS_GL_BUFFER_POOL(pool.get()) ||
                 !gst_gl_context_can_share(GST_GL_BUFFER_POOL(pool.get())->context, context.get())))
      pool.reset();
  }
  min = std::max(min, least_buffers);
  if (max) max = std::max(max, min);
  if (!pool || !configure_pool(pool.get(), caps, size, min, max)) {
    pool.reset(gst_gl_buffer_pool_new(context.get()));
    size = static_cast<guint>(GST_VIDEO_INFO_SIZE(&info));
    max = 0;
    if (!configure_pool(pool.get(), caps, size, min, max)) return false;
  }
  if (offered)
    gst_query_set_nth_allocation_pool(query, 0, pool.get(), size, min, max);
  else
    gst_query_add_allocation_pool(query, pool.get(), size, min, max);
  return true;
}

bool draw_on_gl_thread(GstGLBaseFilter* filter, const std::function<Status(GstGLContext*)>& draw) {
  const GstRef<GstGLContext> context(gst_gl_base_filter_get_gl_context(filter));
  if (!context) {
    GST_ELEMENT_ERROR(filter, RESOURCE, NOT_FOUND, ("There is no GL context."), (nullptr));
    return false;
  }
  struct Job {
    const std::function<Status(GstGLContext*)>& draw;
    Status status;
  } job = {draw, failed("GL does not run")};
  gst_gl_context_thread_add(
      context.get(),
      [](GstGLContext* gl_context, gpointer data) {
        auto* one = static_cast<Job*>(data);
        one->status = one->draw(gl_context);
      },
      &job);
  if (job.status) return true;
  GST_ELEMENT_ERROR(filter, RESOURCE, WRITE, ("The picture can't be drawn with GL."),
                    ("%s", job.status.error().message.c_str()));
  return false;
}

}  // namespace sphere
