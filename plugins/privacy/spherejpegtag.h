// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include "plugins/privacy/tagelement.h"

G_BEGIN_DECLS

#define GST_TYPE_SPHERE_JPEG_TAG (gst_sphere_jpeg_tag_get_type())
G_DECLARE_FINAL_TYPE(GstSphereJpegTag, gst_sphere_jpeg_tag, GST, SPHERE_JPEG_TAG, GstSphereTag)
GST_ELEMENT_REGISTER_DECLARE(spherejpegtag)

G_END_DECLS
