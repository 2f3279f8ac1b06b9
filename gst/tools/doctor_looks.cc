// SPDX-License-Identifier: LGPL-2.1-or-later

#include <arpa/inet.h>
#include <gio/gio.h>
#include <gst/gst.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "config.h"
#include "gst/sphere/base/gobject.h"
#include "gst/tools/command.h"
#include "gst/tools/consent.h"
#include "gst/tools/doctor.h"
#include "hw/direct_route.h"

namespace sphere::tool {

namespace {

using Verdict = Finding::Verdict;

bool there(const char* element) {
  const GstRef<GstElementFactory> factory(gst_element_factory_find(element));
  // The registry may know what can't be loaded any more.
  const GstRef<GstPluginFeature> loaded(
      factory ? gst_plugin_feature_load(GST_PLUGIN_FEATURE(factory.get())) : nullptr);
  return loaded != nullptr;
}

/// Elements that something needs, all of them or one of them.
struct Need {
  const char* topic;
  const char* what;
  bool all;
  std::array<const char*, 5> elements;
  const char* remedy;
};

constexpr const char* not_found_remedy =
    "set GST_PLUGIN_PATH to where gst-sphere's plugins are, or use ./dev run";

constexpr Need needs[] = {
    {"stitching", "stitching", true, {"spherestitch", "cpuspherestitch"}, not_found_remedy},
    {"camera", "the live preview", true, {"spherecamsrc"}, not_found_remedy},
    {"consent", "sound with consent", true, {"sphereaudiogate"}, not_found_remedy},
    {"camera",
     "the preview's stream",
     true,
     {"rtspsrc", "rtph264depay", "h264parse"},
     "install gstreamer1.0-plugins-good and gstreamer1.0-plugins-bad"},
    {"codecs",
     "decoding H.264",
     false,
     {"avdec_h264", "openh264dec", "vah264dec", "vaapih264dec", "nvh264dec"},
     "install gstreamer1.0-libav"},
    {"codecs", "encoding H.264", false, {"x264enc"}, "install gstreamer1.0-plugins-ugly"},
    {"codecs",
     "decoding AAC",
     false,
     {"avdec_aac", "faad", "fdkaacdec"},
     "install gstreamer1.0-libav"},
    {"files", "MP4", true, {"qtdemux", "mp4mux"}, "install gstreamer1.0-plugins-good"},
    {"files",
     "JPEG and PNG",
     true,
     {"jpegdec", "jpegenc", "pngdec", "pngenc"},
     "install gstreamer1.0-plugins-good"},
};

Finding look_at(const Need& need) {
  std::string found, missing;
  for (const char* element : need.elements) {
    if (!element) break;
    std::string& list = there(element) ? found : missing;
    list += (list.empty() ? "" : ", ") + std::string(element);
  }
  Finding finding{.topic = need.topic, .text = {}, .remedy = {}};
  if (need.all ? missing.empty() : !found.empty()) {
    finding.text = std::string(need.what) + ": " + found;
  } else {
    finding.verdict = Verdict::wrong;
    finding.text = std::string(need.what) + " is not possible: " +
                   (need.all ? missing + " missing" : "none of " + missing + " is there");
    finding.remedy = need.remedy;
  }
  return finding;
}

// The address of a camera that is its own access point.
constexpr const char* camera_address = "192.168.42.1";
constexpr guint16 camera_port = 7878;
constexpr uint16_t preview_port = 554;
constexpr guint camera_timeout = 2;  // s

/// Whether this build has it.
bool has_emulator() {
  const std::vector<Command> all = commands();
  return std::any_of(all.begin(), all.end(),
                     [](const Command& one) { return std::string_view(one.name) == "emulator"; });
}

/// Whether this machine has an address in the network that a camera makes.
bool on_a_cameras_network() {
  in_addr camera{};
  inet_pton(AF_INET, camera_address, &camera);
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return false;
  bool found = false;
  for (const ifaddrs* one = all; one; one = one->ifa_next) {
    if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET) continue;
    const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
    const uint32_t net = htonl(0xffffff00);
    found = found || (address->sin_addr.s_addr & net) == (camera.s_addr & net);
  }
  freeifaddrs(all);
  return found;
}

}  // namespace

