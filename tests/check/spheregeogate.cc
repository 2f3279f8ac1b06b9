// SPDX-License-Identifier: LGPL-2.1-or-later
// The gate for places, event by event and buffer by buffer: what it takes out, what it lets pass,
// and what it refuses.

#include "tests/check/geogate.h"

#include <gst/audio/audio.h>
#include <gst/video/gstvideoaffinetransformationmeta.h>
#include <gst/video/gstvideocodecalphameta.h>
#include <gst/video/video-sei.h>
#include <gst/video/video.h>

#include "gst/sphere/orientation/gstsphereorientationmeta.h"

using namespace sphere;
using namespace sphere::test;

namespace {

using Bytes = std::vector<uint8_t>;

constexpr const char* raw = "video/x-raw, format=GRAY8, width=4, height=4, framerate=25/1";
const Bytes picture(16, 7);

void push(GstHarness* h, std::span<const uint8_t> bytes, GstClockTime pts = 0) {
  fail_unless_equals_int(gst_harness_push(h, buffer_of(bytes, pts).release()), GST_FLOW_OK);
}
/// What comes out of a push: its bytes, or nothing.
std::optional<Bytes> passed(GstHarness* h, std::span<const uint8_t> bytes) {
  push(h, bytes);
  const BufferRef out(gst_harness_try_pull(h));
  return out ? std::optional(bytes_of(out.get())) : std::nullopt;
}

void push_tags(GstHarness* h, TagListRef tags) {
  fail_unless(gst_harness_push_event(h, gst_event_new_tag(tags.release())));
}

Bytes with_start_code(const Bytes& unit) {
  Bytes bytes = {0, 0, 0, 1};
  bytes.insert(bytes.end(), unit.begin(), unit.end());
  return bytes;
}
Bytes with_length(const Bytes& unit, size_t size) {
  Bytes bytes(size);
  bytes.back() = static_cast<uint8_t>(unit.size());
  bytes.insert(bytes.end(), unit.begin(), unit.end());
  return bytes;
}
void append(Bytes* to, const Bytes& bytes) { to->insert(to->end(), bytes.begin(), bytes.end()); }

/// A message of user data that tells a position.
Bytes secret_sei() {
  const std::string text = "CANARY +39.90421+116.40741/";
  Bytes unit = {6, 5, static_cast<uint8_t>(16 + text.size())};
  unit.resize(unit.size() + 16, 0x42);
  unit.insert(unit.end(), text.begin(), text.end());
  unit.push_back(0x80);
  return unit;
}
const Bytes slice = {0x65, 1, 2, 3, 4, 5};
const Bytes private_unit = {31, 'C', 'A', 'N', 'A', 'R', 'Y'};
const Bytes harmless_sei = {6, 6, 1, 0x84, 0x80};

}  // namespace

