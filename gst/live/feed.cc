// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/feed.h"

#include <gst/video/video-event.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "gst/live/silence.h"

namespace sphere::live {

namespace {

// How long the sound may be behind the pictures at the end of a part.
constexpr GstClockTime longest_wait_for_sound = 300 * GST_MSECOND;
// More than a second of coded sound.
constexpr size_t most_early = 64;
// What is kept between two parts; more means that the next one can't be opened.
constexpr size_t most_held = 32 << 20;
// A muxer waits for sound as long as it can come. If a source sends no sound for `longest_silence`,
// silence follows the pictures at the distance `sound_behind`. Not gap events alone: some muxers
// do not know them, and a track without data can be refused.
constexpr GstClockTime longest_silence = 600 * GST_MSECOND, sound_behind = 300 * GST_MSECOND;
// Of sound that is later than that all the time; pictures wait for it.
constexpr GstClockTime most_behind = 1500 * GST_MSECOND;
// Where a stream jumps ahead, not all of the time that it left out is filled up.
constexpr GstClockTime most_silence = 10 * GST_SECOND;
// Of a picture that does not tell its duration.
constexpr GstClockTime usual_duration = GST_SECOND / 30;

using SampleRef = std::unique_ptr<GstSample, MiniObjectUnref>;

/// A running time of the sample's segment, which is negative before its begin; nothing if there is
/// none.
std::optional<int64_t> running_time(GstSample* sample, GstClockTime time) {
  if (!GST_CLOCK_TIME_IS_VALID(time)) return std::nullopt;
  const GstSegment* segment = gst_sample_get_segment(sample);
  if (!segment || segment->format != GST_FORMAT_TIME) return static_cast<int64_t>(time);
  guint64 running = 0;
  const int sign = gst_segment_to_running_time_full(segment, GST_FORMAT_TIME, time, &running);
  if (sign == 0) return std::nullopt;
  return sign * static_cast<int64_t>(running);
}

/// The same memory with running times, which are later by `shift`.
BufferRef with_running_times(GstSample* sample, GstClockTime shift) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  const auto later = [shift](std::optional<int64_t> time, int64_t least) {
    const int64_t shifted = time.value_or(-1) + static_cast<int64_t>(shift);
    return time && *time >= least && shifted >= 0 ? static_cast<GstClockTime>(shifted)
                                                  : GST_CLOCK_TIME_NONE;
  };
  BufferRef copy(gst_buffer_copy(buffer));
  // What is before the segment's begin is not shown, but it may be decoded there.
  GST_BUFFER_PTS(copy.get()) = later(running_time(sample, GST_BUFFER_PTS(buffer)), 0);
  GST_BUFFER_DTS(copy.get()) = later(running_time(sample, GST_BUFFER_DTS(buffer)), INT64_MIN);
  return copy;
}

SampleRef sample_of(GstBuffer* buffer, GstCaps* caps) {
  return SampleRef(gst_sample_new(buffer, caps, nullptr, nullptr));
}

/// Whether an element that has taken the one has to be made anew for the other: their kind or one
/// of these fields is another.
bool is_other(const GstCaps* before, const GstCaps* after,
              std::initializer_list<const char*> fields) {
  const GstStructure* one = gst_caps_get_structure(before, 0);
  const GstStructure* other = gst_caps_get_structure(after, 0);
  for (const char* field : fields) {
    const GValue* value = gst_structure_get_value(one, field);
    const GValue* now = gst_structure_get_value(other, field);
    if (value && now && gst_value_compare(value, now) != GST_VALUE_EQUAL) return true;
  }
  return gst_structure_get_name_id(one) != gst_structure_get_name_id(other);
}

bool is_other_picture(const GstCaps* before, const GstCaps* after) {
  return is_other(before, after, {"width", "height", "stream-format"});
}

bool is_other_sound(const GstCaps* before, const GstCaps* after) {
  return is_other(before, after, {"rate", "channels", "codec_data"});
}

}  // namespace

