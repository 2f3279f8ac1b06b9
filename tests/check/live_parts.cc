// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of live streaming that know no pipeline: targets, the mark in H.264, attempts, and when
// size and bit rate change.

#include <algorithm>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include "gst/live/adaptation.h"
#include "gst/live/attempts.h"
#include "gst/live/connection.h"
#include "gst/live/debug_log.h"
#include "gst/live/encoding.h"
#include "gst/live/feed.h"
#include "gst/live/output.h"
#include "gst/live/output_parts.h"
#include "gst/live/part_writer.h"
#include "gst/live/source.h"
#include "gst/live/source_failure.h"
#include "gst/live/spherical_mark.h"
#include "gst/live/target.h"
#include "gst/sphere/media/sei.h"
#include "tests/check/same.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::live;
using consent::bit;
using consent::Purpose;

namespace {

Target must(std::string_view words) {
  const auto target = parse_target(words);
  fail_unless(bool(target), "%s: %s", std::string(words).c_str(),
              target ? "" : target.error().message.c_str());
  return *target;
}

constexpr int64_t second = 1'000'000;

}  // namespace

GST_START_TEST(targets_are_read) {
  const Target rtmp = must("rtmp://a.example/live2/abcd-efgh?token=1");
  fail_unless(rtmp.kind == TargetKind::rtmp && rtmp.leaves);
  fail_unless(rtmp.address == "rtmp://a.example/live2/abcd-efgh?token=1");
  fail_unless(rtmp.shown.find("abcd") == std::string::npos, "%s", rtmp.shown.c_str());
  const std::string hidden =
      rtmp.without_secrets("can't open rtmp://a.example/live2/abcd-efgh?token=1, abcd-efgh");
  fail_unless(hidden.find("abcd") == std::string::npos, "%s", hidden.c_str());
  fail_unless(must("rtmp://h/live/a").without_secrets("it failed") == "it failed");
  fail_unless(must("rtmps://user:pw@h:444/a/b").shown.find("pw") == std::string::npos);

  const Target srt = must("srt://10.0.0.1:9000?passphrase=0123456789%26&latency=80");
  fail_unless(srt.port == 9000 && srt.host == "10.0.0.1" &&
              srt.setting("passphrase") == "0123456789&");
  fail_unless(srt.address == "srt://10.0.0.1:9000", "%s", srt.address.c_str());
  fail_unless(srt.without_secrets("x0123456789&y") == "x…y");
  fail_unless(must("srt://[::1]:9000").shown == "srt://[::1]:9000");

  fail_unless(must("rtsp:8554").host == "127.0.0.1" && must("rtsp:8554").path == "/live");
  fail_unless(must("rtsp://0.0.0.0:8554/all").path == "/all");
  fail_unless(!must("web:8080").leaves && must("web:0.0.0.0:8080").leaves);
  fail_unless(must("web:[::1]:8080").host == "::1" && !must("web:[::1]:8080").leaves);
  fail_unless(must("web:0?viewers=5").port == 0 &&
              must("web:0?viewers=5").setting("viewers") == "5");
  fail_unless(must("file:a b/c.mp4?segment=60").path == "a b/c.mp4");
  fail_unless(must("hls:/var/www").leaves && must("hls:/var/www").path == "/var/www");
  fail_unless(must("window").kind == TargetKind::window && !must("window").leaves);
  fail_unless(must("window?sound=yes").setting("sound") == "yes");
}
GST_END_TEST

