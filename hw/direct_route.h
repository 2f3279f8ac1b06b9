// SPDX-License-Identifier: LGPL-2.1-or-later
// Keeps connections to a camera away from web proxies.

#pragma once

#include <cstdint>
#include <string>

namespace sphere::hw {

/// As long as this object exists, the connections of this process to one host and port are direct,
/// whatever the value of `http_proxy`. It is for libraries that make their connections themselves
/// and have no option for it: rtspsrc of GStreamer 1.22 always uses GIO's default proxy resolver,
/// and that of glib-networking sends RTSP through the proxy for HTTP. This adds a resolver to GIO
/// that answers only for the cameras, and passes all other requests on to the one that would be the
/// default.
class DirectRoute {
 public:
  DirectRoute(std::string host, uint16_t port);
  ~DirectRoute();
  DirectRoute(const DirectRoute&) = delete;
  DirectRoute& operator=(const DirectRoute&) = delete;

  /// Whether GIO would use a proxy nevertheless: this process has chosen its resolver before, or
  /// GIO_USE_PROXY_RESOLVER names another one. May read settings from the disk.
  bool is_proxied() const;

 private:
  const std::string host_;
  const uint16_t port_;
};

}  // namespace sphere::hw
