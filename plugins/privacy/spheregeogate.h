// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SPHERE_GEO_GATE (gst_sphere_geo_gate_get_type())
G_DECLARE_FINAL_TYPE(GstSphereGeoGate, gst_sphere_geo_gate, GST, SPHERE_GEO_GATE, GstElement)
GST_ELEMENT_REGISTER_DECLARE(spheregeogate)

G_END_DECLS
