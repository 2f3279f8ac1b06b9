// SPDX-License-Identifier: LGPL-2.1-or-later
// The server of the page on loopback: viewers over UDP and over HTTP, what is refused, and what is
// left when they are gone.

// The standard library comes first: check defines `fail` as a macro.
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <json-glib/json-glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "gst/live/web/certificate.h"
#include "gst/live/web/connections.h"
#include "gst/live/web/web_bin.h"
#include "gst/live/web/web_server.h"
#include "tests/check/web_client.h"

#include "tests/check/pipeline.h"
#include "tests/check/process.h"
#include "tests/check/side_by_side.h"
#include "tests/check/stopwatch.h"

namespace {

using namespace sphere;
using namespace sphere::live;
using test::expect_same;
using test::WebAnswer;
using test::WebSession;
using test::WebViewer;

constexpr const char* good_token = "a-token-for-the-tests";

std::string part_of(const std::string& json, const char* name) {
  g_autoptr(JsonParser) parser = json_parser_new();
  fail_unless(json_parser_load_from_data(parser, json.c_str(), -1, nullptr), "%s", json.c_str());
  JsonObject* object = json_node_get_object(json_parser_get_root(parser));
  g_autoptr(JsonNode) node = json_node_copy(json_object_get_member(object, name));
  g_autofree char* text = json_to_string(node, FALSE);
  return text;
}

/// A server with a coded stream, or without one.
class Rig {
 public:
  explicit Rig(WebServer::Settings settings = {}) {
    settings.request_key_frame = [this] {
      ++asked_for_keys;
      bin_.request_key_frame();
    };
    auto started = WebServer::start(std::move(settings));
    fail_unless(static_cast<bool>(started), "%s", started ? "" : started.error().message.c_str());
    server_ = std::move(*started);
  }
  ~Rig() { stop(); }

  void play(bool sound = false, int width = 320, const char* pattern = "ball") {
    auto made = bin_.make(*server_, {sound, g_get_real_time()});
    fail_unless(static_cast<bool>(made));
    // Key frames come on request only.
    std::string words =
        std::string("videotestsrc is-live=true pattern=") + pattern +
        " ! video/x-raw,width=" + std::to_string(width) +
        ",height=160,framerate=30/1 ! x264enc name=encoder bitrate=20000 tune=zerolatency "
        "speed-preset=ultrafast key-int-max=100000 ! video/x-h264,"
        "profile=constrained-baseline,stream-format=byte-stream,alignment=au ! "
        "identity name=end ";
    if (sound) words += "audiotestsrc is-live=true ! opusenc ! identity name=coded-sound ";
    pipeline_ = std::make_unique<test::Pipeline>(words);
    gst_bin_add(GST_BIN(pipeline_->element()), *made);
    const auto link = [&](const char* from, const char* pad) {
      fail_unless(gst_element_link_pads(pipeline_->child(from).get(), "src", *made, pad));
    };
    link("end", "video");
    if (sound) link("coded-sound", "audio");
    pipeline_->play();
    StreamFacts facts;
    facts.state = StreamFacts::State::playing;
    facts.width = width;
    facts.height = 160;
    facts.fps = 30;
    facts.sound = sound;
    server_->set_facts(facts);
  }
  void stop() {
    if (!pipeline_) return;
    pipeline_.reset();
    bin_.closed();
  }

  WebServer& server() const { return *server_; }
  WebBin& bin() { return bin_; }
  std::string base() const {
    return std::string(server_->secure() ? "https" : "http") +
           "://127.0.0.1:" + std::to_string(server_->port()) + "/";
  }
  WebSession http;
  std::atomic<int> asked_for_keys{0};

