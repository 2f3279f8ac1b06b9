// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SPHERE_LIVE_SINK (gst_sphere_live_sink_get_type())
G_DECLARE_FINAL_TYPE(GstSphereLiveSink, gst_sphere_live_sink, GST, SPHERE_LIVE_SINK, GstBin)
GST_ELEMENT_REGISTER_DECLARE(spherelivesink)

G_END_DECLS
