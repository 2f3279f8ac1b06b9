// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/emulator/preview.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <utility>

#include "gst/sphere/base/thread.h"

namespace sphere::emulator {

using namespace std::chrono_literals;

namespace {

constexpr auto closed_time = 1s;
constexpr guint most_content = 64 << 10;
constexpr gint unacknowledged_ms = 4000;

/// The number of "track1" is 0; cameras use this name for their only track.
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

/// A reference for a C callback, which owns it.
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
  Shared(const PreviewSettings& settings, GMainContext* context, GstRTSPServer* of)
      : scene(settings.scene),
        change_answer(settings.change_answer),
        context(g_main_context_ref(context)),
        faults(settings.faults) {
    g_weak_ref_init(&weak_server, of);
  }
  ~Shared() {
    g_weak_ref_clear(&weak_server);
    g_main_context_unref(context);
  }

  /// Called in the thread of the connections.
  void cut() {
    const ObjectRef<GstRTSPServer> server(
        static_cast<GstRTSPServer*>(g_weak_ref_get(&weak_server)));
    if (!server) return;
    // Streams are ended first, so that none sends over a connection that is being closed.
    const ObjectRef<GstRTSPSessionPool> pool(gst_rtsp_server_get_session_pool(server.get()));
    gst_rtsp_session_pool_filter(pool.get(), drop_session, nullptr);
    gst_rtsp_server_client_filter(server.get(), drop_client, nullptr);
  }

  std::optional<Fault> fault(const FaultInfo& kind) {
    const Lock lock(mutex);
    return find_fault(faults, kind);
  }

  const SceneSettings scene;
  const std::function<void(GstRTSPMessage*)> change_answer;
  GMainContext* const context;
  // Not a counted reference: the server owns the factory, and the factory refers to this object.
  GWeakRef weak_server;
  std::atomic<unsigned> packets = 0;
  std::atomic<int> pictures = 0;
  Mutex mutex;  // protects what follows; the innermost
  std::vector<int> tracks SPHERE_GUARDED_BY(mutex);
  std::vector<Fault> faults SPHERE_GUARDED_BY(mutex);

  static GstPadProbeReturn lose_packet(GstPad*, GstPadProbeInfo* info, gpointer data) {
    Shared& self = shared<Shared>(data);
    const std::optional<Fault> loss = self.fault(faults::rtp_loss),
                               mtu = self.fault(faults::rtp_mtu);
    if (!loss && !mtu) return GST_PAD_PROBE_OK;
    const unsigned percent = loss ? static_cast<unsigned>(loss->n) : 0;
    const size_t longest = mtu ? static_cast<size_t>(mtu->n) : G_MAXSIZE;
    // Drops the same packets in each run, with a pattern that does not coincide with key frames.
    const auto lost = [&](GstBuffer* packet) {
      return !is_rtcp(packet) && (gst_buffer_get_size(packet) > longest ||
                                  (self.packets++ * 2654435761u >> 16) % 100 < percent);
    };
    if (!(GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST))
      return lost(GST_PAD_PROBE_INFO_BUFFER(info)) ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
    GstBufferList* list = gst_buffer_list_make_writable(GST_PAD_PROBE_INFO_BUFFER_LIST(info));
    for (guint i = gst_buffer_list_length(list); i-- > 0;)
      if (lost(gst_buffer_list_get(list, i))) gst_buffer_list_remove(list, i, 1);
    GST_PAD_PROBE_INFO_DATA(info) = list;
    return gst_buffer_list_length(list) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
  }

  /// Packets are only lost over UDP. The elements that send over UDP are added when a client uses
  /// it.
  static void lose_from(GstBin*, GstBin*, GstElement* element, gpointer data) {
    GstElementFactory* factory = gst_element_get_factory(element);
    if (to_string(factory ? GST_OBJECT_NAME(factory) : nullptr) != "multiudpsink") return;
    const GstRef<GstPad> pad(gst_element_get_static_pad(element, "sink"));
    gst_pad_add_probe(
        pad.get(),
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
        lose_packet, share(*static_cast<std::shared_ptr<Shared>*>(data)), unshare<Shared>);
  }

  /// A camera tells when it has seen a picture. By itself rtpbin would tell when it sends it, and
  /// so shift pictures against sound by the time that they take to be drawn and encoded.
  static void set_times(GstBin*, GstBin*, GstElement* element, gpointer) {
    GstElementFactory* factory = gst_element_get_factory(element);
    if (to_string(factory ? GST_OBJECT_NAME(factory) : nullptr) == "rtpbin")
      g_object_set(element, "rtcp-sync-send-time", FALSE, nullptr);
  }

