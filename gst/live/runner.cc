// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/runner.h"

#include <gst/base/gstbasesink.h>

#include <algorithm>
#include <utility>

#include "gst/sphere/base/iterator.h"

namespace sphere::live {

namespace {

constexpr GstClockTime bus_interval = 50 * GST_MSECOND;
constexpr int64_t short_wait = 50'000;
// How long the sound may be behind the pictures when the stream ends.
constexpr int64_t longest_sound_delay = 600'000;
// A sink that takes nothing for this long while data waits is opened anew: the other end hangs.
constexpr int64_t longest_stall = 8'000'000;
// A network that passes nothing: after the first of these times it is told, after the second a new
// connection is tried. The kernel would repeat what it sent to the old one at longer and longer
// intervals.
constexpr int64_t told_unanswered = 1'500'000, longest_unanswered = 4'000'000;
constexpr int64_t answer_interval = 250'000;
constexpr int64_t longest_without_attempt = 60 * G_USEC_PER_SEC;

GstAppSrc* add_source(GstElement* pipeline, GstElement* bin, const char* pad) {
  GstElement* source = gst_element_factory_make("appsrc", nullptr);
  if (!source) return nullptr;
  // Never blocks: the feed looks how much waits, and drops.
  g_object_set(source, "format", GST_FORMAT_TIME, "is-live", TRUE, "block", FALSE, "max-bytes",
               guint64{0}, "min-latency", static_cast<gint64>(Feed::latency), "emit-signals", FALSE,
               nullptr);
  gst_bin_add(GST_BIN(pipeline), source);
  return gst_element_link_pads(source, "src", bin, pad) ? GST_APP_SRC(source) : nullptr;
}

/// Key frames that the element asks for are made by the encoder of the other pipeline.
GstPadProbeReturn forward_key_request(GstPad*, GstPadProbeInfo* info, gpointer feed) {
  const GstStructure* asked = gst_event_get_structure(GST_PAD_PROBE_INFO_EVENT(info));
  if (asked && gst_structure_has_name(asked, "GstForceKeyUnit"))
    static_cast<Feed*>(feed)->request_key_frame();
  return GST_PAD_PROBE_OK;
}

GstBusSyncReply pass_on(GstBus*, GstMessage* message, gpointer output) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
    static_cast<Output*>(output)->take_error(message);
  return GST_BUS_PASS;
}

template <typename Function>
void for_each_sink(GstElement* pipeline, Function take) {
  for (const auto& element : objects_of<GstElement>(gst_bin_iterate_recurse(GST_BIN(pipeline))))
    if (!GST_IS_BIN(element.get()) && GST_OBJECT_FLAG_IS_SET(element.get(), GST_ELEMENT_FLAG_SINK))
      take(element.get());
}

}  // namespace

Runner::Runner(const Target& target, std::unique_ptr<Output> output)
    : target_(target), output_(std::move(output)), feed_(output_->needs()) {}

void Runner::stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void Runner::start(GstClock* clock, GstClockTime base_time, const StreamInfo& stream,
                   std::function<void()> changed) {
  clock_.reset(GST_CLOCK(gst_object_ref(clock)));
  base_time_ = base_time;
  changed_ = std::move(changed);
  update_stream(stream);
  thread_ = std::thread([this] { run(); });
}

void Runner::set_stream(const StreamInfo& stream) {
  update_stream(stream);
  anew_ = true;
}

void Runner::update_stream(const StreamInfo& stream) {
  const Lock lock(mutex_);
  stream_ = stream;
}

StreamInfo Runner::stream() const {
  const Lock lock(mutex_);
  return stream_;
}

void Runner::resume(GstClockTime base_time) {
  const GstClockTime paused = base_time - base_time_, before = feed_.set_paused(paused);
  const Lock lock(mutex_);
  stream_.utc_of_running_time_0 += static_cast<int64_t>(paused - before) / 1000;
}

void Runner::finish() { finish_ = true; }

OutputStatus Runner::status() const {
  OutputStatus status;
  {
    const Lock lock(mutex_);
    status.state = state_;
    status.words = words_;
    status.reconnects = reconnects_;
    status.sound = stream_.audio && output_->needs().audio != AudioForm::none;
  }
  status.unanswered = unanswered_;
  status.frames = feed_.frames();
  status.dropped = feed_.dropped();
  status.bytes = feed_.bytes();
  status.latency = latency_;
  if (!GST_CLOCK_TIME_IS_VALID(status.latency)) status.latency = feed_.delay();
  if (status.state == OutputState::waiting || status.state == OutputState::ended)
    status.latency = GST_CLOCK_TIME_NONE;
  output_->describe(&status);
  return status;
}

