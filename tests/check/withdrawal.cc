// SPDX-License-Identifier: LGPL-2.1-or-later
// Consent to the place is withdrawn at a random moment while a muxer writes, through the elements
// behind it. Of what is written from then on, nothing tells the position: neither what goes on, nor
// what is filled in at the beginning. SPHERE_WITHDRAWALS is how many files of each kind are
// written.

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "gst/sphere/media/trace_search.h"
#include "tests/check/pipeline.h"

using namespace sphere;
using namespace sphere::test;

namespace {

constexpr const char* given = "consent/location, state=(string)given, purpose=(string)geotag";
constexpr const char* withdrawn = "consent/location, state=(string)withdrawn";
// Set by hand, upstream of the muxer.
constexpr Position of_the_muxer = {48.8584123, 2.2945456, {}};

int rounds() {
  const char* chosen = g_getenv("SPHERE_WITHDRAWALS");
  if (chosen) return std::max(std::atoi(chosen), 1);
  return g_getenv("SPHERE_VALGRIND") ? 5 : 100;
}

/// What a muxer sends: its buffers and events, in order.
class Recording {
 public:
  /// `line` ends before the sink.
  explicit Recording(const std::string& line) {
    Pipeline pipeline(line + " ! filesink name=file location=/dev/null");
    const GstRef<GstElement> file = pipeline.child("file");
    const GstRef<GstPad> pad(gst_element_get_static_pad(file.get(), "sink"));
    gst_pad_add_probe(
        pad.get(),
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST |
                                     GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
        [](GstPad*, GstPadProbeInfo* info, gpointer data) {
          auto* object = static_cast<GstMiniObject*>(GST_PAD_PROBE_INFO_DATA(info));
          static_cast<Recording*>(data)->items_.emplace_back(gst_mini_object_ref(object));
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
    const std::string problem = pipeline.run();
    ck_assert_str_eq(problem.c_str(), "");
  }

  size_t size() const { return items_.size(); }
  /// Sends the item with this number.
  bool push(size_t index, GstPad* pad) const {
    GstMiniObject* object = gst_mini_object_ref(items_[index].get());
    // A muxer also tries to send something after the end of the stream, which nobody takes.
    const auto taken = [](GstFlowReturn flow) {
      return flow == GST_FLOW_OK || flow == GST_FLOW_EOS;
    };
    if (GST_IS_BUFFER(object)) return taken(gst_pad_push(pad, GST_BUFFER_CAST(object)));
    if (GST_IS_BUFFER_LIST(object))
      return taken(gst_pad_push_list(pad, GST_BUFFER_LIST_CAST(object)));
    // Whether an event was taken does not matter: errors are on the bus.
    gst_pad_push_event(pad, GST_EVENT_CAST(object));
    return true;
  }

 private:
  std::vector<std::unique_ptr<GstMiniObject, MiniObjectUnref>> items_;
};

// A pad without a template takes no other caps than its first ones.
GstStaticPadTemplate any_sink =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

/// A tag element between a pad that pushes and a pad that takes, without a thread.
class TagPads {
 public:
  explicit TagPads(const char* name) : element_(gst_element_factory_make(name, nullptr)) {
    fail_unless(element_ != nullptr, "no %s", name);
    gst_object_ref_sink(element_.get());
    gst_element_set_bus(element_.get(), bus_.get());
    const GstRef<GstPad> in(gst_element_get_static_pad(element_.get(), "sink"));
    const GstRef<GstPad> out(gst_element_get_static_pad(element_.get(), "src"));
    gst_pad_set_element_private(sink_.get(), this);
    gst_pad_set_chain_function(sink_.get(), [](GstPad* pad, GstObject*, GstBuffer* buffer) {
      static_cast<TagPads*>(GST_PAD_ELEMENT_PRIVATE(pad))->take(BufferRef(buffer));
      return GST_FLOW_OK;
    });
    gst_pad_set_event_function(
        sink_.get(), [](GstPad* pad, GstObject*, GstEvent* event) -> gboolean {
          static_cast<TagPads*>(GST_PAD_ELEMENT_PRIVATE(pad))->take(EventRef(event));
          return TRUE;
        });
    fail_unless(gst_pad_link(source_.get(), in.get()) == GST_PAD_LINK_OK &&
                gst_pad_link(out.get(), sink_.get()) == GST_PAD_LINK_OK);
  }
  ~TagPads() { gst_element_set_state(element_.get(), GST_STATE_NULL); }

  /// Begins a file with consent.
  void start(const std::optional<Position>& position) {
    before.clear();
    after.clear();
    now_after = false;
    gst_element_set_state(element_.get(), GST_STATE_NULL);
    gst_bus_set_flushing(bus_.get(), TRUE);
    gst_bus_set_flushing(bus_.get(), FALSE);
    gst_pad_set_active(sink_.get(), FALSE);
    gst_pad_set_active(source_.get(), FALSE);
    gst_pad_set_active(sink_.get(), TRUE);
    gst_pad_set_active(source_.get(), TRUE);
    char text[64] = "";
    if (position)
      std::snprintf(text, sizeof text, "%.7f,%.7f", position->latitude, position->longitude);
    g_object_set(element_.get(), "position", text, nullptr);
    set_consent(given);
    gst_element_set_state(element_.get(), GST_STATE_PLAYING);
  }
  void set_consent(const char* text) {
    const CapsRef caps(gst_caps_from_string(text));
    g_object_set(element_.get(), "consent", caps.get(), nullptr);
  }
  GstPad* source() const { return source_.get(); }
  std::string problem() const {
    const MessageRef message(gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR));
    g_autoptr(GError) error = nullptr;
    if (message) gst_message_parse_error(message.get(), &error, nullptr);
    return error ? error->message : "";
  }

  /// What was written, and sent in caps and tags, before and after the withdrawal.
  std::vector<uint8_t> before, after;
  bool now_after = false;

 private:
  void add(std::span<const uint8_t> bytes) {
    std::vector<uint8_t>& all = now_after ? after : before;
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  void take(BufferRef buffer) {
    GstMapInfo map;
    fail_unless(gst_buffer_map(buffer.get(), &map, GST_MAP_READ));
    add({map.data, map.size});
    gst_buffer_unmap(buffer.get(), &map);
  }
  void take(EventRef event) {
    // Tags that a withdrawal came too late for are no file.
    const bool counts = now_after || GST_EVENT_TYPE(event.get()) == GST_EVENT_CAPS;
    const GstStructure* structure = gst_event_get_structure(event.get());
    if (!structure || !counts) return;
    const GString_ text(gst_structure_to_string(structure));
    add({reinterpret_cast<const uint8_t*>(text.get()), strlen(text.get())});
  }

  GstRef<GstElement> element_;
  GstRef<GstBus> bus_{gst_bus_new()};
  GstRef<GstPad> source_{gst_pad_new("src", GST_PAD_SRC)};
  GstRef<GstPad> sink_{gst_pad_new_from_static_template(&any_sink, "sink")};
};

bool tells(const std::vector<uint8_t>& bytes, const std::optional<Position>& position) {
  media::Traces traces;
  traces.add(of_the_muxer);
  if (position) traces.add(*position);
  return media::TraceSearch(traces, {}).search(bytes).has_value();
}

struct Kind {
  const char* element;
  const char* line;
  /// How much is written before the end: with that, a position was written before some withdrawals.
  bool streaming;
};

constexpr const char* tags =
    " ! taginject tags=\"geo-location-latitude=(double)48.8584123,"
    "geo-location-longitude=(double)2.2945456\" ! ";
constexpr const char* coded =
    " ! video/x-raw, width=32, height=32, framerate=20/1 ! x264enc threads=1 "
    "speed-preset=ultrafast "
    "key-int-max=5 ! h264parse";

/// The same kind of file with different numbers of pictures.
std::vector<Recording> record(const Kind& kind) {
  std::vector<Recording> all;
  for (const int pictures : {1, 7, 12, 23})
    all.emplace_back("videotestsrc num-buffers=" + std::to_string(pictures) +
                     (kind.element == std::string("spherejpegtag")
                          ? std::string(" ! video/x-raw, width=32, height=32, framerate=20/1") +
                                tags + "jpegenc ! jifmux"
                          : std::string(coded) + tags + kind.line));
  return all;
}

void withdraw_at_random(const Kind& kind) {
  const std::vector<Recording> recordings = record(kind);
  std::mt19937 random(20211103);
  const auto below = [&](size_t count) { return static_cast<size_t>(random() % count); };
  TagPads pads(kind.element);
  int told_before = 0, told_at_end = 0, ended = 0;
  const int count = rounds();
  for (int round = 0; round < count; ++round) {
    const Recording& recording = recordings[below(recordings.size())];
    // Every second file has the position that the muxer writes.
    std::optional<Position> position;
    if (round % 2)
      position = Position{static_cast<double>(below(1'600'000'000)) / 1e7 - 80,
                          static_cast<double>(below(3'400'000'000)) / 1e7 - 170,
                          {}};
    // The last moment is when everything is written; some files get so far.
    const size_t moment = below(8) ? below(recording.size()) : recording.size();
    const bool other_thread = round % 4 >= 2;
    std::atomic<bool> wanted = false, done = false;
    std::thread thread;
    pads.start(position);
    if (other_thread)
      thread = std::thread([&] {
        while (!wanted) std::this_thread::yield();
        pads.set_consent(withdrawn);
        done = true;
      });
    for (size_t i = 0; i < recording.size(); ++i) {
      if (i == moment && other_thread) wanted = true;
      if (i == moment && !other_thread) {
        pads.set_consent(withdrawn);
        done = true;
      }
      pads.now_after = done;
      fail_unless(recording.push(i, pads.source()), "%s, round %d: item %zu was refused: %s",
                  kind.line, round, i, pads.problem().c_str());
    }
    wanted = true;
    if (thread.joinable()) thread.join();
    const std::string problem = pads.problem();
    fail_unless(problem.empty(), "%s, round %d: %s", kind.line, round, problem.c_str());
    fail_if(pads.before.empty() && pads.after.empty(), "nothing was written");
    fail_if(tells(pads.after, position),
            "%s, round %d: the position was written after the withdrawal at item %zu of %zu",
            kind.line, round, moment, recording.size());
    const bool told = tells(pads.before, position);
    told_before += told;
    if (moment == recording.size() && position) {
      ++ended;
      told_at_end += told;
    }
  }
  // With consent up to the end, it is there.
  fail_unless(told_at_end == ended, "%s: only %d of %d whole files have the position", kind.line,
              told_at_end, ended);
  fail_unless(count < 100 || ended > 0);
  fail_unless(!kind.streaming || told_before > ended,
              "%s: no position was written before a withdrawal", kind.line);
  std::printf("%s %s: %d withdrawals, the position was written before %d of them\n", kind.element,
              kind.line, count, told_before);
}

constexpr Kind kinds[] = {
    {"spheremp4tag", "mp4mux", false},
    {"spheremp4tag", "qtmux", false},
    {"spheremp4tag", "mp4mux faststart=true", false},
    {"spheremp4tag", "mp4mux fragment-duration=200", true},
    {"spheremp4tag", "mp4mux fragment-duration=200 streamable=true", true},
    {"spheremkvtag", "matroskamux", false},
    {"spheremkvtag", "matroskamux streamable=true", true},
    {"spherejpegtag", "jpegenc", true},
};

GST_START_TEST(nothing_is_written_after_a_withdrawal) { withdraw_at_random(kinds[__i__]); }
GST_END_TEST

}  // namespace

static Suite* withdrawal_suite() {
  Suite* suite = suite_create("withdrawal");
  TCase* cases = tcase_create("withdrawal");
  tcase_set_timeout(cases, 0);
  suite_add_tcase(suite, cases);
  tcase_add_loop_test(cases, nothing_is_written_after_a_withdrawal, 0,
                      static_cast<int>(G_N_ELEMENTS(kinds)));
  return suite;
}
GST_CHECK_MAIN(withdrawal)
