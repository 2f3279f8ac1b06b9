// SPDX-License-Identifier: LGPL-2.1-or-later
// The live session with outputs that fail, block, ask for little, or may not have sound.

// The standard library comes first: check defines `fail` as a macro.
#include <chrono>
#include <ctime>
#include <thread>

#include "tests/check/live_outputs.h"
#include "tests/check/side_by_side.h"
#include "tests/check/stopwatch.h"

#include "ledger.h"

using namespace sphere;
using namespace sphere::live;
using namespace sphere::test;

namespace {

constexpr GstClockTime picture = GST_SECOND / 15;

double in_seconds(GstClockTime time) { return static_cast<double>(time) / GST_SECOND; }

SessionTarget with_sound(uint16_t number, const std::string& host, const LedgerFolder& place) {
  SessionTarget target = recorded(number, host);
  recorder(number).needs.audio = AudioForm::raw;
  target.consent.ledger = place.path();
  return target;
}

std::vector<Got> copy_of(std::vector<Got> Recorder::*member, Recorder& from) {
  const std::lock_guard lock(from.mutex);
  return from.*member;
}

}  // namespace

GST_START_TEST(one_that_fails_stops_no_other) {
  Running run({recorded(1), recorded(2), recorded(3)});
  const Stopwatch watch;
  recorder(1).refuses = true;
  recorder(2).fails_after = 5;
  run.start();
  fail_unless(run.until([] { return recorder(3).pictures() >= 75; }));
  const SessionStatus status = run.session->status();
  fail_unless_equals_int(status.encodings, 1);
  fail_unless(status.outputs[2].status.state == OutputState::running);
  fail_unless_equals_int(static_cast<int>(status.outputs[2].status.reconnects), 0);
  const std::vector<Got> got = copy_of(&Recorder::video, recorder(3));
  fail_unless(got.front().key);
  // Pictures that come too late are left out.
  fail_unless(in_seconds(longest_gap(got)) < watch.limit(4 * in_seconds(picture)),
              "a gap of %" GST_TIME_FORMAT, GST_TIME_ARGS(longest_gap(got)));

  const std::lock_guard first(recorder(1).mutex);
  const auto& at = recorder(1).opened_at;
  fail_unless(at.size() >= 3 && at.size() <= 8, "%zu attempts", at.size());
  const auto tolerance = static_cast<int64_t>(1e6 * watch.limit(0.2));
  for (size_t i = 2; i < at.size(); ++i)
    fail_unless(at[i] - at[i - 1] > at[i - 1] - at[i - 2] - tolerance ||
                    at[i] - at[i - 1] >= Attempts::longest_pause - tolerance,
                "the pauses do not grow");
  fail_unless(status.outputs[0].status.words.find("it is refused") != std::string::npos);
  fail_unless(run.told("it is refused"));

  const std::lock_guard second(recorder(2).mutex);
  fail_unless(recorder(2).opened.size() >= 2 && status.outputs[1].status.reconnects >= 1);
  fail_unless(recorder(2).video[5].key, "after a failure it does not begin with a key frame");
  fail_unless(run.told("the other end has gone"));
}
GST_END_TEST

GST_START_TEST(one_that_blocks_holds_nobody_up) {
  Running run({recorded(1), recorded(2)});
  recorder(1).needs.adapts = true;
  run.start();
  fail_unless(run.until(
      [&run] { return run.session->status().outputs[0].status.state == OutputState::running; }));
  recorder(1).set_blocking(true);
  const Stopwatch blocked;
  fail_unless(run.until([&run] {
    const SessionStatus now = run.session->status();
    return now.bitrate < now.asked_bitrate;
  }));
  expect_within(blocked, 4, "a lower bit rate");
  fail_unless(run.until([&run] { return run.session->status().outputs[0].status.dropped > 5; }));
  fail_unless(run.until(
      [&run] { return run.session->status().outputs[0].status.state == OutputState::failing; }));
  fail_unless(in_seconds(longest_gap(copy_of(&Recorder::video, recorder(2)))) <
              blocked.limit(4 * in_seconds(picture)));
  fail_unless(run.session->status().outputs[1].status.dropped == 0);

  // What waited comes out, and after the hole there is a key frame.
  recorder(1).set_blocking(false);
  const size_t before = run.session->status().outputs[0].status.frames;
  fail_unless(run.until([before] { return recorder(1).pictures() > before + 10; }));
  const std::vector<Got> got = copy_of(&Recorder::video, recorder(1));
  bool hole = false;
  for (size_t i = 1; i < got.size(); ++i)
    if (got[i].time - got[i - 1].time > 3 * picture) {
      hole = true;
      fail_unless(got[i].key, "after a hole there is no key frame");
    }
  fail_unless(hole);
}
GST_END_TEST

