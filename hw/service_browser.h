// SPDX-License-Identifier: LGPL-2.1-or-later
// Cameras that somebody announces in the network by DNS-SD, such as one behind a router. A camera
// on its own Wi-Fi announces nothing.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sphere::hw {

/// Looks for services of the type `_SCHEME._tcp` of each family, with Avahi. Without Avahi, or
/// while its daemon does not run, there are none.
class ServiceBrowser {
 public:
  /// `changed` is called in a thread of its own when locations() has changed.
  explicit ServiceBrowser(std::function<void()> changed);
  ~ServiceBrowser();
  ServiceBrowser(const ServiceBrowser&) = delete;
  ServiceBrowser& operator=(const ServiceBrowser&) = delete;

  /// The URIs of the cameras that are announced.
  std::vector<std::string> locations() const;

  /// Waits until everything that is announced at present is known, about a second; not after
  /// `until`, and not where no daemon runs.
  void wait_for_known(std::chrono::steady_clock::time_point until) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The URI of a service; empty if it is not the address of a camera in a network of this machine.
/// `fields` are those of its TXT record: those that end in -port become parameters.
std::string location_of_service(std::string_view scheme, const std::string& address, uint16_t port,
                                const std::vector<std::string>& fields);

}  // namespace sphere::hw
