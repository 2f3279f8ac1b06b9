// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere view: a window to look around in a photo, a video or a camera.

#include <gio/gio.h>
#include <glib-unix.h>
#include <gst/gst.h>
#include <gst/video/navigation.h>
#include <gst/video/video.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/view/file.h"
#include "gst/sphere/view/fit.h"
#include "gst/tools/command.h"
#include "gst/tools/output_file.h"
#include "gst/tools/stitch_input.h"
#include "gst/tools/stitch_options.h"
#include "gst/tools/stitch_reader.h"

namespace sphere::tool {

namespace {

// Degrees: nobody sees that a film looks that far beside what was recorded.
constexpr double recording_tolerance = 0.5;
constexpr size_t most_samples = 1'000'000;
constexpr double jump_seconds = 10;
constexpr double speeds[] = {0.1, 0.25, 0.5, 1, 2, 4, 8};
constexpr size_t usual_speed = 3;
constexpr int default_width = 1280, default_height = 720;

constexpr const char* keys_text =
    "  drag, arrows       turn              wheel, + and -   zoom      Home   look forward\n"
    "  space              pause, go on      . and ,          one picture on, back\n"
    "  Page up and down   10 s back, on     ] and [          faster, slower\n"
    "  p                  another projection\n"
    "  r                  begin or end to record the view as keyframes\n"
    "  s                  save what is shown as a PNG\n"
    "  h                  these keys        q, Escape        end\n";

constexpr const char* description =
    "IN is a 360 photo or video, one with the two fisheyes of a camera (which is stitched on the "
    "way),\n"
    "or the URI of a camera or a stream. In the window:\n"
    "\n"
    "  drag, arrows       turn              wheel, + and -   zoom      Home   look forward\n"
    "  space              pause, go on      . and ,          one picture on, back\n"
    "  Page up and down   10 s back, on     ] and [          faster, slower\n"
    "  p                  another projection\n"
    "  r                  begin or end to record the view as keyframes\n"
    "  s                  save what is shown as a PNG\n"
    "  h                  print these keys  q, Escape        end\n"
    "\n"
    "Recorded keyframes make a film with 'sphere reframe IN OUT --keyframes FILE'.\n"
    "\n"
    "Examples:\n"
    "  sphere view sphere.mp4\n"
    "  sphere view VID_20161121_162507AA.MP4\n"
    "  sphere view ride.mp4 --lens gear360 --output moves.json\n"
    "  sphere view madv://192.168.42.1/live\n";

struct ViewOptions {
  std::string input, output, lens, sink = "autovideosink";
  int width = default_width, height = default_height;
  bool clobber = true, audio = true, quiet = false;
};

/// A name that nothing has yet: `stem` with `ending`, or with a number between them.
std::string free_name(const std::string& stem, const char* ending) {
  std::string name = stem + ending;
  for (int n = 1; g_file_test(name.c_str(), G_FILE_TEST_EXISTS) && n < 10'000; ++n)
    name = stem + "-" + std::to_string(n) + ending;
  return name;
}

/// What the files that are saved are named after: IN without its folder and its end, or "view".
std::string stem_of(const std::string& input) {
  if (gst_uri_is_valid(input.c_str())) return "view";
  const GString_ base(g_path_get_basename(input.c_str()));
  const std::string name = base.get();
  const size_t dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

std::string clock_text(GstClockTime time) {
  char text[48];
  const auto ms = static_cast<unsigned long long>(time / GST_MSECOND);
  g_snprintf(text, sizeof text, "%02llu%02llu%02llu.%03llu", ms / 3'600'000, ms / 60'000 % 60,
             ms / 1000 % 60, ms % 1000);
  return text;
}

class Viewer {
 public:
  Viewer(const ViewOptions& options, MessagePrinter* printer)
      : options_(options), printer_(printer), loop_(g_main_loop_new(nullptr, FALSE)) {}
  ~Viewer() {
    if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  }
  Viewer(const Viewer&) = delete;
  Viewer& operator=(const Viewer&) = delete;

  int run() {
    if (const Status built = build(); !built) {
      printer_->error(built.error().message);
      return exit_failed;
    }
    const GstRef<GstBus> bus(gst_element_get_bus(pipeline_.get()));
    gst_bus_add_watch(
        bus.get(),
        +[](GstBus*, GstMessage* message, gpointer self) -> gboolean {
          static_cast<Viewer*>(self)->hear(message);
          return G_SOURCE_CONTINUE;
        },
        this);
    const GSourceFunc interrupt = +[](gpointer self) -> gboolean {
      static_cast<Viewer*>(self)->end(exit_done);
      return G_SOURCE_CONTINUE;
    };
    const guint signals[] = {g_unix_signal_add(SIGINT, interrupt, this),
                             g_unix_signal_add(SIGTERM, interrupt, this),
                             g_unix_signal_add(SIGHUP, interrupt, this)};
    if (!options_.quiet) print_text(stderr, keys_text);
    if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE &&
        !gst_bus_have_pending(bus.get())) {
      printer_->error(options_.input + ": it can't be opened");
      status_ = exit_failed;
    } else {
      g_main_loop_run(loop_.get());
    }
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    gst_bus_remove_watch(bus.get());
    for (const guint signal : signals) g_source_remove(signal);
    // What was recorded up to here is not lost.
    if (recording_) end_recording();
    return status_;
  }

 private:
  // --- the pipeline -----------------------------------------------------------------------------

  Status build() {
    const bool is_uri = gst_uri_is_valid(options_.input.c_str());
    std::string uri = options_.input;
    if (!is_uri)
      if (const Status looked = look_at_file(&uri); !looked) return looked;
    pipeline_.reset(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
    GstElement* source = add("uridecodebin");
    pictures_ = add("videoconvert");
    GstElement* freeze = is_photo_ ? add("imagefreeze") : nullptr;
    GstElement* stitcher = has_fisheyes_ ? add("spherestitch") : nullptr;
    view_ = add("sphereview");
    GstElement* size = add("capsfilter");
    GstElement* back = add("videoconvert");
    GstElement* queue = add("queue");
    GstElement* sink = add(options_.sink.c_str());
    if (!missing_) return missing_;
    g_object_set(source, "uri", uri.c_str(), nullptr);
    if (stitcher && !lens_.empty()) g_object_set(stitcher, "lens", lens_.c_str(), nullptr);
    const CapsRef caps(gst_caps_new_simple("video/x-raw", "width", G_TYPE_INT, options_.width,
                                           "height", G_TYPE_INT, options_.height, nullptr));
    g_object_set(size, "caps", caps.get(), nullptr);
    g_object_set(queue, "max-size-buffers", 2u, "max-size-bytes", 0u, "max-size-time", guint64{0},
                 nullptr);
    GstElement* before = nullptr;
    for (GstElement* element : {pictures_, freeze, stitcher, view_, size, queue, back, sink}) {
      if (!element) continue;
      if (before && !gst_element_link(before, element))
        return failed(std::string("'") + GST_ELEMENT_NAME(before) + "' can't be linked");
      before = element;
    }
    g_signal_connect(source, "pad-added", G_CALLBACK(+[](GstElement*, GstPad* pad, gpointer self) {
                       static_cast<Viewer*>(self)->take_pad(pad);
                     }),
                     this);
    const GstRef<GstPad> shown(gst_element_get_static_pad(view_, "src"));
    gst_pad_add_probe(shown.get(), GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, hear_key, this, nullptr);
    gst_pad_add_probe(shown.get(), GST_PAD_PROBE_TYPE_BUFFER, watch, this, nullptr);
    return ok();
  }

  Status look_at_file(std::string* uri) {
    const Result<StitchInput> input = open_stitch_input(options_.input, printer_);
    if (!input) return input.error();
    is_photo_ = !input->video();
    const makers::CaptureInfo& capture = input->capture;
    lens_ = options_.lens;
    if (lens_.empty() && !input->spherical()) {
      // A demuxer passes a video's table on, but nothing passes a photo's.
      if (!capture.lens_table.empty())
        lens_ = is_photo_ ? options_.input : "";
      else
        lens_ = capture.profile;
    }
    has_fisheyes_ = !options_.lens.empty() ||
                    (!input->spherical() &&
                     (capture.fisheyes || !capture.lens_table.empty() || !capture.profile.empty()));
    g_autoptr(GFile) file = g_file_new_for_path(options_.input.c_str());
    const GString_ text(g_file_get_uri(file));
    *uri = text.get();
    return ok();
  }

  GstElement* add(const char* factory) {
    return add_element(GST_BIN(pipeline_.get()), factory, &missing_);
  }

  void take_pad(GstPad* pad) {
    const CapsRef caps(gst_pad_get_current_caps(pad) ? gst_pad_get_current_caps(pad)
                                                     : gst_pad_query_caps(pad, nullptr));
    const GstStructure* structure =
        caps && gst_caps_get_size(caps.get()) ? gst_caps_get_structure(caps.get(), 0) : nullptr;
    if (!structure) return;
    if (g_str_has_prefix(gst_structure_get_name(structure), "video/")) {
      const GstRef<GstPad> target(gst_element_get_static_pad(pictures_, "sink"));
      if (!gst_pad_is_linked(target.get())) gst_pad_link(pad, target.get());
      return;
    }
    if (!options_.audio || has_sound_ ||
        !g_str_has_prefix(gst_structure_get_name(structure), "audio/x-raw"))
      return;
    g_autoptr(GError) error = nullptr;
    GstElement* sound = gst_parse_bin_from_description(
        "queue ! audioconvert ! audioresample ! autoaudiosink", TRUE, &error);
    if (!sound) return;
    has_sound_ = true;
    gst_bin_add(GST_BIN(pipeline_.get()), sound);
    gst_element_sync_state_with_parent(sound);
    const GstRef<GstPad> target(gst_element_get_static_pad(sound, "sink"));
    gst_pad_link(pad, target.get());
  }

  // --- what comes from other threads ------------------------------------------------------------

  /// A key that is not for the view itself. Called by the thread of the window.
  static GstPadProbeReturn hear_key(GstPad*, GstPadProbeInfo* info, gpointer data) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    const char* key = nullptr;
    if (GST_EVENT_TYPE(event) != GST_EVENT_NAVIGATION ||
        gst_navigation_event_get_type(event) != GST_NAVIGATION_EVENT_KEY_PRESS ||
        !gst_navigation_event_parse_key_event(event, &key) || !key)
      return GST_PAD_PROBE_OK;
    struct Call {
      Viewer* self;
      std::string key;
    };
    g_main_context_invoke_full(
        nullptr, G_PRIORITY_DEFAULT,
        +[](gpointer call) -> gboolean {
          const auto* one = static_cast<const Call*>(call);
          one->self->press(one->key);
          return G_SOURCE_REMOVE;
        },
        new Call{static_cast<Viewer*>(data), key},
        +[](gpointer call) { delete static_cast<Call*>(call); });
    return GST_PAD_PROBE_OK;
  }

  /// Each picture that is shown. Called by the thread of the pictures.
  static GstPadProbeReturn watch(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
    auto* self = static_cast<Viewer*>(data);
    GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    g_autoptr(GstEvent) event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
    const GstSegment* segment = nullptr;
    if (event) gst_event_parse_segment(event, &segment);
    const GstClockTime time =
        segment ? gst_segment_to_stream_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer))
                : GST_CLOCK_TIME_NONE;
    const ViewSample sample = self->looked_at(time);
    const CapsRef caps(gst_pad_get_current_caps(pad));
    const Lock lock(self->mutex_);
    self->shown_.reset(gst_sample_new(buffer, caps.get(), segment, nullptr));
    self->shown_time_ = time;
    if (self->recording_ && GST_CLOCK_TIME_IS_VALID(time) && self->samples_.size() < most_samples)
      self->samples_.push_back(sample);
    return GST_PAD_PROBE_OK;
  }