GST_START_TEST(wrong_targets_are_explained) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "empty"},
      {"ride.mp4", "file:NAME.mp4"},
      {"ftp://h/x", "ftp"},
      {"rtmp://", "rtmp://HOST/APP/KEY"},
      {"rtmp://host/app", "stream key"},
      {"rtmp://host/app/", "stream key"},
      {"rtmp://ho st/secretapp/secretkey", "address"},
      {"srt://host", "PORT"},
      {"srt://host:1/path", "streamid"},
      {"rtsp:", "port"},
      {"rtsp:65536", "port"},
      {"rtsp:x", "port"},
      {"web:-1", "port"},
      {"srt://127.0.0.1:99999", "1 to 65535"},
      {"file:", "name"},
      {"hls:", "folder"},
      {"window:left", "nothing"},
      {"srt://h:1?passphrase", "NAME=VALUE"},
      {"srt://h:1?a=1&a=2", "twice"},
      {"srt://h:1?passphrase=%zz", "passphrase"},
  };
  for (const auto& [words, part] : cases) {
    const auto target = parse_target(words);
    fail_if(bool(target), "'%s' is taken", words);
    fail_unless(target.error().message.find(part) != std::string::npos, "%s: %s", words,
                target.error().message.c_str());
    fail_unless(target.error().message.find("secretkey") == std::string::npos);
  }
  // What each kind checks.
  for (const char* words :
       {"srt://h:1?passphrase=short", "srt://h:1?colour=red", "srt://h:1?mode=both", "file:a.txt",
        "file:/nowhere/at/all.mp4", "file:a.mkv?segment=x", "file:a.mp4?segment=0",
        "file:a.mp4?overwrite=maybe", "rtsp:1?x=y", "window?sound=loud"}) {
    const auto output = make_output(must(words));
    fail_if(bool(output), "'%s' is taken", words);
    fail_unless(output.error().message.find("short") == std::string::npos ||
                std::string_view(words).find("short") == std::string_view::npos);
  }
}
GST_END_TEST

GST_START_TEST(a_file_system_without_blocks_is_not_full) {
  fail_unless(bool(check_space("/proc")));
  fail_unless(bool(check_space(g_get_tmp_dir())));
}
GST_END_TEST

GST_START_TEST(purposes_follow_the_target) {
  const auto sound = [](const char* words) { return audio_purposes(must(words)); };
  const auto place = [](const char* words) { return location_purposes(must(words)); };
  fail_unless(sound("window") == bit(Purpose::live) && place("window") == 0);
  fail_unless(sound("web:1") == bit(Purpose::live));
  fail_unless(sound("file:a.mp4") == bit(Purpose::record));
  fail_unless(place("file:a.mp4") == bit(Purpose::geotag));
  for (const char* words : {"rtmp://h/a/k", "srt://h:1", "rtsp:1", "hls:x", "web:0.0.0.0:1"}) {
    fail_unless(sound(words) == (bit(Purpose::live) | bit(Purpose::share)), "%s", words);
    fail_unless(place(words) == (bit(Purpose::geotag) | bit(Purpose::share)), "%s", words);
  }
}
GST_END_TEST

GST_START_TEST(pauses_grow_and_start_again) {
  Attempts attempts;
  int64_t before = 0, now = second;
  for (int i = 0; i < 10; ++i) {
    const int64_t pause = attempts.failed(now);
    fail_unless(pause >= before && pause <= Attempts::longest_pause);
    before = pause;
    now += pause;
  }
  fail_unless(before == Attempts::longest_pause);
  // Pictures for a moment are no success.
  attempts.running(now);
  fail_unless(attempts.failed(now + second) == Attempts::longest_pause);
  attempts.running(now);
  fail_unless(attempts.failed(now + Attempts::steady) == Attempts::first_pause);
  // It ran twice before, and the first time was no reconnect.
  attempts.running(now);
  attempts.running(now);
  fail_unless_equals_int(static_cast<int>(attempts.reconnects()), 2);
}
GST_END_TEST

namespace {

/// A machine that can encode so many pixels a second, fed with 30 pictures a second.
class Machine {
 public:
  Machine(Adaptation* adaptation, double pixels) : adaptation_(adaptation), pixels_(pixels) {}
  std::vector<AdaptationStep> run(int64_t duration) {
    std::vector<AdaptationStep> steps;
    for (const int64_t end = load.now + duration; load.now < end;) {
      load.now += second / 4;
      arrived_ += 7.5;
      const double can = pixels_ / (adaptation_->width() * adaptation_->height()) / 4;
      encoded_ += std::min(7.5, can);
      load.arrived = static_cast<uint64_t>(arrived_);
      load.encoded = static_cast<uint64_t>(encoded_);
      if (const auto step = adaptation_->update(load)) steps.push_back(*step);
    }
    return steps;
  }
  void set_pixels(double pixels) { pixels_ = pixels; }
  Load load;

 private:
  Adaptation* const adaptation_;
  double pixels_, arrived_ = 0, encoded_ = 0;
};

}  // namespace

