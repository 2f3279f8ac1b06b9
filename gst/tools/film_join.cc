// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/film_join.h"

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"
#include "gst/tools/encoded_times.h"
#include "gst/tools/film_part.h"
#include "gst/tools/own_pipeline.h"
#include "gst/tools/stitch_reader.h"
#include "gst/tools/stitch_sound.h"

namespace sphere::tool {

namespace {

// Times before zero: pictures are decoded before they are shown, and a time can't be negative.
constexpr GstClockTime shift = 1000 * 3600 * GST_SECOND;
constexpr GstClockTime usual_step = GST_SECOND / 30;
constexpr guint64 most_waiting_bytes = 32 << 20;
constexpr int sound_bitrate = 192000;
// What FFmpeg's encoder of AAC puts before the first sample that it was given.
constexpr int64_t encoder_delay = 1024;
constexpr GstClockTime check_interval = GST_SECOND / 10;

/// When each picture of the film is decoded, so that none is shown before.
class DecodingTimes {
 public:
  /// A further part's pictures, in decoding order; no part shows a picture before those of the part
  /// before it.
  void add(const std::vector<FilmPicture>& pictures) {
    std::vector<uint64_t> shown;
    shown.reserve(pictures.size());
    for (const FilmPicture& picture : pictures) shown.push_back(picture.shown);
    std::ranges::sort(shown);
    for (size_t i = 0; i < pictures.size(); ++i) {
      const auto rank =
          static_cast<size_t>(std::ranges::lower_bound(shown, pictures[i].shown) - shown.begin());
      if (i > rank) depth_ = std::max(depth_, i - rank);
    }
    shown_.insert(shown_.end(), shown.begin(), shown.end());
  }
  /// Of the picture with this number, counted over all parts.
  int64_t at(size_t number) const {
    if (number >= depth_) return static_cast<int64_t>(shown_[number - depth_]);
    const uint64_t step = shown_.size() > 1 ? shown_[1] - shown_[0] : usual_step;
    return static_cast<int64_t>(shown_.front()) -
           static_cast<int64_t>((depth_ - number) * std::max<uint64_t>(step, 1));
  }
  size_t count() const { return shown_.size(); }

 private:
  std::vector<uint64_t> shown_;  ///< in order
  size_t depth_ = 0;
};

GstPadProbeReturn shift_segment(GstPad*, GstPadProbeInfo* info, gpointer) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_SEGMENT) return GST_PAD_PROBE_OK;
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.position = shift;
  info->data = gst_event_new_segment(&segment);
  gst_event_unref(event);
  return GST_PAD_PROBE_OK;
}

/// Sound is put where IN has it, as the pictures are, also where IN does not begin at 0.
GstPadProbeReturn keep_stream_time(GstPad*, GstPadProbeInfo* info, gpointer) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_SEGMENT) return GST_PAD_PROBE_OK;
  GstSegment segment;
  gst_event_copy_segment(event, &segment);
  if (segment.format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID(segment.time))
    return GST_PAD_PROBE_OK;
  segment.base = segment.time;
  info->data = gst_event_new_segment(&segment);
  gst_event_unref(event);
  return GST_PAD_PROBE_OK;
}

class Joiner {
 public:
  explicit Joiner(const FilmJoin& join) : join_(join) {}
  ~Joiner() { stop(); }

