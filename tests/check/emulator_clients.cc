// SPDX-License-Identifier: LGPL-2.1-or-later
// The emulated camera as clients meet it that are not ours: bare sockets on its control channel and
// its data port, HTTP, and RTSP.

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/lens/table.h"
#include "gst/sphere/makers/capture.h"
#include "gst/sphere/media/source.h"
#include "hw/madv/uri.h"
#include "tests/check/emulator.h"
#include "tests/check/http.h"
#include "tests/check/pipeline.h"
#include "tests/check/rtsp_warnings.h"
#include "tests/check/same.h"
#include "tests/check/socket.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace std::chrono_literals;
using madv::Message;
using test::Answer;
using test::control_only;
using Control = test::ControlClient;
using test::Emulator;
using test::EmulatorOptions;
using test::http;
using test::open_files;
using test::same;
using test::Socket;
using test::started;
using test::with_preview;
using test::write_file;

namespace {

/// RTSP with the packets in between.
class Viewer {
 public:
  explicit Viewer(const Emulator& camera)
      : url_(madv::Uri::parse(camera.uri())->rtsp_url()), socket_(camera.ports().rtsp) {}

  void send(const std::string& method, const std::string& more = "", const std::string& sub = "") {
    socket_.send(method + " " + url_ + sub + " RTSP/1.0\r\nCSeq: " + std::to_string(++number_) +
                 "\r\n" + more + "\r\n");
  }
  /// The head of the answer. Packets that come before it are dropped: the server may send the first
  /// ones before its answer to PLAY.
  std::string ask(const std::string& method, const std::string& more = "",
                  const std::string& sub = "") {
    send(method, more, sub);
    while (bytes_.empty()) fill();
    while (bytes_[0] == '$') {
      take_packet();
      while (bytes_.empty()) fill();
    }
    size_t end;
    while ((end = bytes_.find("\r\n\r\n")) == std::string::npos) fill();
    const std::string head = bytes_.substr(0, end);
    bytes_.erase(0, end + 4);
    fail_unless(head.starts_with("RTSP/1.0 200"), "%s", head.c_str());
    const size_t length = head.find("Content-Length: ");
    const size_t size = length == std::string::npos ? 0 : std::stoul(head.substr(length + 16));
    while (bytes_.size() < size) fill();
    body_ = bytes_.substr(0, size);
    bytes_.erase(0, size);
    return head;
  }
  /// The body of the last answer.
  const std::string& body() const { return body_; }
  void set_up() { set_up("RTP/AVP/TCP;unicast;interleaved=0-1"); }
  void set_up_udp() {
    udp_.reset(
        g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, nullptr));
    g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    g_autoptr(GSocketAddress) any = g_inet_socket_address_new(loopback, 0);
    fail_unless(g_socket_bind(udp_.get(), any, FALSE, nullptr));
    g_socket_set_timeout(udp_.get(), 60);
    g_autoptr(GSocketAddress) bound = g_socket_get_local_address(udp_.get(), nullptr);
    const guint port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
    set_up("RTP/AVP;unicast;client_port=" + std::to_string(port) + "-" + std::to_string(port + 1));
  }
  /// The next RTP packet that comes over UDP.
  std::string datagram() {
    char buffer[65536];
    const gssize got = g_socket_receive(udp_.get(), buffer, sizeof buffer, nullptr, nullptr);
    fail_unless(got > 12);
    return {buffer, static_cast<size_t>(got)};
  }
  const std::string& session() const { return session_; }
  /// The next RTP packet of the pictures.
  std::string packet() {
    for (;;) {
      const auto [channel, packet] = take_packet();
      if (channel == 0) return packet;
    }
  }
  void vanish() { socket_.vanish(); }

 private:
  void fill() {
    const std::string more = socket_.receive();
    fail_unless(!more.empty(), "the preview ends");
    bytes_ += more;
  }

  /// The channel and the bytes of what comes next.
  std::pair<int, std::string> take_packet() {
    while (bytes_.size() < 4) fill();
    fail_unless(bytes_[0] == '$');
    const size_t size = static_cast<uint8_t>(bytes_[2]) << 8 | static_cast<uint8_t>(bytes_[3]);
    while (bytes_.size() < 4 + size) fill();
    std::pair<int, std::string> packet = {bytes_[1], bytes_.substr(4, size)};
    bytes_.erase(0, 4 + size);
    return packet;
  }

