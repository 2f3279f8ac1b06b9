// SPDX-License-Identifier: LGPL-2.1-or-later
// What was captured while it was denied does not leave the gate for places after a new grant: not
// from a queue before the gate, and not because an element repeats it.

#include "tests/check/geogate.h"

using namespace sphere;
using namespace sphere::test;

namespace {

constexpr const char* raw = "video/x-raw, format=GRAY8, width=4, height=4, framerate=25/1";
const std::vector<uint8_t> picture(16, 7);

/// A live source, which is the harness, and elements up to the gate.
class Stream {
 public:
  explicit Stream(const char* before, bool live = true) {
    // In a bin the gate would not be linked to the source directly.
    if (*before) {
      h_.reset(gst_harness_new_parse((std::string(before) + "spheregeogate name=gate").c_str()));
      gate_ = child("gate");
    } else {
      h_.reset(gst_harness_new("spheregeogate"));
      gate_.reset(GST_ELEMENT(gst_object_ref(h_->element)));
    }
    set_consent(gate_.get(), nullptr);
    advance();
    if (!live)
      gst_pad_set_query_function(h_->srcpad, [](GstPad* pad, GstObject* parent, GstQuery* query) {
        return static_cast<gboolean>(GST_QUERY_TYPE(query) != GST_QUERY_LATENCY &&
                                     gst_pad_query_default(pad, parent, query));
      });
    gst_harness_set_src_caps_str(h_.get(), raw);
  }

  GstElement* gate() const { return gate_.get(); }
  GstRef<GstElement> child(const char* name) const {
    return GstRef<GstElement>(gst_bin_get_by_name(GST_BIN(h_->element), name));
  }

  /// A picture that was captured now, with its time of day.
  void push() {
    BufferRef buffer = buffer_of(picture, now_);
    advance();
    const CapsRef reference(gst_caps_new_empty_simple("timestamp/x-unix"));
    gst_buffer_add_reference_timestamp_meta(buffer.get(), reference.get(), ++pushed_, 0);
    fail_unless_equals_int(gst_harness_push(h_.get(), buffer.release()), GST_FLOW_OK);
  }
  void push_place(double north) {
    GstTagList* tags = gst_tag_list_new(GST_TAG_GEO_LOCATION_LATITUDE, north,
                                        GST_TAG_GEO_LOCATION_LONGITUDE, longitude, nullptr);
    fail_unless(gst_harness_push_event(h_.get(), gst_event_new_tag(tags)));
  }
  /// A place, consent, and the same place again.
  void repeat_place_after_grant() {
    push_place(latitude);
    pass();
    set_consent(gate(), location_given);
    pass_several();
    push_place(latitude);
    pass();
  }
  /// The next buffer behind the gate: whether it has its time of day.
  bool pull() {
    const BufferRef buffer(gst_harness_pull(h_.get()));
    fail_unless(buffer != nullptr);
    return gst_buffer_get_reference_timestamp_meta(buffer.get(), nullptr) != nullptr;
  }
  bool pass() {
    push();
    return pull();
  }
  /// More than the gate needs to find out that what comes is new.
  void pass_several() {
    for (int i = 0; i < 4; ++i) pass();
  }
  std::optional<double> place() const {
    const TagListRef tags = tags_behind(h_.get(), GST_TAG_SCOPE_GLOBAL);
    return tags ? number_of(tags.get(), GST_TAG_GEO_LOCATION_LATITUDE) : std::nullopt;
  }

 private:
  void advance() {
    now_ += 40 * GST_MSECOND;
    fail_unless(gst_harness_set_time(h_.get(), now_));
  }

  HarnessRef h_;
  GstRef<GstElement> gate_;
  GstClockTime now_ = 0;
  guint64 pushed_ = 0;
};

}  // namespace

GST_START_TEST(test_a_queue_before_the_gate) {
  Stream stream("queue name=queue ! ");
  fail_unless(!stream.pass());
  const GstRef<GstElement> queue = stream.child("queue");
  const GstRef<GstPad> out(gst_element_get_static_pad(queue.get(), "src"));
  const gulong block = gst_pad_add_probe(
      out.get(), GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM,
      [](GstPad*, GstPadProbeInfo*, gpointer) { return GST_PAD_PROBE_OK; }, nullptr, nullptr);
  stream.push_place(latitude);
  for (int i = 0; i < 3; ++i) stream.push();
  set_consent(stream.gate(), all_given);
  gst_pad_remove_probe(out.get(), block);
  // What waited in the queue.
  for (int i = 0; i < 3; ++i) {
    fail_unless(!stream.pull(), "%d", i);
    fail_unless(!stream.place(), "%d", i);
  }
  // What is new.
  stream.pass_several();
  fail_unless(stream.pass());
  fail_unless(!stream.place());
  stream.push_place(10);
  fail_unless(stream.pass());
  fail_unless(stream.place() == 10);
}
GST_END_TEST

// Parsers and encoders send the tags that they got again when their own change.
GST_START_TEST(test_a_repeated_place) {
  for (const bool live : {true, false}) {
    Stream stream("identity ! ", live);
    stream.repeat_place_after_grant();
    fail_unless(!stream.place());
    stream.push_place(10);
    stream.pass();
    fail_unless(stream.place() == 10);
    // Where it was before, but now with consent.
    stream.push_place(latitude);
    stream.pass();
    fail_unless(stream.place() == latitude);
  }
}
GST_END_TEST

// A source that is linked directly says the same place anew.
GST_START_TEST(test_the_same_place_from_the_source) {
  Stream stream("");
  stream.repeat_place_after_grant();
  fail_unless(stream.place() == latitude);
}
GST_END_TEST

GST_START_TEST(test_taken_back_and_given_between_two_buffers) {
  Stream stream("");
  set_consent(stream.gate(), all_given);
  stream.pass_several();
  stream.push_place(latitude);
  fail_unless(stream.pass());
  fail_unless(stream.place() == latitude);
  set_consent(stream.gate(), nullptr);
  set_consent(stream.gate(), all_given);
  stream.push_place(latitude + 1);  // nobody knows when it was captured
  stream.pass_several();
  fail_unless(stream.pass());
  fail_unless(!stream.place());
}
GST_END_TEST

GST_START_TEST(test_a_change_of_the_precision_is_no_new_grant) {
  Stream stream("");
  set_consent(stream.gate(), location_given);
  stream.pass_several();
  stream.push_place(latitude);
  stream.pass();
  set_consent(stream.gate(), city_given);
  stream.pass();
  fail_unless(std::abs(*stream.place() - 39.9) < 1e-9);
}
GST_END_TEST

static Suite* geogate_capture_suite() {
  Suite* s = suite_create("geogate_capture");
  TCase* tc = tcase_create("capture");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_a_queue_before_the_gate);
  tcase_add_test(tc, test_a_repeated_place);
  tcase_add_test(tc, test_the_same_place_from_the_source);
  tcase_add_test(tc, test_taken_back_and_given_between_two_buffers);
  tcase_add_test(tc, test_a_change_of_the_precision_is_no_new_grant);
  return s;
}
GST_CHECK_MAIN(geogate_capture)
