// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/own_pipeline.h"

#include "gst/tools/stitch_reader.h"

namespace sphere::tool {

namespace {

// A file on a slow disk must not be taken for one that can't be decoded.
constexpr GstClockTime longest_wait = 60 * GST_SECOND;

std::string text_of(GstMessage* message) {
  g_autoptr(GError) error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  std::string text = error->message;
  // GStreamer's sentences end with a stop.
  while (text.ends_with('.')) text.pop_back();
  return text.empty() ? "the decoder failed" : text;
}

}  // namespace

GstElement* OwnPipeline::add(const char* factory) {
  GstElement* element = gst_element_factory_make(factory, nullptr);
  if (element)
    gst_bin_add(GST_BIN(pipeline_.get()), element);
  else if (missing_)
    missing_ = missing_element(factory);
  return element;
}

std::string OwnPipeline::prepare() {
  gst_element_set_state(pipeline_.get(), GST_STATE_PAUSED);
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline_.get()));
  // An element that gives up leaves the others waiting.
  const MessageRef message(gst_bus_timed_pop_filtered(
      bus.get(), longest_wait,
      static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_ASYNC_DONE)));
  if (!message) return "nothing came of it";
  return GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR ? text_of(message.get()) : "";
}

std::string OwnPipeline::problem() const {
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline_.get()));
  const MessageRef message(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  return message ? text_of(message.get()) : std::string();
}

}  // namespace sphere::tool