void Runner::set_state(OutputState state, const std::string& words) {
  {
    const Lock lock(mutex_);
    if (state_ == state && words_ == words) return;
    state_ = state;
    words_ = words;
    reconnects_ = attempts_.reconnects();
  }
  if (changed_) changed_();
}

void Runner::pause(int64_t microseconds) {
  const int64_t until = g_get_monotonic_time() + microseconds;
  for (int64_t left = microseconds; left > 0 && !stop_ && !finish_ && !anew_;
       left = until - g_get_monotonic_time())
    g_usleep(static_cast<gulong>(std::min(left, short_wait)));
}

void Runner::wait_for_chance() {
  const int64_t until = g_get_monotonic_time() + longest_without_attempt;
  while (!stop_ && !finish_ && !anew_ && !output_->has_chance() && g_get_monotonic_time() < until)
    g_usleep(static_cast<gulong>(short_wait));
}

void Runner::run() {
  while (!stop_ && !finish_) {
    set_state(OutputState::connecting, failure_);
    const End end = run_once();
    if (end == End::anew) continue;
    if (end == End::failed && !stop_ && !finish_) {
      const int64_t wait = attempts_.failed(g_get_monotonic_time());
      set_state(OutputState::waiting, failure_);
      pause(wait);
      wait_for_chance();
      continue;
    }
    if (end == End::final) {
      set_state(OutputState::ended, failure_);
      done_ = true;
      if (changed_) changed_();
      return;
    }
    break;
  }
  set_state(OutputState::ended, failure_);
  done_ = true;
  if (changed_) changed_();
}

Runner::End Runner::run_once() {
  anew_ = false;
  StreamInfo stream = this->stream();
  if (output_->needs().audio == AudioForm::none) stream.audio = false;
  Result<GstElement*> opened = output_->open(stream);
  if (!opened) {
    failure_ = target_.without_secrets(opened.error().message);
    return output_->is_final() ? End::final : End::failed;
  }
  const GstRef<GstElement> pipeline(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline.get()));
  gst_bus_set_sync_handler(bus.get(), pass_on, output_.get(), nullptr);
  gst_bin_add(GST_BIN(pipeline.get()), *opened);
  gst_pipeline_use_clock(GST_PIPELINE(pipeline.get()), clock_.get());
  gst_element_set_start_time(pipeline.get(), GST_CLOCK_TIME_NONE);
  gst_element_set_base_time(pipeline.get(), base_time_);
  GstAppSrc* video = add_source(pipeline.get(), *opened, "video");
  GstAppSrc* audio = stream.audio ? add_source(pipeline.get(), *opened, "audio") : nullptr;
  End end = End::failed;
  if (!video || (stream.audio && !audio)) {
    failure_ = "the element of this output takes no stream of this form";
  } else {
    const GstRef<GstPad> pad(gst_element_get_static_pad(GST_ELEMENT(video), "src"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, forward_key_request, &feed_,
                      nullptr);
    watch_sinks(pipeline.get());
    const bool started =
        gst_element_set_state(pipeline.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
    failure_ = "it can't be started";
    if (started) {
      failure_.clear();
      feed_.connect(video, audio);
      if (changed_) changed_();
      end = watch(pipeline.get());
    } else {
      const MessageRef error(gst_bus_timed_pop_filtered(bus.get(), 0, GST_MESSAGE_ERROR));
      if (error) read_error(error.get());
      if (output_->is_final()) end = End::final;
    }
  }
  feed_.disconnect();
  unanswered_ = false;
  gst_bus_set_flushing(bus.get(), TRUE);
  if (end == End::failed) output_->abandon();
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  latency_ = GST_CLOCK_TIME_NONE;
  output_->closed(end == End::finished ? Output::Closed::ended
                  : end == End::anew   ? Output::Closed::replaced
                                       : Output::Closed::broken);
  return end;
}

void Runner::read_error(GstMessage* message) {
  failure_ = output_->explain(message);
  if (failure_.empty()) {
    g_autoptr(GError) error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    failure_ = printable(error ? error->message : "", Error::max_message);
  }
  failure_ = target_.without_secrets(failure_);
}

Runner::End Runner::watch(GstElement* pipeline) {
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline));
  constexpr auto wanted =
      static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS | GST_MESSAGE_LATENCY);
  bool running = false, ending = false, reopening = false;
  int64_t end_by = 0, sound_by = 0, asked_at = 0, moved_at = g_get_monotonic_time();
  uint64_t moved = 0;
  while (!stop_) {
    const MessageRef message(gst_bus_timed_pop_filtered(bus.get(), bus_interval, wanted));
    const int64_t now = g_get_monotonic_time();
    if (message) switch (GST_MESSAGE_TYPE(message.get())) {
        case GST_MESSAGE_ERROR:
          // Where nothing may be missing, what had not been written is missed.
          if (ending && !output_->needs().gapless) return reopening ? End::anew : End::finished;
          read_error(message.get());
          return output_->is_final() || (ending && !reopening) ? End::final : End::failed;
        case GST_MESSAGE_EOS:
          if (ending) return reopening ? End::anew : End::finished;
          failure_ = "the other end wants no more";
          return End::failed;
        default:
          gst_bin_recalculate_latency(GST_BIN(pipeline));
      }
    if (!ending && (finish_ || anew_ || feed_.needs_new_element())) {
      ending = true;
      reopening = !finish_;
      // Without a picture there is nothing to end, and some muxers would wait for one.
      if (!feed_.flowing()) return reopening ? End::anew : End::finished;
      end_by = now + static_cast<int64_t>(GST_TIME_AS_USECONDS(end_timeout));
      sound_by = now + longest_sound_delay;
      feed_.end();
    }
    if (ending) {
      if (now > sound_by) feed_.end_sound();
      if (now > end_by) {
        failure_ = "it did not end in time, and was cut off";
        return reopening ? End::failed : End::final;
      }
      continue;
    }
    const std::optional<uint64_t> sent = rendered(pipeline);
    const uint64_t at = sent.value_or(feed_.flowing() ? feed_.frames() + 1 : 0);
    if (at != moved || !feed_.dropping()) {
      moved = at;
      moved_at = now;
    } else if (now - moved_at > longest_stall) {
      failure_ = "the other end has taken nothing for 8 s";
      return End::failed;
    }
    if (!running && at > 1 && output_->accepted()) {
      running = true;
      attempts_.running(now);
      failure_.clear();
    }
    if (running && now - asked_at >= answer_interval) {
      asked_at = now;
      const int64_t unanswered = output_->unanswered();
      unanswered_ = unanswered > told_unanswered;
      if (unanswered > longest_unanswered) {
        failure_ = "the network passes nothing: no answer for 4 s";
        return End::failed;
      }
    }
    if (running && unanswered_)
      set_state(OutputState::failing, "the network passes nothing at the moment");
    else if (running)
      set_state(feed_.dropping() ? OutputState::failing : OutputState::running,
                feed_.dropping() ? "it takes the stream too slowly: pictures are dropped" : "");
  }
  return End::stopped;
}

