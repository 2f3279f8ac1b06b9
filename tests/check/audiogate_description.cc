// SPDX-License-Identifier: LGPL-2.1-or-later
// sphereaudiogate: what tags, stream headers, streams and tables of contents say about sound does
// not leave a closed gate, and a decoder behind it still works.

// The standard library comes first: check defines `fail` as a macro.
#include <cstring>
#include <string>
#include <vector>

#include "tests/check/audiogate.h"
#include "tests/check/pipeline.h"

using namespace sphere::test;
using sphere::BufferRef;
using sphere::CapsRef;
using sphere::EventRef;
using sphere::GstRef;

namespace {

constexpr const char* secret = "SECRET";

std::string text_of(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

std::string text_of(const GstTagList* tags) {
  if (!tags) return {};
  g_autofree char* text = gst_tag_list_to_string(tags);
  return text;
}

/// The caps as text, with the bytes of buffers as they are instead of in hexadecimal.
std::string text_of(const GstCaps* caps) {
  if (!caps) return {};
  g_autofree char* text = gst_caps_to_string(caps);
  std::string all = text;
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  if (const GValue* headers = gst_structure_get_value(structure, "streamheader"))
    for (guint i = 0; i < gst_value_array_get_size(headers); ++i)
      all += text_of(bytes_of(gst_value_get_buffer(gst_value_array_get_value(headers, i))));
  const GValue* data = gst_structure_get_value(structure, "codec_data");
  if (data && GST_VALUE_HOLDS_BUFFER(data)) all += text_of(bytes_of(gst_value_get_buffer(data)));
  return all;
}

std::string text_of(GstStream* stream) {
  const CapsRef caps(gst_stream_get_caps(stream));
  GstTagList* tags = gst_stream_get_tags(stream);
  std::string all = text_of(caps.get()) + text_of(tags);
  if (tags) gst_tag_list_unref(tags);
  return all;
}

/// The whole content of an event as text.
std::string text_of(GstEvent* event) {
  const GstStructure* structure = gst_event_get_structure(event);
  g_autofree char* text = structure ? gst_structure_to_string(structure) : g_strdup("");
  std::string all = text;
  if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
    GstCaps* caps = nullptr;
    gst_event_parse_caps(event, &caps);
    all += text_of(caps);
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) {
    GstStream* stream = nullptr;
    gst_event_parse_stream(event, &stream);
    if (stream) all += text_of(stream);
    if (stream) gst_object_unref(stream);
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_COLLECTION) {
    GstStreamCollection* collection = nullptr;
    gst_event_parse_stream_collection(event, &collection);
    for (guint i = 0; i < gst_stream_collection_get_size(collection); ++i)
      all += text_of(gst_stream_collection_get_stream(collection, i));
    gst_object_unref(collection);
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_TOC) {
    GstToc* toc = nullptr;
    gst_event_parse_toc(event, &toc, nullptr);
    all += text_of(gst_toc_get_tags(toc));
    for (GList* entry = gst_toc_get_entries(toc); entry; entry = entry->next)
      all += text_of(gst_toc_entry_get_tags(static_cast<GstTocEntry*>(entry->data)));
    gst_toc_unref(toc);
  }
  return all;
}

bool has_secret(const std::string& text) { return text.find(secret) != std::string::npos; }

/// The events and buffers that a pad has pushed.
struct Pushed {
  explicit Pushed(Pipeline& pipeline, const char* element) {
    const GstRef<GstElement> from = pipeline.child(element);
    const GstRef<GstPad> pad(gst_element_get_static_pad(from.get(), "src"));
    gst_pad_add_probe(
        pad.get(),
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER |
                                     GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
        +[](GstPad*, GstPadProbeInfo* info, gpointer data) {
          auto* self = static_cast<Pushed*>(data);
          if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
            ++self->buffers;
            self->text += text_of(bytes_of(GST_PAD_PROBE_INFO_BUFFER(info)));
          } else {
            self->text += text_of(GST_PAD_PROBE_INFO_EVENT(info));
          }
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
  }
  std::string text;
  int buffers = 0;
};

struct Codec {
  const char* encoder;
  const char* decoder;
  bool silence;
};
constexpr Codec codecs[] = {{"opusenc", "opusdec", true},
                            {"vorbisenc", "vorbisdec", false},
                            {"flacenc", "flacdec", false},
                            {"speexenc", "speexdec", false}};

std::string encoded(const Codec& codec) {
  return std::string(
             "audiotestsrc wave=saw num-buffers=60 ! audio/x-raw,rate=16000,channels=1 ! "
             "taginject tags=\"title=SECRET-title,comment=SECRET-comment\" ! audioconvert ! ") +
         codec.encoder + " ! ";
}

GST_START_TEST(test_stream_headers) {
  for (const Codec& codec : codecs) {
    for (const bool closed : {false, true}) {
      Pipeline pipeline(encoded(codec) + "sphereaudiogate name=gate " + (closed ? "" : with_given) +
                        " ! fakesink name=sink");
      const Pushed pushed(pipeline, "gate");
      const std::string problem = pipeline.run();
      ck_assert_str_eq(problem.c_str(), "");
      fail_unless(has_secret(pushed.text) != closed, "%s, %s", codec.encoder,
                  closed ? "closed" : "open");
      fail_unless((pushed.buffers > 5) == (!closed || codec.silence), "%s: %d buffers",
                  codec.encoder, pushed.buffers);
    }
  }
}
GST_END_TEST

// The gate was closed when the headers came, and opens later: a decoder must still work.
GST_START_TEST(test_headers_still_decode) {
  for (const Codec& codec : codecs) {
    // flacdec also needs the headers that come between the buffers; the gate removes these.
    if (strcmp(codec.decoder, "flacdec") == 0) continue;
    Pipeline pipeline(encoded(codec) + "sphereaudiogate name=gate ! " + codec.decoder +
                      " ! appsink name=sink sync=false");
    const GstRef<GstElement> gate = pipeline.child("gate");
    const GstRef<GstPad> pad(gst_element_get_static_pad(gate.get(), "sink"));
    gst_pad_add_probe(
        pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
        +[](GstPad* sink, GstPadProbeInfo* info, gpointer) {
          const GstClockTime pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
          if (!GST_CLOCK_TIME_IS_VALID(pts) || pts < 500 * ms) return GST_PAD_PROBE_OK;
          const GstRef<GstElement> element(gst_pad_get_parent_element(sink));
          set_consent(element.get(), given);
          return GST_PAD_PROBE_REMOVE;
        },
        nullptr, nullptr);
    // A decoder of GStreamer fails if a gap comes before the first sound, so gaps are dropped.
    const GstRef<GstPad> out(gst_element_get_static_pad(gate.get(), "src"));
    gst_pad_add_probe(
        out.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        +[](GstPad*, GstPadProbeInfo* info, gpointer) {
          return GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_GAP
                     ? GST_PAD_PROBE_DROP
                     : GST_PAD_PROBE_OK;
        },
        nullptr, nullptr);
    pipeline.play();
    size_t loud = 0;
    while (const SampleRef sample = pipeline.pull())
      loud += !all_are(bytes_of(gst_sample_get_buffer(sample.get())), 0);
    fail_unless(loud > 3, "%s: %d buffers of sound", codec.decoder, static_cast<int>(loud));
  }
}
GST_END_TEST

GstTagList* secret_tags() {
  return gst_tag_list_new(GST_TAG_TITLE, "SECRET-tag", GST_TAG_BITRATE, 1000u, nullptr);
}

GstStream* secret_stream() {
  const CapsRef caps(caps_of("audio/x-opus, streamheader=(buffer)<534543524554>"));
  GstStream* stream =
      gst_stream_new("one", caps.get(), GST_STREAM_TYPE_AUDIO, GST_STREAM_FLAG_SELECT);
  GstTagList* tags = secret_tags();
  gst_stream_set_tags(stream, tags);
  gst_tag_list_unref(tags);
  return stream;
}

/// Events that describe the sound, each in another way.
void push_descriptions(GstHarness* h, GstStream* stream) {
  GstEvent* start = gst_event_new_stream_start("one");
  gst_event_set_group_id(start, 77);
  gst_event_set_stream(start, stream);
  gst_harness_push_event(h, start);
  const CapsRef caps(
      caps_of("audio/x-opus, channel-mapping-family=0, rate=48000, channels=1, "
              "streamheader=(buffer)<534543524554>, codec_data=(buffer)534543524554"));
  gst_harness_push_event(h, gst_event_new_caps(caps.get()));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(h, gst_event_new_segment(&segment));
  GstStreamCollection* collection = gst_stream_collection_new("up");
  gst_stream_collection_add_stream(collection, GST_STREAM(gst_object_ref(stream)));
  gst_harness_push_event(h, gst_event_new_stream_collection(collection));
  gst_object_unref(collection);
  gst_harness_push_event(h, gst_event_new_tag(secret_tags()));
  GstTagList* global = secret_tags();
  gst_tag_list_set_scope(global, GST_TAG_SCOPE_GLOBAL);
  gst_harness_push_event(h, gst_event_new_tag(global));
  GstToc* toc = gst_toc_new(GST_TOC_SCOPE_GLOBAL);
  GstTocEntry* entry = gst_toc_entry_new(GST_TOC_ENTRY_TYPE_CHAPTER, "SECRET-chapter");
  gst_toc_entry_set_tags(entry, secret_tags());
  gst_toc_append_entry(toc, entry);
  gst_toc_set_tags(toc, secret_tags());
  gst_harness_push_event(h, gst_event_new_toc(toc, FALSE));
  gst_toc_unref(toc);
  GstMessage* message = gst_message_new_tag(nullptr, secret_tags());
  gst_harness_push_event(h, gst_event_new_sink_message("tags", message));
  gst_message_unref(message);
}

/// All sticky events of the pad, which an element gets when it is linked.
std::string kept_by(GstHarness* h) {
  const GstRef<GstPad> pad(gst_pad_get_peer(h->sinkpad));
  std::string all;
  gst_pad_sticky_events_foreach(
      pad.get(),
      [](GstPad*, GstEvent** event, gpointer text) -> gboolean {
        *static_cast<std::string*>(text) += text_of(*event) + "\n";
        return TRUE;
      },
      &all);
  return all;
}

GST_START_TEST(test_events_of_a_closed_gate) {
  const HarnessRef h(gst_harness_new("sphereaudiogate"));
  const GstRef<GstStream> stream(secret_stream());
  push_descriptions(h.get(), stream.get());
  std::string all;
  int events = 0;
  guint group = 0;
  for (EventRef event(gst_harness_try_pull_event(h.get())); event;
       event.reset(gst_harness_try_pull_event(h.get())), ++events) {
    all += text_of(event.get()) + "\n";
    if (GST_EVENT_TYPE(event.get()) == GST_EVENT_STREAM_START)
      gst_event_parse_group_id(event.get(), &group);
  }
  fail_unless(events >= 6 && !has_secret(all), "%d events: %s", events, all.c_str());
  fail_unless_equals_int(group, 77);
  fail_unless(all.find("bitrate") != std::string::npos && all.find("audio/x-opus") != all.npos);
  fail_unless(!has_secret(kept_by(h.get())));
}
GST_END_TEST

// After a grant and a withdrawal, an element that is linked gets the sticky events of the pad.
GST_START_TEST(test_events_kept_are_cleaned) {
  const HarnessRef h(gate_that_is_given());
  const GstRef<GstStream> stream(secret_stream());
  push_descriptions(h.get(), stream.get());
  fail_unless(has_secret(kept_by(h.get())));
  set_consent(h->element, nullptr);
  fail_unless_equals_int(
      gst_harness_push(h.get(), buffer_of(96, static_cast<uint8_t>(0xfc), 0, 20 * ms).release()),
      GST_FLOW_OK);
  const std::string kept = kept_by(h.get());
  fail_unless(!has_secret(kept), "%s", kept.c_str());
  fail_unless(kept.find("bitrate") != std::string::npos && kept.find("audio/x-opus") != kept.npos);
  // The same must hold for what upstream changes in its own GstStream later.
  gst_stream_set_stream_flags(stream.get(), GST_STREAM_FLAG_UNSELECT);
  GstTagList* more = gst_tag_list_new(GST_TAG_LYRICS, "SECRET-later", nullptr);
  gst_stream_set_tags(stream.get(), more);
  gst_tag_list_unref(more);
  fail_unless(!has_secret(kept_by(h.get())));
}
GST_END_TEST

GST_START_TEST(test_gate_has_its_own_stream) {
  const HarnessRef h(gate_that_is_given());
  const GstRef<GstStream> stream(
      gst_stream_new("one", nullptr, GST_STREAM_TYPE_AUDIO, GST_STREAM_FLAG_NONE));
  push_descriptions(h.get(), stream.get());
  GstTagList* later = gst_tag_list_new(GST_TAG_LYRICS, "LATER", nullptr);
  gst_stream_set_tags(stream.get(), later);
  gst_tag_list_unref(later);
  fail_unless(kept_by(h.get()).find("LATER") == std::string::npos);
}
GST_END_TEST

// Headers between the buffers.
GST_START_TEST(test_opus_headers_in_band) {
  const HarnessRef h(gst_harness_new("sphereaudiogate"));
  gst_harness_set_src_caps_str(h.get(), "audio/x-opus, channel-mapping-family=0");
  const auto push = [&](const std::string& bytes) {
    GstBuffer* buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_HEADER);
    fail_unless_equals_int(gst_harness_push(h.get(), buffer), GST_FLOW_OK);
    const BufferRef out(gst_harness_try_pull(h.get()));
    return out ? text_of(bytes_of(out.get())) : std::string();
  };
  const std::string head("OpusHead\x01\x01\x00\x00\x80\xbb\x00\x00\x00\x00\x00", 19);
  fail_unless(push(head + "SECRET") == head);
  const std::string tags = push("OpusTags" + std::string("\x06\0\0\0SECRET\0\0\0\0", 14));
  fail_unless(tags.starts_with("OpusTags") && !has_secret(tags));
  fail_unless(!has_secret(push("OpusTags" + std::string(70000, 'x') + "SECRET")));
  fail_unless(!has_secret(push("OpusHeadSECRET")));
}
GST_END_TEST

}  // namespace

static Suite* audiogate_description_suite(void) {
  Suite* suite = suite_create("audiogate_description");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_stream_headers);
  tcase_add_test(tests, test_headers_still_decode);
  tcase_add_test(tests, test_events_of_a_closed_gate);
  tcase_add_test(tests, test_events_kept_are_cleaned);
  tcase_add_test(tests, test_gate_has_its_own_stream);
  tcase_add_test(tests, test_opus_headers_in_band);
  return suite;
}

GST_CHECK_MAIN(audiogate_description)
