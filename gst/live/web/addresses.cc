// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/addresses.h"

#include <arpa/inet.h>
#include <gio/gio.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "gst/sphere/base/gobject.h"

namespace sphere::live {

namespace {

template <typename T>
std::string bytes_of(const T& address) {
  return std::string(reinterpret_cast<const char*>(&address), sizeof address);
}

}  // namespace

std::vector<std::string> network_addresses() {
  std::vector<std::string> four, six;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return {};
  for (const ifaddrs* one = all; one; one = one->ifa_next) {
    if (!one->ifa_addr || !(one->ifa_flags & IFF_UP) || (one->ifa_flags & IFF_LOOPBACK)) continue;
    char text[INET6_ADDRSTRLEN] = "";
    if (one->ifa_addr->sa_family == AF_INET) {
      const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
      if (inet_ntop(AF_INET, &address->sin_addr, text, sizeof text)) four.emplace_back(text);
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      const auto* address = reinterpret_cast<const sockaddr_in6*>(one->ifa_addr);
      if (!IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr) &&
          inet_ntop(AF_INET6, &address->sin6_addr, text, sizeof text))
        six.emplace_back(text);
    }
  }
  freeifaddrs(all);
  four.insert(four.end(), six.begin(), six.end());
  return four;
}

bool is_loopback(const std::string& ip) {
  const ObjectRef<GInetAddress> parsed(g_inet_address_new_from_string(ip.c_str()));
  return parsed && g_inet_address_get_is_loopback(parsed.get());
}

std::string socket_address(const std::string& ip, uint16_t port) {
  sockaddr_in four = {};
  if (inet_pton(AF_INET, ip.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    return bytes_of(four);
  }
  sockaddr_in6 six = {};
  if (inet_pton(AF_INET6, ip.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    return bytes_of(six);
  }
  return {};
}

StunAddress stun_address(const std::string& socket_address) {
  StunAddress found;
  const auto fill = [&](const void* ip, size_t size, in_port_t port) {
    const auto* bytes = static_cast<const uint8_t*>(ip);
    found.ip.assign(bytes, bytes + size);
    found.port = ntohs(port);
  };
  if (socket_address.size() >= sizeof(sockaddr_in)) {
    sockaddr_in four = {};
    std::memcpy(&four, socket_address.data(), sizeof four);
    if (four.sin_family == AF_INET) {
      fill(&four.sin_addr, 4, four.sin_port);
    } else if (four.sin_family == AF_INET6 && socket_address.size() >= sizeof(sockaddr_in6)) {
      sockaddr_in6 six = {};
      std::memcpy(&six, socket_address.data(), sizeof six);
      const bool mapped = IN6_IS_ADDR_V4MAPPED(&six.sin6_addr);
      fill(six.sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16, six.sin6_port);
    }
  }
  return found;
}

}  // namespace sphere::live
