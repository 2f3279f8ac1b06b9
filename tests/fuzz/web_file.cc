// SPDX-License-Identifier: LGPL-2.1-or-later
// A web server that answers with any bytes: the reader ends, it gives on no more than was asked
// for, and without a failure it has all of it.

#include <gio/gio.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "gst/sphere/base/gobject.h"
#include "hw/web_file.h"

using namespace sphere;

namespace {

class Server {
 public:
  Server() {
    listener_.reset(g_socket_listener_new());
    port_ = g_socket_listener_add_any_inet_port(listener_.get(), nullptr, nullptr);
    if (!port_) abort();
  }
  uint16_t port() const { return port_; }
  /// Answers each connection with these bytes, and closes it, until it is cancelled.
  void serve(const std::string& bytes, GCancellable* cancellable) {
    while (!g_cancellable_is_cancelled(cancellable)) answer(bytes, cancellable);
  }

 private:
  void answer(const std::string& bytes, GCancellable* cancellable) {
    const ObjectRef<GSocketConnection> connection(
        g_socket_listener_accept(listener_.get(), nullptr, cancellable, nullptr));
    if (!connection) return;
    // The request is read first: what is not read would make the end of the connection a reset.
    char request[4096];
    std::string asked;
    GInputStream* input = g_io_stream_get_input_stream(G_IO_STREAM(connection.get()));
    while (asked.find("\r\n\r\n") == std::string::npos) {
      const gssize got = g_input_stream_read(input, request, sizeof request, cancellable, nullptr);
      if (got <= 0) return;
      asked.append(request, static_cast<size_t>(got));
    }
    g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(connection.get())),
                              bytes.data(), bytes.size(), nullptr, cancellable, nullptr);
    g_socket_shutdown(g_socket_connection_get_socket(connection.get()), FALSE, TRUE, nullptr);
  }

  ObjectRef<GSocketListener> listener_;
  uint16_t port_;
};

}  // namespace

// The first byte says which part is asked for.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 65536) return 0;
  static Server server;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  hw::WebFileReader::Part part;
  if (data[0] & 1) part.offset = 3;
  if (data[0] & 2) part.size = 5;
  const ObjectRef<GCancellable> cancellable(g_cancellable_new());
  std::thread thread([&] { server.serve(bytes, cancellable.get()); });
  const std::string url = "http://127.0.0.1:" + std::to_string(server.port()) + "/IMG.JPG";
  size_t arrived = 0;
  {
    hw::WebFileReader reader(nullptr, std::chrono::seconds(5));
    const auto outcome = reader.read(
        {url, ""}, part,
        [&](std::string_view piece) {
          arrived += piece.size();
          return ok();
        },
        cancellable.get());
    if (part.size && arrived > *part.size) abort();
    if (!outcome.failure && part.size && arrived != *part.size) abort();
    if (!outcome.failure && !part.size && outcome.whole_size &&
        arrived + part.offset < *outcome.whole_size)
      abort();
  }
  g_cancellable_cancel(cancellable.get());
  thread.join();
  return 0;
}
