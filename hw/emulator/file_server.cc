// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/emulator/file_server.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "hw/emulator/listener.h"

namespace sphere::emulator {

namespace {

// The part of a file that is in memory at a time.
constexpr uint64_t piece_size = 256 << 10;

const char* media_type_of(std::string path) {
  std::transform(path.begin(), path.end(), path.begin(), g_ascii_toupper);
  for (const auto& [suffix, type] :
       {std::pair(".JPG", "image/jpeg"), std::pair(".MP4", "video/mp4"),
        std::pair(".DNG", "image/x-adobe-dng")})
    if (path.ends_with(suffix)) return type;
  return "application/octet-stream";
}

struct Part {
  uint64_t from, count;
};
/// The part of `size` bytes that a Range header requests. Empty if the header is ignored, which is
/// allowed for several parts; a count of 0 if there is no such part.
std::optional<Part> read_range(const std::string& text, uint64_t size) {
  constexpr std::string_view unit = "bytes=";
  if (!text.starts_with(unit)) return std::nullopt;
  const size_t dash = text.find('-');
  if (dash == std::string::npos) return std::nullopt;
  const auto number = [](const std::string& digits, guint64* value) {
    return g_ascii_string_to_unsigned(digits.c_str(), 10, 0, G_MAXUINT64, value, nullptr);
  };
  const std::string first = text.substr(unit.size(), dash - unit.size());
  const std::string last = text.substr(dash + 1);
  guint64 from = 0, to = G_MAXUINT64;
  if (!last.empty() && !number(last, &to)) return std::nullopt;
  if (first.empty()) {
    if (last.empty()) return std::nullopt;
    const uint64_t count = std::min<uint64_t>(to, size);
    return Part{size - count, count};
  }
  if (!number(first, &from) || to < from) return std::nullopt;
  if (from >= size) return Part{0, 0};
  return Part{from, std::min<uint64_t>(to, size - 1) - from + 1};
}

// A slow server sends so many pieces a second.
constexpr int slow_pieces = 20;

uint64_t kibibytes(int n) { return static_cast<uint64_t>(n) << 10; }

}  // namespace

/// The part of a file that is not sent yet.
struct FileServer::Body {
  Descriptor file;
  uint64_t offset, left;
  ObjectRef<GSocket> socket;  // the connection's
  GMainContext* context;
  FindFault fault;
  std::shared_ptr<uint64_t> all_sent;  // by the server
  uint64_t sent = 0;
  Watch pause;  // of a slow server
};

FileServer::FileServer(GMainContext* context, const Card& card, const char* name,
                       std::chrono::seconds idle_time, FindFault fault)
    : context_(context),
      card_(card),
      idle_time_(idle_time),
      fault_(std::move(fault)),
      server_(soup_server_new("server-header", name, nullptr)) {
  soup_server_add_handler(
      server_.get(), nullptr,
      [](SoupServer*, SoupServerMessage* message, const char* path, GHashTable*, gpointer self) {
        static_cast<FileServer*>(self)->serve(message, path);
      },
      this, nullptr);
  g_signal_connect(server_.get(), "request-started",
                   G_CALLBACK(+[](SoupServer*, SoupServerMessage* message, gpointer) {
                     // The body of a request is not stored.
                     soup_message_body_set_accumulate(soup_server_message_get_request_body(message),
                                                      FALSE);
                   }),
                   nullptr);
  g_signal_connect(server_.get(), "request-read",
                   G_CALLBACK(+[](SoupServer*, SoupServerMessage* message, gpointer self) {
                     if (Connection* c = static_cast<FileServer*>(self)->connection_of(message))
                       c->deadline.stop();
                   }),
                   this);
  g_signal_connect(server_.get(), "request-finished",
                   G_CALLBACK(+[](SoupServer*, SoupServerMessage* message, gpointer data) {
                     auto* self = static_cast<FileServer*>(data);
                     if (Connection* c = self->connection_of(message)) self->start_deadline(*c);
                   }),
                   this);
}

FileServer::~FileServer() {
  soup_server_disconnect(server_.get());
  for (const Connection& connection : connections_)
    g_object_weak_unref(G_OBJECT(connection.stream), stream_gone, this);
  g_signal_handlers_disconnect_by_data(server_.get(), this);
}

void FileServer::start_deadline(Connection& connection) {
  connection.deadline = watch_time(idle_time_, context_, [socket = connection.socket.get()] {
    // libsoup closes it when it sees the end.
    g_socket_shutdown(socket, TRUE, TRUE, nullptr);
    return false;
  });
}

// libsoup's own listener, in version 3.2, never closes the connections that it has accepted.
void FileServer::accept(ObjectRef<GSocket> socket, GTlsCertificate* certificate) {
  if (connections_.size() >= most_connections) return;
  g_autoptr(GSocketAddress) local = g_socket_get_local_address(socket.get(), nullptr);
  ObjectRef<GSocketAddress> remote(g_socket_get_remote_address(socket.get(), nullptr));
  if (!local || !remote) return;
  g_socket_set_timeout(socket.get(), static_cast<guint>(idle_time_.count()));
  ObjectRef<GIOStream> stream(
      G_IO_STREAM(g_socket_connection_factory_create_connection(socket.get())));
  if (certificate) stream.reset(g_tls_server_connection_new(stream.get(), certificate, nullptr));
  if (!stream) return;
  Connection& connection = connections_.emplace_back();
  connection.stream = stream.get();
  connection.socket = std::move(socket);
  connection.remote = std::move(remote);
  start_deadline(connection);
  g_object_weak_ref(G_OBJECT(stream.get()), stream_gone, this);
  // If it can't be served, the connection is closed with its stream.
  soup_server_accept_iostream(server_.get(), stream.get(), local, connection.remote.get(), nullptr);
}

/// libsoup has closed it.
void FileServer::stream_gone(gpointer self, GObject* stream) {
  static_cast<FileServer*>(self)->connections_.remove_if(
      [&](const Connection& c) { return static_cast<void*>(c.stream) == stream; });
}

FileServer::Connection* FileServer::connection_of(SoupServerMessage* message) {
  const auto found =
      std::find_if(connections_.begin(), connections_.end(), [&](const Connection& c) {
        return c.remote.get() == soup_server_message_get_remote_address(message);
      });
  return found == connections_.end() ? nullptr : &*found;
}

// The file is not mapped, because the process would be killed if the file is truncated.
void FileServer::send_next(SoupServerMessage* message, Body& body) {
  uint64_t most = std::min(body.left, piece_size);
  if (const std::optional<Fault> slow = body.fault(faults::http_slow))
    most = std::min(most, std::max<uint64_t>(kibibytes(slow->n) / slow_pieces, 1));
  if (const std::optional<Fault> cut = body.fault(faults::http_cut))
    most = std::min(most, kibibytes(cut->n) - std::min(kibibytes(cut->n), body.sent));
  const std::string piece = read_at(body.file, body.offset, static_cast<size_t>(most));
  if (piece.empty()) {
    // It is cut, or shorter than announced. The client notices it by the end of the connection.
    g_socket_shutdown(body.socket.get(), TRUE, TRUE, nullptr);
    return;
  }
  body.offset += piece.size();
  body.left -= piece.size();
  body.sent += piece.size();
  *body.all_sent += piece.size();
  soup_message_body_append(soup_server_message_get_response_body(message), SOUP_MEMORY_COPY,
                           piece.data(), piece.size());
}

void FileServer::chunk_sent(SoupServerMessage* message, gpointer data) {
  auto* body = static_cast<Body*>(data);
  if (body->left == 0) return;
  if (!body->fault(faults::http_slow)) return send_next(message, *body);
  soup_server_message_pause(message);
  body->pause =
      watch_time(std::chrono::milliseconds(1000) / slow_pieces, body->context, [message, body] {
        send_next(message, *body);
        soup_server_message_unpause(message);
        return false;
      });
}

void FileServer::serve(SoupServerMessage* message, const char* path) {
  const char* method = soup_server_message_get_method(message);
  if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD) {
    soup_server_message_set_status(message, SOUP_STATUS_METHOD_NOT_ALLOWED, nullptr);
    return;
  }
  const std::string camera_path = card_.media_folder() + path;
  Descriptor file = card_.open_file(camera_path);
  Connection* connection = connection_of(message);
  if (!file || !connection) {
    soup_server_message_set_status(message, SOUP_STATUS_NOT_FOUND, nullptr);
    return;
  }
  const uint64_t size = size_of(file);
  SoupMessageHeaders* asked = soup_server_message_get_request_headers(message);
  SoupMessageHeaders* headers = soup_server_message_get_response_headers(message);
  soup_message_headers_replace(headers, "Accept-Ranges", "bytes");
  soup_message_headers_set_content_type(headers, media_type_of(camera_path), nullptr);
  const std::optional<Part> part =
      read_range(to_string(soup_message_headers_get_one(asked, "Range")), size);
  // Removed, because libsoup 3.2 would handle the header, too, and does so wrongly for a range that
  // ends after the end of the file.
  soup_message_headers_remove(asked, "Range");
  if (part && part->count == 0) {
    soup_message_headers_replace(headers, "Content-Range",
                                 ("bytes */" + std::to_string(size)).c_str());
    soup_server_message_set_status(message, SOUP_STATUS_REQUESTED_RANGE_NOT_SATISFIABLE, nullptr);
    return;
  }
  const Part sent = part.value_or(Part{0, size});
  if (part)
    soup_message_headers_set_content_range(headers, static_cast<goffset>(sent.from),
                                           static_cast<goffset>(sent.from + sent.count - 1),
                                           static_cast<goffset>(size));
  soup_server_message_set_status(message, part ? SOUP_STATUS_PARTIAL_CONTENT : SOUP_STATUS_OK,
                                 nullptr);
  soup_message_headers_set_content_length(headers, static_cast<goffset>(sent.count));
  if (method == SOUP_METHOD_HEAD || sent.count == 0) return;

  soup_message_body_set_accumulate(soup_server_message_get_response_body(message), FALSE);
  auto* body = new Body{std::move(file),
                        sent.from,
                        sent.count,
                        ObjectRef<GSocket>(G_SOCKET(g_object_ref(connection->socket.get()))),
                        context_,
                        fault_,
                        sent_};
  // The message has a reference.
  g_signal_connect_data(
      message, "wrote-chunk", G_CALLBACK(chunk_sent), body,
      [](gpointer data, GClosure*) { delete static_cast<Body*>(data); },
      static_cast<GConnectFlags>(0));
  send_next(message, *body);
}

}  // namespace sphere::emulator
