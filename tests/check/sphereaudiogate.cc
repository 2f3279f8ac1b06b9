// SPDX-License-Identifier: LGPL-2.1-or-later
// sphereaudiogate: what leaves it, in every form of sound, and while consent comes and goes.

// The standard library comes first: check defines `fail` as a macro.
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gst/audio/audio.h>
#include <gst/check/gstharness.h>

#include "gst/sphere/consent/gstsphereconsent.h"
#include "gst/sphere/consent/guard.h"
#include "tests/check/audiogate.h"
#include "tests/check/pipeline.h"

using namespace sphere::consent;
using sphere::BufferRef;
using sphere::CapsRef;
using sphere::EventRef;
using sphere::GstRef;
using namespace sphere::test;

namespace {

// --- every form ------------------------------------------------------------------------------

GST_START_TEST(test_raw_formats) {
  int tried = 0;
  for (int i = GST_AUDIO_FORMAT_S8; i < GST_AUDIO_FORMAT_F64BE + 1; ++i) {
    const auto format = static_cast<GstAudioFormat>(i);
    for (const char* layout : {"interleaved", "non-interleaved"}) {
      const bool planes = layout[0] == 'n';
      const std::string caps =
          std::string("audio/x-raw, format=") + gst_audio_format_to_string(format) +
          ", rate=48000, channels=3, channel-mask=(bitmask)0x7, layout=" + layout;
      GstAudioInfo info;
      fail_unless(gst_audio_info_from_caps(&info, caps_of(caps).get()));
      constexpr gsize samples = 480;
      const gsize size = samples * GST_AUDIO_INFO_BPF(&info);
      std::vector<uint8_t> silence(size);
      gst_audio_format_info_fill_silence(info.finfo, silence.data(), size);

      const HarnessRef h(gst_harness_new("sphereaudiogate"));
      gst_harness_set_src_caps_str(h.get(), caps.c_str());
      for (const char* consent : {static_cast<const char*>(nullptr), given}) {
        if (consent) set_consent(h->element, consent);
        BufferRef sound = buffer_of(size, 0x5a, consent ? GST_SECOND * 100000 : 0, 10 * ms);
        if (planes) gst_buffer_add_audio_meta(sound.get(), &info, samples, nullptr);
        GstBuffer* mine = gst_buffer_ref(sound.get());
        fail_unless_equals_int(gst_harness_push(h.get(), sound.release()), GST_FLOW_OK);
        const BufferRef out(gst_harness_pull(h.get()));
        if (consent) {
          fail_unless(out.get() == mine, "what is allowed is not the same buffer");
        } else {
          fail_unless(bytes_of(out.get()) == silence, "%s is not silent", caps.c_str());
          fail_unless(GST_BUFFER_FLAG_IS_SET(out.get(), GST_BUFFER_FLAG_GAP));
          fail_unless(GST_BUFFER_PTS(out.get()) == GST_BUFFER_PTS(mine) &&
                      GST_BUFFER_DURATION(out.get()) == GST_BUFFER_DURATION(mine));
          if (planes) {
            GstAudioBuffer map;
            fail_unless(gst_audio_buffer_map(&map, &info, out.get(), GST_MAP_READ));
            fail_unless(map.n_samples == samples && map.n_planes == 3);
            gst_audio_buffer_unmap(&map);
          }
        }
        fail_unless(all_are(bytes_of(mine), 0x5a), "somebody else's memory was written");
        gst_buffer_unref(mine);
        ++tried;
      }
    }
  }
  fail_unless(tried >= 100, "%d", tried);
}
GST_END_TEST

/// All samples of a launch line as S16.
std::vector<int16_t> samples_of(const std::string& line) {
  Pipeline pipeline(
      line +
      " ! audioconvert dithering=none ! audio/x-raw,format=S16LE ! appsink name=sink sync=false");
  pipeline.play();
  std::vector<int16_t> all;
  while (const SampleRef sample = pipeline.pull()) {
    const std::vector<uint8_t> bytes = bytes_of(gst_sample_get_buffer(sample.get()));
    const size_t before = all.size();
    all.resize(before + bytes.size() / 2);
    memcpy(all.data() + before, bytes.data(), bytes.size() / 2 * 2);
  }
  return all;
}

int loudest(const std::vector<int16_t>& samples) {
  int most = 0;
  for (const int16_t s : samples) most = std::max(most, std::abs(static_cast<int>(s)));
  return most;
}

GST_START_TEST(test_codecs) {
  struct {
    const char* encoder;
    const char* decoder;
    int most;
  } const cases[] = {
      {"audio/x-raw,rate=8000,channels=1 ! mulawenc", "mulawdec", 0},
      // A-law has no zero.
      {"audio/x-raw,rate=8000,channels=2 ! alawenc", "alawdec", 8},
      {"audio/x-raw,rate=44100,channels=1 ! avenc_aac", "avdec_aac", 0},
      {"audio/x-raw,rate=48000,channels=2 ! avenc_aac", "avdec_aac", 0},
      {"audio/x-raw,rate=48000,channels=2 ! avenc_aac", "faad", 0},
      {"audio/x-raw,rate=48000,channels=3,channel-mask=(bitmask)0x7 ! avenc_aac", "avdec_aac", 0},
      {"audio/x-raw,rate=48000,channels=4,channel-mask=(bitmask)0x107 ! avenc_aac", "avdec_aac", 0},
      {"audio/x-raw,rate=48000,channels=5,channel-mask=(bitmask)0x37 ! avenc_aac", "avdec_aac", 0},
      {"audio/x-raw,rate=48000,channels=6,channel-mask=(bitmask)0x3f ! avenc_aac", "avdec_aac", 0},
      {"audio/x-raw,rate=16000,channels=2 ! voaacenc ! aacparse ! "
       "audio/mpeg,stream-format=adts,framed=true",
       "avdec_aac", 0},
      {"audio/x-raw,rate=48000,channels=2 ! opusenc frame-size=2.5", "opusdec", 0},
      {"audio/x-raw,rate=48000,channels=1 ! opusenc frame-size=5", "opusdec", 0},
      {"audio/x-raw,rate=48000,channels=2 ! opusenc frame-size=10", "opusdec", 0},
      {"audio/x-raw,rate=48000,channels=2 ! opusenc", "opusdec", 0},
      {"audio/x-raw,rate=16000,channels=1 ! opusenc audio-type=voice bitrate=9000 frame-size=40",
       "opusdec", 0},
      {"audio/x-raw,rate=24000,channels=2 ! opusenc audio-type=voice bitrate=12000 frame-size=60",
       "opusdec", 0},
      {"audio/x-raw,rate=48000,channels=6,channel-mask=(bitmask)0x3f ! opusenc", "opusdec", 0},
  };
  for (const auto& c : cases) {
    const std::string before =
        "audiotestsrc wave=saw num-buffers=40 ! audioconvert ! "
        "audioresample ! " +
        std::string(c.encoder) + " ! ";
    const std::string after = std::string(" ! ") + c.decoder;
    const std::vector<int16_t> sound = samples_of(before + "sphereaudiogate " + with_given + after);
    const std::vector<int16_t> untouched = samples_of(before + "identity" + after);
    const std::vector<int16_t> silence = samples_of(before + "sphereaudiogate" + after);
    fail_unless(loudest(sound) > 1000, "%s", c.encoder);
    fail_unless(sound == untouched, "%s: what is allowed is changed", c.encoder);
    fail_unless(loudest(silence) <= c.most, "%s: %d", c.encoder, loudest(silence));
    fail_unless_equals_int(static_cast<int>(silence.size()), static_cast<int>(sound.size()));
  }
}
GST_END_TEST

/// The last packet that a line gives.
std::vector<uint8_t> last_packet_of(const std::string& line) {
  Pipeline pipeline(line + " ! appsink name=sink sync=false");
  pipeline.play();
  std::vector<uint8_t> last;
  while (const SampleRef sample = pipeline.pull())
    last = bytes_of(gst_sample_get_buffer(sample.get()));
  return last;
}

GST_START_TEST(test_packets_are_the_encoders_own) {
  for (const std::string encoder : {"audio/x-raw,rate=44100,channels=1 ! avenc_aac",
                                    "audio/x-raw,rate=48000,channels=2 ! avenc_aac",
                                    "audio/x-raw,rate=48000,channels=1 ! opusenc bitrate=128000",
                                    "audio/x-raw,rate=48000,channels=2 ! opusenc bitrate=128000"}) {
    const std::vector<uint8_t> ours = last_packet_of(
        "audiotestsrc wave=saw num-buffers=40 ! audioconvert ! " + encoder + " ! sphereaudiogate");
    const std::vector<uint8_t> the_encoders =
        last_packet_of("audiotestsrc wave=silence num-buffers=40 ! audioconvert ! " + encoder);
    fail_unless(!ours.empty() && ours == the_encoders, "%s", encoder.c_str());
  }
}
GST_END_TEST

GST_START_TEST(test_hostile_packets) {
  const HarnessRef h(gst_harness_new("sphereaudiogate"));
  std::mt19937 random(1);
  for (const char* caps :
       {"audio/x-opus, channel-mapping-family=0",
        "audio/mpeg, mpegversion=4, stream-format=adts, framed=true",
        "audio/x-opus, channel-mapping-family=1, stream-count=(int)255, coupled-count=(int)-4",
        "audio/mpeg, mpegversion=4, stream-format=raw, codec_data=(buffer)1190",
        "audio/mpeg, mpegversion=4, stream-format=raw, codec_data=(buffer)17",
        "audio/mpeg, mpegversion=4, stream-format=raw", "audio/mpeg, mpegversion=1, layer=3"}) {
    gst_harness_set_src_caps_str(h.get(), caps);
    for (int i = 0; i < 2000; ++i) {
      BufferRef buffer = buffer_of(random() % 12, 0, static_cast<GstClockTime>(i) * ms, ms);
      GstMapInfo map;
      gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE);
      for (gsize k = 0; k < map.size; ++k) map.data[k] = static_cast<uint8_t>(random());
      gst_buffer_unmap(buffer.get(), &map);
      // A buffer that is marked as a header must also look like one.
      if (i % 3 == 0) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_HEADER);
      const std::vector<uint8_t> in = bytes_of(buffer.get());
      fail_unless_equals_int(gst_harness_push(h.get(), buffer.release()), GST_FLOW_OK);
      while (const BufferRef out{gst_harness_try_pull(h.get())})
        // Silence must not repeat the bytes of the sound, except in packets too short to differ.
        fail_unless(in.size() < 6 || bytes_of(out.get()) != in);
    }
  }
}
GST_END_TEST

