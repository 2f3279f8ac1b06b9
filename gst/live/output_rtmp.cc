// SPDX-License-Identifier: LGPL-2.1-or-later
// RTMP and RTMPS: to a media server, or to a service for live video.

#include <gio/gio.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "gst/live/connection.h"
#include "gst/live/debug_log.h"
#include "gst/live/output.h"
#include "gst/live/output_parts.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"

namespace sphere::live {

namespace {

// How long a server may take to answer. The kernel asks for a connection at once, after one second
// and after three; with this limit and the runner's pauses there are never more than 5 s between
// two of these.
constexpr guint timeout_s = 3;
// The kernel may hold a second of the stream back: enough for a connection with half a second of
// delay, and little enough to notice soon that it is too slow.
constexpr int least_buffer = 64 << 10;
// The header of the file, the description, and the headers of both streams.
constexpr unsigned first_buffers = 6;
constexpr unsigned most_attempts = 200;

class RtmpOutput : public Output {
 public:
  explicit RtmpOutput(const Target& target) : target_(target) {
    needs_.audio_purposes = audio_purposes(target);
    needs_.location_purposes = location_purposes(target);
    // Players of RTMP take one header for a stream, and servers record it.
    needs_.takes_new_sizes = false;
    needs_.adapts = true;
  }

  const OutputNeeds& needs() const override { return needs_; }

  Result<GstElement*> open(const StreamInfo& stream) override {
    std::string words =
        "flvmux name=mux streamable=true ! rtmp2sink name=sink sync=false async-connect=true "
        "h264parse name=video ! video/x-h264,stream-format=avc ! mux.video ";
    if (stream.audio) words += "aacparse name=audio ! audio/mpeg,stream-format=raw ! mux.audio ";
    Result<GstElement*> bin = make_output_bin(words);
    if (!bin) return bin;
    // Their messages from GST_LEVEL_INFO on hold the stream key, in plain text and in dumps.
    limit_debug_log({"rtmp2sink", "rtmp2locationhandler", "rtmpclient", "rtmpconnection", "rtmpamf",
                     "rtmpmessage", "rtmpchunkstream", "rtmphandshake", "rtmputils"});
    GstElement* sink = child_of(*bin, "sink");
    g_object_set(sink, "location", target_.address.c_str(), "timeout", timeout_s, nullptr);
    limit_ = std::max(least_buffer, stream.bitrate * 1000 / 8);
    limited_ = false;
    arrived_ = 0;
    server_.emplace(target_.host, port());
    const GstRef<GstPad> pad(gst_element_get_static_pad(sink, "sink"));
    gst_pad_add_probe(
        pad.get(),
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
        count, this, nullptr);
    return bin;
  }

  /// rtmp2sink connects by GSocketClient, and that of GLib 2.74 leaves a main context with a
  /// descriptor behind after each attempt that fails late. Hours without the server would use up
  /// all descriptors.
  bool has_chance() override { return !server_ || server_->can_connect(); }

  bool accepted() override {
    // The network works again.
    if (!left_.empty() && server_->has_other_than(left_)) left_.clear();
    // rtmp2sink keeps the first buffer with media until the server has accepted the stream.
    return accepts();
  }

  int64_t unanswered() override { return server_->find() ? server_->unanswered_for() : 0; }

  /// The server refuses a new connection for the same stream while it believes in the old one. Only
  /// the kernel could tell it of the end, when all that waits was sent, or once, which is in vain
  /// while the network passes nothing. So an old connection is ended when the next one is there.
  void abandon() override {
    if (!server_->find()) return;
    for (Descriptor& one : server_->unsent(left_)) left_.push_back(std::move(one));
    // The oldest ones go; while the network works, the next connection ends all.
    constexpr size_t most_left = 4;
    if (left_.size() > most_left)
      left_.erase(left_.begin(), left_.end() - static_cast<ptrdiff_t>(most_left));
  }

  /// rtmp2sink of GStreamer 1.22 forgets a connection on which the server refuses the stream: it
  /// stays open in a context that nobody runs any more, and the server waits for its end.
  void take_error(GstMessage*) override {
    const Lock lock(mutex_);
    if (GMainContext* context = g_main_context_get_thread_default(); context && !context_)
      context_.reset(g_main_context_ref(context));
  }
  void closed(Closed) override {
    std::unique_ptr<GMainContext, Call<g_main_context_unref>> context;
    {
      const Lock lock(mutex_);
      context = std::move(context_);
    }
    if (context) end_connections(context.get());
  }

  std::string explain(GstMessage* error) override {
    const std::string where = target_.shown;
    g_autoptr(GError) problem = nullptr;
    g_autofree char* detail = nullptr;
    gst_message_parse_error(error, &problem, &detail);
    if (to_string(detail).find(g_quark_to_string(G_TLS_ERROR)) != std::string::npos)
      return where +
             " has no certificate that this machine trusts: check the name of the server; the "
             "authority of a server of your own is added with update-ca-certificates";
    if (problem && to_string(problem->message).find("stream already exists") != std::string::npos)
      return where +
             " has this stream already: another program sends it, or the server waits for the end "
             "of an earlier connection";
    if (problem && to_string(problem->message).find("timed out") != std::string::npos)
      return where + " does not answer: check the network, and that the server runs";
    if (is_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED))
      return where + " refuses the stream: check the stream key, and that nobody else uses it";
    if (is_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND) ||
        is_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ) ||
        is_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE))
      return "no connection to " + where + ": check the address, and that the server runs";
    if (is_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE))
      return where + " has closed the connection";
    return {};
  }

 private:
  bool accepts() const { return arrived_ > first_buffers; }

  static GstPadProbeReturn count(GstPad*, GstPadProbeInfo*, gpointer data) {
    auto* self = static_cast<RtmpOutput*>(data);
    // The connection is there with these buffers; before them, one that was left may be found.
    if (++self->arrived_ < most_attempts && !self->limited_)
      self->limited_ = self->server_->limit_send_buffers(self->limit_) && self->accepts();
    return GST_PAD_PROBE_OK;
  }

  uint16_t port() const {
    if (target_.port) return target_.port;
    return target_.address.starts_with("rtmps") ? 443 : 1935;
  }

  const Target target_;
  OutputNeeds needs_;
  // Protects the context, which a thread of the element sets; never held while it is used.
  Mutex mutex_;
  std::unique_ptr<GMainContext, Call<g_main_context_unref>> context_ SPHERE_GUARDED_BY(mutex_);
  std::optional<ServerConnections> server_;  // of the present element
  std::vector<Descriptor> left_;             // connections of elements that failed
  std::atomic<unsigned> arrived_ = 0;        // buffers at the sink
  // Of the sink's thread while the element runs.
  int limit_ = 0;
  bool limited_ = false;
};

Result<std::unique_ptr<Output>> make(const Target& target) {
  if (const Status found = check_elements({"flvmux", "rtmp2sink", "h264parse", "aacparse"}); !found)
    return found.error();
  return std::unique_ptr<Output>(new RtmpOutput(target));
}

const OutputRegistration registration(TargetKind::rtmp, make);

}  // namespace

}  // namespace sphere::live