  void set_up(const std::string& transport) {
    const std::string head = ask("SETUP", "Transport: " + transport + "\r\n", "/track1");
    const size_t at = head.find("Session: ") + 9;
    session_ = "Session: " + head.substr(at, head.find_first_of(";\r\n", at) - at) + "\r\n";
  }

  const std::string url_;
  Socket socket_;
  ObjectRef<GSocket> udp_;
  std::string bytes_, body_, session_;
  int number_ = 0;
};

/// The time of an RTP packet.
uint32_t time_of(const std::string& packet) {
  uint32_t time = 0;
  for (size_t i = 4; i < 8; ++i) time = time << 8 | static_cast<uint8_t>(packet[i]);
  return time;
}

std::string http_of(const Emulator& camera) {
  return "http://127.0.0.1:" + std::to_string(camera.ports().http);
}

std::string rtsp_of(const Emulator& camera) { return madv::Uri::parse(camera.uri())->rtsp_url(); }

}  // namespace

// --- control and data ------------------------------------------------------------------------

GST_START_TEST(answer_after_the_client_has_closed_its_sending_side) {
  const auto camera = started(control_only({"late:50"}));
  Control client(*camera);
  client.send(R"({"msg_id":257,"token":0})");
  client.socket().say_all();
  fail_unless(client.next(257).succeeded());
  same(client.socket().receive(), "");
  // The session ended with its connection.
  Control next(*camera);
  next.open();
  const madv_emulator::Counters counters = camera->counters();
  fail_unless(counters.sessions_opened == 2 && counters.sessions_closed == 1);
}
GST_END_TEST;

GST_START_TEST(client_that_reads_nothing_and_disconnects_is_removed) {
  const auto camera = started(control_only({"huge"}));
  const int before = open_files();
  for (int i = 0; i < 10; ++i) {
    Socket client(camera->ports().control);
    // More than the buffers between the two ends can contain; then the connection is closed.
    client.send(R"({"msg_id":257,"token":0})");
    client.send("garbage");
    while (camera->counters().requests <= i) g_usleep(1000);
    client.vanish();
  }
  for (int i = 0; open_files() > before + 1; ++i) {
    fail_unless(i < 10000, "%d files are still open", open_files() - before);
    g_usleep(1000);
  }
}
GST_END_TEST;

GST_START_TEST(a_transfer_ends_when_its_last_byte_is_sent) {
  const auto camera = started(control_only());
  // More than all buffers between the two ends can contain.
  std::string file(48 << 20, 'x');
  file.replace(0, 5, "begin");
  write_file(camera->card_folder() + "/DCIM/A.MP4", file);
  const std::string path = R"(,"param":"/tmp/SD0/DCIM/A.MP4")";
  Control client(*camera);
  client.open();
  auto data = std::make_unique<Socket>(camera->ports().data);
  Message reply = client.ask(1285, path + R"(,"offset":"0","fetch_size":0)");
  fail_unless_equals_int(*reply.number("size"), file.size());
  // The end is not reported, because nobody reads.
  client.ask(4365);
  client.ask(4365);
  fail_unless(data->receive(file.size()) == file);
  const Message done = client.next(7);
  same(*done.text("type"), "get_file_complete");
  same(done.entries("param")[0].second, std::to_string(file.size()));

  // After a cancellation, the camera says how much it has sent, and sends only what is asked next.
  client.ask(1285, path + R"(,"offset":"0","fetch_size":0)");
  fail_unless(data->receive(5) == "begin");
  const int64_t sent = *client.ask(1287, path).number("transferred_size");
  fail_unless(sent >= 5 && sent < static_cast<int64_t>(file.size()), "%d", static_cast<int>(sent));
  client.ask(1285, path + R"(,"offset":"0","fetch_size":5)");
  fail_unless(data->receive(static_cast<size_t>(sent)).ends_with("xbegin"));
  client.next(7);

  // The data connection is closed.
  client.ask(1285, path + R"(,"offset":"0","fetch_size":0)");
  data->vanish();
  same(*client.next(7).text("type"), "get_file_fail");
  // There is no data connection now.
  client.ask(1285, path + R"(,"offset":"0","fetch_size":5)");
  same(*client.next(7).text("type"), "get_file_fail");
}
GST_END_TEST;

