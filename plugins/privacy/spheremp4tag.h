// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include "plugins/privacy/tagelement.h"

G_BEGIN_DECLS

#define GST_TYPE_SPHERE_MP4_TAG (gst_sphere_mp4_tag_get_type())
G_DECLARE_FINAL_TYPE(GstSphereMp4Tag, gst_sphere_mp4_tag, GST, SPHERE_MP4_TAG, GstSphereTag)
GST_ELEMENT_REGISTER_DECLARE(spheremp4tag)

G_END_DECLS
