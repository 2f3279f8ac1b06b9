// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/media_server.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "gst/live/web/addresses.h"
#include "gst/live/web/secrets.h"

namespace sphere::live {

namespace {

constexpr auto tick_interval = std::chrono::milliseconds(50);
/// RFC 8445 wants 24 and 128 bits at least.
constexpr size_t user_length = 8, password_length = 32, id_length = 32;
/// The most frames that may wait for the thread. If there are more, it is too slow.
constexpr unsigned most_waiting = 120;
constexpr size_t most_paths = 8;
constexpr size_t most_sockets = 16;
constexpr int send_buffer = 4 << 20;
constexpr int datagrams_per_turn = 128;
/// A key frame for many viewers at once is more than a socket takes. What is older than this many
/// datagrams would be late anyway.
constexpr size_t most_waiting_datagrams = 8192;
constexpr int days_of_certificate = 30;

Time now() { return g_get_monotonic_time(); }

/// False if the system does not take it yet. What it never takes counts as sent.
bool send_now(GSocket* socket, const std::string& address, std::span<const uint8_t> datagram) {
  const ssize_t sent = sendto(
      g_socket_get_fd(socket), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
      reinterpret_cast<const sockaddr*>(address.data()), static_cast<socklen_t>(address.size()));
  return sent >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace

Result<std::unique_ptr<MediaServer>> MediaServer::start(Settings settings) {
  if (!Srtp::prepare()) return failed("SRTP could not be set up.");
  // A new one each time, so that nobody can tell that the same machine has served before.
  auto certificate = Certificate::make("viewer", {}, days_of_certificate);
  if (!certificate) return certificate.error();
  auto context = DtlsContext::make(*certificate);
  if (!context) return context.error();
  std::unique_ptr<MediaServer> made(
      new MediaServer(std::move(settings), std::move(*context), certificate->fingerprint()));
  if (auto opened = made->open_sockets(); !opened) return opened.error();
  made->loop_.start();
  MediaServer* self = made.get();
  made->loop_.ask<bool>([self] {
    self->ticking_ = watch_time(tick_interval, self->loop_.context(), [self] {
      self->tick();
      return true;
    });
    return true;
  });
  return made;
}

MediaServer::MediaServer(Settings settings, DtlsContext context, Sha256 fingerprint)
    : settings_(std::move(settings)),
      context_(std::move(context)),
      fingerprint_(fingerprint),
      cname_(random_text(16)),
      key_requests_(settings_.key_frame_interval) {
  for (size_t i = 0; i < stream_kinds; ++i) {
    ssrcs_[i] = random_number();
    timestamp_offsets_[i] = random_number();
    // In the lower half, as RFC 3711 advises: the first packets of a stream can't then be taken for
    // ones after an overflow.
    next_sequences_[i] = static_cast<uint16_t>(random_number() & 0x7fff);
  }
}

MediaServer::~MediaServer() {
  loop_.later([this] {
    for (auto& [id, viewer] : viewers_) viewer.peer->close();
    viewers_.clear();
    ticking_.stop();
    sockets_.clear();
  });
  loop_.stop();
  loop_.drain();
}

Status MediaServer::open_sockets() {
  const std::vector<std::string> addresses =
      settings_.loopback ? std::vector<std::string>{"127.0.0.1", "::1"} : network_addresses();
  // None at all: they could not be read, or no network is there. The sockets may still be of use.
  if (addresses.empty() && !sockets_.empty()) return ok();
  for (const std::string& ip : addresses) {
    const bool known =
        std::ranges::any_of(sockets_, [&](const auto& entry) { return entry.second.ip == ip; });
    if (known || sockets_.size() >= most_sockets) continue;
    auto opened = open_socket(ip);
    // IPv6 may be switched off, and an address may just have gone.
    if (!opened && settings_.port != 0 && settings_.loopback && ip == "127.0.0.1") return opened;
  }
  // An address that is gone can't be bound again, and its socket receives nothing.
  std::erase_if(sockets_, [&](const auto& entry) {
    return std::ranges::find(addresses, entry.second.ip) == addresses.end();
  });
  if (!sockets_.empty()) return ok();
  return failed(settings_.port ? "The UDP port " + std::to_string(settings_.port) +
                                     " can't be used; choose another one with udp-port=."
                               : "This machine has no network address for viewers.");
}

Status MediaServer::open_socket(const std::string& ip) {
  const std::string address = socket_address(ip, settings_.port);
  const ObjectRef<GSocketAddress> bound(
      g_socket_address_new_from_native(const_cast<char*>(address.data()), address.size()));
  g_autoptr(GError) error = nullptr;
  if (!bound) return failed("no address");
  Socket made;
  made.socket.reset(g_socket_new(g_socket_address_get_family(bound.get()), G_SOCKET_TYPE_DATAGRAM,
                                 G_SOCKET_PROTOCOL_UDP, &error));
  if (!made.socket || !g_socket_bind(made.socket.get(), bound.get(), FALSE, &error))
    return failed("The UDP port " + std::to_string(settings_.port) +
                  " can't be used: " + error->message);
  g_socket_set_blocking(made.socket.get(), FALSE);
  g_socket_set_option(made.socket.get(), SOL_SOCKET, SO_SNDBUF, send_buffer, nullptr);
  const ObjectRef<GSocketAddress> local(g_socket_get_local_address(made.socket.get(), nullptr));
  if (!local) return failed("no address");
  made.ip = ip;
  made.port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(local.get()));
  const int number = socket_count_++;
  made.readable = watch_socket(made.socket.get(), G_IO_IN, loop_.context(), [this, number] {
    read(number);
    return true;
  });
  sockets_.emplace(number, std::move(made));
  return ok();
}

Result<MediaServer::Joined> MediaServer::join(const Offer& offer, const std::string& address,
                                              bool sound, ViewerSlots::Slot slot) {
  return loop_.ask<Result<Joined>>(
      [&]() -> Result<Joined> { return join_here(offer, address, sound, std::move(slot)); });
}

Result<MediaServer::Joined> MediaServer::join_here(const Offer& offer, const std::string& address,
                                                   bool sound, ViewerSlots::Slot slot) {
  // A network may have come since the last viewer joined.
  if (!settings_.loopback)
    if (auto opened = open_sockets(); !opened) return opened.error();

  PeerSetup setup;
  setup.ice_user = random_text(user_length);
  setup.ice_password = random_text(password_length);
  setup.fingerprint = offer.fingerprint;
  setup.cname = cname_;
  const auto stream = [&](StreamKind kind, const std::optional<size_t>& media) {
    if (!media) return;
    const OfferedFormat& format = *offer.media[*media].format;
    setup.streams[static_cast<size_t>(kind)] =
        PeerSetup::Stream{ssrc(kind), format.payload_type, format.nack};
  };
  stream(StreamKind::video, offer.video);
  if (sound) stream(StreamKind::audio, offer.audio);

  Answer answer;
  answer.session = static_cast<uint64_t>(random_number()) << 16;
  answer.ice_user = setup.ice_user;
  answer.ice_password = setup.ice_password;
  answer.fingerprint = fingerprint_;
  answer.cname = cname_;
  answer.video.ssrc = ssrc(StreamKind::video);
  if (sound && offer.audio) answer.audio = AnswerStream{ssrc(StreamKind::audio)};
  for (const auto& [number, socket] : sockets_) {
    const AnswerAddress one{socket.ip, socket.port};
    answer.addresses.insert(
        socket.ip == address ? answer.addresses.begin() : answer.addresses.end(), one);
  }

  const std::string id = random_text(id_length);
  Viewer viewer;
  viewer.slot = std::move(slot);
  viewer.our_user = setup.ice_user;
  viewer.their_users = offer.ice_users;
  id_of_user_[setup.ice_user] = id;
  PeerServices& services = *this;
  viewer.peer = std::make_unique<Peer>(std::move(setup), context_, services, now());
  viewers_.emplace(id, std::move(viewer));
  return Joined{id, write_answer(offer, answer)};
}

bool MediaServer::leave(const std::string& id) {
  return loop_.ask<bool>([&] {
    const auto viewer = viewers_.find(id);
    if (viewer == viewers_.end()) return false;
    viewer->second.peer->close();
    remove(id);
    return true;
  });
}

std::optional<std::vector<std::string>> MediaServer::viewer_users(const std::string& id) {
  return loop_.ask<std::optional<std::vector<std::string>>>([&] {
    const auto viewer = viewers_.find(id);
    return viewer == viewers_.end() ? std::nullopt : std::optional(viewer->second.their_users);
  });
}

void MediaServer::remove(const std::string& id) {
  const auto viewer = viewers_.find(id);
  for (const Path& path : viewer->second.paths) forget_path(path, id);
  id_of_user_.erase(viewer->second.our_user);
  viewers_.erase(viewer);
}

void MediaServer::read(int number) {
  std::array<uint8_t, 2048> bytes;
  for (int i = 0; i < datagrams_per_turn; ++i) {
    const auto socket = sockets_.find(number);
    if (socket == sockets_.end()) return;
    sockaddr_storage from = {};
    socklen_t from_size = sizeof from;
    const ssize_t size = recvfrom(g_socket_get_fd(socket->second.socket.get()), bytes.data(),
                                  bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 0) {
      // An answer of the network that a datagram of ours could not be delivered is no reason to
      // stop reading.
      if (errno == EINTR || errno == ECONNREFUSED) continue;
      return;
    }
    on_datagram(std::span(bytes.data(), static_cast<size_t>(size)),
                {number, std::string(reinterpret_cast<const char*>(&from), from_size)});
  }
}

void MediaServer::on_datagram(std::span<const uint8_t> datagram, const Path& path) {
  if (datagram.empty()) return;
  if (may_be_stun(datagram[0])) {
    if (const auto check = read_check(datagram)) on_check(*check, path);
    return;
  }
  const auto id = id_of_path_.find(path);
  if (id == id_of_path_.end()) return;
  const auto viewer = viewers_.find(id->second);
  if (viewer != viewers_.end()) viewer->second.peer->receive(datagram, path, now());
}

void MediaServer::on_check(const StunCheck& check, const Path& path) {
  const std::string_view ours = check.user.substr(0, check.user.find(':'));
  const auto id = id_of_user_.find(ours);
  if (id == id_of_user_.end()) return;
  Viewer& viewer = viewers_.at(id->second);
  if (!viewer.peer->check(check, stun_address(path.address), path, now())) return;
  // Another viewer may have had the same port before.
  id_of_path_[path] = id->second;
  if (std::ranges::find(viewer.paths, path) != viewer.paths.end()) return;
  viewer.paths.push_back(path);
  if (viewer.paths.size() > most_paths) {
    // The oldest one is of little use, because the viewer has changed its network often.
    forget_path(viewer.paths.front(), id->second);
    viewer.paths.erase(viewer.paths.begin());
  }
}

void MediaServer::forget_path(const Path& path, const std::string& id) {
  const auto found = id_of_path_.find(path);
  if (found != id_of_path_.end() && found->second == id) id_of_path_.erase(found);
}

void MediaServer::push(StreamKind kind, GstSample* sample, int64_t utc_of_running_time_0) {
  const GstSegment* segment = gst_sample_get_segment(sample);
  std::vector<RtpPacketRef> packets;
  const auto add = [&](GstBuffer* buffer) {
    const GstClockTime time =
        gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    auto packet = std::make_shared<RtpPacket>();
    packet->bytes.resize(gst_buffer_get_size(buffer));
    gst_buffer_extract(buffer, 0, packet->bytes.data(), packet->bytes.size());
    const auto header = read_rtp(packet->bytes);
    if (!header) return;
    packet->sequence = header->sequence;
    packet->timestamp = header->timestamp;
    packet->begins_key_frame = kind == StreamKind::video && begins_key_frame(header->payload);
    packet->utc_us = utc_of_running_time_0 +
                     (GST_CLOCK_TIME_IS_VALID(time) ? static_cast<int64_t>(time / 1000) : 0);
    packets.push_back(std::move(packet));
  };
  if (GstBufferList* list = gst_sample_get_buffer_list(sample)) {
    for (guint i = 0; i < gst_buffer_list_length(list); ++i) add(gst_buffer_list_get(list, i));
  } else if (GstBuffer* buffer = gst_sample_get_buffer(sample)) {
    add(buffer);
  }
  if (packets.empty()) return;
  next_sequences_[static_cast<size_t>(kind)] = static_cast<uint16_t>(packets.back()->sequence + 1);
  // A viewer notices the gap and asks for a key frame.
  if (waiting_ >= most_waiting) return;
  ++waiting_;
  loop_.later([this, kind, packets = std::move(packets)] {
    --waiting_;
    send_all(kind, packets);
  });
}

void MediaServer::send_all(StreamKind kind, const std::vector<RtpPacketRef>& packets) {
  const Time time = now();
  PacketHistory& history = histories_[static_cast<size_t>(kind)];
  for (const RtpPacketRef& packet : packets) history.add(packet);
  // One viewer after the other: its keys stay in the processor's cache.
  for (auto& [id, viewer] : viewers_)
    for (const RtpPacketRef& packet : packets) viewer.peer->send(kind, *packet, time);
}

void MediaServer::tick() {
  const Time time = now();
  std::vector<std::string> ended;
  for (auto& [id, viewer] : viewers_) {
    viewer.peer->tick(time);
    if (viewer.peer->ended(time)) ended.push_back(id);
  }
  for (const std::string& id : ended) remove(id);
  if (key_requests_.due(time)) settings_.request_key_frame();
}

void MediaServer::send_datagram(const Path& path, std::span<const uint8_t> datagram) {
  const auto found = sockets_.find(path.socket);
  if (found == sockets_.end()) return;
  Socket& socket = found->second;
  if (socket.waiting.empty() && send_now(socket.socket.get(), path.address, datagram)) return;
  // The viewer asks again for what is lost here.
  if (socket.waiting.size() >= most_waiting_datagrams) return;
  socket.waiting.emplace_back(path.address, std::vector<uint8_t>(datagram.begin(), datagram.end()));
  if (!socket.writable)
    socket.writable = watch_socket(socket.socket.get(), G_IO_OUT, loop_.context(),
                                   [this, number = path.socket] { return write_waiting(number); });
}

bool MediaServer::write_waiting(int number) {
  const auto found = sockets_.find(number);
  if (found == sockets_.end()) return false;
  Socket& socket = found->second;
  while (!socket.waiting.empty()) {
    const auto& [address, datagram] = socket.waiting.front();
    if (!send_now(socket.socket.get(), address, datagram)) return true;
    socket.waiting.pop_front();
  }
  return false;
}

void MediaServer::want_key_frame() {
  key_requests_.want();
  if (key_requests_.due(now())) settings_.request_key_frame();
}

void MediaServer::want_key_frame_later() {
  loop_.later([this] { want_key_frame(); });
}

RtpPacketRef MediaServer::sent_packet(StreamKind kind, uint16_t sequence) {
  return histories_[static_cast<size_t>(kind)].find(sequence);
}

}  // namespace sphere::live