void Runner::watch_sinks(GstElement* pipeline) {
  for_each_sink(pipeline, [this](GstElement* sink) {
    const GstRef<GstPad> pad(gst_element_get_static_pad(sink, "sink"));
    if (pad)
      gst_pad_add_probe(
          pad.get(),
          static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
          measure, this, nullptr);
  });
}

GstPadProbeReturn Runner::measure(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<Runner*>(data);
  GstBuffer* buffer = nullptr;
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
    if (gst_buffer_list_length(list)) buffer = gst_buffer_list_get(list, 0);
  } else {
    buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  }
  if (!buffer || !GST_BUFFER_PTS_IS_VALID(buffer)) return GST_PAD_PROBE_OK;
  const bool keeps_times = self->output_->needs().keeps_times;
  const GstClockTime time = keeps_times ? GST_BUFFER_PTS(buffer) : self->feed_.last();
  const GstClockTime due = self->base_time_ + self->feed_.paused() + time;
  const GstClockTime now = gst_clock_get_time(self->clock_.get());
  if (now >= due) self->latency_ = now - due + (keeps_times ? 0 : self->feed_.queued());
  return GST_PAD_PROBE_OK;
}

std::optional<uint64_t> Runner::rendered(GstElement* pipeline) const {
  std::optional<uint64_t> all;
  for_each_sink(pipeline, [&all](GstElement* sink) {
    if (!GST_IS_BASE_SINK(sink)) return;
    GstStructure* stats = nullptr;
    g_object_get(sink, "stats", &stats, nullptr);
    guint64 count = 0;
    if (stats && gst_structure_get_uint64(stats, "rendered", &count)) all = all.value_or(0) + count;
    if (stats) gst_structure_free(stats);
  });
  return all;
}

}  // namespace sphere::live
