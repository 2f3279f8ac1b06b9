// SPDX-License-Identifier: LGPL-2.1-or-later
// The emulated camera's web server, which gets any bytes: it closes the connection, and sends
// nothing of what is not in the folder of its pictures.

#include <gio/gio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "gst/sphere/base/gobject.h"
#include "hw/emulator/file_server.h"
#include "hw/emulator/listener.h"
#include "hw/madv/commands.h"

using namespace sphere;

namespace {

constexpr std::string_view secret = "this is not in the folder";

/// A card with a picture, and a file beside the folder of pictures.
struct Site {
  Site() : card(opened()) {
    const std::string folder = card.folder();
    if (!g_file_set_contents((folder + "/DCIM/IMG.JPG").c_str(), "picture", -1, nullptr) ||
        !g_file_set_contents((folder + "/secret").c_str(), secret.data(), secret.size(), nullptr))
      abort();
  }
  static emulator::Card opened() {
    auto card = emulator::Card::open("", madv::card_root);
    if (!card) abort();
    return std::move(*card);
  }
  emulator::Card card;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 65536) return 0;
  static Site site;
  GMainContext* context = g_main_context_default();
  std::string answer;
  {
    emulator::FileServer server(context, site.card, "camera", std::chrono::seconds(5),
                                [](const emulator::FaultInfo&) { return std::nullopt; });
    // Sockets of TCP, because the server tells connections apart by their addresses.
    auto listener = emulator::Listener::open(
        "127.0.0.1", 0, context,
        [&](ObjectRef<GSocket> socket) { server.accept(std::move(socket)); });
    if (!listener) abort();
    const ObjectRef<GSocketClient> client(g_socket_client_new());
    g_socket_client_set_enable_proxy(client.get(), FALSE);
    const ObjectRef<GSocketConnection> connection(g_socket_client_connect_to_host(
        client.get(), "127.0.0.1", (*listener)->port(), nullptr, nullptr));
    if (!connection) return 0;
    GSocket* socket = g_socket_connection_get_socket(connection.get());
    g_socket_set_blocking(socket, FALSE);
    size_t sent = 0;
    bool over = false;
    for (int idle = 0; idle < 20 && !over;) {
      if (sent < size) {
        const gssize n = g_socket_send(socket, reinterpret_cast<const char*>(data) + sent,
                                       size - sent, nullptr, nullptr);
        if (n > 0) sent += static_cast<size_t>(n);
        if (sent == size) g_socket_shutdown(socket, FALSE, TRUE, nullptr);
      }
      bool moved = false;
      while (g_main_context_iteration(context, FALSE)) moved = true;
      char buffer[4096];
      g_autoptr(GError) error = nullptr;
      const gssize got = g_socket_receive(socket, buffer, sizeof buffer, nullptr, &error);
      if (got > 0) answer.append(buffer, static_cast<size_t>(got));
      over = got == 0 || (got < 0 && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK));
      idle = moved || got > 0 ? 0 : idle + 1;
    }
  }
  while (g_main_context_iteration(context, FALSE)) {
  }
  if (answer.find(secret) != std::string::npos) abort();
  return 0;
}