GST_START_TEST(restart_closes_all_ports_and_recordings) {
  EmulatorOptions options = with_preview();
  const auto camera = started(options);
  const Emulator::Ports ports = camera->ports();
  {
    Control client(*camera);
    client.open();
    client.ask(513);
    camera->reboot(0ms);
    same(client.socket().receive(), "");
  }
  // Back, and on all of them.
  for (const uint16_t port : {ports.control, ports.data, ports.rtsp, ports.http}) {
    for (int i = 0;; ++i) {
      g_autoptr(GSocketClient) client = g_socket_client_new();
      g_autoptr(GSocketConnection) connection =
          g_socket_client_connect_to_host(client, "127.0.0.1", port, nullptr, nullptr);
      if (connection) break;
      fail_unless(i < 10000, "port %u stays closed", port);
      g_usleep(1000);
    }
  }
  Control client(*camera);
  client.open();
  fail_unless_equals_int(*client.ask(4365).number("status"), 0);

  camera->reboot(1h);
  for (const uint16_t port : {ports.control, ports.data, ports.rtsp, ports.http}) {
    g_autoptr(GSocketClient) other = g_socket_client_new();
    g_autoptr(GError) error = nullptr;
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_to_host(other, "127.0.0.1", port, nullptr, &error);
    fail_unless(!connection && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED),
                "port %u", port);
  }
}
GST_END_TEST;

// --- files over HTTP -------------------------------------------------------------------------

GST_START_TEST(files_over_http) {
  const auto camera = started(control_only());
  const std::string folder = camera->card_folder() + "/DCIM/20200101";
  fail_unless(g_mkdir(folder.c_str(), 0700) == 0);
  write_file(folder + "/IMG a.JPG", "0123456789");
  write_file(folder + "/IMG.DNG", "raw");
  write_file(camera->card_folder() + "/secret", "below DCIM alone");
  const std::string file = http_of(*camera) + "/20200101/IMG%20a.JPG";
  Answer answer = http(file);
  fail_unless(answer.status == 200 && answer.body == "0123456789" && answer.type == "image/jpeg");
  answer = http(file, "HEAD");
  fail_unless(answer.status == 200 && answer.body.empty() && answer.length == "10");
  for (const auto& [range, status, body] :
       {std::tuple("bytes=2-4", 206u, "234"), std::tuple("bytes=7-", 206u, "789"),
        std::tuple("bytes=-2", 206u, "89"), std::tuple("bytes=9-100", 206u, "9"),
        std::tuple("bytes=-20", 206u, "0123456789"), std::tuple("bytes=0-0", 206u, "0"),
        std::tuple("bytes=3-18446744073709551615", 206u, "3456789"),
        std::tuple("bytes=10-", 416u, ""), std::tuple("bytes=10-12", 416u, ""),
        std::tuple("bytes=-0", 416u, ""), std::tuple("bytes=5-2", 200u, "0123456789"),
        std::tuple("bytes=0-1,3-4", 200u, "0123456789"), std::tuple("bytes=-", 200u, "0123456789"),
        std::tuple("bytes=", 200u, "0123456789"), std::tuple("lines=0-1", 200u, "0123456789"),
        std::tuple("bytes=99999999999999999999-", 200u, "0123456789")}) {
    answer = http(file, "GET", range);
    fail_unless(answer.status == status && answer.body == body, "%s: %u '%s'", range, answer.status,
                answer.body.c_str());
  }
  same(http(http_of(*camera) + "/20200101/IMG.DNG").type, "image/x-adobe-dng");
  for (const char* path : {"/", "/20200101", "/20200101/", "/nothing", "/20200101/IMG.DNG/",
                           "/%2e%2e/secret", "/20200101/%2e%2e/%2e%2e/secret"})
    fail_unless_equals_int(http(http_of(*camera) + path).status, 404);
  // Not a valid path.
  fail_unless_equals_int(http(http_of(*camera) + "/..%2fsecret").status, 400);
  for (const char* method : {"POST", "PUT", "DELETE"})
    fail_unless_equals_int(http(file, method).status, 405);
}
GST_END_TEST;

// --- the preview -----------------------------------------------------------------------------