Feed::Feed(const OutputNeeds& needs)
    : takes_new_sizes_(needs.takes_new_sizes),
      coded_(needs.video != VideoForm::raw),
      gapless_(needs.gapless),
      sound_form_(needs.audio),
      part_length_(static_cast<GstClockTime>(needs.part_seconds * GST_SECOND)) {}

Feed::~Feed() {
  const Lock lock(mutex_);
  clear_held();
  clear_early();
}

void Feed::clear_early() {
  for (GstSample* sample : early_) gst_sample_unref(sample);
  early_.clear();
}

void Feed::push_early(GstAppSrc* audio) {
  for (;;) {
    SampleRef sample;
    {
      const Lock lock(mutex_);
      if (early_.empty()) {
        pushing_early_ = false;
        return;
      }
      sample.reset(early_.front());
      early_.pop_front();
    }
    push(audio, sample.get(), false);
  }
}

void Feed::clear_held() {
  for (const Held& one : held_) gst_sample_unref(one.sample);
  held_.clear();
  held_bytes_ = 0;
  hold_from_ = GST_CLOCK_TIME_NONE;
}

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
  watch_flushes(video_pad_.get(), [](GstPad*, GstPadProbeInfo* info, gpointer self) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    gboolean restarts = FALSE;
    if (GST_EVENT_TYPE(event) != GST_EVENT_FLUSH_STOP) return GST_PAD_PROBE_OK;
    gst_event_parse_flush_stop(event, &restarts);
    auto* feed = static_cast<Feed*>(self);
    if (restarts) feed->restarted_ = true;
    feed->flushed_ = true;
    return GST_PAD_PROBE_OK;
  });
}

void Feed::watch_flushes(GstPad* pad, GstPadProbeCallback take) {
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_FLUSH, take, this, nullptr);
}

void Feed::watch_audio(GstAppSink* sink) {
  audio_pad_.reset(gst_element_get_static_pad(GST_ELEMENT(sink), "sink"));
  GstAppSinkCallbacks callbacks = {};
  callbacks.new_sample = [](GstAppSink* of, gpointer self) {
    if (const SampleRef sample{gst_app_sink_pull_sample(of)})
      static_cast<Feed*>(self)->take_audio(sample.get());
    return GST_FLOW_OK;
  };
  gst_app_sink_set_callbacks(sink, &callbacks, this, nullptr);
  watch_flushes(audio_pad_.get(), [](GstPad*, GstPadProbeInfo* info, gpointer self) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP)
      static_cast<Feed*>(self)->sound_flushed(event);
    return GST_PAD_PROBE_OK;
  });
}

void Feed::sound_flushed(GstEvent* stop) {
  gboolean restarts = FALSE;
  gst_event_parse_flush_stop(stop, &restarts);
  if (!restarts) return;
  const Lock lock(mutex_);
  sound_waits_ = !GST_CLOCK_TIME_IS_VALID(next_sound_shift_);
  if (sound_waits_)
    clear_early();
  else
    sound_shift_ = std::exchange(next_sound_shift_, GST_CLOCK_TIME_NONE);
}

