// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/rtsp_preview.h"

#include <gst/rtsp/rtsp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/printable.h"
#include "gst/sphere/base/thread.h"
#include "hw/direct_route.h"
#include "hw/peer_connection.h"

namespace sphere::hw {

namespace {

/// The elements that depacketize each codec and complete its caps.
struct Codec {
  const char* encoding;
  const char* elements;
  bool is_sound;
};
constexpr Codec codecs[] = {
    // Parameter sets before each key frame, because a decoder may be added later, and the
    // connection may be a new one.
    {"H264", "rtph264depay ! h264parse config-interval=-1", false},
    {"H265", "rtph265depay ! h265parse config-interval=-1", false},
    {"JPEG", "rtpjpegdepay ! jpegparse", false},
    {"MPEG4-GENERIC", "rtpmp4gdepay ! aacparse", true},
    {"MP4A-LATM", "rtpmp4adepay ! aacparse", true},
    {"OPUS", "rtpopusdepay ! opusparse", true},
    {"PCMU", "rtppcmudepay", true},
    {"PCMA", "rtppcmadepay", true},
    {"L16", "rtpL16depay", true},
};

const Codec* codec_of(const GstCaps* rtp) {
  const bool usable = rtp && !gst_caps_is_any(rtp) && gst_caps_get_size(rtp) > 0;
  const GstStructure* s = usable ? gst_caps_get_structure(rtp, 0) : nullptr;
  const char* encoding = s ? gst_structure_get_string(s, "encoding-name") : nullptr;
  // Static payload types may have no name.
  int payload = -1;
  if (s && !encoding && gst_structure_get_int(s, "payload", &payload))
    encoding = payload == 0 ? "PCMU" : payload == 8 ? "PCMA" : payload == 26 ? "JPEG" : nullptr;
  for (const Codec& codec : codecs)
    if (encoding && g_ascii_strcasecmp(codec.encoding, encoding) == 0) return &codec;
  return nullptr;
}

GstRTSPLowerTrans flags_of(const Transports& transports) {
  int flags = 0;
  if (transports.udp) flags |= GST_RTSP_LOWER_TRANS_UDP;
  if (transports.udp_multicast) flags |= GST_RTSP_LOWER_TRANS_UDP_MCAST;
  if (transports.tcp) flags |= GST_RTSP_LOWER_TRANS_TCP;
  return static_cast<GstRTSPLowerTrans>(flags);
}

// Bytes. All answers of a camera before PLAY are some KiB; with more, it is not a preview.
constexpr uint64_t most_before_play = 1 << 20;
// Until then it is looked often: a fast link brings some MiB a millisecond. Less often when nothing
// has come for half a second: 200 looks a second take more than 1 % of a processor.
constexpr auto poll_interval = std::chrono::milliseconds(5);
constexpr int quiet_polls = 100;
constexpr auto quiet_interval = std::chrono::milliseconds(20);
// rtspsrc waits for the answer to TEARDOWN for at most half of this (`teardown-timeout`).
constexpr auto close_time = std::chrono::milliseconds(200);

/// More than twenty members: watch_answers() looks at everything that a connection attempt has, and
/// half of them are counters and flags that other threads set.
class RtspPreview : public Preview {
 public:
  RtspPreview(RtspAddress address, PreviewOptions options, GstElement* bin, GstElement* rtspsrc)
      : address_(std::move(address)),
        options_(std::move(options)),
        route_(address_.host, address_.port),
        connection_(address_.host, address_.port),
        bin_(GST_ELEMENT(gst_object_ref_sink(bin))),
        rtspsrc_(GST_ELEMENT(gst_object_ref_sink(rtspsrc))) {
    GST_OBJECT_FLAG_SET(bin, GST_ELEMENT_FLAG_SOURCE);
    gst_bin_add(GST_BIN(bin), rtspsrc);
    // The caller checks whether UDP packets arrive. rtspsrc's own timeout would change to TCP
    // without a message, and only if no packets arrive.
    g_object_set(rtspsrc, "location", address_.url.c_str(), "latency", options_.latency_ms,
                 "protocols", flags_of(options_.transports), "timeout", static_cast<guint64>(0),
                 "tcp-timeout", static_cast<guint64>(options_.timeout.count()), "teardown-timeout",
                 static_cast<guint64>(100 * GST_MSECOND), nullptr);
    g_signal_connect(rtspsrc, "pad-added", G_CALLBACK(pad_added), this);
    g_signal_connect(rtspsrc, "no-more-pads", G_CALLBACK(no_more_pads), this);
    g_signal_connect(rtspsrc, "select-stream", G_CALLBACK(select_stream), this);
    g_signal_connect(rtspsrc, "before-send", G_CALLBACK(before_send), this);
  }

  ~RtspPreview() override { end_watch(); }

  GstElement* element() const override { return bin_.get(); }
  void close() override;
  Failure failure_of(const GError* error, const char* debug) const override;
  std::optional<Packets> packets() const override { return Packets{arrived_, lost_}; }

