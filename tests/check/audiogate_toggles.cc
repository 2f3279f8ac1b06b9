// SPDX-License-Identifier: LGPL-2.1-or-later
// Consent that comes and goes at random while sound flows: not one sample leaves that was not
// allowed, nor one that was captured while it was denied, and what was allowed is bit-exact.

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#include "gst/sphere/consent/guard.h"
#include "tests/check/audiogate.h"
#include "tests/check/pipeline.h"

using namespace sphere::consent;
using namespace sphere::test;
using sphere::BufferRef;
using sphere::CapsRef;
using sphere::EventRef;

namespace {

/// The state of consent: increases by two with each change, is odd during a change, and a multiple
/// of four while sound is denied.
class ConsentState {
 public:
  uint64_t now() const { return state_.load(std::memory_order_seq_cst); }
  static bool steady(uint64_t from, uint64_t to) { return from == to && from % 2 == 0; }
  static bool denied(uint64_t state) { return state % 4 == 0; }
  /// Whether sound was certainly denied at a moment between two readings. (During a change, threads
  /// may see different states.)
  static bool denied_between(uint64_t from, uint64_t to) { return (from + 3) / 4 * 4 <= to; }
  template <typename Change>
  void change(Change change) {
    state_.fetch_add(1, std::memory_order_seq_cst);
    change(ConsentState::denied(state_.load() - 1));  // true: from denied to allowed
    state_.fetch_add(1, std::memory_order_seq_cst);
  }

 private:
  std::atomic<uint64_t> state_ = 0;
};

/// Gives and takes back from a thread of its own, mostly as fast as it can, sometimes with a pause
/// of up to so many buffers, enough for sound to pass however slow the machine is.
class ConsentToggler {
 public:
  /// Changes `source`, and the consent of the gate, if there is a gate.
  ConsentToggler(ConsentState& truth, Consent& source, GstElement* gate, int count, unsigned pause,
                 const std::atomic<unsigned>& captured)
      : thread_([this, &truth, &source, gate, count, pause, &captured] {
          std::mt19937 random(3);
          const CapsRef given_caps = caps_of(given), nothing(gst_caps_new_empty());
          for (int i = 0; i < count; ++i) {
            truth.change([&](bool give) {
              const GstCaps* caps = give ? given_caps.get() : nothing.get();
              source.set_caps(caps);
              if (gate) g_object_set(gate, "consent", caps, nullptr);
            });
            // Sometimes waits, so that both states last long enough for sound to pass.
            if (random() % 100 != 0) continue;
            const unsigned end = captured + static_cast<unsigned>(random() % pause);
            while (static_cast<int>(end - captured) > 0) std::this_thread::yield();
          }
          done_ = true;
        }) {}
  ~ConsentToggler() { thread_.join(); }
  bool done() const { return done_; }

 private:
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

/// A buffer, and the states of consent while it was captured.
struct Captured {
  GstClockTime pts, end;
  uint64_t from, to;
  uint64_t stamped;  // when the source had sent its consent event
  bool whole() const { return !ConsentState::denied_between(from, to); }
};

/// Probes on the gate's pads: the state when a buffer comes in, and the output. The output may be
/// one buffer later.
class Watch {
 public:
  Watch(GstElement* gate, ConsentState& truth) : truth_(truth) {
    add(
        gate, "sink", +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
          auto* watch = static_cast<Watch*>(self);
          GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
          watch->in_.emplace_back(GST_BUFFER_PTS(buffer), bytes_of(buffer));
          watch->entered_ = watch->truth_.now();
          return GST_PAD_PROBE_OK;
        });
    add(
        gate, "src", +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
          auto* watch = static_cast<Watch*>(self);
          watch->left(GST_PAD_PROBE_INFO_BUFFER(info));
          return GST_PAD_PROBE_OK;
        });
  }

  struct OutputBuffer {
    GstClockTime pts, end;
    bool sound;
    bool steady;  // no change since the gate decided about the buffer before it
  };
  std::vector<OutputBuffer> outs;
  int wrong_bytes = 0, denied_now = 0;

