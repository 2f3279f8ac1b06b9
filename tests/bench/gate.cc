// SPDX-License-Identifier: LGPL-2.1-or-later
// What consent costs, and how soon it acts. Prints one line of JSON.
//
// gate cost SPHERE SECONDS
//   That much sound, 48 kHz stereo in buffers of 10 ms, through sphereaudiogate: processor time as
//   percent of one core, beyond that of pushing the buffers: silence_percent, pass_percent,
//   ledger_percent (passed, a ledger being looked at), coded_percent (Opus, made silent).
//
// gate withdraw SPHERE ROUNDS
//   The command gives and takes back sound in a ledger while this process lets a live stream
//   through: median_ms and most_ms from when `consent withdraw` returned to when the last sound
//   left the gate. (It may have left before: 0.)
//
// gate change SPHERE ROUNDS
//   Acts are appended to a ledger of 4 MiB. median_ms and most_ms: the processor time in which a
//   streaming thread sees the next of them. ledger_kib: the ledger's size.
//
// SPHERE is the command `sphere`.

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/consent/source.h"
#include "tests/tools/large_ledger.h"

using namespace sphere;

namespace {

constexpr GstClockTime length = 10 * GST_MSECOND;  // of a buffer
constexpr const char* raw_caps =
    "audio/x-raw, format=S16LE, rate=48000, channels=2, layout=interleaved";
constexpr const char* given = "consent/audio, state=(string)given, purpose=(string)live";

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "gate: %s\n", what.c_str());
  std::exit(1);
}

/// A pad that pushes, a gate or none, and a pad that receives: no thread, no queue, no clock.
class TestPads {
 public:
  TestPads(const char* caps_text, bool gate) {
    if (gate) {
      gate_.reset(gst_element_factory_make("sphereaudiogate", nullptr));
      if (!gate_) give_up("there is no sphereaudiogate");
      gst_object_ref_sink(gate_.get());
    }
    caps_.reset(gst_caps_from_string(caps_text));
    gst_pad_set_chain_function(sink_.get(), [](GstPad* pad, GstObject*, GstBuffer* buffer) {
      auto* pads = static_cast<TestPads*>(GST_PAD_ELEMENT_PRIVATE(pad));
      if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP))
        pads->last_sound_.store(g_get_monotonic_time(), std::memory_order_relaxed);
      gst_buffer_unref(buffer);
      pads->received_.fetch_add(1);
      pads->received_.notify_one();
      return GST_FLOW_OK;
    });
    gst_pad_set_element_private(sink_.get(), this);
  }
  ~TestPads() {
    if (gate_) gst_element_set_state(gate_.get(), GST_STATE_NULL);
  }

  GstElement* gate() { return gate_.get(); }
  void start() {
    const GstRef<GstPad> in(gate_ ? gst_element_get_static_pad(gate_.get(), "sink") : nullptr);
    const GstRef<GstPad> out(gate_ ? gst_element_get_static_pad(gate_.get(), "src") : nullptr);
    gst_pad_set_active(sink_.get(), TRUE);
    gst_pad_set_active(source_.get(), TRUE);
    const bool linked = gate_ ? gst_pad_link(source_.get(), in.get()) == GST_PAD_LINK_OK &&
                                    gst_pad_link(out.get(), sink_.get()) == GST_PAD_LINK_OK
                              : gst_pad_link(source_.get(), sink_.get()) == GST_PAD_LINK_OK;
    if (!linked) give_up("the pads don't fit");
    if (gate_) {
      const GstRef<GstClock> clock(gst_system_clock_obtain());
      gst_element_set_clock(gate_.get(), clock.get());
      gst_element_set_base_time(gate_.get(), gst_clock_get_time(clock.get()));
      gst_element_set_state(gate_.get(), GST_STATE_PLAYING);
    }
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(source_.get(), gst_event_new_stream_start("sound"));
    gst_pad_push_event(source_.get(), gst_event_new_caps(caps_.get()));
    gst_pad_push_event(source_.get(), gst_event_new_segment(&segment));
  }
  void push(GstBuffer* sound, GstClockTime pts) {
    GstBuffer* buffer = gst_buffer_copy(sound);
    GST_BUFFER_PTS(buffer) = pts;
    GST_BUFFER_DURATION(buffer) = length;
    if (gst_pad_push(source_.get(), buffer) != GST_FLOW_OK) give_up("a buffer was refused");
  }
  gint64 last_sound() const { return last_sound_; }
  /// Waits for the next buffer behind the gate, sound or silence.
  void wait_for_buffer() const { received_.wait(received_); }

 private:
  GstRef<GstElement> gate_;
  CapsRef caps_;
  GstRef<GstPad> source_{gst_pad_new("src", GST_PAD_SRC)}, sink_{gst_pad_new("sink", GST_PAD_SINK)};
  std::atomic<gint64> last_sound_ = 0;
  std::atomic<unsigned> received_ = 0;  // buffers
};