  ViewSample looked_at(GstClockTime time) const {
    ViewSample sample;
    gint projection = 0;
    g_object_get(view_, "yaw", &sample.angles.yaw, "pitch", &sample.angles.pitch, "roll",
                 &sample.angles.roll, "fov", &sample.fov, "projection", &projection, nullptr);
    sample.projection = static_cast<Projection>(projection);
    if (GST_CLOCK_TIME_IS_VALID(time)) sample.time = static_cast<double>(time) / GST_SECOND;
    return sample;
  }

  // --- keys -------------------------------------------------------------------------------------

  void press(const std::string& key) {
    if (key == "q" || key == "Escape") return end(exit_done);
    if (key == "space") return play(!playing_);
    if (key == "h" || key == "question") return static_cast<void>(print_text(stderr, keys_text));
    if (key == "p") return next_projection();
    if (key == "r") return recording_ ? end_recording() : begin_recording();
    if (key == "s") return save_still();
    if (key == "period") return step();
    if (key == "comma") return seek(-picture_seconds());
    if (key == "Page_Up" || key == "Prior") return seek(-jump_seconds);
    if (key == "Page_Down" || key == "Next") return seek(jump_seconds);
    if (key == "bracketright") return change_speed(true);
    if (key == "bracketleft") return change_speed(false);
  }

