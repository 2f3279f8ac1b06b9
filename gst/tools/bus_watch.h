// SPDX-License-Identifier: LGPL-2.1-or-later
// Messages of a pipeline, as calls of a member function in the main loop.

#pragma once

#include <gst/gst.h>

#include "gst/sphere/base/gobject.h"

namespace sphere::tool {

/// Calls `(self->*handle)(message)` for each message until the watch is removed from the bus.
template <auto handle, typename Self>
void watch_bus(GstElement* pipeline, Self* self) {
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline));
  gst_bus_add_watch(
      bus.get(),
      +[](GstBus*, GstMessage* message, gpointer data) -> gboolean {
        (static_cast<Self*>(data)->*handle)(message);
        return G_SOURCE_CONTINUE;
      },
      self);
}

}  // namespace sphere::tool
