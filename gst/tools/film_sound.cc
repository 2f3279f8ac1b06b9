// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/film_sound.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/tools/own_pipeline.h"
#include "gst/tools/stitch_reader.h"

namespace sphere::tool {

namespace {

using SampleRef = std::unique_ptr<GstSample, Call<gst_sample_unref>>;

constexpr size_t block_samples = 4096;
constexpr const char* sound_form =
    "audio/x-raw,format=F32LE,rate=48000,channels=2,layout=interleaved";
static_assert(film_sound_rate == 48000 && film_sound_channels == 2);
// A decoder needs some sound before it gives the right one.
constexpr double seek_margin_seconds = 1;
constexpr guint most_buffers = 32;

int64_t samples_of(double seconds) { return std::llround(seconds * film_sound_rate); }
int64_t samples_of(uint64_t nanoseconds) {
  return static_cast<int64_t>(
      gst_util_uint64_scale_round(nanoseconds, film_sound_rate, GST_SECOND));
}

/// The sound of a file from a time on, as samples. Where the file has none, there is silence.
class SoundReader {
 public:
  static Result<std::unique_ptr<SoundReader>> make(const StitchInput& input, double from) {
    std::unique_ptr<SoundReader> reader(new SoundReader);
    if (const Status begun = reader->begin(input, from); !begun) return begun.error();
    return reader;
  }

  /// The samples that follow those of the last call.
  Status read(std::span<float> into) {
    while (!into.empty()) {
      if (left_.empty() && !ended_)
        if (const Status taken = take_next(); !taken) return taken;
      const int64_t gap = left_.empty() ? INT64_MAX : left_at_ - next_;
      if (gap > 0) {
        const auto silent = static_cast<size_t>(
            std::min<int64_t>(gap, static_cast<int64_t>(into.size() / film_sound_channels)));
        std::ranges::fill(into.first(silent * film_sound_channels), 0.0f);
        into = into.subspan(silent * film_sound_channels);
        next_ += static_cast<int64_t>(silent);
        continue;
      }
      const size_t count = std::min(into.size(), left_.size());
      std::ranges::copy(left_.first(count), into.begin());
      into = into.subspan(count);
      left_ = left_.subspan(count);
      left_at_ += static_cast<int64_t>(count / film_sound_channels);
      next_ = left_at_;
    }
    return ok();
  }

 private:
  SoundReader() = default;

  Status begin(const StitchInput& input, double from) {
    name_ = input.path;
    next_ = samples_of(from);
    GstElement* source = pipeline_.add("filesrc");
    GstElement* parser = pipeline_.add("decodebin");
    converter_ = pipeline_.add("audioconvert");
    GstElement* resampler = pipeline_.add("audioresample");
    sink_ = pipeline_.add("appsink");
    if (!pipeline_.missing()) return pipeline_.missing();
    g_object_set(source, "location",
                 ("/proc/self/fd/" + std::to_string(input.descriptor.get())).c_str(), nullptr);
    const CapsRef form(gst_caps_from_string(sound_form));
    g_object_set(sink_, "sync", FALSE, "caps", form.get(), "max-buffers", most_buffers, nullptr);
    // Pictures are not decoded: decodebin is done where the caps are those of sound.
    const CapsRef wanted(gst_caps_from_string("audio/x-raw"));
    g_object_set(parser, "caps", wanted.get(), "expose-all-streams", FALSE, nullptr);
    if (!gst_element_link(source, parser) ||
        !gst_element_link_many(converter_, resampler, sink_, nullptr))
      return failed("the decoder of the sound can't be linked");
    g_signal_connect(
        parser, "pad-added", G_CALLBACK(+[](GstElement*, GstPad* pad, gpointer converter) {
          g_autoptr(GstPad) sink = gst_element_get_static_pad(GST_ELEMENT(converter), "sink");
          if (!gst_pad_is_linked(sink)) gst_pad_link(pad, sink);
        }),
        converter_);
    const std::string problem = pipeline_.prepare();
    if (!problem.empty())
      return failed(name_ + ": its sound can't be decoded: " + problem +
                    "; --no-audio leaves it out");
    // Where this fails, the sound before is decoded and left out.
    if (from > 2 * seek_margin_seconds)
      gst_element_seek_simple(
          pipeline_.get(), GST_FORMAT_TIME,
          static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE),
          static_cast<gint64>((from - seek_margin_seconds) * GST_SECOND));
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    return ok();
  }

