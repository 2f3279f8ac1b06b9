// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/web_output.h"

#include <glib.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>

#include "gst/live/output_parts.h"
#include "gst/live/web/access.h"
#include "gst/live/web/addresses.h"
#include "gst/live/web/certificate.h"
#include "gst/live/web/secrets.h"
#include "gst/live/web/web_bin.h"
#include "gst/live/web/web_server.h"

namespace sphere::live {

namespace {

constexpr double most_viewers = 1000, usual_viewers = 20;
/// Larger pictures cost phones their battery, and Chrome decodes them in software more often.
constexpr double usual_width = 1920, most_width = 4096;
// A page asks every two seconds how the stream is.
constexpr std::chrono::milliseconds longest_farewell{2500};
constexpr size_t made_token_length = 24, most_pem = 64 << 10;

bool is_everywhere(const std::string& host) {
  return host.empty() || host == "0.0.0.0" || host == "::";
}

Result<std::string> read_pem(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file && text.empty()) return not_found(path + ": can't be read");
  if (text.size() > most_pem) return failed(path + ": is too large for a certificate");
  return text + "\n";
}

/// Certificate and key of the settings, or our own; "" for HTTP.
Result<std::string> certificate_of(const Target& target, bool needed) {
  const std::string path = target.setting("cert"), key = target.setting("key");
  if (path.empty()) {
    if (!key.empty())
      return invalid("The setting 'key' needs 'cert', the file of the certificate.");
    if (!needed) return std::string();
    std::vector<std::string> names = {"localhost"};
    names.emplace_back(g_get_host_name());
    const std::vector<std::string> addresses = network_addresses();
    names.insert(names.end(), addresses.begin(), addresses.end());
    auto own = own_certificate(names);
    if (!own) return own.error();
    return own->pem();
  }
  auto pem = read_pem(path);
  if (!pem) return pem.error();
  if (!key.empty()) {
    auto more = read_pem(key);
    if (!more) return more.error();
    *pem += *more;
  }
  if (auto read = Certificate::read(*pem); !read) return failed(path + ": " + read.error().message);
  return *pem;
}

class WebOutput final : public Output {
 public:
  WebOutput(const Target& target, WebServer::Settings settings, int width)
      : settings_(std::move(settings)) {
    needs_.profile = H264Profile::constrained_baseline;
    needs_.max_width = width;
    needs_.audio = AudioForm::opus;
    needs_.audio_purposes = audio_purposes(target);
    needs_.location_purposes = location_purposes(target);
    settings_.request_key_frame = [this] { bin_.request_key_frame(); };
  }

  const OutputNeeds& needs() const override { return needs_; }

  Result<GstElement*> open(const StreamInfo& stream) override {
    if (!server()) {
      auto started = WebServer::start(settings_);
      if (!started) return started.error();
      const Lock lock(mutex_);
      server_ = std::move(*started);
    }
    WebServer* const server = this->server();
    facts_.state = StreamFacts::State::playing;
    facts_.width = stream.width;
    facts_.height = stream.height;
    facts_.fps = stream.fps_d > 0 ? static_cast<double>(stream.fps_n) / stream.fps_d : 0;
    facts_.sound = stream.audio;
    facts_.spherical = stream.spherical;
    auto bin = bin_.make(*server, {stream.audio, stream.utc_of_running_time_0});
    if (bin) server->set_facts(facts_);
    return bin;
  }

  void closed(Closed why) override {
    bin_.closed();
    facts_.state = why == Closed::ended ? StreamFacts::State::ended : StreamFacts::State::waiting;
    WebServer* const running = server();
    if (!running) return;
    running->set_facts(facts_);
    // A page that finds no server waits for it to come back. It leaves when it has been told.
    if (why == Closed::ended) (void)running->wait_for_last_viewer(longest_farewell);
  }

  void describe(OutputStatus* status) const override {
    const WebServer* const running = server();
    if (!running) return;
    status->viewers = running->viewers();
    status->links = running->links();
    if (const std::string hash = running->fingerprint(); !hash.empty())
      status->note = "SHA-256 of the certificate: " + hash;
  }

 private:
  /// It is made once, and goes with this object.
  WebServer* server() const {
    const Lock lock(mutex_);
    return server_.get();
  }

  WebServer::Settings settings_;
  OutputNeeds needs_;
  StreamFacts facts_;
  WebBin bin_;
  mutable Mutex mutex_;
  // After the bin, which its threads use.
  std::unique_ptr<WebServer> server_ SPHERE_GUARDED_BY(mutex_);
};

const OutputRegistration registration(TargetKind::web, make_web_output);

}  // namespace

Result<std::unique_ptr<Output>> make_web_output(const Target& target) {
  if (const Status found = check_elements({"rtph264pay", "rtpopuspay"}); !found)
    return found.error();
  if (const Status known =
          check_settings(target, {"token", "cert", "key", "viewers", "udp-port", "width"});
      !known)
    return known.error();
  auto viewers = number_setting(target, "viewers", usual_viewers, 1, most_viewers);
  if (!viewers) return viewers.error();
  auto udp_port = number_setting(target, "udp-port", 0, 0, 65535);
  if (!udp_port) return udp_port.error();
  auto width = number_setting(target, "width", usual_width, 256, most_width);
  if (!width) return width.error();

  WebServer::Settings settings;
  settings.address = target.host == "localhost"   ? "127.0.0.1"
                     : is_everywhere(target.host) ? ""
                                                  : target.host;
  settings.port = target.port;
  settings.udp_port = static_cast<uint16_t>(*udp_port);
  settings.viewers = static_cast<unsigned>(*viewers);
  settings.token = target.setting("token");
  if (!settings.token.empty() && settings.token.size() < shortest_token)
    return invalid("The token must have " + std::to_string(shortest_token) +
                   " characters at least; leave it out to get a good one.");
  if (target.leaves && settings.token.empty()) settings.token = random_text(made_token_length);
  auto certificate = certificate_of(target, target.leaves);
  if (!certificate) return certificate.error();
  settings.certificate = std::move(*certificate);
  return std::unique_ptr<Output>(
      new WebOutput(target, std::move(settings), static_cast<int>(*width)));
}

}  // namespace sphere::live
