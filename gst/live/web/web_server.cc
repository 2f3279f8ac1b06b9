// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/web_server.h"

#include <libsoup/soup.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <optional>
#include <string_view>

#include "gst/live/web/access.h"
#include "gst/live/web/addresses.h"
#include "gst/live/web/certificate.h"
#include "gst/live/web/connections.h"
#include "gst/live/web/fragment_server.h"
#include "gst/live/web/offer.h"
#include "gst/live/web/page_files.h"
#include "gst/live/web/viewer_slots.h"
#include "gst/sphere/base/json_writer.h"
#include "gst/sphere/base/loop.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/base/thread.h"

namespace sphere::live {

namespace {

constexpr auto tick_interval = std::chrono::seconds(1);
constexpr guint too_many_requests = 429;  // RFC 6585; libsoup has no name for it
/// If no picture comes for this long, the camera counts as lost.
constexpr gint64 longest_pause = 2 * G_USEC_PER_SEC;
constexpr std::string_view connections_path = "/whep/";

/// All browsers but one need `blob:` for a page that passes the stream to the video element itself.
constexpr const char* content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'";
constexpr const char* permissions =
    "accelerometer=(self), gyroscope=(self), magnetometer=(self), fullscreen=(self), "
    "xr-spatial-tracking=(self), screen-wake-lock=(self), camera=(), microphone=(), "
    "geolocation=(), display-capture=(), payment=(), usb=()";

constexpr std::pair<const char*, const char*> safety_headers[] = {
    {"Content-Security-Policy", content_policy},
    {"Permissions-Policy", permissions},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-cache"},
};

std::string_view header(SoupServerMessage* message, const char* name) {
  const char* value =
      soup_message_headers_get_one(soup_server_message_get_request_headers(message), name);
  return value ? std::string_view(value) : std::string_view();
}

void set_header(SoupServerMessage* message, const char* name, const std::string& value) {
  soup_message_headers_replace(soup_server_message_get_response_headers(message), name,
                               value.c_str());
}

void answer(SoupServerMessage* message, guint status, const char* type = nullptr,
            std::string_view body = {}) {
  soup_server_message_set_status(message, status, nullptr);
  if (type && std::string_view(soup_server_message_get_method(message)) == "HEAD") {
    set_header(message, "Content-Type", type);
    soup_message_headers_set_content_length(soup_server_message_get_response_headers(message),
                                            static_cast<goffset>(body.size()));
  } else if (type) {
    soup_server_message_set_response(message, type, SOUP_MEMORY_COPY, body.data(), body.size());
  }
}

/// A sentence for the person or the program that asked.
void say(SoupServerMessage* message, guint status, std::string_view sentence) {
  answer(message, status, "text/plain; charset=utf-8", std::string(sentence) + "\n");
}

/// A message that waits for its answer.
class PendingMessage {
 public:
  PendingMessage(SoupServerMessage* message, unsigned milliseconds, GMainContext* context)
      : message_(static_cast<SoupServerMessage*>(g_object_ref(message))) {
    soup_server_message_pause(message);
    for (const char* signal : {"finished", "disconnected"})
      g_signal_connect(message, signal, G_CALLBACK(on_gone), this);
    watch_ = watch_time(std::chrono::milliseconds(milliseconds), context, [this] {
      if (!over_) soup_server_message_unpause(message_.get());
      over_ = true;
      return false;
    });
  }
  ~PendingMessage() { g_signal_handlers_disconnect_by_data(message_.get(), this); }
  PendingMessage(const PendingMessage&) = delete;
  PendingMessage& operator=(const PendingMessage&) = delete;

  /// Answered, or the client is gone.
  bool over() const { return over_; }

 private:
  static void on_gone(SoupServerMessage*, gpointer self) {
    static_cast<PendingMessage*>(self)->over_ = true;
  }

  ObjectRef<SoupServerMessage> message_;
  bool over_ = false;
  Watch watch_;
};

}  // namespace

class WebServer::Impl {
 public:
  explicit Impl(Settings settings)
      : settings_(std::move(settings)),
        loopback_(is_loopback(settings_.address)),
        access_(settings_.token),
        slots_(settings_.viewers) {}

  Status start();
  ~Impl();