  Status take_next() {
    for (;;) {
      sample_.reset(gst_app_sink_pull_sample(GST_APP_SINK(sink_)));
      if (!sample_) {
        ended_ = true;
        const std::string problem = pipeline_.problem();
        if (problem.empty()) return ok();
        return failed(name_ + ": its sound can't be decoded: " + problem +
                      "; --no-audio leaves it out");
      }
      GstBuffer* buffer = gst_sample_get_buffer(sample_.get());
      const GstClockTime time = gst_segment_to_stream_time(gst_sample_get_segment(sample_.get()),
                                                           GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
      const gsize size = gst_buffer_get_size(buffer) / sizeof(float);
      bytes_.resize(size - size % film_sound_channels);
      gst_buffer_extract(buffer, 0, bytes_.data(), bytes_.size() * sizeof(float));
      left_ = bytes_;
      left_at_ = GST_CLOCK_TIME_IS_VALID(time) ? samples_of(static_cast<uint64_t>(time)) : next_;
      // Times of some containers are in whole milliseconds: no gap, and no overlap.
      if (std::abs(left_at_ - next_) <= film_sound_rate / 500) left_at_ = next_;
      const int64_t early = next_ - left_at_;
      const auto have = static_cast<int64_t>(left_.size() / film_sound_channels);
      if (early >= have) continue;
      if (early > 0) {
        left_ = left_.subspan(static_cast<size_t>(early) * film_sound_channels);
        left_at_ = next_;
      }
      return ok();
    }
  }

  OwnPipeline pipeline_;
  std::string name_;
  GstElement* converter_ = nullptr;
  GstElement* sink_ = nullptr;
  SampleRef sample_;
  std::vector<float> bytes_;
  std::span<const float> left_;
  int64_t left_at_ = 0, next_ = 0;
  bool ended_ = false;
};

/// Passes exactly as many samples on as were asked for.
class ExactOutput {
 public:
  ExactOutput(int64_t wanted, const TakeSound& take) : left_(wanted), take_(take) {}
  bool put(std::span<const float> samples) {
    const auto have = static_cast<int64_t>(samples.size() / film_sound_channels);
    const int64_t now = std::min(have, left_);
    left_ -= now;
    return now == 0 || take_(samples.first(static_cast<size_t>(now) * film_sound_channels));
  }
  bool fill() {
    const std::vector<float> silence(block_samples * film_sound_channels);
    while (left_ > 0)
      if (!put(silence)) return false;
    return true;
  }
  bool full() const { return left_ == 0; }