BufferRef sound_of(gsize size, int byte) {
  BufferRef sound(gst_buffer_new_allocate(nullptr, size, nullptr));
  gst_buffer_memset(sound.get(), 0, static_cast<guint8>(byte), size);
  return sound;
}

double processor_seconds() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double seconds_for(TestPads& pads, GstBuffer* sound, int buffers) {
  pads.start();
  const double begin = processor_seconds();
  for (int i = 0; i < buffers; ++i) pads.push(sound, static_cast<GstClockTime>(i) * length);
  return processor_seconds() - begin;
}

struct Ledger {
  Ledger() : folder(g_dir_make_tmp("sphere-bench-XXXXXX", nullptr)) {
    if (!folder) give_up("no folder for a ledger");
  }
  ~Ledger() {
    g_unlink(path().c_str());
    g_rmdir(folder.get());
  }
  std::string path() const { return std::string(folder.get()) + "/ledger"; }
  GString_ folder;
};

void set_consent(GstElement* gate) {
  const CapsRef caps(gst_caps_from_string(given));
  g_object_set(gate, "consent", caps.get(), nullptr);
}

void act(const std::string& sphere, const char* verb, const Ledger& ledger) {
  const std::string path = ledger.path();
  const char* const words[] = {sphere.c_str(), "consent",  verb,         "audio",
                               "--json",       "--ledger", path.c_str(), nullptr};
  int status = 0;
  if (!g_spawn_sync(nullptr, const_cast<char**>(words), nullptr, G_SPAWN_STDOUT_TO_DEV_NULL,
                    nullptr, nullptr, nullptr, nullptr, &status, nullptr) ||
      status != 0)
    give_up(sphere + " consent " + verb + " failed");
}

void cost(const std::string& sphere, int seconds) {
  const int buffers = seconds * 100;
  const BufferRef raw = sound_of(480 * 4, 7), coded = sound_of(160, 0xfc);
  const double whole = static_cast<double>(seconds);
  TestPads none(raw_caps, false);
  const double bare = seconds_for(none, raw.get(), buffers);
  const auto percent = [&](TestPads& pads, const BufferRef& sound) {
    return 100 * (seconds_for(pads, sound.get(), buffers) - bare) / whole;
  };
  TestPads silent(raw_caps, true), passed(raw_caps, true), watched(raw_caps, true);
  TestPads opus("audio/x-opus, channel-mapping-family=0", true);
  set_consent(passed.gate());
  const Ledger ledger;
  act(sphere, "give", ledger);
  g_object_set(watched.gate(), "ledger", ledger.path().c_str(), nullptr);
  const double silence = percent(silent, raw), pass = percent(passed, raw),
               watch = percent(watched, raw), packets = percent(opus, coded);
  if (silent.last_sound() || opus.last_sound() || !passed.last_sound() || !watched.last_sound())
    give_up("consent is not obeyed");
  std::printf(
      "{\"silence_percent\": %.5f, \"pass_percent\": %.5f, \"ledger_percent\": %.5f, "
      "\"coded_percent\": %.5f}\n",
      silence, pass, watch, packets);
}