// --- gaps, tags, metas -----------------------------------------------------------------------

GST_START_TEST(test_gaps) {
  const char* const cases[] = {
      "audio/x-raw,rate=48000 ! sphereaudiogate name=gate mode=drop",
      "flacenc ! sphereaudiogate name=gate",
      "lamemp3enc ! mpegaudioparse ! sphereaudiogate name=gate",
  };
  for (const char* line : cases) {
    Pipeline pipeline("audiotestsrc num-buffers=40 ! " + std::string(line) +
                      " ! fakesink name=sink sync=false");
    struct Seen {
      int buffers = 0, gaps = 0;
      GstClockTime end = 0;
    } seen;
    const auto probe = [](GstPad*, GstPadProbeInfo* info, gpointer data) {
      auto* seen = static_cast<Seen*>(data);
      if (info->type & GST_PAD_PROBE_TYPE_BUFFER) ++seen->buffers;
      if (info->type & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM &&
          GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_GAP) {
        GstClockTime start = 0, duration = 0;
        gst_event_parse_gap(GST_PAD_PROBE_INFO_EVENT(info), &start, &duration);
        if (seen->gaps++)
          fail_unless(
              ABS(GST_CLOCK_DIFF(start, seen->end)) < static_cast<GstClockTimeDiff>(GST_USECOND),
              "a gap begins at %" G_GUINT64_FORMAT ", not %" G_GUINT64_FORMAT, start, seen->end);
        seen->end = start + duration;
      }
      return GST_PAD_PROBE_OK;
    };
    const sphere::GstRef<GstElement> gate = pipeline.child("gate");
    const sphere::GstRef<GstPad> pad(gst_element_get_static_pad(gate.get(), "src"));
    gst_pad_add_probe(pad.get(),
                      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER |
                                                   GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
                      probe, &seen, nullptr);
    pipeline.play();
    const sphere::GstRef<GstBus> bus(gst_element_get_bus(pipeline.element()));
    std::string warnings;
    int count = 0;
    for (bool ended = false; !ended;) {
      const sphere::MessageRef message(gst_bus_timed_pop_filtered(
          bus.get(), sphere::test::deadline,
          static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING)));
      fail_unless(message && GST_MESSAGE_TYPE(message.get()) != GST_MESSAGE_ERROR);
      ended = GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS;
      if (ended) continue;
      g_autoptr(GError) error = nullptr;
      gst_message_parse_warning(message.get(), &error, nullptr);
      warnings += error->message;
      ++count;
    }
    fail_unless(seen.buffers == 0 && seen.gaps > 5, "%s: %d buffers, %d gaps", line, seen.buffers,
                seen.gaps);
    fail_unless(count == 1 && warnings.find("muxer") != std::string::npos, "%d: '%s'", count,
                warnings.c_str());
  }
}
GST_END_TEST

