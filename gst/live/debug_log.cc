// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/debug_log.h"

#include <gst/gst.h>

namespace sphere::live {

void limit_debug_log(std::initializer_list<const char*> categories) {
  for (const char* name : categories) {
    // An element may make its category as late as with its first connection. It gets this one then,
    // and the threshold that is set by name.
    GstDebugCategory* category = nullptr;
    GST_DEBUG_CATEGORY_INIT(category, name, 0, nullptr);
    if (category && gst_debug_category_get_threshold(category) > GST_LEVEL_WARNING)
      gst_debug_set_threshold_for_name(name, GST_LEVEL_WARNING);
  }
}

}  // namespace sphere::live