  const Settings settings_;
  const bool loopback_;
  const Access access_;
  ViewerSlots slots_;
  ObjectRef<GTlsCertificate> tls_;
  std::string fingerprint_;
  std::unique_ptr<MediaServer> media_;
  LoopThread loop_;
  uint16_t port_ = 0;
  // Made and destroyed in the thread.
  std::unique_ptr<Connections> connections_;
  std::unique_ptr<FragmentServer> fragments_;

  void set_facts(const StreamFacts& facts) {
    const Lock lock(mutex_);
    facts_ = facts;
  }
  void note_picture() { last_picture_ = g_get_monotonic_time(); }

 private:
  static void on_request(SoupServer*, SoupServerMessage* message, const char* path, GHashTable*,
                         gpointer self) {
    static_cast<Impl*>(self)->handle(message, path ? path : "");
  }
  Status read_certificate();
  Status start_in_thread();
  void handle(SoupServerMessage* message, const std::string& path);
  void handle_page(SoupServerMessage* message, const std::string& path);
  void handle_stream(SoupServerMessage* message, const std::string& path);
  bool may_watch(SoupServerMessage* message);
  void refuse_token(SoupServerMessage* message, AccessResult result);
  void add_cors(SoupServerMessage* message);
  void post_offer(SoupServerMessage* message);
  void handle_connection(SoupServerMessage* message, const std::string& id);
  void describe_stream(SoupServerMessage* message);
  StreamFacts facts() {
    const Lock lock(mutex_);
    return facts_;
  }

