// SPDX-License-Identifier: LGPL-2.1-or-later
// sphereaudiogate and the stamps of a source: what they say is obeyed, also where an encoder or a
// decoder hands them on too late.

// The standard library comes first: check defines `fail` as a macro.
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#include "gst/sphere/consent/guard.h"
#include "tests/check/audiogate.h"

using namespace sphere::consent;
using namespace sphere::test;
using sphere::BufferRef;
using sphere::CapsRef;
using sphere::EventRef;

namespace {

void push_stamp(GstHarness* h, const char* field, GstClockTime since) {
  gst_harness_push_event(
      h, gst_event_new_custom(
             GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
             gst_structure_new(consent_event_name, "epoch", G_TYPE_UINT64, G_GUINT64_CONSTANT(1),
                               field, G_TYPE_UINT64, since, nullptr)));
}

GST_START_TEST(test_stamps) {
  const HarnessRef h(gate_that_is_given());
  mark_consent_event_source(h->srcpad);
  gst_harness_set_src_caps_str(h.get(), mono);
  fail_unless(comes_out(h.get(), 0));
  push_stamp(h.get(), "audio-record", GST_CLOCK_TIME_NONE);
  fail_unless(comes_out(h.get(), 1 * ms), "a stamp for another purpose");
  push_stamp(h.get(), "audio-live", GST_CLOCK_TIME_NONE);
  fail_unless(!comes_out(h.get(), 2 * ms), "captured while denied");
  push_stamp(h.get(), "audio-live", 5 * ms);
  fail_unless(!comes_out(h.get(), 4 * ms));
  fail_unless(comes_out(h.get(), 5 * ms));
  push_stamp(h.get(), "audio-live", 0);
  fail_unless(comes_out(h.get(), 1 * ms));
  // Gates behind this one must see it, too.
  int seen = 0;
  while (const EventRef event{gst_harness_try_pull_event(h.get())})
    seen += read_consent_event(event.get(), Category::audio, Purpose::live).has_value();
  fail_unless_equals_int(seen, 3);
  fail_unless_equals_uint64(gst_harness_query_latency(h.get()), 0);
}
GST_END_TEST

/// Pushes a millisecond of sound; what comes out must be that of before, if there was one. Whether
/// it has sound.
bool one_behind(GstHarness* h, GstClockTime pts, GstClockTime before) {
  fail_unless_equals_int(gst_harness_push(h, buffer_of(96, 7, pts, ms).release()), GST_FLOW_OK);
  const BufferRef out(gst_harness_try_pull(h));
  fail_unless((out != nullptr) == GST_CLOCK_TIME_IS_VALID(before));
  if (!out) return false;
  fail_unless_equals_uint64(GST_BUFFER_PTS(out.get()), before);
  return all_are(bytes_of(out.get()), 7);
}

/// Behind an encoder or a decoder a stamp may come one buffer too late.
GST_START_TEST(test_late_consent_events) {
  const HarnessRef h(gate_that_is_given());
  gst_harness_set_src_caps_str(h.get(), mono);
  push_stamp(h.get(), "audio-live", 0);
  one_behind(h.get(), 0, GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64(gst_harness_query_latency(h.get()), 1 * ms);
  fail_unless(one_behind(h.get(), 1 * ms, 0));
  gst_harness_push_event(h.get(), gst_event_new_tag(gst_tag_list_new_empty()));
  push_stamp(h.get(), "audio-live", GST_CLOCK_TIME_NONE);
  push_stamp(h.get(), "audio-live", 3 * ms);
  fail_unless(!one_behind(h.get(), 2 * ms, 1 * ms), "denied in the midst of it");
  fail_unless(!one_behind(h.get(), 3 * ms, 2 * ms));
  fail_unless(one_behind(h.get(), 4 * ms, 3 * ms));
  // Consent is withdrawn here; the held buffer has not been sent yet.
  set_consent(h->element, nullptr);
  gst_harness_push_event(h.get(), gst_event_new_eos());
  const BufferRef last(gst_harness_try_pull(h.get()));
  fail_unless(last && GST_BUFFER_PTS(last.get()) == 4 * ms && all_are(bytes_of(last.get()), 0));
}
GST_END_TEST

/// The output in order: the times of buffers in ms, and the names of events.
struct Order {
  explicit Order(GstHarness* h) {
    gst_pad_add_probe(
        h->sinkpad,
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER |
                                     GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                                     GST_PAD_PROBE_TYPE_EVENT_FLUSH),
        [](GstPad*, GstPadProbeInfo* info, gpointer self) {
          auto& text = static_cast<Order*>(self)->text;
          if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
            text += std::to_string(GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)) / ms);
          else
            text += GST_EVENT_TYPE_NAME(GST_PAD_PROBE_INFO_EVENT(info));
          text += ' ';
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
  }
  std::string text;
};

GST_START_TEST(test_events_stay_behind) {
  const HarnessRef h(gate_that_is_given());
  gst_harness_set_src_caps_str(h.get(), mono);
  push_stamp(h.get(), "audio-live", 0);
  one_behind(h.get(), 0, GST_CLOCK_TIME_NONE);
  Order order(h.get());
  const CapsRef stereo(
      caps_of("audio/x-raw, format=S16LE, rate=48000, channels=2, layout=interleaved"));
  gst_harness_push_event(h.get(), gst_event_new_caps(stereo.get()));
  gst_harness_push_event(h.get(), gst_event_new_gap(1 * ms, 1 * ms));
  // A query before downstream has these caps gets no answer.
  GstQuery* query = gst_query_new_allocation(stereo.get(), TRUE);
  fail_unless(!gst_pad_peer_query(h->srcpad, query));
  gst_query_unref(query);
  fail_unless_equals_string(order.text.c_str(), "");
  one_behind(h.get(), 2 * ms, 0);
  fail_unless_equals_string(order.text.c_str(), "0 caps gap ");

  // A flush removes the held buffer, but not the events about the format.
  order.text.clear();
  const CapsRef again(caps_of(mono));
  gst_harness_push_event(h.get(), gst_event_new_caps(again.get()));
  gst_harness_push_event(h.get(), gst_event_new_gap(3 * ms, 1 * ms));
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(FALSE));
  fail_unless_equals_string(order.text.c_str(), "flush-start flush-stop caps ");
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(h.get(), gst_event_new_segment(&segment));