GST_START_TEST(test_tags_by_class) {
  const TagListRef tags(gst_tag_list_new_empty());
  const auto text = [&](const char* tag, const char* value) {
    gst_tag_list_add(tags.get(), GST_TAG_MERGE_APPEND, tag, value, nullptr);
  };
  const char* places[] = {GST_TAG_GEO_LOCATION_NAME, GST_TAG_GEO_LOCATION_COUNTRY,
                          GST_TAG_GEO_LOCATION_CITY, GST_TAG_GEO_LOCATION_SUBLOCATION};
  const char* degrees[] = {
      GST_TAG_GEO_LOCATION_LATITUDE,         GST_TAG_GEO_LOCATION_LONGITUDE,
      GST_TAG_GEO_LOCATION_ELEVATION,        GST_TAG_GEO_LOCATION_HORIZONTAL_ERROR,
      GST_TAG_GEO_LOCATION_MOVEMENT_SPEED,   GST_TAG_GEO_LOCATION_MOVEMENT_DIRECTION,
      GST_TAG_GEO_LOCATION_CAPTURE_DIRECTION};
  const char* identities[] = {GST_TAG_DEVICE_MANUFACTURER,
                              GST_TAG_DEVICE_MODEL,
                              GST_TAG_APPLICATION_NAME,
                              GST_TAG_ARTIST,
                              GST_TAG_CONTACT,
                              GST_TAG_COPYRIGHT,
                              GST_TAG_ENCODER};
  for (const char* tag : places) text(tag, "CANARY");
  for (const char* tag : degrees)
    gst_tag_list_add(tags.get(), GST_TAG_MERGE_APPEND, tag, 39.90421, nullptr);
  for (const char* tag : identities) text(tag, "CANARY");
  text(GST_TAG_COMMENT, "CANARY");
  text(GST_TAG_EXTENDED_COMMENT, "gps=CANARY");
  text(GST_TAG_TITLE, "A walk");
  text(GST_TAG_ALBUM, "at 39.90421,116.40741");
  GstDateTime* now = gst_date_time_new_now_utc();
  gst_tag_list_add(tags.get(), GST_TAG_MERGE_APPEND, GST_TAG_DATE_TIME, now, nullptr);
  gst_date_time_unref(now);
  const BufferRef data(gst_buffer_new_memdup("CANARY", 6));
  GstSample* sample = gst_sample_new(data.get(), nullptr, nullptr, nullptr);
  for (const char* tag : {GST_TAG_APPLICATION_DATA, GST_TAG_ATTACHMENT, GST_TAG_IMAGE})
    gst_tag_list_add(tags.get(), GST_TAG_MERGE_APPEND, tag, sample, nullptr);
  gst_sample_unref(sample);

  for (const GstTagScope scope : {GST_TAG_SCOPE_STREAM, GST_TAG_SCOPE_GLOBAL}) {
    const auto behind = [&](const char* consent) {
      const HarnessRef h = gate_with(consent, raw);
      TagListRef copy(gst_tag_list_copy(tags.get()));
      gst_tag_list_set_scope(copy.get(), scope);
      push_tags(h.get(), std::move(copy));
      push(h.get(), picture);
      TagListRef stream = tags_behind(h.get(), GST_TAG_SCOPE_STREAM),
                 global = tags_behind(h.get(), GST_TAG_SCOPE_GLOBAL);
      TagListRef all(gst_tag_list_new_empty());
      for (const TagListRef* some : {&stream, &global})
        if (*some) gst_tag_list_insert(all.get(), some->get(), GST_TAG_MERGE_APPEND);
      return all;
    };
    const TagListRef none = behind(nullptr);
    fail_unless_equals_int(gst_tag_list_n_tags(none.get()), 1);
    fail_unless(gst_tag_list_get_tag_size(none.get(), GST_TAG_TITLE) == 1);

    const TagListRef with_place = behind(location_given);
    for (const char* tag : places)
      fail_unless(gst_tag_list_get_tag_size(with_place.get(), tag) == 1);
    for (const char* tag : degrees)
      fail_unless(number_of(with_place.get(), tag) == 39.90421, "%s", tag);
    fail_unless(gst_tag_list_get_tag_size(with_place.get(), GST_TAG_ALBUM) == 1);
    for (const char* tag : identities)
      fail_unless(gst_tag_list_get_tag_size(with_place.get(), tag) == 0, "%s", tag);
    for (const char* tag : {GST_TAG_COMMENT, GST_TAG_DATE_TIME, GST_TAG_APPLICATION_DATA,
                            GST_TAG_ATTACHMENT, GST_TAG_IMAGE})
      fail_unless(gst_tag_list_get_tag_size(with_place.get(), tag) == 0, "%s", tag);

    const TagListRef city = behind(city_given);
    fail_unless(std::abs(*number_of(city.get(), GST_TAG_GEO_LOCATION_LATITUDE) - 39.9) < 1e-9);
    fail_unless(gst_tag_list_get_tag_size(city.get(), GST_TAG_GEO_LOCATION_CITY) == 1);
    for (const char* tag :
         {GST_TAG_GEO_LOCATION_NAME, GST_TAG_GEO_LOCATION_SUBLOCATION,
          GST_TAG_GEO_LOCATION_ELEVATION, GST_TAG_GEO_LOCATION_MOVEMENT_SPEED, GST_TAG_ALBUM})
      fail_unless(gst_tag_list_get_tag_size(city.get(), tag) == 0, "%s", tag);

    const TagListRef with_device = behind(device_given);
    for (const char* tag : identities)
      fail_unless(gst_tag_list_get_tag_size(with_device.get(), tag) == 1, "%s", tag);
    fail_unless(gst_tag_list_get_tag_size(with_device.get(), GST_TAG_DATE_TIME) == 1);
    for (const char* tag : places)
      fail_unless(gst_tag_list_get_tag_size(with_device.get(), tag) == 0, "%s", tag);
    fail_unless(gst_tag_list_get_tag_size(with_device.get(), GST_TAG_COMMENT) == 0);

    const TagListRef all = behind(all_given);
    fail_unless_equals_int(gst_tag_list_n_tags(all.get()), gst_tag_list_n_tags(tags.get()));
  }
}
GST_END_TEST

// Muxers keep the tags of a stream for good, and write them at the end.
GST_START_TEST(test_what_can_be_withdrawn_never_has_the_scope_of_a_stream) {
  const HarnessRef h = gate_with(location_given, raw);
  push_tags(h.get(), place_tags());
  push(h.get(), picture);
  const TagListRef stream = tags_behind(h.get(), GST_TAG_SCOPE_STREAM),
                   global = tags_behind(h.get(), GST_TAG_SCOPE_GLOBAL);
  fail_unless(stream && !number_of(stream.get(), GST_TAG_GEO_LOCATION_LATITUDE));
  fail_unless(global && number_of(global.get(), GST_TAG_GEO_LOCATION_LATITUDE) == latitude);
  fail_unless(number_of(global.get(), GST_TAG_GEO_LOCATION_ELEVATION) == altitude);
}
GST_END_TEST

GST_START_TEST(test_withdrawal_replaces_the_tags) {
  const HarnessRef h = gate_with(all_given, raw);
  TagListRef tags = place_tags();
  gst_tag_list_add(tags.get(), GST_TAG_MERGE_APPEND, GST_TAG_DEVICE_MODEL, "CANARY", nullptr);
  push_tags(h.get(), std::move(tags));
  push(h.get(), picture);
  fail_unless(number_of(tags_behind(h.get(), GST_TAG_SCOPE_GLOBAL).get(),
                        GST_TAG_GEO_LOCATION_LATITUDE) == latitude);
  set_consent(h->element, nullptr);
  push(h.get(), picture);
  const TagListRef stream = tags_behind(h.get(), GST_TAG_SCOPE_STREAM),
                   global = tags_behind(h.get(), GST_TAG_SCOPE_GLOBAL);
  fail_unless(global && gst_tag_list_is_empty(global.get()));
  fail_unless(stream && gst_tag_list_n_tags(stream.get()) == 1);
  // What was taken out does not come back.
  set_consent(h->element, all_given);
  push(h.get(), picture);
  fail_unless(
      !number_of(tags_behind(h.get(), GST_TAG_SCOPE_GLOBAL).get(), GST_TAG_GEO_LOCATION_LATITUDE));
}
GST_END_TEST

