// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/emulator/capture.h"

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/base/thread.h"

namespace sphere::emulator {

namespace {

constexpr GstClockTime media_deadline = 60 * GST_SECOND;

// A larger picture is drawn at this width and enlarged, because drawing takes longer than encoding.
constexpr int widest_drawing = 1728;
constexpr int thumbnail_width = 320, thumbnail_height = 160;

// Of the large file of a recording. Only some of its pictures are new, and the others repeat them:
// this machine has no encoder in hardware, and a repeated picture takes next to no time.
constexpr int recording_kbits = 8000, recording_key_interval = 30;
constexpr int new_pictures = 5;  // a second

/// The next elements: so many pictures in 1.001 s of recording. A camera takes more of them for
/// slow motion; here each is shown for longer, or this machine could not encode them in time.
std::string at_rate(int rate, int slowness) {
  return " ! videorate ! video/x-raw,framerate=" + std::to_string(rate) + "000/" +
         std::to_string(1001 * slowness);
}

constexpr GstClockTime picture_time = 1001 * GST_SECOND / 30000;

/// How the times of the pictures become those of the video.
struct VideoTiming {
  GstClockTime interval;
  GstClockTime slowness;
  GstClockTime first = GST_CLOCK_TIME_NONE;
  GstClockTime pictures = 0;  // of a time-lapse: those that were kept
};

/// Leaves out pictures of a time-lapse, and changes times. Not with videorate, which would hold
/// the first picture of a time-lapse back until its second one is due.
GstPadProbeReturn set_times(GstPad*, GstPadProbeInfo* info, gpointer data) {
  VideoTiming& timing = *static_cast<VideoTiming*>(data);
  GstBuffer* picture = GST_PAD_PROBE_INFO_BUFFER(info);
  const GstClockTime time = GST_BUFFER_PTS(picture);
  if (!GST_CLOCK_TIME_IS_VALID(time)) return GST_PAD_PROBE_OK;
  if (!GST_CLOCK_TIME_IS_VALID(timing.first)) timing.first = time;
  if (time < timing.first + timing.pictures * timing.interval) return GST_PAD_PROBE_DROP;
  picture = gst_buffer_make_writable(picture);
  GST_BUFFER_PTS(picture) =
      timing.first +
      (timing.interval ? timing.pictures * picture_time : (time - timing.first) * timing.slowness);
  GST_BUFFER_DURATION(picture) = timing.interval ? picture_time : picture_time * timing.slowness;
  if (timing.interval) ++timing.pictures;
  GST_PAD_PROBE_INFO_DATA(info) = picture;
  return GST_PAD_PROBE_OK;
}

/// How long a video of what was recorded in this time is.
std::chrono::milliseconds length_of(const CaptureRequest& request, std::chrono::milliseconds time) {
  if (request.interval.count() == 0) return time * request.slowness;
  constexpr auto milliseconds = GST_SECOND / 1000;
  return std::chrono::milliseconds((time / request.interval + 1) * picture_time / milliseconds);
}

std::string date_text() {
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  return GString_(g_date_time_format(now, "%Y:%m:%d %H:%M:%S")).get();
}

/// It does not wait for its first buffer. An end that is sent to a pipeline while one of its sinks
/// does would block for ever: the pipeline holds its lock then, and needs it to let the sink go on.
std::string file_sink(const Descriptor& file) {
  return " ! fdsink async=false fd=" + std::to_string(file.get());
}

Status wait_for_end(GstElement* pipeline) {
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline));
  const MessageRef message(gst_bus_timed_pop_filtered(
      bus.get(), media_deadline, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  if (!message) return failed("the emulator's encoder takes too long");
  if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) return ok();
  g_autoptr(GError) error = nullptr;
  gst_message_parse_error(message.get(), &error, nullptr);
  return failed(std::string("the emulator can't take a picture: ") + error->message);
}

Result<GstElement*> make_pipeline(const std::string& line) {
  g_autoptr(GError) error = nullptr;
  GstElement* pipeline =
      gst_parse_launch_full(line.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (!pipeline)
    return failed(std::string("the emulator can't draw its scene: ") +
                  (error ? error->message : "unknown reason"));
  gst_object_ref_sink(pipeline);
  return pipeline;
}

/// The next elements: one lens of a picture that is so wide, and its exposure.
std::string as_asked(const CaptureRequest& request, int width) {
  std::string line;
  if (request.half != Half::both)
    line += std::string(" ! videocrop ") + (request.half == Half::left ? "right=" : "left=") +
            std::to_string(width / 2);
  if (request.exposure == 0) return line;
  // The pictures are coded with a power of about 2.2. One element has a factor of 2 at most.
  const double factor = std::min(std::exp2(request.exposure / 2.2), 4.0);
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  const std::string half = g_ascii_formatd(text, sizeof text, "%.4f", std::sqrt(factor));
  for (int i = 0; i < 2; ++i) line += " ! videobalance contrast=" + half + " saturation=" + half;
  return line;
}

/// The bytes of the sink with this name; empty if it got none.
std::vector<uint8_t> bytes_of(GstElement* pipeline, const char* name) {
  std::vector<uint8_t> bytes;
  const GstRef<GstElement> sink(gst_bin_get_by_name(GST_BIN(pipeline), name));
  GstSample* sample = sink ? gst_app_sink_try_pull_sample(GST_APP_SINK(sink.get()), 0) : nullptr;
  if (!sample) return bytes;
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  bytes.resize(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  gst_sample_unref(sample);
  return bytes;
}

/// Blocks. `raw` is empty if there is no raw picture.
Status write_photo(const SceneSettings& scene, const CaptureRequest& request,
                   const Descriptor& file, const Descriptor& raw, const FileForms& forms) {
  const bool is_half = request.half != Half::both;
  const int width = request.width ? request.width : scene.width;
  const int height = request.height ? request.height : scene.height;
  const int drawn = std::min(is_half ? 2 * width : width, widest_drawing);
  constexpr const char* sink = " ! appsink sync=false wait-on-eos=false name=";
  std::string line = single_picture(scene, drawn, drawn / 2, request.stitched) +
                     as_asked(request, drawn) + " ! tee name=both ! queue" + scaled(width, height) +
                     " ! jpegenc snapshot=true" + file_sink(file) + " both. ! queue" +
                     scaled(is_half ? thumbnail_height : thumbnail_width, thumbnail_height) +
                     " ! jpegenc snapshot=true" + sink + "thumbnail";
  if (raw)
    line += std::string(
                " both. ! queue ! identity eos-after=2 ! videoconvert ! "
                "video/x-raw,format=RGBx") +
            sink + "raw";
  const Result<GstElement*> made = make_pipeline(line);
  if (!made) return made.error();
  const GstRef<GstElement> pipeline(*made);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  Status status = wait_for_end(pipeline.get());
  std::vector<uint8_t> thumbnail, pixels;
  if (status) {
    thumbnail = bytes_of(pipeline.get(), "thumbnail");
    pixels = bytes_of(pipeline.get(), "raw");
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  if (status && forms.photo) status = forms.photo(file, request, thumbnail);
  if (status && raw)
    status = forms.raw(raw, request, {is_half ? drawn / 2 : drawn, drawn / 2, pixels}, thumbnail);
  return status;
}

}  // namespace

Result<std::vector<uint8_t>> read_whole(const Descriptor& file) {
  const uint64_t size = size_of(file);
  const std::string bytes = read_at(file, 0, static_cast<size_t>(size));
  if (bytes.size() != size) return failed("the file can't be read");
  return std::vector<uint8_t>(bytes.begin(), bytes.end());
}

Status write_whole(const Descriptor& file, std::span<const uint8_t> bytes) {
  if (ftruncate(file.get(), 0) != 0 || lseek(file.get(), 0, SEEK_SET) != 0 ||
      !write_all(file, as_text(bytes)))
    return failed("the file can't be written");
  return ok();
}

/// A video that is being recorded into its files.
class Capture::Recording {
 public:
  static Result<std::unique_ptr<Recording>> start(const SceneSettings& scene,
                                                  const CaptureRequest& request, Descriptor file,
                                                  Descriptor small);
  ~Recording();
  /// Closes the files, in their family's form. Blocks until that is done.
  Status finish(const CaptureRequest& request, const FileForms::Form& form);

 private:
  Recording(GstElement* pipeline, Descriptor file, Descriptor small)
      : file_(std::move(file)), small_(std::move(small)), pipeline_(pipeline) {}
  void set_times(const CaptureRequest& request);
  void watch_first(const char* parser);
  void wait_for_pictures();

  /// The files that have no picture yet. Shared, because probes may be called a little longer.
  struct Empty {
    Mutex mutex;
    ConditionVariable changed;
    int files SPHERE_GUARDED_BY(mutex) = 0;
  };
  const std::shared_ptr<Empty> empty_ = std::make_shared<Empty>();
  const Descriptor file_, small_;  // declared before the pipeline, which writes them
  const GstRef<GstElement> pipeline_;
};

Result<std::unique_ptr<Capture::Recording>> Capture::Recording::start(const SceneSettings& scene,
                                                                      const CaptureRequest& request,
                                                                      Descriptor file,
                                                                      Descriptor small) {
  const auto muxed = [](const char* parser) {
    return std::string(" ! h264parse name=") + parser + " ! mp4mux";
  };
  const bool retimed = request.interval.count() > 0 || request.slowness > 1;
  std::string line = live_pictures(scene) + as_asked(request, scene.width);
  if (retimed) line += " ! identity name=times";
  if (request.slowness > 1) line += at_rate(30, request.slowness);
  line += " ! tee name=both ! queue";
  const bool enlarged = request.width && (request.width != scene.width ||
                                          request.height != scene.height || request.rate != 30);
  // The pictures of a time-lapse are few, all of them are new, and they have their times.
  const bool timed = request.interval.count() > 0;
  if (enlarged)
    line += (timed ? "" : at_rate(new_pictures, request.slowness)) +
            scaled(request.width, request.height) +
            (timed ? "" : at_rate(request.rate, request.slowness));
  line += encoded(recording_kbits, recording_key_interval) + muxed("large") + file_sink(file);
  if (small)
    line += " both. ! queue" + encoded(preview_kbits, preview_key_interval) + muxed("small") +
            file_sink(small);
  const Result<GstElement*> made = make_pipeline(line);
  if (!made) return made.error();
  std::unique_ptr<Recording> recording(new Recording(*made, std::move(file), std::move(small)));
  if (const Status fed = feed_scene(GST_BIN(*made), scene); !fed) return fed.error();
  if (retimed) recording->set_times(request);
  recording->watch_first("large");
  recording->watch_first("small");
  if (gst_element_set_state(*made, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    return failed("the emulator can't record");
  return recording;
}

Capture::Recording::~Recording() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

void Capture::Recording::set_times(const CaptureRequest& request) {
  const GstRef<GstElement> element(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "times"));
  const GstRef<GstPad> pad(gst_element_get_static_pad(element.get(), "src"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_BUFFER, emulator::set_times,
      new VideoTiming{.interval = static_cast<GstClockTime>(request.interval.count()) * GST_MSECOND,
                      .slowness = static_cast<GstClockTime>(request.slowness)},
      [](gpointer data) { delete static_cast<VideoTiming*>(data); });
}

void Capture::Recording::watch_first(const char* parser) {
  const GstRef<GstElement> element(gst_bin_get_by_name(GST_BIN(pipeline_.get()), parser));
  if (!element) return;
  {
    const Lock lock(empty_->mutex);
    ++empty_->files;
  }
  const GstRef<GstPad> pad(gst_element_get_static_pad(element.get(), "src"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo*, gpointer data) {
        Empty& empty = **static_cast<std::shared_ptr<Empty>*>(data);
        const Lock lock(empty.mutex);
        --empty.files;
        empty.changed.notify_all();
        return GST_PAD_PROBE_REMOVE;
      },
      new std::shared_ptr<Empty>(empty_),
      [](gpointer data) { delete static_cast<std::shared_ptr<Empty>*>(data); });
}

/// A file without a picture is no video; on a busy machine, the first one may come late.
void Capture::Recording::wait_for_pictures() {
  const auto until = std::chrono::steady_clock::now() +
                     std::chrono::nanoseconds(static_cast<int64_t>(media_deadline));
  const Lock lock(empty_->mutex);
  while (empty_->files > 0 &&
         empty_->changed.wait_until(empty_->mutex, until) == std::cv_status::no_timeout) {
  }
}

Status Capture::Recording::finish(const CaptureRequest& request, const FileForms::Form& form) {
  wait_for_pictures();
  gst_element_send_event(pipeline_.get(), gst_event_new_eos());
  Status status = wait_for_end(pipeline_.get());
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  if (status && form) status = form(file_, request, {});
  if (status && form && small_) status = form(small_, request, {});
  return status;
}

Capture::Capture(LoopThread& loop, const Card& card, const SceneSettings& scene,
                 std::string photo_bytes, std::string video_bytes, FileForms forms)
    : loop_(loop),
      card_(card),
      scene_(scene),
      photo_bytes_(std::move(photo_bytes)),
      video_bytes_(std::move(video_bytes)),
      forms_(std::move(forms)) {}

Capture::~Capture() = default;

void Capture::stop() {
  workers_.clear();  // joins each thread
  active_.reset();
}

void Capture::in_thread(std::function<void()> work) {
  workers_.remove_if([](const std::future<void>& worker) {
    return worker.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  });
  workers_.push_back(std::async(std::launch::async, std::move(work)));
}

bool Capture::save(const std::string& camera_path, std::string_view bytes) {
  const Descriptor file = card_.create_file(camera_path);
  return file && write_all(file, bytes);
}

void Capture::take_photo(const CaptureRequest& asked, std::function<void(bool good)> done) {
  CaptureRequest request = asked;
  if (request.date.empty()) request.date = date_text();
  const auto finish = [this, path = request.path, raw = request.raw_path,
                       done = std::move(done)](bool good) {
    loop_.later([this, path, raw, done, good] {
      if (!good) card_.remove(path);
      if (!good && !raw.empty()) card_.remove(raw);
      done(good);
    });
  };
  if (!photo_bytes_.empty()) {
    finish(save(request.path, photo_bytes_));
    return;
  }
  // Shared, because a thread's function must be copyable.
  const auto file = std::make_shared<Descriptor>(card_.create_file(request.path));
  const bool with_raw = forms_.raw && !request.raw_path.empty();
  const auto raw =
      std::make_shared<Descriptor>(with_raw ? card_.create_file(request.raw_path) : Descriptor());
  if (*file && (*raw || !with_raw))
    in_thread([this, request, file, raw, finish] {
      finish(bool(write_photo(scene_, request, *file, *raw, forms_)));
    });
  else
    finish(false);
}

void Capture::start_recording(const CaptureRequest& request, Closed segment_closed) {
  active_.emplace();
  active_->request = request;
  active_->segment_closed = std::move(segment_closed);
  open_file();
}

void Capture::open_file() {
  CaptureRequest& request = active_->request;
  if (request.date.empty()) request.date = date_text();
  active_->since = std::chrono::steady_clock::now();
  if (video_bytes_.empty()) {
    Descriptor file = card_.create_file(request.path);
    Descriptor small =
        request.small_path.empty() ? Descriptor() : card_.create_file(request.small_path);
    if (file) {
      auto recording = Recording::start(scene_, request, std::move(file), std::move(small));
      if (recording) active_->recording = std::move(*recording);
    }
  }
  if (request.segment.count() > 0 && request.next)
    active_->segment_end = watch_time(request.segment, loop_.context(), [this] {
      // Later, because the watch is replaced.
      loop_.later([this] { next_segment(); });
      return false;
    });
}

void Capture::next_segment() {
  if (!active_ || std::chrono::steady_clock::now() - active_->since < active_->request.segment)
    return;
  close_file([closed = active_->segment_closed](const Recorded& recorded) {
    if (closed) closed(recorded);
  });
  active_->closed.push_back(active_->request);
  active_->request.date.clear();
  active_->request.next(active_->request);
  // The one that begins counts, too.
  while (active_->request.most_segments &&
         active_->closed.size() >= active_->request.most_segments) {
    const CaptureRequest oldest = active_->closed.front();
    active_->closed.pop_front();
    card_.remove(oldest.path);
    if (!oldest.small_path.empty()) card_.remove(oldest.small_path);
  }
  open_file();
}

/// Closes the present file; slow work is done in another thread.
void Capture::close_file(Closed done) {
  active_->segment_end.stop();
  const CaptureRequest request = active_->request;
  const auto duration = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - active_->since);
  const auto finish = [this, path = request.path, length = length_of(request, duration),
                       done = std::move(done)](bool good) {
    loop_.later([path, length, done, good] { done({path, good, length}); });
  };
  if (!video_bytes_.empty()) {
    const bool both = request.small_path.empty() || save(request.small_path, video_bytes_);
    finish(save(request.path, video_bytes_) && both);
  } else if (active_->recording) {
    in_thread([this, request, finish,
               recording = std::shared_ptr<Recording>(std::move(active_->recording))] {
      finish(bool(recording->finish(request, forms_.video)));
    });
  } else {
    finish(false);
  }
}

void Capture::finish_recording(Closed done) {
  if (!active_) return;
  close_file(std::move(done));
  active_.reset();
}

void Capture::abandon_recording() {
  if (!active_) return;
  if (active_->recording) close_file([](const Recorded&) {});
  active_.reset();
}

}  // namespace sphere::emulator
