// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/connection.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace sphere::live {

namespace {

// A context has a few descriptors for each of its connections.
constexpr int most_polled = 64;
constexpr int most_turns = 100;
// Between two questions for addresses, and two attempts to connect. The kernel would ask again
// later and later.
constexpr int64_t question_interval = G_USEC_PER_SEC, attempt_interval = G_USEC_PER_SEC;

uint16_t port_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

bool is_stream_socket(int descriptor) {
  int type = 0;
  socklen_t size = sizeof type;
  // What is no socket fails here.
  return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

/// As GInetAddress writes it.
std::string address_of(const sockaddr_storage& address, socklen_t size) {
  char text[INET6_ADDRSTRLEN + 1] = {};
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, text, sizeof text, nullptr, 0,
                  NI_NUMERICHOST) != 0)
    return {};
  // As an IPv4 address is written on a socket for both families.
  constexpr std::string_view mapped = "::ffff:";
  const std::string_view whole = text;
  return std::string(whole.starts_with(mapped) ? whole.substr(mapped.size()) : whole);
}

bool is_among(const std::vector<Descriptor>& these, int descriptor) {
  return std::ranges::any_of(these, [&](const Descriptor& one) { return one.get() == descriptor; });
}

}  // namespace

ServerConnections::ServerConnections(const std::string& host, uint16_t port)
    : host_(host), port_(port), context_(g_main_context_new()), cancellable_(g_cancellable_new()) {
  const ObjectRef<GInetAddress> address(g_inet_address_new_from_string(host.c_str()));
  if (!address) return;
  const GString_ text(g_inet_address_to_string(address.get()));
  const Lock lock(mutex_);
  addresses_.emplace_back(text.get());
}

ServerConnections::~ServerConnections() { g_cancellable_cancel(cancellable_.get()); }

bool ServerConnections::find() {
  if (known()) return true;
  g_main_context_push_thread_default(context_.get());
  if (!asked_ && g_get_monotonic_time() >= ask_after_) {
    const ObjectRef<GResolver> resolver(g_resolver_get_default());
    g_resolver_lookup_by_name_async(resolver.get(), host_.c_str(), cancellable_.get(), on_found,
                                    this);
    asked_ = true;
    ask_after_ = g_get_monotonic_time() + question_interval;
  }
  while (g_main_context_iteration(context_.get(), FALSE)) {
  }
  g_main_context_pop_thread_default(context_.get());
  return known();
}

/// Called within find() only.
void ServerConnections::on_found(GObject* resolver, GAsyncResult* result, gpointer data) {
  auto* self = static_cast<ServerConnections*>(data);
  GList* found = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, nullptr);
  self->asked_ = found != nullptr;
  const Lock lock(self->mutex_);
  for (const GList* one = found; one; one = one->next) {
    const GString_ text(g_inet_address_to_string(static_cast<GInetAddress*>(one->data)));
    self->addresses_.emplace_back(text.get());
  }
  g_resolver_free_addresses(found);
}

bool ServerConnections::can_connect() {
  if (!find()) return false;
  if (attempt_) {
    pollfd one = {attempt_.get(), POLLOUT, 0};
    int error = 0;
    socklen_t size = sizeof error;
    if (poll(&one, 1, 0) > 0 &&
        getsockopt(attempt_.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0) {
      attempt_ = Descriptor();
      if (error == 0) return true;
    }
  }
  if (g_get_monotonic_time() >= try_after_) try_next_address();
  return false;
}

void ServerConnections::try_next_address() {
  try_after_ = g_get_monotonic_time() + attempt_interval;
  std::string text;
  {
    const Lock lock(mutex_);
    text = addresses_[next_address_++ % addresses_.size()];
  }
  const ObjectRef<GSocketAddress> address(
      g_inet_socket_address_new_from_string(text.c_str(), port_));
  sockaddr_storage native = {};
  if (!address || !g_socket_address_to_native(address.get(), &native, sizeof native, nullptr))
    return;
  attempt_ =
      Descriptor(socket(native.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  // What comes of it is asked for later.
  (void)connect(attempt_.get(), reinterpret_cast<const sockaddr*>(&native),
                static_cast<socklen_t>(g_socket_address_get_native_size(address.get())));
}

bool ServerConnections::known() const {
  const Lock lock(mutex_);
  return !addresses_.empty();
}

template <typename Function>
void ServerConnections::for_each(Function take) const {
  const std::unique_ptr<DIR, Call<closedir>> descriptors(opendir("/proc/self/fd"));
  if (!descriptors) return;
  const Lock lock(mutex_);
  while (const dirent* entry = readdir(descriptors.get())) {
    const int descriptor = std::atoi(entry->d_name);
    if (!is_stream_socket(descriptor)) continue;
    sockaddr_storage peer = {};
    socklen_t size = sizeof peer;
    if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0 ||
        port_of(peer) != port_)
      continue;
    if (addresses_.empty() || std::ranges::count(addresses_, address_of(peer, size)))
      take(descriptor);
  }
}

bool ServerConnections::limit_send_buffers(int bytes) const {
  bool found = false;
  for_each([&](int descriptor) {
    found = setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0 || found;
  });
  return found;
}

int64_t ServerConnections::unanswered_for() const {
  int64_t longest = 0;
  if (!known()) return longest;
  for_each([&](int descriptor) {
    tcp_info info = {};
    socklen_t size = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return;
    // Without a repetition the answer may be on its way.
    if (info.tcpi_state == TCP_ESTABLISHED && info.tcpi_unacked && info.tcpi_retransmits)
      longest = std::max(longest, int64_t{info.tcpi_last_ack_recv} * 1000);
  });
  return longest;
}

std::vector<Descriptor> ServerConnections::unsent(const std::vector<Descriptor>& without) const {
  std::vector<Descriptor> found;
  if (!known()) return found;
  for_each([&](int descriptor) {
    int waiting = 0;
    if (is_among(without, descriptor) || is_among(found, descriptor) ||
        ioctl(descriptor, SIOCOUTQ, &waiting) != 0 || waiting == 0)
      return;
    const linger at_once = {1, 0};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    found.emplace_back(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
  });
  return found;
}

bool ServerConnections::has_other_than(const std::vector<Descriptor>& these) const {
  bool found = false;
  for_each([&](int descriptor) { found = found || !is_among(these, descriptor); });
  return found;
}

void end_connections(GMainContext* context) {
  if (!g_main_context_acquire(context)) return;
  // Whoever closes something does it in this context, too.
  g_main_context_push_thread_default(context);
  gint priority = 0, timeout = 0;
  g_main_context_prepare(context, &priority);
  std::vector<GPollFD> polled(most_polled);
  const int count = std::min(
      most_polled, g_main_context_query(context, G_MAXINT, &timeout, polled.data(), most_polled));
  for (int i = 0; i < count; ++i)
    if (is_stream_socket(polled[static_cast<size_t>(i)].fd))
      shutdown(polled[static_cast<size_t>(i)].fd, SHUT_RDWR);
  for (int i = 0; i < most_turns && g_main_context_iteration(context, FALSE); ++i) {
  }
  g_main_context_pop_thread_default(context);
  g_main_context_release(context);
}

}  // namespace sphere::live
