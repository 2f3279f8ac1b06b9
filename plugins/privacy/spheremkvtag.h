// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include "plugins/privacy/tagelement.h"

G_BEGIN_DECLS

#define GST_TYPE_SPHERE_MKV_TAG (gst_sphere_mkv_tag_get_type())
G_DECLARE_FINAL_TYPE(GstSphereMkvTag, gst_sphere_mkv_tag, GST, SPHERE_MKV_TAG, GstSphereTag)
GST_ELEMENT_REGISTER_DECLARE(spheremkvtag)

G_END_DECLS
