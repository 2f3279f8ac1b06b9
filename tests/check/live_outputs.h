// SPDX-License-Identifier: LGPL-2.1-or-later
// Outputs for tests of the session: they keep what they get, fail, or block, as a test wants.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gst/app/gstappsink.h>
#include <gst/video/video-event.h>

#include "gst/live/output_parts.h"
#include "gst/live/session.h"

#include <gst/check/gstcheck.h>

namespace sphere::test {

struct Got {
  GstClockTime time, decode_time;
  int64_t at;  ///< when it came, g_get_monotonic_time()
  bool key, silent;
  std::vector<uint8_t> bytes;
};

/// Whether it was taken more than a tenth of a second after `then`, a time of the monotonic clock.
/// When it has arrived depends on the machine, and says little. `all`: of which the fastest one
/// tells how the two clocks differ.
inline bool is_taken_after(int64_t then, const Got& one, const std::vector<Got>& all) {
  int64_t difference = INT64_MAX;
  for (const Got& each : all)
    difference =
        std::min(difference, each.at - static_cast<int64_t>(GST_TIME_AS_USECONDS(each.time)));
  return static_cast<int64_t>(GST_TIME_AS_USECONDS(one.time)) + difference > then + 100'000;
}

/// What one output does, and what it got. Its target is web:PORT, and PORT its number.
struct Recorder {
  live::OutputNeeds needs;
  bool refuses = false;  ///< open() fails
  std::function<void()> before_open;
  int fails_after = 0;  ///< an error after so many pictures; 0: never
  bool keeps_bytes = false;
  std::atomic<int64_t> unanswered = 0;  ///< microseconds

  std::mutex mutex;  // protects what follows
  std::condition_variable changed;
  bool blocks = false;
  std::vector<Got> video, audio;
  std::vector<live::StreamInfo> opened;
  std::vector<int64_t> opened_at;
  int complete = 0, closed = 0;
  GstElement* element = nullptr;  ///< while it is open

  size_t pictures() {
    const std::lock_guard lock(mutex);
    return video.size();
  }
  void set_blocking(bool on) {
    const std::lock_guard lock(mutex);
    blocks = on;
    changed.notify_all();
  }
};

inline std::map<uint16_t, std::unique_ptr<Recorder>>& recorders() {
  static std::map<uint16_t, std::unique_ptr<Recorder>> all;
  return all;
}

class RecordingOutput : public live::Output {
 public:
  explicit RecordingOutput(Recorder& recorder) : recorder_(recorder) {}
  const live::OutputNeeds& needs() const override { return recorder_.needs; }

  Result<GstElement*> open(const live::StreamInfo& stream) override {
    {
      const std::lock_guard lock(recorder_.mutex);
      recorder_.opened.push_back(stream);
      recorder_.opened_at.push_back(g_get_monotonic_time());
    }
    if (recorder_.before_open) recorder_.before_open();
    if (recorder_.refuses) return failed("it is refused; try another one");
    std::string words = "appsink name=video sync=false async=false max-buffers=2 ";
    if (stream.audio) words += "appsink name=audio sync=false async=false max-buffers=2 ";
    auto bin = live::make_output_bin(words);
    if (!bin) return bin;
    count_ = 0;
    for (const char* name : {"video", "audio"}) {
      GstElement* sink = live::child_of(*bin, name);
      if (!sink) continue;
      GstAppSinkCallbacks callbacks = {};
      callbacks.new_sample = take;
      gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, this, nullptr);
    }
    const std::lock_guard lock(recorder_.mutex);
    recorder_.element = *bin;
    return bin;
  }
  int64_t unanswered() override { return recorder_.unanswered; }
  void closed(Closed why) override {
    const std::lock_guard lock(recorder_.mutex);
    recorder_.element = nullptr;
    recorder_.complete += why != Closed::broken;
    ++recorder_.closed;
  }

