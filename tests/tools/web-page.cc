// SPDX-License-Identifier: LGPL-2.1-or-later
// Serves the page with the known scene, for tests that look at it with a browser. Prints one line
// of JSON with the link once it answers; then obeys words on standard input, a line each: lose (the
// camera goes), find (it comes back), sound (it comes back with sound), end (the stream ends).
//
// Usage: web-page [--size WxH] [--sound] [--https] [--token TOKEN] [--port PORT] [--fps N]

#include <gst/gst.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "gst/live/web/certificate.h"
#include "gst/live/web/web_bin.h"
#include "gst/live/web/web_server.h"
#include "gst/sphere/base/gobject.h"

namespace {

using namespace sphere;
using namespace sphere::live;

struct Options {
  int width = 960, height = 480;
  int port = 0, fps = 15;
  bool sound = false, https = false;
  std::string token;
};

class Stream {
 public:
  Stream(WebServer& server, WebBin& bin, const Options& options)
      : server_(server), bin_(bin), options_(options), sound_(options.sound) {}
  ~Stream() { stop(StreamFacts::State::ended); }

  int64_t utc() const { return utc_; }
  void add_sound() { sound_ = true; }

  bool start() {
    // One picture, repeated: what is seen can be compared with it.
    std::string words =
        "spheretestsrc num-buffers=1 output=equirect ! video/x-raw,format=I420,"
        "width=" +
        std::to_string(options_.width) + ",height=" + std::to_string(options_.height) +
        " ! imagefreeze is-live=true ! video/x-raw,framerate=" + std::to_string(options_.fps) +
        "/1 ! x264enc "
        "tune=zerolatency speed-preset=superfast bitrate=6000 key-int-max=150 ! "
        "video/x-h264,profile=constrained-baseline,stream-format=byte-stream,"
        "alignment=au ! identity name=coded-video ";
    if (sound_)
      words +=
          "audiotestsrc is-live=true volume=0.1 ! audio/x-raw,channels=2 ! opusenc ! "
          "identity name=coded-audio ";
    g_autoptr(GError) error = nullptr;
    pipeline_.reset(gst_parse_launch(words.c_str(), &error));
    if (!pipeline_ || error) return false;
    // Running times go on where they were, as in a session whose camera comes back.
    const GstRef<GstClock> clock(gst_system_clock_obtain());
    if (base_time_ == GST_CLOCK_TIME_NONE) {
      base_time_ = gst_clock_get_time(clock.get());
      utc_ = g_get_real_time();
    }
    gst_pipeline_use_clock(GST_PIPELINE(pipeline_.get()), clock.get());
    gst_element_set_start_time(pipeline_.get(), GST_CLOCK_TIME_NONE);
    gst_element_set_base_time(pipeline_.get(), base_time_);
    auto made = bin_.make(server_, {sound_, utc_});
    if (!made) return false;
    gst_bin_add(GST_BIN(pipeline_.get()), *made);
    for (const char* name : {"video", "audio"}) {
      const GstRef<GstElement> from(
          gst_bin_get_by_name(GST_BIN(pipeline_.get()), (std::string("coded-") + name).c_str()));
      if (from && !gst_element_link_pads(from.get(), "src", *made, name)) return false;
    }
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    tell(StreamFacts::State::playing);
    return true;
  }
  void stop(StreamFacts::State state) {
    tell(state);
    if (!pipeline_) return;
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    pipeline_.reset();
    bin_.closed();
  }

 private:
  void tell(StreamFacts::State state) {
    StreamFacts facts;
    facts.state = state;
    facts.width = options_.width;
    facts.height = options_.height;
    facts.fps = options_.fps;
    facts.sound = sound_;
    server_.set_facts(facts);
  }

  WebServer& server_;
  WebBin& bin_;
  const Options options_;
  bool sound_;
  GstRef<GstElement> pipeline_;
  GstClockTime base_time_ = GST_CLOCK_TIME_NONE;
  int64_t utc_ = 0;
};

int run(const Options& options) {
  WebBin bin;
  WebServer::Settings settings;
  settings.token = options.token;
  settings.port = static_cast<uint16_t>(options.port);
  if (options.https) {
    auto certificate = Certificate::make("gst-sphere", {"127.0.0.1", "localhost"}, 2);
    if (certificate) settings.certificate = certificate->pem();
  }
  settings.request_key_frame = [&] { bin.request_key_frame(); };
  auto server = WebServer::start(std::move(settings));
  if (!server) {
    fprintf(stderr, "%s\n", server.error().message.c_str());
    return 1;
  }
  Stream stream(**server, bin, options);
  if (!stream.start()) {
    fprintf(stderr, "the stream does not start\n");
    return 1;
  }
  printf("{\"link\": \"%s://127.0.0.1:%u/\", \"utc\": %" G_GINT64_FORMAT ", \"rtp\": %u}\n",
         (*server)->secure() ? "https" : "http", (*server)->port(), stream.utc(),
         (*server)->media().timestamp_offset(StreamKind::video));
  fflush(stdout);
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line == "lose") stream.stop(StreamFacts::State::waiting);
    if (line == "find" && !stream.start()) return 1;
    if (line == "sound") {
      stream.stop(StreamFacts::State::waiting);
      stream.add_sound();
      if (!stream.start()) return 1;
    }
    if (line == "end") stream.stop(StreamFacts::State::ended);
    if (line == "viewers") {
      printf("{\"viewers\": %u}\n", (*server)->viewers());
      fflush(stdout);
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--sound") options.sound = true;
    if (word == "--https") options.https = true;
    if (word == "--token" && i + 1 < argc) options.token = argv[++i];
    if (word == "--port" && i + 1 < argc) options.port = atoi(argv[++i]);
    if (word == "--fps" && i + 1 < argc) options.fps = std::max(1, atoi(argv[++i]));
    if (word == "--size" && i + 1 < argc &&
        sscanf(argv[++i], "%dx%d", &options.width, &options.height) != 2)
      return 2;
  }
  return run(options);
}