 private:
  template <typename Probe>
  void add(GstElement* gate, const char* name, Probe probe) {
    const sphere::GstRef<GstPad> pad(gst_element_get_static_pad(gate, name));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, probe, this, nullptr);
  }
  void left(GstBuffer* buffer) {
    const uint64_t left = truth_.now();
    const bool sound = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP);
    const GstClockTime pts = GST_BUFFER_PTS(buffer);
    fail_unless(!in_.empty() && in_.front().first == pts, "out of order at %" GST_TIME_FORMAT,
                GST_TIME_ARGS(pts));
    wrong_bytes += (bytes_of(buffer) == in_.front().second) != sound;
    in_.pop_front();
    denied_now += sound && entered_ == left && ConsentState::denied(left);
    outs.push_back(
        {pts, pts + GST_BUFFER_DURATION(buffer), sound, ConsentState::steady(before_, left)});
    before_ = entered_;
  }

  ConsentState& truth_;
  std::deque<std::pair<GstClockTime, std::vector<uint8_t>>> in_;
  uint64_t entered_ = 0, before_ = 0;
};

/// The number of changes in each stream.
int toggles() { return g_getenv("SPHERE_VALGRIND") ? 300 : 20000; }

/// The buffers must follow each other without a gap and without an overlap.
void check_times(const std::vector<Watch::OutputBuffer>& outs, GstClockTime tolerance) {
  for (size_t i = 1; i < outs.size(); ++i)
    fail_unless(ABS(GST_CLOCK_DIFF(outs[i - 1].end, outs[i].pts)) <=
                    static_cast<GstClockTimeDiff>(tolerance),
                "a gap or an overlap at %" GST_TIME_FORMAT, GST_TIME_ARGS(outs[i].pts));
}

/// Calls `visit` with each captured buffer that overlaps a time span.
template <typename Visit>
void captured_in(const std::vector<Captured>& all, GstClockTime from, GstClockTime to,
                 Visit visit) {
  auto at = std::upper_bound(all.begin(), all.end(), from,
                             [](GstClockTime t, const Captured& c) { return t < c.end; });
  for (; at != all.end() && at->pts < to; ++at) visit(*at);
}

/// Sound that was captured while denied. A packet has sound from `reach` before its time to `ahead`
/// after it.
int leaks(const std::vector<Watch::OutputBuffer>& outs, const std::vector<Captured>& all,
          GstClockTime reach, GstClockTime ahead) {
  int count = 0;
  for (const Watch::OutputBuffer& out : outs) {
    bool whole = true;
    captured_in(all, out.pts > reach ? out.pts - reach : 0, out.end + ahead,
                [&](const Captured& c) { whole = whole && c.whole(); });
    count += out.sound && !whole;
  }
  return count;
}

/// Counts silent buffers that had to be sound: nothing was denied, neither now nor when this buffer
/// was captured, nor, where stamps may come one buffer late, when the next one was captured.
int needless(const std::vector<Watch::OutputBuffer>& outs, const std::vector<Captured>& all,
             GstClockTime reach, bool stamped) {
  int count = 0;
  for (size_t i = 1; i < outs.size(); ++i) {
    if (outs[i].sound || !outs[i - 1].sound || !outs[i].steady) continue;
    bool same = true;
    uint64_t first = 0;
    const GstClockTime back = 3 * reach;
    const Watch::OutputBuffer& last = outs[std::min(i + stamped, outs.size() - 1)];
    captured_in(all, outs[i - 1].pts > back ? outs[i - 1].pts - back : 0, last.end + back,
                [&](const Captured& c) {
                  if (!first) first = c.from;
                  same = same && ConsentState::steady(c.from, c.stamped) && c.from == first;
                });
    count += same;
  }
  return count;
}

/// Who is told of a change: the source that stamps what it captures, the gate, or both.
enum class Told { source, gate, both };

/// The times of the stream: those of the system clock; those of a clock that advances with each
/// captured buffer; or times far from the clock, with which only stamps count.
enum class Time { system, captured, none };

constexpr const char* raw_caps =
    "audio/x-raw, format=S16LE, rate=48000, channels=2, layout=interleaved";

