// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/feed.h"

#include <gst/video/video-event.h>

#include <utility>

namespace sphere::live {

namespace {

// A muxer waits for sound as long as it can come. Where a source stops sending sound, the gap is
// told this much behind the pictures.
constexpr GstClockTime longest_silence = 600 * GST_MSECOND, sound_behind = 300 * GST_MSECOND;

using SampleRef = std::unique_ptr<GstSample, MiniObjectUnref>;

/// A running time of the sample's segment; NONE if it is before its begin or there is none.
GstClockTime running_time(GstSample* sample, GstClockTime time) {
  const GstSegment* segment = gst_sample_get_segment(sample);
  if (!GST_CLOCK_TIME_IS_VALID(time) || !segment || segment->format != GST_FORMAT_TIME) return time;
  guint64 running = 0;
  if (gst_segment_to_running_time_full(segment, GST_FORMAT_TIME, time, &running) <= 0)
    return GST_CLOCK_TIME_NONE;
  return running;
}

/// The same memory with running times.
BufferRef with_running_times(GstSample* sample) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  const GstClockTime pts = running_time(sample, GST_BUFFER_PTS(buffer));
  const GstClockTime dts = running_time(sample, GST_BUFFER_DTS(buffer));
  BufferRef copy(gst_buffer_copy(buffer));
  GST_BUFFER_PTS(copy.get()) = pts;
  GST_BUFFER_DTS(copy.get()) = dts;
  return copy;
}

SampleRef sample_of(GstBuffer* buffer, GstCaps* caps) {
  return SampleRef(gst_sample_new(buffer, caps, nullptr, nullptr));
}

/// Whether an element that has taken the one has to be made anew for the other.
bool is_other_picture(const GstCaps* before, const GstCaps* after) {
  const GstStructure* one = gst_caps_get_structure(before, 0);
  const GstStructure* other = gst_caps_get_structure(after, 0);
  for (const char* field : {"width", "height", "stream-format"}) {
    const GValue* value = gst_structure_get_value(one, field);
    const GValue* now = gst_structure_get_value(other, field);
    if (value && now && gst_value_compare(value, now) != GST_VALUE_EQUAL) return true;
  }
  return gst_structure_get_name_id(one) != gst_structure_get_name_id(other);
}

}  // namespace

void Feed::watch_video(GstAppSink* sink, std::function<void()> end) {
  end_ = std::move(end);
  video_pad_.reset(gst_element_get_static_pad(GST_ELEMENT(sink), "sink"));
  GstAppSinkCallbacks callbacks = {};
  callbacks.new_sample = [](GstAppSink* of, gpointer self) {
    if (const SampleRef sample{gst_app_sink_pull_sample(of)})
      static_cast<Feed*>(self)->take_video(sample.get());
    return GST_FLOW_OK;
  };
  callbacks.eos = [](GstAppSink*, gpointer self) {
    const auto* feed = static_cast<Feed*>(self);
    if (feed->end_) feed->end_();
  };
  gst_app_sink_set_callbacks(sink, &callbacks, this, nullptr);
}

void Feed::watch_audio(GstAppSink* sink) {
  GstAppSinkCallbacks callbacks = {};
  callbacks.new_sample = [](GstAppSink* of, gpointer self) {
    if (const SampleRef sample{gst_app_sink_pull_sample(of)})
      static_cast<Feed*>(self)->take_audio(sample.get());
    return GST_FLOW_OK;
  };
  gst_app_sink_set_callbacks(sink, &callbacks, this, nullptr);
}

