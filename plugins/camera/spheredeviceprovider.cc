// SPDX-License-Identifier: LGPL-2.1-or-later
// spheredeviceprovider: cameras in reach, for applications that let a person choose one.

/**
 * SECTION:provider-spheredeviceprovider
 * @title: spheredeviceprovider
 *
 * Finds 360 cameras for #GstDeviceMonitor and `gst-device-monitor-1.0`: at the usual address and at
 * the gateways of this machine's networks (a camera makes its own Wi-Fi and is the gateway in it),
 * at the URIs of the environment variable `SPHERE_CAMERAS`, at those of the property `locations`,
 * and where Avahi knows one that is announced (as a service with the name of its scheme). A camera
 * is connected to for a moment; one that is found is not disturbed again until this machine joins
 * or leaves a network.
 *
 * Since: 0.2
 */

#include "plugins/camera/spheredeviceprovider.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/element.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/printable.h"
#include "gst/sphere/base/thread.h"
#include "hw/discover.h"
#include "hw/route_changes.h"
#include "hw/service_browser.h"
#include "plugins/camera/spheredevice.h"

GST_DEBUG_CATEGORY_STATIC(spheredeviceprovider_debug);
#define GST_CAT_DEFAULT spheredeviceprovider_debug

namespace {

using sphere::ConditionVariable;
using sphere::Lock;
using sphere::Mutex;
using sphere::hw::FoundCamera;
using namespace std::chrono_literals;

enum { PROP_0, PROP_LOCATIONS };

constexpr const char* locations_variable = "SPHERE_CAMERAS";
// A camera answers all that is asked within about a second.
constexpr std::chrono::milliseconds search_time = 2s;
// Between two searches where no camera was.
constexpr std::chrono::milliseconds search_interval = 30s;

/// URIs with spaces or commas between them.
std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> all;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find_first_of(" ,\t\n", begin), text.size());
    if (end > begin) all.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return all;
}

/// The search while the provider is started.
class Search {
 public:
  explicit Search(GstDeviceProvider* provider)
      : provider_(provider),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        cancellable_(g_cancellable_new()) {}
  ~Search() { stop(); }

  bool set_property(guint id, const GValue* value) {
    if (id != PROP_LOCATIONS) return false;
    const Lock lock(mutex_);
    given_ = sphere::to_string(g_value_get_string(value));
    return true;
  }
  bool get_property(guint id, GValue* value) const {
    if (id == PROP_LOCATIONS) g_value_set_string(value, locations().c_str());
    return id == PROP_LOCATIONS;
  }
  std::string locations() const {
    const Lock lock(mutex_);
    return given_.value_or("");
  }

  std::vector<std::string> all_locations() const;

  /// Waits for the end of the first search.
  void start();
  void stop();

 private:
  void run();
  void wake();
  void update(const std::vector<std::string>& tried, const std::vector<FoundCamera>& found);

  GstDeviceProvider* const provider_;
  const sphere::Descriptor wake_;  // an eventfd
  sphere::ObjectRef<GCancellable> cancellable_;
  std::thread thread_;
  std::map<std::string, sphere::GstRef<GstDevice>> devices_;  // by location; of the thread

  mutable Mutex mutex_;  // protects what follows; never held during a search
  ConditionVariable changed_;
  std::optional<std::string> given_ SPHERE_GUARDED_BY(mutex_);
  bool searched_ SPHERE_GUARDED_BY(mutex_) = false;
  bool quit_ SPHERE_GUARDED_BY(mutex_) = false;
};

}  // namespace

struct _GstSphereDeviceProvider {
  GstDeviceProvider parent;
  Search* self;
};

G_DEFINE_FINAL_TYPE(GstSphereDeviceProvider, gst_sphere_device_provider, GST_TYPE_DEVICE_PROVIDER)
GST_DEVICE_PROVIDER_REGISTER_DEFINE(spheredeviceprovider, "spheredeviceprovider",
                                    GST_RANK_SECONDARY, GST_TYPE_SPHERE_DEVICE_PROVIDER)

// --- the search ------------------------------------------------------------------------------

std::vector<std::string> Search::all_locations() const {
  std::vector<std::string> all = sphere::hw::nearby_locations();
  const char* variable = g_getenv(locations_variable);
  for (const std::string& text : {sphere::to_string(variable), locations()})
    for (const std::string& location : split(text)) {
      const auto family = sphere::hw::find_family(location);
      const sphere::Status status =
          family ? (*family)->check_location(location) : sphere::Status(family.error());
      if (!status)
        GST_WARNING_OBJECT(provider_, "%s", status.error().message.c_str());
      else if (std::ranges::find(all, location) == all.end())
        all.push_back(location);
    }
  return all;
}

void Search::start() {
  cancellable_.reset(g_cancellable_new());
  {
    const Lock lock(mutex_);
    searched_ = quit_ = false;
  }
  thread_ = std::thread([this] { run(); });
  const Lock lock(mutex_);
  while (!searched_) changed_.wait(mutex_);
}