  void play(bool playing) {
    playing_ = playing;
    if (playing && std::exchange(at_end_, false)) seek_to(0);
    gst_element_set_state(pipeline_.get(), playing ? GST_STATE_PLAYING : GST_STATE_PAUSED);
  }

  double picture_seconds() const {
    const GstRef<GstPad> pad(gst_element_get_static_pad(view_, "src"));
    const CapsRef caps(gst_pad_get_current_caps(pad.get()));
    GstVideoInfo info;
    if (!caps || !gst_video_info_from_caps(&info, caps.get()) || info.fps_n <= 0) return 1.0 / 30;
    return static_cast<double>(info.fps_d) / info.fps_n;
  }

  void step() {
    if (playing_) play(false);
    gst_element_send_event(pipeline_.get(),
                           gst_event_new_step(GST_FORMAT_BUFFERS, 1, 1.0, TRUE, FALSE));
  }

  void seek(double seconds) {
    gint64 position = 0;
    if (!gst_element_query_position(pipeline_.get(), GST_FORMAT_TIME, &position)) return;
    seek_to(static_cast<double>(position) / GST_SECOND + seconds);
  }

  void seek_to(double seconds) {
    at_end_ = false;
    const auto time = static_cast<gint64>(std::max(seconds, 0.0) * GST_SECOND);
    if (!gst_element_seek(pipeline_.get(), speeds[speed_], GST_FORMAT_TIME,
                          static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE),
                          GST_SEEK_TYPE_SET, time, GST_SEEK_TYPE_NONE, 0))
      printer_->warn("it is not possible to jump in this stream");
  }

