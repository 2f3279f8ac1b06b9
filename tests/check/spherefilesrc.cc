// SPDX-License-Identifier: LGPL-2.1-or-later
// spherefilesrc against the emulated camera: how much is transferred, what comes, and what happens
// when something goes wrong.

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/check/bus.h"
#include "tests/check/camera.h"
#include "tests/check/card.h"
#include "tests/check/listening.h"
#include "tests/check/stopwatch.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* video_path = "DCIM/20260101/VID_20260101_000000AA.MP4";

std::unique_ptr<Emulator> quiet_camera(std::vector<const char*> faults = {}) {
  return started(control_only(std::move(faults)));
}

/// A video of some MB with its index at the end, as a camera writes it.
const std::string& some_video() {
  static const std::string video = [] {
    const auto bytes = made_by(
        "videotestsrc num-buffers=150 pattern=snow ! video/x-raw,width=320,height=240,"
        "framerate=30/1 ! x264enc speed-preset=ultrafast bitrate=16000 key-int-max=15 ! "
        "h264parse ! mp4mux ! filesink location=%s");
    return std::string(bytes.begin(), bytes.end());
  }();
  fail_unless(video.size() > (4 << 20), "%zu", video.size());
  return video;
}

std::string reading(const std::string& uri, const std::string& more = "") {
  return "spherefilesrc name=file location=\"" + uri + "\" " + more;
}
std::string to_sink(const std::string& uri, const std::string& more = "") {
  return reading(uri, more) + " ! appsink name=sink sync=false";
}

void wait_until_prerolled(Pipeline& pipeline) {
  fail_unless(gst_element_get_state(pipeline.element(), nullptr, nullptr, deadline) ==
              GST_STATE_CHANGE_SUCCESS);
}

/// The error on the bus, if it is of this kind.
std::string error_of(Pipeline& pipeline, GQuark domain, int code) {
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline.element()));
  const MessageRef message(gst_bus_timed_pop_filtered(bus.get(), deadline, GST_MESSAGE_ERROR));
  fail_unless(message != nullptr, "no error");
  g_autoptr(GError) error = nullptr;
  gst_message_parse_error(message.get(), &error, nullptr);
  fail_unless(g_error_matches(error, domain, code), "another error: %s", error->message);
  return error->message;
}

void expect_fast_stop(Pipeline& pipeline) {
  const Stopwatch watch;
  pipeline.set_state(GST_STATE_NULL);
  expect_within(watch, 1.5, "stopping");
}

}  // namespace

GST_START_TEST(the_bytes_are_those_of_the_card) {
  const std::string bytes = some_bytes((3 << 20) + 12345);
  const auto camera = quiet_camera();
  put_file(*camera, video_path, bytes);
  // Over the web server, and over the camera's own protocol if there is none.
  for (const std::optional<uint16_t> port :
       {std::optional<uint16_t>(), std::optional<uint16_t>(1)}) {
    Pipeline pipeline(to_sink(file_uri(*camera, video_path, port)));
    pipeline.play();
    fail_unless(pull_all(pipeline) == bytes);
    pipeline.set_state(GST_STATE_NULL);
    expect_all_closed(*camera);
    // Again, with the same element.
    pipeline.play();
    fail_unless(pull_all(pipeline) == bytes);
  }
  put_file(*camera, "DCIM/EMPTY.JPG", "");
  Pipeline empty(to_sink(file_uri(*camera, "DCIM/EMPTY.JPG")));
  const std::string error = empty.run();
  fail_unless_equals_string(error.c_str(), "");
}
GST_END_TEST;