GST_START_TEST(preview_format_is_the_related_cameras) {
  const auto camera = started(with_preview());
  for (const char* protocols : {"tcp", "udp"}) {
    test::Pipeline pipeline("rtspsrc latency=0 location=" + rtsp_of(*camera) +
                            " protocols=" + protocols +
                            " ! rtph264depay ! h264parse ! video/x-h264,alignment=au ! "
                            "appsink name=sink sync=false");
    pipeline.play();
    int pictures = 0, since_key = -1, keys = 0;
    GstClockTime last = GST_CLOCK_TIME_NONE;
    while (pictures < 40) {
      const test::SampleRef sample = pipeline.pull();
      fail_unless(sample != nullptr, "%s", pipeline.wait().c_str());
      GstBuffer* buffer = gst_sample_get_buffer(sample.get());
      const GstStructure* caps = gst_caps_get_structure(gst_sample_get_caps(sample.get()), 0);
      same(gst_structure_get_string(caps, "profile"), "main");
      int width = 0;
      fail_unless(gst_structure_get_int(caps, "width", &width) && width == 320);
      if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT)) {
        if (since_key >= 0) fail_unless_equals_int(since_key, 8);
        since_key = 0;
        ++keys;
      }
      ++since_key;
      ++pictures;
      last = GST_BUFFER_PTS(buffer);
    }
    fail_unless(keys >= 4 && GST_CLOCK_TIME_IS_VALID(last));
  }
}
GST_END_TEST;

GST_START_TEST(a_video_begins_again_and_a_picture_stays) {
  const std::string folder = GString_(g_dir_make_tmp("sphere-scene-XXXXXX", nullptr)).get();
  const auto make = [&](const char* name, const std::string& line) {
    const std::string path = folder + "/" + name;
    test::Pipeline pipeline("spheretestsrc lens=mi-sphere " + line + path);
    same(pipeline.run(), "");
    return path;
  };
  const std::string video =
      make("v.mp4",
           "num-buffers=5 ! video/x-raw,width=320,height=160,framerate=30/1 ! "
           "x264enc speed-preset=ultrafast ! h264parse ! mp4mux ! filesink location=");
  // The name of this file does not tell its type.
  const std::string picture =
      make("p", "num-buffers=1 ! video/x-raw,format=RGBA,width=320 ! pngenc ! filesink location=");
  for (const std::string& file : {video, picture}) {
    EmulatorOptions options = with_preview();
    options.scene.file = file;
    const auto camera = started(std::move(options));
    Viewer viewer(*camera);
    viewer.ask("DESCRIBE");
    viewer.set_up();
    viewer.ask("PLAY", viewer.session());
    std::optional<uint32_t> last;
    for (int pictures = 0; pictures < 15;) {
      const uint32_t time = time_of(viewer.packet());
      if (last && time == *last) continue;
      if (last) fail_unless_equals_int(time - *last, 3003);
      last = time;
      ++pictures;
    }
  }
  EmulatorOptions options = with_preview();
  options.scene.file = folder + "/junk";
  write_file(options.scene.file, "neither");
  const auto refused = Emulator::start(options);
  fail_unless(!refused && refused.error().message.find("can be decoded") != std::string::npos);
  for (const std::string& file : {video, picture, options.scene.file}) g_unlink(file.c_str());
  g_rmdir(folder.c_str());
}
GST_END_TEST;

GST_START_TEST(a_preview_that_is_refused_or_cut) {
  for (const auto& [fault, words] :
       {std::pair("rtsp-404", "ot found"), std::pair("rtsp-401", "nauthorized"),
        std::pair("rtsp-453", "")}) {
    const auto camera = started(with_preview({fault}));
    test::Pipeline pipeline("rtspsrc latency=0 location=" + rtsp_of(*camera) +
                            " protocols=tcp ! appsink name=sink sync=false");
    const std::string error = pipeline.run();
    fail_unless(!error.empty() && error.find(words) != std::string::npos, "%s: %s", fault,
                error.c_str());
  }
  const auto camera = started(with_preview({"rtsp-gone:20"}));
  test::Pipeline pipeline("rtspsrc latency=0 location=" + rtsp_of(*camera) +
                          " protocols=tcp ! rtph264depay ! appsink name=sink sync=false");
  pipeline.play();
  int buffers = 0;
  while (pipeline.pull()) ++buffers;
  fail_unless(buffers > 0);
}
GST_END_TEST;