  void change_speed(bool faster) {
    if (faster ? speed_ + 1 >= std::size(speeds) : speed_ == 0) return;
    speed_ += faster ? 1 : static_cast<size_t>(-1);
    seek(0);
    say("speed: " + number_text(speeds[speed_]));
  }

  void next_projection() {
    // Those that show a view, not the whole sphere, and then the sphere.
    static constexpr Projection order[] = {Projection::perspective, Projection::stereographic,
                                           Projection::little_planet, Projection::equirect};
    const ViewSample now = looked_at(GST_CLOCK_TIME_NONE);
    const auto* at = std::find(std::begin(order), std::end(order), now.projection);
    const size_t next = (static_cast<size_t>(at - order) + 1) % std::size(order);
    g_object_set(view_, "fov", 0.0, nullptr);
    gst_util_set_object_arg(G_OBJECT(view_), "projection",
                            projection_names[static_cast<size_t>(order[next])].data());
    say("projection: " + std::string(projection_names[static_cast<size_t>(order[next])]));
  }

  void begin_recording() {
    {
      const Lock lock(mutex_);
      samples_.clear();
      recording_ = true;
    }
    say("recording; press r again to end it");
  }

  void end_recording() {
    std::vector<ViewSample> samples;
    {
      const Lock lock(mutex_);
      samples = std::exchange(samples_, {});
      recording_ = false;
    }
    // A jump back while recording begins anew there.
    for (size_t i = samples.size(); i-- > 1;)
      if (samples[i].time < samples[i - 1].time) {
        samples.erase(samples.begin(), samples.begin() + static_cast<ptrdiff_t>(i));
        break;
      }
    const Result<ViewPath> path = fit_view_path(samples, recording_tolerance);
    if (!path) return printer_->error("the recording can't be used: " + path.error().message);
    const std::string text = view_path_text(*path) + "\n";
    const std::string name = options_.output.empty()
                                 ? free_name(stem_of(options_.input), ".view.json")
                                 : options_.output;
    if (save(name, text.data(), text.size()))
      say(name + ": " + std::to_string(path->keyframes().size()) + " keyframes of " +
          number_text(samples.back().time - samples.front().time) + " s");
  }

