// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/emulator/capture.h"

#include <gst/gst.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/text.h"

namespace sphere::emulator {

namespace {

constexpr GstClockTime media_deadline = 20 * GST_SECOND;

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

/// Writes the file anew as the family has it. Blocks.
Status give_form(const Descriptor& file, const FileForms::Form& form) {
  if (!form) return ok();
  struct stat status = {};
  if (fstat(file.get(), &status) != 0) return failed("the file can't be read");
  std::vector<uint8_t> bytes(static_cast<size_t>(status.st_size));
  size_t read = 0;
  while (read < bytes.size()) {
    const ssize_t got =
        pread(file.get(), bytes.data() + read, bytes.size() - read, static_cast<off_t>(read));
    if (got <= 0) return failed("the file can't be read");
    read += static_cast<size_t>(got);
  }
  const Result<std::vector<uint8_t>> formed = form(bytes);
  if (!formed) return formed.error();
  if (ftruncate(file.get(), 0) != 0 || lseek(file.get(), 0, SEEK_SET) != 0 ||
      !write_all(file, as_text(*formed)))
    return failed("the file can't be written");
  return ok();
}

/// Blocks.
Status write_photo(const SceneSettings& scene, const Descriptor& file,
                   const FileForms::Form& form) {
  const Result<GstElement*> made =
      make_pipeline(single_picture(scene, 3456, 1728) +
                    " ! jpegenc snapshot=true ! fdsink fd=" + std::to_string(file.get()));
  if (!made) return made.error();
  const GstRef<GstElement> pipeline(*made);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const Status status = wait_for_end(pipeline.get());
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return status ? give_form(file, form) : status;
}

}  // namespace

/// A video that is being recorded into a file.
class Capture::Recording {
 public:
  static Result<std::unique_ptr<Recording>> start(const SceneSettings& scene, Descriptor file);
  ~Recording();
  /// Closes the file, in its family's form. Blocks until that is done.
  Status finish(const FileForms::Form& form);

 private:
  Recording(GstElement* pipeline, Descriptor file) : file_(std::move(file)), pipeline_(pipeline) {}
  const Descriptor file_;  // declared before the pipeline, which writes it
  const GstRef<GstElement> pipeline_;
};

Result<std::unique_ptr<Capture::Recording>> Capture::Recording::start(const SceneSettings& scene,
                                                                      Descriptor file) {
  const Result<GstElement*> made = make_pipeline(
      live_video(scene) + " ! h264parse ! mp4mux ! fdsink fd=" + std::to_string(file.get()));
  if (!made) return made.error();
  std::unique_ptr<Recording> recording(new Recording(*made, std::move(file)));
  if (const Status fed = feed_scene(GST_BIN(*made), scene); !fed) return fed.error();
  if (gst_element_set_state(*made, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    return failed("the emulator can't record");
  return recording;
}

Capture::Recording::~Recording() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

Status Capture::Recording::finish(const FileForms::Form& form) {
  gst_element_send_event(pipeline_.get(), gst_event_new_eos());
  const Status status = wait_for_end(pipeline_.get());
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  return status ? give_form(file_, form) : status;
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
  recording_.reset();
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

void Capture::take_photo(const std::string& camera_path, std::function<void(bool good)> done) {
  const auto finish = [this, camera_path, done = std::move(done)](bool good) {
    loop_.later([this, camera_path, done, good] {
      if (!good) card_.remove(camera_path);
      done(good);
    });
  };
  if (!photo_bytes_.empty()) {
    finish(save(camera_path, photo_bytes_));
    return;
  }
  // Shared, because a thread's function must be copyable.
  const auto file = std::make_shared<Descriptor>(card_.create_file(camera_path));
  if (*file)
    in_thread([this, file, finish] { finish(bool(write_photo(scene_, *file, forms_.photo))); });
  else
    finish(false);
}

void Capture::start_recording(const std::string& camera_path) {
  recording_path_ = camera_path;
  recording_since_ = std::chrono::steady_clock::now();
  if (!video_bytes_.empty()) return;
  Descriptor file = card_.create_file(camera_path);
  if (!file) return;
  Result<std::unique_ptr<Recording>> recording = Recording::start(scene_, std::move(file));
  if (recording) recording_ = std::move(*recording);
}

void Capture::finish_recording(std::function<void(const Recorded&)> done) {
  const std::string camera_path = std::exchange(recording_path_, {});
  if (camera_path.empty()) return;
  const auto duration = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - recording_since_);
  const auto finish = [this, camera_path, duration, done = std::move(done)](bool good) {
    loop_.later([camera_path, duration, done, good] { done({camera_path, good, duration}); });
  };
  if (!video_bytes_.empty())
    finish(save(camera_path, video_bytes_));
  else if (recording_)
    in_thread([this, recording = std::shared_ptr<Recording>(std::move(recording_)), finish] {
      finish(bool(recording->finish(forms_.video)));
    });
  else
    finish(false);
}

void Capture::abandon_recording() {
  recording_path_.clear();
  if (recording_)
    in_thread([this, recording = std::shared_ptr<Recording>(std::move(recording_))] {
      (void)recording->finish(forms_.video);
    });
}

}  // namespace sphere::emulator
