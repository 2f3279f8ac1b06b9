// SPDX-License-Identifier: LGPL-2.1-or-later
// An RTSP server: players connect to this machine. One stream for all of them.

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/rtsp-server/rtsp-server.h>
#include <gst/video/video-event.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gst/live/output.h"
#include "gst/live/output_parts.h"
#include "gst/sphere/base/loop.h"
#include "gst/sphere/base/thread.h"

namespace sphere::live {

namespace {

constexpr guint most_sessions = 50;
constexpr auto cleaning_interval = std::chrono::seconds(2);
// What is before a player's part of the server; a player that is too slow loses pictures there.
constexpr GstClockTime most_queued = GST_SECOND;
constexpr const char* payload =
    "( appsrc name=pictures is-live=true format=time block=false max-bytes=0 ! h264parse ! "
    "rtph264pay name=pay0 pt=96 config-interval=-1 aggregate-mode=zero-latency ";
constexpr const char* payload_of_sound =
    "appsrc name=tones is-live=true format=time block=false max-bytes=0 ! aacparse ! "
    "rtpmp4gpay name=pay1 pt=97 ";

/// Where the stream goes while players are there. Threads: the stream's two, and the server's. The
/// server's objects may live a little longer than the output, so they share it.
class Media {
 public:
  std::atomic<int> viewers = 0;
  std::atomic<bool> key_wanted = false;  ///< a player has joined those who play

  void set(GstRTSPMedia* media) {
    const GstRef<GstElement> element(gst_rtsp_media_get_element(media));
    const Lock lock(mutex_);
    pictures_.reset(gst_bin_get_by_name_recurse_up(GST_BIN(element.get()), "pictures"));
    tones_.reset(gst_bin_get_by_name_recurse_up(GST_BIN(element.get()), "tones"));
    current_ = media;
    begun_ = false;
  }
  /// The server has dropped it; another one may be there already.
  void clear(GstRTSPMedia* media) {
    const Lock lock(mutex_);
    if (current_ == media) forget();
  }
  void clear() {
    const Lock lock(mutex_);
    forget();
  }
  /// Whether a player waits for a key frame.
  bool waiting() const {
    const Lock lock(mutex_);
    return pictures_ && !begun_;
  }

  void push(bool video, GstSample* sample) {
    GstRef<GstElement> to;
    GstClockTimeDiff moved = 0;
    GstBuffer* buffer = gst_sample_get_buffer(sample);
    {
      const Lock lock(mutex_);
      GstElement* source = video ? pictures_.get() : tones_.get();
      if (!source || !GST_BUFFER_PTS_IS_VALID(buffer)) return;
      if (!begun_) {
        if (!video || GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT)) return;
        // The server's pipeline has a running time of its own. The first picture is due now, and
        // the sound keeps its distance to the pictures.
        const GstRef<GstClock> clock(gst_element_get_clock(source));
        if (!clock) return;
        moved_ = GST_CLOCK_DIFF(GST_BUFFER_PTS(buffer), gst_clock_get_time(clock.get()) -
                                                            gst_element_get_base_time(source));
        begun_ = true;
      }
      moved = moved_;
      to.reset(GST_ELEMENT(gst_object_ref(source)));
    }
    if (gst_app_src_get_current_level_time(GST_APP_SRC(to.get())) > most_queued) {
      const Lock lock(mutex_);
      if (video) begun_ = false;  // on with the next key frame
      return;
    }
    const auto move = [moved](GstClockTime time) {
      if (!GST_CLOCK_TIME_IS_VALID(time)) return time;
      const auto sum = static_cast<GstClockTimeDiff>(time) + moved;
      return sum < 0 ? GST_CLOCK_TIME_NONE : static_cast<GstClockTime>(sum);
    };
    GstBuffer* copy = gst_buffer_copy(buffer);
    GST_BUFFER_PTS(copy) = move(GST_BUFFER_PTS(copy));
    GST_BUFFER_DTS(copy) = move(GST_BUFFER_DTS(copy));
    if (!GST_BUFFER_PTS_IS_VALID(copy)) {
      gst_buffer_unref(copy);
      return;
    }
    const std::unique_ptr<GstSample, MiniObjectUnref> out(
        gst_sample_new(copy, gst_sample_get_caps(sample), nullptr, nullptr));
    gst_buffer_unref(copy);
    gst_app_src_push_sample(GST_APP_SRC(to.get()), out.get());
  }

