// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/emulator/preview.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <utility>

#include "gst/sphere/base/thread.h"

namespace sphere::emulator {

using namespace std::chrono_literals;

namespace {

constexpr const char* mount_point = "/live";
constexpr GstClockTime media_deadline = 20 * GST_SECOND;
constexpr auto closed_time = 1s;
constexpr guint most_content = 64 << 10;

// As the sister camera's: Main profile, a key frame every 8 pictures, 1.5 Mbit/s, no B-frames. One
// thread makes one slice a picture, as a camera's chip does; of a key frame in slices, the
// payloader would make several pictures, with parameter sets before each.
constexpr const char* encoder =
    " ! x264enc tune=zerolatency bframes=0 key-int-max=8 bitrate=1500 speed-preset=ultrafast "
    "cabac=true threads=1 ! video/x-h264,profile=main";

Status wait_for_end(GstElement* pipeline) {
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline));
  const MessageRef message(gst_bus_timed_pop_filtered(
      bus.get(), media_deadline, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  if (!message) return failed("the emulator's encoder takes too long");
  if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) return ok();
  g_autoptr(GError) error = nullptr;
  gst_message_parse_error(message.get(), &error, nullptr);
  return failed(std::string("the emulator can't take a picture: ") + error->message);
}

Result<GstElement*> make_pipeline(const std::string& line) {
  g_autoptr(GError) error = nullptr;
  GstElement* pipeline =
      gst_parse_launch_full(line.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (!pipeline)
    return failed(std::string("the emulator can't draw its scene: ") +
                  (error ? error->message : "unknown reason"));
  gst_object_ref_sink(pipeline);
  return pipeline;
}

/// "track1", which the sister camera's only one is called, is 0.
std::string track_name(guint index) { return "track" + std::to_string(index + 1); }
int track_of(const GstRTSPUrl* url) {
  const char* slash = url ? strrchr(url->abspath, '/') : nullptr;
  for (guint index = 0; slash && index < 2; ++index)
    if (slash + 1 == track_name(index)) return static_cast<int>(index);
  return -1;
}

/// RTP and RTCP share no payload types.
bool is_rtcp(GstBuffer* buffer) {
  guint8 type = 0;
  return gst_buffer_extract(buffer, 1, &type, 1) == 1 && type >= 192 && type < 224;
}

GstRTSPFilterResult drop_client(GstRTSPServer*, GstRTSPClient*, gpointer) {
  return GST_RTSP_FILTER_REMOVE;
}
GstRTSPFilterResult drop_session(GstRTSPSessionPool*, GstRTSPSession*, gpointer) {
  return GST_RTSP_FILTER_REMOVE;
}

/// A reference that a C callback owns.
template <typename T>
gpointer share(const std::shared_ptr<T>& shared) {
  return new std::shared_ptr<T>(shared);
}
template <typename T>
T& shared(gpointer data) {
  return **static_cast<std::shared_ptr<T>*>(data);
}
template <typename T>
void unshare(gpointer data) {
  delete static_cast<std::shared_ptr<T>*>(data);
}
template <typename T>
void unshare_closure(gpointer data, GClosure*) {
  unshare<T>(data);
}

}  // namespace

struct Preview::Shared {
  Shared(const SceneSettings& scene, const std::vector<Fault>& faults, GMainContext* context,
         GstRTSPServer* of)
      : scene(scene), faults(faults), context(g_main_context_ref(context)) {
    g_weak_ref_init(&weak_server, of);
  }
  ~Shared() {
    g_weak_ref_clear(&weak_server);
    g_main_context_unref(context);
  }

  /// In the thread of the connections.
  void cut() {
    const ObjectRef<GstRTSPServer> server(
        static_cast<GstRTSPServer*>(g_weak_ref_get(&weak_server)));
    if (!server) return;
    // Streams first, so that none sends over a connection that is being closed.
    const ObjectRef<GstRTSPSessionPool> pool(gst_rtsp_server_get_session_pool(server.get()));
    gst_rtsp_session_pool_filter(pool.get(), drop_session, nullptr);
    gst_rtsp_server_client_filter(server.get(), drop_client, nullptr);
  }

  const SceneSettings scene;
  const std::vector<Fault> faults;
  GMainContext* const context;
  // The server has the factory, and the factory has this.
  GWeakRef weak_server;
  std::atomic<unsigned> packets = 0;
  std::atomic<int> pictures = 0;
  Mutex mutex;  // protects what follows; the innermost
  std::vector<int> tracks SPHERE_GUARDED_BY(mutex);

