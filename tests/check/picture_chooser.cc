// SPDX-License-Identifier: LGPL-2.1-or-later
// The element of `sphere reframe` that sends the reader of a film to the place where a part begins:
// nothing of what comes before is taken meanwhile, however long that takes.

#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"
#include "gst/tools/picture_chooser.h"

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

using namespace sphere;
using namespace sphere::tool;

namespace {

constexpr GstClockTime begin = 10 * GST_SECOND, end = 11 * GST_SECOND, step = GST_SECOND / 10;

/// A chooser of the pictures from `begin` to `end`, between a reader and a sink.
class Rig {
 public:
  explicit Rig(bool can_seek) : can_seek_(can_seek) {
    PictureChoice choice;
    choice.begin = begin;
    choice.end = end;
    choice.seekable = true;
    harness_ = gst_harness_new_with_element(make_picture_chooser(choice, &counts), "sink", "src");
    gst_pad_add_probe(harness_->srcpad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, handle_seek, this,
                      nullptr);
    gst_harness_set_src_caps_str(harness_, "video/x-raw,format=GRAY8,width=4,height=4");
  }
  ~Rig() { gst_harness_teardown(harness_); }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  GstFlowReturn push(GstClockTime time) {
    GstBuffer* picture = gst_buffer_new_allocate(nullptr, 16, nullptr);
    GST_BUFFER_PTS(picture) = time;
    GST_BUFFER_DURATION(picture) = step;
    return gst_harness_push(harness_, picture);
  }
  void push_segment(GstClockTime from) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.start = segment.time = segment.position = from;
    gst_harness_push_event(harness_, gst_event_new_segment(&segment));
  }
  void push_end() { gst_harness_push_event(harness_, gst_event_new_eos()); }
  /// The times of the pictures that were passed on.
  std::vector<GstClockTime> passed() {
    std::vector<GstClockTime> times;
    while (const BufferRef picture{gst_harness_try_pull(harness_)})
      times.push_back(GST_BUFFER_PTS(picture.get()));
    return times;
  }
  /// Waits until the reader has done what it was asked for.
  GstClockTime sought() {
    const Lock lock(mutex_);
    while (!done_) changed_.wait(mutex_);
    return sought_;
  }

  PictureCounts counts;

 private:
  /// In another thread than that of the pictures.
  static GstPadProbeReturn handle_seek(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
    auto* self = static_cast<Rig*>(data);
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (GST_EVENT_TYPE(event) != GST_EVENT_SEEK) return GST_PAD_PROBE_OK;
    gint64 position = 0;
    gst_event_parse_seek(event, nullptr, nullptr, nullptr, nullptr, &position, nullptr, nullptr);
    gst_event_unref(event);
    if (self->can_seek_) {
      gst_pad_push_event(pad, gst_event_new_flush_start());
      gst_pad_push_event(pad, gst_event_new_flush_stop(TRUE));
    }
    const Lock lock(self->mutex_);
    self->sought_ = static_cast<GstClockTime>(position);
    self->done_ = true;
    self->changed_.notify_all();
    GST_PAD_PROBE_INFO_FLOW_RETURN(info) = self->can_seek_ ? GST_FLOW_OK : GST_FLOW_ERROR;
    return GST_PAD_PROBE_HANDLED;
  }

  const bool can_seek_;
  GstHarness* harness_;
  Mutex mutex_;  // protects what follows; the innermost
  ConditionVariable changed_;
  GstClockTime sought_ SPHERE_GUARDED_BY(mutex_) = 0;
  bool done_ SPHERE_GUARDED_BY(mutex_) = false;
};

std::vector<GstClockTime> wanted() {
  std::vector<GstClockTime> times;
  for (GstClockTime time = begin; time < end; time += step) times.push_back(time);
  return times;
}

}  // namespace

GST_START_TEST(the_first_picture_waits_for_the_seek) {
  Rig rig(true);
  rig.push_segment(0);
  // It is told at once that the stream is flushed: a reader that went on could come to the end of a
  // short film before.
  ck_assert_int_eq(rig.push(0), GST_FLOW_FLUSHING);
  const GstClockTime from = rig.sought();
  fail_unless(from < begin && from > 0);
  rig.push_segment(from);
  for (GstClockTime time = from; time < end; time += step)
    ck_assert_int_eq(rig.push(time), GST_FLOW_OK);
  ck_assert_int_eq(rig.push(end), GST_FLOW_EOS);
  fail_unless(rig.passed() == wanted());
  ck_assert_uint_eq(rig.counts.chosen, wanted().size());
}
GST_END_TEST

GST_START_TEST(a_reader_that_does_not_seek_is_read_from_its_beginning) {
  Rig rig(false);
  rig.push_segment(0);
  ck_assert_int_eq(rig.push(0), GST_FLOW_OK);
  rig.sought();
  for (GstClockTime time = step; time < end; time += step)
    ck_assert_int_eq(rig.push(time), GST_FLOW_OK);
  rig.push_end();
  fail_unless(rig.passed() == wanted());
}
GST_END_TEST

static Suite* picture_chooser_suite() {
  Suite* suite = suite_create("picture_chooser");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, the_first_picture_waits_for_the_seek);
  tcase_add_test(tests, a_reader_that_does_not_seek_is_read_from_its_beginning);
  return suite;
}

GST_CHECK_MAIN(picture_chooser)