GST_START_TEST(test_metas_and_flags) {
  const HarnessRef h(gst_harness_new("sphereaudiogate"));
  gst_harness_set_src_caps_str(h.get(),
                               "audio/x-raw, format=S16LE, rate=48000, channels=1, "
                               "layout=interleaved");
  GstTagList* tags = gst_tag_list_new(GST_TAG_TRACK_PEAK, 0.7, GST_TAG_LYRICS, "what was said",
                                      GST_TAG_BITRATE, 1000u, nullptr);
  gst_harness_push_event(h.get(), gst_event_new_tag(gst_tag_list_copy(tags)));
  const auto last_tags = [&] {
    EventRef found;
    while (EventRef event{gst_harness_try_pull_event(h.get())})
      if (GST_EVENT_TYPE(event.get()) == GST_EVENT_TAG) found = std::move(event);
    fail_unless(found != nullptr);
    return found;
  };
  const auto size_of = [](const EventRef& event) {
    GstTagList* list = nullptr;
    gst_event_parse_tag(event.get(), &list);
    return gst_tag_list_n_tags(list);
  };
  fail_unless_equals_int(size_of(last_tags()), 1);

  BufferRef sound = buffer_of(96, 1, 0, ms);
  static const gchar* no_tags[] = {nullptr};
  gst_meta_register_custom("CanaryWordsMeta", no_tags, nullptr, nullptr, nullptr);
  gst_buffer_add_custom_meta(sound.get(), "CanaryWordsMeta");
  gst_buffer_add_audio_level_meta(sound.get(), 20, TRUE);
  gst_buffer_add_audio_clipping_meta(sound.get(), GST_FORMAT_DEFAULT, 3, 0);
  gst_harness_push(h.get(), sound.release());
  const BufferRef out(gst_harness_pull(h.get()));
  fail_unless(!gst_buffer_get_audio_level_meta(out.get()), "how loud it was");
  fail_unless(!gst_buffer_get_custom_meta(out.get(), "CanaryWordsMeta"), "what was said");
  fail_unless(gst_buffer_get_audio_clipping_meta(out.get()) != nullptr);
  fail_unless(!is_active(h->element));

  const HarnessRef open(
      gst_harness_new_parse((std::string("sphereaudiogate ") + with_given).c_str()));
  gst_harness_set_src_caps_str(open.get(),
                               "audio/x-raw, format=S16LE, rate=48000, channels=1, "
                               "layout=interleaved");
  gst_harness_push_event(open.get(), gst_event_new_tag(tags));
  EventRef event;
  for (EventRef next{gst_harness_try_pull_event(open.get())}; next;
       next.reset(gst_harness_try_pull_event(open.get())))
    if (GST_EVENT_TYPE(next.get()) == GST_EVENT_TAG) event = std::move(next);
  fail_unless(event && size_of(event) == 3, "allowed, and tags are missing");
}
GST_END_TEST

