// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/muxed.h"

#include <gst/app/gstappsink.h>

#include <atomic>
#include <memory>
#include <utility>

#include "gst/live/output_parts.h"
#include "gst/sphere/base/gobject.h"

namespace sphere::live {

namespace {

/// The stream of a muxer, and when its tracks begin: that is known at the muxer's pads only.
struct Watched {
  Watched(FragmentReader* reader, std::function<Status()> take)
      : reader(reader), take(std::move(take)) {}

  Status push(std::span<const uint8_t> bytes) {
    const GstClockTime picture = first_picture, sound = first_sound;
    if (GST_CLOCK_TIME_IS_VALID(sound) && GST_CLOCK_TIME_IS_VALID(picture) && sound > picture)
      reader->delay_sound(static_cast<double>(sound - picture) / GST_SECOND);
    if (const Status read = reader->push(bytes); !read) return read;
    return take();
  }

  FragmentReader* const reader;
  const std::function<Status()> take;
  std::atomic<GstClockTime> first_picture{GST_CLOCK_TIME_NONE}, first_sound{GST_CLOCK_TIME_NONE};
};

/// Whichever has it last deletes it: the sink, or one of the muxer's pads.
using WatchedRef = std::shared_ptr<Watched>;

void delete_ref(gpointer data) { delete static_cast<WatchedRef*>(data); }

template <std::atomic<GstClockTime> Watched::*first>
GstPadProbeReturn take_first(GstPad*, GstPadProbeInfo* info, gpointer data) {
  const GstClockTime time = GST_BUFFER_DTS_OR_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
  if (!GST_CLOCK_TIME_IS_VALID(time)) return GST_PAD_PROBE_OK;
  (*static_cast<WatchedRef*>(data)).get()->*first = time;
  return GST_PAD_PROBE_REMOVE;
}

void watch_first(GstElement* mux, const char* name, GstPadProbeCallback take,
                 const WatchedRef& watched) {
  const GstRef<GstPad> pad(gst_element_get_static_pad(mux, name));
  if (!pad) return;
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, take, new WatchedRef(watched),
                    delete_ref);
}

GstFlowReturn take_sample(GstAppSink* sink, gpointer data) {
  GstSample* sample = gst_app_sink_pull_sample(sink);
  if (!sample) return GST_FLOW_OK;
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  GstMapInfo map;
  GstFlowReturn flow = GST_FLOW_OK;
  if (buffer && gst_buffer_map(buffer, &map, GST_MAP_READ)) {
    const Status taken = (*static_cast<WatchedRef*>(data))->push({map.data, map.size});
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

void watch_muxed(GstElement* bin, FragmentReader* reader, std::function<Status()> take) {
  const auto watched = std::make_shared<Watched>(reader, std::move(take));
  GstElement* mux = child_of(bin, "mux");
  watch_first(mux, "video_0", take_first<&Watched::first_picture>, watched);
  watch_first(mux, "audio_0", take_first<&Watched::first_sound>, watched);
  GstAppSinkCallbacks callbacks = {};
  callbacks.new_sample = take_sample;
  gst_app_sink_set_callbacks(GST_APP_SINK(child_of(bin, "muxed")), &callbacks,
                             new WatchedRef(watched), delete_ref);
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