/// The index is at the end of the file; a seek needs it, and the pictures from there on.
GST_START_TEST(a_seek_transfers_a_small_part) {
  const auto camera = quiet_camera();
  put_file(*camera, video_path, some_video());
  Pipeline pipeline(reading(file_uri(*camera, video_path)) +
                    " ! qtdemux ! h264parse ! appsink name=sink sync=false max-buffers=1");
  pipeline.set_state(GST_STATE_PAUSED);
  wait_until_prerolled(pipeline);
  const uint64_t opened = camera->file_bytes();
  gint64 size = 0;
  const GstRef<GstElement> file = pipeline.child("file");
  fail_unless(gst_element_query_duration(file.get(), GST_FORMAT_BYTES, &size));
  fail_unless_equals_uint64(size, some_video().size());
  fail_unless(gst_element_seek_simple(
      pipeline.element(), GST_FORMAT_TIME,
      static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_KEY_UNIT), 4 * GST_SECOND));
  wait_until_prerolled(pipeline);
  const SampleRef sample = pipeline.pull_preroll();
  fail_unless(sample != nullptr);
  const GstClockTime time = GST_BUFFER_PTS(gst_sample_get_buffer(sample.get()));
  fail_unless(time >= 3 * GST_SECOND && time <= 4 * GST_SECOND, "%" GST_TIME_FORMAT,
              GST_TIME_ARGS(time));
  const uint64_t all = camera->file_bytes();
  GST_INFO("%" G_GUINT64_FORMAT " bytes to open, %" G_GUINT64_FORMAT " with the seek, of %zu",
           opened, all, some_video().size());
  fail_unless(all < some_video().size() / 4, "%" G_GUINT64_FORMAT " of %zu bytes", all,
              some_video().size());
}
GST_END_TEST;

GST_START_TEST(playbin_plays_files_and_the_preview) {
  {
    const auto camera = quiet_camera();
    put_file(*camera, video_path, some_video());
    Pipeline player("playbin uri=\"" + file_uri(*camera, video_path) +
                    "\" video-sink=\"fakesink name=sink sync=false\"");
    player.set_state(GST_STATE_PAUSED);
    wait_until_prerolled(player);
    GstElement* source = nullptr;
    g_object_get(player.element(), "source", &source, nullptr);
    fail_unless_equals_string(G_OBJECT_TYPE_NAME(source), "GstSphereFileSrc");
    gst_object_unref(source);
    gint64 duration = 0;
    fail_unless(gst_element_query_duration(player.element(), GST_FORMAT_TIME, &duration));
    fail_unless_equals_uint64(duration, 5 * GST_SECOND);
    fail_unless(gst_element_seek_simple(
        player.element(), GST_FORMAT_TIME,
        static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE), 3 * GST_SECOND));
    wait_until_prerolled(player);
    gint64 position = 0;
    fail_unless(gst_element_query_position(player.element(), GST_FORMAT_TIME, &position));
    fail_unless(position >= 3 * static_cast<gint64>(GST_SECOND));
    const std::string error = player.run();
    fail_unless_equals_string(error.c_str(), "");
  }
  const auto camera = camera_with();
  Pipeline player("playbin uri=\"" + camera->uri() +
                  "\" video-sink=\"fakesink num-buffers=5 sync=false\"");
  const std::string error = player.run();
  fail_unless_equals_string(error.c_str(), "");
}
GST_END_TEST;

GST_START_TEST(which_element_takes_a_uri) {
  const std::pair<const char*, const char*> right[] = {
      {"madv://192.168.42.1/live", "spherecamsrc"},
      {"madv://192.168.42.1", "spherecamsrc"},
      {"madv://192.168.42.1/DCIM/20260101/A.MP4", "spherefilesrc"},
  };
  for (const auto& [uri, name] : right) {
    g_autoptr(GError) error = nullptr;
    const GstRef<GstElement> element(GST_ELEMENT(
        gst_object_ref_sink(gst_element_make_from_uri(GST_URI_SRC, uri, nullptr, &error))));
    fail_unless(element != nullptr && !error, "%s", uri);
    fail_unless_equals_string(GST_OBJECT_NAME(gst_element_get_factory(element.get())), name);
    const GString_ back(gst_uri_handler_get_uri(GST_URI_HANDLER(element.get())));
    fail_unless_equals_string(back.get(), uri);
  }
  // The error is a helpful one.
  g_autoptr(GError) error = nullptr;
  fail_unless(!gst_element_make_from_uri(GST_URI_SRC, "madv://a/music/x.mp3", nullptr, &error));
  fail_unless(strstr(error->message, "below /DCIM/") != nullptr, "%s", error->message);
}
GST_END_TEST;

