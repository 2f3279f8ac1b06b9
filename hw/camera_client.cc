// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/camera_client.h"

#include <algorithm>
#include <map>
#include <thread>
#include <utility>

namespace sphere::hw {

using Kind = CameraEvent::Kind;

namespace {

/// The clients that parts of this program share.
struct SharedClients {
  Mutex mutex;  // protects what follows; never held while one of them is destroyed
  ConditionVariable changed;
  std::map<std::string, std::weak_ptr<CameraClient>> clients SPHERE_GUARDED_BY(mutex);
  // The locations of those that threads of their own destroy.
  std::vector<std::string> ending SPHERE_GUARDED_BY(mutex);
};

SharedClients& shared_clients() {
  // Never destroyed, because such a thread may live until the end of the program.
  static SharedClients& one = *new SharedClients;
  return one;
}

/// The URI by which a camera is known, with its family.
Result<std::pair<const CameraFamily*, std::string>> identify(const std::string& location) {
  const Result<const CameraFamily*> family = find_family(location);
  if (!family) return family.error();
  const Result<CameraLocation> parts = split_location(**family, location);
  if (!parts) return parts.error();
  return std::pair(*family, parts->camera);
}

/// Its end waits for the camera's thread, therefore that one can't do it.
void destroy(CameraClient* client) {
  if (!CameraThread::is_this()) {
    delete client;
    return;
  }
  SharedClients& all = shared_clients();
  {
    const Lock lock(all.mutex);
    all.ending.push_back(client->location());
  }
  std::thread([client, &all] {
    const std::string location = client->location();
    delete client;
    const Lock lock(all.mutex);
    all.ending.erase(std::ranges::find(all.ending, location));
    all.changed.notify_all();
  }).detach();
}

/// Waits for those that are being destroyed: less than a second.
void wait_for_earlier(const std::string& location) {
  SharedClients& all = shared_clients();
  const Lock lock(all.mutex);
  while (std::ranges::find(all.ending, location) != all.ending.end()) all.changed.wait(all.mutex);
}

GQuark client_quark() {
  static const GQuark quark = g_quark_from_static_string("sphere-camera-client");
  return quark;
}

}  // namespace

CameraClient::CameraClient(const CameraFamily& family, CameraOptions options)
    : family_(family), options_(std::move(options)) {}

CameraClient::~CameraClient() { disconnect(); }

Result<std::shared_ptr<CameraClient>> CameraClient::shared(
    const std::string& location, std::chrono::microseconds connect_timeout) {
  const auto known = identify(location);
  if (!known) return known.error();
  SharedClients& all = shared_clients();
  const Lock lock(all.mutex);
  std::erase_if(all.clients, [](const auto& one) { return one.second.expired(); });
  std::weak_ptr<CameraClient>& found = all.clients[known->second];
  std::shared_ptr<CameraClient> client = found.lock();
  if (client) return client;
  CameraOptions options;
  options.location = known->second;
  options.connect_timeout = connect_timeout;
  client.reset(new CameraClient(*known->first, std::move(options)), destroy);
  client->asks_users_ = true;
  found = client;
  return client;
}

std::shared_ptr<CameraClient> CameraClient::find(const std::string& location) {
  const auto known = identify(location);
  if (!known) return nullptr;
  SharedClients& all = shared_clients();
  const Lock lock(all.mutex);
  const auto found = all.clients.find(known->second);
  return found == all.clients.end() ? nullptr : found->second.lock();
}

// --- users -----------------------------------------------------------------------------------

void CameraClient::hold(const void* user, std::function<bool()> may_store_tables) {
  const auto entry = std::make_shared<User>();
  entry->user = user;
  entry->may_store_tables = std::move(may_store_tables);
  const Lock lock(mutex_);
  if (std::ranges::none_of(users_, [&](const auto& one) { return one->user == user; }))
    users_.push_back(entry);
}

void CameraClient::release(const void* user) {
  std::shared_ptr<User> entry;
  bool is_last = false;
  {
    const Lock lock(mutex_);
    const auto found =
        std::ranges::find_if(users_, [&](const auto& one) { return one->user == user; });
    if (found != users_.end()) {
      entry = *found;
      users_.erase(found);
    }
    is_last = users_.empty();
  }
  if (entry) {
    const Lock lock(entry->mutex);
    entry->released = true;
  }
  if (is_last) begin_end(true);
}

bool CameraClient::may_store_tables() const {
  std::vector<std::shared_ptr<User>> users;
  {
    const Lock lock(mutex_);
    users = users_;
  }
  for (const std::shared_ptr<User>& one : users) {
    const Lock lock(one->mutex);
    if (!one->released && (!one->may_store_tables || !one->may_store_tables())) return false;
  }
  return !users.empty();
}

// --- the connection --------------------------------------------------------------------------

void CameraClient::connect(Done done) {
  bool ready = false;
  {
    const Lock lock(mutex_);
    ready = ready_;
    if (!ready) {
      if (done) waiting_.push_back(done);
      if (camera_ || opening_) return;
      opening_ = true;
    }
  }
  if (ready) {
    if (done) done(std::nullopt);
    return;
  }
  // A camera accepts one client at a time.
  wait_until_free();
  wait_for_earlier(location());
  CameraOptions options = options_;
  if (asks_users_) options.may_store_tables = [this] { return may_store_tables(); };
  const std::shared_ptr<Camera> camera =
      family_.make(std::move(options), [this](const CameraEvent& event) { handle(event); });
  {
    const Lock lock(mutex_);
    camera_ = camera;
    opening_ = false;
    past_events_.clear();
  }
  camera->connect();
}

/// Asks the camera to end the connection.
void CameraClient::begin_end(bool only_if_unused) {
  const std::shared_ptr<Camera> camera = this->camera();
  if (!camera) return;
  const CameraState state = camera->state();
  {
    const Lock lock(mutex_);
    if (camera_ != camera || (only_if_unused && !users_.empty())) return;
    state_ = state;
    ready_ = false;
    closing_.push_back(std::exchange(camera_, nullptr));
  }
  camera->request_disconnect();
}

void CameraClient::wait_until_free() {
  if (CameraThread::is_this()) return;
  std::vector<std::shared_ptr<Camera>> closing;
  {
    const Lock lock(mutex_);
    closing = closing_;
  }
  std::vector<CameraStats> stats;
  for (const std::shared_ptr<Camera>& one : closing) {
    one->disconnect();
    stats.push_back(one->stats());
  }
  const Lock lock(mutex_);
  for (size_t i = 0; i < closing.size(); ++i) {
    // Another thread may have waited, too.
    const auto found = std::ranges::find(closing_, closing[i]);
    if (found == closing_.end()) continue;
    past_stats_ += stats[i];
    closing_.erase(found);
  }
}

void CameraClient::disconnect() {
  begin_end(false);
  wait_until_free();
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

CameraStats CameraClient::stats() const {
  CameraStats all;
  std::vector<std::shared_ptr<Camera>> cameras;
  {
    const Lock lock(mutex_);
    all = past_stats_;
    cameras = closing_;
    if (camera_) cameras.push_back(camera_);
  }
  for (const std::shared_ptr<Camera>& one : cameras) all += one->stats();
  return all;
}

// --- listeners -------------------------------------------------------------------------------

unsigned CameraClient::add_listener(Listener listener) { return add(std::move(listener), false); }
unsigned CameraClient::join_listeners(Listener listener) { return add(std::move(listener), true); }

unsigned CameraClient::add(Listener listener, bool joins) {
  const auto entry = std::make_shared<Entry>();
  entry->listener = std::move(listener);
  // Events that come from now on wait until the past ones are told.
  const Lock telling(entry->mutex);
  std::vector<CameraEvent> past;
  {
    const Lock lock(mutex_);
    entry->number = ++last_listener_;
    listeners_.push_back(entry);
    if (joins && camera_) past = past_events_;
  }
  for (const CameraEvent& event : past)
    if (!entry->removed) entry->listener(event);
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
  const Lock lock(entry->mutex);
  entry->removed = true;
}

void CameraClient::handle(const CameraEvent& event) {
  const CameraThread thread;
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
      case Kind::ready:
        // After the end was asked for, it is too late.
        if (!camera_) break;
        ready_ = true;
        past_events_.push_back(event);
        waiting.swap(waiting_);
        break;
      case Kind::preview_ready:
      case Kind::lens_table:
      case Kind::no_lens_table:
        past_events_.push_back(event);
        break;
      case Kind::ended:
        ready_ = false;
        past_events_.clear();
        // While the next connection is made, they wait for that one.
        if (!opening_) waiting.swap(waiting_);
        // Destroyed by another thread: here is the camera's own.
        if (camera_) closing_.push_back(std::exchange(camera_, nullptr));
        break;
      default:
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
    const Lock lock(entry->mutex);
    if (!entry->removed) entry->listener(event);
  }
}

// --- objects ---------------------------------------------------------------------------------

void lend_client(GObject* object, std::shared_ptr<CameraClient> client) {
  g_object_set_qdata_full(
      object, client_quark(), new std::shared_ptr<CameraClient>(std::move(client)),
      +[](gpointer data) { delete static_cast<std::shared_ptr<CameraClient>*>(data); });
}

std::shared_ptr<CameraClient> lent_client(GObject* object) {
  auto* client =
      static_cast<std::shared_ptr<CameraClient>*>(g_object_get_qdata(object, client_quark()));
  return client ? *client : nullptr;
}

}  // namespace sphere::hw
