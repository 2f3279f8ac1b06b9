// SPDX-License-Identifier: LGPL-2.1-or-later
// spherelivesink with outputs that keep what they get: raw and coded pictures, sound with and
// without consent, failures, ends and restarts.

#include <cmath>

#include <glib/gstdio.h>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/iterator.h"
#include "tests/check/live_outputs.h"

using namespace sphere;
using namespace sphere::live;
using namespace sphere::test;

namespace {

constexpr const char* pictures =
    "spheretestsrc is-live=true output=equirect ! video/x-raw,width=320,framerate=15/1 ! ";
constexpr const char* tone = "audiotestsrc is-live=true samplesperbuffer=480 ! sink.audio ";
constexpr const char* given = "consent/audio,state=(string)given,purpose=(string)live";

std::string text_of(GstMessage* message) {
  g_autoptr(GError) error = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
    gst_message_parse_error(message, &error, nullptr);
  else
    gst_message_parse_warning(message, &error, nullptr);
  return error->message;
}

/// A pipeline with a sink named `sink`.
class Line {
 public:
  explicit Line(const std::string& line) {
    g_autoptr(GError) error = nullptr;
    pipeline_.reset(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(line.c_str(), &error))));
    fail_unless(!error, "%s: %s", line.c_str(), error ? error->message : "");
    sink_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "sink"));
    bus_.reset(gst_element_get_bus(pipeline_.get()));
  }
  ~Line() {
    for (auto& [number, one] : recorders()) one->set_blocking(false);
    stop();
  }
  void play() { gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING); }
  void pause() { gst_element_set_state(pipeline_.get(), GST_STATE_PAUSED); }
  void stop() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
  void end() { gst_element_send_event(pipeline_.get(), gst_event_new_eos()); }
  GstElement* sink() { return sink_.get(); }
  GstElement* pipeline() { return pipeline_.get(); }
  /// The next message of these kinds, within a minute.
  MessageRef message(GstMessageType types, GstClockTime wait = 60 * GST_SECOND) {
    return MessageRef(gst_bus_timed_pop_filtered(bus_.get(), wait, types));
  }
  /// Waits until the condition holds, or an error comes.
  template <typename Function>
  bool until(Function condition) {
    const int64_t end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (!condition()) {
      if (g_get_monotonic_time() > end) return false;
      if (const MessageRef error = message(GST_MESSAGE_ERROR, 10 * GST_MSECOND)) {
        g_printerr("%s\n", text_of(error.get()).c_str());
        return false;
      }
    }
    return true;
  }
  std::string state() {
    GstStructure* stats = nullptr;
    g_object_get(sink_.get(), "stats", &stats, nullptr);
    const std::string state = gst_structure_get_string(stats, "state");
    gst_structure_free(stats);
    return state;
  }
  GstClockTime latency() {
    GstStructure* stats = nullptr;
    g_object_get(sink_.get(), "stats", &stats, nullptr);
    guint64 latency = GST_CLOCK_TIME_NONE;
    gst_structure_get_uint64(stats, "latency", &latency);
    gst_structure_free(stats);
    return latency;
  }

 private:
  GstRef<GstElement> pipeline_, sink_;
  GstRef<GstBus> bus_;
};

size_t heard(uint16_t number) {
  const std::lock_guard lock(recorder(number).mutex);
  const auto& got = recorder(number).audio;
  return static_cast<size_t>(
      std::count_if(got.begin(), got.end(), [](const Got& one) { return !one.silent; }));
}

}  // namespace

