// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/service_browser.h"

#include "config.h"

#if HAVE_AVAHI
#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-common/thread-watch.h>
#endif

#include <algorithm>
#include <map>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"
#include "hw/camera.h"
#include "hw/discover.h"

namespace sphere::hw {

namespace {

constexpr std::string_view port_suffix = "-port";
constexpr size_t most_fields = 16;

}  // namespace

std::string location_of_service(std::string_view scheme, const std::string& address, uint16_t port,
                                const std::vector<std::string>& fields) {
  if (!is_nearby(address)) return {};
  std::string location =
      std::string(scheme) + "://" + address + ":" + std::to_string(port) + "/live";
  char separator = '?';
  for (size_t i = 0; i < std::min(fields.size(), most_fields); ++i) {
    const size_t equals = fields[i].find('=');
    if (equals == std::string::npos ||
        !std::string_view(fields[i]).substr(0, equals).ends_with(port_suffix))
      continue;
    location += separator + fields[i];
    separator = '&';
  }
  const Result<const CameraFamily*> family = find_family(location);
  return family && (*family)->check_location(location) ? location : std::string();
}

#if HAVE_AVAHI

namespace {

// Anybody in the network can announce services.
constexpr size_t most_services = 64;

}  // namespace

/// Everything but locations() happens in Avahi's thread.
struct ServiceBrowser::State {
  explicit State(std::function<void()> function) : changed(std::move(function)) {}
  ~State() {
    if (poll) avahi_threaded_poll_stop(poll);
    // This destroys its browsers and resolvers, too.
    if (client) avahi_client_free(client);
    if (poll) avahi_threaded_poll_free(poll);
  }

  void start() {
    poll = avahi_threaded_poll_new();
    if (!poll) return;
    int error = 0;
    // Waits for the daemon; without a system bus there is no client.
    client = avahi_client_new(avahi_threaded_poll_get(poll), AVAHI_CLIENT_NO_FAIL, client_changed,
                              this, &error);
    if (client) avahi_threaded_poll_start(poll);
  }

  static void client_changed(AvahiClient* client, AvahiClientState state, void* data) {
    auto* self = static_cast<State*>(data);
    if (state == AVAHI_CLIENT_S_RUNNING) {
      for (const CameraFamily* family : camera_families())
        avahi_service_browser_new(client, AVAHI_IF_UNSPEC, AVAHI_PROTO_INET,
                                  type_of(*family).c_str(), nullptr,
                                  static_cast<AvahiLookupFlags>(0), service_seen, self);
    } else if (state == AVAHI_CLIENT_CONNECTING || state == AVAHI_CLIENT_FAILURE) {
      self->remove_all();
    }
  }

  static std::string type_of(const CameraFamily& family) {
    return "_" + std::string(family.scheme) + "._tcp";
  }

  static std::string key_of(AvahiIfIndex interface, const char* name, const char* type) {
    return std::to_string(interface) + " " + type + " " + name;
  }

  static void service_seen(AvahiServiceBrowser* browser, AvahiIfIndex interface,
                           AvahiProtocol protocol, AvahiBrowserEvent event, const char* name,
                           const char* type, const char* domain, AvahiLookupResultFlags,
                           void* data) {
    auto* self = static_cast<State*>(data);
    if (event == AVAHI_BROWSER_NEW)
      avahi_service_resolver_new(avahi_service_browser_get_client(browser), interface, protocol,
                                 name, type, domain, AVAHI_PROTO_INET,
                                 static_cast<AvahiLookupFlags>(0), service_resolved, self);
    else if (event == AVAHI_BROWSER_REMOVE)
      self->remove(key_of(interface, name, type));
  }

  static void service_resolved(AvahiServiceResolver* resolver, AvahiIfIndex interface,
                               AvahiProtocol, AvahiResolverEvent event, const char* name,
                               const char* type, const char*, const char*,
                               const AvahiAddress* address, uint16_t port, AvahiStringList* text,
                               AvahiLookupResultFlags, void* data) {
    auto* self = static_cast<State*>(data);
    if (event == AVAHI_RESOLVER_FOUND) {
      char host[AVAHI_ADDRESS_STR_MAX];
      avahi_address_snprint(host, sizeof host, address);
      std::vector<std::string> fields;
      for (AvahiStringList* one = text; one; one = avahi_string_list_get_next(one))
        fields.emplace_back(reinterpret_cast<const char*>(avahi_string_list_get_text(one)),
                            avahi_string_list_get_size(one));
      for (const CameraFamily* family : camera_families())
        if (type_of(*family) == type)
          self->add(key_of(interface, name, type),
                    location_of_service(family->scheme, host, port, fields));
    }
    avahi_service_resolver_free(resolver);
  }

  void add(const std::string& key, std::string location) {
    if (location.empty()) return;
    {
      const Lock lock(mutex);
      if (services.size() >= most_services && !services.contains(key)) return;
      services[key] = std::move(location);
    }
    changed();
  }
  void remove(const std::string& key) {
    {
      const Lock lock(mutex);
      if (services.erase(key) == 0) return;
    }
    changed();
  }
  void remove_all() {
    {
      const Lock lock(mutex);
      if (services.empty()) return;
      services.clear();
    }
    changed();
  }

  const std::function<void()> changed;
  AvahiThreadedPoll* poll = nullptr;
  AvahiClient* client = nullptr;
  Mutex mutex;  // protects `services`; the innermost
  std::map<std::string, std::string> services SPHERE_GUARDED_BY(mutex);
};

ServiceBrowser::ServiceBrowser(std::function<void()> changed)
    : state_(std::make_unique<State>(std::move(changed))) {
  state_->start();
}

std::vector<std::string> ServiceBrowser::locations() const {
  std::vector<std::string> all;
  const Lock lock(state_->mutex);
  for (const auto& [key, location] : state_->services)
    if (std::ranges::find(all, location) == all.end()) all.push_back(location);
  return all;
}

#else

struct ServiceBrowser::State {};
ServiceBrowser::ServiceBrowser(std::function<void()>) {}
std::vector<std::string> ServiceBrowser::locations() const { return {}; }

#endif

ServiceBrowser::~ServiceBrowser() = default;

}  // namespace sphere::hw
