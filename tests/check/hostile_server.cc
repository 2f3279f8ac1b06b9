// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <random>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/check/hostile_server.h"

namespace sphere::test {

namespace {

using Table = HostileBehaviour::Table;
using Preview = HostileBehaviour::Preview;

constexpr size_t chunk = 64 << 10;

int listen_on_loopback() {
  const int port = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(port, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(port, 16) != 0)
    std::abort();
  return port;
}

std::string port_of(int socket) {
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return std::to_string(ntohs(address.sin_port));
}

std::string random_bytes(size_t size) {
  // The same in each run.
  static std::minstd_rand numbers(360);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(numbers() >> 8);
  return bytes;
}

/// The value of a member of a flat object, as it stands there.
std::string member(const std::string& object, const std::string& name) {
  size_t at = object.find("\"" + name + "\":");
  if (at == std::string::npos) return {};
  at += name.size() + 3;
  return object.substr(at, object.find_first_of(",}", at) - at);
}

std::string header(const std::string& request, const std::string& name) {
  size_t at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  at += name.size() + 4;
  return request.substr(at, request.find("\r\n", at) - at);
}

std::string repeated(std::string_view text, size_t size) {
  std::string all;
  while (all.size() < size) all += text;
  return all;
}

}  // namespace

struct HostileCamera::Client {
  enum class Kind { control, data, rtsp } kind;
  int socket;
  std::string input, output;
  std::string endless;   // repeated without end after everything else
  bool packets = false;  // random packets without end, after everything else
  int requests = 0;
  bool closing = false, gone = false;
};

HostileCamera::HostileCamera(HostileBehaviour behaviour)
    : behaviour_(std::move(behaviour)),
      control_(listen_on_loopback()),
      data_(listen_on_loopback()),
      rtsp_(listen_on_loopback()),
      quit_(eventfd(0, EFD_CLOEXEC)) {
  thread_ = std::thread([this] { run(); });
}

HostileCamera::~HostileCamera() {
  eventfd_write(quit_, 1);
  thread_.join();
  for (const Client& client : clients_) close(client.socket);
  for (const int descriptor : {control_, data_, rtsp_, quit_}) close(descriptor);
}

std::string HostileCamera::uri() const {
  return "madv://127.0.0.1:" + port_of(control_) + "/live?data-port=" + port_of(data_) +
         "&rtsp-port=" + port_of(rtsp_);
}

void HostileCamera::run() {
  for (;;) {
    std::vector<pollfd> polled;
    for (const int descriptor : {quit_, control_, data_, rtsp_})
      polled.push_back({descriptor, POLLIN, 0});
    for (const Client& client : clients_)
      polled.push_back({client.socket,
                        static_cast<short>(
                            client.output.empty() || is_paced(client) ? POLLIN : POLLIN | POLLOUT),
                        0});
    const bool dripping = std::any_of(clients_.begin(), clients_.end(), [&](const Client& client) {
      return is_paced(client) && !client.output.empty();
    });
    if (poll(polled.data(), polled.size(), dripping ? 1 : -1) < 0 && errno != EINTR) return;
    if (polled[0].revents) return;
    size_t i = 4;
    for (Client& client : clients_) {
      const short happened = polled[i++].revents;
      if (happened & (POLLIN | POLLHUP | POLLERR)) receive(client);
      if (!client.gone && !client.output.empty() && (happened & POLLOUT || is_paced(client)))
        send(client);
      if (client.closing && client.output.empty()) client.gone = true;
    }
    clients_.remove_if([](const Client& client) {
      if (client.gone) close(client.socket);
      return client.gone;
    });
    for (size_t listening = 1; listening < 4; ++listening)
      if (polled[listening].revents) accept(polled[listening].fd);
  }
}

void HostileCamera::accept(int listening) {
  const int socket = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (socket < 0) return;
  Client& client = clients_.emplace_back();
  client.socket = socket;
  client.kind = listening == control_ ? Client::Kind::control
                : listening == data_  ? Client::Kind::data
                                      : Client::Kind::rtsp;
  if (client.kind == Client::Kind::control) {
    ++connections_;
    if (behaviour_.close_after == 0) client.closing = true;
    if (behaviour_.flood_after == 0) client.endless = behaviour_.flood;
  }
  if (client.kind == Client::Kind::rtsp && behaviour_.preview == Preview::garbage)
    client.endless = random_bytes(chunk);
  refill(client);
}

/// Single bytes, and previews without an end, are sent once a millisecond: with chunks of 64 KiB
/// that is as fast as the fastest Wi-Fi, for which memory has to be limited.
bool HostileCamera::is_paced(const Client& client) const {
  return behaviour_.drips || (client.kind == Client::Kind::rtsp && !client.endless.empty());
}

/// Adds output for a client whose output never ends.
void HostileCamera::refill(Client& client) {
  if (!client.output.empty()) return;
  if (!client.endless.empty()) client.output = repeated(client.endless, chunk);
  while (client.packets && client.output.size() < chunk) {
    const std::string packet = random_bytes(400);
    client.output += std::string("$\0\x01\x90", 4) + packet;
  }
}

void HostileCamera::send(Client& client) {
  const size_t most = behaviour_.drips ? 1 : client.output.size();
  const ssize_t sent = ::send(client.socket, client.output.data(), most, MSG_NOSIGNAL);
  if (sent > 0) client.output.erase(0, static_cast<size_t>(sent));
  if (sent < 0 && errno != EAGAIN) client.gone = true;
  refill(client);
}

void HostileCamera::receive(Client& client) {
  char buffer[16384];
  const ssize_t got = recv(client.socket, buffer, sizeof buffer, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    client.gone = true;
    return;
  }
  client.input.append(buffer, static_cast<size_t>(got));
  if (client.kind == Client::Kind::control)
    take_requests(client);
  else if (client.kind == Client::Kind::rtsp)
    take_rtsp(client);
  refill(client);
}

void HostileCamera::take_requests(Client& client) {
  // Our requests are flat objects.
  for (size_t end; (end = client.input.find('}')) != std::string::npos;) {
    const std::string request = client.input.substr(0, end + 1);
    client.input.erase(0, end + 1);
    answer(client, std::atoi(member(request, "msg_id").c_str()), request);
  }
}

void HostileCamera::answer(Client& client, int id, const std::string& request) {
  const int number = client.requests++;
  if (behaviour_.close_after >= 0 && number >= behaviour_.close_after) {
    client.closing = true;
    return;
  }
  if (behaviour_.mute_after >= 0 && number >= behaviour_.mute_after) return;
  std::string more = ",\"param\":7";
  if (id == 261)
    more = behaviour_.table == Table::none ? "" : ",\"param\":\"0123456789abcdef0123456789abcdef\"";
  std::string data;
  bool endless = false;
  if (id == 1285) {
    std::string size = "300000";
    if (behaviour_.table == Table::huge) size = "1099511627776";
    if (behaviour_.table == Table::negative) size = "-5";
    more = ",\"rem_size\":" + size + ",\"size\":" + size;
    endless = behaviour_.table == Table::endless;
    if (behaviour_.table == Table::cut) data = std::string(1000, 'T');
  }
  std::string usual = "{\"rval\":0,\"msg_id\":" + std::to_string(id) + more + "}";
  client.output += behaviour_.reply ? behaviour_.reply(id, usual) : usual;
  if (id == behaviour_.flood_after && client.endless.empty()) client.endless = behaviour_.flood;
  for (Client& other : clients_) {
    if (other.kind != Client::Kind::data) continue;
    other.output += data;
    if (endless) other.endless = "TTTTTTTT";
    refill(other);
    if (behaviour_.table == Table::cut && !data.empty()) other.closing = true;
  }
}

void HostileCamera::take_rtsp(Client& client) {
  for (size_t end; (end = client.input.find("\r\n\r\n")) != std::string::npos;) {
    const std::string request = client.input.substr(0, end + 2);
    client.input.erase(0, end + 4);
    const std::string ok = "RTSP/1.0 200 OK\r\nCSeq: " + header(request, "CSeq") + "\r\n";
    const std::string url = request.substr(request.find(' ') + 1);
    const auto is = [&](const char* method) { return request.starts_with(method); };
    switch (behaviour_.preview) {
      case Preview::mute:
      case Preview::garbage:
        continue;
      case Preview::closes:
        client.closing = true;
        continue;
      case Preview::endless_headers:
        client.output += ok;
        client.endless = "X-More: " + std::string(2000, 'x') + "\r\n";
        continue;
      case Preview::redirects:
      case Preview::leads_elsewhere:
        client.output +=
            "RTSP/1.0 302 Moved\r\nCSeq: " + header(request, "CSeq") + "\r\nLocation: " +
            (behaviour_.preview == Preview::redirects ? url.substr(0, url.find(' '))
                                                      : std::string("file:///etc/passwd")) +
            "\r\n\r\n";
        continue;
      default:
        break;
    }
    if (is("OPTIONS")) {
      client.output += ok + "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n";
    } else if (is("DESCRIBE") && behaviour_.preview == Preview::endless_sdp) {
      client.output +=
          ok + "Content-Type: application/sdp\r\nContent-Length: 2000000000\r\n\r\nv=0\r\n";
      client.endless = "a=" + std::string(2000, 'x') + "\r\n";
    } else if (is("DESCRIBE")) {
      std::string sdp =
          "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n";
      sdp += behaviour_.preview == Preview::odd_sdp
                 ? "a=rtpmap:96 \x1b[31m\xff\xfe/90000\r\na=control:\x1b]0;x\x07\r\n" +
                       repeated("m=\xc3(\r\n", 4000)
                 : "a=rtpmap:96 H264/90000\r\na=control:track1\r\n";
      client.output +=
          ok + "Content-Type: application/sdp\r\nContent-Length: " + std::to_string(sdp.size()) +
          "\r\n\r\n" + sdp;
    } else if (is("SETUP")) {
      client.output += ok + "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n";
    } else {
      client.output += ok + "Session: 1\r\n\r\n";
      client.packets = is("PLAY") && behaviour_.preview == Preview::garbage_packets;
    }
  }
}

}  // namespace sphere::test
