// SPDX-License-Identifier: LGPL-2.1-or-later
// Keeps connections to a camera away from web proxies.

#pragma once

#include <cstdint>
#include <string>

namespace sphere::hw {

/// As long as this lives, the connections that this process makes to one host and port go there
/// directly, whatever `http_proxy` says. It is for libraries that make their connections themselves
/// and can't be told: rtspsrc of GStreamer 1.22 always asks GIO's default proxy resolver, and that
/// of glib-networking sends RTSP through the proxy for HTTP. This adds a resolver to GIO that
/// answers for the cameras alone and passes all other questions on to the one that would be the
/// default.
class DirectRoute {
 public:
  DirectRoute(std::string host, uint16_t port);
  ~DirectRoute();
  DirectRoute(const DirectRoute&) = delete;
  DirectRoute& operator=(const DirectRoute&) = delete;

  /// Whether GIO would take a proxy all the same: this process had chosen its resolver before, or
  /// GIO_USE_PROXY_RESOLVER names one. May read settings from the disk.
  bool is_proxied() const;

 private:
  const std::string host_;
  const uint16_t port_;
};

}  // namespace sphere::hw