struct Stream {
  const char* line;
  const char* caps = raw_caps;
  Told told;
  Time time;
  gsize frame = 4;      // bytes a sample
  gsize samples = 480;  // in a buffer
  GstClockTime reach = 0, ahead = 0;
};

constexpr const char* plain_line = "queue max-size-buffers=50 ! sphereaudiogate name=gate ! queue";
constexpr const char* opus_line =
    "opusenc complexity=0 ! queue max-size-buffers=10 ! sphereaudiogate name=gate ! queue ! "
    "opusdec";
constexpr const char* aac_line =
    "audioconvert ! voaacenc ! queue max-size-buffers=10 ! sphereaudiogate name=gate ! queue ! "
    "avdec_aac";

void toggle(const Stream& stream, int count, unsigned pause) {
  const HarnessRef h(gst_harness_new_parse(stream.line));
  if (stream.time != Time::captured) gst_harness_use_systemclock(h.get());
  gst_harness_set_drop_buffers(h.get(), TRUE);
  gst_harness_set_src_caps_str(h.get(), stream.caps);
  const sphere::GstRef<GstElement> gate(gst_bin_get_by_name(GST_BIN(h->element), "gate"));
  const bool stamped = stream.told != Told::gate;
  const bool gate_knows = stream.told != Told::source;
  ConsentState truth;
  Consent source;
  const CapsRef nothing(gst_caps_new_empty());
  source.set_caps(nothing.get());
  g_object_set(gate.get(), "consent", gate_knows ? nothing.get() : caps_of(given).get(), nullptr);
  Watch watch(gate.get(), truth);
  ConsentEventMaker event_maker(source, Category::audio, {Purpose::live});
  std::vector<Captured> all;
  const auto clock_now = [&] { return gst_element_get_current_running_time(h->element); };

  const bool system = stream.time == Time::system;
  // Without a clock, times lie far ahead of it, so that only the stamps count.
  const GstClockTime start =
      stream.time == Time::captured ? 0 : clock_now() + (system ? 0 : 10000 * GST_SECOND);
  GstClockTime end = start;
  {
    std::atomic<unsigned> pushed = 0;
    const ConsentToggler toggler(truth, source, gate_knows ? gate.get() : nullptr, count, pause,
                                 pushed);
    while (!toggler.done()) {
      if (stream.time == Time::captured) gst_harness_set_time(h.get(), end + 1);
      // The state is read at the beginning and at the end of the capture.
      Captured captured{.pts = end, .end = 0, .from = truth.now(), .to = 0, .stamped = 0};
      BufferRef buffer(gst_buffer_new_allocate(nullptr, stream.frame * stream.samples, nullptr));
      GstMapInfo map;
      gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE);
      for (gsize k = 0; k < map.size; ++k)
        map.data[k] = static_cast<uint8_t>(1 + (k * 31 + all.size()) % 100);
      gst_buffer_unmap(buffer.get(), &map);
      captured.to = truth.now();
      end = system ? std::max(clock_now(), captured.pts + 1)
                   : start + gst_util_uint64_scale(stream.samples * (all.size() + 1), GST_SECOND,
                                                   48000);
      captured.end = end;
      GST_BUFFER_PTS(buffer.get()) = captured.pts;
      GST_BUFFER_DURATION(buffer.get()) = captured.end - captured.pts;
      all.push_back(captured);
      if (stamped)
        if (EventRef event =
                event_maker.before([&] { return system ? std::max(clock_now(), end) : end; }))
          gst_harness_push_event(h.get(), event.release());
      all.back().stamped = truth.now();
      fail_unless_equals_int(gst_harness_push(h.get(), buffer.release()), GST_FLOW_OK);
      ++pushed;
    }
  }
  gst_harness_push_event(h.get(), gst_event_new_eos());
  while (const EventRef event{gst_harness_pull_event(h.get())})
    if (GST_EVENT_TYPE(event.get()) == GST_EVENT_EOS) break;

  const auto sound = std::count_if(watch.outs.begin(), watch.outs.end(),
                                   [](const Watch::OutputBuffer& out) { return out.sound; });
  GST_INFO("%d of %d buffers had sound", static_cast<int>(sound),
           static_cast<int>(watch.outs.size()));
  const int leaked = leaks(watch.outs, all, stream.reach, stream.ahead);
  fail_unless(leaked == 0, "%d of %d buffers were captured while denied", leaked,
              static_cast<int>(sound));
  fail_unless(!gate_knows || watch.denied_now == 0, "%d left while denied", watch.denied_now);
  fail_unless(watch.wrong_bytes == 0, "%d are neither silent nor bit-exact", watch.wrong_bytes);
  const int silenced = needless(watch.outs, all, stream.reach, stamped);
  fail_unless(silenced == 0, "%d were silent without a reason", silenced);
  check_times(watch.outs, stream.reach ? 1000 : 0);
  if (count > 1000) {
    fail_unless(sound > 20, "%d had sound", static_cast<int>(sound));
    fail_unless(static_cast<int>(watch.outs.size()) - sound > 20);
  }
}

