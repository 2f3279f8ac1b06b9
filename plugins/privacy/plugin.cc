// SPDX-License-Identifier: LGPL-2.1-or-later
// Registers the elements of this plugin, and does nothing else.

#include <gst/gst.h>

#include "config.h"
#include "plugins/privacy/sphereaudiogate.h"
#include "plugins/privacy/spheregeogate.h"
#include "plugins/privacy/spherejpegtag.h"
#include "plugins/privacy/spheremkvtag.h"
#include "plugins/privacy/spheremp4tag.h"

static gboolean plugin_init(GstPlugin* plugin) {
  return GST_ELEMENT_REGISTER(sphereaudiogate, plugin) &&
         GST_ELEMENT_REGISTER(spheregeogate, plugin) &&
         GST_ELEMENT_REGISTER(spherejpegtag, plugin) &&
         GST_ELEMENT_REGISTER(spheremkvtag, plugin) && GST_ELEMENT_REGISTER(spheremp4tag, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, sphereprivacy,
                  "Sound and places only with consent", plugin_init, VERSION, GST_LICENSE,
                  GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
