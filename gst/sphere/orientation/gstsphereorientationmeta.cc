// SPDX-License-Identifier: LGPL-2.1-or-later
// GstSphereOrientationMeta: the orientation of the camera, on each picture.

#include "gst/sphere/orientation/gstsphereorientationmeta.h"

#include <gst/video/video.h>

#include <cmath>

#include "gst/sphere/geometry/quaternion.h"

namespace {

gboolean init(GstMeta* meta, gpointer, GstBuffer*) {
  auto* orientation = reinterpret_cast<GstSphereOrientationMeta*>(meta);
  orientation->w = 1;
  orientation->x = orientation->y = orientation->z = 0;
  return TRUE;
}

/// A copy and a scaled picture show the same. Other transformations may change the orientation,
/// therefore the meta is dropped.
gboolean transform(GstBuffer* to, GstMeta* meta, GstBuffer*, GQuark type, gpointer) {
  if (!GST_META_TRANSFORM_IS_COPY(type) && !GST_VIDEO_META_TRANSFORM_IS_SCALE(type)) return FALSE;
  const auto* from = reinterpret_cast<const GstSphereOrientationMeta*>(meta);
  return gst_buffer_add_sphere_orientation_meta(to, from->w, from->x, from->y, from->z) != nullptr;
}

}  // namespace

/**
 * gst_sphere_orientation_meta_api_get_type:
 *
 * Gets the type of this meta's API, for example for an allocation query.
 *
 * Returns: the type of the API of #GstSphereOrientationMeta
 *
 * Since: 0.1
 */
GType gst_sphere_orientation_meta_api_get_type(void) {
  static const GType type = [] {
    // No tags: GstBaseTransform of GStreamer 1.22 drops a meta that has tags. glupload, which is
    // based on it, would drop it when it copies a picture.
    static const gchar* tags[] = {nullptr};
    return gst_meta_api_type_register("GstSphereOrientationMetaAPI", tags);
  }();
  return type;
}

/**
 * gst_sphere_orientation_meta_get_info: (skip)
 *
 * Returns: (transfer none): the description of the meta for GStreamer
 *
 * Since: 0.1
 */
const GstMetaInfo* gst_sphere_orientation_meta_get_info(void) {
  static const GstMetaInfo* info =
      gst_meta_register(GST_SPHERE_ORIENTATION_META_API_TYPE, "GstSphereOrientationMeta",
                        sizeof(GstSphereOrientationMeta), init, nullptr, transform);
  return info;
}

/**
 * gst_buffer_add_sphere_orientation_meta:
 * @buffer: a writable buffer
 * @w: the real part of a quaternion, camera to world
 * @x: its part to the right
 * @y: its part downwards
 * @z: its part to the front
 *
 * Adds the orientation of the camera when it took this picture. The quaternion is normalised.
 *
 * Returns: (transfer none) (nullable): the meta on @buffer, or %NULL if these values are
 *   not a rotation: not finite, or all zero
 *
 * Since: 0.1
 */
GstSphereOrientationMeta* gst_buffer_add_sphere_orientation_meta(GstBuffer* buffer, gdouble w,
                                                                 gdouble x, gdouble y, gdouble z) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), nullptr);
  g_return_val_if_fail(gst_buffer_is_writable(buffer), nullptr);
  const double square = w * w + x * x + y * y + z * z;
  if (!std::isfinite(square) || !(square > 0)) return nullptr;
  const sphere::Quaternion q = sphere::normalised({w, x, y, z});
  auto* meta = reinterpret_cast<GstSphereOrientationMeta*>(
      gst_buffer_add_meta(buffer, gst_sphere_orientation_meta_get_info(), nullptr));
  meta->w = q.w;
  meta->x = q.x;
  meta->y = q.y;
  meta->z = q.z;
  return meta;
}

/**
 * gst_buffer_get_sphere_orientation_meta:
 * @buffer: a buffer
 *
 * Gets the orientation of the camera when it took this picture.
 *
 * Returns: (transfer none) (nullable): the first such meta on @buffer, or %NULL
 *
 * Since: 0.1
 */
GstSphereOrientationMeta* gst_buffer_get_sphere_orientation_meta(GstBuffer* buffer) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), nullptr);
  return reinterpret_cast<GstSphereOrientationMeta*>(
      gst_buffer_get_meta(buffer, GST_SPHERE_ORIENTATION_META_API_TYPE));
}
