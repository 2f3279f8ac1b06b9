// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/connections.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

namespace sphere::live {

namespace {

constexpr int backlog = 128;
constexpr const char* body_size_key = "sphere-body-size";

goffset body_size(SoupServerMessage* message) {
  return GPOINTER_TO_SIZE(g_object_get_data(G_OBJECT(message), body_size_key));
}

}  // namespace

bool body_was_too_large(SoupServerMessage* message) {
  return body_size(message) > Connections::most_body;
}

Connections::Connections(SoupServer* server, GTlsCertificate* certificate, gint64 longest_request)
    : server_(server),
      certificate_(certificate),
      longest_request_(longest_request),
      service_(g_socket_service_new()) {
  // A service that waits while it gets one more address begins anew, and drops a client that comes
  // at that moment. So it waits for none before it has all of them.
  g_socket_service_stop(service_.get());
  g_socket_listener_set_backlog(G_SOCKET_LISTENER(service_.get()), backlog);
  g_signal_connect(service_.get(), "incoming", G_CALLBACK(on_incoming), this);
  g_signal_connect(server_, "request-started", G_CALLBACK(on_started), this);
  g_signal_connect(server_, "request-read", G_CALLBACK(on_read), this);
  g_signal_connect(server_, "request-finished", G_CALLBACK(on_finished), this);
  g_signal_connect(server_, "request-aborted", G_CALLBACK(on_finished), this);
}

Connections::~Connections() {
  g_socket_service_stop(service_.get());
  g_socket_listener_close(G_SOCKET_LISTENER(service_.get()));
  g_signal_handlers_disconnect_by_data(service_.get(), this);
  g_signal_handlers_disconnect_by_data(server_, this);
  for (Connection& one : all_) {
    cut(one);
    g_object_weak_unref(G_OBJECT(one.connection), on_gone, &one);
  }
}

Status Connections::listen(const std::string& ip, uint16_t port) {
  auto* listener = G_SOCKET_LISTENER(service_.get());
  g_autoptr(GError) error = nullptr;
  const uint16_t wanted = port ? port : port_;
  if (ip.empty()) {
    if (wanted == 0)
      port_ = g_socket_listener_add_any_inet_port(listener, nullptr, &error);
    else if (g_socket_listener_add_inet_port(listener, wanted, nullptr, &error))
      port_ = wanted;
  } else {
    const ObjectRef<GSocketAddress> address(
        g_inet_socket_address_new_from_string(ip.c_str(), wanted));
    if (!address) return invalid("'" + ip + "' is not an address of this machine.");
    GSocketAddress* effective = nullptr;
    if (g_socket_listener_add_address(listener, address.get(), G_SOCKET_TYPE_STREAM,
                                      G_SOCKET_PROTOCOL_TCP, nullptr, &effective, &error)) {
      port_ = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(effective));
      g_object_unref(effective);
    }
  }
  if (!error) return ok();
  if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
    return failed("Another program uses the port " + std::to_string(wanted) +
                  "; choose another one, or web:0 for any free one.");
  if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    return failed("The port " + std::to_string(wanted) +
                  " is reserved for the system; choose one above 1023.");
  return failed("The page can't be served on port " + std::to_string(wanted) + ": " +
                error->message);
}

void Connections::serve() { g_socket_service_start(service_.get()); }

gboolean Connections::on_incoming(GSocketService*, GSocketConnection* connection, GObject*,
                                  gpointer self) {
  static_cast<Connections*>(self)->accept(connection);
  return TRUE;
}

void Connections::accept(GSocketConnection* connection) {
  g_autoptr(GError) error = nullptr;
  ObjectRef<GSocketAddress> remote(g_socket_connection_get_remote_address(connection, &error));
  const ObjectRef<GSocketAddress> local(
      remote ? g_socket_connection_get_local_address(connection, nullptr) : nullptr);
  // Without a reference of ours it is closed.
  if (!local || (all_.size() >= most && !make_room())) return;
  g_socket_set_option(g_socket_connection_get_socket(connection), IPPROTO_TCP, TCP_NODELAY, 1,
                      nullptr);
  ObjectRef<GIOStream> stream;
  if (certificate_) {
    stream.reset(g_tls_server_connection_new(G_IO_STREAM(connection), certificate_, &error));
    if (!stream) return;
    // Browsers go without saying so.
    g_tls_connection_set_require_close_notify(G_TLS_CONNECTION(stream.get()), FALSE);
  } else {
    stream.reset(G_IO_STREAM(g_object_ref(connection)));
  }
  GSocketAddress* const from = remote.get();
  all_.push_back({this, connection, std::move(remote), g_get_monotonic_time()});
  g_object_weak_ref(G_OBJECT(connection), on_gone, &all_.back());
  soup_server_accept_iostream(server_, stream.get(), local.get(), from, &error);
}