GST_START_TEST(a_slow_processor_gets_smaller_pictures) {
  for (const double rate : {20.0, 12.0, 6.0, 2.0}) {
    Adaptation adaptation({.width = 3840, .bitrate = 10000});
    Machine machine(&adaptation, rate * 3840 * 1920);
    const auto steps = machine.run(Adaptation::longest_reaction);
    fail_unless(!steps.empty(), "no step at %.0f pictures a second", rate);
    fail_unless(steps[0].words.find("3840x1920") != std::string::npos);
    fail_unless(steps[0].width == adaptation.width() && steps[0].bitrate < 10000);
    // One step is enough where a size fits, and it never goes on for ever.
    machine.run(20 * second);
    const double fits = rate * 3840 * 1920 / (adaptation.width() * adaptation.height());
    fail_unless(fits >= 30 || adaptation.width() <= 960, "%d at %.0f", adaptation.width(), rate);
  }
  // Enough of it: nothing changes.
  Adaptation adaptation({.width = 1920, .bitrate = 4000});
  Machine machine(&adaptation, 31.0 * 1920 * 960);
  fail_unless(machine.run(600 * second).empty());
}
GST_END_TEST

GST_START_TEST(the_size_comes_back) {
  Adaptation adaptation({.width = 1920, .bitrate = 4000});
  Machine machine(&adaptation, 15.0 * 1920 * 960);
  fail_unless(!machine.run(5 * second).empty());
  const int smaller = adaptation.width();
  fail_unless(smaller < 1920);
  machine.set_pixels(60.0 * 1920 * 960);
  machine.run(120 * second);
  fail_unless(adaptation.full() && adaptation.bitrate() == 4000, "%d", adaptation.width());
}
GST_END_TEST

GST_START_TEST(a_size_that_is_too_much_is_not_tried_all_the_time) {
  Adaptation adaptation({.width = 1920, .bitrate = 4000});
  // The next size up never fits.
  Machine machine(&adaptation, 20.0 * 1920 * 960);
  machine.run(10 * second);
  const size_t changes = machine.run(3600 * second).size();
  fail_unless(changes <= 60, "%zu changes in an hour", changes);
}
GST_END_TEST

GST_START_TEST(a_slow_network_gets_fewer_bits) {
  Adaptation adaptation({.width = 1920, .bitrate = 4000});
  Machine machine(&adaptation, 1e9);
  machine.run(10 * second);
  machine.load.queued = second;
  machine.load.slowest = "srt://there";
  auto steps = machine.run(Adaptation::longest_reaction);
  fail_unless(!steps.empty() && steps[0].bitrate < 4000 &&
              steps[0].words.find("srt://there") != std::string::npos);
  steps = machine.run(60 * second);
  fail_unless(adaptation.width() < 1920, "few bits need a smaller picture");
  const int least = adaptation.bitrate();
  fail_unless(least >= 4000 / 20, "%d", least);
  fail_unless(machine.run(60 * second).empty(), "it goes below the least");
  machine.load.queued = 0;
  machine.run(300 * second);
  fail_unless(adaptation.full() && adaptation.bitrate() == 4000, "%d", adaptation.bitrate());
}
GST_END_TEST

GST_START_TEST(an_easy_picture_is_eased_from_what_it_needs) {
  Adaptation adaptation({.width = 1920, .bitrate = 20000});
  Machine machine(&adaptation, 1e9);
  machine.load.kbit_s = 5000;
  machine.run(10 * second);
  machine.load.queued = second;
  machine.load.slowest = "there";
  const auto steps = machine.run(Adaptation::longest_reaction);
  fail_unless(!steps.empty() && steps[0].bitrate < 4000, "%d", adaptation.bitrate());
}
GST_END_TEST

using Bytes = std::vector<uint8_t>;

GST_START_TEST(the_mark_stands_before_the_slices) {
  const Bytes unit = {0, 0, 0,    1, 0x09, 0x10, 0, 0, 0,    1, 0x67, 1, 2, 0,
                      0, 1, 0x68, 3, 0,    0,    0, 1, 0x65, 4, 0,    0, 1, 0x65};
  fail_unless(first_slice(VideoForm::h264, unit) == size_t{18});
  const Bytes three = {0, 0, 1, 0x65, 1};
  fail_unless(first_slice(VideoForm::h264, three) == size_t{0});
  fail_if(first_slice(VideoForm::h264, Bytes{0, 0, 1, 0x67, 1, 2, 3}).has_value());
  fail_if(first_slice(VideoForm::h264, Bytes{0, 0, 1}).has_value());
  const Bytes h265 = {0, 0, 0, 1, 32 << 1, 1, 0, 0, 0, 1, 19 << 1, 1};
  fail_unless(first_slice(VideoForm::h265, h265) == size_t{6});
}
GST_END_TEST