 private:
  int64_t left_;
  const TakeSound& take_;
};

/// Makes sound faster or slower and keeps its pitch.
class TempoChanger {
 public:
  Status begin(double speed) {
    source_ = pipeline_.add("appsrc");
    GstElement* pitch = pipeline_.add("pitch");
    sink_ = pipeline_.add("appsink");
    if (!pipeline_.missing()) return pipeline_.missing();
    const CapsRef form(gst_caps_from_string(sound_form));
    g_object_set(source_, "caps", form.get(), "block", TRUE, nullptr);
    gst_util_set_object_arg(G_OBJECT(source_), "format", "time");
    g_object_set(pitch, "tempo", static_cast<gfloat>(speed), nullptr);
    g_object_set(sink_, "sync", FALSE, nullptr);
    if (!gst_element_link_many(source_, pitch, sink_, nullptr))
      return failed("the sound can't be made faster or slower");
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    return ok();
  }
  void put(std::span<const float> samples) {
    GstBuffer* buffer = gst_buffer_new_memdup(samples.data(), samples.size_bytes());
    GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(given_, GST_SECOND, film_sound_rate);
    given_ += samples.size() / film_sound_channels;
    gst_app_src_push_buffer(GST_APP_SRC(source_), buffer);
  }
  void end() { gst_app_src_end_of_stream(GST_APP_SRC(source_)); }
  /// Hands on what is ready; `all`: waits until everything is.
  bool drain(bool all, ExactOutput* output) {
    for (;;) {
      const SampleRef sample(all ? gst_app_sink_pull_sample(GST_APP_SINK(sink_))
                                 : gst_app_sink_try_pull_sample(GST_APP_SINK(sink_), 0));
      if (!sample) return true;
      GstBuffer* buffer = gst_sample_get_buffer(sample.get());
      std::vector<float> samples(gst_buffer_get_size(buffer) / sizeof(float));
      gst_buffer_extract(buffer, 0, samples.data(), samples.size() * sizeof(float));
      if (!output->put(samples)) return false;
    }
  }

 private:
  OwnPipeline pipeline_;
  GstElement* source_ = nullptr;
  GstElement* sink_ = nullptr;
  uint64_t given_ = 0;
};

bool is_kept(double speed) { return speed >= slowest_sound && speed <= fastest_sound; }

/// One piece of a clip. False in the result: it was stopped.
Result<bool> make_piece(const SoundClip& clip, double from, double speed, int64_t wanted,
                        const TakeSound& take) {
  ExactOutput output(wanted, take);
  if (!has_sound(clip) || !is_kept(speed)) return output.fill();
  Result<std::unique_ptr<SoundReader>> reader = SoundReader::make(*clip.input, from);
  if (!reader) return reader.error();
  std::vector<float> block(block_samples * film_sound_channels);
  if (speed == 1) {
    while (!output.full()) {
      if (const Status read = (*reader)->read(block); !read) return read.error();
      if (!output.put(block)) return false;
    }
    return true;
  }
  TempoChanger changer;
  if (const Status begun = changer.begin(speed); !begun) return begun.error();
  int64_t left = std::llround(static_cast<double>(wanted) * speed);
  while (left > 0) {
    const auto now = static_cast<size_t>(std::min<int64_t>(left, block_samples));
    const auto part = std::span(block).first(now * film_sound_channels);
    if (const Status read = (*reader)->read(part); !read) return read.error();
    changer.put(part);
    left -= static_cast<int64_t>(now);
    if (!changer.drain(false, &output)) return false;
  }
  changer.end();
  return changer.drain(true, &output) && output.fill();
}

}  // namespace

bool has_sound(const SoundClip& clip) { return clip.input->video()->sound_tracks > 0; }

bool leaves_sound_out(const SoundClip& clip) {
  return has_sound(clip) && !std::ranges::all_of(clip.times.pieces(), [](const ClipPiece& piece) {
           return is_kept(piece.speed);
         });
}

Status make_film_sound(const std::vector<SoundClip>& clips, const TakeSound& take) {
  for (const SoundClip& clip : clips) {
    const std::vector<ClipPiece>& pieces = clip.times.pieces();
    const int64_t begin = samples_of(clip.film_begin), end = samples_of(clip.film_end);
    int64_t at = begin;
    for (size_t i = 0; i < pieces.size() && at < end; ++i) {
      const int64_t piece_end =
          i + 1 < pieces.size() ? std::min(end, begin + samples_of(pieces[i + 1].film)) : end;
      const Result<bool> made =
          make_piece(clip, pieces[i].source, pieces[i].speed, piece_end - at, take);
      if (!made) return made.error();
      if (!*made) return ok();
      at = piece_end;
    }
  }
  return ok();
}

}  // namespace sphere::tool