void withdraw(const std::string& sphere, int rounds) {
  const Ledger ledger;
  act(sphere, "give", ledger);
  TestPads pads(raw_caps, true);
  g_object_set(pads.gate(), "ledger", ledger.path().c_str(), nullptr);
  pads.start();
  std::atomic<bool> done = false;
  std::thread live([&] {
    const BufferRef sound = sound_of(480 * 4, 7);
    const GstRef<GstClock> clock(gst_system_clock_obtain());
    GstClockTime due = gst_clock_get_time(clock.get());
    while (!done) {
      // As a live source: each buffer is captured until now.
      const GstClockTime now = gst_element_get_current_running_time(pads.gate());
      pads.push(sound.get(), now);
      const GstClockID next = gst_clock_new_single_shot_id(clock.get(), due += length);
      gst_clock_id_wait(next, nullptr);
      gst_clock_id_unref(next);
    }
  });
  std::vector<double> all;
  for (int i = 0; i < rounds; ++i) {
    const gint64 from = g_get_monotonic_time();
    while (pads.last_sound() <= from) pads.wait_for_buffer();
    act(sphere, "withdraw", ledger);
    const gint64 returned = g_get_monotonic_time();
    // Sound that left the gate before the withdrawal acted is among these.
    for (int n = 0; n < 20; ++n) pads.wait_for_buffer();
    all.push_back(static_cast<double>(std::max<gint64>(pads.last_sound() - returned, 0)) / 1e3);
    act(sphere, "give", ledger);
  }
  done = true;
  live.join();
  std::sort(all.begin(), all.end());
  std::printf("{\"median_ms\": %.2f, \"most_ms\": %.2f}\n", all[all.size() / 2], all.back());
}

/// Sound is given and withdrawn in turn; each act must have an effect at once.
void change(int rounds) {
  const Ledger ledger;
  const std::string text = test::large_ledger_text();
  if (!g_file_set_contents_full(ledger.path().c_str(), text.data(),
                                static_cast<gssize>(text.size()), G_FILE_SET_CONTENTS_NONE, 0600,
                                nullptr))
    give_up("no ledger could be written");
  const consent::Ledger file(ledger.path());
  const auto source = consent::open_ledger(ledger.path());
  if (!source) give_up(source.error().message);
  consent::Entry entry;
  entry.category = consent::Category::audio;
  entry.how = "command";
  std::vector<double> all;
  for (int i = 0; i < rounds; ++i) {
    entry.act = i % 2 ? consent::Act::withdraw : consent::Act::give;
    entry.purposes = i % 2 ? 0 : consent::bit(consent::Purpose::live);
    if (const auto appended = file.append(entry); !appended) give_up(appended.error().message);
    const double from = processor_seconds();
    (*source)->version();
    const auto grants = (*source)->grants(consent::Category::audio, consent::Purpose::live);
    all.push_back((processor_seconds() - from) * 1e3);
    const auto answer = consent::evaluate(grants.caps.get(), consent::Category::audio,
                                          consent::Purpose::live, g_get_real_time());
    if (answer.allowed != (i % 2 == 0)) give_up("an act is not seen: " + answer.reason);
  }
  std::sort(all.begin(), all.end());
  std::printf("{\"median_ms\": %.4f, \"most_ms\": %.4f, \"ledger_kib\": %zu}\n",
              all[all.size() / 2], all.back(), text.size() / 1024);
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  const std::string what = argc == 4 ? argv[1] : "";
  if (what == "cost")
    cost(argv[2], std::max(std::atoi(argv[3]), 1));
  else if (what == "withdraw")
    withdraw(argv[2], std::max(std::atoi(argv[3]), 1));
  else if (what == "change")
    change(std::max(std::atoi(argv[3]), 1));
  else
    give_up("usage: gate cost|withdraw|change SPHERE SECONDS|ROUNDS");
  return 0;
}
