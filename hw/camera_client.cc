// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/camera_client.h"

#include <algorithm>
#include <utility>

namespace sphere::hw {

using Kind = CameraEvent::Kind;

namespace {

Failure not_connected() {
  return {Failure::Reason::gone, "the camera is not connected; connect to it first"};
}

}  // namespace

/// Commands go to the camera of the connection that exists at that moment.
class CameraClient::Shared : public Camera {
 public:
  Shared(std::shared_ptr<CameraClient> client, EventHandler handler)
      : client_(std::move(client)), handler_(std::move(handler)) {}
  ~Shared() override { disconnect(); }

  void connect() override {
    bool open = false;
    {
      const Lock lock(mutex_);
      if (std::exchange(connected_, true) || ended_) return;
      open = opened_ = client_->camera() == nullptr;
    }
    // Its first calls replay what has happened already.
    const unsigned listener =
        client_->add_listener([this](const CameraEvent& event) { handle(event); }, true);
    {
      const Lock lock(mutex_);
      listener_ = listener;
    }
    if (open) client_->connect([](const std::optional<Failure>&) {});
  }

  void request_disconnect() override {
    // The connection is ended by disconnect(): here, its thread must not be waited for.
    if (end()) handler_({.kind = Kind::ended});
  }

  void disconnect() override {
    unsigned listener = 0;
    bool opened = false;
    {
      const Lock lock(mutex_);
      listener = std::exchange(listener_, 0);
      opened = std::exchange(opened_, false);
    }
    if (end()) handler_({.kind = Kind::ended});
    if (listener) client_->remove_listener(listener);
    if (opened) client_->disconnect();
  }

  CameraState state() const override { return client_->state(); }
  std::shared_ptr<Preview> make_preview(PreviewOptions options, const char* name) override {
    const std::shared_ptr<Camera> camera = client_->camera();
    return camera ? camera->make_preview(std::move(options), name) : nullptr;
  }
  void take_photo(const PhotoRequest& request, Handler handler) override {
    command(std::move(handler),
            [&](Camera& camera, Handler next) { camera.take_photo(request, std::move(next)); });
  }
  void start_recording(const RecordingRequest& request, Wanted wanted, Handler handler) override {
    command(std::move(handler), [&](Camera& camera, Handler next) {
      camera.start_recording(request, std::move(wanted), std::move(next));
    });
  }
  void stop(Handler handler) override {
    command(std::move(handler), [](Camera& camera, Handler next) { camera.stop(std::move(next)); });
  }
  void mark(Handler handler) override {
    command(std::move(handler), [](Camera& camera, Handler next) { camera.mark(std::move(next)); });
  }
  void set_position(const CameraPosition& position, Wanted wanted, Handler handler) override {
    command(std::move(handler), [&](Camera& camera, Handler next) {
      camera.set_position(position, std::move(wanted), std::move(next));
    });
  }
  void identify(Wanted wanted,
                std::function<void(const std::optional<CameraIdentity>&)> handler) override {
    if (const std::shared_ptr<Camera> camera = client_->camera())
      camera->identify(std::move(wanted), std::move(handler));
    else
      handler(std::nullopt);
  }

 private:
  template <typename Function>
  void command(Handler handler, Function function) {
    if (const std::shared_ptr<Camera> camera = client_->camera())
      function(*camera, std::move(handler));
    else
      handler({.failure = not_connected()});
  }

  void handle(const CameraEvent& event) {
    if (event.kind != Kind::ended) {
      handler_(event);
      return;
    }
    if (end()) handler_(event);
  }

  /// Returns whether `ended` is still to be told: once, and only after connect().
  bool end() {
    const Lock lock(mutex_);
    return connected_ && !std::exchange(ended_, true);
  }

