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

using State = Finding::State;

bool there(const char* element) {
  const GstRef<GstElementFactory> factory(gst_element_factory_find(element));
  // The registry may contain plugins that can't be loaded any more.
  const GstRef<GstPluginFeature> loaded(
      factory ? gst_plugin_feature_load(GST_PLUGIN_FEATURE(factory.get())) : nullptr);
  return loaded != nullptr;
}

/// Elements that a feature needs: all of them, or one of them.
struct Need {
  const char* topic;
  const char* what;
  bool all;
  std::array<const char*, 5> elements;
  const char* remedy;
};

constexpr const char* not_found_remedy =
    "set GST_PLUGIN_PATH to the folder of gst-sphere's plugins, or use ./dev run";

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
    {"codecs", "encoding AAC", false, {"avenc_aac"}, "install gstreamer1.0-libav"},
    {"codecs", "encoding Opus", false, {"opusenc"}, "install gstreamer1.0-plugins-base"},
    {"files", "MP4", true, {"qtdemux", "mp4mux"}, "install gstreamer1.0-plugins-good"},
    {"live",
     "RTMP and SRT",
     true,
     {"flvmux", "rtmp2sink", "mpegtsmux", "srtsink"},
     "install gstreamer1.0-plugins-good and gstreamer1.0-plugins-bad"},
    {"files",
     "JPEG and PNG",
     true,
     {"jpegdec", "jpegenc", "pngdec", "pngenc"},
     "install gstreamer1.0-plugins-good"},
};

Finding check_need(const Need& need) {
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
    finding.state = State::wrong;
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

/// Whether this build contains the element.
bool has_emulator() {
  const std::vector<Command> all = commands();
  return std::any_of(all.begin(), all.end(),
                     [](const Command& one) { return std::string_view(one.name) == "emulator"; });
}

/// Whether this machine has an address in the network of a camera.
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

std::vector<Finding> check_versions() {
  const GString_ version(gst_version_string());
  utsname system{};
  std::string name = "unknown";
  if (uname(&system) == 0)
    name = std::string(system.sysname) + " " + system.release + " on " + system.machine;
  const GString_ pretty(g_get_os_info(G_OS_INFO_KEY_PRETTY_NAME));
  if (pretty) name = std::string(pretty.get()) + ", " + name;
  return {
      {"versions", State::good, "gst-sphere " VERSION ", " + std::string(version.get()), {}},
      {"system",
       State::good,
       name + ", " + std::to_string(g_get_num_processors()) + " processors",
       {},
       true},
  };
}

std::vector<Finding> check_elements() {
  std::vector<Finding> findings;
  for (const Need& need : needs) findings.push_back(check_need(need));
  return findings;
}

std::vector<Finding> check_graphics() {
  // The bin reports which stitcher it chose, and why.
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
    finding.state = State::fallback;
    finding.remedy =
        "this is not an error; if there is a graphics card, install its own OpenGL driver to make "
        "it faster";
  }
  return {finding};
}

std::vector<Finding> check_network() {
  if (!on_a_cameras_network())
    return {{"network", State::fallback,
             "this machine is not in the Wi-Fi of a camera (a network 192.168.42.0/24)",
             std::string("switch the camera's Wi-Fi on, and join it") +
                 (has_emulator() ? "; to try without a camera, start `sphere emulator`" : "")}};
  const ObjectRef<GSocketClient> client(g_socket_client_new());
  g_socket_client_set_timeout(client.get(), camera_timeout);
  g_socket_client_set_enable_proxy(client.get(), FALSE);
  g_autoptr(GError) error = nullptr;
  const ObjectRef<GSocketConnection> connection(
      g_socket_client_connect_to_host(client.get(), camera_address, camera_port, nullptr, &error));
  if (connection)
    return {
        {"network",
         State::good,
         "a camera answers at " + std::string(camera_address) + ":" + std::to_string(camera_port),
         {}}};
  return {{"network", State::wrong,
           "this machine is in the network of a camera, but the camera does not answer: " +
               std::string(error->message),
           "wait until the Wi-Fi light of the camera has stopped blinking, and close the camera's "
           "app on the phone"}};
}

std::vector<Finding> check_proxies() {
  // Their values may contain a password and are not printed.
  std::string set;
  for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy",
                           "ALL_PROXY", "GIO_USE_PROXY_RESOLVER"})
    if (const char* value = g_getenv(name); value && *value)
      set += (set.empty() ? "" : ", ") + std::string(name);
  if (set.empty()) return {};
  const hw::DirectRoute route(camera_address, preview_port);
  if (route.is_proxied())
    return {
        {"proxy", State::wrong,
         "a web proxy is set (" + set + "), and the camera's preview would be requested from it",
         "set the environment variable no_proxy=" + std::string(camera_address)}};
  return {{"proxy",
           State::good,
           "a web proxy may be set (" + set + "); the camera's preview does not use it",
           {}}};
}

std::vector<Finding> check_ledger() {
  const consent::Ledger ledger("default");
  const auto chain = ledger.read();
  if (!chain)
    return {{"consent", State::wrong,
             "the ledger can't be used, so everything is denied: " + chain.error().message,
             "`sphere consent verify` shows the damage; `sphere consent erase` removes the ledger, "
             "so that a new one can begin"}};
  if (const std::string why = consent_doubt(ledger, *chain); !why.empty())
    return {{"consent", State::wrong, why,
             "set the clock, or free some space on the disk; then give or withdraw again"}};
  return {{"consent",
           State::good,
           "the ledger is valid; `sphere consent status` shows what is given",
           {}}};
}

}  // namespace sphere::tool
