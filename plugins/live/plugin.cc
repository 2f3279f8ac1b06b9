// SPDX-License-Identifier: LGPL-2.1-or-later
// Registers the elements of this plugin, and does nothing else.

#include <gst/gst.h>

#include "config.h"
#include "plugins/live/spherelivesink.h"

static gboolean plugin_init(GstPlugin* plugin) {
  return GST_ELEMENT_REGISTER(spherelivesink, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, spherelive,
                  "360 video to servers, files and a page", plugin_init, VERSION, GST_LICENSE,
                  GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
