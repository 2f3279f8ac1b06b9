// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SPHERE_DEVICE_PROVIDER (gst_sphere_device_provider_get_type())
G_DECLARE_FINAL_TYPE(GstSphereDeviceProvider, gst_sphere_device_provider, GST,
                     SPHERE_DEVICE_PROVIDER, GstDeviceProvider)
GST_DEVICE_PROVIDER_REGISTER_DECLARE(spheredeviceprovider)

G_END_DECLS
