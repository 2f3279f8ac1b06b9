/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/sphere/base/gstsphereprelude.h>

G_BEGIN_DECLS

/**
 * GstSphereOrientationMeta:
 * @meta: parent
 * @w: the unit quaternion's real part
 * @x: its part to the right
 * @y: its part downwards
 * @z: its part to the front
 *
 * The orientation of the camera when it took this picture: the rotation that converts a direction
 * from the camera's axes to the world's axes. Axes are right-handed, x right, y down, z forward;
 * the world's y points straight down. Stitchers can level the picture with it. They change it to
 * the orientation of their output picture.
 *
 * Since: 0.1
 */
typedef struct _GstSphereOrientationMeta GstSphereOrientationMeta;
struct _GstSphereOrientationMeta {
  GstMeta meta;

  gdouble w;
  gdouble x;
  gdouble y;
  gdouble z;
};

/**
 * GST_SPHERE_ORIENTATION_META_API_TYPE: (skip)
 *
 * Since: 0.1
 */
#define GST_SPHERE_ORIENTATION_META_API_TYPE (gst_sphere_orientation_meta_api_get_type())
GST_SPHERE_API
GType gst_sphere_orientation_meta_api_get_type(void);

GST_SPHERE_API
const GstMetaInfo* gst_sphere_orientation_meta_get_info(void);

GST_SPHERE_API
GstSphereOrientationMeta* gst_buffer_add_sphere_orientation_meta(GstBuffer* buffer, gdouble w,
                                                                 gdouble x, gdouble y, gdouble z);
GST_SPHERE_API
GstSphereOrientationMeta* gst_buffer_get_sphere_orientation_meta(GstBuffer* buffer);

G_END_DECLS