 private:
  void forget() SPHERE_REQUIRES(mutex_) {
    pictures_.reset();
    tones_.reset();
    current_ = nullptr;
  }

  mutable Mutex mutex_;  // protects all; never held across a push
  GstRTSPMedia* current_ SPHERE_GUARDED_BY(mutex_) = nullptr;  // compared only
  GstRef<GstElement> pictures_ SPHERE_GUARDED_BY(mutex_), tones_ SPHERE_GUARDED_BY(mutex_);
  GstClockTimeDiff moved_ SPHERE_GUARDED_BY(mutex_) = 0;
  bool begun_ SPHERE_GUARDED_BY(mutex_) = false;
};

using SharedMedia = std::shared_ptr<Media>;

void unshare(gpointer data, GClosure*) { delete static_cast<SharedMedia*>(data); }

/// The handler's last argument is a SharedMedia of its own.
void connect(gpointer object, const char* signal, GCallback handler, const SharedMedia& media) {
  g_signal_connect_data(object, signal, handler, new SharedMedia(media), unshare,
                        static_cast<GConnectFlags>(0));
}
Media& shared(gpointer data) { return **static_cast<SharedMedia*>(data); }

class RtspOutput : public Output {
 public:
  explicit RtspOutput(const Target& target) : target_(target), server_(gst_rtsp_server_new()) {
    needs_.audio_purposes = audio_purposes(target);
    needs_.location_purposes = location_purposes(target);
    gst_rtsp_server_set_address(server_.get(), target.host.c_str());
    gst_rtsp_server_set_service(server_.get(), std::to_string(target.port).c_str());
    const ObjectRef<GstRTSPSessionPool> sessions(gst_rtsp_server_get_session_pool(server_.get()));
    gst_rtsp_session_pool_set_max_sessions(sessions.get(), most_sessions);
    // Connections are closed in the thread that serves them; in another the server of 1.22 may
    // close one that is being read.
    const ObjectRef<GstRTSPThreadPool> threads(gst_rtsp_server_get_thread_pool(server_.get()));
    gst_rtsp_thread_pool_set_max_threads(threads.get(), 0);
    connect(server_.get(), "client-connected", G_CALLBACK(client_connected), media_);
  }

  ~RtspOutput() override {
    loop_.later([this] { close(); });
    loop_.stop();
    loop_.drain();
  }

  const OutputNeeds& needs() const override { return needs_; }

  Result<GstElement*> open(const StreamInfo& stream) override {
    set_media(stream.audio);
    if (!listening_) {
      g_autoptr(GError) error = nullptr;
      SourceRef source(gst_rtsp_server_create_source(server_.get(), nullptr, &error));
      if (!source)
        return failed("the port " + std::to_string(target_.port) +
                      " can't be listened on: another program may use it" +
                      (error ? std::string(" (") + error->message + ")" : ""));
      listening_ = Watch(std::move(source), loop_.context());
      port_ = gst_rtsp_server_get_bound_port(server_.get());
      cleaning_ = watch_time(cleaning_interval, loop_.context(), [this] {
        clean();
        return true;
      });
      loop_.start();
    }
    std::string words = "appsink name=video sync=false async=false max-buffers=4 ";
    if (stream.audio) words += "appsink name=audio sync=false async=false max-buffers=16 ";
    Result<GstElement*> bin = make_output_bin(words);
    if (!bin) return bin;
    GstAppSinkCallbacks callbacks = {};
    callbacks.new_sample = [](GstAppSink* sink, gpointer self) {
      return take(sink, static_cast<RtspOutput*>(self), true);
    };
    gst_app_sink_set_callbacks(GST_APP_SINK(child_of(*bin, "video")), &callbacks, this, nullptr);
    if (stream.audio) {
      callbacks.new_sample = [](GstAppSink* sink, gpointer self) {
        return take(sink, static_cast<RtspOutput*>(self), false);
      };
      gst_app_sink_set_callbacks(GST_APP_SINK(child_of(*bin, "audio")), &callbacks, this, nullptr);
    }
    return bin;
  }

  void describe(OutputStatus* status) const override {
    status->viewers = static_cast<unsigned>(std::max(0, media_->viewers.load()));
    const int port = port_;
    if (!port) return;
    std::string host = target_.host;
    if (host == "0.0.0.0" || host == "::") host = g_get_host_name();
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    status->links = {"rtsp://" + host + ":" + std::to_string(port) + target_.path};
  }