void Feed::request_key_frame() {
  if (coded_ && video_pad_)
    gst_pad_push_event(video_pad_.get(),
                       gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
}

void Feed::connect(GstAppSrc* video, GstAppSrc* audio) {
  bool kept = false;
  {
    const Lock sound(sound_mutex_);
    sent_caps_.reset();
    silent_ = false;
  }
  {
    const Lock lock(mutex_);
    kept = !held_.empty();
    video_.reset(GST_APP_SRC(gst_object_ref(video)));
    audio_.reset(audio ? GST_APP_SRC(gst_object_ref(audio)) : nullptr);
    element_caps_.reset();
    begin_ = end_at_ = GST_CLOCK_TIME_NONE;
    needs_new_element_ = flowing_ = dropping_ = false;
    connected_before_ = true;
    pushing_held_ = kept;
    if (!kept) clear_held();
  }
  if (!kept) {
    request_key_frame();
    return;
  }
  // What has been kept goes first. What comes meanwhile is kept, too, until nothing is left.
  for (;;) {
    std::unique_ptr<GstSample, MiniObjectUnref> sample;
    bool is_video = false;
    {
      const Lock lock(mutex_);
      if (held_.empty()) {
        hold_from_ = GST_CLOCK_TIME_NONE;
        pushing_held_ = false;
        held_bytes_ = 0;
        return;
      }
      sample.reset(held_.front().sample);
      is_video = held_.front().video;
      held_.pop_front();
    }
    push(is_video ? video : audio, sample.get(), is_video);
  }
}

void Feed::disconnect() {
  GstRef<GstAppSrc> video, audio;
  const Lock lock(mutex_);
  video = std::move(video_);
  audio = std::move(audio_);
  flowing_ = dropping_ = false;
}

void Feed::end() {
  GstRef<GstAppSrc> video;
  bool cut = false;
  {
    const Lock lock(mutex_);
    video = std::move(video_);
    cut = GST_CLOCK_TIME_IS_VALID(hold_from_);
  }
  end_at_ = last_.load();
  if (video) gst_app_src_end_of_stream(video.get());
  bool silent = false;
  if (const GstRef<GstAppSrc> audio = cut ? nullptr : target(false)) {
    const Lock sound(sound_mutex_);
    silent = silent_ || !sent_caps_;
    if (silent) put_silence(audio.get(), end_at_);
  }
  // Between two parts the sound has come to the cut before.
  if (cut || silent || sound_end_ >= end_at_) end_sound();
}

void Feed::end_sound() {
  GstRef<GstAppSrc> audio;
  {
    const Lock lock(mutex_);
    audio = std::move(audio_);
  }
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

bool Feed::hold(GstSample* sample, bool video) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  const GstClockTime time = GST_BUFFER_PTS(buffer);
  const Lock lock(mutex_);
  if (!GST_CLOCK_TIME_IS_VALID(hold_from_)) return false;
  // Sound from before the cut belongs to the element that is there still. Once the sound has come
  // to the cut, or can't be waited for any longer, that one can end.
  if (!video && time < hold_from_) return false;
  const bool complete = !video || !audio_ || time > hold_from_ + longest_wait_for_sound;
  if (complete && !pushing_held_) needs_new_element_ = true;
  held_bytes_ += gst_buffer_get_size(buffer);
  if (held_bytes_ > most_held) {
    clear_held();
    needs_new_element_ = true;
    return true;
  }
  held_.push_back({video, gst_sample_ref(sample)});
  return true;
}

/// In a film whose pictures are coded in another order, the first ones are to be decoded before the
/// time 0, which muxers can't write. All is later by that then, sound, too.
void Feed::begin(GstSample* first) {
  begun_ = true;
  flushed_ = restarted_ = false;
  const GstClockTime dts = GST_BUFFER_DTS(gst_sample_get_buffer(first));
  const int64_t early = -running_time(first, dts).value_or(0);
  shift_ = early > 0 ? static_cast<GstClockTime>(early) : 0;
  const Lock lock(mutex_);
  sound_waits_ = false;
  set_sound_shift(shift_);
}

/// After a seek, for example.
void Feed::begin_after_flush(GstSample* first) {
  flushed_ = false;
  if (!restarted_.exchange(false)) return;
  const GstClockTime dts = GST_BUFFER_DTS(gst_sample_get_buffer(first));
  const int64_t early = -running_time(first, dts).value_or(0);
  shift_ = std::max<GstClockTime>(pictures_end_, sound_end_) +
           (early > 0 ? static_cast<GstClockTime>(early) : 0);
  const Lock lock(mutex_);
  if (!sound_waits_) {
    next_sound_shift_ = shift_;
    return;
  }
  sound_waits_ = false;
  pushing_early_ = audio_ && !early_.empty();
  set_sound_shift(shift_);
}

/// Sound that has waited for this is later by the difference.
void Feed::set_sound_shift(GstClockTime shift) {
  const GstClockTime more = shift - sound_shift_;
  sound_shift_ = shift;
  if (more == 0) return;
  for (GstSample*& sample : early_) {
    const BufferRef later = with_running_times(sample, more);
    gst_sample_unref(
        std::exchange(sample, sample_of(later.get(), gst_sample_get_caps(sample)).release()));
  }
}

void Feed::take_video(GstSample* sample) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  GstCaps* caps = gst_sample_get_caps(sample);
  if (!buffer || !caps) return;
  const bool after_flush = begun_ && flushed_;
  if (!begun_)
    begin(sample);
  else if (after_flush)
    begin_after_flush(sample);
  needs_key_ = needs_key_ || after_flush;
  const BufferRef stamped = with_running_times(sample, shift_);
  const GstClockTime time = GST_BUFFER_PTS(stamped.get());
  if (!GST_CLOCK_TIME_IS_VALID(time)) return;
  const SampleRef timed = sample_of(stamped.get(), caps);
  if (hold(timed.get(), true)) return;
  GstRef<GstAppSrc> source;
  bool other = false;
  {
    const Lock lock(mutex_);
    if (caps != caps_.get()) caps_.reset(gst_caps_ref(caps));
    if (video_) source.reset(GST_APP_SRC(gst_object_ref(video_.get())));
    other =
        element_caps_ && caps != element_caps_.get() && is_other_picture(element_caps_.get(), caps);
  }
  if (!source) {
    // Before the first connection and after the end nothing is missed.
    if (connected_before_ && !GST_CLOCK_TIME_IS_VALID(end_at_)) ++dropped_;
    return;
  }
  const bool key = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  const bool due = part_length_ && flowing_ && key && time >= begin_ + part_length_ - GST_MSECOND;
  if ((other && !takes_new_sizes_) || due) {
    if (gapless_ && key) {
      {
        const Lock lock(mutex_);
        hold_from_ = time;
      }
      hold(timed.get(), true);
    } else {
      needs_new_element_ = true;
    }
    return;
  }
  if (needs_new_element_ || ((!flowing_ || needs_key_) && !key)) return;
  needs_key_ = false;
  const GstClockTime waiting = gst_app_src_get_current_level_time(source.get());
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
  push(source.get(), timed.get(), true);
}