/// Each answer of the web server, or each transfer over the data port, is cut after some KiB.
GST_START_TEST(a_cut_transfer_goes_on) {
  const std::string bytes = some_bytes(5 << 20, 3);
  for (const bool web : {true, false}) {
    const auto camera = quiet_camera({web ? "http-cut:500" : "cut-data:500"});
    put_file(*camera, video_path, bytes);
    Pipeline pipeline(
        to_sink(file_uri(*camera, video_path, web ? std::nullopt : std::optional<uint16_t>(1))));
    pipeline.play();
    fail_unless(pull_all(pipeline) == bytes, "%s", web ? "web" : "data");
    const std::string error = pipeline.wait();
    fail_unless_equals_string(error.c_str(), "");
  }
}
GST_END_TEST;

GST_START_TEST(a_restart_of_the_camera_is_survived) {
  const std::string bytes = some_bytes(12 << 20, 5);
  const auto camera = quiet_camera();
  put_file(*camera, video_path, bytes);
  Pipeline pipeline(to_sink(file_uri(*camera, video_path)) + " max-buffers=1");
  pipeline.play();
  std::string got;
  while (got.size() < bytes.size()) {
    const SampleRef sample = pipeline.pull();
    if (!sample) fail_unless(false, "%s", pipeline.wait().c_str());
    const size_t before = got.size();
    got += bytes_of(sample.get());
    // Twice, at different places.
    for (const size_t at : {size_t{1} << 20, size_t{6} << 20})
      if (before < at && got.size() >= at) camera->reboot(200ms);
  }
  fail_unless(got == bytes);
}
GST_END_TEST;

GST_START_TEST(a_connection_that_ends_with_the_last_byte_is_no_loss) {
  const std::string bytes = some_bytes(256 << 10, 6);
  const auto camera = quiet_camera({"cut-data:64"});
  put_file(*camera, video_path, bytes);
  Pipeline pipeline(to_sink(file_uri(*camera, video_path, 1)));
  pipeline.play();
  fail_unless(pull_all(pipeline) == bytes);
}
GST_END_TEST;

/// Sparse files, so that they take no space.
GST_START_TEST(offsets_beyond_two_and_four_gib) {
  constexpr uint64_t gib = uint64_t{1} << 30;
  const std::string mark = some_bytes(100000, 9);
  for (const auto& [size, place, web] :
       {std::tuple(3 * gib, 2 * gib + 12345, true), std::tuple(3 * gib, 2 * gib + 12345, false),
        std::tuple(5 * gib + 7, 4 * gib + 777, true)}) {
    const auto camera = quiet_camera();
    const std::string path = path_on_card(*camera, video_path);
    put_file(*camera, video_path, "");
    std::filesystem::resize_file(path, size);
    {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(place));
      file << mark;
      fail_unless(file.good());
    }
    Pipeline pipeline(
        to_sink(file_uri(*camera, video_path, web ? std::nullopt : std::optional<uint16_t>(1))) +
        " max-buffers=1");
    pipeline.set_state(GST_STATE_PAUSED);
    wait_until_prerolled(pipeline);
    gint64 told = 0;
    fail_unless(gst_element_query_duration(pipeline.element(), GST_FORMAT_BYTES, &told));
    fail_unless_equals_uint64(told, size);
    fail_unless(gst_element_seek_simple(pipeline.element(), GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH,
                                        static_cast<gint64>(place)));
    pipeline.play();
    std::string got;
    while (got.size() < mark.size()) {
      const SampleRef sample = pipeline.pull();
      fail_unless(sample != nullptr);
      if (got.empty())
        fail_unless_equals_uint64(GST_BUFFER_OFFSET(gst_sample_get_buffer(sample.get())), place);
      got += bytes_of(sample.get());
    }
    fail_unless(got.substr(0, mark.size()) == mark);
    fail_unless(camera->file_bytes() < (16 << 20));
  }
}
GST_END_TEST;