GST_START_TEST(test_the_purpose_counts) {
  const HarnessRef h = gate_with(location_given, raw);
  g_object_set(h->element, "position", "39.90421,116.40741", nullptr);
  push(h.get(), picture);
  fail_unless(number_of(tags_behind(h.get(), GST_TAG_SCOPE_GLOBAL).get(),
                        GST_TAG_GEO_LOCATION_LATITUDE) == latitude);
  gst_util_set_object_arg(G_OBJECT(h->element), "purpose", "share");
  push(h.get(), picture);
  fail_unless(gst_tag_list_is_empty(tags_behind(h.get(), GST_TAG_SCOPE_GLOBAL).get()));
}
GST_END_TEST

GST_START_TEST(test_descriptions_of_streams) {
  const HarnessRef h = gate_with(nullptr, nullptr);
  GstStream* stream = gst_stream_new("one", nullptr, GST_STREAM_TYPE_VIDEO, GST_STREAM_FLAG_NONE);
  gst_stream_set_tags(stream, place_tags().get());
  GstEvent* start = gst_event_new_stream_start("one");
  gst_event_set_stream(start, stream);
  fail_unless(gst_harness_push_event(h.get(), start));
  GstStreamCollection* collection = gst_stream_collection_new(nullptr);
  gst_stream_collection_add_stream(collection, GST_STREAM(gst_object_ref(stream)));
  fail_unless(gst_harness_push_event(h.get(), gst_event_new_stream_collection(collection)));
  gst_object_unref(collection);
  GstToc* toc = gst_toc_new(GST_TOC_SCOPE_GLOBAL);
  GstTocEntry* entry = gst_toc_entry_new(GST_TOC_ENTRY_TYPE_CHAPTER, "first");
  gst_toc_entry_set_tags(entry, place_tags().release());
  gst_toc_append_entry(toc, entry);
  fail_unless(gst_harness_push_event(h.get(), gst_event_new_toc(toc, FALSE)));
  gst_toc_unref(toc);

  const EventRef started(gst_pad_get_sticky_event(h->sinkpad, GST_EVENT_STREAM_START, 0));
  GstStream* seen = nullptr;
  gst_event_parse_stream(started.get(), &seen);
  fail_unless(seen != nullptr && seen != stream);
  const TagListRef tags(gst_stream_get_tags(seen));
  fail_unless(tags && gst_tag_list_n_tags(tags.get()) == 1);
  gst_object_unref(seen);
  const EventRef collected(gst_pad_get_sticky_event(h->sinkpad, GST_EVENT_STREAM_COLLECTION, 0));
  GstStreamCollection* streams = nullptr;
  gst_event_parse_stream_collection(collected.get(), &streams);
  const TagListRef listed(gst_stream_get_tags(gst_stream_collection_get_stream(streams, 0)));
  fail_unless(listed && gst_tag_list_n_tags(listed.get()) == 1);
  gst_object_unref(streams);
  fail_unless(!EventRef(gst_pad_get_sticky_event(h->sinkpad, GST_EVENT_TOC, 0)));
  gst_object_unref(stream);
}
GST_END_TEST

GST_START_TEST(test_custom_events) {
  struct Case {
    const char* content;
    bool passes;
  };
  const Case cases[] = {
      {"gps-fix, a=(int)1", false},
      {"fix, lat=(double)39.9, lon=(double)116.4", false},
      {"fix, geoLocation=(int)4", false},
      {"note, text=(string)\"at 39.90421,116.40741\"", false},
      {"note, inner=(structure)[fix, Latitude=(double)39.9;]", false},
      {"note, texts=(string){ \"here\", \"39.90421,116.40741\" }", false},
      {"note, texts=(string)< \"39.90421,116.40741\" >", false},
      {"note, data=(buffer)43414e415259", false},
      {"note, caps=(GstCaps)\"a/b, streamheader=(buffer)43\"", false},
      {"note, numbers=(int){ 1, 2 }, rate=(fraction)30/1, size=(int)[ 1, 2 ]", true},
      {"GstForceKeyUnit, all-headers=(boolean)true, latency=(int)3", true},
      {"sphere-lens, replace=(int)4, platform=(string)x", true},
  };
  const HarnessRef h = gate_with(nullptr, raw);
  push(h.get(), picture);
  while (EventRef(gst_harness_try_pull_event(h.get()))) continue;
  for (const GstEventType type : {GST_EVENT_CUSTOM_DOWNSTREAM, GST_EVENT_CUSTOM_DOWNSTREAM_OOB,
                                  GST_EVENT_CUSTOM_DOWNSTREAM_STICKY})
    for (const Case& one : cases) {
      GstStructure* content = gst_structure_from_string(one.content, nullptr);
      fail_unless(content != nullptr, "%s", one.content);
      gst_harness_push_event(h.get(), gst_event_new_custom(type, content));
      const EventRef out(gst_harness_try_pull_event(h.get()));
      fail_unless(one.passes == (out != nullptr), "%s", one.content);
    }
  // The lenses, and how the camera was held, are needed to stitch.
  g_autoptr(GBytes) table = g_bytes_new_static("table", 5);
  for (const char* name : {"sphere-lens", "sphere-orientation", "other"}) {
    gst_harness_push_event(
        h.get(),
        gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
                             gst_structure_new(name, "table", G_TYPE_BYTES, table, nullptr)));
    const EventRef out(gst_harness_try_pull_event(h.get()));
    fail_unless((out != nullptr) == (name != std::string_view("other")), "%s", name);
  }
}
GST_END_TEST

