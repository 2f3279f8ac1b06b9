// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/capture_events.h"

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/lens/gstspherelens.h"
#include "gst/sphere/orientation/event.h"

namespace sphere::tool {

void tell_stitcher(GstElement* stitcher, const makers::CaptureInfo& capture) {
  g_autoptr(GstPad) pad = gst_element_get_static_pad(stitcher, "sink");
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

}  // namespace sphere::tool