/// A camera that says nothing, before and after the file was opened.
GST_START_TEST(a_mute_camera_does_not_block) {
  const auto camera = quiet_camera();
  put_file(*camera, video_path, some_bytes(1 << 20));
  camera->set_silent(true);
  for (const char* more : {" ! appsink name=sink", " ! qtdemux ! fakesink"}) {
    Pipeline pipeline(reading(file_uri(*camera, video_path)) + more);
    const int64_t before = camera->counters().requests;
    fail_unless(pipeline.set_state(GST_STATE_PLAYING) == GST_STATE_CHANGE_ASYNC);
    // It waits for the answer to the first request.
    while (camera->counters().requests == before) g_usleep(1000);
    expect_fast_stop(pipeline);
  }
  camera->set_silent(false);

  // A KiB a second is as good as nothing.
  const auto slow = quiet_camera({"http-slow:1"});
  put_file(*slow, video_path, some_bytes(1 << 20));
  Pipeline pipeline(to_sink(file_uri(*slow, video_path)));
  pipeline.play();
  while (slow->file_bytes() == 0) g_usleep(1000);
  expect_fast_stop(pipeline);
}
GST_END_TEST;

GST_START_TEST(nothing_is_left_of_many_starts) {
  const auto camera = quiet_camera();
  put_file(*camera, video_path, some_bytes(1 << 20));
  Pipeline pipeline(to_sink(file_uri(*camera, video_path)));
  int before = 0;
  for (int i = 0; i < 20; ++i) {
    pipeline.play();
    fail_unless(pipeline.pull() != nullptr);
    pipeline.set_state(GST_STATE_NULL);
    expect_all_closed(*camera);
    if (i == 0) before = open_files();
  }
  // The emulated camera, which is in this process, closes its ends a little later.
  for (int i = 0; open_files() > before; ++i) {
    fail_unless(i < 60000, "%d files are open, %d before", open_files(), before);
    g_usleep(1000);
  }
}
GST_END_TEST;

