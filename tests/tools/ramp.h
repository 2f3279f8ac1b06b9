// SPDX-License-Identifier: LGPL-2.1-or-later
// A property that a controller changes evenly.

#pragma once

#include <gst/controller/gstdirectcontrolbinding.h>
#include <gst/controller/gstinterpolationcontrolsource.h>
#include <gst/gst.h>

namespace sphere::test {

/// From 0 at the begin to `value` at the stream time `end`.
inline void ramp(GstElement* element, const char* property, GstClockTime end, double value) {
  GstControlSource* source = gst_interpolation_control_source_new();
  g_object_set(source, "mode", GST_INTERPOLATION_MODE_LINEAR, nullptr);
  auto* values = GST_TIMED_VALUE_CONTROL_SOURCE(source);
  gst_timed_value_control_source_set(values, 0, 0);
  gst_timed_value_control_source_set(values, end, value);
  gst_object_add_control_binding(GST_OBJECT(element), gst_direct_control_binding_new_absolute(
                                                          GST_OBJECT(element), property, source));
  gst_object_unref(source);
}

}  // namespace sphere::test