/// As an application defines one, with a text, and with a tag of GStreamer's own.
const GstMetaInfo* application_meta() {
  struct Place {
    GstMeta meta;
    char text[16];
  };
  static const gchar* tags[] = {GST_META_TAG_VIDEO_STR, nullptr};
  static const GstMetaInfo* const info = gst_meta_register(
      gst_meta_api_type_register("CanaryPositionMetaAPI", tags), "CanaryPositionMeta",
      sizeof(Place),
      [](GstMeta* meta, gpointer, GstBuffer*) -> gboolean {
        std::strcpy(reinterpret_cast<Place*>(meta)->text, "39.9042,116.407");
        return TRUE;
      },
      nullptr, nullptr);
  return info;
}

GST_START_TEST(test_metas) {
  static const gchar* no_tags[] = {nullptr};
  gst_meta_register_custom("CanaryPlaceMeta", no_tags, nullptr, nullptr, nullptr);
  const auto left = [](const char* consent) {
    const HarnessRef h = gate_with(consent, raw);
    BufferRef buffer = buffer_of(picture);
    // Both are copied.
    uint8_t uuid[16] = {1}, canary[] = {'C', 'A', 'N', 'A', 'R', 'Y'};
    gst_buffer_add_video_sei_user_data_unregistered_meta(buffer.get(), uuid, canary, sizeof canary);
    gst_buffer_add_custom_meta(buffer.get(), "CanaryPlaceMeta");
    gst_buffer_add_meta(buffer.get(), application_meta(), nullptr);
    gst_buffer_add_video_caption_meta(buffer.get(), GST_VIDEO_CAPTION_TYPE_CEA608_RAW, canary,
                                      sizeof canary);
    gst_buffer_add_video_region_of_interest_meta(buffer.get(), "face of CANARY", 1, 2, 3, 4);
    const CapsRef caps(gst_caps_new_empty_simple("timestamp/x-unix"));
    gst_buffer_add_reference_timestamp_meta(buffer.get(), caps.get(), GST_SECOND, GST_SECOND);
    gst_buffer_add_video_time_code_meta_full(buffer.get(), 25, 1, nullptr,
                                             GST_VIDEO_TIME_CODE_FLAGS_NONE, 1, 2, 3, 4, 0);
    gst_buffer_add_video_meta(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8, 4,
                              4);
    const GstBuffer* before = buffer.get();
    fail_unless_equals_int(gst_harness_push(h.get(), buffer.release()), GST_FLOW_OK);
    const BufferRef out(gst_harness_try_pull(h.get()));
    fail_unless(out && (consent != all_given || out.get() == before));
    std::set<std::string> names;
    gpointer state = nullptr;
    while (const GstMeta* meta = gst_buffer_iterate_meta(out.get(), &state))
      names.insert(g_type_name(meta->info->type));
    return names.size();
  };
  fail_unless_equals_int(left(nullptr), 1);
  fail_unless_equals_int(left(location_given), 1);
  fail_unless_equals_int(left(device_given), 3);
  fail_unless_equals_int(left(all_given), 8);
}
GST_END_TEST

/// What elements need to read pictures and sound stays, whatever is denied.
GST_START_TEST(test_metas_of_format) {
  const HarnessRef h = gate_with(nullptr, raw);
  BufferRef buffer = buffer_of(picture);
  const BufferRef parent(gst_buffer_new());
  gst_buffer_add_video_meta(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8, 4, 4);
  gst_buffer_add_meta(buffer.get(), GST_VIDEO_CROP_META_INFO, nullptr);
  gst_buffer_add_video_affine_transformation_meta(buffer.get());
  gst_buffer_add_video_afd_meta(buffer.get(), 0, GST_VIDEO_AFD_SPEC_ATSC_A53,
                                GST_VIDEO_AFD_4_3_FULL_16_9_FULL);
  gst_buffer_add_video_bar_meta(buffer.get(), 0, FALSE, 1, 1);
  gst_buffer_add_video_codec_alpha_meta(buffer.get(), buffer_of(picture).release());
  gst_buffer_add_parent_buffer_meta(buffer.get(), parent.get());
  gst_buffer_add_sphere_orientation_meta(buffer.get(), 1, 0, 0, 0);
  gst_buffer_add_audio_level_meta(buffer.get(), 20, TRUE);
  gst_buffer_add_audio_clipping_meta(buffer.get(), GST_FORMAT_DEFAULT, 3, 0);
  const GstBuffer* before = buffer.get();
  fail_unless_equals_int(gst_harness_push(h.get(), buffer.release()), GST_FLOW_OK);
  const BufferRef out(gst_harness_try_pull(h.get()));
  fail_unless(out.get() == before);
  int count = 0;
  for (gpointer state = nullptr; gst_buffer_iterate_meta(out.get(), &state);) ++count;
  fail_unless_equals_int(count, 10);
}
GST_END_TEST