GST_START_TEST(errors_say_what_to_do) {
  const auto camera = quiet_camera();
  put_file(*camera, video_path, some_bytes(1000));
  {
    Pipeline pipeline(to_sink(file_uri(*camera, "DCIM/NOTHING.MP4")));
    pipeline.play();
    error_of(pipeline, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
  }
  for (const auto& [line, words] :
       {std::pair(std::string("spherefilesrc ! fakesink"), "location is not set"),
        std::pair(reading(camera->uri()) + " ! fakesink", "names no file"),
        std::pair(std::string("spherefilesrc location=http://a/DCIM/b ! fakesink"), "madv://")}) {
    Pipeline pipeline(line);
    fail_unless(pipeline.set_state(GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE);
    const std::string error = error_of(pipeline, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
    fail_unless(error.find(words) != std::string::npos, "%s", error.c_str());
  }
  {
    const auto held = quiet_camera({"refuse"});
    put_file(*held, video_path, some_bytes(1000));
    Pipeline pipeline(to_sink(file_uri(*held, video_path)));
    pipeline.play();
    error_of(pipeline, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY);
  }
  // Nobody is there any more.
  auto leaving = quiet_camera();
  put_file(*leaving, video_path, some_bytes(20 << 20));
  Pipeline pipeline(to_sink(file_uri(*leaving, video_path), "timeout=1") + " max-buffers=1");
  pipeline.play();
  fail_unless(pipeline.pull() != nullptr);
  leaving.reset();
  while (pipeline.pull()) {
  }
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline.element()));
  const MessageRef message(gst_bus_timed_pop_filtered(bus.get(), deadline, GST_MESSAGE_ERROR));
  fail_unless(message != nullptr);
  g_autoptr(GError) error = nullptr;
  gst_message_parse_error(message.get(), &error, nullptr);
  GST_INFO("a camera that does not come back: %s", error->message);
  fail_unless(error->domain == GST_RESOURCE_ERROR && strstr(error->message, "camera") != nullptr,
              "%s", error->message);
}
GST_END_TEST;

GST_START_TEST(web_proxy_is_not_used) {
  // In one process with the other tests, as under a sanitizer, the resolver is chosen already.
  if (g_strcmp0(g_getenv("CK_FORK"), "no") == 0) return;
  g_unsetenv("GIO_USE_PROXY_RESOLVER");
  const ListeningSocket proxy;
  g_setenv("http_proxy", ("http://127.0.0.1:" + std::to_string(proxy.port())).c_str(), TRUE);
  const auto camera = quiet_camera();
  const std::string bytes = some_bytes(1 << 20);
  put_file(*camera, video_path, bytes);
  Pipeline pipeline(to_sink(file_uri(*camera, video_path)));
  pipeline.play();
  fail_unless(pull_all(pipeline) == bytes);
  // Not over the camera's own protocol either.
  for (const madv_emulator::Asked& asked : camera->asked())
    fail_unless(asked.id != 1285 || asked.param.find("VID_") == std::string::npos);
  // Other requests of this process go through the proxy.
  char** others = g_proxy_resolver_lookup(g_proxy_resolver_get_default(), "http://192.0.2.1/",
                                          nullptr, nullptr);
  fail_unless(others && others[0] && g_str_has_prefix(others[0], "http://127.0.0.1:"));
  g_strfreev(others);
}
GST_END_TEST;

GST_START_TEST(consent_to_storage) {
  const auto camera = quiet_camera();
  put_file(*camera, video_path, some_bytes(8 << 20));
  for (const auto& [consent, allowed] :
       {std::pair("consent/storage,state=(string)given", true),
        std::pair("consent/storage,state=(string)withdrawn", false),
        std::pair("consent/audio,state=(string)given", false), std::pair("EMPTY", false)}) {
    Pipeline pipeline(
        to_sink(file_uri(*camera, video_path), "consent=\"" + std::string(consent) + "\"") +
        " max-buffers=1");
    const uint64_t before = camera->file_bytes();
    pipeline.play();
    if (!allowed) {
      const std::string error =
          error_of(pipeline, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED);
      fail_unless(error.find("storage for save") != std::string::npos, "%s", error.c_str());
      fail_unless_equals_uint64(camera->file_bytes(), before);
      continue;
    }
    fail_unless(pipeline.pull() != nullptr);
    // Taken back: the next buffer does not come.
    const CapsRef nothing(gst_caps_new_empty());
    g_object_set(pipeline.child("file").get(), "consent", nothing.get(), nullptr);
    int late = 0;
    while (pipeline.pull()) fail_unless(++late < 5);
    error_of(pipeline, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED);
  }
}
GST_END_TEST;

static Suite* spherefilesrc_suite() {
  Suite* suite = suite_create("spherefilesrc");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, the_bytes_are_those_of_the_card);
  tcase_add_test(tcase, a_seek_transfers_a_small_part);
  tcase_add_test(tcase, playbin_plays_files_and_the_preview);
  tcase_add_test(tcase, which_element_takes_a_uri);
  tcase_add_test(tcase, a_cut_transfer_goes_on);
  tcase_add_test(tcase, a_restart_of_the_camera_is_survived);
  tcase_add_test(tcase, a_connection_that_ends_with_the_last_byte_is_no_loss);
  tcase_add_test(tcase, offsets_beyond_two_and_four_gib);
  tcase_add_test(tcase, a_mute_camera_does_not_block);
  tcase_add_test(tcase, nothing_is_left_of_many_starts);
  tcase_add_test(tcase, errors_say_what_to_do);
  tcase_add_test(tcase, web_proxy_is_not_used);
  tcase_add_test(tcase, consent_to_storage);
  return suite;
}

GST_CHECK_MAIN(spherefilesrc)
