// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/film_pipeline.h"

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#include <memory>

#include "gst/sphere/base/gobject.h"

namespace sphere::tool {

namespace {

using SampleRef = std::unique_ptr<GstSample, Call<gst_sample_unref>>;

/// How pictures look to an encoder, without their size and rate.
std::string raw_form(const GstVideoInfo& info) {
  const CapsRef caps(gst_video_info_to_caps(const_cast<GstVideoInfo*>(&info)));
  const GstStructure* all = gst_caps_get_structure(caps.get(), 0);
  const CapsRef form(gst_caps_new_empty_simple("video/x-raw"));
  for (const char* field : {"format", "colorimetry", "chroma-site"})
    if (const GValue* value = gst_structure_get_value(all, field))
      gst_caps_set_value(form.get(), field, value);
  const GString_ text(gst_caps_to_string(form.get()));
  return text.get();
}

GstPadProbeReturn time_caps(GstPadProbeInfo* info, FilmTask* task) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return GST_PAD_PROBE_OK;
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  GstVideoInfo video;
  if (gst_video_info_from_caps(&video, caps)) task->end.raw = raw_form(video);
  if (!task->rate_numerator) return GST_PAD_PROBE_OK;
  const CapsRef timed(gst_caps_copy(caps));
  gst_caps_set_simple(timed.get(), "framerate", GST_TYPE_FRACTION, task->rate_numerator,
                      task->rate_denominator, nullptr);
  info->data = gst_event_new_caps(timed.get());
  gst_event_unref(event);
  return GST_PAD_PROBE_OK;
}

/// What a probe counts.
struct Timing {
  FilmTask* task;
  uint64_t seen = 0;
};

GstPadProbeReturn time_picture(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* timing = static_cast<Timing*>(data);
  FilmTask* task = timing->task;
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM)
    return time_caps(info, task);
  // All that come before the part have been counted when its first picture comes.
  const uint64_t before = task->counts.settling;
  const uint64_t number = timing->seen++;
  if (number < before) return GST_PAD_PROBE_DROP;
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  info->data = buffer;
  const GstClockTime source = GST_BUFFER_PTS(buffer);
  const uint64_t shown = task->film_time(number - before, source);
  const GstClockTime after = GST_BUFFER_DURATION_IS_VALID(buffer)
                                 ? source + GST_BUFFER_DURATION(buffer)
                                 : GST_CLOCK_TIME_NONE;
  GST_BUFFER_PTS(buffer) = shown;
  if (task->choice.each) {
    if (GST_CLOCK_TIME_IS_VALID(after))
      GST_BUFFER_DURATION(buffer) = task->film_time(number - before + 1, after) - shown;
  } else {
    GST_BUFFER_DURATION(buffer) = task->film_time(number - before + 1, after) - shown;
  }
  return GST_PAD_PROBE_OK;
}

GstFlowReturn write_picture(GstAppSink* sink, gpointer data) {
  auto* task = static_cast<FilmTask*>(data);
  const SampleRef sample(gst_app_sink_pull_sample(sink));
  if (!sample) return GST_FLOW_EOS;
  GstBuffer* picture = gst_sample_get_buffer(sample.get());
  if (task->end.coded.empty()) {
    const GString_ caps(gst_caps_to_string(gst_sample_get_caps(sample.get())));
    task->end.coded = caps.get();
  }
  const GstClockTime shown = gst_segment_to_running_time(gst_sample_get_segment(sample.get()),
                                                         GST_FORMAT_TIME, GST_BUFFER_PTS(picture));
  if (!GST_CLOCK_TIME_IS_VALID(shown)) {
    GST_ELEMENT_ERROR(sink, STREAM, ENCODE, ("the encoder gave a picture without a time"),
                      (nullptr));
    return GST_FLOW_ERROR;
  }
  const uint64_t duration =
      GST_BUFFER_DURATION_IS_VALID(picture) ? GST_BUFFER_DURATION(picture) : 0;
  if (const Status written = task->writer->add(picture, shown, duration); !written) {
    GST_ELEMENT_ERROR(sink, RESOURCE, WRITE, ("%s", written.error().message.c_str()), (nullptr));
    return GST_FLOW_ERROR;
  }
  return GST_FLOW_OK;
}

}  // namespace

void time_pictures(GstPad* pad, FilmTask* task) {
  gst_pad_add_probe(
      pad,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      time_picture, new Timing{task},
      +[](gpointer timing) { delete static_cast<Timing*>(timing); });
}

const char* coded_form(bool hevc) {
  return hevc ? "video/x-h265,stream-format=hvc1,alignment=au"
              : "video/x-h264,stream-format=avc,alignment=au";
}

GstElement* make_part_sink(FilmTask* task) {
  GstElement* sink = gst_element_factory_make("appsink", nullptr);
  if (!sink) return nullptr;
  g_object_set(sink, "sync", FALSE, nullptr);
  GstAppSinkCallbacks callbacks = {};
  callbacks.new_sample = write_picture;
  gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, task, nullptr);
  return sink;
}

}  // namespace sphere::tool