void Search::stop() {
  if (!thread_.joinable()) return;
  {
    const Lock lock(mutex_);
    quit_ = true;
  }
  g_cancellable_cancel(cancellable_.get());
  wake();
  thread_.join();
  devices_.clear();
}

void Search::wake() {
  const uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof one);
}

void Search::update(const std::vector<std::string>& tried, const std::vector<FoundCamera>& found) {
  for (const FoundCamera& camera : found) {
    if (devices_.contains(camera.location)) continue;
    auto* device = GST_DEVICE(gst_object_ref_sink(sphere::camera::make_device(camera)));
    devices_.emplace(camera.location, device);
    gst_device_provider_device_add(provider_, device);
  }
  for (const std::string& location : tried) {
    const bool is_there = std::ranges::any_of(
        found, [&](const FoundCamera& camera) { return camera.location == location; });
    const auto gone = devices_.find(location);
    if (is_there || gone == devices_.end()) continue;
    gst_device_provider_device_remove(provider_, gone->second.get());
    devices_.erase(gone);
  }
}

void Search::run() {
  using WakeReason = sphere::hw::RouteChanges::WakeReason;
  sphere::hw::RouteChanges changes;
  const sphere::hw::ServiceBrowser announced([this] { wake(); });
  const auto announced_by = std::chrono::steady_clock::now() + search_time;
  bool everywhere = true, first = true;
  for (;;) {
    std::vector<std::string> all = all_locations();
    for (const std::string& location : announced.locations())
      if (std::ranges::find(all, location) == all.end()) all.push_back(location);
    std::vector<std::string> locations = all;
    // A camera is not disturbed without need.
    if (!everywhere)
      std::erase_if(locations, [&](const std::string& one) { return devices_.contains(one); });
    std::vector<std::string> tried = locations;
    // A camera that was announced, or whose network this machine has left.
    for (const auto& [location, device] : devices_)
      if (std::ranges::find(all, location) == all.end()) tried.push_back(location);
    const std::vector<FoundCamera> found =
        sphere::hw::find_cameras(locations, search_time, cancellable_.get());
    if (!g_cancellable_is_cancelled(cancellable_.get())) update(tried, found);
    if (std::exchange(first, false)) {
      // The announced ones are looked up meanwhile, and belong to the first search.
      announced.wait_for_known(announced_by);
      everywhere = false;
      if (!announced.locations().empty()) continue;
    }
    bool quit = false;
    {
      const Lock lock(mutex_);
      searched_ = true;
      quit = quit_;
      changed_.notify_all();
    }
    const WakeReason reason =
        quit ? WakeReason::descriptor : changes.wait(wake_.get(), search_interval);
    if (reason == WakeReason::descriptor) {
      uint64_t count = 0;
      (void)!read(wake_.get(), &count, sizeof count);
      const Lock lock(mutex_);
      if (quit_) return;
    }
    // What is announced or no longer announced, changes nothing elsewhere.
    everywhere = reason == WakeReason::change;
  }
}

// --- the provider ----------------------------------------------------------------------------

namespace {

Search& search_of(gpointer provider) { return sphere::self_of<GstSphereDeviceProvider>(provider); }

GList* probe(GstDeviceProvider* provider) {
  GList* devices = nullptr;
  for (const FoundCamera& camera : sphere::hw::find_cameras_and_announced(
           search_of(provider).all_locations(), search_time, nullptr))
    devices = g_list_prepend(devices, gst_object_ref_sink(sphere::camera::make_device(camera)));
  return g_list_reverse(devices);
}

gboolean start(GstDeviceProvider* provider) {
  search_of(provider).start();
  return TRUE;
}

void stop(GstDeviceProvider* provider) { search_of(provider).stop(); }

}  // namespace

static void gst_sphere_device_provider_init(GstSphereDeviceProvider* provider) {
  provider->self = new Search(GST_DEVICE_PROVIDER(provider));
}

static void gst_sphere_device_provider_class_init(GstSphereDeviceProviderClass* klass) {
  GST_DEBUG_CATEGORY_INIT(spheredeviceprovider_debug, "spheredeviceprovider", 0,
                          "360 cameras in reach");
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* provider_class = GST_DEVICE_PROVIDER_CLASS(klass);
  sphere::install_object<GstSphereDeviceProvider>(object_class);
  provider_class->probe = probe;
  provider_class->start = start;
  provider_class->stop = stop;
  g_object_class_install_property(
      object_class, PROP_LOCATIONS,
      g_param_spec_string("locations", "Locations",
                          "URIs where cameras may be, with spaces between them, in addition to "
                          "those of the environment variable SPHERE_CAMERAS",
                          nullptr,
                          static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)));
  gst_device_provider_class_set_static_metadata(
      provider_class, "360 cameras", "Source/Video/Network", "Dual-lens 360 cameras on the network",
      "gst-sphere");
}
