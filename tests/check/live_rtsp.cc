// SPDX-License-Identifier: LGPL-2.1-or-later
// The RTSP server of a live stream: it ends at any time, and its players get the stream that there
// is.

// The standard library comes first: check defines `fail` as a macro.
#include <atomic>
#include <memory>
#include <string>

#include "gst/live/output.h"
#include "gst/live/runner.h"
#include "gst/live/target.h"
#include "tests/check/pipeline.h"

namespace {

using namespace sphere;
using namespace sphere::live;

std::unique_ptr<Output> make(const Target& target) {
  auto output = make_output(target);
  fail_unless(bool(output), "%s", output ? "" : output.error().message.c_str());
  return std::move(*output);
}

Target target_of(const char* words) {
  const auto target = parse_target(words);
  fail_unless(bool(target));
  return *target;
}

template <typename Condition>
void wait_until(const char* what, Condition condition) {
  const gint64 end = g_get_monotonic_time() + static_cast<gint64>(test::deadline / 1000);
  while (!condition()) {
    fail_unless(g_get_monotonic_time() < end, "%s", what);
    g_usleep(5000);
  }
}

/// A stream that goes to the server.
class Stream {
 public:
  Stream()
      : pipeline_(
            "videotestsrc is-live=true ! video/x-raw,width=64,height=32,framerate=30/1 ! x264enc "
            "tune=zerolatency speed-preset=ultrafast key-int-max=5 ! "
            "video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=pictures "
            "sync=false async=false "
            "audiotestsrc is-live=true ! audioconvert ! audio/x-raw,channels=2,rate=48000 ! "
            "avenc_aac ! aacparse ! audio/mpeg,stream-format=raw ! appsink name=tones sync=false "
            "async=false"),
        runner_(target_of("rtsp:0"), make(target_of("rtsp:0"))) {
    runner_.feed().watch_video(GST_APP_SINK(pipeline_.child("pictures").get()), {});
    runner_.feed().watch_audio(GST_APP_SINK(pipeline_.child("tones").get()));
    const GstRef<GstClock> clock(gst_system_clock_obtain());
    gst_pipeline_use_clock(GST_PIPELINE(pipeline_.element()), clock.get());
    pipeline_.play();
    runner_.start(clock.get(), gst_element_get_base_time(pipeline_.element()), info_, {});
    wait_until("the server runs", [this] { return !runner_.status().links.empty(); });
  }
  std::string link() const { return runner_.status().links[0]; }
  /// Opens the output again.
  void open_again(bool sound) {
    const uint64_t frames = runner_.status().frames;
    info_.audio = sound;
    runner_.set_stream(info_);
    wait_until("it is open again", [&] {
      const OutputStatus status = runner_.status();
      return status.sound == sound && status.frames > frames + 10;
    });
  }

 private:
  StreamInfo info_;
  // The runner's feed is used until the sinks are in NULL, and so it must end later.
  struct Quiet {
    test::Pipeline& pipeline;
    ~Quiet() { pipeline.set_state(GST_STATE_NULL); }
  };
  test::Pipeline pipeline_;
  Runner runner_;
  const Quiet quiet_{pipeline_};
};

/// Shows the pictures of a link.
class Player {
 public:
  explicit Player(const std::string& link)
      : pipeline_("rtspsrc protocols=tcp latency=0 location=" + link +
                  " ! rtph264depay ! fakesink name=sink signal-handoffs=true sync=false "
                  "async=false") {
    g_signal_connect(pipeline_.child("sink").get(), "handoff", G_CALLBACK(on_buffer), &pictures_);
    pipeline_.play();
  }
  void watch(int more) {
    const int until = pictures_ + more;
    wait_until("pictures come", [&] { return pictures_ >= until; });
  }
  /// Waits for the end of the stream.
  void wait() { (void)pipeline_.wait(); }

 private:
  static void on_buffer(GstElement*, GstBuffer*, GstPad*, gpointer count) {
    ++*static_cast<std::atomic<int>*>(count);
  }
  std::atomic<int> pictures_{0};
  test::Pipeline pipeline_;
};

GST_START_TEST(it_ends_as_soon_as_it_has_begun) {
  // Its thread may not run yet.
  for (int i = 0; i < 300; ++i) {
    const std::unique_ptr<Output> output = make(target_of("rtsp:0"));
    auto bin = output->open({});
    fail_unless(bool(bin));
    gst_object_unref(gst_object_ref_sink(*bin));
    output->closed(Output::Closed::broken);
  }
}
GST_END_TEST

GST_START_TEST(links_can_be_opened) {
  const std::unique_ptr<Output> output = make(target_of("rtsp:[::1]:0"));
  auto bin = output->open({});
  if (!bin) return;  // a machine without IPv6
  gst_object_unref(gst_object_ref_sink(*bin));
  OutputStatus status;
  output->describe(&status);
  const std::string link = status.links.at(0);
  fail_unless(link.starts_with("rtsp://[::1]:") && link.ends_with("/live"), "%s", link.c_str());
}
GST_END_TEST

GST_START_TEST(players_stay_when_the_output_is_opened_again) {
  Stream stream;
  Player player(stream.link());
  player.watch(10);
  stream.open_again(false);
  player.watch(30);
}
GST_END_TEST

GST_START_TEST(sound_that_comes_is_for_new_players) {
  Stream stream;
  auto old = std::make_unique<Player>(stream.link());
  old->watch(10);
  stream.open_again(true);
  Player now(stream.link());
  now.watch(10);
  // Those that have no track for the sound are told that their stream has ended.
  old->wait();
  old.reset();
  now.watch(30);
}
GST_END_TEST

Suite* live_rtsp_suite() {
  Suite* suite = suite_create("live_rtsp");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, it_ends_as_soon_as_it_has_begun);
  tcase_add_test(tests, links_can_be_opened);
  tcase_add_test(tests, players_stay_when_the_output_is_opened_again);
  tcase_add_test(tests, sound_that_comes_is_for_new_players);
  return suite;
}

}  // namespace

GST_CHECK_MAIN(live_rtsp)