GST_START_TEST(test_buffers_without_caps) {
  const HarnessRef h(gst_harness_new("sphereaudiogate"));
  set_consent(h->element, given);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(h.get(), gst_event_new_stream_start("s"));
  gst_harness_push_event(h.get(), gst_event_new_segment(&segment));
  fail_unless_equals_int(gst_harness_push(h.get(), buffer_of(96, 1, 0, ms).release()),
                         GST_FLOW_NOT_NEGOTIATED);
}
GST_END_TEST

// --- files -----------------------------------------------------------------------------------

/// Gives sound from the first second to the third.
GstPadProbeReturn give_for_a_while(GstPad* pad, GstPadProbeInfo* info, gpointer) {
  const GstClockTime pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
  const sphere::GstRef<GstElement> gate(gst_pad_get_parent_element(pad));
  set_consent(gate.get(), pts >= 1 * GST_SECOND && pts < 3 * GST_SECOND ? given : nullptr);
  return GST_PAD_PROBE_OK;
}

GST_START_TEST(test_files) {
  struct {
    const char* audio;
    const char* muxer;
  } const cases[] = {
      {"sphereaudiogate name=gate ! avenc_aac", "mp4mux"},
      {"avenc_aac ! sphereaudiogate name=gate", "mp4mux"},
      {"avenc_aac ! sphereaudiogate name=gate mode=drop", "mp4mux"},
      {"opusenc ! sphereaudiogate name=gate", "matroskamux"},
      {"mulawenc ! sphereaudiogate name=gate", "matroskamux"},
  };
  g_autofree gchar* folder = g_dir_make_tmp("sphere-test-XXXXXX", nullptr);
  g_autofree gchar* path = g_build_filename(folder, "file", nullptr);
  constexpr int rate = 48000, seconds = 4;
  for (const auto& c : cases) {
    {
      Pipeline writing(
          std::string("audiotestsrc wave=saw samplesperbuffer=960 num-buffers=200 ! "
                      "audio/x-raw,rate=48000,channels=1 ! audioconvert ! ") +
          c.audio + " ! queue ! " + c.muxer + " name=m ! filesink location=" + path +
          " videotestsrc num-buffers=100 ! video/x-raw,width=64,height=64,framerate=25/1 ! "
          "x264enc speed-preset=ultrafast ! h264parse ! queue ! m.");
      const sphere::GstRef<GstElement> gate = writing.child("gate");
      const sphere::GstRef<GstPad> pad(gst_element_get_static_pad(gate.get(), "sink"));
      gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, give_for_a_while, nullptr, nullptr);
      const std::string error = writing.run();
      fail_unless(error.empty(), "%s", error.c_str());
    }
    const std::string reading = std::string("filesrc location=") + path + " ! decodebin ! ";
    Pipeline pictures(reading + "videoconvert ! appsink name=sink sync=false");
    pictures.play();
    int count = 0;
    GstClockTime end = 0;
    for (; const SampleRef sample = pictures.pull(); ++count) {
      const GstBuffer* buffer = gst_sample_get_buffer(sample.get());
      end = GST_BUFFER_PTS(buffer) + GST_BUFFER_DURATION(buffer);
    }
    fail_unless_equals_int(count, 100);
    fail_unless(ABS(GST_CLOCK_DIFF(end, seconds * GST_SECOND)) < 50 * GST_MSECOND);
    // Samples are placed by their presentation time, so that a wrong time is noticed.
    Pipeline sound(reading +
                   "audioconvert dithering=none ! audioresample ! "
                   "audio/x-raw,format=S16LE,rate=48000,channels=1 ! appsink name=sink sync=false");
    sound.play();
    std::vector<int16_t> all(rate * (seconds + 1));
    size_t last = 0;
    while (const SampleRef sample = sound.pull()) {
      GstBuffer* buffer = gst_sample_get_buffer(sample.get());
      const std::vector<uint8_t> bytes = bytes_of(buffer);
      const size_t at = gst_util_uint64_scale_round(
          gst_segment_to_running_time(gst_sample_get_segment(sample.get()), GST_FORMAT_TIME,
                                      GST_BUFFER_PTS(buffer)),
          rate, GST_SECOND);
      fail_unless(at + bytes.size() / 2 <= all.size());
      memcpy(all.data() + at, bytes.data(), bytes.size() / 2 * 2);
      last = at + bytes.size() / 2;
    }
    const auto part = [&](double from, double to) {
      return loudest(std::vector<int16_t>(all.begin() + static_cast<int>(from * rate),
                                          all.begin() + static_cast<int>(to * rate)));
    };
    fail_unless(part(0, 0.95) == 0, "%s: %d", c.audio, part(0, 0.95));
    fail_unless(part(1.1, 2.9) > 1000, "%s: %d", c.audio, part(1.1, 2.9));
    fail_unless(part(3.1, 5) == 0, "%s: %d", c.audio, part(3.1, 5));
    const bool dropped = strstr(c.audio, "drop");
    fail_unless(dropped || last > rate * seconds - 5000, "%s ends after %d samples", c.audio,
                static_cast<int>(last));
  }
  g_unlink(path);
  g_rmdir(folder);
}
GST_END_TEST