GST_START_TEST(faults_of_the_preview_come_and_go_while_it_runs) {
  const auto camera = started(with_preview());
  const auto execute = [&](const char* line) {
    fail_unless(bool(camera->execute(line)), "%s", line);
  };
  const std::string line = "rtspsrc latency=0 location=" + rtsp_of(*camera) +
                           " protocols=tcp ! rtph264depay ! appsink name=sink sync=false";
  test::Pipeline pipeline(line);
  pipeline.play();
  fail_unless(pipeline.pull() != nullptr);
  execute("fault rtsp-404");
  {
    test::Pipeline refused(line);
    const std::string error = refused.run();
    fail_unless(error.find("ot found") != std::string::npos, "%s", error.c_str());
  }
  // The one that plays is cut, at a picture that is counted from now on.
  execute("fault rtsp-gone:5");
  while (pipeline.pull()) {
  }
  execute("clear all");
  test::Pipeline again(line);
  again.play();
  fail_unless(again.pull() != nullptr);
}
GST_END_TEST;

GST_START_TEST(preview_packets_are_like_the_related_cameras) {
  const auto camera = started(with_preview());
  Viewer viewer(*camera);
  viewer.ask("OPTIONS");
  viewer.ask("DESCRIBE", "Accept: application/sdp\r\n");
  viewer.set_up();
  viewer.ask("PLAY", viewer.session());
  std::optional<uint32_t> last;
  size_t longest = 0;
  for (int pictures = 0; pictures < 30;) {
    const std::string packet = viewer.packet();
    longest = std::max(longest, packet.size());
    const uint32_t time = time_of(packet);
    if (last && time == *last) continue;
    // 29.97 pictures a second.
    if (last) fail_unless_equals_int(time - *last, 3003);
    last = time;
    ++pictures;
  }
  fail_unless(longest <= 1448, "%zu", longest);
}
GST_END_TEST;

GST_START_TEST(preview_track_has_the_related_cameras_name) {
  EmulatorOptions options = with_preview();
  options.scene.sound = true;
  const auto camera = started(std::move(options));
  Viewer viewer(*camera);
  const std::string head = viewer.ask("DESCRIBE", "Accept: application/sdp\r\n");
  fail_unless(head.find("Content-Base: " + rtsp_of(*camera) + "/") != std::string::npos, "%s",
              head.c_str());
  const std::string& sdp = viewer.body();
  for (const char* line : {"a=control:*\r\n", "a=control:track1\r\n", "a=control:track2\r\n"})
    fail_unless(sdp.find(line) != std::string::npos, "%s", sdp.c_str());
  fail_unless(sdp.find("stream=") == std::string::npos, "%s", sdp.c_str());
  viewer.set_up();
  fail_unless(viewer.ask("PLAY", viewer.session()).find(rtsp_of(*camera) + "/track1;seq=") !=
              std::string::npos);
  viewer.packet();
  fail_unless(camera->tracks() == std::vector<int>{0});
}
GST_END_TEST;

GST_START_TEST(packets_are_lost_over_udp_alone) {
  const auto camera = started(with_preview({"rtp-loss:50"}));
  const auto number_of = [](const std::string& packet) {
    return static_cast<uint16_t>(static_cast<uint8_t>(packet[2]) << 8 |
                                 static_cast<uint8_t>(packet[3]));
  };
  for (const bool udp : {false, true}) {
    Viewer viewer(*camera);
    viewer.ask("DESCRIBE");
    if (udp)
      viewer.set_up_udp();
    else
      viewer.set_up();
    viewer.ask("PLAY", viewer.session());
    std::optional<uint16_t> last;
    int gaps = 0;
    for (int i = 0; i < 100; ++i) {
      const uint16_t number = number_of(udp ? viewer.datagram() : viewer.packet());
      if (last && number != static_cast<uint16_t>(*last + 1)) ++gaps;
      last = number;
    }
    fail_unless(udp ? gaps > 10 : gaps == 0, "%s: %d gaps", udp ? "UDP" : "TCP", gaps);
  }
}
GST_END_TEST;