GST_START_TEST(raw_pictures_are_encoded) {
  recorded(1);
  recorder(1).keeps_bytes = true;
  Line line(std::string(pictures) + "spherelivesink name=sink uri=web:1");
  for (int round = 0; round < 3; ++round) {
    const size_t before = recorder(1).pictures();
    line.play();
    fail_unless(line.until([before] { return recorder(1).pictures() > before + 10; }));
    fail_unless(line.until([&line] { return line.state() == "running"; }));
    if (round < 2) line.stop();
  }
  line.end();
  const MessageRef end =
      line.message(static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  fail_unless(end && GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS);
  fail_unless_equals_int(recorder(1).complete, 1);
  fail_unless_equals_int(recorder(1).closed, 3);
  const auto& first = recorder(1).video[0];
  fail_unless(first.key);
  const std::string_view mark("\x00\x00\x01\x06\x96\x01\x44", 7);
  fail_unless(contains(first.bytes, mark));
}
GST_END_TEST

GST_START_TEST(a_pause_is_no_latency) {
  recorded(1);
  Line line(std::string(pictures) + "spherelivesink name=sink uri=web:1");
  line.play();
  fail_unless(line.until([&line] { return line.state() == "running"; }));
  line.pause();
  fail_if(line.message(GST_MESSAGE_ERROR, 3 * GST_SECOND));
  line.play();
  const size_t before = recorder(1).pictures();
  fail_unless(line.until([before] { return recorder(1).pictures() > before + 10; }));
  fail_unless(line.latency() < 2 * GST_SECOND, "%g s",
              static_cast<double>(line.latency()) / GST_SECOND);
}
GST_END_TEST

GST_START_TEST(coded_pictures_are_marked_and_passed) {
  for (const char* spherical : {"true", "false"}) {
    recorded(1);
    recorder(1).keeps_bytes = true;
    Line line(
        std::string(pictures) +
        "x264enc tune=zerolatency key-int-max=15 ! video/x-h264,profile=main ! spherelivesink "
        "name=sink uri=web:1 spherical=" +
        spherical);
    line.play();
    fail_unless(line.until([] { return recorder(1).pictures() > 10; }));
    const std::lock_guard lock(recorder(1).mutex);
    const auto& first = recorder(1).video[0];
    const std::string_view mark("\x06\x96\x01\x44"), name("x264");
    fail_unless(contains(first.bytes, mark) == (spherical == std::string("true")));
    fail_if(contains(first.bytes, name), "the name of the encoder leaves");
  }
}
GST_END_TEST

GST_START_TEST(files_are_sent_as_fast_as_they_were_taken) {
  recorded(1);
  // Three seconds of pictures, which are there at once.
  Line line(
      "spheretestsrc num-buffers=45 output=equirect ! video/x-raw,width=320,framerate=15/1 ! "
      "spherelivesink name=sink uri=web:1");
  const int64_t begin = g_get_monotonic_time();
  line.play();
  const MessageRef end =
      line.message(static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  fail_unless(end && GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS);
  fail_unless(g_get_monotonic_time() - begin > 2'500'000);
  // Those from before the output was open are not lost. On a busy machine, the encoder has no time
  // for some.
  fail_unless(recorder(1).pictures() >= 30, "%zu", recorder(1).pictures());
  fail_unless(recorder(1).video.front().time < GST_SECOND / 3);
  fail_unless_equals_int(recorder(1).complete, 1);
}
GST_END_TEST

/// The first pictures are to be decoded before the time 0.
GST_START_TEST(coded_files_in_another_order_arrive_whole) {
  recorded(1);
  Line line(
      "videotestsrc num-buffers=45 ! video/x-raw,width=320,height=160,framerate=15/1 ! x264enc "
      "bframes=2 b-adapt=false key-int-max=1000 ! h264parse ! spherelivesink name=sink uri=web:1");
  line.play();
  const MessageRef end =
      line.message(static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  fail_unless(end && GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS);
  const std::lock_guard lock(recorder(1).mutex);
  const auto& video = recorder(1).video;
  fail_unless_equals_int(video.size(), 45);
  bool is_other_order = false;
  for (size_t i = 0; i < video.size(); ++i) {
    fail_unless(video[i].decode_time <= video[i].time, "picture %zu", i);
    fail_if(i > 0 && video[i].decode_time <= video[i - 1].decode_time, "picture %zu", i);
    is_other_order |= i > 0 && video[i].time < video[i - 1].time;
  }
  fail_unless(is_other_order);
}
GST_END_TEST

/// The buffers of a track of a film: when each is to be shown or heard, and its size.
std::vector<std::pair<int64_t, size_t>> buffers_of_track(const std::string& file,
                                                         const char* track) {
  const std::string words = "filesrc location=" + file + " ! " +
                            (file.ends_with(".mkv") ? "matroskademux" : "qtdemux") +
                            " name=film film." + track + " ! appsink name=track sync=false";
  Line line(words);
  const GstRef<GstElement> sink(gst_bin_get_by_name(GST_BIN(line.pipeline()), "track"));
  line.play();
  std::vector<std::pair<int64_t, size_t>> found;
  while (GstSample* sample = gst_app_sink_pull_sample(GST_APP_SINK(sink.get()))) {
    GstBuffer* buffer = gst_sample_get_buffer(sample);
    const guint64 time = gst_segment_to_running_time(gst_sample_get_segment(sample),
                                                     GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    found.emplace_back(static_cast<int64_t>(time), gst_buffer_get_size(buffer));
    gst_sample_unref(sample);
  }
  fail_unless(!found.empty(), "%s: no %s", file.c_str(), track);
  return found;
}

/// In fragmented MP4, mp4mux begins each track at 0, whenever it comes.
GST_START_TEST(sound_is_as_late_in_a_file_as_it_was) {
  const std::string folder = GString_(g_dir_make_tmp("sphere-XXXXXX", nullptr)).get();
  const std::string file = folder + "/film.mp4";
  struct {
    int late_ms, reordered;
  } const cases[] = {{300, 0}, {0, 2}, {200, 2}, {800, 0}};
  for (const auto& [late_ms, reordered] : cases) {
    Line line(
        "videotestsrc num-buffers=30 ! video/x-raw,width=320,height=160,framerate=30/1 ! x264enc "
        "b-adapt=false key-int-max=1000 bframes=" +
        std::to_string(reordered) +
        " ! h264parse ! queue ! sink.video audiotestsrc num-buffers=40 timestamp-offset=" +
        std::to_string(late_ms * GST_MSECOND) +
        " ! avenc_aac ! queue ! sink.audio spherelivesink name=sink uri=file:" + file +
        " consent=consent/audio,state=(string)given,purpose=(string)record");
    line.play();
    const MessageRef end =
        line.message(static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    fail_unless(end && GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS);
    line.stop();
    // A silent frame has 4 to 10 bytes. There is some before sound that is very late.
    const auto sounds = buffers_of_track(file, "audio_0");
    const auto heard =
        std::find_if(sounds.begin(), sounds.end(), [](const auto& one) { return one.second > 50; });
    fail_unless(heard != sounds.end());
    fail_unless(heard == sounds.begin() || late_ms > 600, "%d ms, order %d: it begins silent",
                late_ms, reordered);
    const int64_t pictures = buffers_of_track(file, "video_0").front().first;
    const double late = static_cast<double>(heard->first - pictures) / GST_MSECOND;
    // A frame of sound lasts 23 ms.
    fail_unless(std::abs(late - late_ms) < 12, "%d ms, order %d: %g", late_ms, reordered, late);
    g_unlink(file.c_str());
  }
  g_rmdir(folder.c_str());
}
GST_END_TEST

/// Muxers wait for what they were promised.
GST_START_TEST(pictures_do_not_wait_for_sound) {
  const std::string folder = GString_(g_dir_make_tmp("sphere-XXXXXX", nullptr)).get();
  const std::string files[] = {folder + "/film.mp4", folder + "/film.mkv"};
  struct {
    const char *words, *sound;
  } const cases[] = {{"no sound", "appsrc is-live=true format=time"},
                     {"half a second of sound", "audiotestsrc num-buffers=20"},
                     {"sound that ends before it begins", "audiotestsrc num-buffers=0"}};
  for (const auto& [words, sound] : cases) {
    std::string words_of_line =
        "videotestsrc num-buffers=45 ! video/x-raw,width=320,height=160,framerate=15/1 ! x264enc "
        "tune=zerolatency key-int-max=15 ! h264parse ! tee name=pictures " +
        std::string(sound) + " ! tee name=sounds ";
    for (int i = 0; i < 2; ++i) {
      const std::string name = i == 0 ? "sink" : "other";
      words_of_line += " pictures. ! queue ! " + name + ".video sounds. ! queue ! " + name +
                       ".audio spherelivesink name=" + name + " uri=file:" + files[i] +
                       " consent=consent/audio,state=(string)given,purpose=(string)record";
    }
    Line line(words_of_line);
    line.play();
    const MessageRef end =
        line.message(static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    fail_unless(end && GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS, "%s: %s", words,
                end ? text_of(end.get()).c_str() : "no end");
    line.stop();
    for (const std::string& file : files) {
      fail_unless_equals_int(buffers_of_track(file, "video_0").size(), 45);
      // It goes on to the end, without gaps.
      int64_t before = 0;
      for (const auto& [time, size] : buffers_of_track(file, "audio_0")) {
        fail_unless(time - before < 50 * 1000 * 1000, "%s, %s: a gap to %g s", file.c_str(), words,
                    static_cast<double>(time) / GST_SECOND);
        before = time;
      }
      fail_unless(before > 2'800'000'000, "%s, %s: the sound ends early", file.c_str(), words);
      g_unlink(file.c_str());
    }
  }
  g_rmdir(folder.c_str());
}
GST_END_TEST

/// Sound of a part that began a little before it, or ended after it, was in another one.
GST_START_TEST(each_part_of_a_file_has_its_own_sound) {
  const std::string folder = GString_(g_dir_make_tmp("sphere-XXXXXX", nullptr)).get();
  Line line(
      "videotestsrc num-buffers=90 ! video/x-raw,width=320,height=160,framerate=15/1 ! x264enc "
      "tune=zerolatency key-int-max=15 ! h264parse ! queue ! sink.video audiotestsrc "
      "num-buffers=282 samplesperbuffer=1024 ! audio/x-raw,rate=48000 ! avenc_aac ! queue ! "
      "sink.audio spherelivesink name=sink uri=file:" +
      folder +
      "/film.mp4?segment=1 consent=consent/audio,state=(string)given,purpose=(string)record");
  line.play();
  const MessageRef end =
      line.message(static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  fail_unless(end && GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS);
  line.stop();
  size_t shown = 0, sounds = 0;
  for (int i = 1; shown < 90; ++i) {
    const std::string file = folder + "/film-00" + std::to_string(i) + ".mp4";
    const auto film = buffers_of_track(file, "video_0"), sound = buffers_of_track(file, "audio_0");
    shown += film.size();
    sounds += sound.size();
    // A buffer lasts 21 ms, a picture 67.
    fail_unless(sound.front().first < 22'000'000, "part %d: sound from %g s", i,
                static_cast<double>(sound.front().first) / GST_SECOND);
    const int64_t longer = sound.back().first - film.back().first;
    fail_unless(longer > -22'000'000 && longer < 67'000'000,
                "part %d: sound to %g s, pictures to %g s", i,
                static_cast<double>(sound.back().first) / GST_SECOND,
                static_cast<double>(film.back().first) / GST_SECOND);
    for (size_t k = 1; k < sound.size(); ++k)
      fail_unless(sound[k].first > sound[k - 1].first, "part %d: the sound goes back", i);
    g_unlink(file.c_str());
  }
  fail_unless_equals_int(shown, 90);
  // All but the last moments.
  fail_unless(sounds >= 275, "%zu", sounds);
  g_rmdir(folder.c_str());
}
GST_END_TEST

GST_START_TEST(a_stream_may_end_before_it_begins) {
  recorded(1);
  Line line("appsrc name=nothing is-live=true format=time ! sink.video " + std::string(tone) +
            "spherelivesink name=sink uri=web:1");
  line.play();
  const GstRef<GstElement> nothing(gst_bin_get_by_name(GST_BIN(line.pipeline()), "nothing"));
  gst_app_src_end_of_stream(GST_APP_SRC(nothing.get()));
  fail_unless(line.message(GST_MESSAGE_EOS) != nullptr);
}
GST_END_TEST

/// What demuxers send of a track that begins later.
GST_START_TEST(coded_pictures_may_begin_after_a_gap) {
  const std::string folder = GString_(g_dir_make_tmp("sphere-XXXXXX", nullptr)).get();
  const std::string file = folder + "/film.mp4";
  Line line(
      "videotestsrc num-buffers=15 ! video/x-raw,width=320,height=160,framerate=15/1 ! x264enc "
      "tune=zerolatency ! h264parse ! video/x-h264,stream-format=avc ! identity name=track ! "
      "spherelivesink name=sink uri=file:" +
      file);
  const GstRef<GstElement> track(gst_bin_get_by_name(GST_BIN(line.pipeline()), "track"));
  const GstRef<GstPad> pad(gst_element_get_static_pad(track.get(), "src"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad* of, GstPadProbeInfo*, gpointer) {
        gst_pad_push_event(of, gst_event_new_gap(0, GST_MSECOND));
        return GST_PAD_PROBE_REMOVE;
      },
      nullptr, nullptr);
  line.play();
  const MessageRef end =
      line.message(static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  fail_unless(end && GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS);
  line.stop();
  fail_unless_equals_int(buffers_of_track(file, "video_0").size(), 15);
  g_unlink(file.c_str());
  g_rmdir(folder.c_str());
}
GST_END_TEST

/// The time of an output goes on; with another sink, the pipeline's begins anew.
GST_START_TEST(a_seek_goes_on_in_the_output) {
  for (const char* other : {"", "t. ! queue ! fakesink sync=true"}) {
    recorded(1);
    recorder(1).needs.audio = AudioForm::raw;
    Line line(
        "videotestsrc ! video/x-raw,width=320,height=160,framerate=15/1 ! tee name=t t. ! queue ! "
        "sink.video audiotestsrc ! queue ! sink.audio spherelivesink name=sink uri=web:1 "
        "consent=\"" +
        std::string(given) + "\" " + other);
    line.play();
    fail_unless(line.until([] { return recorder(1).pictures() >= 12; }));
    const size_t sent = recorder(1).pictures();
    fail_unless(gst_element_seek_simple(line.pipeline(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0));
    fail_unless(line.until([sent] { return recorder(1).pictures() >= sent + 45; }));
    const std::lock_guard lock(recorder(1).mutex);
    for (const auto* track : {&recorder(1).video, &recorder(1).audio})
      for (size_t i = 1; i < track->size(); ++i) {
        const auto step = GST_CLOCK_DIFF((*track)[i - 1].time, (*track)[i].time);
        // A busy machine leaves out some pictures.
        fail_unless(step > 0 && step < 1'000'000'000, "%s: buffer %zu of %zu after %g s", other, i,
                    track->size(), static_cast<double>(step) / GST_SECOND);
      }
    const auto& video = recorder(1).video;
    // 2.7 s of pictures, of which the first ones may be late.
    const int64_t taken = video[sent + 44].at - video[sent + 4].at;
    fail_unless(taken > 1'400'000, "%s: 40 pictures came in %" G_GINT64_FORMAT " us", other, taken);
  }
}
GST_END_TEST

/// A file waits in the sink until the pipeline plays.
GST_START_TEST(pads_that_hold_a_file_are_released) {
  recorded(1);
  Line line(
      "spheretestsrc output=equirect ! video/x-raw,width=320 ! identity name=before ! "
      "spherelivesink name=sink uri=web:1");
  line.pause();
  const GstRef<GstElement> before(gst_bin_get_by_name(GST_BIN(line.pipeline()), "before"));
  const GstRef<GstPad> out(gst_element_get_static_pad(before.get(), "src")),
      pad(gst_pad_get_peer(out.get()));
  const auto holds = [&line] {
    for (const auto& element :
         objects_of<GstElement>(gst_bin_iterate_elements(GST_BIN(line.sink())))) {
      const GstRef<GstPad> sink(gst_element_get_static_pad(element.get(), "sink"));
      if (sink && gst_pad_is_blocking(sink.get())) return true;
    }
    return false;
  };
  fail_unless(line.until(holds));
  gst_pad_unlink(out.get(), pad.get());
  gst_element_release_request_pad(line.sink(), pad.get());
}
GST_END_TEST

GST_START_TEST(pads_come_and_go_while_it_plays) {
  recorded(1);
  recorder(1).needs.audio = AudioForm::aac;
  Line line(std::string(pictures) +
            "tee name=pictures pictures. ! queue ! sink.video pictures. ! queue ! fakesink "
            "audiotestsrc is-live=true samplesperbuffer=480 ! tee name=sounds sounds. ! queue ! "
            "sink.audio sounds. ! queue ! fakesink spherelivesink name=sink uri=web:1 consent=\"" +
            given + "\"");
  line.play();
  // Sound of which 50 bytes or fewer are a packet would be silent.
  recorder(1).keeps_bytes = true;
  const auto counts = [] {
    const std::lock_guard lock(recorder(1).mutex);
    const auto loud = std::count_if(recorder(1).audio.begin(), recorder(1).audio.end(),
                                    [](const Got& one) { return one.bytes.size() > 50; });
    return std::pair(recorder(1).video.size(), static_cast<size_t>(loud));
  };
  for (const char* name : {"audio", "video"}) {
    const auto before = counts();
    fail_unless(line.until([&] {
      return counts().first > before.first + 10 && counts().second > before.second + 20;
    }));
    GstPad* pad = gst_element_get_static_pad(line.sink(), name);
    const GstRef<GstPad> peer(gst_pad_get_peer(pad));
    gst_pad_unlink(peer.get(), pad);
    gst_element_release_request_pad(line.sink(), pad);
    gst_object_unref(pad);
    const GstRef<GstPad> again(gst_element_request_pad_simple(line.sink(), name));
    fail_unless(again != nullptr);
    fail_unless_equals_int(gst_pad_link(peer.get(), again.get()), GST_PAD_LINK_OK);
  }
  const auto before = counts();
  fail_unless(line.until(
      [&] { return counts().first > before.first + 10 && counts().second > before.second + 20; }));
}
GST_END_TEST

/// What a muxer still had is missing in the file then.
GST_START_TEST(an_error_at_the_end_of_a_file_is_told) {
  for (const bool file : {true, false}) {
    recorded(1);
    recorder(1).needs.gapless = file;
    Line line(std::string(pictures) + "spherelivesink name=sink uri=web:1");
    line.play();
    fail_unless(line.until([&line] { return line.state() == "running"; }));
    {
      const std::lock_guard lock(recorder(1).mutex);
      const GstRef<GstElement> end(gst_bin_get_by_name(GST_BIN(recorder(1).element), "video"));
      const GstRef<GstPad> pad(gst_element_get_static_pad(end.get(), "sink"));
      gst_pad_add_probe(
          pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
          [](GstPad* of, GstPadProbeInfo* info, gpointer) {
            if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS)
              GST_ELEMENT_ERROR(GST_PAD_PARENT(of), RESOURCE, WRITE, ("it can't be written"),
                                (nullptr));
            return GST_PAD_PROBE_OK;
          },
          nullptr, nullptr);
    }
    line.end();
    const MessageRef end =
        line.message(static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    fail_unless(end && GST_MESSAGE_TYPE(end.get()) == (file ? GST_MESSAGE_ERROR : GST_MESSAGE_EOS));
    if (file) fail_unless(text_of(end.get()).find("can't be written") != std::string::npos);
  }
}
GST_END_TEST

GST_START_TEST(sound_needs_consent) {
  recorded(1);
  recorder(1).needs.audio = AudioForm::raw;
  const std::string words =
      std::string(tone) + pictures + "sink.video spherelivesink name=sink uri=web:1 ";
  {
    Line line(words);
    line.play();
    fail_unless(line.until([] { return recorder(1).pictures() > 10; }));
    fail_if(recorder(1).opened[0].audio);
  }
  Line line(words + "consent=\"" + given + "\"");
  line.play();
  fail_unless(line.until([] { return heard(1) > 20; }));
  const CapsRef nothing(gst_caps_new_empty());
  g_object_set(line.sink(), "consent", nothing.get(), nullptr);
  const int64_t withdrawn = g_get_monotonic_time();
  fail_unless(line.until([withdrawn] {
    const std::lock_guard lock(recorder(1).mutex);
    return recorder(1).audio.back().at > withdrawn + 500'000;
  }));
  const std::lock_guard lock(recorder(1).mutex);
  for (const Got& one : recorder(1).audio)
    fail_if(!one.silent && is_taken_after(withdrawn, one, recorder(1).audio));
}
GST_END_TEST

// The same by a context that an application sets.
GST_START_TEST(an_application_gives_and_takes_sound) {
  recorded(1);
  recorder(1).needs.audio = AudioForm::raw;
  Line line(std::string(tone) + pictures + "sink.video spherelivesink name=sink uri=web:1");
  const CapsRef caps(gst_caps_from_string(given));
  GstContext* context = gst_context_new("gst.sphere.consent", TRUE);
  gst_structure_set(gst_context_writable_structure(context), "caps", GST_TYPE_CAPS, caps.get(),
                    nullptr);
  gst_element_set_context(line.sink(), context);
  gst_context_unref(context);
  line.play();
  fail_unless(line.until([] { return heard(1) > 20; }));
}
GST_END_TEST

GST_START_TEST(a_target_that_fails_is_told_and_stops_nothing) {
  recorded(1);
  recorder(1).refuses = true;
  recorded(2);
  Line line(
      std::string(pictures) +
      "tee name=t t. ! queue ! spherelivesink name=sink uri=web:1 t. ! queue ! spherelivesink "
      "uri=web:2");
  line.play();
  const MessageRef warning =
      line.message(static_cast<GstMessageType>(GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
  fail_unless(warning && GST_MESSAGE_TYPE(warning.get()) == GST_MESSAGE_WARNING);
  fail_unless(text_of(warning.get()).find("it is refused") != std::string::npos);
  fail_unless(line.until([] { return recorder(2).pictures() > 30; }));
  fail_unless(line.until([] {
    const std::lock_guard lock(recorder(1).mutex);
    return recorder(1).opened.size() > 2;
  }));
  fail_if(line.message(GST_MESSAGE_WARNING, 0), "each attempt is told");
}
GST_END_TEST

GST_START_TEST(a_stream_that_sends_nothing_is_an_error) {
  const auto said = [](Line& line) {
    line.play();
    const MessageRef end =
        line.message(static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    fail_unless(end && GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_ERROR);
    return text_of(end.get());
  };
  recorded(1);
  Line sound("audiotestsrc num-buffers=5 ! sink.audio spherelivesink name=sink uri=web:1");
  fail_unless(said(sound).find("'video'") != std::string::npos);
  Line odd(
      "videotestsrc num-buffers=5 ! video/x-raw,width=321,height=161 ! "
      "spherelivesink name=sink uri=web:1");
  fail_unless(said(odd).find("321x161") != std::string::npos);
  // The only key frame of a live source comes before the output is open, and it makes no other one.
  std::mutex mutex;
  std::condition_variable came;
  int pictures_seen = 0;
  const auto see = [&] {
    const std::lock_guard lock(mutex);
    ++pictures_seen;
    came.notify_all();
  };
  recorder(1).before_open = [&] {
    std::unique_lock lock(mutex);
    came.wait_for(lock, std::chrono::minutes(1), [&] { return pictures_seen > 3; });
  };
  Line late(
      "videotestsrc is-live=true num-buffers=30 ! video/x-raw,width=320,height=160 ! x264enc "
      "tune=zerolatency "
      "key-int-max=1000 ! h264parse ! spherelivesink name=sink uri=web:1");
  const GstRef<GstPad> pad(gst_element_get_static_pad(late.sink(), "video"));
  gst_pad_add_probe(
      pad.get(),
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_EVENT_UPSTREAM | GST_PAD_PROBE_TYPE_BUFFER),
      [](GstPad*, GstPadProbeInfo* info, gpointer seen) {
        if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_UPSTREAM)
          return GST_PAD_PROBE_DROP;
        (*static_cast<decltype(see)*>(seen))();
        return GST_PAD_PROBE_OK;
      },
      const_cast<void*>(static_cast<const void*>(&see)), nullptr);
  const std::string nothing = said(late);
  fail_unless(nothing.find("nothing was sent") != std::string::npos, "%s", nothing.c_str());
}
GST_END_TEST

GST_START_TEST(wrong_settings_are_errors) {
  const std::pair<const char*, const char*> cases[] = {{"", "set 'uri'"},
                                                       {"uri=ftp://x", "ftp"},
                                                       {"uri=file:x.avi", ".mp4"},
                                                       {"uri=rtmp://host/app", "stream key"}};
  for (const auto& [words, part] : cases) {
    Line line(std::string(pictures) + "spherelivesink name=sink " + words);
    line.play();
    const MessageRef error = line.message(GST_MESSAGE_ERROR);
    fail_unless(error && text_of(error.get()).find(part) != std::string::npos, "%s: %s", words,
                error ? text_of(error.get()).c_str() : "no error");
  }
  g_autofree char* path = nullptr;
  const int file = g_file_open_tmp("sphere-XXXXXX.mp4", &path, nullptr);
  fail_unless(file >= 0 && g_close(file, nullptr));
  Line line(std::string(pictures) + "spherelivesink name=sink uri=file:" + path);
  line.play();
  const MessageRef refused = line.message(GST_MESSAGE_ERROR);
  fail_unless(refused && text_of(refused.get()).find("exists") != std::string::npos);
  g_autoptr(GError) error = nullptr;
  gst_message_parse_error(refused.get(), &error, nullptr);
  fail_unless(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE));
  g_unlink(path);

  GstElement* sink = gst_element_factory_make("spherelivesink", nullptr);
  g_object_set(sink, "uri", "rtmp://host/app/secretkey", nullptr);
  g_autofree char* shown = nullptr;
  g_object_get(sink, "uri", &shown, nullptr);
  fail_unless(shown && std::string(shown).find("secretkey") == std::string::npos);
  gst_object_unref(gst_object_ref_sink(sink));
}
GST_END_TEST

static Suite* spherelivesink_suite() {
  Suite* suite = suite_create("spherelivesink");
  TCase* all = tcase_create("all");
  suite_add_tcase(suite, all);
  tcase_add_test(all, raw_pictures_are_encoded);
  tcase_add_test(all, a_pause_is_no_latency);
  tcase_add_test(all, coded_pictures_are_marked_and_passed);
  tcase_add_test(all, files_are_sent_as_fast_as_they_were_taken);
  tcase_add_test(all, coded_files_in_another_order_arrive_whole);
  tcase_add_test(all, sound_is_as_late_in_a_file_as_it_was);
  tcase_add_test(all, pictures_do_not_wait_for_sound);
  tcase_add_test(all, each_part_of_a_file_has_its_own_sound);
  tcase_add_test(all, a_stream_may_end_before_it_begins);
  tcase_add_test(all, coded_pictures_may_begin_after_a_gap);
  tcase_add_test(all, a_seek_goes_on_in_the_output);
  tcase_add_test(all, pads_that_hold_a_file_are_released);
  tcase_add_test(all, pads_come_and_go_while_it_plays);
  tcase_add_test(all, an_error_at_the_end_of_a_file_is_told);
  tcase_add_test(all, sound_needs_consent);
  tcase_add_test(all, an_application_gives_and_takes_sound);
  tcase_add_test(all, a_target_that_fails_is_told_and_stops_nothing);
  tcase_add_test(all, a_stream_that_sends_nothing_is_an_error);
  tcase_add_test(all, wrong_settings_are_errors);
  return suite;
}

GST_CHECK_MAIN(spherelivesink)
