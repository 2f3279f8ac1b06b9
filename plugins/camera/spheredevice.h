// SPDX-License-Identifier: LGPL-2.1-or-later
// A camera that was found, for GstDeviceMonitor.

#pragma once

#include <gst/gst.h>

#include "hw/discover.h"

G_BEGIN_DECLS

#define GST_TYPE_SPHERE_DEVICE (gst_sphere_device_get_type())
G_DECLARE_FINAL_TYPE(GstSphereDevice, gst_sphere_device, GST, SPHERE_DEVICE, GstDevice)

G_END_DECLS

namespace sphere::camera {

/// A floating reference.
GstDevice* make_device(const hw::FoundCamera& camera);

}  // namespace sphere::camera