GST_START_TEST(pictures_that_come_too_late_are_left_out) {
  LatePictureDetector detector;
  int64_t now = 0;
  const auto pass = [&](int64_t late, int pictures) {
    int left_out = 0;
    for (int i = 0; i < pictures; ++i) left_out += detector.is_late(now += second / 30, late);
    return left_out;
  };
  // A camera is late by a constant time, and its network by some more.
  fail_unless_equals_int(pass(200'000, 300), 0);
  fail_unless_equals_int(pass(800'000, 30), 0);
  fail_unless_equals_int(pass(1'000'000, 30), 30);
  fail_unless_equals_int(pass(250'000, 30), 0);
  // What stays late is the rule after some seconds: pictures never stop.
  pass(3'000'000, 400);
  fail_unless_equals_int(pass(3'000'000, 30), 0);
}
GST_END_TEST

GST_START_TEST(a_source_that_fails_is_explained) {
  const auto explained = [](const char* uri, GQuark domain, int code, const char* words,
                            bool began = false) {
    g_autoptr(GError) error = g_error_new_literal(domain, code, words);
    return explain_source_failure(uri, *error, began);
  };
  const struct {
    const char* uri;
    GQuark domain;
    int code;
    const char *words, *says;
  } cases[] = {
      {"rtsp://u:secret@10.0.0.5:8554/live?key=secret", GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_OPEN_READ_WRITE, "Could not open resource for reading and writing.",
       "nothing comes from rtsp://10.0.0.5:8554; check the address, and that it can be reached "
       "from "
       "here"},
      {"rtmp://[fd00::1]/live/secret", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
       "Connection refused.",
       "nothing comes from rtmp://[fd00::1] (Connection refused); check the address, and that it "
       "can be reached from here"},
      {"http://host/secret", GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED,
       "Internal data stream error.",
       "nothing comes from http://host; check the address, and that it can be reached from here"},
      {"rtsp://host/secret", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "Not found",
       "rtsp://host answers, but has no such stream; check the rest of the address"},
      {"rtsp://host/secret", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED, "Unauthorized",
       "rtsp://host asks for a user and a password: write rtsp://USER:PASSWORD@HOST and the rest "
       "of "
       "the address"},
      {"rtsp://u:secret@host/", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED,
       "Unauthorized", "rtsp://host refuses this user or this password"},
      {"a film.mp4", GST_STREAM_ERROR, GST_STREAM_ERROR_TYPE_NOT_FOUND,
       "Could not determine type of stream.", "'a film.mp4' is no video that can be read"},
      {"http://host/secret", GST_STREAM_ERROR, GST_STREAM_ERROR_TYPE_NOT_FOUND,
       "Could not determine type of stream.",
       "what http://host sends is no video that can be read"},
      {"film.mp4", GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN, "Missing",
       "there is no decoder for what 'film.mp4' has; install GStreamer's libav plugin"},
      // Its own sentence has to do.
      {"film.mp4", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "Could not read.", ""},
      {"rtsp://host/", GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, "Could not decode.", ""},
  };
  for (const auto& [uri, domain, code, words, says] : cases)
    test::same(explained(uri, domain, code, words), says);
  test::same(
      explained("rtsp://host/", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "It is gone.", true),
      "nothing comes from rtsp://host any more (It is gone); start again when it is back");
}
GST_END_TEST

GST_START_TEST(parts_have_names) {
  PartNames plain("a.b/ride.mp4", false), numbered("ride.mp4", true), bare("a.b/ride", false);
  fail_unless(plain.next() == "a.b/ride.mp4" && plain.next() == "a.b/ride-2.mp4");
  fail_unless(numbered.next() == "ride-001.mp4" && numbered.next() == "ride-002.mp4");
  fail_unless(bare.next() == "a.b/ride" && bare.next() == "a.b/ride-2");
}
GST_END_TEST

GST_START_TEST(encoders_are_chosen) {
  const auto software = choose_encoder("x264", VideoForm::h264);
  fail_unless(bool(software) && !(*software)->hardware);
  fail_unless(bool(choose_encoder("auto", VideoForm::h264)));
  const auto none = choose_encoder("openh264", VideoForm::h265);
  fail_if(bool(none));
  fail_if(bool(choose_encoder("x265000", VideoForm::h264)));
  fail_unless(default_bitrate(1920, 960, 30) == 4000);
  fail_unless(default_bitrate(3840, 1920, 30) > 8000 && default_bitrate(3840, 1920, 30) < 16000);
}
GST_END_TEST

GST_START_TEST(the_debug_log_is_limited) {
  const auto threshold = [](const char* name) {
    GstDebugCategory* category = nullptr;
    // As the element does it, with its first connection.
    GST_DEBUG_CATEGORY_INIT(category, name, 0, nullptr);
    return gst_debug_category_get_threshold(category);
  };
  gst_debug_set_threshold_from_string("*:9", TRUE);
  limit_debug_log({"made-later", "made-before"});
  fail_unless(threshold("made-later") == GST_LEVEL_WARNING);
  fail_unless(threshold("another") == GST_LEVEL_MEMDUMP);
  gst_debug_set_threshold_from_string("*:9", TRUE);
  fail_unless(threshold("made-before") == GST_LEVEL_MEMDUMP);
  limit_debug_log({"made-before"});
  fail_unless(threshold("made-before") == GST_LEVEL_WARNING);
  // Who wants less gets less.
  gst_debug_set_threshold_from_string("made-before:1", TRUE);
  limit_debug_log({"made-before"});
  fail_unless(threshold("made-before") == GST_LEVEL_ERROR);
}
GST_END_TEST

/// The output of a stream: what its sound gets, in order.
struct SoundOrder {
  SoundOrder() {
    const GstRef<GstElement> sink(gst_bin_get_by_name(GST_BIN(output.get()), "end"));
    const GstRef<GstPad> pad(gst_element_get_static_pad(sink.get(), "sink"));
    gst_pad_add_probe(
        pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        [](GstPad*, GstPadProbeInfo* info, gpointer self) {
          auto* order = static_cast<SoundOrder*>(self);
          g_async_queue_push(order->got,
                             GINT_TO_POINTER(GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info))));
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
  }
  ~SoundOrder() {
    for (const auto& one : {output.get(), input.get()}) gst_element_set_state(one, GST_STATE_NULL);
    g_async_queue_unref(got);
  }
  GstRef<GstElement> child(GstElement* of, const char* name) {
    return GstRef<GstElement>(gst_bin_get_by_name(GST_BIN(of), name));
  }

  /// Lets the feed hand over from the input to the output. Returns the pads of the pictures and of
  /// the sound before it.
  std::pair<GstRef<GstPad>, GstRef<GstPad>> connect(Feed& feed) {
    const auto sink = child(input.get(), "video"), sound = child(input.get(), "audio"),
               to = child(output.get(), "video"), sound_to = child(output.get(), "audio");
    feed.watch_video(GST_APP_SINK(sink.get()), [] {});
    feed.watch_audio(GST_APP_SINK(sound.get()));
    for (const auto& one : {input.get(), output.get()})
      gst_element_set_state(one, GST_STATE_PLAYING);
    feed.connect(GST_APP_SRC(to.get()), GST_APP_SRC(sound_to.get()));
    return {GstRef<GstPad>(gst_element_get_static_pad(sink.get(), "sink")),
            GstRef<GstPad>(gst_element_get_static_pad(sound.get(), "sink"))};
  }

  GAsyncQueue* got = g_async_queue_new();
  GstRef<GstElement> input{GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(
      "appsink name=video sync=false async=false appsink name=audio sync=false async=false",
      nullptr)))};
  GstRef<GstElement> output{GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(
      "appsrc name=video is-live=true format=time ! fakesink sync=false async=false "
      "appsrc name=audio is-live=true format=time ! fakesink name=end sync=false async=false",
      nullptr)))};
};

GST_START_TEST(a_gap_comes_after_the_form_of_the_sound) {
  SoundOrder order;
  // Of AAC it would be known.
  OutputNeeds needs;
  needs.audio = AudioForm::opus;
  Feed feed(needs);
  const auto pads = order.connect(feed);
  GstPad *const in = pads.first.get(), *const sound_in = pads.second.get();
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  for (const auto& [pad, form] :
       {std::pair(in, "video/x-h264"), std::pair(sound_in, "audio/x-opus")}) {
    // The sound's form comes late, and its first buffer never.
    gst_pad_send_event(pad, gst_event_new_stream_start(form));
    if (pad == sound_in) continue;
    gst_pad_send_event(pad, gst_event_new_caps(CapsRef(gst_caps_from_string(form)).get()));
    gst_pad_send_event(pad, gst_event_new_segment(&segment));
  }
  const auto send_pictures = [&](int from, int to_number) {
    for (int i = from; i < to_number; ++i) {
      GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 16, nullptr);
      GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(i) * 100 * GST_MSECOND;
      fail_unless_equals_int(gst_pad_chain(in, buffer), GST_FLOW_OK);
    }
  };
  send_pictures(0, 10);
  fail_unless_equals_int(static_cast<int>(feed.frames()), 10);
  gst_pad_send_event(sound_in,
                     gst_event_new_caps(CapsRef(gst_caps_from_string("audio/x-opus")).get()));
  send_pictures(10, 20);
  bool caps = false;
  for (;;) {
    const gpointer one = g_async_queue_timeout_pop(order.got, 20 * G_USEC_PER_SEC);
    fail_unless(one != nullptr, "no gap was told");
    const auto kind = static_cast<GstEventType>(GPOINTER_TO_INT(one));
    caps = caps || kind == GST_EVENT_CAPS;
    if (kind != GST_EVENT_GAP) continue;
    fail_unless(caps, "the gap came before the form of the sound");
    break;
  }
}
GST_END_TEST

/// Coded sound of a camera tells when it is heard, but not for how long.
GST_START_TEST(silence_follows_sound_without_durations) {
  SoundOrder order;
  Feed feed(OutputNeeds{});
  const auto end = order.child(order.output.get(), "end");
  const GstRef<GstPad> last(gst_element_get_static_pad(end.get(), "sink"));
  GAsyncQueue* times = g_async_queue_new();
  gst_pad_add_probe(
      last.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo* info, gpointer queue) {
        // Null would be nothing.
        g_async_queue_push(static_cast<GAsyncQueue*>(queue),
                           GSIZE_TO_POINTER(GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)) + 1));
        return GST_PAD_PROBE_OK;
      },
      times, nullptr);
  const auto pads = order.connect(feed);
  GstPad *const in = pads.first.get(), *const sound_in = pads.second.get();
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  for (const auto& [pad, form] :
       {std::pair(in, "video/x-h264"),
        std::pair(sound_in,
                  "audio/mpeg,mpegversion=4,stream-format=raw,rate=48000,channels=2,"
                  "codec_data=(buffer)1190")}) {
    gst_pad_send_event(pad, gst_event_new_stream_start(form));
    gst_pad_send_event(pad, gst_event_new_caps(CapsRef(gst_caps_from_string(form)).get()));
    gst_pad_send_event(pad, gst_event_new_segment(&segment));
  }
  constexpr GstClockTime packet = GST_SECOND * 1024 / 48000;
  const auto send = [](GstPad* pad, GstClockTime time) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 16, nullptr);
    GST_BUFFER_PTS(buffer) = time;
    fail_unless_equals_int(gst_pad_chain(pad, buffer), GST_FLOW_OK);
  };
  send(in, 0);
  for (GstClockTime i = 0; i < 10; ++i) send(sound_in, i * packet);
  for (GstClockTime i = 1; i < 20; ++i) send(in, i * 100 * GST_MSECOND);
  // It comes again after more than a second, and the silence ends there.
  send(sound_in, 100 * packet);
  for (GstClockTime i = 0; i <= 100; ++i) {
    const gpointer one = g_async_queue_timeout_pop(times, 20 * G_USEC_PER_SEC);
    fail_unless(one != nullptr, "there are only %d packets", static_cast<int>(i));
    const auto off = GST_CLOCK_DIFF(i * packet, GPOINTER_TO_SIZE(one) - 1);
    fail_unless(std::abs(off) < 1000, "packet %d is late by %d ns", static_cast<int>(i),
                static_cast<int>(off));
  }
  for (const auto& one : {order.output.get(), order.input.get()})
    gst_element_set_state(one, GST_STATE_NULL);
  g_async_queue_unref(times);
}
GST_END_TEST

