// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/service_browser.h"

#include "config.h"

#if HAVE_AVAHI
#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-common/thread-watch.h>
#include <avahi-common/timeval.h>
#include <sys/time.h>
#endif

#include <algorithm>
#include <map>
#include <set>
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
// Until the next attempt, where the daemon or the message bus has ended.
constexpr unsigned reconnect_interval_ms = 2000;

}  // namespace

/// Everything but locations(), wait_for_known() and the destructor happens in Avahi's thread.
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
    connect();
    avahi_threaded_poll_start(poll);
  }

  // --- the client of the daemon ---

  void connect() {
    if (client) avahi_client_free(client);
    // It waits for the daemon; without a message bus there is none.
    client = avahi_client_new(avahi_threaded_poll_get(poll), AVAHI_CLIENT_NO_FAIL, client_changed,
                              this, nullptr);
    if (!client) connect_later();
  }

  void connect_later() {
    if (std::exchange(connects_later, true)) return;
    const AvahiPoll* api = avahi_threaded_poll_get(poll);
    timeval then = {};
    avahi_elapse_time(&then, reconnect_interval_ms, 0);
    api->timeout_new(
        api, &then,
        [](AvahiTimeout* timeout, void* data) {
          auto* self = static_cast<State*>(data);
          avahi_threaded_poll_get(self->poll)->timeout_free(timeout);
          self->connects_later = false;
          self->connect();
        },
        this);
  }

  static void client_changed(AvahiClient* client, AvahiClientState state, void* data) {
    auto* self = static_cast<State*>(data);
    switch (state) {
      // The daemon runs. Only its own name may not be settled.
      case AVAHI_CLIENT_S_REGISTERING:
      case AVAHI_CLIENT_S_RUNNING:
      case AVAHI_CLIENT_S_COLLISION:
        if (!self->browsing) self->browse(client);
        break;
      case AVAHI_CLIENT_CONNECTING:
        self->forget_all();
        break;
      case AVAHI_CLIENT_FAILURE:
        // The daemon or the bus has ended, and this client is of no more use.
        self->forget_all();
        self->connect_later();
        break;
    }
  }

  void browse(AvahiClient* with) {
    browsing = true;
    for (const CameraFamily* family : camera_families()) {
      const AvahiServiceBrowser* browser = avahi_service_browser_new(
          with, AVAHI_IF_UNSPEC, AVAHI_PROTO_INET, type_of(*family).c_str(), nullptr,
          static_cast<AvahiLookupFlags>(0), service_seen, this);
      if (browser) await(browser);
    }
  }

  void forget_all() {
    browsing = false;
    resolvers.clear();
    {
      const Lock lock(mutex);
      awaited.clear();
      all_known.notify_all();
      if (services.empty()) return;
      services.clear();
    }
    changed();
  }

  // --- services ---

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
    switch (event) {
      case AVAHI_BROWSER_NEW:
        self->resolve(browser, interface, protocol, name, type, domain);
        break;
      case AVAHI_BROWSER_REMOVE:
        self->forget(key_of(interface, name, type));
        break;
      case AVAHI_BROWSER_ALL_FOR_NOW:
      case AVAHI_BROWSER_FAILURE:
        self->answered(browser);
        break;
      case AVAHI_BROWSER_CACHE_EXHAUSTED:
        break;
    }
  }

  /// The resolver stays for as long as the service does, because its port may change.
  void resolve(AvahiServiceBrowser* browser, AvahiIfIndex interface, AvahiProtocol protocol,
               const char* name, const char* type, const char* domain) {
    const std::string key = key_of(interface, name, type);
    if (resolvers.size() >= most_services || resolvers.contains(key)) return;
    AvahiServiceResolver* resolver = avahi_service_resolver_new(
        avahi_service_browser_get_client(browser), interface, protocol, name, type, domain,
        AVAHI_PROTO_INET, static_cast<AvahiLookupFlags>(0), service_resolved, this);
    if (!resolver) return;
    resolvers[key] = resolver;
    await(resolver);
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
          self->set_location(key_of(interface, name, type),
                             location_of_service(family->scheme, host, port, fields));
    }
    self->answered(resolver);
  }

  void set_location(const std::string& key, std::string location) {
    {
      const Lock lock(mutex);
      if (const auto known = services.find(key); known != services.end()) {
        if (known->second == location) return;
        services.erase(known);
      } else if (location.empty()) {
        return;
      }
      if (!location.empty()) services[key] = std::move(location);
    }
    changed();
  }

  void forget(const std::string& key) {
    if (const auto resolver = resolvers.find(key); resolver != resolvers.end()) {
      answered(resolver->second);
      avahi_service_resolver_free(resolver->second);
      resolvers.erase(resolver);
    }
    {
      const Lock lock(mutex);
      if (services.erase(key) == 0) return;
    }
    changed();
  }

  // --- what the daemon has not answered yet ---

  void await(const void* question) {
    const Lock lock(mutex);
    awaited.insert(question);
  }
  void answered(const void* question) {
    const Lock lock(mutex);
    if (awaited.erase(question) && awaited.empty()) all_known.notify_all();
  }

  const std::function<void()> changed;
  AvahiThreadedPoll* poll = nullptr;
  AvahiClient* client = nullptr;
  bool connects_later = false, browsing = false;
  std::map<std::string, AvahiServiceResolver*> resolvers;  // by service; the client owns them

  Mutex mutex;  // protects what follows; the innermost
  ConditionVariable all_known;
  std::map<std::string, std::string> services SPHERE_GUARDED_BY(mutex);  // locations by service
  // Browsers and resolvers that have not answered yet.
  std::set<const void*> awaited SPHERE_GUARDED_BY(mutex);
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

void ServiceBrowser::wait_for_known(std::chrono::steady_clock::time_point until) const {
  const Lock lock(state_->mutex);
  while (!state_->awaited.empty() &&
         state_->all_known.wait_until(state_->mutex, until) == std::cv_status::no_timeout) {
  }
}

#else

struct ServiceBrowser::State {};
ServiceBrowser::ServiceBrowser(std::function<void()>) {}
std::vector<std::string> ServiceBrowser::locations() const { return {}; }
void ServiceBrowser::wait_for_known(std::chrono::steady_clock::time_point) const {}

#endif

ServiceBrowser::~ServiceBrowser() = default;

}  // namespace sphere::hw
