// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/discover.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"
#include "hw/camera_client.h"
#include "hw/service_browser.h"

namespace sphere::hw {

namespace {

constexpr const char* routes_file = "/proc/net/route";
constexpr unsigned route_is_gateway = 0x2;
// Avahi knows after about a second what is announced.
constexpr std::chrono::milliseconds announcement_time{2000};

/// A line of Linux's table of IPv4 routes. Addresses are as in in_addr.
struct Route {
  uint32_t destination = 0, gateway = 0, mask = 0;
  bool has_gateway = false;
};

/// The table has addresses as hexadecimal numbers.
std::vector<Route> routes() {
  std::vector<Route> found;
  std::ifstream file(routes_file);
  std::string line;
  std::getline(file, line);  // the names of the columns
  const auto number = [](const std::string& text) {
    return static_cast<uint32_t>(std::strtoul(text.c_str(), nullptr, 16));
  };
  while (std::getline(file, line)) {
    std::istringstream columns(line);
    std::string interface, destination, gateway, flags, references, uses, metric, mask;
    if (!(columns >> interface >> destination >> gateway >> flags >> references >> uses >> metric >>
          mask))
      continue;
    found.push_back({number(destination), number(gateway), number(mask),
                     (number(flags) & route_is_gateway) != 0});
  }
  return found;
}

std::vector<std::string> gateways() {
  std::vector<std::string> found;
  for (const Route& route : routes()) {
    if (!route.has_gateway || !route.gateway) continue;
    in_addr address = {};
    address.s_addr = route.gateway;
    std::array<char, INET_ADDRSTRLEN> text = {};
    if (inet_ntop(AF_INET, &address, text.data(), text.size())) found.emplace_back(text.data());
  }
  return found;
}

/// One location that is tried.
struct Attempt {
  std::string location;
  const CameraFamily* family;
  std::shared_ptr<CameraClient> client;
};

/// The answers of several attempts, which come in the cameras' threads.
class Answers {
 public:
  using Answer = std::pair<size_t, std::optional<Failure>>;

  void add(size_t attempt, const std::optional<Failure>& failure) {
    const Lock lock(mutex_);
    answers_.emplace_back(attempt, failure);
    changed_.notify_all();
  }
  void cancel() {
    const Lock lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }
  /// Waits for this number of answers, but not after `until`.
  std::vector<Answer> wait(size_t count, std::chrono::steady_clock::time_point until) {
    const Lock lock(mutex_);
    while (answers_.size() < count && !cancelled_ &&
           changed_.wait_until(mutex_, until) == std::cv_status::no_timeout) {
    }
    return answers_;
  }

 private:
  Mutex mutex_;  // protects what follows; the innermost
  ConditionVariable changed_;
  std::vector<Answer> answers_ SPHERE_GUARDED_BY(mutex_);
  bool cancelled_ SPHERE_GUARDED_BY(mutex_) = false;
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

bool is_nearby(const std::string& host) {
  in_addr address = {};
  if (inet_pton(AF_INET, host.c_str(), &address) != 1) return true;
  return std::ranges::any_of(routes(), [&](const Route& route) {
    return !route.has_gateway && route.mask && (address.s_addr & route.mask) == route.destination;
  });
}

std::vector<std::string> nearby_locations() {
  std::vector<std::string> all = usual_locations();
  std::erase_if(all, [](const std::string& location) {
    const GString_ host([&] {
      char* text = nullptr;
      g_uri_split(location.c_str(), G_URI_FLAGS_NONE, nullptr, nullptr, &text, nullptr, nullptr,
                  nullptr, nullptr, nullptr);
      return text;
    }());
    return host && !is_nearby(host.get());
  });
  return all;
}

std::vector<FoundCamera> find_cameras(const std::vector<std::string>& locations,
                                      std::chrono::milliseconds timeout,
                                      GCancellable* cancellable) {
  std::vector<FoundCamera> found;
  std::vector<Attempt> attempts;
  for (const std::string& location : locations) {
    const Result<const CameraFamily*> family = find_family(location);
    if (!family || !(*family)->check_location(location)) continue;
    if (const auto known = CameraClient::find(location); known && known->is_ready()) {
      found.push_back({location, *family, false, known->state()});
      continue;
    }
    CameraOptions options;
    options.location = location;
    options.connect_timeout = timeout;
    // A search needs none, and a camera takes time to send its own.
    options.wants_lens_table = false;
    attempts.push_back({location, *family, std::make_shared<CameraClient>(**family, options)});
  }
  // Shared, because an answer may come after this function has returned.
  const auto answers = std::make_shared<Answers>();
  const gulong connection =
      cancellable
          ? g_cancellable_connect(cancellable, G_CALLBACK(+[](GCancellable*, gpointer data) {
                                    static_cast<Answers*>(data)->cancel();
                                  }),
                                  answers.get(), nullptr)
          : 0;
  const auto until = std::chrono::steady_clock::now() + timeout;
  for (size_t i = 0; i < attempts.size(); ++i)
    attempts[i].client->connect(
        [answers, i](const std::optional<Failure>& failure) { answers->add(i, failure); });
  for (const auto& [i, failure] : answers->wait(attempts.size(), until)) {
    FoundCamera camera{attempts[i].location, attempts[i].family, false, {}};
    if (failure && failure->reason != Failure::Reason::held) continue;
    camera.in_use = failure.has_value();
    if (!failure) camera.state = attempts[i].client->state();
    found.push_back(std::move(camera));
  }
  if (connection) g_cancellable_disconnect(cancellable, connection);
  // All end at the same time.
  for (const Attempt& attempt : attempts) attempt.client->release(nullptr);
  for (const Attempt& attempt : attempts) attempt.client->disconnect();
  std::ranges::sort(found, {}, &FoundCamera::location);
  return found;
}

std::vector<FoundCamera> find_cameras_and_announced(const std::vector<std::string>& locations,
                                                    std::chrono::milliseconds timeout,
                                                    GCancellable* cancellable) {
  const auto announced_by = std::chrono::steady_clock::now() + std::min(timeout, announcement_time);
  const ServiceBrowser announced([] {});
  std::vector<FoundCamera> found = find_cameras(locations, timeout, cancellable);
  announced.wait_for_known(announced_by);
  std::vector<std::string> others = announced.locations();
  std::erase_if(others, [&](const std::string& location) {
    return std::ranges::find(locations, location) != locations.end();
  });
  for (FoundCamera& camera : find_cameras(others, timeout, cancellable))
    found.push_back(std::move(camera));
  std::ranges::sort(found, {}, &FoundCamera::location);
  return found;
}

}  // namespace sphere::hw