bool Connections::make_room() {
  const auto oldest = std::ranges::min_element(all_, [](const Connection& a, const Connection& b) {
    return a.answering != b.answering ? b.answering : a.since < b.since;
  });
  if (oldest == all_.end() || oldest->answering) return false;
  cut(*oldest);
  // It leaves the list only when libsoup has noticed; until then it is no candidate again.
  oldest->answering = true;
  oldest->streaming = false;
  return all_.size() < 2 * most;
}

void Connections::cut(const Connection& connection) {
  GSocket* socket = g_socket_connection_get_socket(connection.connection);
  // What the client still sends is not waited for, nor kept, when libsoup closes the socket.
  const linger none = {1, 0};
  setsockopt(g_socket_get_fd(socket), SOL_SOCKET, SO_LINGER, &none, sizeof none);
  g_socket_shutdown(socket, TRUE, TRUE, nullptr);
}

void Connections::on_gone(gpointer data, GObject*) {
  auto* gone = static_cast<Connection*>(data);
  gone->owner->all_.remove_if([&](const Connection& one) { return &one == gone; });
}

Connections::Connection* Connections::find(SoupServerMessage* message) {
  GSocketAddress* remote = soup_server_message_get_remote_address(message);
  const auto found =
      std::ranges::find_if(all_, [&](const Connection& one) { return one.remote.get() == remote; });
  return found == all_.end() ? nullptr : &*found;
}

void Connections::on_started(SoupServer*, SoupServerMessage* message, gpointer self) {
  g_signal_connect(message, "got-headers", G_CALLBACK(on_headers), self);
  g_signal_connect(message, "got-chunk", G_CALLBACK(on_chunk), self);
}

void Connections::on_headers(SoupServerMessage* message, gpointer) {
  SoupMessageHeaders* headers = soup_server_message_get_request_headers(message);
  if (soup_message_headers_get_encoding(headers) != SOUP_ENCODING_CONTENT_LENGTH) return;
  if (soup_message_headers_get_content_length(headers) <= most_body) return;
  g_object_set_data(G_OBJECT(message), body_size_key, GSIZE_TO_POINTER(most_body + 1));
  soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
}

void Connections::on_chunk(SoupServerMessage* message, GBytes* chunk, gpointer self) {
  const goffset size = body_size(message) + static_cast<goffset>(g_bytes_get_size(chunk));
  g_object_set_data(G_OBJECT(message), body_size_key, GSIZE_TO_POINTER(size));
  if (size > most_body)
    soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
  if (size > most_thrown_away) static_cast<Connections*>(self)->cut(message);
}

void Connections::on_read(SoupServer*, SoupServerMessage* message, gpointer self) {
  if (Connection* one = static_cast<Connections*>(self)->find(message)) {
    one->answering = true;
    one->since = g_get_monotonic_time();
  }
}

void Connections::on_finished(SoupServer*, SoupServerMessage* message, gpointer self) {
  g_signal_handlers_disconnect_by_data(message, self);
  if (Connection* one = static_cast<Connections*>(self)->find(message)) {
    one->answering = one->streaming = false;
    one->since = g_get_monotonic_time();
  }
}

void Connections::tick() {
  const gint64 now = g_get_monotonic_time();
  for (const Connection& one : all_)
    if (!one.streaming && now - one.since > (one.answering ? longest_answer : longest_request_))
      cut(one);
}

void Connections::set_streaming(SoupServerMessage* message) {
  if (Connection* one = find(message)) one->streaming = true;
}

bool Connections::is_closed(SoupServerMessage* message) {
  const Connection* one = find(message);
  if (!one) return true;
  GSocket* socket = g_socket_connection_get_socket(one->connection);
  pollfd closed = {g_socket_get_fd(socket), POLLRDHUP, 0};
  return poll(&closed, 1, 0) > 0;
}

void Connections::cut(SoupServerMessage* message) {
  if (const Connection* one = find(message)) cut(*one);
}

}  // namespace sphere::live