  static GstPadProbeReturn lose_packet(GstPad*, GstPadProbeInfo* info, gpointer data) {
    Shared& self = shared<Shared>(data);
    const unsigned percent = static_cast<unsigned>(find_fault(self.faults, FaultKind::rtp_loss)->n);
    // The same packets in each run, without a pattern that falls together with key frames.
    const auto lost = [&](GstBuffer* packet) {
      return !is_rtcp(packet) && (self.packets++ * 2654435761u >> 16) % 100 < percent;
    };
    if (!(GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST))
      return lost(GST_PAD_PROBE_INFO_BUFFER(info)) ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
    GstBufferList* list = gst_buffer_list_make_writable(GST_PAD_PROBE_INFO_BUFFER_LIST(info));
    for (guint i = gst_buffer_list_length(list); i-- > 0;)
      if (lost(gst_buffer_list_get(list, i))) gst_buffer_list_remove(list, i, 1);
    GST_PAD_PROBE_INFO_DATA(info) = list;
    return gst_buffer_list_length(list) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
  }

  /// The elements that send over UDP come when a client wants that; TCP loses nothing.
  static void lose_from(GstBin*, GstBin*, GstElement* element, gpointer data) {
    GstElementFactory* factory = gst_element_get_factory(element);
    if (to_string(factory ? GST_OBJECT_NAME(factory) : nullptr) != "multiudpsink") return;
    const GstRef<GstPad> pad(gst_element_get_static_pad(element, "sink"));
    gst_pad_add_probe(
        pad.get(),
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
        lose_packet, share(*static_cast<std::shared_ptr<Shared>*>(data)), unshare<Shared>);
  }