GST_START_TEST(test_messages_of_coded_video) {
  struct Format {
    std::string caps;
    std::function<Bytes(const Bytes&)> write;
  };
  const Format formats[] = {
      {"video/x-h264, stream-format=byte-stream, alignment=au", with_start_code},
      {"video/x-h264, stream-format=byte-stream, alignment=nal", with_start_code},
      {"video/x-h264, stream-format=avc, alignment=au, codec_data=(buffer)0142001efde10000",
       [](const Bytes& unit) { return with_length(unit, 2); }},
      {"video/x-h264, stream-format=avc3, alignment=au",
       [](const Bytes& unit) { return with_length(unit, 4); }},
  };
  for (const Format& format : formats) {
    const HarnessRef h = gate_with(nullptr, format.caps.c_str());
    Bytes before, after;
    for (const Bytes& unit : {harmless_sei, secret_sei(), slice, private_unit})
      append(&before, format.write(unit));
    for (const Bytes& unit : {harmless_sei, slice}) append(&after, format.write(unit));
    const auto out = passed(h.get(), before);
    fail_unless(out && *out == after, "%s", format.caps.c_str());
    // A buffer without private data is not copied.
    BufferRef clean = buffer_of(after);
    const GstBuffer* same = clean.get();
    fail_unless_equals_int(gst_harness_push(h.get(), clean.release()), GST_FLOW_OK);
    fail_unless(BufferRef(gst_harness_pull(h.get())).get() == same);
    // A message alone leaves a gap.
    fail_unless(!passed(h.get(), format.write(secret_sei())));
    const HarnessRef open = gate_with(all_given, format.caps.c_str());
    fail_unless(passed(open.get(), before) == before);
  }
}
GST_END_TEST

/// The time of day in the messages with the times of pictures, by the parameter set in the stream,
/// or in the description of it.
GST_START_TEST(test_time_codes_of_h264) {
  // Of an encoder: numbers of 8 and 7 bits, then how the picture is made.
  const Bytes set = {0x67, 0xf4, 0x00, 0x0d, 0x90, 0xd9, 0x64, 0x11, 0x6c, 0x05, 0xa8, 0x30, 0x30,
                     0x32, 0x00, 0x00, 0x03, 0x00, 0x02, 0x00, 0x00, 0x03, 0x00, 0x65, 0xe0, 0x40,
                     0xfa, 0x00, 0x02, 0x57, 0x9d, 0x13, 0x98, 0x07, 0xc5, 0x0a, 0x92};
  const Bytes timed = {6, 1, 7, 0, 0, 0x12, 0x08, 0, 0x8a, 0xce, 0x80};
  const Bytes bare = {6, 1, 3, 0, 0, 0x08, 0x80};
  Bytes record = {1, 0xf4, 0, 0x0d, 0xff, 0xe1};
  append(&record, with_length(set, 2));
  record.push_back(0);
  const CapsRef avc(gst_caps_from_string("video/x-h264, stream-format=avc, alignment=au"));
  const BufferRef data(gst_buffer_new_memdup(record.data(), record.size()));
  gst_caps_set_simple(avc.get(), "codec_data", GST_TYPE_BUFFER, data.get(), nullptr);
  const char* in_stream = "video/x-h264, stream-format=byte-stream, alignment=au";
  for (const char* consent : {location_given, device_given}) {
    const Bytes& expected = consent == device_given ? timed : bare;
    const HarnessRef described = gate_with(consent, nullptr);
    gst_harness_set_src_caps(described.get(), gst_caps_ref(avc.get()));
    const auto four = [](const Bytes& unit) { return with_length(unit, 4); };
    Bytes before = four(timed), after = four(expected);
    append(&before, four(slice));
    append(&after, four(slice));
    fail_unless(passed(described.get(), before) == after);

    const HarnessRef h = gate_with(consent, in_stream);
    // Without a parameter set nobody can tell what is in the message.
    before = with_start_code(timed);
    append(&before, with_start_code(slice));
    fail_unless(passed(h.get(), before) == with_start_code(slice));
    Bytes first = with_start_code(set), cleaned = first;
    append(&first, before);
    append(&cleaned, with_start_code(expected));
    append(&cleaned, with_start_code(slice));
    fail_unless(passed(h.get(), first) == cleaned);
    // It holds for the buffers that follow.
    after = with_start_code(expected);
    append(&after, with_start_code(slice));
    fail_unless(passed(h.get(), before) == after);
  }
}
GST_END_TEST

