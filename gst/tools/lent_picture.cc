// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/lent_picture.h"

namespace sphere::tool {

GstBuffer* LentPicture::lend(GstBuffer* picture) {
  take_back();
  if (gst_buffer_n_memory(picture) != 1 ||
      !gst_memory_is_type(gst_buffer_peek_memory(picture, 0), GST_ALLOCATOR_SYSMEM) ||
      !gst_buffer_map(picture, &mapped_, GST_MAP_READ))
    return picture;
  picture_.reset(picture);
  GstBuffer* lent = gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, mapped_.data,
                                                mapped_.size, 0, mapped_.size, nullptr, nullptr);
  gst_buffer_copy_into(lent, picture, GST_BUFFER_COPY_METADATA, 0, static_cast<gsize>(-1));
  return lent;
}

void LentPicture::take_back() {
  if (!picture_) return;
  gst_buffer_unmap(picture_.get(), &mapped_);
  picture_.reset();
}

GstPadProbeReturn LentPicture::need_no_more(GstPad*, GstPadProbeInfo* info, gpointer) {
  GstQuery* query = GST_PAD_PROBE_INFO_QUERY(info);
  // A probe sees a query on its way there, and its answer on the way back.
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION ||
      !(GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_PULL))
    return GST_PAD_PROBE_OK;
  for (guint n = 0; n < gst_query_get_n_allocation_pools(query); ++n) {
    GstBufferPool* pool = nullptr;
    guint size = 0, least = 0, most = 0;
    gst_query_parse_nth_allocation_pool(query, n, &pool, &size, &least, &most);
    gst_query_set_nth_allocation_pool(query, n, pool, size, 0, 0);
    if (pool) gst_object_unref(pool);
  }
  return GST_PAD_PROBE_OK;
}

}  // namespace sphere::tool