// Each target asks for its own purposes; what is not given has no sound track at all.
GST_START_TEST(sound_goes_where_it_was_given) {
  const LedgerFolder place;
  ::must(place.ledger().append(give(Category::audio, bit(Purpose::live) | bit(Purpose::record))));
  Running run(
      {with_sound(1, "", place), with_sound(2, "0.0.0.0", place), with_sound(3, "", place)});
  recorder(3).needs.audio_purposes = bit(Purpose::record);
  run.start();
  const auto sounds = [](uint16_t number) {
    const auto got = copy_of(&Recorder::audio, recorder(number));
    return std::count_if(got.begin(), got.end(), [](const Got& one) { return !one.silent; });
  };
  fail_unless(run.until([&] { return sounds(1) > 20 && sounds(3) > 20; }));
  fail_unless(recorder(2).pictures() > 0);
  {
    const std::lock_guard lock(recorder(2).mutex);
    fail_if(recorder(2).opened[0].audio);
    fail_unless(recorder(2).audio.empty());
  }
  fail_if(run.session->status().outputs[1].status.sound);

  ::must(place.ledger().append(withdraw(Category::audio)));
  const int64_t withdrawn = g_get_monotonic_time();
  const auto late_ones = [withdrawn](uint16_t number) {
    const auto got = copy_of(&Recorder::audio, recorder(number));
    std::vector<Got> late;
    for (const Got& one : got)
      if (is_taken_after(withdrawn, one, got)) late.push_back(one);
    return late;
  };
  fail_unless(run.until([&] { return late_ones(1).size() > 30; }));
  for (const uint16_t number : {1, 3})
    for (const Got& one : late_ones(number))
      fail_if(!one.silent, "target %d is heard after the withdrawal", number);

  // Given for all of it: the one without a sound track gets one.
  ::must(place.ledger().append(give(Category::audio, info_of(Category::audio).purposes)));
  fail_unless(run.until([&] { return sounds(2) > 20; }));
  fail_unless(run.session->status().outputs[1].status.sound);
}
GST_END_TEST

// A person has agreed at the terminal, for this stream only, and takes it back in the ledger.
GST_START_TEST(what_was_agreed_to_at_the_terminal_can_be_taken_back) {
  const LedgerFolder place;
  ::must(place.ledger().append(plain(Act::notice_shown)));
  SessionTarget target = with_sound(1, "", place);
  target.consent.sound = "consent/audio,state=(string)given,purpose=(string)live";
  target.withdrawals = place.path();
  Running run({target});
  run.start();
  const auto heard = [](int64_t after) {
    const auto got = copy_of(&Recorder::audio, recorder(1));
    return std::count_if(got.begin(), got.end(),
                         [after](const Got& one) { return one.at > after && !one.silent; });
  };
  fail_unless(run.until([&] { return heard(0) > 20; }));
  ::must(place.ledger().append(withdraw(Category::audio)));
  const int64_t withdrawn = g_get_monotonic_time();
  fail_unless(run.until([&] {
    const auto got = copy_of(&Recorder::audio, recorder(1));
    return got.back().at > withdrawn + 500'000;
  }));
  fail_unless(run.told("taken back"));
  const auto got = copy_of(&Recorder::audio, recorder(1));
  for (const Got& one : got)
    fail_if(!one.silent && is_taken_after(withdrawn, one, got), "it is heard after the withdrawal");
}
GST_END_TEST

GST_START_TEST(one_encoding_for_each_need) {
  std::vector<SessionTarget> targets;
  for (uint16_t number = 1; number <= 10; ++number) targets.push_back(recorded(number));
  recorder(1).needs.profile = H264Profile::constrained_baseline;
  recorder(1).keeps_bytes = true;
  // A limit that the stream keeps needs nothing of its own.
  recorder(2).needs.max_width = 1920;
  Running run(targets);
  run.start();
  fail_unless(run.until([] {
    for (uint16_t number = 1; number <= 10; ++number)
      if (recorder(number).pictures() < 10) return false;
    return true;
  }));
  fail_unless_equals_int(run.session->status().encodings, 1);
  const auto got = copy_of(&Recorder::video, recorder(1));
  // The profile in the first parameter set, the mark of 360, and no name of an encoder.
  fail_unless(contains(got[0].bytes, std::string_view("\x00\x00\x01\x67\x42\xc0", 6)));
  fail_unless(contains(got[0].bytes, std::string_view("\x00\x00\x01\x06\x96\x01\x44", 7)));
  for (const Got& one : got) fail_if(contains(one.bytes, "x264"));
}
GST_END_TEST

