// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/muxed.h"

#include <gst/app/gstappsink.h>

#include <utility>

#include "gst/live/output_parts.h"
#include "gst/sphere/base/gobject.h"

namespace sphere::live {

namespace {

GstFlowReturn take_sample(GstAppSink* sink, gpointer data) {
  GstSample* sample = gst_app_sink_pull_sample(sink);
  if (!sample) return GST_FLOW_OK;
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  GstMapInfo map;
  GstFlowReturn flow = GST_FLOW_OK;
  if (buffer && gst_buffer_map(buffer, &map, GST_MAP_READ)) {
    const Status taken = (*static_cast<TakeBytes*>(data))({map.data, map.size});
    gst_buffer_unmap(buffer, &map);
    if (!taken) {
      GST_ELEMENT_ERROR(sink, RESOURCE, WRITE, ("%s", taken.error().message.c_str()), (nullptr));
      flow = GST_FLOW_ERROR;
    }
  }
  gst_sample_unref(sample);
  return flow;
}

}  // namespace

Result<GstElement*> make_muxed_mp4(const StreamInfo& stream, const MuxedSettings& settings) {
  std::string words =
      "mp4mux name=mux streamable=true fragment-mode=dash-or-mss fragment-duration=" +
      std::to_string(settings.fragment_ms) +
      " ! spheremp4tag name=tag ! appsink name=muxed sync=false async=false max-buffers=1 "
      "h264parse name=video ! video/x-h264,stream-format=avc,alignment=au ! mux.video_0 ";
  if (stream.audio) words += "aacparse name=audio ! audio/mpeg,stream-format=raw ! mux.audio_0 ";
  Result<GstElement*> bin = make_output_bin(words);
  if (bin) set_tag(child_of(*bin, "tag"), stream);
  return bin;
}

void watch_muxed(GstElement* bin, TakeBytes take) {
  GstAppSinkCallbacks callbacks = {};
  callbacks.new_sample = take_sample;
  gst_app_sink_set_callbacks(GST_APP_SINK(child_of(bin, "muxed")), &callbacks,
                             new TakeBytes(std::move(take)),
                             [](gpointer data) { delete static_cast<TakeBytes*>(data); });
}

void set_tag(GstElement* tag, const StreamInfo& stream) {
  g_object_set(tag, "spherical", static_cast<gboolean>(stream.spherical), nullptr);
  if (stream.consent) {
    const CapsRef caps(gst_caps_from_string(stream.consent->c_str()));
    g_object_set(tag, "consent", caps.get(), nullptr);
  }
  if (stream.ledger) g_object_set(tag, "ledger", stream.ledger->c_str(), nullptr);
}

}  // namespace sphere::live