GST_START_TEST(test_description_of_h264) {
  const auto unit = [](const Bytes& bytes) { return with_length(bytes, 2); };
  const auto record = [&](uint8_t profile, const std::vector<Bytes>& units, uint8_t first) {
    Bytes all = {1, profile, 0, 30, 0xff, static_cast<uint8_t>(0xe0 | first)};
    for (uint8_t i = 0; i < first; ++i) append(&all, unit(units[i]));
    all.push_back(static_cast<uint8_t>(units.size() - first));
    for (size_t i = first; i < units.size(); ++i) append(&all, unit(units[i]));
    return all;
  };
  const auto seen = [](const Bytes& description) {
    const CapsRef caps(gst_caps_from_string("video/x-h264, stream-format=avc, alignment=au"));
    const BufferRef data(gst_buffer_new_memdup(description.data(), description.size()));
    gst_caps_set_simple(caps.get(), "codec_data", GST_TYPE_BUFFER, data.get(), nullptr);
    const HarnessRef h = gate_with(nullptr, nullptr);
    gst_harness_set_src_caps(h.get(), gst_caps_ref(caps.get()));
    const CapsRef out(gst_pad_get_current_caps(h->sinkpad));
    return bytes_of(gst_value_get_buffer(
        gst_structure_get_value(gst_caps_get_structure(out.get(), 0), "codec_data")));
  };
  const Bytes set = {0x67, 66, 0, 30}, picture_set = {0x68, 7},
              canary = {'C', 'A', 'N', 'A', 'R', 'Y'};
  const auto longer = [&](Bytes bytes) {
    append(&bytes, canary);
    return bytes;
  };
  constexpr uint8_t baseline = 66, high = 100;
  const Bytes plain = record(baseline, {set, picture_set}, 1);
  fail_unless(seen(plain) == plain);
  fail_unless(seen(longer(plain)) == plain);
  fail_unless(seen(record(baseline, {secret_sei(), set, secret_sei(), picture_set}, 2)) == plain);
  Bytes extended = record(high, {set, picture_set}, 1);
  append(&extended, {0xfd, 0xf8, 0xf8, 0});
  fail_unless(seen(extended) == extended);
  fail_unless(seen(longer(extended)) == extended);
}
GST_END_TEST

GST_START_TEST(test_delimiters_are_short) {
  const HarnessRef h = gate_with(nullptr, "video/x-h264, stream-format=avc3, alignment=au");
  const auto unit = [](const Bytes& bytes) { return with_length(bytes, 4); };
  Bytes before, after;
  for (const Bytes& one : {Bytes{9, 0xf0}, Bytes{9, 'C', 'A', 'N', 'A', 'R', 'Y'}, slice,
                           Bytes{10, 'C', 'A', 'N', 'A', 'R', 'Y'}, Bytes{11}})
    append(&before, unit(one));
  for (const Bytes& one : {Bytes{9, 0xf0}, slice, Bytes{11}}) append(&after, unit(one));
  fail_unless(passed(h.get(), before) == after);
}
GST_END_TEST

GST_START_TEST(test_messages_in_the_description_of_h265) {
  Bytes description(22, 1);
  description[21] = 0xff;
  const auto array = [&](uint8_t type, const Bytes& unit) {
    append(&description, {type, 0, 1, 0, static_cast<uint8_t>(unit.size())});
    append(&description, unit);
  };
  description.push_back(2);
  array(0x80 | 33, {0x42, 1, 7});
  const size_t without = description.size();
  array(0x80 | 39, {0x4e, 1, 5, 6, 'C', 'A', 'N', 'A', 'R', 'Y', 0x80});
  const CapsRef caps(gst_caps_from_string("video/x-h265, stream-format=hvc1, alignment=au"));
  const BufferRef data(gst_buffer_new_memdup(description.data(), description.size()));
  gst_caps_set_simple(caps.get(), "codec_data", GST_TYPE_BUFFER, data.get(), nullptr);
  const HarnessRef h = gate_with(nullptr, nullptr);
  gst_harness_set_src_caps(h.get(), gst_caps_ref(caps.get()));
  const CapsRef out(gst_pad_get_current_caps(h->sinkpad));
  const GValue* value = gst_structure_get_value(gst_caps_get_structure(out.get(), 0), "codec_data");
  Bytes seen = bytes_of(gst_value_get_buffer(value));
  fail_unless_equals_int(seen.size(), without);
  fail_unless_equals_int(seen[22], 1);
  const Bytes prefix = {0, 0, 0, 3, 0x4e, 1, 0x80}, picture_unit = {0, 0, 0, 3, 0x26, 1, 0x80};
  fail_unless(!passed(h.get(), prefix));
  fail_unless(passed(h.get(), picture_unit) == picture_unit);
}
GST_END_TEST

