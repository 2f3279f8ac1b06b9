// SPDX-License-Identifier: LGPL-2.1-or-later
// Registers the elements of this plugin, and does nothing else.

#include <gst/gst.h>

#include "config.h"
#include "plugins/stitch/cpuspherestitch.h"
#include "plugins/stitch/spherestitch.h"
#if HAVE_GL
#include "plugins/stitch/glspherestitch.h"
#endif

static gboolean plugin_init(GstPlugin* plugin) {
  bool registered = GST_ELEMENT_REGISTER(cpuspherestitch, plugin);
  registered &= GST_ELEMENT_REGISTER(spherestitch, plugin);
#if HAVE_GL
  registered &= GST_ELEMENT_REGISTER(glspherestitch, plugin);
#endif
  return registered;
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, spherestitch,
                  "Stitches the pictures of dual-lens 360 cameras", plugin_init, VERSION,
                  GST_LICENSE, GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
