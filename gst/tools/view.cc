// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere view: a window to look around in a photo, a video or a camera.

#include <gio/gio.h>
#include <gst/gst.h>
#include <gst/video/navigation.h>
#include <gst/video/video.h>
#include <gst/video/videooverlay.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/iterator.h"
#include "gst/sphere/base/screen.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/view/file.h"
#include "gst/sphere/view/fit.h"
#include "gst/tools/bus_watch.h"
#include "gst/tools/command.h"
#include "gst/tools/decoded_kind.h"
#include "gst/tools/end_signals.h"
#include "gst/tools/key_watch.h"
#include "gst/tools/output_file.h"
#include "gst/tools/stitch_input.h"
#include "gst/tools/stitch_reader.h"
#include "gst/tools/view_options.h"
#include "gst/tools/view_window.h"
#include "hw/camera.h"

namespace sphere::tool {

namespace {

// Degrees: nobody sees that a film looks that far beside what was recorded.
constexpr double recording_tolerance = 0.5;
constexpr size_t most_samples = 1'000'000;
constexpr double jump_seconds = 10;
constexpr double speeds[] = {0.1, 0.25, 0.5, 1, 2, 4, 8};
constexpr size_t usual_speed = 3;

// The sinks that draw into the window of another program. Others have none, or their own.
constexpr const char* sinks_into_window[] = {"ximagesink", "xvimagesink", "glimagesinkelement"};

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

/// Shows IN in a window, and does what the keys say. All of it is in the thread of the main loop,
/// except what says so. More than twenty members, because a key can change each part: the playback,
/// the view, the recording of its moves and the picture that is shown.
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
    watch_bus<&Viewer::handle>(pipeline_.get(), this);
    gst_bus_set_sync_handler(bus.get(), offer_window, this, nullptr);
    open_window();
    std::optional<EndSignals> signals(std::in_place, [this] { end(exit_done); });
    if (!options_.quiet) print_text(stderr, view_keys);
    if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE &&
        !gst_bus_have_pending(bus.get())) {
      printer_->error(options_.input + ": it can't be opened");
      status_ = exit_failed;
    } else {
      g_main_loop_run(loop_.get());
    }
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    gst_bus_set_sync_handler(bus.get(), nullptr, nullptr, nullptr);
    gst_bus_remove_watch(bus.get());
    signals.reset();
    // What was recorded up to here is not lost.
    if (recording_) end_recording();
    return status_;
  }

 private:
  // --- the pipeline -----------------------------------------------------------------------------

  Status build() {
    if (options_.sink == ViewOptions().sink && !has_screen())
      return failed(
          "there is no screen for a window; set DISPLAY, or choose an element with --sink");
    std::string uri = options_.input;
    if (gst_uri_is_valid(options_.input.c_str())) {
      examine_uri();
    } else if (const Status examined = examine_file(&uri); !examined) {
      return examined;
    }
    pipeline_.reset(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
    GstElement* source = add("uridecodebin");
    pictures_ = add("videoconvert");
    GstElement* freeze = is_photo_ ? add("imagefreeze") : nullptr;
    GstElement* stitcher = has_fisheyes_ ? add("spherestitch") : nullptr;
    view_ = add("sphereview");
    size_ = add("capsfilter");
    GstElement* back = add("videoconvert");
    GstElement* queue = add("queue");
    if (!missing_) return missing_;
    GstElement* sink = add(options_.sink.c_str());
    if (!sink) return invalid("--sink: GStreamer has no element '" + options_.sink + "'");
    g_object_set(source, "uri", uri.c_str(), nullptr);
    if (stitcher && !lens_.empty()) g_object_set(stitcher, "lens", lens_.c_str(), nullptr);
    // A picture of the size before may be on its way when the window gets another one.
    gst_util_set_object_arg(G_OBJECT(size_), "caps-change-mode", "delayed");
    set_size(options_.width, options_.height);
    if (!stored_.empty()) gst_util_set_object_arg(G_OBJECT(view_), "input", stored_.c_str());
    for (const char* changed : {"notify::yaw", "notify::pitch", "notify::fov"})
      g_signal_connect(view_, changed, G_CALLBACK(+[](GstElement*, GParamSpec*, gpointer self) {
                         static_cast<Viewer*>(self)->view_changed();
                       }),
                       this);
    g_object_set(queue, "max-size-buffers", 2u, "max-size-bytes", 0u, "max-size-time", guint64{0},
                 nullptr);
    GstElement* before = nullptr;
    for (GstElement* element : {pictures_, freeze, stitcher, view_, size_, queue, back, sink}) {
      if (!element) continue;
      if (before && !gst_element_link(before, element))
        return failed(std::string("'") + GST_ELEMENT_NAME(before) + "' can't be linked");
      before = element;
    }
    g_signal_connect(source, "pad-added", G_CALLBACK(+[](GstElement*, GstPad* pad, gpointer self) {
                       static_cast<Viewer*>(self)->take_pad(pad);
                     }),
                     this);
    if (!has_fisheyes_ && stored_.empty() && !is_marked_) {
      const GstRef<GstPad> decoded(gst_element_get_static_pad(pictures_, "src"));
      gst_pad_add_probe(decoded.get(), GST_PAD_PROBE_TYPE_BUFFER, examine_picture, this, nullptr);
    }
    const GstRef<GstPad> shown(gst_element_get_static_pad(view_, "src"));
    keys_.emplace(shown.get(), [this](const std::string& key) { press(key); });
    gst_pad_add_probe(shown.get(), GST_PAD_PROBE_TYPE_BUFFER, watch, this, nullptr);
    // Behind the queue there is the picture that the sink shows.
    const GstRef<GstPad> kept(gst_element_get_static_pad(back, "sink"));
    gst_pad_add_probe(kept.get(), GST_PAD_PROBE_TYPE_BUFFER, keep, this, nullptr);
    return ok();
  }

  /// What a camera sends is always from its two lenses.
  void examine_uri() {
    const GString_ scheme(gst_uri_get_protocol(options_.input.c_str()));
    bool is_camera = false;
    for (const hw::CameraFamily* family : hw::camera_families())
      is_camera = is_camera || to_string(scheme.get()) == family->scheme;
    has_fisheyes_ = is_camera || !options_.lens.empty();
    lens_ = options_.lens;
    stored_ = options_.stored;
  }

  Status examine_file(std::string* uri) {
    const Result<StitchInput> input = open_stitch_input(options_.input, printer_);
    if (!input) return input.error();
    is_photo_ = !input->video();
    is_marked_ = input->spherical();
    stored_ = options_.stored;
    if (stored_.empty() && input->video() && input->video()->cubemap) stored_ = "cubemap";
    if (input->video() && input->video()->stereo)
      return unsupported(options_.input + ": " + has_two_spheres);
    if (input->jpeg()) heading_ = input->jpeg()->heading;
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

  /// Fisheyes of which nothing in the file tells are shown as if they were a sphere.
  static GstPadProbeReturn examine_picture(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
    auto* self = static_cast<Viewer*>(data);
    if (++self->examined_ > most_examined) return GST_PAD_PROBE_REMOVE;
    GstVideoInfo format;
    const std::optional<media::PictureKind> kind =
        classify_decoded(pad, GST_PAD_PROBE_INFO_BUFFER(info), &format);
    if (!kind || *kind == media::PictureKind::unclear) return GST_PAD_PROBE_OK;
    if (*kind == media::PictureKind::two_fisheyes)
      GST_ELEMENT_WARNING(self->view_, STREAM, FORMAT,
                          ("it shows two fisheyes; name their lenses with --lens"), (nullptr));
    return GST_PAD_PROBE_REMOVE;
  }

  void take_pad(GstPad* pad) {
    CapsRef caps(gst_pad_get_current_caps(pad));
    if (!caps) caps.reset(gst_pad_query_caps(pad, nullptr));
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

  // --- the window -------------------------------------------------------------------------------

  void open_window() {
    ViewWindow::Listener listener;
    listener.acted = [this](GstEvent* event) {
      const GstRef<GstElement> sink = overlay();
      if (sink)
        gst_navigation_send_event_simple(GST_NAVIGATION(sink.get()), event);
      else
        gst_event_unref(event);
    };
    listener.resized = [this](int width, int height) {
      set_size(width, height);
      expose();
      redraw();
    };
    listener.uncovered = [this] { expose(); };
    listener.closed = [this] { end(exit_done); };
    const std::string title = gst_uri_is_valid(options_.input.c_str())
                                  ? std::string("sphere view")
                                  : stem_of(options_.input) + " - sphere view";
    window_ = ViewWindow::open(title.c_str(), options_.width, options_.height, std::move(listener));
    window_handle_ = window_ ? window_->handle() : 0;
  }

  /// Gives the window to a sink that asks for one. Called by the thread of the sink.
  static GstBusSyncReply offer_window(GstBus*, GstMessage* message, gpointer data) {
    auto* self = static_cast<Viewer*>(data);
    if (!gst_is_video_overlay_prepare_window_handle_message(message) || !self->window_handle_)
      return GST_BUS_PASS;
    auto* sink = GST_ELEMENT(GST_MESSAGE_SRC(message));
    GstElementFactory* factory = gst_element_get_factory(sink);
    const std::string name = factory ? GST_OBJECT_NAME(factory) : "";
    if (std::find(std::begin(sinks_into_window), std::end(sinks_into_window), name) ==
        std::end(sinks_into_window))
      return GST_BUS_PASS;
    {
      const Lock lock(self->mutex_);
      self->overlay_.reset(GST_ELEMENT(gst_object_ref(sink)));
    }
    // The window tells what a person does in it.
    gst_video_overlay_handle_events(GST_VIDEO_OVERLAY(sink), FALSE);
    gst_video_overlay_set_window_handle(GST_VIDEO_OVERLAY(sink), self->window_handle_);
    later(
        +[](gpointer viewer) -> gboolean {
          static_cast<Viewer*>(viewer)->window_->show();
          return G_SOURCE_REMOVE;
        },
        self);
    gst_message_unref(message);
    return GST_BUS_DROP;
  }

  /// The sink that draws into the window; null if there is none.
  GstRef<GstElement> overlay() {
    const Lock lock(mutex_);
    return GstRef<GstElement>(overlay_ ? GST_ELEMENT(gst_object_ref(overlay_.get())) : nullptr);
  }

  /// The sink learns the size of the window by this, too.
  void expose() {
    const GstRef<GstElement> sink = overlay();
    if (sink) gst_video_overlay_expose(GST_VIDEO_OVERLAY(sink.get()));
  }

  /// Draws pictures of the size of the window.
  void set_size(int width, int height) {
    static constexpr int smallest = 16;
    const auto even = [](int pixels) { return std::max(pixels / 2 * 2, smallest); };
    const CapsRef caps(gst_caps_new_simple("video/x-raw", "width", G_TYPE_INT, even(width),
                                           "height", G_TYPE_INT, even(height), nullptr));
    g_object_set(size_, "caps", caps.get(), nullptr);
  }

  void fill_screen() {
    if (overlay()) return window_->fill_screen(!window_->fills_screen());
    // Sinks for other displays have a property for it.
    bool done = false;
    for (const auto& sink : objects_of<GstElement>(
             gst_bin_iterate_all_by_interface(GST_BIN(pipeline_.get()), GST_TYPE_VIDEO_OVERLAY))) {
      gboolean full = FALSE;
      if (!g_object_class_find_property(G_OBJECT_GET_CLASS(sink.get()), "fullscreen")) continue;
      g_object_get(sink.get(), "fullscreen", &full, nullptr);
      g_object_set(sink.get(), "fullscreen", !full, nullptr);
      done = true;
    }
    if (!done)
      printer_->warn("this window can't fill the screen; try --sink xvimagesink or waylandsink");
  }

  /// By the main loop, and never within this call: the caller may be in the middle of an event.
  static void later(GSourceFunc call, gpointer data, GDestroyNotify free_data = nullptr) {
    g_idle_add_full(G_PRIORITY_DEFAULT, call, data, free_data);
  }

  // --- what comes from other threads ------------------------------------------------------------

  static GstClockTime stream_time(GstPad* pad, GstBuffer* buffer) {
    g_autoptr(GstEvent) event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
    const GstSegment* segment = nullptr;
    if (event) gst_event_parse_segment(event, &segment);
    return segment ? gst_segment_to_stream_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer))
                   : GST_CLOCK_TIME_NONE;
  }

  /// Each picture that is drawn. Called by the thread of the pictures.
  static GstPadProbeReturn watch(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
    auto* self = static_cast<Viewer*>(data);
    const GstClockTime time = stream_time(pad, GST_PAD_PROBE_INFO_BUFFER(info));
    if (!self->recording_ || !GST_CLOCK_TIME_IS_VALID(time)) return GST_PAD_PROBE_OK;
    const ViewSample sample = self->view_at(time);
    const Lock lock(self->mutex_);
    // One that is drawn again while the video is paused.
    if (!self->samples_.empty() && self->samples_.back().time == sample.time)
      self->samples_.back() = sample;
    else if (self->samples_.size() < most_samples)
      self->samples_.push_back(sample);
    return GST_PAD_PROBE_OK;
  }

  /// Each picture that is shown. Called by the thread of the sink.
  static GstPadProbeReturn keep(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
    auto* self = static_cast<Viewer*>(data);
    GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    const GstClockTime time = stream_time(pad, buffer);
    const CapsRef caps(gst_pad_get_current_caps(pad));
    const Lock lock(self->mutex_);
    self->shown_.reset(gst_sample_new(buffer, caps.get(), nullptr, nullptr));
    self->shown_time_ = time;
    return GST_PAD_PROBE_OK;
  }

  ViewSample view_at(GstClockTime time) const {
    ViewSample sample;
    gint projection = 0;
    g_object_get(view_, "yaw", &sample.angles.yaw, "pitch", &sample.angles.pitch, "roll",
                 &sample.angles.roll, "fov", &sample.fov, "projection", &projection, nullptr);
    sample.projection = static_cast<Projection>(projection);
    if (GST_CLOCK_TIME_IS_VALID(time)) sample.time = static_cast<double>(time) / GST_SECOND;
    return sample;
  }

  /// A paused video is drawn again when the view changes. Called by any thread.
  void view_changed() {
    if (playing_ || redraw_is_due_.exchange(true)) return;
    later(
        +[](gpointer self) -> gboolean {
          static_cast<Viewer*>(self)->redraw();
          return G_SOURCE_REMOVE;
        },
        this);
  }

  /// If the video is paused: decodes the present picture again, one at a time.
  void redraw() {
    const bool is_paused = !playing_ && !is_photo_;
    redraw_is_due_ = is_paused && is_seeking_;
    if (!is_paused || is_seeking_ || !can_seek()) return;
    GstClockTime time = 0;
    {
      const Lock lock(mutex_);
      time = shown_time_;
    }
    const bool at_end = at_end_;
    // The position of the pipeline may be in the picture before the one that is shown.
    if (GST_CLOCK_TIME_IS_VALID(time)) seek_to(time);
    at_end_ = at_end;
  }

  // --- keys -------------------------------------------------------------------------------------

  void press(const std::string& key) {
    if (key == "Escape" && window_ && window_->fills_screen()) return fill_screen();
    if (key == "q" || key == "Escape") return end(exit_done);
    if (key == "f") return fill_screen();
    if (key == "n") return turn_north();
    if (key == "space") return play(!playing_);
    if (key == "h" || key == "question") return static_cast<void>(print_text(stderr, view_keys));
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

  bool can_seek() const {
    const std::unique_ptr<GstQuery, Call<gst_query_unref>> query(
        gst_query_new_seeking(GST_FORMAT_TIME));
    gboolean seekable = FALSE;
    if (gst_element_query(pipeline_.get(), query.get()))
      gst_query_parse_seeking(query.get(), nullptr, &seekable, nullptr, nullptr);
    return seekable;
  }

  void seek(double seconds) {
    gint64 position = 0;
    if (!gst_element_query_position(pipeline_.get(), GST_FORMAT_TIME, &position)) return;
    const double time = static_cast<double>(position) + seconds * GST_SECOND;
    seek_to(static_cast<GstClockTime>(std::max(time, 0.0)));
  }

  void seek_to(GstClockTime time) {
    at_end_ = false;
    is_seeking_ =
        gst_element_seek(pipeline_.get(), speeds[speed_], GST_FORMAT_TIME,
                         static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE),
                         GST_SEEK_TYPE_SET, static_cast<gint64>(time), GST_SEEK_TYPE_NONE, 0);
    if (!is_seeking_) printer_->warn("it is not possible to jump in this stream");
  }

  void change_speed(bool faster) {
    if (faster ? speed_ + 1 >= std::size(speeds) : speed_ == 0) return;
    if (!can_seek()) return printer_->warn("the speed of this stream can't be changed");
    speed_ += faster ? 1 : static_cast<size_t>(-1);
    seek(0);
    say("speed: " + number_text(speeds[speed_]));
  }

  void next_projection() {
    // Those that show a view, not the whole sphere, and then the sphere.
    static constexpr Projection order[] = {Projection::perspective, Projection::stereographic,
                                           Projection::little_planet, Projection::equirect};
    const ViewSample now = view_at(GST_CLOCK_TIME_NONE);
    const auto* at = std::find(std::begin(order), std::end(order), now.projection);
    const size_t next = (static_cast<size_t>(at - order) + 1) % std::size(order);
    g_object_set(view_, "fov", 0.0, nullptr);
    gst_util_set_object_arg(G_OBJECT(view_), "projection",
                            projection_names[static_cast<size_t>(order[next])].data());
    redraw();
    say("projection: " + std::string(projection_names[static_cast<size_t>(order[next])]));
  }

  /// The compass direction of the middle of the picture tells where north is in it.
  void turn_north() {
    if (!heading_) return say("the file does not tell where north is; Home looks forward");
    const ViewSample now = view_at(GST_CLOCK_TIME_NONE);
    // By at most half a turn.
    const double turn = std::remainder(-*heading_ - now.angles.yaw, 360);
    g_object_set(view_, "yaw", now.angles.yaw + turn, "pitch", 0.0, "roll", 0.0, nullptr);
    redraw();
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
    const bool is_file = !gst_uri_is_valid(options_.input.c_str());
    if (save(name, map.data, map.size, is_file ? options_.input : "")) say(name + " is saved");
    gst_buffer_unmap(buffer, &map);
  }

  /// Of a picture that is saved, `source` is the file that shows it.
  bool save(const std::string& name, const void* data, size_t size,
            const std::string& source = {}) {
    OutputSet files;
    Status saved =
        files.add(name, options_.clobber, {static_cast<const uint8_t*>(data), size}, source);
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

  void handle(GstMessage* message) {
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
      case GST_MESSAGE_ASYNC_DONE:
        is_seeking_ = false;
        if (redraw_is_due_) redraw();
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
  std::optional<KeyWatch> keys_;  ///< those that are not for the view itself
  // Borrowed from the pipeline.
  GstElement* pictures_ = nullptr;
  GstElement* view_ = nullptr;
  GstElement* size_ = nullptr;
  bool is_photo_ = false, has_fisheyes_ = false;
  bool is_marked_ = false;         ///< the file says that it is a 360 one
  int examined_ = 0;               ///< only the decoder's thread uses it
  bool has_sound_ = false;         ///< only the decoder's thread uses it
  std::string lens_;               ///< of the stitcher; "": as the stream says
  std::string stored_;             ///< how the 360 picture is stored; "": equirectangular
  std::optional<double> heading_;  ///< degrees from north, of the middle of the picture
  std::unique_ptr<ViewWindow> window_;
  uintptr_t window_handle_ = 0;  ///< set before the pipeline plays
  std::atomic<bool> playing_ = true, redraw_is_due_ = false;
  bool at_end_ = false, is_seeking_ = false;
  size_t speed_ = usual_speed;
  int status_ = exit_done;
  // Protects what follows. Held while it is copied.
  Mutex mutex_;
  GstRef<GstElement> overlay_ SPHERE_GUARDED_BY(mutex_);  ///< draws into the window
  SampleRef shown_ SPHERE_GUARDED_BY(mutex_);
  GstClockTime shown_time_ SPHERE_GUARDED_BY(mutex_) = GST_CLOCK_TIME_NONE;
  std::vector<ViewSample> samples_ SPHERE_GUARDED_BY(mutex_);
  std::atomic<bool> recording_ = false;
};

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
  if (const GstRef<GstElementFactory> sink(gst_element_factory_find(options.sink.c_str())); !sink) {
    printer.error("--sink: GStreamer has no element '" + options.sink + "'");
    return exit_usage;
  }
  return Viewer(options, &printer).run();
}

const Registration registration({"view", "look around in a 360 photo, video or camera", run});

}  // namespace

}  // namespace sphere::tool
