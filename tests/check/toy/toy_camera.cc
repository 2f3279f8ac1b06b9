// SPDX-License-Identifier: LGPL-2.1-or-later
// A family of cameras that needs no network and no other code than this: what a new family has to
// bring. Its cameras draw JPEG pictures.
//
//   toy://HOST            a camera that works
//   toy://HOST/video.mp4  no preview

#include <atomic>
#include <string>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"
#include "hw/camera.h"
#include "tests/check/toy/toy_camera.h"

namespace sphere::toy {

World& world() {
  static World one;
  return one;
}

namespace {

class ToyPreview : public hw::Preview {
 public:
  ToyPreview(hw::PreviewOptions options, const char* name) : options_(std::move(options)) {
    GstElement* bin = gst_parse_bin_from_description(
        "videotestsrc is-live=true ! video/x-raw,width=64,height=32,framerate=25/1 ! jpegenc", TRUE,
        nullptr);
    gst_object_set_name(GST_OBJECT(bin), name);
    bin_.reset(GST_ELEMENT(gst_object_ref_sink(bin)));
  }
  GstElement* element() const override { return bin_.get(); }
  void announce_streams() override {
    options_.requested();
    const GstRef<GstPad> pad(gst_element_get_static_pad(bin_.get(), "src"));
    options_.stream_added(pad.get(), false, "JPEG");
    options_.all_streams_added();
  }
  void close() override { gst_element_set_state(element(), GST_STATE_NULL); }
  hw::Failure failure_of(const GError* error, const char*) const override {
    return {hw::Failure::Reason::gone, error->message, {}};
  }

 private:
  const hw::PreviewOptions options_;
  GstRef<GstElement> bin_;
};

/// All happens in the caller's thread: an event may come before connect() has returned.
class ToyCamera : public hw::Camera {
 public:
  explicit ToyCamera(EventHandler handler) : handler_(std::move(handler)) {}
  ~ToyCamera() override { disconnect(); }

  void connect() override {
    ++world().connections;
    if (world().away) {
      end(hw::Failure{hw::Failure::Reason::unreachable, "the toy is in the cupboard; get it", {}});
      return;
    }
    world().set_current(this);
    tell(hw::CameraEvent::Kind::preview_ready);
    tell(hw::CameraEvent::Kind::ready);
  }
  void request_disconnect() override { end(std::nullopt); }
  void disconnect() override { end(std::nullopt); }

  hw::CameraState state() const override {
    hw::CameraState state;
    state.working_mode = "playing";
    state.battery_percent = 42;
    state.model = "toy";
    return state;
  }
  std::shared_ptr<hw::Preview> make_preview(hw::PreviewOptions options, const char* name) override {
    return std::make_shared<ToyPreview>(std::move(options), name);
  }
  void take_photo(const hw::PhotoRequest&, Handler handler) override {
    ++world().photos;
    if (world().mute) return;
    hw::CameraEvent event{.kind = hw::CameraEvent::Kind::notification};
    event.id = 1;
    event.name = "photo-saved";
    event.path = "/toys/1.jpg";
    handler_(event);
    handler({.done = true});
  }
  void start_recording(const hw::RecordingRequest&, Wanted, Handler handler) override {
    handler({.failure = {hw::Failure::Reason::refused, "a toy does not record", {}}});
  }
  void stop(Handler handler) override { handler({.was_idle = true}); }
  void set_position(const hw::CameraPosition& position, Wanted wanted, Handler handler) override {
    if (wanted()) world().latitude = position.latitude;
    handler({.done = true});
  }
  void identify(Wanted,
                std::function<void(const std::optional<hw::CameraIdentity>&)> handler) override {
    handler(std::nullopt);
  }

  void end(std::optional<hw::Failure> failure) {
    if (ended_.exchange(true)) return;
    world().set_current(nullptr);
    hw::CameraEvent event;
    event.failure = std::move(failure);
    handler_(event);
  }

 private:
  void tell(hw::CameraEvent::Kind kind) {
    hw::CameraEvent event;
    event.kind = kind;
    handler_(event);
  }

  const EventHandler handler_;
  std::atomic<bool> ended_ = false;
};

Status check_location(std::string_view location) {
  if (location.ends_with(".mp4")) return invalid("This is a file of a toy; write toy://HOST");
  return ok();
}

constexpr hw::CameraFamily family = {
    .scheme = "toy",
    .default_location = nullptr,
    .video_caps = "image/jpeg",
    .lens = "dual-190",
    .check_location = check_location,
    .make = [](hw::CameraOptions, hw::Camera::EventHandler handler) -> std::unique_ptr<hw::Camera> {
      return std::make_unique<ToyCamera>(std::move(handler));
    },
    .forget_table = nullptr,
};
const hw::RegisterFamily registered(family);

}  // namespace

void World::set_current(hw::Camera* camera) {
  const Lock lock(mutex_);
  current_ = camera;
}

void World::lose_control() {
  hw::Camera* camera = nullptr;
  {
    const Lock lock(mutex_);
    camera = current_;
  }
  if (camera)
    static_cast<ToyCamera*>(camera)->end(
        hw::Failure{hw::Failure::Reason::gone, "the toy went away", {}});
}

}  // namespace sphere::toy