void Feed::request_key_frame() {
  if (coded_ && video_pad_)
    gst_pad_push_event(video_pad_.get(),
                       gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
}

void Feed::connect(GstAppSrc* video, GstAppSrc* audio) {
  {
    const Lock lock(mutex_);
    video_.reset(GST_APP_SRC(gst_object_ref(video)));
    audio_.reset(audio ? GST_APP_SRC(gst_object_ref(audio)) : nullptr);
    element_caps_.reset();
    begin_ = GST_CLOCK_TIME_NONE;
    needs_new_element_ = flowing_ = dropping_ = false;
    connected_before_ = true;
  }
  request_key_frame();
}

void Feed::disconnect() {
  GstRef<GstAppSrc> video, audio;
  const Lock lock(mutex_);
  video = std::move(video_);
  audio = std::move(audio_);
  flowing_ = dropping_ = false;
}

void Feed::end() {
  const GstRef<GstAppSrc> video = target(true), audio = target(false);
  disconnect();
  if (video) gst_app_src_end_of_stream(video.get());
  if (audio) gst_app_src_end_of_stream(audio.get());
}

GstRef<GstAppSrc> Feed::target(bool video) const {
  const Lock lock(mutex_);
  GstAppSrc* source = video ? video_.get() : audio_.get();
  return GstRef<GstAppSrc>(source ? GST_APP_SRC(gst_object_ref(source)) : nullptr);
}

GstClockTime Feed::queued() const {
  const GstRef<GstAppSrc> video = target(true);
  return video ? gst_app_src_get_current_level_time(video.get()) : 0;
}

CapsRef Feed::caps() const {
  const Lock lock(mutex_);
  return CapsRef(caps_ ? gst_caps_ref(caps_.get()) : nullptr);
}

void Feed::take_video(GstSample* sample) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  GstCaps* caps = gst_sample_get_caps(sample);
  if (!buffer || !caps) return;
  GstRef<GstAppSrc> source, sound;
  bool other = false;
  {
    const Lock lock(mutex_);
    if (caps != caps_.get()) caps_.reset(gst_caps_ref(caps));
    if (video_) source.reset(GST_APP_SRC(gst_object_ref(video_.get())));
    if (audio_) sound.reset(GST_APP_SRC(gst_object_ref(audio_.get())));
    other =
        element_caps_ && caps != element_caps_.get() && is_other_picture(element_caps_.get(), caps);
  }
  if (!source) {
    // Before the first connection nothing is missed.
    if (connected_before_) ++dropped_;
    return;
  }
  const bool key = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  const GstClockTime waiting = gst_app_src_get_current_level_time(source.get());
  if (other && !takes_new_sizes_) needs_new_element_ = true;
  if (needs_new_element_ || (!flowing_ && !key)) return;
  if (dropping_ || waiting > most_queued) {
    if (!dropping_ || !key || waiting > enough_room) {
      // Nothing after it can be decoded before the next key frame.
      if (dropping_ && !key && waiting <= enough_room) request_key_frame();
      dropping_ = true;
      ++dropped_;
      return;
    }
    dropping_ = false;
  }
  BufferRef stamped = with_running_times(sample);
  const GstClockTime time = GST_BUFFER_PTS(stamped.get());
  if (!GST_CLOCK_TIME_IS_VALID(time)) return;
  if (!flowing_) {
    begin_ = time;
    sound_end_ = time;
    GST_BUFFER_FLAG_SET(stamped.get(), GST_BUFFER_FLAG_DISCONT);
  }
  const size_t size = gst_buffer_get_size(stamped.get());
  {
    const Lock lock(mutex_);
    if (video_.get() != source.get()) return;
    element_caps_.reset(gst_caps_ref(caps));
    flowing_ = true;
  }
  gst_app_src_push_sample(source.get(), sample_of(stamped.get(), caps).get());
  ++frames_;
  bytes_ += size;
  if (const GstRef<GstClock> clock{gst_element_get_clock(GST_ELEMENT(source.get()))}) {
    const GstClockTime now = gst_clock_get_time(clock.get());
    const GstClockTime due = time + gst_element_get_base_time(GST_ELEMENT(source.get()));
    delay_ = now > due ? now - due : 0;
  }
  if (sound) fill_gap(sound.get(), time);
}

void Feed::fill_gap(GstAppSrc* audio, GstClockTime time) {
  const GstClockTime from = sound_end_;
  if (time < from + longest_silence) return;
  const GstClockTime to = time - sound_behind;
  sound_end_ = to;
  gst_element_send_event(GST_ELEMENT(audio), gst_event_new_gap(from, to - from));
}

void Feed::take_audio(GstSample* sample) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  GstCaps* caps = gst_sample_get_caps(sample);
  if (!buffer || !caps || !flowing_) return;
  const GstRef<GstAppSrc> source = target(false);
  if (!source || gst_app_src_get_current_level_time(source.get()) > most_queued) return;
  BufferRef stamped = with_running_times(sample);
  const GstClockTime time = GST_BUFFER_PTS(stamped.get());
  const GstClockTime length =
      GST_BUFFER_DURATION_IS_VALID(stamped.get()) ? GST_BUFFER_DURATION(stamped.get()) : 0;
  if (!GST_CLOCK_TIME_IS_VALID(time) || !GST_CLOCK_TIME_IS_VALID(begin_) || time < begin_) return;
  const size_t size = gst_buffer_get_size(stamped.get());
  gst_app_src_push_sample(source.get(), sample_of(stamped.get(), caps).get());
  sound_end_ = time + length;
  bytes_ += size;
}

}  // namespace sphere::live