void Feed::push(GstAppSrc* source, GstSample* sample, bool video) {
  if (!video) {
    push_sound(source, sample);
    return;
  }
  if (!source) return;
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  const GstClockTime time = GST_BUFFER_PTS(buffer);
  GstRef<GstAppSrc> sound;
  bool first = false, early = false;
  {
    const Lock lock(mutex_);
    // Another element took its place meanwhile. It begins with a key frame.
    if (video_.get() != source) return;
    element_caps_.reset(gst_caps_ref(gst_sample_get_caps(sample)));
    if (audio_) sound.reset(GST_APP_SRC(gst_object_ref(audio_.get())));
    first = !flowing_;
    if (first) begin_ = sound_end_ = time;
    early = pushing_early_ = pushing_early_ || (first && sound);
    if (first && !sound) clear_early();
    flowing_ = true;
  }
  bytes_ += gst_buffer_get_size(buffer);
  gst_app_src_push_sample(source, sample);
  if (early && sound) push_early(sound.get());
  last_ = time;
  const GstClockTime duration =
      GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer) : usual_duration;
  pictures_end_ = std::max<GstClockTime>(pictures_end_, time + duration);
  ++frames_;
  if (const GstRef<GstClock> clock{gst_element_get_clock(GST_ELEMENT(source))}) {
    const GstClockTime now = gst_clock_get_time(clock.get());
    const GstClockTime due = time + gst_element_get_base_time(GST_ELEMENT(source)) + paused_;
    delay_ = now > due ? now - due : 0;
  }
  if (sound) fill_gap(sound.get(), time);
}

