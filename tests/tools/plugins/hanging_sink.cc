// SPDX-License-Identifier: LGPL-2.1-or-later
// A plugin for tests: a sink that shows one picture, says so on the standard error output, and then
// never stops.

#include <gst/base/gstbasesink.h>
#include <gst/gst.h>
#include <unistd.h>

#include <cstdio>

namespace {

struct HangingSink {
  GstBaseSink parent;
};

struct HangingSinkClass {
  GstBaseSinkClass parent;
};

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_TYPE(HangingSink, hanging_sink, GST_TYPE_BASE_SINK)

GstFlowReturn render(GstBaseSink*, GstBuffer*) {
  std::fprintf(stderr, "shown\n");
  return GST_FLOW_OK;
}

gboolean stop(GstBaseSink*) {
  for (;;) pause();
}

void hanging_sink_init(HangingSink*) {}

void hanging_sink_class_init(HangingSinkClass* klass) {
  GST_BASE_SINK_CLASS(klass)->render = render;
  GST_BASE_SINK_CLASS(klass)->stop = stop;
  GstElementClass* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_set_static_metadata(element, "Test sink", "Sink/Video", "Never stops",
                                        "gst-sphere");
}

gboolean plugin_init(GstPlugin* plugin) {
  return gst_element_register(plugin, "testhangingsink", GST_RANK_NONE, hanging_sink_get_type());
}

}  // namespace

#define PACKAGE "gst-sphere"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, hangingsink, "For tests", plugin_init, "0",
                  "LGPL", PACKAGE, "https://gstreamer.freedesktop.org")
