// SPDX-License-Identifier: LGPL-2.1-or-later
// The orientation on a buffer after its picture was drawn anew, turned.

#pragma once

#include "gst/sphere/geometry/quaternion.h"
#include "gst/sphere/orientation/gstsphereorientationmeta.h"

namespace sphere {

/// Changes the meta, if the buffer has one, to the orientation of a picture that was drawn with the
/// rotation `view`, from its own axes to those of the picture before.
inline void turn_orientation_meta(GstBuffer* buffer, const Mat3& view) {
  GstSphereOrientationMeta* meta = gst_buffer_get_sphere_orientation_meta(buffer);
  if (!meta) return;
  const Quaternion q =
      normalised(Quaternion{meta->w, meta->x, meta->y, meta->z} * quaternion_of(view));
  meta->w = q.w;
  meta->x = q.x;
  meta->y = q.y;
  meta->z = q.z;
}

}  // namespace sphere