// --- what was captured while denied ----------------------------------------------------------

GST_START_TEST(test_queued_live) {
  // A harness is a live source with a clock of its own.
  const HarnessRef h(gst_harness_new("sphereaudiogate"));
  gst_harness_set_src_caps_str(h.get(), mono);
  int told = 0;
  const gulong handler = g_signal_connect(
      h->element, "notify::active",
      G_CALLBACK(+[](GstElement*, GParamSpec*, gpointer count) { ++*static_cast<int*>(count); }),
      &told);
  fail_unless(!comes_out(h.get(), 0));
  gst_harness_set_time(h.get(), 10 * GST_SECOND);
  set_consent(h->element, given);
  fail_unless(!comes_out(h.get(), 1 * ms), "captured long before the grant");
  fail_unless(!is_active(h->element));
  fail_unless(!comes_out(h.get(), 9999 * ms), "captured just before the grant");
  fail_unless(comes_out(h.get(), 10000 * ms));
  fail_unless(is_active(h->element) && told == 1);
  gst_harness_set_time(h.get(), 20 * GST_SECOND);
  set_consent(h->element, nullptr);
  fail_unless(!comes_out(h.get(), 10001 * ms), "taken back: also what was captured before");
  fail_unless(!is_active(h->element) && told == 2);
  g_signal_handler_disconnect(h->element, handler);
  // Consent is withdrawn and given again between two buffers.
  set_consent(h->element, given);
  gst_harness_set_time(h.get(), 30 * GST_SECOND);
  fail_unless(!comes_out(h.get(), 29000 * ms));
  fail_unless(comes_out(h.get(), 30000 * ms));
  gst_harness_set_time(h.get(), 40 * GST_SECOND);
  set_consent(h->element, nullptr);
  set_consent(h->element, given);
  fail_unless(!comes_out(h.get(), 30001 * ms));
  // A buffer without a time is silent, because it is not known when it was captured.
  fail_unless_equals_int(
      gst_harness_push(h.get(),
                       buffer_of(96, 7, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE).release()),
      GST_FLOW_OK);
  const BufferRef out(gst_harness_pull(h.get()));
  fail_unless(all_are(bytes_of(out.get()), 0));
}
GST_END_TEST