  const std::shared_ptr<CameraClient> client_;
  const EventHandler handler_;
  Mutex mutex_;  // protects what follows
  unsigned listener_ SPHERE_GUARDED_BY(mutex_) = 0;
  bool connected_ SPHERE_GUARDED_BY(mutex_) = false;  // connect() was called
  bool opened_ SPHERE_GUARDED_BY(mutex_) = false;     // and it opened the connection
  bool ended_ SPHERE_GUARDED_BY(mutex_) = false;
};

CameraClient::CameraClient(const CameraFamily& family, CameraOptions options)
    : family_(family), options_(std::move(options)) {}

CameraClient::~CameraClient() { disconnect(); }

void CameraClient::connect(Done done) {
  std::vector<std::shared_ptr<Camera>> closing;
  bool ready = false;
  {
    const Lock lock(mutex_);
    ready = ready_;
    if (!ready) {
      waiting_.push_back(done);
      if (camera_ || opening_) return;
      opening_ = true;
      closing.swap(closing_);
    }
  }
  if (ready) return done(std::nullopt);
  // A camera accepts one client at a time.
  for (const std::shared_ptr<Camera>& one : closing) one->disconnect();
  const std::shared_ptr<Camera> camera =
      family_.make(options_, [this](const CameraEvent& event) { handle(event); });
  {
    const Lock lock(mutex_);
    camera_ = camera;
    opening_ = false;
  }
  camera->connect();
}

void CameraClient::disconnect() {
  std::vector<std::shared_ptr<Camera>> closing;
  {
    const Lock lock(mutex_);
    closing.swap(closing_);
    if (camera_) closing.push_back(camera_);
  }
  for (const std::shared_ptr<Camera>& one : closing) one->disconnect();
  const Lock lock(mutex_);
  closing_.clear();
}

std::shared_ptr<Camera> CameraClient::camera() const {
  const Lock lock(mutex_);
  return camera_;
}

bool CameraClient::is_ready() const {
  const Lock lock(mutex_);
  return ready_;
}

CameraState CameraClient::state() const {
  std::shared_ptr<Camera> camera;
  {
    const Lock lock(mutex_);
    if (!camera_) return state_;
    camera = camera_;
  }
  return camera->state();
}

unsigned CameraClient::add_listener(Listener listener, bool replay) {
  const auto entry = std::make_shared<Entry>();
  entry->listener = std::move(listener);
  std::vector<CameraEvent> events;
  // New events wait for this lock, and come after those that are replayed.
  const std::lock_guard<std::recursive_mutex> calls(entry->mutex);
  {
    const Lock lock(mutex_);
    entry->number = ++last_listener_;
    listeners_.push_back(entry);
    if (replay) events = replayed_;
  }
  for (const CameraEvent& event : events) entry->listener(event);
  return entry->number;
}

void CameraClient::remove_listener(unsigned number) {
  std::shared_ptr<Entry> entry;
  {
    const Lock lock(mutex_);
    const auto found =
        std::ranges::find_if(listeners_, [&](const auto& one) { return one->number == number; });
    if (found == listeners_.end()) return;
    entry = *found;
    listeners_.erase(found);
  }
  const std::lock_guard<std::recursive_mutex> lock(entry->mutex);
  entry->removed = true;
}

std::unique_ptr<Camera> CameraClient::share(Camera::EventHandler handler) {
  return std::make_unique<Shared>(shared_from_this(), std::move(handler));
}

void CameraClient::handle(const CameraEvent& event) {
  std::vector<Done> waiting;
  std::vector<std::shared_ptr<Entry>> listeners;
  std::shared_ptr<Camera> camera;
  {
    const Lock lock(mutex_);
    camera = camera_;
  }
  // Outside of the lock, because the camera has a lock of its own.
  const CameraState state = camera ? camera->state() : CameraState();
  {
    const Lock lock(mutex_);
    if (camera) state_ = state;
    listeners = listeners_;
    switch (event.kind) {
      case Kind::preview_ready:
      case Kind::lens_table:
      case Kind::no_lens_table:
        replayed_.push_back(event);
        break;
      case Kind::ready:
        replayed_.push_back(event);
        ready_ = true;
        waiting.swap(waiting_);
        break;
      case Kind::ended:
        replayed_.clear();
        ready_ = false;
        waiting.swap(waiting_);
        // Destroyed by another thread: here is the camera's own.
        if (camera_) closing_.push_back(std::exchange(camera_, nullptr));
        break;
      case Kind::notification:
        break;
    }
  }
  const bool has_ended = event.kind == Kind::ended;
  const std::optional<Failure> failure =
      !has_ended ? std::nullopt
                 : std::optional(event.failure.value_or(
                       Failure(Failure::Reason::stopped, "the connection was ended")));
  for (const Done& done : waiting)
    if (done) done(failure);
  for (const std::shared_ptr<Entry>& entry : listeners) {
    const std::lock_guard<std::recursive_mutex> lock(entry->mutex);
    if (!entry->removed) entry->listener(event);
  }
}

}  // namespace sphere::hw