  /// A live source that is late at its begin has its first picture at that later time. The sound,
  /// which has begun already, continues as if it had begun with that picture.
  static GstPadProbeReturn begin_sound(GstPad* pad, GstPadProbeInfo* info, gpointer sound) {
    const EventRef event(gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0));
    if (!event) return GST_PAD_PROBE_OK;
    const GstSegment* segment = nullptr;
    gst_event_parse_segment(event.get(), &segment);
    const GstClockTime time = gst_segment_to_running_time(
        segment, GST_FORMAT_TIME, GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)));
    if (GST_CLOCK_TIME_IS_VALID(time))
      g_object_set(sound, "timestamp-offset", static_cast<gint64>(time), nullptr);
    return GST_PAD_PROBE_REMOVE;
  }

  static GstPadProbeReturn count_picture(GstPad*, GstPadProbeInfo*, gpointer data) {
    Shared& self = shared<Shared>(data);
    const std::optional<Fault> gone = self.fault(faults::rtsp_gone);
    if (!gone || ++self.pictures != gone->n) return GST_PAD_PROBE_OK;
    // Not called directly, because cutting waits for this thread.
    const std::weak_ptr<Shared> weak = *static_cast<std::shared_ptr<Shared>*>(data);
    later(self.context, [weak] {
      if (const auto kept = weak.lock()) kept->cut();
    });
    return GST_PAD_PROBE_OK;
  }
};

Preview::Preview(const PreviewSettings& settings)
    : host_(settings.host),
      port_(settings.port),
      idle_time_(settings.idle_time),
      server_(gst_rtsp_server_new()),
      shared_(std::make_shared<Shared>(settings, loop_.context(), server_.get())) {}

Result<std::unique_ptr<Preview>> Preview::start(const PreviewSettings& settings) {
  std::unique_ptr<Preview> preview(new Preview(settings));
  GstRTSPServer* server = preview->server_.get();
  gst_rtsp_server_set_content_length_limit(server, most_content);
  const ObjectRef<GstRTSPSessionPool> sessions(gst_rtsp_server_get_session_pool(server));
  gst_rtsp_session_pool_set_max_sessions(sessions.get(), most_connections);
  // Connections are closed in the thread that serves them. If another thread does it, the server of
  // GStreamer 1.22 closes a connection that is being read.
  const ObjectRef<GstRTSPThreadPool> threads(gst_rtsp_server_get_thread_pool(server));
  gst_rtsp_thread_pool_set_max_threads(threads.get(), 0);

  std::string launch = "( " + live_video(settings.scene) +
                       " ! rtph264pay name=pay0 pt=96 mtu=1448 config-interval=-1";
  if (settings.scene.sound)
    launch +=
        " audiotestsrc name=sound is-live=true wave=ticks ! audio/x-raw,rate=48000,channels=2 ! "
        "avenc_aac ! rtpmp4gpay name=pay1 pt=97";
  launch += " )";

  GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
  gst_rtsp_media_factory_set_launch(factory, launch.c_str());
  gst_rtsp_media_factory_set_shared(factory, TRUE);
  g_signal_connect_data(factory, "media-configure", G_CALLBACK(media_configure),
                        share(preview->shared_), unshare_closure<Shared>,
                        static_cast<GConnectFlags>(0));
  g_autoptr(GstRTSPMountPoints) mounts = gst_rtsp_server_get_mount_points(server);
  gst_rtsp_mount_points_add_factory(mounts, settings.mount_point.c_str(), factory);  // takes it
  g_signal_connect(server, "client-connected", G_CALLBACK(client_connected), preview.get());

  // Removes sessions of clients that disappeared.
  const auto cleaning_interval =
      std::min<std::chrono::milliseconds>(2s, std::chrono::milliseconds(settings.idle_time) / 2);
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
  // Set only once: after a restart it is the same, and other threads read it.
  if (port_ == 0) port_ = listener_->port();
  return ok();
}