// The source sends no consent events: the gate uses the timestamps.
GST_START_TEST(test_raw_live) {
  toggle({.line = plain_line, .told = Told::gate, .time = Time::system, .samples = 240}, toggles(),
         80);
}
GST_END_TEST

GST_START_TEST(test_raw_stamped) {
  toggle({.line = plain_line, .told = Told::both, .time = Time::none, .samples = 240}, toggles(),
         80);
}
GST_END_TEST

GST_START_TEST(test_mulaw) {
  toggle({.line = plain_line,
          .caps = "audio/x-mulaw, rate=48000, channels=1",
          .told = Told::both,
          .time = Time::system,
          .frame = 1,
          .samples = 240},
         toggles(), 80);
}
GST_END_TEST

// Encoders delay sound, and mix it with the sound around it: a packet contains sound from outside
// its own time. They pass a stamp on after the packet in which the stamped sound begins. The gate
// gets consent from the stamps alone here.
GST_START_TEST(test_opus) {
  toggle({.line = opus_line,
          .told = Told::source,
          .time = Time::none,
          .reach = 20 * ms,
          .ahead = 6500 * GST_USECOND},
         toggles(), 60);
}
GST_END_TEST

GST_START_TEST(test_aac) {
  toggle({.line = aac_line, .told = Told::source, .time = Time::none, .reach = 43 * ms}, toggles(),
         60);
}
GST_END_TEST

GST_START_TEST(test_decoded) {
  toggle({.line = "opusenc complexity=0 ! opusdec ! queue max-size-buffers=10 ! "
                  "sphereaudiogate name=gate ! queue",
          .told = Told::source,
          .time = Time::none},
         toggles(), 60);
}
GST_END_TEST

// The gate uses its own sources of consent and the timestamps.
GST_START_TEST(test_opus_live) {
  toggle({.line = opus_line, .told = Told::gate, .time = Time::captured, .reach = 20 * ms},
         toggles(), 60);
}
GST_END_TEST

GST_START_TEST(test_aac_live) {
  toggle({.line = aac_line,
          .told = Told::gate,
          .time = Time::captured,
          .samples = 1024,
          .reach = 43 * ms},
         toggles(), 60);
}
GST_END_TEST

// A decoder and a queue between the camera and the gate.
GST_START_TEST(test_decoded_live) {
  toggle({.line = "mulawenc ! queue max-size-buffers=20 ! mulawdec ! queue max-size-buffers=20 ! "
                  "sphereaudiogate name=gate ! queue",
          .caps = "audio/x-raw, format=S16LE, rate=48000, channels=1, layout=interleaved",
          .told = Told::gate,
          .time = Time::captured,
          .frame = 2},
         toggles(), 80);
}
GST_END_TEST

}  // namespace

static Suite* audiogate_toggles_suite(void) {
  Suite* suite = suite_create("audiogate_toggles");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_raw_live);
  tcase_add_test(tests, test_raw_stamped);
  tcase_add_test(tests, test_mulaw);
  tcase_add_test(tests, test_opus);
  tcase_add_test(tests, test_aac);
  tcase_add_test(tests, test_decoded);
  tcase_add_test(tests, test_opus_live);
  tcase_add_test(tests, test_aac_live);
  tcase_add_test(tests, test_decoded_live);
  return suite;
}

GST_CHECK_MAIN(audiogate_toggles)