 private:
  WebBin bin_;
  std::unique_ptr<WebServer> server_;
  std::unique_ptr<test::Pipeline> pipeline_;
};

void wait_until(const char* what, const std::function<bool()>& condition) {
  const gint64 end = g_get_monotonic_time() + static_cast<gint64>(test::deadline / 1000);
  while (!condition()) {
    fail_unless(g_get_monotonic_time() < end, "%s", what);
    g_usleep(5000);
  }
}

void join(Rig& rig, WebViewer& viewer, const std::string& token = {}) {
  viewer.join(rig.http, rig.base(), token);
  fail_unless(viewer.check(viewer.value("ice-pwd"), 5000));
  fail_unless(viewer.shake_hands());
}

/// A connection by hand.
class Raw {
 public:
  /// `receive_buffer`: in bytes; 0: as usual.
  explicit Raw(uint16_t port, int receive_buffer = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer)
      setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port);
    connected = ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  bool send(const std::string& text) {
    size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t size =
          ::send(socket_.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (size <= 0) return false;
      sent += static_cast<size_t>(size);
    }
    return true;
  }
  /// All up to the end of the connection, or of the time.
  std::string read(int milliseconds, size_t most = 1 << 20) {
    std::string text;
    const gint64 end = g_get_monotonic_time() + milliseconds * 1000;
    while (text.size() < most) {
      pollfd one = {socket_.get(), POLLIN, 0};
      const gint64 left = (end - g_get_monotonic_time()) / 1000;
      if (left <= 0 || poll(&one, 1, static_cast<int>(left)) <= 0) break;
      char part[4096];
      const ssize_t size = recv(socket_.get(), part, sizeof part, 0);
      if (size <= 0) {
        closed = true;
        break;
      }
      text.append(part, static_cast<size_t>(size));
    }
    return text;
  }
  bool connected = false, closed = false;

 private:
  Descriptor socket_;
};

GST_START_TEST(viewer_gets_pictures) {
  Rig rig;
  rig.play();
  WebViewer viewer;
  viewer.join(rig.http, rig.base());
  ck_assert_uint_eq(rig.server().viewers(), 1);
  // Who does not know the password gets no answer, and no datagram.
  fail_unless(!viewer.check("wrong-password-0123456789", 200));
  fail_unless(viewer.check(viewer.value("ice-pwd"), 5000));
  fail_unless(viewer.shake_hands());
  fail_unless(viewer.watch(30));
  fail_unless(viewer.began_with_key);
  ck_assert_uint_eq(viewer.last->payload_type, 100);
  ck_assert_uint_eq(viewer.last->ssrc, rig.server().media().ssrc(StreamKind::video));
  fail_unless(viewer.reports >= 1);
  for (size_t i = 1; i < viewer.sequences.size(); ++i)
    ck_assert_uint_eq(viewer.sequences[i], static_cast<uint16_t>(viewer.sequences[i - 1] + 1));

  // A lost packet comes again, but none from before the viewer came.
  const uint32_t ssrc = viewer.last->ssrc;
  const auto part = [](uint32_t value, int shift) { return static_cast<uint8_t>(value >> shift); };
  const auto ask_for = [&](WebViewer& of, uint16_t lost) {
    of.send_rtcp({0x81, 205, 0, 3, 0, 0, 0, 9, part(ssrc, 24), part(ssrc, 16), part(ssrc, 8),
                  part(ssrc, 0), part(lost, 8), part(lost, 0), 0, 0});
  };
  const uint16_t lost = viewer.sequences[viewer.sequences.size() - 3];
  ask_for(viewer, lost);
  fail_unless(viewer.watch_for(lost));
  WebViewer later;
  join(rig, later);
  fail_unless(later.watch(2));
  const uint16_t before = static_cast<uint16_t>(later.sequences.front() - 1);
  ask_for(later, before);
  ask_for(later, later.sequences.front());
  fail_unless(later.watch_for(later.sequences.front()));
  fail_unless(std::ranges::find(later.sequences, before) == later.sequences.end());
  later.send_rtcp(write_bye(9));
  fail_unless(viewer.watch(1));

  // Many requests for key frames give few: one each half a second.
  const int asked = rig.asked_for_keys, keys = viewer.key_frames;
  for (int i = 0; i < 50; ++i)
    viewer.send_rtcp({0x81, 206, 0, 2, 0, 0, 0, 9, part(ssrc, 24), part(ssrc, 16), part(ssrc, 8),
                      part(ssrc, 0)});
  // On a busy machine, the half second of an earlier request may not be over yet.
  while (rig.asked_for_keys == asked) fail_unless(viewer.watch(1));
  fail_unless(viewer.watch(30));
  fail_unless(rig.asked_for_keys > asked && rig.asked_for_keys <= asked + 4, "%d",
              rig.asked_for_keys - asked);
  fail_unless(viewer.key_frames > keys && viewer.key_frames <= keys + 4);
  fail_unless(GST_CLOCK_TIME_IS_VALID(rig.bin().latency()));

  // RTCP that says goodbye ends it.
  viewer.send_rtcp(write_bye(9));
  wait_until("the viewer is gone", [&] { return rig.server().viewers() == 0; });
}
GST_END_TEST

