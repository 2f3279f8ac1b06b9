// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <gst/base/gstbasesrc.h>

G_BEGIN_DECLS

#define GST_TYPE_SPHERE_FILE_SRC (gst_sphere_file_src_get_type())
G_DECLARE_FINAL_TYPE(GstSphereFileSrc, gst_sphere_file_src, GST, SPHERE_FILE_SRC, GstBaseSrc)
GST_ELEMENT_REGISTER_DECLARE(spherefilesrc)

G_END_DECLS
