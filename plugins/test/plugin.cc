// SPDX-License-Identifier: LGPL-2.1-or-later
// Registers the element of this plugin, and does nothing else.

#include <gst/gst.h>

#include "config.h"
#include "plugins/test/spheretestsrc.h"

static gboolean plugin_init(GstPlugin* plugin) {
  return GST_ELEMENT_REGISTER(spheretestsrc, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, spheretest,
                  "A known scene as a dual-lens 360 camera shows it, for tests", plugin_init,
                  VERSION, GST_LICENSE, GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