GST_START_TEST(test_klv) {
  const auto klv = [](double at_latitude, double at_longitude, bool identity) {
    Bytes bytes = {6, 14, 43, 52, 2, 11, 1, 1, 14, 1, 3, 1, 1, 0, 0, 0, 0};
    const auto item = [&](uint8_t tag, Bytes value) {
      append(&bytes, {tag, static_cast<uint8_t>(value.size())});
      append(&bytes, value);
    };
    const auto degrees = [](double value, double most) {
      const auto number =
          static_cast<uint32_t>(static_cast<int32_t>(std::round(value / most * 2147483647.0)));
      return Bytes{static_cast<uint8_t>(number >> 24), static_cast<uint8_t>(number >> 16),
                   static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)};
    };
    if (identity) {
      item(2, Bytes(8, 9));
      item(3, {'C', 'A', 'N', 'A', 'R', 'Y'});
    }
    if (at_latitude != 0) {
      item(13, degrees(at_latitude, 90));
      item(14, degrees(at_longitude, 180));
    }
    if (identity) item(15, {1, 2});
    item(65, {12});
    append(&bytes, {1, 2});
    bytes[16] = static_cast<uint8_t>(bytes.size() + 2 - 17);
    uint16_t sum = 0;
    for (size_t i = 0; i < bytes.size(); ++i)
      sum = static_cast<uint16_t>(sum + (i % 2 ? bytes[i] : bytes[i] << 8));
    append(&bytes, {static_cast<uint8_t>(sum >> 8), static_cast<uint8_t>(sum)});
    return bytes;
  };
  const Bytes whole = klv(latitude, longitude, true);
  const auto through = [&](const char* consent, const Bytes& bytes) {
    return passed(gate_with(consent, "meta/x-klv, parsed=true").get(), bytes);
  };
  fail_unless(through(nullptr, whole) == klv(0, 0, false));
  fail_unless(through(city_given, whole) == klv(39.9, 116.4, false));
  fail_unless(through(all_given, whole) == whole);
  Bytes other = whole;
  other[12] = 7;  // another set
  fail_unless(!through(nullptr, other));
  Bytes cut = whole;
  cut.resize(cut.size() - 5);
  fail_unless(!through(nullptr, cut));
}
GST_END_TEST

/// Packets of captions can have a time code, which may be the time of day.
GST_START_TEST(test_captions) {
  const auto packet = [](const Bytes& sections, uint8_t flags) {
    Bytes bytes = {0x96, 0x69, 0, 0x3f, flags, 0x12, 0x34};
    append(&bytes, sections);
    append(&bytes, {0x74, 0x12, 0x34});
    bytes[2] = static_cast<uint8_t>(bytes.size() + 1);
    uint8_t sum = 0;
    for (const uint8_t byte : bytes) sum = static_cast<uint8_t>(sum + byte);
    bytes.push_back(static_cast<uint8_t>(-sum));
    return bytes;
  };
  const auto joined = [](const std::vector<Bytes>& parts) {
    Bytes all;
    for (const Bytes& part : parts) append(&all, part);
    return all;
  };
  const Bytes code = {0x71, 0xd4, 0x83, 0xa7, 0x05},
              words = {0x72, 0xe2, 0xfc, 0x94, 0x2c, 0xfd, 0x80, 0x80},
              services = {0x73, 0xd1, 0x80, 'e', 'n', 'g', 0x7e, 0x3f, 0xff},
              future = {0x75, 2, 'X', 'Y'};
  const Bytes told = packet(joined({code, words, services, future}), 0xf7);
  const char* caps = "closedcaption/x-cea-708, format=cdp";
  fail_unless(passed(gate_with(nullptr, caps).get(), told) ==
              packet(joined({words, services}), 0x77));
  fail_unless(passed(gate_with(location_given, caps).get(), told) ==
              packet(joined({words, services}), 0x77));
  fail_unless(passed(gate_with(device_given, caps).get(), told) ==
              packet(joined({code, words, services}), 0xf7));
  fail_unless(passed(gate_with(all_given, caps).get(), told) == told);
  const Bytes plain = packet(words, 0x43);
  fail_unless(passed(gate_with(nullptr, caps).get(), plain) == plain);
  for (size_t size = 1; size < told.size(); ++size)
    fail_if(passed(gate_with(nullptr, caps).get(),
                   Bytes(told.begin(), told.begin() + static_cast<std::ptrdiff_t>(size))));
  const Bytes bare = {0xfc, 0x94, 0x2c};
  fail_unless(passed(gate_with(nullptr, "closedcaption/x-cea-708, format=cc_data").get(), bare) ==
              bare);
}
GST_END_TEST

GST_START_TEST(test_text_becomes_gaps) {
  for (const char* caps :
       {"text/x-raw, format=utf8", "application/x-onvif-metadata", "meta/x-id3"}) {
    const HarnessRef h = gate_with(nullptr, caps);
    fail_unless(!passed(h.get(), Bytes{'C', 'A', 'N', 'A', 'R', 'Y'}));
    bool gap = false;
    while (const EventRef event{gst_harness_try_pull_event(h.get())})
      gap = gap || GST_EVENT_TYPE(event.get()) == GST_EVENT_GAP;
    fail_unless(gap);
    const HarnessRef open = gate_with(all_given, caps);
    fail_unless(passed(open.get(), Bytes{'h', 'i'}).has_value());
  }
}
GST_END_TEST

GST_START_TEST(test_what_can_not_be_examined_is_refused) {
  const Bytes bytes = {'C', 'A', 'N', 'A', 'R', 'Y'};
  const char* refused[] = {"video/quicktime",
                           "application/x-rtp, media=video",
                           "video/x-h264, stream-format=byte-stream",
                           "video/x-h264, stream-format=byte-stream, alignment=au",
                           "video/x-h264, stream-format=avc, alignment=au",
                           "video/x-av1",
                           "image/jpeg",
                           "application/octet-stream"};
  for (const char* caps : refused) {
    const HarnessRef h = gate_with(nullptr, caps);
    fail_unless(gst_harness_push(h.get(), buffer_of(bytes).release()) == GST_FLOW_ERROR, "%s",
                caps);
    fail_unless(!BufferRef(gst_harness_try_pull(h.get())));
    const HarnessRef open = gate_with(all_given, caps);
    fail_unless(passed(open.get(), bytes) == bytes, "%s", caps);
  }
}
GST_END_TEST