 private:
  static GstFlowReturn take(GstAppSink* sink, gpointer data) {
    auto* self = static_cast<RecordingOutput*>(data);
    GstSample* sample = gst_app_sink_pull_sample(sink);
    if (!sample) return GST_FLOW_OK;
    GstBuffer* buffer = gst_sample_get_buffer(sample);
    GstMapInfo map;
    gst_buffer_map(buffer, &map, GST_MAP_READ);
    const bool video = std::strcmp(GST_OBJECT_NAME(sink), "video") == 0;
    Got got{GST_BUFFER_PTS(buffer),
            GST_BUFFER_DTS(buffer),
            g_get_monotonic_time(),
            !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT),
            std::all_of(map.data, map.data + map.size, [](uint8_t b) { return b == 0; }),
            {}};
    if (self->recorder_.keeps_bytes) got.bytes.assign(map.data, map.data + map.size);
    gst_buffer_unmap(buffer, &map);
    gst_sample_unref(sample);
    std::unique_lock lock(self->recorder_.mutex);
    (video ? self->recorder_.video : self->recorder_.audio).push_back(std::move(got));
    self->recorder_.changed.wait(lock, [&] { return !self->recorder_.blocks; });
    if (video && self->recorder_.fails_after && ++self->count_ == self->recorder_.fails_after) {
      lock.unlock();
      GST_ELEMENT_ERROR(sink, RESOURCE, WRITE, ("the other end has gone"), (nullptr));
      return GST_FLOW_ERROR;
    }
    return GST_FLOW_OK;
  }

  Recorder& recorder_;
  int count_ = 0;
};

inline Result<std::unique_ptr<live::Output>> make_recording_output(const live::Target& target) {
  return std::unique_ptr<live::Output>(new RecordingOutput(*recorders().at(target.port)));
}

/// A target with a recorder of its own; `host` "" is this machine.
inline live::SessionTarget recorded(uint16_t number, const std::string& host = {}) {
  // In the place of the page's, which other tests try.
  static const live::OutputRegistration ours(live::TargetKind::web, make_recording_output);
  auto& recorder = recorders()[number] = std::make_unique<Recorder>();
  const auto target =
      live::parse_target("web:" + (host.empty() ? "" : host + ":") + std::to_string(number));
  fail_unless(bool(target));
  recorder->needs.audio = live::AudioForm::none;
  recorder->needs.audio_purposes = live::audio_purposes(*target);
  recorder->needs.location_purposes = live::location_purposes(*target);
  return {*target, {}, {}};
}
inline Recorder& recorder(uint16_t number) { return *recorders().at(number); }

/// A session of small test pictures, which is ended when this goes.
class Running {
 public:
  explicit Running(std::vector<live::SessionTarget> targets,
                   const std::string& source = "test:", int width = 320, double fps = 15) {
    options.source.uri = source;
    options.source.width = width;
    options.source.fps = fps;
    options.targets = std::move(targets);
  }
  void start() {
    auto made = live::Session::make(options);
    fail_unless(bool(made), "%s", made ? "" : made.error().message.c_str());
    session = std::move(*made);
    const Status started = session->start();
    fail_unless(bool(started), "%s", started ? "" : started.error().message.c_str());
  }
  ~Running() {
    for (auto& [number, one] : recorders()) one->set_blocking(false);
    session.reset();
  }

  /// Runs it until the condition holds; false after the deadline.
  template <typename Function>
  bool until(Function condition, int seconds = 60) {
    const int64_t end = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
    while (!condition()) {
      if (g_get_monotonic_time() > end || !session->run_for(10)) return condition();
      for (std::string& sentence : session->take_reports()) news.push_back(std::move(sentence));
    }
    return true;
  }
  /// Ends it properly.
  bool finish() {
    session->finish();
    const int64_t end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    while (session->run_for(10))
      if (g_get_monotonic_time() > end) return false;
    return true;
  }
  bool told(const std::string& part) const {
    return std::any_of(news.begin(), news.end(), [&part](const std::string& sentence) {
      return sentence.find(part) != std::string::npos;
    });
  }

  live::SessionOptions options;
  std::unique_ptr<live::Session> session;
  std::vector<std::string> news;
};

inline bool contains(const std::vector<uint8_t>& bytes, std::string_view part) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).find(part) !=
         std::string_view::npos;
}

/// The longest time between two pictures.
inline GstClockTime longest_gap(const std::vector<Got>& pictures) {
  GstClockTime longest = 0;
  for (size_t i = 1; i < pictures.size(); ++i) {
    fail_unless(pictures[i].time > pictures[i - 1].time, "time goes back");
    longest = std::max(longest, pictures[i].time - pictures[i - 1].time);
  }
  return longest;
}

}  // namespace sphere::test
