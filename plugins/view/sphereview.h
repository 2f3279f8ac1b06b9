// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SPHERE_VIEW (gst_sphere_view_get_type())
G_DECLARE_FINAL_TYPE(GstSphereView, gst_sphere_view, GST, SPHERE_VIEW, GstBin)

GST_ELEMENT_REGISTER_DECLARE(sphereview)

G_END_DECLS