  void save_still() {
    SampleRef shown;
    GstClockTime time = 0;
    {
      const Lock lock(mutex_);
      if (shown_) shown.reset(gst_sample_ref(shown_.get()));
      time = shown_time_;
    }
    if (!shown) return;
    const CapsRef png(gst_caps_new_empty_simple("image/png"));
    g_autoptr(GError) error = nullptr;
    const SampleRef made(gst_video_convert_sample(shown.get(), png.get(), 10 * GST_SECOND, &error));
    if (!made) return printer_->error("the picture can't be saved: " + to_string(error->message));
    GstMapInfo map;
    GstBuffer* buffer = gst_sample_get_buffer(made.get());
    if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return;
    std::string stem = stem_of(options_.input);
    if (!is_photo_ && GST_CLOCK_TIME_IS_VALID(time)) stem += "-" + clock_text(time);
    const std::string name = free_name(stem + ".view", ".png");
    if (save(name, map.data, map.size)) say(name + " is saved");
    gst_buffer_unmap(buffer, &map);
  }

  bool save(const std::string& name, const void* data, size_t size) {
    OutputSet files;
    Status saved = files.add(name, options_.clobber, {static_cast<const uint8_t*>(data), size});
    if (saved) saved = files.commit();
    if (!saved) printer_->error(saved.error().message);
    return static_cast<bool>(saved);
  }

  static std::string number_text(double value) {
    char text[32];
    g_snprintf(text, sizeof text, "%.3g", value);
    return text;
  }

  void say(const std::string& sentence) const {
    if (!options_.quiet) print(stderr, "%s\n", sentence.c_str());
  }

  // --- messages ---------------------------------------------------------------------------------