GST_START_TEST(vanished_viewers_are_removed) {
  const auto camera = started(with_preview());
  const int count = g_getenv("SPHERE_VALGRIND") ? 18 : 45;
  int before = 0;
  for (int i = 0; i < count; ++i) {
    Viewer viewer(*camera);
    // Clients vanish at every step of connecting, with and without waiting for the answer.
    const int step = i % 9;
    if (step > 0) viewer.ask("OPTIONS");
    if (step == 1) viewer.send("DESCRIBE");
    if (step > 1) viewer.ask("DESCRIBE");
    if (step > 3) viewer.set_up();
    if (step == 4) viewer.send("PLAY", viewer.session());
    if (step > 4) viewer.ask("PLAY", viewer.session());
    for (int packets = 0; step > 5 && packets < 20 * (step - 5); ++packets) viewer.packet();
    if (step == 8) viewer.send("TEARDOWN", viewer.session());
    viewer.vanish();
    if (i == 8) before = open_files();
  }
  // Some of them may not have been noticed yet.
  for (int i = 0; open_files() > before + 10; ++i) {
    fail_unless(i < 10000, "%d files more are open", open_files() - before);
    g_usleep(1000);
  }
  test::Pipeline pipeline("rtspsrc latency=0 location=" + rtsp_of(*camera) +
                          " protocols=tcp ! appsink name=sink sync=false");
  pipeline.play();
  fail_unless(pipeline.pull() != nullptr);
}
GST_END_TEST;

namespace {

/// A file as a Mi Sphere writes it: the camera's name, its table, and that it is held level.
void check_form(const std::string& path, bool video) {
  const Descriptor descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto source = media::FileSource::make(descriptor.get());
  fail_unless(bool(source), "%s", path.c_str());
  const auto info = makers::read_file(*source);
  fail_unless(bool(info) && info->problems.empty());
  same(info->profile, "mi-sphere");
  fail_unless(bool(parse_table(info->lens_table, "of the file")));
  fail_unless(video ? info->orientations.size() >= 10 : info->orientations.size() == 1);
  for (const auto& orientation : info->orientations)
    fail_unless(orientation && std::abs(orientation->w) > 1 - 1e-9);
  fail_unless(video || info->fisheyes);
}

}  // namespace

GST_START_TEST(photos_and_videos_are_of_the_scene) {
  if (g_getenv("SPHERE_VALGRIND")) {
    g_print("skip: pictures of full size take minutes under valgrind\n");
    return;
  }
  EmulatorOptions options = with_preview();
  options.photo_bytes.clear();
  options.video_bytes.clear();
  options.make_table = true;
  options.control.lens_table.clear();
  const auto camera = started(options);
  Control client(*camera);
  client.open();
  fail_unless(client.ask(513, R"(,"param":"1")").succeeded());
  fail_unless(client.ask(514).succeeded());
  const std::string recorded = *client.next(8192).param_text();
  check_form(camera->card_folder() + madv::unix_path(recorded).substr(8), true);
  fail_unless(client.ask(4611, R"(,"param":"1")").succeeded());
  fail_unless(client.ask(4864).succeeded());
  const std::string saved = *client.next(8193).param_text();
  const std::string path = camera->card_folder() + madv::unix_path(saved).substr(8);
  check_form(path, false);
  test::Pipeline photo("filesrc location=" + path + " ! jpegdec ! appsink name=sink sync=false");
  photo.play();
  const test::SampleRef sample = photo.pull();
  fail_unless(sample != nullptr);
  const test::Component luma = test::component_of(sample.get(), 0);
  fail_unless(luma.width == 6912 && luma.height == 3456);
  // A scene: neither black nor one grey.
  const auto [least, most] = std::minmax_element(luma.samples.begin(), luma.samples.end());
  fail_unless(*most - *least > 100);
}
GST_END_TEST;

static Suite* emulator_clients_suite() {
  test::forgive_rtsp();
  Suite* suite = suite_create("emulator_clients");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, answer_after_the_client_has_closed_its_sending_side);
  tcase_add_test(tcase, client_that_reads_nothing_and_disconnects_is_removed);
  tcase_add_test(tcase, a_transfer_ends_when_its_last_byte_is_sent);
  tcase_add_test(tcase, restart_closes_all_ports_and_recordings);
  tcase_add_test(tcase, files_over_http);
  tcase_add_test(tcase, preview_format_is_the_related_cameras);
  tcase_add_test(tcase, preview_packets_are_like_the_related_cameras);
  tcase_add_test(tcase, preview_track_has_the_related_cameras_name);
  tcase_add_test(tcase, packets_are_lost_over_udp_alone);
  tcase_add_test(tcase, a_video_begins_again_and_a_picture_stays);
  tcase_add_test(tcase, a_preview_that_is_refused_or_cut);
  tcase_add_test(tcase, faults_of_the_preview_come_and_go_while_it_runs);
  tcase_add_test(tcase, vanished_viewers_are_removed);
  tcase_add_test(tcase, photos_and_videos_are_of_the_scene);
  return suite;
}

GST_CHECK_MAIN(emulator_clients)
