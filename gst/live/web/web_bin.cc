// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/web_bin.h"

#include <gst/video/video.h>

#include <memory>
#include <string>

namespace sphere::live {

namespace {

/// A packet of RTP with what encryption adds passes every network that DTLS passes.
constexpr int packet_size = 1180;

/// Takes what comes at once: viewers have their own clocks.
constexpr const char* sink_words =
    "sync=false async=false enable-last-sample=false max-buffers=0 wait-on-eos=false";

std::string payloader(const char* factory, const MediaServer& media, StreamKind kind) {
  return std::string(factory) + " mtu=" + std::to_string(packet_size) +
         " pt=96 ssrc=" + std::to_string(media.ssrc(kind)) +
         " timestamp-offset=" + std::to_string(media.timestamp_offset(kind)) +
         " seqnum-offset=" + std::to_string(media.next_sequence(kind));
}

struct SampleUnref {
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
};
using SampleRef = std::unique_ptr<GstSample, SampleUnref>;

SampleRef pull(GstAppSink* sink) { return SampleRef(gst_app_sink_pull_sample(sink)); }

void add_pad(GstElement* bin, const char* name) {
  const GstRef<GstElement> element(gst_bin_get_by_name(GST_BIN(bin), name));
  const GstRef<GstPad> pad(gst_element_get_static_pad(element.get(), "sink"));
  gst_element_add_pad(bin, gst_ghost_pad_new(name, pad.get()));
}

}  // namespace

Result<GstElement*> WebBin::make(WebServer& server, const Stream& stream) {
  const MediaServer& media = server.media();
  const std::string sink = std::string("appsink ") + sink_words + " name=";
  std::string words = "tee name=video allow-not-linked=true ! " + sink + "picture  video. ! " +
                      payloader("rtph264pay", media, StreamKind::video) +
                      " config-interval=-1 aggregate-mode=zero-latency ! " + sink +
                      "picture-packets buffer-list=true ";
  if (stream.audio)
    words += "tee name=audio allow-not-linked=true ! " + sink + "sound  audio. ! " +
             payloader("rtpopuspay", media, StreamKind::audio) + " ! " + sink +
             "sound-packets buffer-list=true ";
  g_autoptr(GError) error = nullptr;
  GstElement* bin = gst_parse_bin_from_description(words.c_str(), FALSE, &error);
  if (!bin || error) {
    if (bin) gst_object_unref(gst_object_ref_sink(bin));
    return failed(std::string("The page's stream needs an element that is not installed: ") +
                  error->message);
  }
  server_ = &server;
  bin_ = bin;
  utc_of_running_time_0_ = stream.utc_of_running_time_0;
  add_pad(bin, "video");
  watch("picture", on_picture);
  watch("picture-packets", on_picture_packets);
  if (stream.audio) {
    add_pad(bin, "audio");
    watch("sound", on_sound);
    watch("sound-packets", on_sound_packets);
  }
  const Lock lock(mutex_);
  video_pad_.reset(gst_element_get_static_pad(bin, "video"));
  return bin;
}

void WebBin::watch(const char* name, OnSample on_sample) {
  const GstRef<GstElement> sink(gst_bin_get_by_name(GST_BIN(bin_), name));
  GstAppSinkCallbacks callbacks = {};
  callbacks.new_sample = on_sample;
  gst_app_sink_set_callbacks(GST_APP_SINK(sink.get()), &callbacks, this, nullptr);
}

void WebBin::closed() {
  bin_ = nullptr;
  const Lock lock(mutex_);
  video_pad_.reset();
}

void WebBin::request_key_frame() {
  GstRef<GstPad> pad;
  {
    const Lock lock(mutex_);
    if (video_pad_) pad.reset(GST_PAD(gst_object_ref(video_pad_.get())));
  }
  if (pad)
    gst_pad_push_event(pad.get(),
                       gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
}

GstFlowReturn WebBin::on_picture(GstAppSink* sink, gpointer data) {
  auto* self = static_cast<WebBin*>(data);
  const SampleRef sample = pull(sink);
  if (!sample) return GST_FLOW_EOS;
  ++self->pictures_;
  if (GstBuffer* buffer = gst_sample_get_buffer(sample.get())) {
    self->bytes_ += gst_buffer_get_size(buffer);
    const GstClockTime now = gst_element_get_current_running_time(self->bin_);
    const GstClockTime taken = gst_segment_to_running_time(gst_sample_get_segment(sample.get()),
                                                           GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    if (GST_CLOCK_TIME_IS_VALID(now) && GST_CLOCK_TIME_IS_VALID(taken) && now >= taken)
      self->latency_ = now - taken;
  }
  self->server_->push_coded(StreamKind::video, sample.get());
  return GST_FLOW_OK;
}

GstFlowReturn WebBin::on_sound(GstAppSink* sink, gpointer data) {
  auto* self = static_cast<WebBin*>(data);
  const SampleRef sample = pull(sink);
  if (!sample) return GST_FLOW_EOS;
  self->server_->push_coded(StreamKind::audio, sample.get());
  return GST_FLOW_OK;
}

GstFlowReturn WebBin::forward_packets(GstAppSink* sink, StreamKind kind) {
  const SampleRef sample = pull(sink);
  if (!sample) return GST_FLOW_EOS;
  server_->push_packets(kind, sample.get(), utc_of_running_time_0_);
  return GST_FLOW_OK;
}

GstFlowReturn WebBin::on_picture_packets(GstAppSink* sink, gpointer self) {
  return static_cast<WebBin*>(self)->forward_packets(sink, StreamKind::video);
}

GstFlowReturn WebBin::on_sound_packets(GstAppSink* sink, gpointer self) {
  return static_cast<WebBin*>(self)->forward_packets(sink, StreamKind::audio);
}

}  // namespace sphere::live