  Result<FilmJoined> run(const KeepOn& keep_on, bool* stopped) {
    if (const Status read = read_parts(); !read) return read.error();
    if (const Status built = build(); !built) return built.error();
    const GstRef<GstBus> bus(gst_element_get_bus(pipeline_.get()));
    // From PAUSED to PLAYING, GStreamer goes in another thread, and waits for ever if the system
    // gives it none. Therefore that is done here.
    gst_element_set_state(pipeline_.get(), GST_STATE_PAUSED);
    start_threads();
    for (;;) {
      const MessageRef message(gst_bus_timed_pop_filtered(
          bus.get(), check_interval,
          static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR |
                                      GST_MESSAGE_ASYNC_DONE)));
      if (message && GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) break;
      if (message && GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ASYNC_DONE) {
        gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
      } else if (message) {
        g_autoptr(GError) error = nullptr;
        gst_message_parse_error(message.get(), &error, nullptr);
        stop();
        const std::string problem = taken_problem();
        return failed(problem.empty() ? std::string("the film can't be joined: ") + error->message
                                      : problem);
      }
      if (!keep_on()) {
        *stopped = true;
        stop();
        return failed("interrupted");
      }
    }
    stop();
    const std::string problem = taken_problem();
    if (!problem.empty()) return failed(problem);
    FilmJoined joined{times_.count(), 0, 0, sound_tracks_};
    const GstStructure* form = gst_caps_get_structure(caps_.get(), 0);
    gst_structure_get_int(form, "width", &joined.width);
    gst_structure_get_int(form, "height", &joined.height);
    return joined;
  }

 private:
  Status read_parts() {
    for (const std::string& path : join_.parts) {
      const Result<FilmPart> part = FilmPart::open(path, false);
      if (!part) return Error{part.error().kind, path + ": " + part.error().message};
      if (part->pictures().empty()) continue;
      const CapsRef caps(gst_caps_from_string(part->end().coded.c_str()));
      if (!caps) return invalid(path + ": is damaged");
      if (!caps_) caps_ = CapsRef(gst_caps_copy(caps.get()));
      const GValue* first = description_of(caps_.get());
      const GValue* other = description_of(caps.get());
      if (!first || !other || gst_value_compare(first, other) != GST_VALUE_EQUAL)
        return failed(path + ": was encoded in another form than the parts before it");
      times_.add(part->pictures());
    }
    if (!caps_) return invalid("there is no picture in the film");
    return ok();
  }

  /// What a decoder has to know of coded pictures.
  static const GValue* description_of(GstCaps* caps) {
    return gst_structure_get_value(gst_caps_get_structure(caps, 0), "codec_data");
  }

  Status build() {
    pictures_ = pipeline_.add("appsrc");
    GstElement* queue = pipeline_.add("queue");
    muxer_ = pipeline_.add(muxer_of(join_.container));
    GstElement* sink = pipeline_.add("fdsink");
    if (!pipeline_.missing()) return pipeline_.missing();
    g_object_set(sink, "fd", join_.output, nullptr);
    set_up_source(pictures_, caps_.get());
    g_autoptr(GstPad) source_pad = gst_element_get_static_pad(pictures_, "src");
    gst_pad_add_probe(source_pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, shift_segment, nullptr,
                      nullptr);
    g_autoptr(GstPad) mux_pad = gst_element_request_pad_simple(muxer_, "video_%u");
    g_autoptr(GstPad) queue_pad = gst_element_get_static_pad(queue, "src");
    if (!mux_pad || !gst_element_link(pictures_, queue) ||
        gst_pad_link(queue_pad, mux_pad) != GST_PAD_LINK_OK || !gst_element_link(muxer_, sink))
      return failed("the film's pictures can't be put into a file");
    keep_descriptions_out(mux_pad);
    if (join_.container != ".mkv") {
      if (join_.timescale) g_object_set(mux_pad, "trak-timescale", join_.timescale, nullptr);
      encoded_.watch(mux_pad);
    }
    if (join_.copied) return build_copy(queue_pad);
    return join_.clips.empty() ? ok() : build_sound();
  }

  static void set_up_source(GstElement* source, GstCaps* caps) {
    g_object_set(source, "caps", caps, "block", TRUE, "max-bytes", most_waiting_bytes, nullptr);
    gst_util_set_object_arg(G_OBJECT(source), "format", "time");
  }

  Status build_sound() {
    sound_ = pipeline_.add("appsrc");
    GstElement* converter = pipeline_.add("audioconvert");
    GstElement* encoder = pipeline_.add("avenc_aac");
    GstElement* parser = pipeline_.add("aacparse");
    GstElement* queue = pipeline_.add("queue");
    if (!pipeline_.missing()) return pipeline_.missing();
    const CapsRef form(gst_caps_new_simple("audio/x-raw", "format", G_TYPE_STRING, "F32LE", "rate",
                                           G_TYPE_INT, film_sound_rate, "channels", G_TYPE_INT,
                                           film_sound_channels, "layout", G_TYPE_STRING,
                                           "interleaved", nullptr));
    set_up_source(sound_, form.get());
    g_object_set(encoder, "bitrate", sound_bitrate, nullptr);
    free_queue(queue);
    g_autoptr(GstPad) mux_pad = gst_element_request_pad_simple(muxer_, "audio_%u");
    g_autoptr(GstPad) queue_pad = gst_element_get_static_pad(queue, "src");
    if (!mux_pad || !gst_element_link_many(sound_, converter, encoder, parser, queue, nullptr) ||
        gst_pad_link(queue_pad, mux_pad) != GST_PAD_LINK_OK)
      return failed("the film's sound can't be put into a file");
    keep_descriptions_out(mux_pad);
    sound_tracks_ = 1;
    return ok();
  }

  /// The muxer shall know all tracks before the first picture comes.
  Status build_copy(GstPad* pictures) {
    GstElement* source = pipeline_.add("filesrc");
    GstElement* demuxer = pipeline_.add(demuxer_of(join_.copied->video()->container));
    if (!pipeline_.missing()) return pipeline_.missing();
    if (!gst_element_link(source, demuxer)) return failed("the demuxer can't be linked");
    g_object_set(source, "location",
                 ("/proc/self/fd/" + std::to_string(join_.copied->descriptor.get())).c_str(),
                 nullptr);
    copier_.emplace(GST_BIN(pipeline_.get()), muxer_, join_.container);
    held_ =
        gst_pad_add_probe(pictures, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, nullptr, nullptr, nullptr);
    held_pad_ = GstRef<GstPad>(GST_PAD(gst_object_ref(pictures)));
    g_signal_connect(demuxer, "pad-added", G_CALLBACK(+[](GstElement*, GstPad* pad, gpointer self) {
                       static_cast<Joiner*>(self)->take_track(pad);
                     }),
                     this);
    g_signal_connect(demuxer, "no-more-pads", G_CALLBACK(+[](GstElement*, gpointer data) {
                       auto* self = static_cast<Joiner*>(data);
                       const gulong held = std::exchange(self->held_, 0);
                       if (held) gst_pad_remove_probe(self->held_pad_.get(), held);
                     }),
                     this);
    return ok();
  }

  void take_track(GstPad* pad) {
    const CapsRef caps(gst_pad_get_current_caps(pad));
    if (!caps) return;
    const char* type = gst_structure_get_name(gst_caps_get_structure(caps.get(), 0));
    if (!g_str_has_prefix(type, "audio/")) return;
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, keep_stream_time, nullptr, nullptr);
    if (const Status taken = copier_->take(pad, caps.get()); taken)
      ++sound_tracks_;
    else
      complain(join_.copied->path + ": " + taken.error().message);
  }

  static void free_queue(GstElement* queue) {
    g_object_set(queue, "max-size-buffers", 0u, "max-size-bytes", 0u, "max-size-time", guint64{0},
                 nullptr);
  }

  void start_threads() {
    picture_thread_ = std::thread([this] { feed_pictures(); });
    if (sound_) sound_thread_ = std::thread([this] { feed_sound(); });
  }

  void stop() {
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    if (picture_thread_.joinable()) picture_thread_.join();
    if (sound_thread_.joinable()) sound_thread_.join();
  }

  /// Ends the pipeline with this sentence.
  void complain(const std::string& sentence) {
    {
      Lock lock(mutex_);
      if (problem_.empty()) problem_ = sentence;
    }
    g_autoptr(GError) error = g_error_new_literal(GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, "");
    gst_element_post_message(pipeline_.get(),
                             gst_message_new_error(GST_OBJECT(pipeline_.get()), error, nullptr));
  }
  std::string taken_problem() {
    Lock lock(mutex_);
    return problem_;
  }

  void feed_pictures() {
    size_t number = 0;
    for (const std::string& path : join_.parts) {
      const Result<FilmPart> part = FilmPart::open(path, false);
      if (!part) return complain(path + ": " + part.error().message);
      for (const FilmPicture& picture : part->pictures()) {
        BufferRef buffer = part->read(picture);
        if (!buffer) return complain(path + ": can't be read");
        GST_BUFFER_PTS(buffer.get()) = shift + picture.shown;
        GST_BUFFER_DTS(buffer.get()) =
            static_cast<GstClockTime>(static_cast<gint64>(shift) + times_.at(number++));
        if (gst_app_src_push_buffer(GST_APP_SRC(pictures_), buffer.release()) != GST_FLOW_OK)
          return;
      }
    }
    gst_app_src_end_of_stream(GST_APP_SRC(pictures_));
  }

  void feed_sound() {
    uint64_t given = 0;
    // As much is left out at the beginning as the encoder puts there, so that the rest is in step.
    int64_t left_out = encoder_delay;
    const Status made = make_film_sound(join_.clips, [&](std::span<const float> samples) {
      if (left_out > 0) {
        const auto now = static_cast<size_t>(std::min<int64_t>(
            left_out, static_cast<int64_t>(samples.size() / film_sound_channels)));
        samples = samples.subspan(now * film_sound_channels);
        left_out -= static_cast<int64_t>(now);
      }
      if (samples.empty()) return true;
      GstBuffer* buffer = gst_buffer_new_memdup(samples.data(), samples.size_bytes());
      const uint64_t count = samples.size() / film_sound_channels;
      GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(given, GST_SECOND, film_sound_rate);
      given += count;
      GST_BUFFER_DURATION(buffer) =
          gst_util_uint64_scale(given, GST_SECOND, film_sound_rate) - GST_BUFFER_PTS(buffer);
      return gst_app_src_push_buffer(GST_APP_SRC(sound_), buffer) == GST_FLOW_OK;
    });
    if (!made) return complain(made.error().message);
    gst_app_src_end_of_stream(GST_APP_SRC(sound_));
  }

  const FilmJoin& join_;
  OwnPipeline pipeline_;
  CapsRef caps_;
  DecodingTimes times_;
  EncodedTimes encoded_;
  // Borrowed from the pipeline.
  GstElement* pictures_ = nullptr;
  GstElement* sound_ = nullptr;
  GstElement* muxer_ = nullptr;
  std::optional<SoundCopier> copier_;
  // The demuxer's thread alone touches these once the pipeline runs.
  gulong held_ = 0;
  GstRef<GstPad> held_pad_;
  std::atomic<int> sound_tracks_{0};
  Mutex mutex_;  ///< protects the sentence; held while it is copied
  std::string problem_ SPHERE_GUARDED_BY(mutex_);
  std::thread picture_thread_, sound_thread_;
};

}  // namespace

Result<FilmJoined> join_film(const FilmJoin& join, const KeepOn& keep_on, bool* stopped) {
  Joiner joiner(join);
  return joiner.run(keep_on, stopped);
}

}  // namespace sphere::tool