GST_START_TEST(three_viewers_one_encoding) {
  Rig rig;
  rig.play();
  WebViewer viewers[3];
  for (WebViewer& viewer : viewers) join(rig, viewer);
  ck_assert_uint_eq(rig.server().viewers(), 3);
  for (WebViewer& viewer : viewers) {
    fail_unless(viewer.watch(15));
    fail_unless(viewer.began_with_key);
  }
  // All have the same packets of the one payloader.
  const auto& all = viewers[0].sequences;
  for (const WebViewer& viewer : viewers)
    fail_unless(std::find(all.begin(), all.end(), viewer.sequences.back()) != all.end() ||
                static_cast<int16_t>(viewer.sequences.back() - all.back()) > 0);
  for (WebViewer& viewer : viewers) {
    const std::string url = rig.base() + viewer.location.substr(1);
    ck_assert_uint_eq(rig.http.ask("DELETE", url).status, 200);
    ck_assert_uint_eq(rig.http.ask("DELETE", url).status, 404);
  }
  ck_assert_uint_eq(rig.server().viewers(), 0);
}
GST_END_TEST

GST_START_TEST(another_certificate_is_refused) {
  Rig rig;
  rig.play();
  WebViewer viewer;
  viewer.join(rig.http, rig.base());
  fail_unless(viewer.check(viewer.value("ice-pwd"), 5000));
  auto other = Certificate::make("somebody", {}, 1);
  viewer.shake_hands(&*other);
  wait_until("the viewer is refused", [&] { return rig.server().viewers() == 0; });
  fail_unless(!viewer.watch(1, 300));
}
GST_END_TEST

GST_START_TEST(stream_goes_on_after_the_camera) {
  // The pipeline ends and another one comes: the viewer stays, and its packets go on.
  Rig rig;
  rig.play();
  WebViewer viewer;
  join(rig, viewer);
  fail_unless(viewer.watch(5));
  rig.stop();
  rig.play();
  fail_unless(viewer.watch(10));
  int gaps = 0;
  for (size_t i = 1; i < viewer.sequences.size(); ++i)
    gaps += viewer.sequences[i] != static_cast<uint16_t>(viewer.sequences[i - 1] + 1);
  ck_assert_int_eq(gaps, 0);
}
GST_END_TEST

GST_START_TEST(sound_only_where_there_is_some) {
  Rig rig;
  rig.play(false);
  const std::string offer = test::browser_offer();
  WebAnswer answer = rig.http.ask("POST", rig.base() + "whep", offer, "application/sdp");
  ck_assert_uint_eq(answer.status, 201);
  // Not refused, because players such as aiortc take no answer with an m-line that is.
  const std::string sound = answer.body.substr(
      answer.body.find("m=audio 9 "), answer.body.find("m=video") - answer.body.find("m=audio"));
  fail_unless(sound.find("a=inactive\r\n") != std::string::npos, "%s", answer.body.c_str());
  fail_unless(sound.find("a=ice-ufrag:") != std::string::npos);
  fail_unless(sound.find("a=ssrc:") == std::string::npos);
  expect_same(part_of(rig.http.ask("GET", rig.base() + "stream.json").body, "sound"), "false");
  rig.stop();
  rig.play(true);
  answer = rig.http.ask("POST", rig.base() + "whep", offer, "application/sdp");
  fail_unless(answer.body.find("m=audio 9 ") != std::string::npos);
  fail_unless(answer.body.find("a=rtpmap:111 opus/48000/2") != std::string::npos);
  fail_unless(answer.body.find("a=inactive") > answer.body.find("m=application"));
  expect_same(part_of(rig.http.ask("GET", rig.base() + "stream.json").body, "sound"), "true");
}
GST_END_TEST