  void hear(GstMessage* message) {
    g_autoptr(GError) error = nullptr;
    switch (GST_MESSAGE_TYPE(message)) {
      case GST_MESSAGE_EOS:
        at_end_ = true;
        playing_ = false;
        gst_element_set_state(pipeline_.get(), GST_STATE_PAUSED);
        say("the end; space begins again, q ends");
        break;
      case GST_MESSAGE_ERROR:
        gst_message_parse_error(message, &error, nullptr);
        // A window that was closed.
        if (g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND) &&
            g_strrstr(error->message, "window was closed"))
          return end(exit_done);
        printer_->error(options_.input + ": " + error->message);
        end(exit_failed);
        break;
      case GST_MESSAGE_WARNING:
        gst_message_parse_warning(message, &error, nullptr);
        printer_->warn(error->message);
        break;
      case GST_MESSAGE_LATENCY:
        gst_bin_recalculate_latency(GST_BIN(pipeline_.get()));
        break;
      default:
        break;
    }
  }

  void end(int status) {
    status_ = status;
    g_main_loop_quit(loop_.get());
  }

  using SampleRef = std::unique_ptr<GstSample, Call<gst_sample_unref>>;

  const ViewOptions& options_;
  MessagePrinter* const printer_;
  const std::unique_ptr<GMainLoop, Call<g_main_loop_unref>> loop_;
  GstRef<GstElement> pipeline_;
  Status missing_ = ok();
  // Borrowed from the pipeline.
  GstElement* pictures_ = nullptr;
  GstElement* view_ = nullptr;
  bool is_photo_ = false, has_fisheyes_ = false;
  bool has_sound_ = false;  ///< only the decoder's thread uses it
  std::string lens_;        ///< of the stitcher; "": as the stream says
  bool playing_ = true, at_end_ = false;
  size_t speed_ = usual_speed;
  int status_ = exit_done;
  // Protects what follows. Held while it is copied.
  Mutex mutex_;
  SampleRef shown_ SPHERE_GUARDED_BY(mutex_);
  GstClockTime shown_time_ SPHERE_GUARDED_BY(mutex_) = GST_CLOCK_TIME_NONE;
  std::vector<ViewSample> samples_ SPHERE_GUARDED_BY(mutex_);
  std::atomic<bool> recording_ = false;
};

Status parse_view_options(int argc, char** argv, ViewOptions* options) {
  g_autofree char* output = nullptr;
  g_autofree char* lens = nullptr;
  g_autofree char* size = nullptr;
  g_autofree char* sink = nullptr;
  gboolean no_audio = FALSE, no_clobber = FALSE, quiet = FALSE;
  GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
       "Where recorded keyframes go (default: NAME.view.json in this folder)", "FILE"},
      {"lens", 'l', 0, G_OPTION_ARG_FILENAME, &lens,
       "IN shows two fisheyes: the lens profile, as a name or a file (default: the table in IN)",
       "NAME|FILE"},
      {"size", 's', 0, G_OPTION_ARG_STRING, &size, "Of the window's picture (default: 1280x720)",
       "WIDTHxHEIGHT"},
      {"sink", 0, 0, G_OPTION_ARG_STRING, &sink,
       "The GStreamer element that shows the window (default: autovideosink)", "ELEMENT"},
      {"no-audio", 0, 0, G_OPTION_ARG_NONE, &no_audio, "Without sound", nullptr},
      {"no-clobber", 0, 0, G_OPTION_ARG_NONE, &no_clobber, "Never replace FILE", nullptr},
      {"quiet", 0, 0, G_OPTION_ARG_NONE, &quiet, "Print errors only", nullptr},
      {}};
  std::vector<std::string> rest;
  const Status parsed = parse_options("view", "IN", "Looks around in a 360 photo, video or camera.",
                                      description, entries, argc, argv, &rest);
  options->quiet = quiet;
  if (!parsed) return parsed;
  if (rest.empty()) return invalid("IN is missing");
  if (rest.size() > 1)
    return invalid("'" + rest[1] + "' is one word too many; only IN is expected");
  options->input = rest[0];
  options->output = to_string(output);
  options->lens = to_string(lens);
  if (sink) options->sink = sink;
  options->audio = !no_audio;
  options->clobber = !no_clobber;
  return size ? parse_size(size, &options->width, &options->height) : ok();
}

int run(int argc, char** argv) {
  MessagePrinter printer("sphere view");
  ViewOptions options;
  const Status parsed = parse_view_options(argc, argv, &options);
  printer.quiet = options.quiet;
  if (!parsed) {
    printer.error(parsed.error().message);
    return exit_usage;
  }
  gst_init(nullptr, nullptr);
  return Viewer(options, &printer).run();
}

const Registration registration({"view", "look around in a 360 photo, video or camera", run});

}  // namespace

}  // namespace sphere::tool