std::vector<Finding> look_at_versions() {
  const GString_ version(gst_version_string());
  utsname system{};
  std::string name = "unknown";
  if (uname(&system) == 0)
    name = std::string(system.sysname) + " " + system.release + " on " + system.machine;
  const GString_ pretty(g_get_os_info(G_OS_INFO_KEY_PRETTY_NAME));
  if (pretty) name = std::string(pretty.get()) + ", " + name;
  return {
      {"versions", Verdict::good, "gst-sphere " VERSION ", " + std::string(version.get()), {}},
      {"system",
       Verdict::good,
       name + ", " + std::to_string(g_get_num_processors()) + " processors",
       {},
       true},
  };
}

std::vector<Finding> look_at_elements() {
  std::vector<Finding> findings;
  for (const Need& need : needs) findings.push_back(look_at(need));
  return findings;
}

std::vector<Finding> look_at_graphics() {
  // The bin itself says which stitcher it takes, and why.
  GstElement* made = gst_element_factory_make("spherestitch", nullptr);
  if (!made) return {};
  gst_object_ref_sink(made);
  const GstRef<GstElement> stitcher(made);
  gst_element_set_state(made, GST_STATE_READY);
  g_autofree char *name = nullptr, *reason = nullptr;
  g_object_get(made, "stitcher", &name, "reason", &reason, nullptr);
  gst_element_set_state(made, GST_STATE_NULL);
  const bool on_gpu = g_strcmp0(name, "glspherestitch") == 0;
  Finding finding{.topic = "graphics", .environment = true};
  finding.text = std::string(on_gpu ? "stitching on the graphics card" : "stitching on the CPU") +
                 (reason ? std::string(": ") + reason : "");
  if (!on_gpu) {
    finding.verdict = Verdict::fallback;
    finding.remedy =
        "nothing is wrong with it; with a graphics card, its own OpenGL driver makes it faster";
  }
  return {finding};
}

std::vector<Finding> look_at_network() {
  if (!on_a_cameras_network())
    return {{"network", Verdict::fallback,
             "not in the Wi-Fi of a camera, which is one of 192.168.42.0/24",
             std::string("join the Wi-Fi that the camera shows") +
                 (has_emulator() ? "; without a camera there is `sphere emulator`" : "")}};
  const ObjectRef<GSocketClient> client(g_socket_client_new());
  g_socket_client_set_timeout(client.get(), camera_timeout);
  g_socket_client_set_enable_proxy(client.get(), FALSE);
  g_autoptr(GError) error = nullptr;
  const ObjectRef<GSocketConnection> connection(
      g_socket_client_connect_to_host(client.get(), camera_address, camera_port, nullptr, &error));
  if (connection)
    return {
        {"network",
         Verdict::good,
         "a camera answers at " + std::string(camera_address) + ":" + std::to_string(camera_port),
         {}}};
  return {{"network", Verdict::wrong,
           "in the network of a camera, which does not answer: " + std::string(error->message),
           "wait until its Wi-Fi light stands still, and close the app on the phone"}};
}

std::vector<Finding> look_at_proxies() {
  // What they say may hold a password, and is not repeated.
  std::string set;
  for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy",
                           "ALL_PROXY", "GIO_USE_PROXY_RESOLVER"})
    if (const char* value = g_getenv(name); value && *value)
      set += (set.empty() ? "" : ", ") + std::string(name);
  if (set.empty()) return {};
  const hw::DirectRoute route(camera_address, preview_port);
  if (route.is_proxied())
    return {{"proxy", Verdict::wrong,
             "a web proxy is set (" + set + "), and the camera's preview is sent to it",
             "set the environment variable no_proxy=" + std::string(camera_address)}};
  return {{"proxy",
           Verdict::good,
           "a web proxy may be set (" + set + "); the camera's preview does not use it",
           {}}};
}

std::vector<Finding> look_at_ledger() {
  const consent::Ledger ledger("default");
  const auto chain = ledger.read();
  if (!chain)
    return {{"consent", Verdict::wrong,
             "the ledger can't be used, so that nothing is given: " + chain.error().message,
             "sphere consent verify says where it is damaged; sphere consent erase begins anew"}};
  if (const std::string why = consent_doubt(ledger, *chain); !why.empty())
    return {{"consent", Verdict::wrong, why,
             "set the clock, make room on the disk, and give or withdraw again"}};
  return {{"consent",
           Verdict::good,
           "the ledger is in order; sphere consent status says what is given",
           {}}};
}

}  // namespace sphere::tool