GST_START_TEST(a_smaller_need_is_encoded_apart) {
  Running run({recorded(1), recorded(2)}, "test:?sound=no");
  recorder(2).needs.max_width = 160;
  run.start();
  fail_unless(run.until([] { return recorder(1).pictures() > 5 && recorder(2).pictures() > 5; }));
  fail_unless_equals_int(run.session->status().encodings, 2);
  fail_unless_equals_int(recorder(1).opened[0].width, 320);
  fail_unless_equals_int(recorder(2).opened[0].width, 160);
}
GST_END_TEST

namespace {

/// Makes each encoder that is made from now on need a tenth of a second for a wide picture.
class SlowEncoders {
 public:
  SlowEncoders() { hook_ = g_signal_add_emission_hook(signal(), 0, added, nullptr, nullptr); }
  ~SlowEncoders() { g_signal_remove_emission_hook(signal(), hook_); }

 private:
  static guint signal() {
    g_type_class_unref(g_type_class_ref(GST_TYPE_BIN));
    return g_signal_lookup("element-added", GST_TYPE_BIN);
  }
  static gboolean added(GSignalInvocationHint*, guint, const GValue* values, gpointer) {
    auto* element = GST_ELEMENT(g_value_get_object(&values[1]));
    GstElementFactory* factory = gst_element_get_factory(element);
    if (!factory || std::string_view(GST_OBJECT_NAME(factory)) != "x264enc") return TRUE;
    const GstRef<GstPad> pad(gst_element_get_static_pad(element, "sink"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, work, nullptr, nullptr);
    return TRUE;
  }
  static GstPadProbeReturn work(GstPad* pad, GstPadProbeInfo*, gpointer) {
    const CapsRef caps(gst_pad_get_current_caps(pad));
    int width = 0;
    if (caps) gst_structure_get_int(gst_caps_get_structure(caps.get(), 0), "width", &width);
    const int64_t end = g_get_monotonic_time() + 100'000;
    while (width >= 640 && g_get_monotonic_time() < end) {
    }
    return GST_PAD_PROBE_OK;
  }

  gulong hook_;
};

}  // namespace

// Both kinds of outputs get the smaller pictures, and a recording misses none.
GST_START_TEST(a_slow_processor_makes_the_pictures_smaller) {
  const SlowEncoders slow;
  Running run({recorded(1), recorded(2)}, "test:?sound=no", 640, 30);
  recorder(2).needs.takes_new_sizes = false;
  recorder(2).needs.gapless = true;
  run.start();
  fail_unless(run.until([] { return recorder(1).pictures() > 0; }));
  const Stopwatch watch;
  fail_unless(run.until([&run] { return run.session->status().width < 640; }));
  expect_within(watch, 3.5, "smaller pictures");
  fail_unless(run.until([&run] { return run.told("too slow for 640x320"); }));
  fail_unless(run.until([] {
    const std::lock_guard lock(recorder(2).mutex);
    return recorder(2).opened.size() == 2 && recorder(2).element;
  }));
  const size_t before = recorder(2).pictures();
  fail_unless(run.until([before] { return recorder(2).pictures() > before + 20; }));
  fail_unless(recorder(2).opened[1].width < 640);
  fail_unless_equals_int(static_cast<int>(run.session->status().outputs[1].status.reconnects), 0);
  fail_unless_equals_int(static_cast<int>(recorder(1).opened.size()), 1);
  const auto all = copy_of(&Recorder::video, recorder(1));
  const auto kept = copy_of(&Recorder::video, recorder(2));
  for (size_t i = 0; i < std::min(all.size(), kept.size()); ++i)
    fail_unless(all[i].time == kept[i].time, "picture %zu is missing", i);
}
GST_END_TEST

GST_START_TEST(the_end_reaches_all) {
  Running run({recorded(1), recorded(2)});
  recorder(2).refuses = true;
  run.start();
  fail_unless(run.until([] { return recorder(1).pictures() > 5; }));
  fail_unless(run.finish(), "it does not end");
  fail_unless_equals_int(recorder(1).complete, 1);
  fail_unless(run.session->status().outputs[0].status.state == OutputState::ended);
}
GST_END_TEST

GST_START_TEST(key_frames_are_made_when_they_are_asked_for) {
  Running run({recorded(1)}, "test:?sound=no");
  recorder(1).needs.key_interval = 60;
  run.start();
  fail_unless(run.until([] { return recorder(1).pictures() > 10; }));
  size_t asked_at = 0;
  {
    const std::lock_guard lock(recorder(1).mutex);
    asked_at = recorder(1).video.size();
    GstElement* sink = child_of(recorder(1).element, "video");
    const GstRef<GstPad> pad(gst_element_get_static_pad(sink, "sink"));
    gst_pad_push_event(pad.get(),
                       gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  }
  fail_unless(run.until([asked_at] {
    const auto got = copy_of(&Recorder::video, recorder(1));
    return std::any_of(got.begin() + static_cast<ptrdiff_t>(asked_at), got.end(),
                       [](const Got& one) { return one.key; });
  }));
  fail_unless(recorder(1).pictures() < asked_at + 30);
}
GST_END_TEST

GST_START_TEST(wrong_sources_are_explained) {
  const std::pair<const char*, const char*> cases[] = {
      {"test:?colour=red", "no setting"}, {"/nowhere.mp4", "neither a file"}, {"quux://x", "quux"}};
  for (const auto& [uri, part] : cases) {
    Running run({recorded(1)}, uri);
    const auto made = Session::make(run.options);
    fail_if(bool(made), "%s is taken", uri);
    fail_unless(made.error().message.find(part) != std::string::npos, "%s",
                made.error().message.c_str());
  }
  fail_if(bool(Session::make({})));
}
GST_END_TEST

// It is told, no other output gets fewer bits for it, and then a new connection is tried.
GST_START_TEST(a_network_that_passes_nothing) {
  Running run({recorded(1), recorded(2)}, "test:?sound=no");
  recorder(1).needs.adapts = true;
  run.start();
  fail_unless(run.until(
      [&run] { return run.session->status().outputs[0].status.state == OutputState::running; }));
  recorder(1).unanswered = 2'000'000;
  recorder(1).set_blocking(true);
  fail_unless(run.until([&run] { return run.told("the network passes nothing at the moment"); }));
  fail_unless(run.until([&run] { return run.session->status().outputs[0].status.dropped > 20; }));
  const SessionStatus status = run.session->status();
  fail_unless(status.outputs[0].status.state == OutputState::failing);
  fail_unless_equals_int(status.bitrate, status.asked_bitrate);
  fail_if(run.told("too slowly"));
  recorder(1).set_blocking(false);
  recorder(1).unanswered = 5'000'000;
  fail_unless(run.until([&run] { return run.told("no answer for 4 s"); }));
  recorder(1).unanswered = 0;
  fail_unless(run.until([&run] { return run.told("running again"); }));
  fail_unless_equals_int(static_cast<int>(recorder(1).opened.size()), 2);
  fail_unless_equals_int(static_cast<int>(recorder(2).opened.size()), 1);
}
GST_END_TEST

static Suite* live_session_suite() {
  Suite* suite = suite_create("live_session");
  TCase* all = tcase_create("all");
  suite_add_tcase(suite, all);
  tcase_add_test(all, one_that_fails_stops_no_other);
  tcase_add_test(all, one_that_blocks_holds_nobody_up);
  tcase_add_test(all, sound_goes_where_it_was_given);
  tcase_add_test(all, what_was_agreed_to_at_the_terminal_can_be_taken_back);
  tcase_add_test(all, one_encoding_for_each_need);
  tcase_add_test(all, a_smaller_need_is_encoded_apart);
  tcase_add_test(all, a_slow_processor_makes_the_pictures_smaller);
  tcase_add_test(all, the_end_reaches_all);
  tcase_add_test(all, key_frames_are_made_when_they_are_asked_for);
  tcase_add_test(all, wrong_sources_are_explained);
  tcase_add_test(all, a_network_that_passes_nothing);
  return suite;
}

SIDE_BY_SIDE_MAIN(live_session)
