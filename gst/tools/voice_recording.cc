// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/voice_recording.h"

#include <gst/app/gstappsink.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gst/sphere/base/thread.h"
#include "gst/tools/bus_watch.h"
#include "gst/tools/end_signals.h"
#include "gst/tools/key_watch.h"

namespace sphere::tool {

namespace {

constexpr GstClockTime longest_start = 60 * GST_SECOND;
// Enough for a voice.
constexpr const char* recorded_form =
    "audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=1 ! audiorate ! "
    "avenc_aac bitrate=128000 ! appsink name=sink sync=false";

using SampleRef = std::unique_ptr<GstSample, Call<gst_sample_unref>>;

Error error_of(GstMessage* message) {
  g_autoptr(GError) error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  std::string sentence = error->message;
  while (!sentence.empty() && (sentence.back() == '.' || sentence.back() == '\n'))
    sentence.pop_back();
  return failed(sentence);
}

/// Two pipelines with one clock: what is shown at a time and what is said at that time have the
/// same running time.
class Recorder {
 public:
  explicit Recorder(const VoiceChoice& voice)
      : voice_(voice), loop_(g_main_loop_new(nullptr, FALSE)) {}
  ~Recorder() {
    over_ = true;
    for (GstElement* pipeline : {film_.get(), sound_.get()})
      if (pipeline) {
        const GstRef<GstBus> bus(gst_element_get_bus(pipeline));
        gst_bus_remove_watch(bus.get());
        gst_element_set_state(pipeline, GST_STATE_NULL);
      }
  }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  Result<RecordedVoice> run(int film) {
    if (const Status built = build_film(film); !built) return built.error();
    if (const Status built = build_sound(); !built) return built.error();
    gst_element_set_state(film_.get(), GST_STATE_PAUSED);
    if (gst_element_get_state(film_.get(), nullptr, nullptr, longest_start) ==
        GST_STATE_CHANGE_FAILURE)
      return first_error(film_.get(), "--voice: the film can't be shown: ");
    if (gst_element_set_state(sound_.get(), GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE)
      return first_error(sound_.get(), "--voice: nothing can be recorded: ");
    watch(film_.get());
    watch(sound_.get());
    const EndSignals signals([this] { stop(failed("interrupted")); });
    if (voice_.has_window())
      print(stderr, "space in the film's window begins; q ends the voice early\n");
    else
      begin();
    g_main_loop_run(loop_.get());
    if (error_) return *error_;
    const Lock lock(mutex_);
    return std::move(recorded_);
  }

 private:
  Status build_film(int film) {
    g_autoptr(GError) error = nullptr;
    const std::string line =
        std::string("filesrc name=file ! decodebin ! videoconvert name=shown ! videoscale ! ") +
        voice_.sink + " name=window";
    film_.reset(gst_parse_launch(line.c_str(), &error));
    if (!film_ || error) {
      film_.reset();
      return invalid(std::string("--voice-sink: ") + error->message);
    }
    gst_object_ref_sink(film_.get());
    const GstRef<GstElement> file(gst_bin_get_by_name(GST_BIN(film_.get()), "file"));
    g_object_set(file.get(), "location", ("/proc/self/fd/" + std::to_string(film)).c_str(),
                 nullptr);
    const GstRef<GstElement> window(gst_bin_get_by_name(GST_BIN(film_.get()), "window"));
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(window.get()), "sync"))
      g_object_set(window.get(), "sync", TRUE, nullptr);
    const GstRef<GstElement> shown(gst_bin_get_by_name(GST_BIN(film_.get()), "shown"));
    const GstRef<GstPad> pad(gst_element_get_static_pad(shown.get(), "src"));
    keys_.emplace(pad.get(), [this](const std::string& key) {
      if (key == "space" || key == "Return")
        begin();
      else if (key == "q" || key == "Escape")
        end_early();
    });
    return ok();
  }

  Status build_sound() {
    g_autoptr(GError) error = nullptr;
    // The gate comes first: what it does not pass is nowhere else.
    const std::string line =
        voice_.source + " ! sphereaudiogate name=gate purpose=edit ! " + recorded_form;
    sound_.reset(gst_parse_launch(line.c_str(), &error));
    if (!sound_ || error) {
      sound_.reset();
      return invalid(std::string("--voice-source: ") + error->message);
    }
    gst_object_ref_sink(sound_.get());
    gate_.reset(gst_bin_get_by_name(GST_BIN(sound_.get()), "gate"));
    if (voice_.consent)
      gst_util_set_object_arg(G_OBJECT(gate_.get()), "consent", voice_.consent->c_str());
    if (voice_.ledger) g_object_set(gate_.get(), "ledger", voice_.ledger->c_str(), nullptr);
    g_signal_connect(gate_.get(), "notify::active",
                     G_CALLBACK(+[](GObject*, GParamSpec*, gpointer self) {
                       static_cast<Recorder*>(self)->gate_changed();
                     }),
                     this);
    const GstRef<GstElement> sink(gst_bin_get_by_name(GST_BIN(sound_.get()), "sink"));
    GstAppSinkCallbacks callbacks = {};
    callbacks.new_sample = +[](GstAppSink* sink, gpointer self) {
      static_cast<Recorder*>(self)->keep(sink);
      return GST_FLOW_OK;
    };
    gst_app_sink_set_callbacks(GST_APP_SINK(sink.get()), &callbacks, this, nullptr);
    return ok();
  }