  // Events that can be merged do not make the buffer silent.
  one_behind(h.get(), 4 * ms, GST_CLOCK_TIME_NONE);
  order.text.clear();
  for (GstClockTime i = 0; i < 3000; ++i) {
    gst_harness_push_event(h.get(), gst_event_new_gap((5 + i) * ms, 1 * ms));
    if (i % 100 != 0) continue;
    gst_harness_push_event(h.get(), gst_event_new_tag(gst_tag_list_new_empty()));
    push_stamp(h.get(), "audio-record", i);
  }
  fail_unless(one_behind(h.get(), 5000 * ms, 4 * ms));
  fail_unless(order.text.starts_with("4 gap tag custom-downstream-sticky gap "), "%s",
              order.text.c_str());
  fail_unless(order.text.size() < 2000);

  // The number of held events is limited. If the consent of a buffer can't be known, it is silent.
  for (int i = 0; i < 2000; ++i)
    gst_harness_push_event(h.get(), gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                                                         gst_structure_new_empty("other")));
  const BufferRef out(gst_harness_try_pull(h.get()));
  fail_unless(out && GST_BUFFER_PTS(out.get()) == 5000 * ms && all_are(bytes_of(out.get()), 0));
}
GST_END_TEST

}  // namespace

static Suite* audiogate_stamps_suite(void) {
  Suite* suite = suite_create("audiogate_stamps");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_stamps);
  tcase_add_test(tests, test_late_consent_events);
  tcase_add_test(tests, test_events_stay_behind);
  return suite;
}

GST_CHECK_MAIN(audiogate_stamps)