// Not the server's own source, which uses a whole core when there are no free descriptors.
void Preview::accept(ObjectRef<GSocket> socket) {
  GList* clients = gst_rtsp_server_client_filter(server_.get(), nullptr, nullptr);
  const guint open = g_list_length(clients);
  g_list_free_full(clients, g_object_unref);
  if (open >= most_connections) return;
  // Pictures for a viewer that has vanished would hold up those for all others.
  g_socket_set_option(socket.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, unacknowledged_ms, nullptr);
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
  if (shared->change_answer)
    g_signal_connect_data(
        client, "send-message",
        G_CALLBACK(+[](GstRTSPClient*, GstRTSPContext*, GstRTSPMessage* message, gpointer data) {
          sphere::emulator::shared<Shared>(data).change_answer(message);
        }),
        share(shared), unshare_closure<Shared>, static_cast<GConnectFlags>(0));
  for (const auto& [signal, handler] :
       {std::pair("pre-describe-request", G_CALLBACK(before_describe)),
        std::pair("pre-setup-request", G_CALLBACK(before_setup)),
        std::pair("pre-play-request", G_CALLBACK(before_play))})
    g_signal_connect_data(client, signal, handler, share(shared), unshare_closure<Shared>,
                          static_cast<GConnectFlags>(0));
}

void Preview::client_closed(GstRTSPClient* client, gpointer data) {
  auto* self = static_cast<Preview*>(data);
  self->closed_.remove_if([](const Watch& timer) { return !timer; });
  const std::shared_ptr<GstRTSPClient> kept(GST_RTSP_CLIENT(g_object_ref(client)), g_object_unref);
  // With a low priority, so that calls which GStreamer has added to the loop before are executed
  // first, even if the loop was busy for a long time.
  self->closed_.push_back(watch_time(
      closed_time, self->loop_.context(), [kept] { return false; }, G_PRIORITY_LOW));
}

GstRTSPStatusCode Preview::before_describe(GstRTSPClient*, GstRTSPContext*, gpointer data) {
  Shared& self = shared<Shared>(data);
  if (self.fault(faults::rtsp_404)) return GST_RTSP_STS_NOT_FOUND;
  if (self.fault(faults::rtsp_401)) return GST_RTSP_STS_UNAUTHORIZED;
  return GST_RTSP_STS_OK;
}

GstRTSPStatusCode Preview::before_setup(GstRTSPClient*, GstRTSPContext* context, gpointer data) {
  Shared& self = shared<Shared>(data);
  const int track = track_of(context->uri);
  if (track >= 0) {
    const Lock lock(self.mutex);
    if (self.tracks.size() < most_tracks) self.tracks.push_back(track);
  }
  return self.fault(faults::rtsp_453) ? GST_RTSP_STS_NOT_ENOUGH_BANDWIDTH : GST_RTSP_STS_OK;
}

/// A camera's description tells a range from 0, so clients ask for it. Live pictures have no
/// beginning to go to, and the server would try.
GstRTSPStatusCode Preview::before_play(GstRTSPClient*, GstRTSPContext* context, gpointer) {
  gst_rtsp_message_remove_header(context->request, GST_RTSP_HDR_RANGE, -1);
  return GST_RTSP_STS_OK;
}

void Preview::set_faults(const std::vector<Fault>& faults) {
  const Lock lock(shared_->mutex);
  const auto gone = [](const std::vector<Fault>& all) {
    const std::optional<Fault> fault = find_fault(all, faults::rtsp_gone);
    return fault ? fault->n : -1;
  };
  // Pictures are counted from when the fault was wanted.
  if (gone(faults) != gone(shared_->faults)) shared_->pictures = 0;
  shared_->faults = faults;
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
  // Without pictures, the media can't be prepared, and the client gets an error.
  (void)feed_scene(GST_BIN(element.get()), kept->scene);
  const GstRef<GstElement> payloader(
      gst_bin_get_by_name_recurse_up(GST_BIN(element.get()), "pay0"));
  if (!payloader) return;
  const GstRef<GstPad> in(gst_element_get_static_pad(payloader.get(), "sink"));
  // Always, because these faults may come while it runs.
  gst_pad_add_probe(in.get(), GST_PAD_PROBE_TYPE_BUFFER, Shared::count_picture, share(kept),
                    unshare<Shared>);
  if (GstElement* sound = gst_bin_get_by_name_recurse_up(GST_BIN(element.get()), "sound"))
    gst_pad_add_probe(in.get(), GST_PAD_PROBE_TYPE_BUFFER, Shared::begin_sound, sound,
                      gst_object_unref);
  const GstRef<GstObject> pipeline(gst_object_get_parent(GST_OBJECT(element.get())));
  if (!pipeline) return;
  g_signal_connect(pipeline.get(), "deep-element-added", G_CALLBACK(Shared::set_times), nullptr);
  g_signal_connect_data(pipeline.get(), "deep-element-added", G_CALLBACK(Shared::lose_from),
                        share(kept), unshare_closure<Shared>, static_cast<GConnectFlags>(0));
}

}  // namespace sphere::emulator
