// SPDX-License-Identifier: LGPL-2.1-or-later
// The streams of several connections as one: how many buffers arrive, when, and after which events.

#include <algorithm>
#include <memory>
#include <vector>

#include "plugins/camera/stream_splicer.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using camera::StreamSplicer;

namespace {

constexpr GstClockTime picture_time = GST_SECOND / 25;

/// A source pad with a splicer on it, and what arrives behind it.
struct Stream {
  Stream() {
    GstPad* made = gst_pad_new("src", GST_PAD_SRC);
    source.reset(GST_PAD(gst_object_ref_sink(made)));
    sink.reset(GST_PAD(gst_object_ref_sink(gst_pad_new("sink", GST_PAD_SINK))));
    gst_pad_set_element_private(sink.get(), this);
    gst_pad_set_chain_function(sink.get(), [](GstPad* pad, GstObject*, GstBuffer* buffer) {
      static_cast<Stream*>(gst_pad_get_element_private(pad))
          ->times.push_back(GST_BUFFER_PTS(buffer));
      gst_buffer_unref(buffer);
      return GST_FLOW_OK;
    });
    gst_pad_set_event_function(sink.get(),
                               [](GstPad* pad, GstObject*, GstEvent* event) -> gboolean {
                                 static_cast<Stream*>(gst_pad_get_element_private(pad))
                                     ->events.push_back(GST_EVENT_TYPE(event));
                                 gst_event_unref(event);
                                 return TRUE;
                               });
    splicer = std::make_unique<StreamSplicer>(
        source.get(), StreamSplicer::Handlers{.ended = [this] { ++ends; },
                                              .first_picture = [this] { ++firsts; }});
    splicer->restart("camera", 1);
    gst_pad_set_active(sink.get(), TRUE);
    gst_pad_set_active(source.get(), TRUE);
    gst_pad_link(source.get(), sink.get());
  }
  ~Stream() {
    gst_pad_set_active(source.get(), FALSE);
    gst_pad_set_active(sink.get(), FALSE);
    splicer.reset();
  }

  /// Begins a connection at this running time.
  void begin(GstClockTime base) {
    gst_pad_push_event(source.get(), gst_event_new_stream_start("connection"));
    CapsRef caps(gst_caps_new_empty_simple("video/x-h264"));
    gst_pad_push_event(source.get(), gst_event_new_caps(caps.get()));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.base = base;
    gst_pad_push_event(source.get(), gst_event_new_segment(&segment));
  }
  /// Every eighth picture is a key frame, as with real cameras.
  void push(int count, int first = 0) {
    for (int i = 0; i < count; ++i) {
      GstBuffer* buffer = gst_buffer_new();
      GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(i) * picture_time;
      if ((first + i) % 8) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
      fail_unless(gst_pad_push(source.get(), buffer) == GST_FLOW_OK);
    }
  }
  void flush() {
    gst_pad_push_event(source.get(), gst_event_new_flush_start());
    gst_pad_push_event(source.get(), gst_event_new_flush_stop(TRUE));
  }
  int count(GstEventType type) const {
    return static_cast<int>(std::count(events.begin(), events.end(), type));
  }

  GstRef<GstPad> source, sink;
  std::unique_ptr<StreamSplicer> splicer;
  std::vector<GstClockTime> times;
  std::vector<GstEventType> events;
  int ends = 0, firsts = 0;
};

}  // namespace

/// Whichever way a connection ends: all pictures of the next one arrive at their rate, and the gap
/// is as long as the interruption.
GST_START_TEST(all_pictures_of_each_connection_arrive) {
  for (const bool flushed : {false, true}) {
    for (const bool ended : {false, true}) {
      Stream stream;
      stream.splicer->expect_connection();
      stream.begin(0);
      stream.push(40);
      fail_unless_equals_int(stream.times.size(), 40);
      if (ended) gst_pad_push_event(stream.source.get(), gst_event_new_eos());
      if (flushed) stream.flush();
      stream.splicer->expect_connection();
      stream.begin(5 * GST_SECOND);
      stream.push(40);
      fail_unless(stream.times.size() == 80, "%zu of 80 pictures arrive (flush: %d, end: %d)",
                  stream.times.size(), flushed, ended);
      for (size_t i = 0; i < 80; ++i)
        fail_unless_equals_uint64(stream.times[i],
                                  (i < 40 ? 0 : 5 * GST_SECOND) + (i % 40) * picture_time);
      // Downstream sees one stream.
      fail_unless_equals_int(stream.count(GST_EVENT_STREAM_START), 1);
      fail_unless_equals_int(stream.count(GST_EVENT_SEGMENT), 1);
      fail_unless_equals_int(stream.count(GST_EVENT_EOS), 0);
      fail_unless_equals_int(stream.count(GST_EVENT_FLUSH_START), 0);
      fail_unless_equals_int(stream.count(GST_EVENT_FLUSH_STOP), 0);
      fail_unless_equals_int(stream.ends, ended);
      fail_unless_equals_int(stream.firsts, 2);
      fail_unless_equals_uint64(stream.splicer->pictures(), 80);
    }
  }
}
GST_END_TEST;

