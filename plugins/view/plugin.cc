// SPDX-License-Identifier: LGPL-2.1-or-later
// Registers the elements of this plugin, and does nothing else.

#include <gst/gst.h>

#include "config.h"
#include "plugins/view/cpusphereview.h"
#include "plugins/view/sphereview.h"
#if HAVE_GL
#include "plugins/view/glsphereview.h"
#endif

static gboolean plugin_init(GstPlugin* plugin) {
  bool registered = GST_ELEMENT_REGISTER(cpusphereview, plugin);
  registered &= GST_ELEMENT_REGISTER(sphereview, plugin);
#if HAVE_GL
  registered &= GST_ELEMENT_REGISTER(glsphereview, plugin);
#endif
  return registered;
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, sphereview, "Views of 360 pictures",
                  plugin_init, VERSION, GST_LICENSE, GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
