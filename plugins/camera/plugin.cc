// SPDX-License-Identifier: LGPL-2.1-or-later
// Registers the elements of this plugin, and does nothing else.

#include <gst/gst.h>

#include "config.h"
#include "plugins/camera/spherecamsrc.h"
#include "plugins/camera/spheredeviceprovider.h"
#include "plugins/camera/spherefilesrc.h"
#include "plugins/camera/spherephotosrc.h"

static gboolean plugin_init(GstPlugin* plugin) {
  return GST_ELEMENT_REGISTER(spherecamsrc, plugin) &&
         GST_ELEMENT_REGISTER(spherefilesrc, plugin) &&
         GST_ELEMENT_REGISTER(spherephotosrc, plugin) &&
         GST_DEVICE_PROVIDER_REGISTER(spheredeviceprovider, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, spherecamera,
                  "Dual-lens 360 cameras on the network", plugin_init, VERSION, GST_LICENSE,
                  GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