GST_START_TEST(test_flush) {
  const HarnessRef h(gst_harness_new("sphereaudiogate"));
  gst_harness_set_src_caps_str(h.get(), mono);
  gst_harness_set_time(h.get(), 10 * GST_SECOND);
  set_consent(h->element, given);
  fail_unless(!comes_out(h.get(), 9 * GST_SECOND));
  fail_unless(comes_out(h.get(), 10 * GST_SECOND));
  // As a seek of the whole pipeline does: running time begins anew.
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
  gst_harness_push_event(h.get(), gst_event_new_segment(&segment));
  fail_unless(!comes_out(h.get(), 1 * GST_SECOND), "of before the flush, for all one knows");
  gst_element_set_base_time(h->element, 10 * GST_SECOND);
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
  gst_harness_push_event(h.get(), gst_event_new_segment(&segment));
  fail_unless(comes_out(h.get(), 1 * ms));
  gst_harness_push_event(h.get(), gst_event_new_eos());
  bool ended = false;
  while (const EventRef event{gst_harness_try_pull_event(h.get())})
    ended = GST_EVENT_TYPE(event.get()) == GST_EVENT_EOS;
  fail_unless(ended);
}
GST_END_TEST

GST_START_TEST(test_purpose_while_playing) {
  const HarnessRef h(gst_harness_new("sphereaudiogate"));
  gst_harness_set_src_caps_str(h.get(), mono);
  set_consent(h->element, given);
  GstClockTime pts = 0;
  fail_unless(comes_out(h.get(), pts += ms));
  gst_util_set_object_arg(G_OBJECT(h->element), "purpose", "share");
  fail_unless(!comes_out(h.get(), pts += ms), "given for live, and sent for share");
  fail_unless(!is_active(h->element));
  gst_util_set_object_arg(G_OBJECT(h->element), "purpose", "live");
  fail_unless(comes_out(h.get(), pts += ms));
  // A new purpose counts as a new grant, even if both were given: earlier sound is silent.
  set_consent(h->element, "consent/audio, state=(string)given, purpose=(string){ live, share }");
  fail_unless(comes_out(h.get(), pts += ms));
  gst_harness_set_time(h.get(), 10 * GST_SECOND);
  gst_util_set_object_arg(G_OBJECT(h->element), "purpose", "share");
  fail_unless(!comes_out(h.get(), pts += ms));
  fail_unless(comes_out(h.get(), 10 * GST_SECOND));
}
GST_END_TEST

GST_START_TEST(test_given_from_the_start) {
  // Sound may wait for any time before the gate, because consent was given from the start.
  const HarnessRef h(gst_harness_new_parse((std::string("sphereaudiogate ") + with_given).c_str()));
  gst_harness_set_src_caps_str(h.get(), mono);
  gst_harness_set_time(h.get(), 10 * GST_SECOND);
  fail_unless(comes_out(h.get(), 0));
  fail_unless(comes_out(h.get(), 1 * ms));
}
GST_END_TEST

GST_START_TEST(test_context) {
  Pipeline pipeline("audiotestsrc num-buffers=10 ! sphereaudiogate name=gate ! appsink name=sink");
  GstContext* context = gst_context_new_sphere_consent(caps_of(given).get());
  gst_element_set_context(pipeline.element(), context);
  gst_context_unref(context);
  // An element that is added later gets the context from the pipeline.
  GstElement* late = gst_element_factory_make("sphereaudiogate", "late");
  gst_bin_add(GST_BIN(pipeline.element()), late);
  pipeline.play();
  const SampleRef sample = pipeline.pull();
  fail_unless(sample && !all_are(bytes_of(gst_sample_get_buffer(sample.get())), 0));
  GList* contexts = gst_element_get_contexts(late);
  fail_unless(g_list_length(contexts) == 1);
  g_list_free_full(contexts, [](gpointer one) { gst_context_unref(GST_CONTEXT_CAST(one)); });
  // Both must allow.
  set_consent(pipeline.child("gate").get(), nullptr);
  bool silent = false;
  while (const SampleRef next = pipeline.pull())
    silent = all_are(bytes_of(gst_sample_get_buffer(next.get())), 0);
  fail_unless(silent);
}
GST_END_TEST

GST_START_TEST(test_ledger_fails_closed) {
  Pipeline pipeline("audiotestsrc num-buffers=3 ! sphereaudiogate ledger=/nonesuch/ledger " +
                    std::string(with_given) + " ! appsink name=sink");
  pipeline.play();
  int buffers = 0;
  for (; const SampleRef sample = pipeline.pull(); ++buffers)
    fail_unless(all_are(bytes_of(gst_sample_get_buffer(sample.get())), 0));
  fail_unless_equals_int(buffers, 3);
  fail_unless(pipeline.warning().find("ledger") != std::string::npos);
}
GST_END_TEST

