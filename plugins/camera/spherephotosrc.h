// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_TYPE_SPHERE_PHOTO_SRC (gst_sphere_photo_src_get_type())
G_DECLARE_FINAL_TYPE(GstSpherePhotoSrc, gst_sphere_photo_src, GST, SPHERE_PHOTO_SRC, GstPushSrc)
GST_ELEMENT_REGISTER_DECLARE(spherephotosrc)

G_END_DECLS
