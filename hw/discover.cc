// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/discover.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include "gst/sphere/base/thread.h"
#include "hw/await.h"
#include "hw/camera_client.h"

namespace sphere::hw {

namespace {

constexpr const char* routes_file = "/proc/net/route";
constexpr unsigned route_is_gateway = 0x2;

/// The gateways in Linux's table of IPv4 routes, which has addresses as hexadecimal numbers.
std::vector<std::string> gateways() {
  std::vector<std::string> found;
  std::ifstream file(routes_file);
  std::string line;
  std::getline(file, line);  // the names of the columns
  while (std::getline(file, line)) {
    std::istringstream columns(line);
    std::string interface, destination, gateway;
    unsigned flags = 0;
    if (!(columns >> interface >> destination >> gateway >> std::hex >> flags)) continue;
    if (!(flags & route_is_gateway)) continue;
    in_addr address = {};
    address.s_addr = static_cast<in_addr_t>(std::strtoul(gateway.c_str(), nullptr, 16));
    std::array<char, INET_ADDRSTRLEN> text = {};
    if (address.s_addr && inet_ntop(AF_INET, &address, text.data(), text.size()))
      found.emplace_back(text.data());
  }
  return found;
}

/// One location that is tried.
struct Attempt {
  std::string location;
  const CameraFamily* family;
  std::shared_ptr<CameraClient> client;
};

}  // namespace

std::vector<std::string> usual_locations() {
  std::vector<std::string> all;
  const std::vector<std::string> hosts = gateways();
  for (const CameraFamily* family : camera_families()) {
    if (!family->default_location) continue;
    all.emplace_back(family->default_location);
    for (const std::string& host : hosts) {
      const std::string location = std::string(family->scheme) + "://" + host + "/";
      // The usual address may be that of a gateway.
      if (std::ranges::none_of(all,
                               [&](const std::string& one) { return one.starts_with(location); }))
        all.push_back(location + "live");
    }
  }
  return all;
}

std::vector<FoundCamera> find_cameras(const std::vector<std::string>& locations,
                                      std::chrono::milliseconds timeout,
                                      GCancellable* cancellable) {
  struct Results {
    Mutex mutex;  // protects what follows; the innermost
    std::vector<std::pair<size_t, std::optional<Failure>>> answers SPHERE_GUARDED_BY(mutex);
  };
  const auto results = std::make_shared<Results>();
  std::vector<Attempt> attempts;
  for (const std::string& location : locations) {
    const Result<const CameraFamily*> family = find_family(location);
    if (!family || !(*family)->check_location(location)) continue;
    CameraOptions options;
    options.location = location;
    options.connect_timeout = timeout;
    // A search stores nothing.
    options.may_store_tables = [] { return false; };
    attempts.push_back({location, *family, std::make_shared<CameraClient>(**family, options)});
  }
  // All answers, or the timeout, whatever is first.
  const auto until = std::chrono::steady_clock::now() + timeout;
  for (size_t i = 0; i < attempts.size(); ++i)
    attempts[i].client->connect([results, i](const std::optional<Failure>& failure) {
      const Lock lock(results->mutex);
      results->answers.emplace_back(i, failure);
    });
  std::vector<std::pair<size_t, std::optional<Failure>>> answers;
  for (;;) {
    {
      const Lock lock(results->mutex);
      answers = results->answers;
    }
    if (answers.size() == attempts.size() || std::chrono::steady_clock::now() >= until ||
        g_cancellable_is_cancelled(cancellable))
      break;
    g_usleep(10000);
  }
  std::vector<FoundCamera> found;
  for (const auto& [i, failure] : answers) {
    FoundCamera camera{attempts[i].location, attempts[i].family, false, {}};
    if (failure && failure->reason != Failure::Reason::held) continue;
    camera.in_use = failure.has_value();
    if (!failure) camera.state = attempts[i].client->state();
    found.push_back(std::move(camera));
  }
  for (const Attempt& attempt : attempts) attempt.client->disconnect();
  std::ranges::sort(found, {}, &FoundCamera::location);
  return found;
}

}  // namespace sphere::hw