  static GstPadProbeReturn count_picture(GstPad*, GstPadProbeInfo*, gpointer data) {
    Shared& self = shared<Shared>(data);
    if (++self.pictures != find_fault(self.faults, FaultKind::rtsp_gone)->n)
      return GST_PAD_PROBE_OK;
    // Not from here: this is the thread that a cut waits for.
    const std::weak_ptr<Shared> weak = *static_cast<std::shared_ptr<Shared>*>(data);
    later(self.context, [weak] {
      if (const auto kept = weak.lock()) kept->cut();
    });
    return GST_PAD_PROBE_OK;
  }
};

Preview::Preview(const SceneSettings& scene, const std::vector<Fault>& faults,
                 const std::string& host, uint16_t port, std::chrono::seconds idle_time)
    : host_(host),
      port_(port),
      idle_time_(idle_time),
      server_(gst_rtsp_server_new()),
      shared_(std::make_shared<Shared>(scene, faults, loop_.context(), server_.get())) {}

Result<std::unique_ptr<Preview>> Preview::start(const SceneSettings& scene,
                                                const std::vector<Fault>& faults,
                                                const std::string& host, uint16_t port,
                                                std::chrono::seconds idle_time) {
  std::unique_ptr<Preview> preview(new Preview(scene, faults, host, port, idle_time));
  GstRTSPServer* server = preview->server_.get();
  gst_rtsp_server_set_content_length_limit(server, most_content);
  const ObjectRef<GstRTSPSessionPool> sessions(gst_rtsp_server_get_session_pool(server));
  gst_rtsp_session_pool_set_max_sessions(sessions.get(), most_connections);
  // Clients are served where they are cut off. From another thread the server of GStreamer 1.22
  // closes a connection that is being read.
  const ObjectRef<GstRTSPThreadPool> threads(gst_rtsp_server_get_thread_pool(server));
  gst_rtsp_thread_pool_set_max_threads(threads.get(), 0);

  std::string launch = "( " + live_scene(scene) + encoder +
                       " ! rtph264pay name=pay0 pt=96 mtu=1448 config-interval=-1";
  if (scene.sound)
    launch +=
        " audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=48000,channels=2 ! "
        "avenc_aac ! rtpmp4gpay name=pay1 pt=97";
  launch += " )";

  GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
  gst_rtsp_media_factory_set_launch(factory, launch.c_str());
  gst_rtsp_media_factory_set_shared(factory, TRUE);
  g_signal_connect_data(factory, "media-configure", G_CALLBACK(media_configure),
                        share(preview->shared_), unshare_closure<Shared>,
                        static_cast<GConnectFlags>(0));
  g_autoptr(GstRTSPMountPoints) mounts = gst_rtsp_server_get_mount_points(server);
  gst_rtsp_mount_points_add_factory(mounts, mount_point, factory);  // takes it
  g_signal_connect(server, "client-connected", G_CALLBACK(client_connected), preview.get());

  // Of clients that went without a word.
  const auto cleaning_interval =
      std::min<std::chrono::milliseconds>(2s, std::chrono::milliseconds(idle_time) / 2);
  preview->cleaning_ =
      watch_time(cleaning_interval, preview->loop_.context(), [self = preview.get()] {
        const ObjectRef<GstRTSPSessionPool> pool(
            gst_rtsp_server_get_session_pool(self->server_.get()));
        gst_rtsp_session_pool_cleanup(pool.get());
        self->close_idle();
        return true;
      });
  if (const Status status = preview->attach(); !status) return status.error();
  preview->loop_.start();
  return preview;
}

Preview::~Preview() {
  loop_.stop();
  cleaning_.stop();
  listener_.reset();
  shared_->cut();
  loop_.drain();
  closed_.clear();
  g_signal_handlers_disconnect_by_data(server_.get(), this);
}

Status Preview::attach() {
  auto listener = Listener::open(host_, port_, loop_.context(),
                                 [this](ObjectRef<GSocket> socket) { accept(std::move(socket)); });
  if (!listener) return listener.error();
  listener_ = std::move(*listener);
  // Settled once: after a restart it is the same, and others read it.
  if (port_ == 0) port_ = listener_->port();
  return ok();
}

// Not the server's own source: where there is no descriptor left, that takes a whole core.
void Preview::accept(ObjectRef<GSocket> socket) {
  GList* clients = gst_rtsp_server_client_filter(server_.get(), nullptr, nullptr);
  const guint open = g_list_length(clients);
  g_list_free_full(clients, g_object_unref);
  if (open >= most_connections) return;
  const std::string address = remote_address_of(socket.get());
  if (!address.empty())
    gst_rtsp_server_transfer_connection(server_.get(), socket.release(), address.c_str(), port_,
                                        nullptr);
}

void Preview::close_idle() {
  const auto now = std::chrono::microseconds(g_get_monotonic_time());
  std::map<GstRTSPClient*, std::chrono::microseconds> idle;
  GList* clients = gst_rtsp_server_client_filter(server_.get(), nullptr, nullptr);
  for (GList* l = clients; l; l = l->next) {
    auto* client = static_cast<GstRTSPClient*>(l->data);
    GList* sessions = gst_rtsp_client_session_filter(client, nullptr, nullptr);
    if (!sessions) {
      const auto known = idle_.find(client);
      const auto since = known == idle_.end() ? now : known->second;
      if (now - since < idle_time_)
        idle.emplace(client, since);
      else
        gst_rtsp_client_close(client);
    }
    g_list_free_full(sessions, g_object_unref);
  }
  g_list_free_full(clients, g_object_unref);
  idle_ = std::move(idle);
}

void Preview::cut() {
  loop_.later([this] { shared_->cut(); });
}

void Preview::close() {
  loop_.ask<bool>([this] {
    listener_.reset();
    shared_->cut();
    return true;
  });
}

Status Preview::listen() {
  return loop_.ask<Status>([this] { return attach(); });
}

void Preview::client_connected(GstRTSPServer*, GstRTSPClient* client, gpointer self) {
  const auto& shared = static_cast<Preview*>(self)->shared_;
  g_signal_connect(client, "closed", G_CALLBACK(client_closed), self);
  for (const auto& [signal, handler] :
       {std::pair("pre-describe-request", G_CALLBACK(before_describe)),
        std::pair("pre-setup-request", G_CALLBACK(before_setup))})
    g_signal_connect_data(client, signal, handler, share(shared), unshare_closure<Shared>,
                          static_cast<GConnectFlags>(0));
}

void Preview::client_closed(GstRTSPClient* client, gpointer data) {
  auto* self = static_cast<Preview*>(data);
  self->closed_.remove_if([](const Watch& timer) { return !timer; });
  const std::shared_ptr<GstRTSPClient> kept(GST_RTSP_CLIENT(g_object_ref(client)), g_object_unref);
  // Behind what was asked by then, however long the loop was busy.
  self->closed_.push_back(watch_time(
      closed_time, self->loop_.context(), [kept] { return false; }, G_PRIORITY_LOW));
}

GstRTSPStatusCode Preview::before_describe(GstRTSPClient*, GstRTSPContext*, gpointer data) {
  const auto& faults = shared<Shared>(data).faults;
  if (find_fault(faults, FaultKind::rtsp_404)) return GST_RTSP_STS_NOT_FOUND;
  if (find_fault(faults, FaultKind::rtsp_401)) return GST_RTSP_STS_UNAUTHORIZED;
  return GST_RTSP_STS_OK;
}

GstRTSPStatusCode Preview::before_setup(GstRTSPClient*, GstRTSPContext* context, gpointer data) {
  Shared& self = shared<Shared>(data);
  const int track = track_of(context->uri);
  if (track >= 0) {
    const Lock lock(self.mutex);
    if (self.tracks.size() < most_tracks) self.tracks.push_back(track);
  }
  return find_fault(self.faults, FaultKind::rtsp_453) ? GST_RTSP_STS_NOT_ENOUGH_BANDWIDTH
                                                      : GST_RTSP_STS_OK;
}

std::vector<int> Preview::tracks() const {
  const Lock lock(shared_->mutex);
  return shared_->tracks;
}

void Preview::media_configure(GstRTSPMediaFactory*, GstRTSPMedia* media, gpointer data) {
  const auto& kept = *static_cast<std::shared_ptr<Shared>*>(data);
  const GstRef<GstElement> element(gst_rtsp_media_get_element(media));
  for (guint i = 0; i < gst_rtsp_media_n_streams(media); ++i)
    gst_rtsp_stream_set_control(gst_rtsp_media_get_stream(media, i), track_name(i).c_str());
  // One that gets no pictures can't be prepared, which its client hears.
  (void)feed_scene(GST_BIN(element.get()), kept->scene);
  const GstRef<GstElement> payloader(
      gst_bin_get_by_name_recurse_up(GST_BIN(element.get()), "pay0"));
  if (!payloader) return;
  const GstRef<GstPad> in(gst_element_get_static_pad(payloader.get(), "sink"));
  if (find_fault(kept->faults, FaultKind::rtsp_gone))
    gst_pad_add_probe(in.get(), GST_PAD_PROBE_TYPE_BUFFER, Shared::count_picture, share(kept),
                      unshare<Shared>);
  const GstRef<GstObject> pipeline(gst_object_get_parent(GST_OBJECT(element.get())));
  if (pipeline && find_fault(kept->faults, FaultKind::rtp_loss))
    g_signal_connect_data(pipeline.get(), "deep-element-added", G_CALLBACK(Shared::lose_from),
                          share(kept), unshare_closure<Shared>, static_cast<GConnectFlags>(0));
}

Status take_photo(const SceneSettings& scene, const Descriptor& file) {
  const Result<GstElement*> made =
      make_pipeline(single_picture(scene, 3456, 1728) +
                    " ! jpegenc snapshot=true ! fdsink fd=" + std::to_string(file.get()));
  if (!made) return made.error();
  const GstRef<GstElement> pipeline(*made);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  Status status = wait_for_end(pipeline.get());
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return status;
}

Result<std::unique_ptr<Recording>> Recording::start(const SceneSettings& scene, Descriptor file) {
  const Result<GstElement*> made =
      make_pipeline(live_scene(scene) + encoder +
                    " ! h264parse ! mp4mux ! fdsink fd=" + std::to_string(file.get()));
  if (!made) return made.error();
  std::unique_ptr<Recording> recording(new Recording(*made, std::move(file)));
  if (const Status fed = feed_scene(GST_BIN(*made), scene); !fed) return fed.error();
  if (gst_element_set_state(*made, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    return failed("the emulator can't record");
  return recording;
}

Status check_elements(const SceneSettings& scene, bool preview) {
  // What brings it, in Debian's names.
  struct Element {
    const char *name, *package;
    bool needed;
  };
  constexpr const char *base = "gstreamer1.0-plugins-base", *good = "gstreamer1.0-plugins-good";
  const bool file = !scene.file.empty();
  const Element elements[] = {
      {"spheretestsrc", "gst-sphere itself (is GST_PLUGIN_PATH set?)", !file},
      {"appsrc", base, file},
      {"decodebin", base, file},
      {"videoconvert", base, file},
      {"videoscale", base, file},
      {"videorate", base, file},
      {"x264enc", "gstreamer1.0-plugins-ugly", true},
      {"jpegenc", good, true},
      {"h264parse", "gstreamer1.0-plugins-bad", true},
      {"mp4mux", good, true},
      {"rtph264pay", good, preview},
      {"rtpbin", good, preview},
      {"udpsrc", good, preview},
      {"multiudpsink", good, preview},
      {"audiotestsrc", base, preview && scene.sound},
      {"avenc_aac", "gstreamer1.0-libav", preview && scene.sound},
      {"rtpmp4gpay", good, preview && scene.sound},
  };
  std::string missing, install;
  for (const Element& element : elements) {
    if (!element.needed) continue;
    const GstRef<GstElementFactory> factory(gst_element_factory_find(element.name));
    if (factory) continue;
    missing += (missing.empty() ? "" : ", ") + std::string(element.name);
    if (install.find(element.package) == std::string::npos)
      install += (install.empty() ? "" : ", ") + std::string(element.package);
  }
  if (missing.empty()) return ok();
  return not_found("GStreamer has no " + missing +
                   " here, without which there are no pictures; "
                   "install " +
                   install);
}

Recording::~Recording() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

Status Recording::finish() {
  gst_element_send_event(pipeline_.get(), gst_event_new_eos());
  return wait_for_end(pipeline_.get());
}

}  // namespace sphere::emulator