namespace {

sockaddr_in address_at(const char* host, uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

Descriptor tcp() { return Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

/// A connection to a server that reads nothing.
struct Stuck {
  Stuck(const char* host, uint16_t* port) : listener(tcp()), client(tcp()) {
    sockaddr_in address = address_at(host, *port);
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    fail_unless(bind(listener.get(), plain, size) == 0 && listen(listener.get(), 4) == 0);
    getsockname(listener.get(), plain, &size);
    *port = ntohs(address.sin_port);
    connect_to(host, *port, client);
    server = Descriptor(accept(listener.get(), nullptr, nullptr));
  }
  static void connect_to(const char* host, uint16_t port, const Descriptor& from) {
    sockaddr_in address = address_at(host, port);
    fail_unless(connect(from.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  void fill() {
    const std::vector<char> bytes(1 << 16);
    while (send(client.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) {
    }
  }
  Descriptor listener, client, server;
};

int send_buffer(const Descriptor& one) {
  int bytes = 0;
  socklen_t size = sizeof bytes;
  getsockopt(one.get(), SOL_SOCKET, SO_SNDBUF, &bytes, &size);
  return bytes;
}

}  // namespace

GST_START_TEST(connections_to_one_server_are_found) {
  // Two services may well have the same port.
  uint16_t port = 0;
  Stuck other("127.0.0.1", &port), ours("127.0.0.2", &port);
  ServerConnections server("127.0.0.2", port), nobody("127.0.0.3", port);
  fail_unless(server.find());
  const int usual = send_buffer(other.client);
  fail_unless(server.limit_send_buffers(20'000));
  fail_unless(!nobody.limit_send_buffers(20'000));
  fail_unless_equals_int(send_buffer(other.client), usual);
  fail_unless_equals_int(send_buffer(ours.client), 40'000);  // Linux counts twice

  // All that waits is dropped with the last descriptor, and the server learns it at once.
  fail_unless(server.unsent({}).empty());
  ours.fill();
  other.fill();
  std::vector<Descriptor> left = server.unsent({});
  fail_unless_equals_int(left.size(), 1);
  ours.client = Descriptor();
  fail_unless(server.unsent(left).empty());
  fail_unless(!server.has_other_than(left));
  const Descriptor again = tcp();
  Stuck::connect_to("127.0.0.2", port, again);
  fail_unless(server.has_other_than(left));
  const auto ended = [&] {
    pollfd one = {ours.server.get(), 0, 0};
    poll(&one, 1, 0);
    return (one.revents & POLLERR) != 0;
  };
  fail_unless(!ended());
  left.clear();
  fail_unless(ended());

  // A name has addresses after a while.
  ServerConnections named("localhost", port);
  const auto wait_for = [](auto condition) {
    const int64_t end = g_get_monotonic_time() + 60 * second;
    while (!condition()) {
      fail_unless(g_get_monotonic_time() < end);
      g_thread_yield();
    }
  };
  wait_for([&] { return named.find(); });
  fail_unless_equals_int(named.unsent({}).size(), 1);

  // Whether there is somebody at all. An attempt takes a second at most.
  wait_for([&] { return named.can_connect(); });
  wait_for([&] { return server.can_connect(); });
  const int64_t looked = g_get_monotonic_time();
  while (g_get_monotonic_time() < looked + second / 5) fail_unless(!nobody.can_connect());
}
GST_END_TEST

static Suite* live_parts_suite() {
  Suite* suite = suite_create("live_parts");
  TCase* all = tcase_create("all");
  suite_add_tcase(suite, all);
  tcase_add_test(all, targets_are_read);
  tcase_add_test(all, wrong_targets_are_explained);
  tcase_add_test(all, a_file_system_without_blocks_is_not_full);
  tcase_add_test(all, purposes_follow_the_target);
  tcase_add_test(all, pauses_grow_and_start_again);
  tcase_add_test(all, a_slow_processor_gets_smaller_pictures);
  tcase_add_test(all, the_size_comes_back);
  tcase_add_test(all, a_size_that_is_too_much_is_not_tried_all_the_time);
  tcase_add_test(all, a_slow_network_gets_fewer_bits);
  tcase_add_test(all, an_easy_picture_is_eased_from_what_it_needs);
  tcase_add_test(all, the_mark_stands_before_the_slices);
  tcase_add_test(all, pictures_that_come_too_late_are_left_out);
  tcase_add_test(all, a_source_that_fails_is_explained);
  tcase_add_test(all, parts_have_names);
  tcase_add_test(all, encoders_are_chosen);
  tcase_add_test(all, the_debug_log_is_limited);
  tcase_add_test(all, a_gap_comes_after_the_form_of_the_sound);
  tcase_add_test(all, silence_follows_sound_without_durations);
  tcase_add_test(all, connections_to_one_server_are_found);
  return suite;
}

GST_CHECK_MAIN(live_parts)