/// What the debug category of consent logs while this object exists.
class Log {
 public:
  Log() {
    gst_debug_set_threshold_for_name("sphereconsent", GST_LEVEL_WARNING);
    gst_debug_add_log_function(hear, this, nullptr);
  }
  ~Log() { gst_debug_remove_log_function_by_data(this); }
  bool says(const char* word) {
    const std::lock_guard lock(mutex_);
    return text_.find(word) != std::string::npos;
  }

 private:
  static void hear(GstDebugCategory* category, GstDebugLevel, const gchar*, const gchar*, gint,
                   GObject*, GstDebugMessage* message, gpointer self) {
    if (g_strcmp0(gst_debug_category_get_name(category), "sphereconsent") != 0) return;
    auto* log = static_cast<Log*>(self);
    const std::lock_guard lock(log->mutex_);
    log->text_ += std::string(gst_debug_message_get(message)) + "\n";
  }
  std::mutex mutex_;
  std::string text_;
};

GST_START_TEST(test_wrong_consent) {
  // gst-launch refuses text that is not caps; caps that give nothing deny.
  g_autoptr(GError) error = nullptr;
  GstElement* made = gst_parse_launch_full(
      "fakesrc ! sphereaudiogate consent=\"consent/audio, state=(\" ! fakesink", nullptr,
      GST_PARSE_FLAG_FATAL_ERRORS, &error);
  fail_unless(!made && error != nullptr);
  struct {
    const char* text;
    const char* reason;
  } const cases[] = {{"ANY", "ANY"},
                     {"EMPTY", nullptr},  // a clear word
                     {"consent/audio, state=yes", "boolean"},
                     {"audio/x-raw", "not a category"}};
  for (const auto& c : cases) {
    Log log;
    Pipeline pipeline("audiotestsrc num-buffers=1 ! sphereaudiogate consent=\"" +
                      std::string(c.text) + "\" ! appsink name=sink");
    pipeline.play();
    const SampleRef sample = pipeline.pull();
    fail_unless(sample && all_are(bytes_of(gst_sample_get_buffer(sample.get())), 0), "%s", c.text);
    const std::string warning = pipeline.warning();
    if (c.reason)
      fail_unless(log.says(c.reason) && warning.find(c.reason) != std::string::npos, "%s", c.text);
    else
      fail_unless(warning.empty(), "%s", warning.c_str());
  }
  // The property is changed while playing: the earlier grant ends, and the log tells the reason.
  const HarnessRef h(gst_harness_new("sphereaudiogate"));
  gst_harness_set_src_caps_str(h.get(), mono);
  GstClockTime pts = 0;
  for (const auto& c : cases) {
    set_consent(h->element, given);
    fail_unless(comes_out(h.get(), pts += ms));
    Log log;
    set_consent(h->element, c.text);
    fail_unless(!comes_out(h.get(), pts += ms), "%s", c.text);
    fail_unless(!c.reason || log.says(c.reason), "%s", c.text);
  }
  // A text that can not be parsed gives NULL caps. Then no other source may give consent.
  GstContext* context = gst_context_new_sphere_consent(caps_of(given).get());
  gst_element_set_context(h->element, context);
  gst_context_unref(context);
  set_consent(h->element, given);
  fail_unless(comes_out(h.get(), pts += ms));
  Log log;
  g_object_set(h->element, "consent", nullptr, nullptr);
  fail_unless(!comes_out(h.get(), pts += ms));
  fail_unless(log.says("set to NULL"));
  set_consent(h->element, given);
  fail_unless(comes_out(h.get(), pts += ms));
  g_object_set(h->element, "ledger", "", nullptr);
  fail_unless(!comes_out(h.get(), pts += ms), "a ledger without a name");
  g_object_set(h->element, "ledger", nullptr, nullptr);
  fail_unless(comes_out(h.get(), pts += ms), "none was named");
}
GST_END_TEST

// The gate is added to a running pipeline, in which sound of unknown consent may be queued.
GST_START_TEST(test_comes_late) {
  Pipeline pipeline("audiotestsrc is-live=true ! fakesink sync=false");
  pipeline.play();
  fail_unless(gst_element_get_state(pipeline.element(), nullptr, nullptr, deadline) !=
              GST_STATE_CHANGE_FAILURE);
  for (const bool live : {true, false}) {
    GstElement* source = gst_element_factory_make("appsrc", nullptr);
    GstElement* gate = gst_element_factory_make("sphereaudiogate", nullptr);
    GstElement* sink = gst_element_factory_make("appsink", live ? "live" : "not-live");
    g_object_set(source, "is-live", live, "format", GST_FORMAT_TIME, "caps", caps_of(mono).get(),
                 nullptr);
    g_object_set(sink, "sync", FALSE, "async", FALSE, nullptr);
    set_consent(gate, given);
    gst_bin_add_many(GST_BIN(pipeline.element()), source, gate, sink, nullptr);
    fail_unless(gst_element_link_many(source, gate, sink, nullptr));
    for (GstElement* one : {sink, gate, source})
      fail_unless(gst_element_sync_state_with_parent(one));
    // Times in the future are not times of capture. Then the first buffer may have been captured
    // before the gate was added, and the second one was not.
    for (const GstClockTime seconds : {0, 1000, 1001}) {
      gst_app_src_push_buffer(GST_APP_SRC(source),
                              buffer_of(96, 7, seconds * GST_SECOND, ms).release());
      const SampleRef sample(gst_app_sink_try_pull_sample(GST_APP_SINK(sink), deadline));
      fail_unless(sample != nullptr);
      const std::vector<uint8_t> bytes = bytes_of(gst_sample_get_buffer(sample.get()));
      if (!live || seconds != 1000) fail_unless(all_are(bytes, live && seconds == 0 ? 0 : 7));
    }
  }
}
GST_END_TEST