 private:
  void set_media(bool sound) {
    // Who plays goes on when the stream is the same.
    if (sound_ == sound) return;
    const bool other = sound_.has_value();
    sound_ = sound;
    GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
    const std::string launch = std::string(payload) + (sound ? payload_of_sound : "") + ")";
    gst_rtsp_media_factory_set_launch(factory, launch.c_str());
    gst_rtsp_media_factory_set_shared(factory, TRUE);
    gst_rtsp_media_factory_set_latency(factory, 0);
    connect(factory, "media-configure", G_CALLBACK(media_configure), media_);
    const auto add = [this, factory] {
      g_autoptr(GstRTSPMountPoints) mounts = gst_rtsp_server_get_mount_points(server_.get());
      gst_rtsp_mount_points_add_factory(mounts, target_.path.c_str(), factory);
    };
    if (!other) return add();
    // The players that there are have another description of the stream: they ask again.
    loop_.later([this, add] {
      close_players();
      add();
    });
  }

  static GstFlowReturn take(GstAppSink* sink, RtspOutput* self, bool video) {
    GstSample* sample = gst_app_sink_pull_sample(sink);
    if (!sample) return GST_FLOW_OK;
    // A player that has just come does not wait for the next key frame of its own.
    const bool joined = video && self->media_->key_wanted.exchange(false);
    if (joined ||
        (video && self->media_->waiting() &&
         GST_BUFFER_FLAG_IS_SET(gst_sample_get_buffer(sample), GST_BUFFER_FLAG_DELTA_UNIT))) {
      const GstRef<GstPad> pad(gst_element_get_static_pad(GST_ELEMENT(sink), "sink"));
      gst_pad_push_event(pad.get(),
                         gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
    }
    self->media_->push(video, sample);
    gst_sample_unref(sample);
    return GST_FLOW_OK;
  }

  static void media_configure(GstRTSPMediaFactory*, GstRTSPMedia* media, gpointer data) {
    shared(data).set(media);
    connect(media, "unprepared",
            G_CALLBACK(+[](GstRTSPMedia* gone, gpointer of) { shared(of).clear(gone); }),
            *static_cast<SharedMedia*>(data));
  }

  static void client_connected(GstRTSPServer*, GstRTSPClient* client, gpointer data) {
    ++shared(data).viewers;
    connect(client, "play-request", G_CALLBACK(+[](GstRTSPClient*, GstRTSPContext*, gpointer of) {
              shared(of).key_wanted = true;
            }),
            *static_cast<SharedMedia*>(data));
    connect(client, "closed",
            G_CALLBACK(+[](GstRTSPClient*, gpointer of) { --shared(of).viewers; }),
            *static_cast<SharedMedia*>(data));
  }

  // The next ones in the server's thread.

  void clean() {
    const ObjectRef<GstRTSPSessionPool> pool(gst_rtsp_server_get_session_pool(server_.get()));
    gst_rtsp_session_pool_cleanup(pool.get());
  }

  void close() {
    listening_.stop();
    cleaning_.stop();
    close_players();
    media_->clear();
  }

  void close_players() {
    const ObjectRef<GstRTSPSessionPool> pool(gst_rtsp_server_get_session_pool(server_.get()));
    gst_rtsp_session_pool_filter(
        pool.get(),
        [](GstRTSPSessionPool*, GstRTSPSession*, gpointer) { return GST_RTSP_FILTER_REMOVE; },
        nullptr);
    gst_rtsp_server_client_filter(
        server_.get(),
        [](GstRTSPServer*, GstRTSPClient*, gpointer) { return GST_RTSP_FILTER_REMOVE; }, nullptr);
  }

  const Target target_;
  OutputNeeds needs_;
  LoopThread loop_;
  ObjectRef<GstRTSPServer> server_;
  Watch listening_, cleaning_;
  const SharedMedia media_ = std::make_shared<Media>();
  std::optional<bool> sound_;  ///< of the present factory
  std::atomic<int> port_ = 0;
};

Result<std::unique_ptr<Output>> make(const Target& target) {
  if (const Status known = check_settings(target, {}); !known) return known.error();
  if (const Status found = check_elements({"rtph264pay", "rtpmp4gpay", "h264parse", "aacparse"});
      !found)
    return found.error();
  return std::unique_ptr<Output>(new RtspOutput(target));
}

const OutputRegistration registration(TargetKind::rtsp, make);

}  // namespace

}  // namespace sphere::live