void Feed::push_sound(GstAppSrc* audio, GstSample* sample) {
  if (!audio) return;  // kept for an element without a sound track
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  GstCaps* caps = gst_sample_get_caps(sample);
  const GstClockTime time = GST_BUFFER_PTS(buffer);
  if (!flowing_ || time < begin_) return;
  const Lock lock(sound_mutex_);
  if (caps != sound_caps_.get()) {
    sound_caps_.reset(gst_caps_ref(caps));
    const auto packet = silent_packet(caps);
    sound_duration_ = packet ? packet->duration : 0;
  }
  if (sent_caps_ && is_other_sound(sent_caps_.get(), caps)) {
    needs_new_element_ = true;
    return;
  }
  if (silent_) {
    if (time < sound_end_) {
      // Silence is in its place. That of the next time waits for as long as this was late.
      const GstClockTime last = last_;
      if (last > time) sound_delay_ = std::clamp(last - time, sound_delay_, most_behind);
      return;
    }
    put_silence(audio, time);
    silent_ = false;
  }
  sent_caps_.reset(gst_caps_ref(caps));
  bytes_ += gst_buffer_get_size(buffer);
  gst_app_src_push_sample(audio, sample);
  sound_end_ =
      time + (GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer) : sound_duration_);
}

void Feed::fill_gap(GstAppSrc* audio, GstClockTime time) {
  const Lock lock(sound_mutex_);
  const GstClockTime behind = std::max(sound_behind, sound_delay_);
  if (silent_ ? time > behind : time >= sound_end_ + longest_silence - sound_behind + behind)
    put_silence(audio, time - behind);
}

void Feed::put_silence(GstAppSrc* audio, GstClockTime until) {
  CapsRef caps;
  if (const GstCaps* known = sent_caps_ ? sent_caps_.get() : sound_caps_.get())
    caps.reset(gst_caps_copy(known));
  else if (audio_pad_)
    caps.reset(gst_pad_get_current_caps(audio_pad_.get()));
  if (!caps) caps = caps_of_encoded_sound(sound_form_);
  if (!caps || until <= sound_end_) return;
  if (until - sound_end_ > most_silence) sound_end_ = until - most_silence;
  const auto packet = silent_packet(caps.get());
  if (packet) {
    for (; sound_end_ + packet->duration <= until; sound_end_ = sound_end_ + packet->duration) {
      const BufferRef buffer(gst_buffer_new_memdup(packet->bytes.data(), packet->bytes.size()));
      GST_BUFFER_PTS(buffer.get()) = sound_end_;
      GST_BUFFER_DURATION(buffer.get()) = packet->duration;
      gst_app_src_push_sample(audio, sample_of(buffer.get(), caps.get()).get());
      silent_ = true;
    }
  } else {
    // A muxer has to know what sound it is before it is told of a gap in it.
    if (!sent_caps_) gst_app_src_set_caps(audio, caps.get());
    gst_element_send_event(GST_ELEMENT(audio), gst_event_new_gap(sound_end_, until - sound_end_));
    sound_end_ = until;
    silent_ = true;
  }
  if (silent_ && !sent_caps_) sent_caps_ = std::move(caps);
}

void Feed::take_audio(GstSample* sample) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  GstCaps* caps = gst_sample_get_caps(sample);
  if (!buffer || !caps) return;
  const BufferRef stamped = with_running_times(sample, sound_shift_);
  if (!GST_BUFFER_PTS_IS_VALID(stamped.get())) return;
  const SampleRef timed = sample_of(stamped.get(), caps);
  if (hold(timed.get(), false)) return;
  {
    const Lock lock(mutex_);
    if (!flowing_ || pushing_early_ || sound_waits_) {
      early_.push_back(gst_sample_ref(timed.get()));
      if (early_.size() > most_early && sound_waits_) {
        // Only the sound was flushed.
        const GstClockTime begin = GST_BUFFER_PTS(gst_sample_get_buffer(early_.front()));
        set_sound_shift(sound_shift_ + std::max<GstClockTime>(sound_end_, begin) - begin);
        sound_waits_ = false;
        pushing_early_ = flowing_ && audio_;
      } else if (early_.size() > most_early) {
        gst_sample_unref(early_.front());
        early_.pop_front();
      }
      return;
    }
  }
  if (GST_CLOCK_TIME_IS_VALID(end_at_) && GST_BUFFER_PTS(stamped.get()) >= end_at_) {
    end_sound();
    return;
  }
  const GstRef<GstAppSrc> source = target(false);
  if (source && gst_app_src_get_current_level_time(source.get()) <= most_queued)
    push(source.get(), timed.get(), false);
}

}  // namespace sphere::live