// The gate is added by a streaming thread while the pipeline starts: then its elements have a
// clock, but not the time at which it began.
GST_START_TEST(test_comes_at_the_start) {
  const GstRef<GstElement> bin(GST_ELEMENT(gst_object_ref_sink(gst_bin_new(nullptr))));
  const GstRef<GstClock> clock(gst_system_clock_obtain());
  gst_element_set_state(bin.get(), GST_STATE_PAUSED);
  gst_element_set_clock(bin.get(), clock.get());

  GstElement* gate = gst_element_factory_make("sphereaudiogate", nullptr);
  set_consent(gate, given);
  const GstRef<GstPad> source(GST_PAD(gst_object_ref_sink(gst_pad_new("source", GST_PAD_SRC))));
  const GstRef<GstPad> sink(GST_PAD(gst_object_ref_sink(gst_pad_new("sink", GST_PAD_SINK))));
  gst_pad_set_query_function(source.get(), [](GstPad*, GstObject*, GstQuery* query) -> gboolean {
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return FALSE;
    gst_query_set_latency(query, TRUE, 0, GST_CLOCK_TIME_NONE);
    return TRUE;
  });
  static std::vector<uint8_t> heard;
  gst_pad_set_chain_function(sink.get(), [](GstPad*, GstObject*, GstBuffer* buffer) {
    heard = bytes_of(buffer);
    gst_buffer_unref(buffer);
    return GST_FLOW_OK;
  });
  gst_pad_set_active(source.get(), TRUE);
  gst_pad_set_active(sink.get(), TRUE);
  gst_bin_add(GST_BIN(bin.get()), gate);
  const GstRef<GstPad> into(gst_element_get_static_pad(gate, "sink"));
  const GstRef<GstPad> out_of(gst_element_get_static_pad(gate, "src"));
  fail_unless_equals_int(gst_pad_link(source.get(), into.get()), GST_PAD_LINK_OK);
  fail_unless_equals_int(gst_pad_link(out_of.get(), sink.get()), GST_PAD_LINK_OK);
  fail_unless(gst_element_sync_state_with_parent(gate));

  gst_pad_push_event(source.get(), gst_event_new_stream_start("sound"));
  gst_pad_push_event(source.get(), gst_event_new_caps(caps_of(mono).get()));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(source.get(), gst_event_new_segment(&segment));

  gst_element_set_base_time(bin.get(), gst_clock_get_time(clock.get()));
  gst_element_set_state(bin.get(), GST_STATE_PLAYING);
  for (int i = 0; i < 3; ++i) {
    const GstClockTime now = gst_element_get_current_running_time(gate);
    fail_unless_equals_int(gst_pad_push(source.get(), buffer_of(96, 7, now, ms).release()),
                           GST_FLOW_OK);
  }
  fail_unless(all_are(heard, 7));
  gst_element_set_state(bin.get(), GST_STATE_NULL);
}
GST_END_TEST

}  // namespace

static Suite* sphereaudiogate_suite(void) {
  Suite* suite = suite_create("sphereaudiogate");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_raw_formats);
  tcase_add_test(tests, test_codecs);
  tcase_add_test(tests, test_packets_are_the_encoders_own);
  tcase_add_test(tests, test_hostile_packets);
  tcase_add_test(tests, test_gaps);
  tcase_add_test(tests, test_metas_and_flags);
  tcase_add_test(tests, test_buffers_without_caps);
  tcase_add_test(tests, test_files);
  tcase_add_test(tests, test_queued_live);
  tcase_add_test(tests, test_flush);
  tcase_add_test(tests, test_purpose_while_playing);
  tcase_add_test(tests, test_given_from_the_start);
  tcase_add_test(tests, test_context);
  tcase_add_test(tests, test_ledger_fails_closed);
  tcase_add_test(tests, test_wrong_consent);
  tcase_add_test(tests, test_comes_late);
  tcase_add_test(tests, test_comes_at_the_start);
  return suite;
}

GST_CHECK_MAIN(sphereaudiogate)