 private:
  static void pad_added(GstElement*, GstPad* pad, gpointer data) {
    auto* self = static_cast<RtspPreview*>(data);
    self->add_stream(pad);
    ++self->added_;
    self->tell_if_all_added();
  }
  static void no_more_pads(GstElement*, gpointer data) {
    auto* self = static_cast<RtspPreview*>(data);
    self->no_more_pads_ = true;
    self->tell_if_all_added();
  }
  void tell_if_all_added();
  static gboolean select_stream(GstElement* rtspsrc, guint number, GstCaps* caps, gpointer self);
  static gboolean before_send(GstElement* rtspsrc, GstRTSPMessage* message, gpointer self);
  static GstPadProbeReturn packet_passes(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  void watch_answers();
  void end_watch();
  void add_stream(GstPad* pad);
  void count(GstBuffer* packet);

  const RtspAddress address_;
  const PreviewOptions options_;
  const DirectRoute route_;
  PeerConnection connection_;
  const GstRef<GstElement> bin_;
  const GstRef<GstElement> rtspsrc_;
  std::atomic<bool> requested_ = false;
  std::atomic<bool> too_long_ = false;  // the camera's answers
  // Of the streams: those that are wanted, and those whose pads are in place.
  std::atomic<int> selected_ = 0, added_ = 0;
  std::atomic<bool> no_more_pads_ = false, told_ = false;

  Mutex mutex_;  // protects what follows; before that of connection_
  ConditionVariable changed_;
  bool watching_ SPHERE_GUARDED_BY(mutex_) = false;
  bool closing_ SPHERE_GUARDED_BY(mutex_) = false;
  bool closed_ SPHERE_GUARDED_BY(mutex_) = false;
  std::thread watch_ SPHERE_GUARDED_BY(mutex_);

  // Counts of the pictures' packets. Only the streaming thread writes.
  std::atomic<uint64_t> arrived_ = 0, lost_ = 0;
  std::optional<uint16_t> last_number_;
};

gboolean RtspPreview::select_stream(GstElement*, guint, GstCaps* caps, gpointer data) {
  auto* self = static_cast<RtspPreview*>(data);
  const Codec* codec = codec_of(caps);
  const bool selected = codec && (!codec->is_sound ||
                                  (self->options_.sound_offered && self->options_.sound_offered()));
  self->selected_ += selected;
  return selected;
}

/// rtspsrc adds each pad in a thread of its own, and says that there are no more while another one
/// is still being added.
void RtspPreview::tell_if_all_added() {
  if (no_more_pads_ && added_ >= selected_ && !told_.exchange(true) && options_.all_streams_added)
    options_.all_streams_added();
}

/// Ends the connection if more bytes come than answers can have. Active until PLAY is sent.
void RtspPreview::watch_answers() {
  const Lock lock(mutex_);
  int quiet = 0;
  uint64_t before = 0;
  while (!closing_ && !requested_) {
    changed_.wait_for(mutex_, quiet < quiet_polls ? poll_interval : quiet_interval);
    if (closing_ || requested_) continue;
    const uint64_t received = connection_.received();
    quiet = std::exchange(before, received) == received ? std::min(quiet + 1, quiet_polls) : 0;
    if (received <= most_before_play) continue;
    too_long_ = true;
    connection_.shut_down();
    return;
  }
}

void RtspPreview::end_watch() {
  std::thread ended;
  {
    const Lock lock(mutex_);
    closing_ = true;
    changed_.notify_all();
    ended = std::exchange(watch_, {});
  }
  if (ended.joinable()) ended.join();
}

void RtspPreview::close() {
  end_watch();
  // When it is set to NULL, rtspsrc waits without a limit for the rest of an answer that it is
  // reading.
  std::thread breaker([this] {
    const Lock lock(mutex_);
    while (!closed_) {
      changed_.wait_for(mutex_, close_time);
      if (!closed_) connection_.shut_down();
    }
  });
  gst_element_set_state(bin_.get(), GST_STATE_NULL);
  {
    const Lock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  breaker.join();
  g_signal_handlers_disconnect_by_data(rtspsrc_.get(), this);
}

gboolean RtspPreview::before_send(GstElement*, GstRTSPMessage* message, gpointer data) {
  auto* self = static_cast<RtspPreview*>(data);
  self->connection_.find();
  {
    const Lock lock(self->mutex_);
    if (!self->closing_ && !std::exchange(self->watching_, true))
      self->watch_ = std::thread([self] { self->watch_answers(); });
  }
  GstRTSPMethod method = GST_RTSP_INVALID;
  if (gst_rtsp_message_get_type(message) == GST_RTSP_MESSAGE_REQUEST &&
      gst_rtsp_message_parse_request(message, &method, nullptr, nullptr) == GST_RTSP_OK &&
      method == GST_RTSP_PLAY && !self->requested_.exchange(true) && self->options_.requested)
    self->options_.requested();
  return TRUE;
}

GstPadProbeReturn RtspPreview::packet_passes(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<RtspPreview*>(data);
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) {
    self->count(GST_PAD_PROBE_INFO_BUFFER(info));
  } else {
    GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
    for (guint i = 0; i < gst_buffer_list_length(list); ++i)
      self->count(gst_buffer_list_get(list, i));
  }
  return GST_PAD_PROBE_OK;
}

void RtspPreview::count(GstBuffer* packet) {
  // The sequence number of RTP is in the third and fourth byte.
  std::array<uint8_t, 2> bytes{};
  if (gst_buffer_extract(packet, 2, bytes.data(), bytes.size()) != bytes.size()) return;
  const auto number = static_cast<uint16_t>(bytes[0] << 8 | bytes[1]);
  ++arrived_;
  if (last_number_) {
    const auto step = static_cast<uint16_t>(number - *last_number_);
    // A packet that comes late or twice is counted already.
    if (step == 0 || step >= 0x8000) return;
    lost_ += step - 1u;
  }
  last_number_ = number;
}

void RtspPreview::add_stream(GstPad* pad) {
  const CapsRef caps(gst_pad_get_current_caps(pad));
  const CapsRef possible(caps ? nullptr : gst_pad_query_caps(pad, nullptr));
  const Codec* codec = codec_of(caps ? caps.get() : possible.get());
  if (!codec) return;
  g_autoptr(GError) error = nullptr;
  GstElement* parts = gst_parse_bin_from_description_full(codec->elements, TRUE, nullptr,
                                                          GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (!parts) {
    if (codec->is_sound)
      GST_ELEMENT_WARNING(bin_.get(), CORE, MISSING_PLUGIN,
                          ("There is no sound, because an element of '%s' is missing; install "
                           "GStreamer's good and bad plugins.",
                           codec->elements),
                          ("%s", error->message));
    else
      GST_ELEMENT_ERROR(bin_.get(), CORE, MISSING_PLUGIN,
                        ("An element of '%s' is missing; install GStreamer's good and bad plugins.",
                         codec->elements),
                        ("%s", error->message));
    return;
  }
  gst_bin_add(GST_BIN(bin_.get()), parts);
  if (!codec->is_sound)
    gst_pad_add_probe(
        pad,
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
        packet_passes, this, nullptr);
  const GstRef<GstPad> in(gst_element_get_static_pad(parts, "sink"));
  const GstRef<GstPad> out(gst_element_get_static_pad(parts, "src"));
  GstPad* ghost = gst_ghost_pad_new(nullptr, out.get());
  gst_pad_set_active(ghost, TRUE);
  gst_element_add_pad(bin_.get(), ghost);
  if (options_.stream_added) options_.stream_added(ghost, codec->is_sound, codec->encoding);
  gst_element_sync_state_with_parent(parts);
  gst_pad_link(pad, in.get());
}

Failure RtspPreview::failure_of(const GError* error, const char* debug) const {
  std::string detail = printable(error->message, 300);
  if (debug) detail += ": " + printable(debug, 1000);
  const bool resource = error->domain == GST_RESOURCE_ERROR;
  if (error->domain == GST_CORE_ERROR && error->code == GST_CORE_ERROR_MISSING_PLUGIN) {
    std::string message = printable(error->message, 300);
    if (message.ends_with('.')) message.pop_back();
    return {Failure::Reason::missing, message, detail};
  }
  if (resource && error->code == GST_RESOURCE_ERROR_NOT_FOUND)
    return {Failure::Reason::not_there,
            "the camera has no preview at " + address_.url +
                " (404); check that it is not in USB mode, and that it is a camera of this kind",
            detail};
  if (resource && error->code == GST_RESOURCE_ERROR_NOT_AUTHORIZED)
    return {Failure::Reason::refused,
            "the camera's preview needs a password (401), but cameras of this kind have none; "
            "check that it is a camera of this kind",
            detail};
  // rtspsrc puts a status without an own code into the details.
  if (detail.find("453") != std::string::npos || detail.find("Bandwidth") != std::string::npos)
    return {Failure::Reason::held,
            "the camera can't send its preview to another client (453); close the other client",
            detail};
  if (too_long_)
    return {
        Failure::Reason::broken,
        "the camera's answer about its preview is too long; check that it is a camera of this kind",
        detail};
  if (!requested_ && route_.is_proxied())
    return {Failure::Reason::unreachable,
            "the preview is requested from a web proxy, which can't reach the camera; set the "
            "environment variable no_proxy=" +
                address_.host + ", or unset http_proxy",
            detail};
  return {Failure::Reason::gone,
          requested_ ? "the camera's preview was interrupted; check that the camera is on, and "
                       "that this machine is in reach of its Wi-Fi"
                     : "the camera's preview can't be opened; check that the camera is on, and "
                       "that this machine is in reach of its Wi-Fi",
          detail};
}

}  // namespace

std::shared_ptr<Preview> make_rtsp_preview(const RtspAddress& address, PreviewOptions options,
                                           const char* name) {
  GstElement* rtspsrc = gst_element_factory_make("rtspsrc", nullptr);
  if (!rtspsrc) return nullptr;
  return std::make_shared<RtspPreview>(address, std::move(options), gst_bin_new(name), rtspsrc);
}

}  // namespace sphere::hw