/// Also where the times of a connection stand still or go back, and in a file with milliseconds.
GST_START_TEST(no_two_pictures_have_the_same_time) {
  Stream stream;
  stream.begin(0);
  for (int i = 0; i < 20; ++i) {
    GstBuffer* buffer = gst_buffer_new();
    GST_BUFFER_PTS(buffer) = GST_SECOND - static_cast<GstClockTime>(i) * 100 * GST_USECOND;
    fail_unless(gst_pad_push(stream.source.get(), buffer) == GST_FLOW_OK);
  }
  fail_unless_equals_int(stream.times.size(), 20);
  for (size_t i = 1; i < 20; ++i) fail_unless(stream.times[i] >= stream.times[i - 1] + GST_MSECOND);
}
GST_END_TEST;

GST_START_TEST(a_connection_begins_with_a_key_frame) {
  Stream stream;
  stream.begin(0);
  stream.push(20, 5);  // the key frame is the fourth
  fail_unless_equals_int(stream.times.size(), 17);
  // Times before those that were shown are moved behind them.
  stream.begin(0);
  stream.push(8);
  fail_unless_equals_int(stream.times.size(), 25);
  for (size_t i = 1; i < stream.times.size(); ++i)
    fail_unless(stream.times[i] > stream.times[i - 1]);
  // If no key frame comes, the pictures are shown nevertheless.
  Stream without;
  without.begin(0);
  for (int i = 0; i < 100; ++i) without.push(1, 1);
  fail_unless(without.times.size() >= 39, "%zu", without.times.size());
}
GST_END_TEST;

GST_START_TEST(a_restart_forgets_everything) {
  Stream stream;
  stream.begin(0);
  stream.push(40);
  // A restart while a new connection with its own segment skips to a key frame.
  stream.begin(100 * GST_SECOND);
  stream.push(3, 1);
  stream.splicer->finish();
  gst_pad_set_active(stream.source.get(), FALSE);
  gst_pad_set_active(stream.sink.get(), FALSE);
  stream.splicer->restart("camera", 2);
  gst_pad_set_active(stream.sink.get(), TRUE);
  gst_pad_set_active(stream.source.get(), TRUE);
  fail_unless_equals_uint64(stream.splicer->pictures(), 0);
  fail_unless(stream.splicer->last_picture() == 0);
  fail_unless(stream.splicer->finish());
  stream.times.clear();
  stream.events.clear();
  // The segment of the next connection must pass, because the old one does not fit it.
  stream.begin(0);
  stream.push(16);
  fail_unless_equals_int(stream.times.size(), 16);
  fail_unless_equals_uint64(stream.times[0], 0);
  fail_unless_equals_int(stream.count(GST_EVENT_STREAM_START), 1);
  fail_unless_equals_int(stream.count(GST_EVENT_SEGMENT), 1);
  // Pictures that were skipped before the restart do not count.
  Stream skipping;
  skipping.begin(0);
  for (int i = 0; i < 59; ++i) skipping.push(1, 1);
  skipping.splicer->restart("camera", 3);
  skipping.begin(0);
  for (int i = 0; i < 60; ++i) skipping.push(1, 1);
  fail_unless_equals_int(skipping.times.size(), 0);
}
GST_END_TEST;

static Suite* stream_splicer_suite() {
  Suite* suite = suite_create("stream_splicer");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, all_pictures_of_each_connection_arrive);
  tcase_add_test(tcase, no_two_pictures_have_the_same_time);
  tcase_add_test(tcase, a_connection_begins_with_a_key_frame);
  tcase_add_test(tcase, a_restart_forgets_everything);
  return suite;
}

GST_CHECK_MAIN(stream_splicer)