  std::atomic<gint64> last_picture_{0};  ///< 0: none yet
  ObjectRef<SoupServer> server_;
  Watch ticking_;
  WrongTokens wrong_tokens_;
  std::list<PendingMessage> pending_;
  Mutex mutex_;  ///< held for a copy only
  StreamFacts facts_ SPHERE_GUARDED_BY(mutex_);
};

Status WebServer::Impl::read_certificate() {
  if (settings_.certificate.empty()) return ok();
  auto read = Certificate::read(settings_.certificate);
  if (!read) return read.error();
  g_autoptr(GError) error = nullptr;
  tls_.reset(g_tls_certificate_new_from_pem(settings_.certificate.c_str(), -1, &error));
  if (!tls_)
    return failed(std::string("HTTPS can't use this certificate: ") + error->message +
                  ". Is the package glib-networking installed?");
  fingerprint_ = fingerprint_text(read->fingerprint());
  return ok();
}

Status WebServer::Impl::start() {
  if (!loopback_ && (settings_.token.empty() || settings_.certificate.empty()))
    return invalid("A page that others can reach needs a token and a certificate.");
  if (!settings_.token.empty() && settings_.token.size() < shortest_token)
    return invalid("The token must have " + std::to_string(shortest_token) +
                   " characters at least; leave it out to get a good one.");
  if (settings_.viewers == 0) return invalid("There must be one viewer at least.");
  if (auto read = read_certificate(); !read) return read;
  MediaServer::Settings media;
  media.loopback = loopback_;
  media.port = settings_.udp_port;
  media.key_frame_interval = settings_.key_frame_interval;
  media.request_key_frame = settings_.request_key_frame;
  auto started = MediaServer::start(std::move(media));
  if (!started) return started.error();
  media_ = std::move(*started);
  loop_.start();
  return loop_.ask<Status>([this] { return start_in_thread(); });
}

Status WebServer::Impl::start_in_thread() {
  server_.reset(soup_server_new("server-header", "gst-sphere", nullptr));
  connections_ =
      std::make_unique<Connections>(server_.get(), tls_.get(), settings_.longest_request);
  fragments_ = std::make_unique<FragmentServer>(loop_, *connections_, settings_.longest_silence,
                                                [this] { media_->want_key_frame_later(); });
  soup_server_add_handler(server_.get(), "/", on_request, this, nullptr);
  if (auto listening = connections_->listen(settings_.address, settings_.port); !listening)
    return listening;
  port_ = connections_->port();
  // Browsers may try localhost as IPv6 first. Where there is none, they go on with IPv4.
  if (settings_.address == "127.0.0.1") (void)connections_->listen("::1", 0);
  connections_->serve();
  ticking_ = watch_time(tick_interval, loop_.context(), [this] {
    connections_->tick();
    fragments_->tick();
    for (size_t over =
             std::erase_if(pending_, [](const PendingMessage& one) { return one.over(); });
         over > 0; --over)
      wrong_tokens_.done();
    return true;
  });
  return ok();
}

WebServer::Impl::~Impl() {
  loop_.later([this] {
    ticking_.stop();
    pending_.clear();
    if (fragments_) fragments_->end_all();
    // It closes what is still open.
    if (server_) soup_server_disconnect(server_.get());
    fragments_.reset();
    connections_.reset();
    server_.reset();
  });
  loop_.stop();
  loop_.drain();
}

void WebServer::Impl::handle(SoupServerMessage* message, const std::string& path) {
  for (const auto& [name, value] : safety_headers) set_header(message, name, value);
  if (body_was_too_large(message)) {
    set_header(message, "Connection", "close");
    say(message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, "The request is too large.");
    return;
  }
  const RequestFacts facts = {header(message, "Host"), header(message, "Origin"), {}, {}};
  if (access_.check_page(facts) != AccessResult::allowed) {
    say(message, SOUP_STATUS_MISDIRECTED_REQUEST,
        "This page is for this machine only: open it as http://127.0.0.1 with the port.");
    return;
  }
  if (path == "/whep" || path == "/stream.mp4" || path == "/stream.json" ||
      path.starts_with(connections_path))
    handle_stream(message, path);
  else
    handle_page(message, path);
}

void WebServer::Impl::handle_page(SoupServerMessage* message, const std::string& path) {
  const std::string_view method = soup_server_message_get_method(message);
  const PageFile file = page_file(path);
  if (!file.bytes) {
    say(message, SOUP_STATUS_NOT_FOUND, "There is no such page.");
  } else if (method != "GET" && method != "HEAD") {
    set_header(message, "Allow", "GET, HEAD");
    say(message, SOUP_STATUS_METHOD_NOT_ALLOWED, "This can only be read.");
  } else {
    gsize size = 0;
    const auto* data = static_cast<const char*>(g_bytes_get_data(file.bytes.get(), &size));
    answer(message, SOUP_STATUS_OK, file.type, {data, size});
  }
}

void WebServer::Impl::add_cors(SoupServerMessage* message) {
  // As WHEP says, a page of another site may show the stream if it has the token.
  if (!access_.has_token()) return;
  set_header(message, "Access-Control-Allow-Origin", "*");
  set_header(message, "Access-Control-Expose-Headers", "Location, Link, Retry-After");
  set_header(message, "Cross-Origin-Resource-Policy", "cross-origin");
}

bool WebServer::Impl::may_watch(SoupServerMessage* message) {
  const AccessResult result =
      access_.check_stream({header(message, "Host"), header(message, "Origin"),
                            header(message, "Authorization"), header(message, "Sec-Fetch-Site")});
  if (result == AccessResult::allowed) return true;
  refuse_token(message, result);
  return false;
}

void WebServer::Impl::refuse_token(SoupServerMessage* message, AccessResult result) {
  switch (result) {
    case AccessResult::no_token:
      set_header(message, "WWW-Authenticate", "Bearer");
      say(message, SOUP_STATUS_UNAUTHORIZED, "The link to this stream has a token: use all of it.");
      return;
    case AccessResult::wrong_token: {
      const auto wait = wrong_tokens_.wait(g_get_monotonic_time());
      if (!wait) {
        set_header(message, "Retry-After", "10");
        say(message, too_many_requests, "Too many wrong tokens: wait a moment.");
        return;
      }
      set_header(message, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
      say(message, SOUP_STATUS_UNAUTHORIZED, "This token is not, or no longer, valid here.");
      pending_.emplace_back(message, *wait, loop_.context());
      return;
    }
    default:
      say(message, SOUP_STATUS_FORBIDDEN, "Pages of other places may not show this stream.");
      return;
  }
}

void WebServer::Impl::handle_stream(SoupServerMessage* message, const std::string& path) {
  const std::string_view method = soup_server_message_get_method(message);
  add_cors(message);
  const bool is_connection = path.starts_with(connections_path);
  const char* const allowed = path == "/whep" ? "POST, OPTIONS"
                              : is_connection ? "PATCH, DELETE, OPTIONS"
                                              : "GET, HEAD, OPTIONS";
  if (method == "OPTIONS") {
    set_header(message, "Allow", allowed);
    if (path == "/whep") set_header(message, "Accept-Post", "application/sdp");
    if (access_.has_token()) {
      set_header(message, "Access-Control-Allow-Methods", allowed);
      set_header(message, "Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match");
      set_header(message, "Access-Control-Max-Age", "600");
    }
    answer(message, SOUP_STATUS_NO_CONTENT);
    return;
  }
  if (!may_watch(message)) return;
  if (path == "/whep" && method == "POST") {
    post_offer(message);
  } else if (is_connection && (method == "DELETE" || method == "PATCH")) {
    handle_connection(message, path.substr(connections_path.size()));
  } else if (path == "/stream.json" && (method == "GET" || method == "HEAD")) {
    describe_stream(message);
  } else if (path == "/stream.mp4" && method == "HEAD") {
    set_header(message, "Content-Type", "video/mp4");
    // As the answer with the stream: it has no length.
    soup_message_headers_set_encoding(soup_server_message_get_response_headers(message),
                                      SOUP_ENCODING_CHUNKED);
    answer(message, SOUP_STATUS_OK);
  } else if (path == "/stream.mp4" && method == "GET") {
    ViewerSlots::Slot slot = slots_.take();
    if (!slot) {
      set_header(message, "Retry-After", "10");
      say(message, SOUP_STATUS_SERVICE_UNAVAILABLE, "As many watch as may: try again later.");
      return;
    }
    fragments_->add(message, std::move(slot));
  } else {
    set_header(message, "Allow", allowed);
    say(message, SOUP_STATUS_METHOD_NOT_ALLOWED, "This can't be done with it.");
  }
}

void WebServer::Impl::post_offer(SoupServerMessage* message) {
  const char* type = soup_message_headers_get_content_type(
      soup_server_message_get_request_headers(message), nullptr);
  if (!type || g_ascii_strcasecmp(type, "application/sdp") != 0) {
    set_header(message, "Accept-Post", "application/sdp");
    say(message, SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE, "The offer must be application/sdp.");
    return;
  }
  g_autoptr(GBytes) body = soup_message_body_flatten(soup_server_message_get_request_body(message));
  gsize size = 0;
  const auto* data = static_cast<const char*>(g_bytes_get_data(body, &size));
  auto offer = parse_offer({data ? data : "", size});
  if (!offer) {
    say(message, lacks_video(offer.error()) ? SOUP_STATUS_NOT_ACCEPTABLE : SOUP_STATUS_BAD_REQUEST,
        offer.error().message);
    return;
  }
  ViewerSlots::Slot slot = slots_.take();
  if (!slot) {
    set_header(message, "Retry-After", "10");
    say(message, SOUP_STATUS_SERVICE_UNAVAILABLE, "As many watch as may: try again later.");
    return;
  }
  std::string address;
  if (auto* local = soup_server_message_get_local_address(message);
      local && G_IS_INET_SOCKET_ADDRESS(local)) {
    const GString_ text(
        g_inet_address_to_string(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(local))));
    address = text.get();
    // As it is written on a socket for both families.
    constexpr std::string_view mapped = "::ffff:";
    if (address.starts_with(mapped)) address.erase(0, mapped.size());
  }
  auto joined = media_->join(*offer, address, facts().sound, std::move(slot));
  if (!joined) {
    say(message, SOUP_STATUS_SERVICE_UNAVAILABLE, joined.error().message);
    return;
  }
  set_header(message, "Location", std::string(connections_path) + joined->id);
  answer(message, SOUP_STATUS_CREATED, "application/sdp", joined->answer);
}

void WebServer::Impl::handle_connection(SoupServerMessage* message, const std::string& id) {
  if (std::string_view(soup_server_message_get_method(message)) == "DELETE") {
    if (media_->leave(id))
      answer(message, SOUP_STATUS_OK);
    else
      say(message, SOUP_STATUS_NOT_FOUND, "This connection has ended already.");
    return;
  }
  const auto users = media_->viewer_users(id);
  if (!users) {
    say(message, SOUP_STATUS_NOT_FOUND, "This connection has ended already.");
    return;
  }
  const char* type = soup_message_headers_get_content_type(
      soup_server_message_get_request_headers(message), nullptr);
  if (!type || g_ascii_strcasecmp(type, "application/trickle-ice-sdpfrag") != 0) {
    say(message, SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE,
        "Only application/trickle-ice-sdpfrag can be sent for a connection.");
    return;
  }
  g_autoptr(GBytes) body = soup_message_body_flatten(soup_server_message_get_request_body(message));
  gsize size = 0;
  const auto* data = static_cast<const char*>(g_bytes_get_data(body, &size));
  const std::string their_user = ice_user_in({data ? data : "", size});
  if (!their_user.empty() && std::ranges::find(*users, their_user) == users->end())
    say(message, SOUP_STATUS_UNPROCESSABLE_ENTITY,
        "ICE can't be started again here: send a new offer.");
  else
    // The viewer's addresses are not needed: its checks tell them.
    answer(message, SOUP_STATUS_NO_CONTENT);
}

void WebServer::Impl::describe_stream(SoupServerMessage* message) {
  static constexpr const char* states[] = {"waiting", "playing", "ended"};
  StreamFacts now = facts();
  const gint64 last = last_picture_;
  if (now.state == StreamFacts::State::playing &&
      (last == 0 || g_get_monotonic_time() - last > longest_pause))
    now.state = StreamFacts::State::waiting;
  JsonWriter json;
  json.add("state", states[static_cast<size_t>(now.state)]);
  json.add("projection", now.spherical ? "equirectangular" : "rectangular");
  json.add("stereo", "mono");
  json.add("width", now.width);
  json.add("height", now.height);
  json.add("fps", now.fps);
  json.add("sound", now.sound);
  answer(message, SOUP_STATUS_OK, "application/json", json.finish_text());
}

Result<std::unique_ptr<WebServer>> WebServer::start(Settings settings) {
  auto impl = std::make_unique<Impl>(std::move(settings));
  if (auto started = impl->start(); !started) return started.error();
  return std::unique_ptr<WebServer>(new WebServer(std::move(impl)));
}

WebServer::WebServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebServer::~WebServer() = default;

uint16_t WebServer::port() const { return impl_->port_; }
bool WebServer::secure() const { return impl_->tls_ != nullptr; }
std::string WebServer::fingerprint() const { return impl_->fingerprint_; }
unsigned WebServer::viewers() const { return impl_->slots_.taken(); }
bool WebServer::wait_for_last_viewer(std::chrono::microseconds at_most) const {
  return impl_->slots_.wait_until_free(at_most);
}

std::vector<std::string> WebServer::links() const {
  const std::string& address = impl_->settings_.address;
  std::vector<std::string> hosts = {address};
  if (address.empty() || address == "0.0.0.0" || address == "::") hosts = network_addresses();
  if (hosts.empty()) hosts = {"127.0.0.1"};
  std::vector<std::string> links;
  for (const std::string& host : hosts) {
    const bool six = host.find(':') != std::string::npos;
    links.push_back((secure() ? "https://" : "http://") + (six ? "[" + host + "]" : host) + ":" +
                    std::to_string(port()) + "/" +
                    // Behind the #, because browsers send what is there to nobody.
                    (impl_->access_.has_token() ? "#token=" + impl_->access_.token() : ""));
  }
  return links;
}

void WebServer::set_facts(const StreamFacts& facts) {
  impl_->set_facts(facts);
  impl_->fragments_->set_audio(facts.sound);
}

void WebServer::push_coded(StreamKind kind, GstSample* sample) {
  if (kind == StreamKind::video) {
    impl_->note_picture();
    impl_->fragments_->push_video(sample);
  } else {
    impl_->fragments_->push_audio(sample);
  }
}

void WebServer::push_packets(StreamKind kind, GstSample* sample, int64_t utc_of_running_time_0) {
  impl_->media_->push(kind, sample, utc_of_running_time_0);
}

MediaServer& WebServer::media() { return *impl_->media_; }

}  // namespace sphere::live