GST_START_TEST(test_empty_buffers) {
  for (const char* caps :
       {raw, "meta/x-klv", "image/jpeg", "audio/x-opus, channel-mapping-family=0", "text/x-raw",
        "video/x-h264, stream-format=byte-stream, alignment=au",
        "video/x-h265, stream-format=hev1, alignment=au"}) {
    const HarnessRef h = gate_with(nullptr, caps);
    const GstFlowReturn flow = gst_harness_push(h.get(), gst_buffer_new());
    fail_unless(flow == (g_str_equal(caps, "image/jpeg") ? GST_FLOW_ERROR : GST_FLOW_OK), "%s",
                caps);
  }
}
GST_END_TEST

GST_START_TEST(test_headers_with_comments) {
  const Bytes head = {'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  Bytes comment = {'O', 'p', 'u', 's', 'T', 'a', 'g', 's', 1, 0, 0,
                   0,   'v', 1,   0,   0,   0,   10,  0,   0, 0};
  append(&comment, {'A', '=', 'C', 'A', 'N', 'A', 'R', 'Y', '1', '2'});
  const CapsRef caps(gst_caps_from_string("audio/x-opus, channel-mapping-family=0"));
  GValue headers = G_VALUE_INIT;
  g_value_init(&headers, GST_TYPE_ARRAY);
  for (const Bytes& one : {head, comment}) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, GST_TYPE_BUFFER);
    gst_value_take_buffer(&value, buffer_of(one).release());
    gst_value_array_append_and_take_value(&headers, &value);
  }
  gst_structure_take_value(gst_caps_get_structure(caps.get(), 0), "streamheader", &headers);
  const HarnessRef h = gate_with(nullptr, nullptr);
  gst_harness_set_src_caps(h.get(), gst_caps_ref(caps.get()));
  const CapsRef out(gst_pad_get_current_caps(h->sinkpad));
  const GValue* seen =
      gst_structure_get_value(gst_caps_get_structure(out.get(), 0), "streamheader");
  fail_unless(seen && gst_value_array_get_size(seen) == 2);
  for (guint i = 0; i < 2; ++i)
    fail_unless(
        leaks_in(bytes_of(gst_value_get_buffer(gst_value_array_get_value(seen, i)))).empty());
  const auto in_band = passed(h.get(), comment);
  fail_unless(in_band && leaks_in(*in_band).empty());
  fail_unless(passed(h.get(), Bytes{0x78, 1, 2}) == Bytes({0x78, 1, 2}));
}
GST_END_TEST

GST_START_TEST(test_elements_linked_later_get_what_is_allowed) {
  const HarnessRef h = gate_with(all_given, "video/x-vp8, streamheader=(buffer)<43414e415259>");
  push_tags(h.get(), place_tags());
  push(h.get(), picture);
  set_consent(h->element, nullptr);
  push(h.get(), picture);
  const GstRef<GstPad> src(gst_element_get_static_pad(h->element, "src"));
  std::string all;
  gst_pad_sticky_events_foreach(
      src.get(),
      [](GstPad*, GstEvent** event, gpointer text) -> gboolean {
        if (const GstStructure* content = gst_event_get_structure(*event)) {
          g_autofree char* written = gst_structure_to_string(content);
          *static_cast<std::string*>(text) += written;
        }
        return TRUE;
      },
      &all);
  fail_unless(all.find("walk") != std::string::npos);
  fail_unless(leaks_in(all).empty() && all.find("43414e") == std::string::npos, "%s", all.c_str());
}
GST_END_TEST

static Suite* spheregeogate_suite() {
  Suite* s = suite_create("spheregeogate");
  TCase* tc = tcase_create("parts");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_tags_by_class);
  tcase_add_test(tc, test_what_can_be_withdrawn_never_has_the_scope_of_a_stream);
  tcase_add_test(tc, test_withdrawal_replaces_the_tags);
  tcase_add_test(tc, test_the_purpose_counts);
  tcase_add_test(tc, test_descriptions_of_streams);
  tcase_add_test(tc, test_custom_events);
  tcase_add_test(tc, test_metas);
  tcase_add_test(tc, test_metas_of_format);
  tcase_add_test(tc, test_messages_of_coded_video);
  tcase_add_test(tc, test_messages_in_the_description_of_h265);
  tcase_add_test(tc, test_time_codes_of_h264);
  tcase_add_test(tc, test_description_of_h264);
  tcase_add_test(tc, test_delimiters_are_short);
  tcase_add_test(tc, test_klv);
  tcase_add_test(tc, test_captions);
  tcase_add_test(tc, test_text_becomes_gaps);
  tcase_add_test(tc, test_what_can_not_be_examined_is_refused);
  tcase_add_test(tc, test_empty_buffers);
  tcase_add_test(tc, test_headers_with_comments);
  tcase_add_test(tc, test_elements_linked_later_get_what_is_allowed);
  return s;
}
GST_CHECK_MAIN(spheregeogate)