  static Error first_error(GstElement* pipeline, const char* what) {
    const GstRef<GstBus> bus(gst_element_get_bus(pipeline));
    const MessageRef message(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
    return failed(what + (message ? error_of(message.get()).message : "it can't be started"));
  }

  void watch(GstElement* pipeline) { watch_bus<&Recorder::handle>(pipeline, this); }

  // --- the course of it -------------------------------------------------------------------------

  void begin() {
    if (std::exchange(begun_, true)) return;
    const GstRef<GstClock> clock(gst_system_clock_obtain());
    const GstClockTime now = gst_clock_get_time(clock.get());
    for (GstElement* pipeline : {film_.get(), sound_.get()}) {
      gst_pipeline_use_clock(GST_PIPELINE(pipeline), clock.get());
      // Otherwise a pipeline chooses its own.
      gst_element_set_start_time(pipeline, GST_CLOCK_TIME_NONE);
      gst_element_set_base_time(pipeline, now);
    }
    base_ = now;
    gst_element_set_state(sound_.get(), GST_STATE_PLAYING);
    gst_element_set_state(film_.get(), GST_STATE_PLAYING);
    print(stderr, "recording\n");
  }

  double now() const {
    const GstRef<GstClock> clock(gst_system_clock_obtain());
    return static_cast<double>(gst_clock_get_time(clock.get()) - base_) / GST_SECOND;
  }

  /// No more is recorded. What was recorded comes out of the encoder, and then the end.
  void end_voice() {
    if (!std::exchange(ending_, true)) gst_element_send_event(sound_.get(), gst_event_new_eos());
  }

  void end_early() {
    if (!begun_) return stop(failed("interrupted"));
    if (ending_) return;
    {
      const Lock lock(mutex_);
      recorded_.ended = now();
    }
    end_voice();
  }

  void stop(Error error) {
    if (!error_) error_ = std::move(error);
    g_main_loop_quit(loop_.get());
  }

  void handle(GstMessage* message) {
    const bool of_film =
        gst_object_has_as_ancestor(GST_MESSAGE_SRC(message), GST_OBJECT(film_.get()));
    g_autoptr(GError) error = nullptr;
    switch (GST_MESSAGE_TYPE(message)) {
      case GST_MESSAGE_EOS:
        if (of_film)
          end_voice();
        else
          g_main_loop_quit(loop_.get());
        break;
      case GST_MESSAGE_ERROR:
        gst_message_parse_error(message, &error, nullptr);
        if (of_film && g_strrstr(error->message, "window was closed")) return end_early();
        stop(failed((of_film ? "--voice: the film can't be shown: "
                             : "--voice: nothing can be recorded: ") +
                    error_of(message).message));
        break;
      case GST_MESSAGE_WARNING:
        gst_message_parse_warning(message, &error, nullptr);
        // Then autoaudiosrc goes on with silence.
        if (!of_film && g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND))
          stop(failed(std::string("--voice: no microphone was found: ") + error->message));
        break;
      default:
        break;
    }
  }

  // --- called by other threads ------------------------------------------------------------------

  /// In the thread of the sound, with each change.
  void gate_changed() {
    gboolean active = FALSE;
    g_object_get(gate_.get(), "active", &active, nullptr);
    if (active) {
      spoke_ = true;
      return;
    }
    if (!spoke_ || over_) return;
    // A grant that comes later does not let the voice go on.
    const CapsRef nothing(gst_caps_new_empty());
    g_object_set(gate_.get(), "consent", nothing.get(), nullptr);
    const Lock lock(mutex_);
    if (!recorded_.withdrawn) recorded_.withdrawn = now();
  }

  void keep(GstAppSink* sink) {
    const SampleRef sample(gst_app_sink_pull_sample(sink));
    if (!sample) return;
    const Lock lock(mutex_);
    if (!recorded_.caps) recorded_.caps.reset(gst_caps_ref(gst_sample_get_caps(sample.get())));
    recorded_.buffers.emplace_back(gst_buffer_ref(gst_sample_get_buffer(sample.get())));
  }

  const VoiceChoice& voice_;
  const std::unique_ptr<GMainLoop, Call<g_main_loop_unref>> loop_;
  GstRef<GstElement> film_, sound_, gate_;
  std::optional<KeyWatch> keys_;
  bool begun_ = false, ending_ = false;
  std::atomic<GstClockTime> base_ = 0;
  std::atomic<bool> spoke_ = false, over_ = false;
  std::optional<Error> error_;
  // Protects what was recorded; held while a buffer is added.
  Mutex mutex_;
  RecordedVoice recorded_ SPHERE_GUARDED_BY(mutex_);
};

}  // namespace

Result<RecordedVoice> record_voice(const VoiceChoice& voice, int film) {
  return Recorder(voice).run(film);
}

}  // namespace sphere::tool