GST_START_TEST(state_of_the_stream) {
  Rig rig;
  const auto state = [&] {
    return part_of(rig.http.ask("GET", rig.base() + "stream.json").body, "state");
  };
  expect_same(state(), "\"waiting\"");
  rig.play();
  wait_until("pictures come", [&] { return state() == "\"playing\""; });
  const std::string json = rig.http.ask("GET", rig.base() + "stream.json").body;
  expect_same(part_of(json, "projection"), "\"equirectangular\"");
  expect_same(part_of(json, "width"), "320");
  // No picture comes any more, and nobody says so.
  rig.stop();
  wait_until("the camera is lost", [&] { return state() == "\"waiting\""; });
}
GST_END_TEST

GST_START_TEST(first_client_is_served) {
  for (int i = 0; i < 200; ++i) {
    const Rig rig;
    // At once after the start, when the thread of the server may not have waited for anybody yet.
    Raw client(rig.server().port());
    client.send("GET /stream.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const std::string text = client.read(20000);
    fail_unless(text.starts_with("HTTP/1.1 200"), "client %d: '%s'", i, text.c_str());
  }
}
GST_END_TEST

GST_START_TEST(stream_over_http) {
  Rig rig;
  rig.play(true);
  Raw client(rig.server().port());
  client.send("GET /stream.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string text = client.read(20000, 60000);
  fail_unless(text.find("video/mp4; codecs=\"avc1.42C0") != std::string::npos, "%s",
              text.substr(0, 400).c_str());
  fail_unless(text.find(", opus\"") != std::string::npos);
  const size_t header = text.find("\r\n\r\n");
  fail_unless(text.find("ftyp", header) != std::string::npos);
  int fragments = 0;
  for (size_t at = 0; (at = text.find("moof", at)) != std::string::npos; ++at) ++fragments;
  ck_assert_int_ge(fragments, 10);
  ck_assert_uint_eq(rig.server().viewers(), 1);

  // Another size ends the answer, so that the player begins anew.
  rig.stop();
  rig.play(true, 480);
  while (!client.closed && client.connected) {
    const std::string more = client.read(20000, 1 << 20);
    if (more.find("\r\n0\r\n\r\n") != std::string::npos) break;
    fail_unless(!more.empty());
  }
  wait_until("the slot is free", [&] { return rig.server().viewers() == 0; });
}
GST_END_TEST

GST_START_TEST(viewers_are_bounded) {
  WebServer::Settings settings;
  settings.viewers = 2;
  Rig rig(std::move(settings));
  rig.play();
  WebViewer one, two;
  join(rig, one);
  join(rig, two);
  const WebAnswer refused =
      rig.http.ask("POST", rig.base() + "whep", test::plain_offer(), "application/sdp");
  ck_assert_uint_eq(refused.status, 503);
  fail_unless(!refused.retry.empty());
  ck_assert_uint_eq(rig.http.ask("GET", rig.base() + "stream.mp4").status, 503);
  ck_assert_uint_eq(rig.http.ask("DELETE", rig.base() + one.location.substr(1)).status, 200);
  WebViewer three;
  join(rig, three);
  fail_unless(three.watch(3));
}
GST_END_TEST

GST_START_TEST(methods_and_bodies) {
  Rig rig;
  rig.play();
  const std::string whep = rig.base() + "whep";
  ck_assert_uint_eq(rig.http.ask("GET", whep).status, 405);
  expect_same(rig.http.ask("GET", whep).allow, "POST, OPTIONS");
  ck_assert_uint_eq(rig.http.ask("OPTIONS", whep).status, 204);
  ck_assert_uint_eq(rig.http.ask("PUT", rig.base()).status, 405);
  ck_assert_uint_eq(rig.http.ask("HEAD", rig.base()).status, 200);
  ck_assert_uint_eq(rig.http.ask("HEAD", rig.base() + "stream.mp4").status, 200);
  ck_assert_uint_eq(rig.server().viewers(), 0);
  ck_assert_uint_eq(rig.http.ask("POST", whep, "{}", "application/json").status, 415);
  ck_assert_uint_eq(rig.http.ask("POST", whep, "v=0 is not enough", "application/sdp").status, 400);
  ck_assert_uint_eq(rig.http.ask("POST", whep, "", "application/sdp").status, 406);
  ck_assert_uint_eq(rig.http.ask("POST", whep, std::string(100'000, 'a'), "application/sdp").status,
                    413);
  WebViewer viewer;
  viewer.join(rig.http, rig.base());
  const std::string url = rig.base() + viewer.location.substr(1);
  const char* fragment = "application/trickle-ice-sdpfrag";
  ck_assert_uint_eq(rig.http.ask("PATCH", url, "a=ice-ufrag:u4ser\r\n", fragment).status, 204);
  ck_assert_uint_eq(rig.http.ask("PATCH", url, "a=ice-ufrag:another\r\n", fragment).status, 422);
  // The sound, which comes first in this offer, has a fragment of its own.
  const WebAnswer two =
      rig.http.ask("POST", whep, test::offer_with_two_fragments(), "application/sdp");
  ck_assert_uint_eq(two.status, 201);
  const std::string second = rig.base() + two.location.substr(1);
  for (const auto& [name, expected] : {std::pair("s0und", 204), {"p1ctures", 204}, {"x", 422}})
    ck_assert_uint_eq(
        rig.http.ask("PATCH", second, std::string("a=ice-ufrag:") + name + "\r\n", fragment).status,
        static_cast<guint>(expected));
  ck_assert_uint_eq(rig.http.ask("PATCH", url, "x", "text/plain").status, 415);
  ck_assert_uint_eq(rig.http.ask("PATCH", rig.base() + "whep/x", "x", fragment).status, 404);
  for (const char* path : {"/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/index.html",
                           "/page.gresource.xml", "/main.js/", "//etc/passwd", "/whep/../x"}) {
    Raw client(rig.server().port());
    client.send(std::string("GET ") + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::string answer = client.read(2000, 12);
    fail_unless(answer.starts_with("HTTP/1.1 40"), "%s: %s", path, answer.c_str());
  }
}
GST_END_TEST

GST_START_TEST(pages_of_other_places) {
  Rig rig;
  rig.play();
  const auto status = [&](std::vector<std::pair<std::string, std::string>> headers) {
    return rig.http.ask("GET", rig.base() + "stream.json", {}, {}, std::move(headers));
  };
  ck_assert_uint_eq(status({{"Origin", "https://example.org"}}).status, 403);
  ck_assert_uint_eq(status({{"Host", "example.org"}}).status, 421);
  // An element of such a page says no origin.
  ck_assert_uint_eq(status({{"Sec-Fetch-Site", "cross-site"}}).status, 403);
  ck_assert_uint_eq(
      rig.http.ask("GET", rig.base() + "stream.mp4", {}, {}, {{"Sec-Fetch-Site", "same-site"}})
          .status,
      403);
  ck_assert_uint_eq(status({{"Sec-Fetch-Site", "same-origin"}}).status, 200);
  const WebAnswer own = status({});
  ck_assert_uint_eq(own.status, 200);
  expect_same(own.origin, "");
}
GST_END_TEST

GST_START_TEST(own_page_with_a_certificate) {
  // For this machine only, without a token, but by HTTPS.
  WebServer::Settings settings;
  auto certificate = Certificate::make("gst-sphere", {"localhost"}, 2);
  settings.certificate = certificate->pem();
  Rig rig(std::move(settings));
  rig.play();
  const std::string origin = rig.base().substr(0, rig.base().size() - 1);
  fail_unless(origin.starts_with("https://"));
  ck_assert_uint_eq(rig.http
                        .ask("POST", rig.base() + "whep", test::plain_offer(), "application/sdp",
                             {{"Origin", origin}, {"Sec-Fetch-Site", "same-origin"}})
                        .status,
                    201);
}
GST_END_TEST

WebServer::Settings public_settings() {
  WebServer::Settings settings;
  // As for the network, but no test is to be reached from there.
  settings.token = good_token;
  auto certificate = Certificate::make("gst-sphere", {"localhost", "127.0.0.1"}, 2);
  settings.certificate = certificate->pem();
  return settings;
}

GST_START_TEST(public_page_needs_its_token) {
  Rig rig(public_settings());
  rig.play();
  fail_unless(rig.server().secure());
  ck_assert_uint_eq(rig.server().fingerprint().size(), 95);
  for (const std::string& link : rig.server().links())
    fail_unless(link.starts_with("https://") && link.ends_with(std::string("#token=") + good_token),
                "%s", link.c_str());
  const std::string json = rig.base() + "stream.json";
  // The page itself has no secrets.
  ck_assert_uint_eq(rig.http.ask("GET", rig.base()).status, 200);
  ck_assert_uint_eq(rig.http.ask("GET", json).status, 401);
  ck_assert_uint_eq(rig.http.ask("GET", rig.base() + "stream.mp4").status, 401);
  ck_assert_uint_eq(
      rig.http.ask("POST", rig.base() + "whep", test::plain_offer(), "application/sdp").status,
      401);
  const auto with = [&](const std::string& token) {
    return rig.http.ask("GET", json, {}, {}, {{"Authorization", "Bearer " + token}});
  };
  const gint64 begin = g_get_monotonic_time();
  ck_assert_uint_eq(with("a-token-for-the-testz").status, 401);
  ck_assert_uint_eq(with("another-wrong-token-1").status, 401);
  // Wrong ones wait: half a second, then twice as long.
  fail_unless(g_get_monotonic_time() - begin > 1'400'000);
  const test::Stopwatch watch;
  const WebAnswer good = with(good_token);
  ck_assert_uint_eq(good.status, 200);
  // A third wrong one would wait for two seconds.
  test::expect_within(watch, 1.9, "the right one");
  expect_same(good.origin, "*");
  ck_assert_uint_eq(rig.server().viewers(), 0);
}
GST_END_TEST

GST_START_TEST(settings_that_are_wrong) {
  const auto refused = [](WebServer::Settings settings, const char* words) {
    auto started = WebServer::start(std::move(settings));
    fail_unless(!started);
    fail_unless(started.error().message.find(words) != std::string::npos, "%s",
                started.error().message.c_str());
  };
  WebServer::Settings settings = public_settings();
  settings.address = "";
  settings.token.clear();
  refused(settings, "token");
  settings = public_settings();
  settings.address = "0.0.0.0";
  settings.certificate.clear();
  refused(settings, "certificate");
  settings = public_settings();
  settings.certificate = "junk";
  refused(settings, "certificate");
  settings = public_settings();
  settings.token = "short";
  refused(settings, "16");
  Rig rig;
  settings = {};
  settings.port = rig.server().port();
  refused(settings, "Another program uses the port");
  settings = {};
  settings.address = "127.0.0.300";
  refused(settings, "token");
}
GST_END_TEST

GST_START_TEST(thousand_connections) {
  // This process has both ends.
  rlimit files = {};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4096);
  setrlimit(RLIMIT_NOFILE, &files);
  Rig rig;
  rig.play();
  const int before = test::descriptors();
  // Half say nothing, half begin a request and never end it.
  std::vector<std::unique_ptr<Raw>> clients;
  for (int i = 0; i < 1000; ++i) {
    clients.push_back(std::make_unique<Raw>(rig.server().port()));
    if (i % 2) clients.back()->send("GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
  }
  // Still serving, and so at once.
  const test::Stopwatch watch;
  WebViewer viewer;
  join(rig, viewer);
  fail_unless(viewer.watch(5));
  WebSession http;
  ck_assert_uint_eq(http.ask("GET", rig.base()).status, 200);
  test::expect_within(watch, 10, "a viewer");
  // Ours are 1000 of them.
  wait_until("connections are bounded", [&] {
    return test::descriptors() - before - 1000 < static_cast<int>(Connections::most) + 40;
  });
  clients.clear();
  wait_until("all are gone", [&] { return test::descriptors() < before + 20; });
}
GST_END_TEST

GST_START_TEST(slow_clients_end) {
  WebServer::Settings settings;
  settings.longest_request = settings.longest_silence = 2 * G_USEC_PER_SEC;
  Rig rig(std::move(settings));
  // Noise needs many bits: what a client does not take soon fills all buffers.
  rig.play(false, 640, "snow");
  Raw stuck(rig.server().port(), 4096);
  stuck.send("GET /stream.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  wait_until("it has a slot", [&] { return rig.server().viewers() == 1; });
  Raw silent(rig.server().port()), slow(rig.server().port());
  slow.send("GET / HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n");
  const test::Stopwatch watch;
  // Whoever sends a byte now and then gets no more time for it.
  while (!slow.closed && watch.seconds() < watch.limit(10)) {
    slow.send("a");
    slow.read(100);
  }
  fail_unless(slow.closed);
  silent.read(5000);
  fail_unless(silent.closed);
  test::expect_within(watch, 8, "both ends");
  wait_until("the stuck one is gone", [&] { return rig.server().viewers() == 0; });
}
GST_END_TEST

GST_START_TEST(clients_that_go_while_nothing_comes) {
  WebServer::Settings settings;
  settings.viewers = 2;
  settings.longest_silence = G_USEC_PER_SEC;
  Rig rig(std::move(settings));
  rig.play();
  const std::string request = "GET /stream.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n";
  Raw stays(rig.server().port());
  stays.send(request);
  fail_unless(stays.read(20000, 3000).size() >= 3000);
  int descriptors = 0;
  {
    Raw goes(rig.server().port());
    goes.send(request);
    fail_unless(goes.read(20000, 3000).size() >= 3000);
    ck_assert_uint_eq(rig.server().viewers(), 2);
    // The camera is lost. The connections are kept, because the pictures may come back.
    rig.stop();
    descriptors = test::descriptors();
  }
  wait_until("the slot is free", [&] { return rig.server().viewers() == 1; });
  // At both ends.
  wait_until("the connection is closed", [&] { return test::descriptors() <= descriptors - 2; });
  rig.play();
  stays.read(200);  // what was on its way
  fail_unless(stays.read(20000, 3000).size() >= 3000);
  ck_assert_uint_eq(rig.server().viewers(), 1);
}
GST_END_TEST

GST_START_TEST(stuck_clients_end_with_the_stream) {
  WebServer::Settings settings;
  settings.longest_silence = 4 * G_USEC_PER_SEC;
  Rig rig(std::move(settings));
  // Noise needs many bits, and soon fills the buffers of the system, which have 4 MiB at most.
  rig.play(false, 640, "snow");
  Raw stuck(rig.server().port(), 4096);
  stuck.send("GET /stream.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  wait_until("it has a slot", [&] { return rig.server().viewers() == 1; });
  wait_until("the buffers are full", [&] { return rig.bin().bytes() > 6'000'000; });
  ck_assert_uint_eq(rig.server().viewers(), 1);
  const int before = test::descriptors();
  // Another size ends the answer, of which the client takes nothing any more.
  rig.stop();
  rig.play(false, 320, "snow");
  wait_until("the slot is free", [&] { return rig.server().viewers() == 0; });
  wait_until("the connection is closed", [&] { return test::descriptors() < before; });
}
GST_END_TEST

GST_START_TEST(hostile_requests) {
  Rig rig;
  rig.play();
  const std::string huge(8 << 20, 'a');
  for (const std::string& text :
       {std::string("\x16\x03\x01\x02\x00\x01\xfc\x03\x03"), std::string("GET\r\n\r\n"),
        std::string("GET / HTTP/9.9\r\n\r\n"), std::string("\0\0\0\0", 4),
        "GET /" + std::string(200'000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nX: " + std::string(300'000, 'a') + "\r\n\r\n",
        std::string("POST /whep HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"),
        std::string("POST /whep HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                    "99999999999999999999\r\n\r\nabc"),
        "POST /whep HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\n"
        "Transfer-Encoding: chunked\r\n\r\n800000\r\n" +
            huge,
        "POST /whep HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8388608\r\n\r\n" + huge}) {
    Raw client(rig.server().port());
    client.send(text);
    client.read(300);
  }
  WebViewer viewer;
  join(rig, viewer);
  // Datagrams of all sorts, from the viewer's own address, too.
  for (int first = 0; first < 256; ++first) {
    std::vector<uint8_t> bytes(static_cast<size_t>(1 + first * 5), static_cast<uint8_t>(first));
    send(viewer.raw(), bytes.data(), bytes.size(), 0);
  }
  fail_unless(viewer.watch(10));
  ck_assert_uint_eq(rig.http.ask("GET", rig.base()).status, 200);
}
GST_END_TEST

/// Kilobytes that are resident.
long memory() {
  std::ifstream file("/proc/self/status");
  std::string line;
  while (std::getline(file, line))
    if (line.starts_with("VmRSS:")) return std::strtol(line.c_str() + 6, nullptr, 10);
  return 0;
}

GST_START_TEST(viewers_come_and_go) {
  const char* wanted = g_getenv("SPHERE_WEB_JOINS");
  const int joins = wanted ? atoi(wanted) : 20;
  WebServer::Settings settings;
  // Nobody waits for a key frame that another one has had.
  settings.key_frame_interval = 1;
  Rig rig(std::move(settings));
  rig.play();
  const auto round = [&](int number) {
    WebViewer viewer;
    join(rig, viewer);
    fail_unless(viewer.watch(2));
    // By turns: an orderly end, a goodbye, and one over HTTP.
    if (number % 3 == 0)
      rig.http.ask("DELETE", rig.base() + viewer.location.substr(1));
    else
      viewer.send_rtcp(write_bye(9));
    if (number % 3 == 2) {
      Raw other(rig.server().port());
      other.send("GET /stream.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n");
      fail_unless(other.read(20000, 3000).size() >= 3000);
    }
    wait_until("the viewer is gone", [&] { return rig.server().viewers() == 0; });
  };
  // Caches and pools fill first.
  for (int i = 0; i < 10; ++i) round(i);
  const int threads = test::threads(), descriptors = test::descriptors();
  const long before = memory();
  for (int i = 0; i < joins; ++i) round(i);
  const long after = memory();
  g_print("%d viewers: memory %ld kB, then %ld kB; threads %d, %d; descriptors %d, %d\n", joins,
          before, after, threads, test::threads(), descriptors, test::descriptors());
  ck_assert_int_le(test::threads(), threads + 2);
  ck_assert_int_le(test::descriptors(), descriptors + 4);
  // The allocator keeps some; what a viewer would leave each time is more.
  if (!g_getenv("SPHERE_VALGRIND") && !g_getenv("ASAN_OPTIONS"))
    fail_unless(after - before < 2000 + 4 * joins, "%ld kB", after - before);
}
GST_END_TEST

Suite* web_server_suite() {
  Suite* suite = suite_create("web_server");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, viewer_gets_pictures);
  tcase_add_test(tests, three_viewers_one_encoding);
  tcase_add_test(tests, another_certificate_is_refused);
  tcase_add_test(tests, stream_goes_on_after_the_camera);
  tcase_add_test(tests, sound_only_where_there_is_some);
  tcase_add_test(tests, state_of_the_stream);
  tcase_add_test(tests, first_client_is_served);
  tcase_add_test(tests, stream_over_http);
  tcase_add_test(tests, viewers_are_bounded);
  tcase_add_test(tests, methods_and_bodies);
  tcase_add_test(tests, pages_of_other_places);
  tcase_add_test(tests, own_page_with_a_certificate);
  tcase_add_test(tests, public_page_needs_its_token);
  tcase_add_test(tests, settings_that_are_wrong);
  tcase_add_test(tests, thousand_connections);
  tcase_add_test(tests, slow_clients_end);
  tcase_add_test(tests, clients_that_go_while_nothing_comes);
  tcase_add_test(tests, stuck_clients_end_with_the_stream);
  tcase_add_test(tests, hostile_requests);
  // 500 viewers, which an environment variable asks for, take their time.
  TCase* many = tcase_create("many");
  suite_add_tcase(suite, many);
  tcase_set_timeout(many, 1800);
  tcase_add_test(many, viewers_come_and_go);
  return suite;
}

}  // namespace

SIDE_BY_SIDE_MAIN(web_server)
