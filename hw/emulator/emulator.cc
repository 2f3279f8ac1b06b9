// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/emulator/emulator.h"

#include <gio/gio.h>
#include <libsoup/soup.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <deque>
#include <future>
#include <list>
#include <map>
#include <thread>

#include "gst/sphere/lens/profile.h"
#include "gst/sphere/lens/table.h"
#include "hw/madv/uri.h"

namespace sphere::emulator {

namespace {

using SourceRef = std::unique_ptr<GSource, Call<g_source_unref>>;

/// A source in a context that goes with its owner.
class Watch {
 public:
  Watch() = default;
  Watch(SourceRef source, GMainContext* context) : source_(std::move(source)) {
    g_source_attach(source_.get(), context);
  }
  Watch(Watch&&) = default;
  Watch& operator=(Watch&& other) noexcept {
    stop();
    source_ = std::move(other.source_);
    return *this;
  }
  ~Watch() { stop(); }
  explicit operator bool() const { return source_ && !g_source_is_destroyed(source_.get()); }
  void stop() {
    if (source_) g_source_destroy(source_.get());
    source_.reset();
  }

 private:
  SourceRef source_;
};

/// Calls `function` until it says false.
using Function = std::function<bool()>;

gboolean call_function(gpointer data) { return (*static_cast<Function*>(data))(); }
gboolean call_socket_function(GSocket*, GIOCondition, gpointer data) {
  return (*static_cast<Function*>(data))();
}
void delete_function(gpointer data) { delete static_cast<Function*>(data); }

Watch watch_socket(GSocket* socket, GIOCondition condition, GMainContext* context,
                   Function function) {
  SourceRef source(g_socket_create_source(socket, condition, nullptr));
  g_source_set_callback(source.get(), G_SOURCE_FUNC(call_socket_function),
                        new Function(std::move(function)), delete_function);
  return {std::move(source), context};
}

Watch watch_time(Delay delay, GMainContext* context, Function function) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(delay).count();
  SourceRef source(g_timeout_source_new(static_cast<guint>(std::max<int64_t>(ms, 0))));
  g_source_set_callback(source.get(), call_function, new Function(std::move(function)),
                        delete_function);
  return {std::move(source), context};
}

Delay now() { return Delay(g_get_monotonic_time()); }

}  // namespace

class Emulator::Impl {
 public:
  Impl(EmulatorOptions options, Card card)
      : options_(std::move(options)),
        card_(std::move(card)),
        control_(options_.control, card_),
        context_(g_main_context_new()),
        loop_(g_main_loop_new(context_.get(), FALSE)) {}
  ~Impl();

  Status open();
  void run();

  /// Does `function` in the emulator's thread and waits.
  template <typename T>
  T ask(std::function<T()> function);

  Ports ports() const { return ports_; }

  EmulatorOptions options_;
  Card card_;
  Control control_;
  std::unique_ptr<Preview> preview_;

  void perform();
  void reboot(Delay pause);

 private:
  struct Connection {
    int id;
    bool is_data;
    ObjectRef<GSocket> socket;
    std::string address;
    Watch readable, writable, timer;
    struct Waiting {
      Delay due;
      std::string bytes;
    };
    std::deque<Waiting> waiting;  // in order, whatever their delays
    std::string output;
    std::string after;  // for a data connection: what is said when all is sent
    int after_client = 0;
    bool closing = false;
  };

  struct Context {
    void operator()(GMainContext* c) const { g_main_context_unref(c); }
  };
  struct Loop {
    void operator()(GMainLoop* l) const { g_main_loop_unref(l); }
  };

  Status listen();
  void accept_http();
  Result<ObjectRef<GSocket>> listen_on(uint16_t port);
  void accept(GSocket* listening, bool is_data);
  bool receive(Connection& connection);
  void queue(Connection& connection, std::string bytes, Delay delay);
  void flush(Connection& connection);
  void drop(int id);
  Connection* find(int id);
  void perform(Action action);
  void send_data(const Action& action);
  void take_photo(const std::string& camera_path);
  void finish_recording(Delay delay);
  void in_thread(std::function<void()> work);
  void later(std::function<void()> function);
  void after(Delay delay, std::function<void()> function);
  static void serve_file(SoupServer* server, SoupServerMessage* message, const char* path,
                         GHashTable* query, gpointer self);

  std::unique_ptr<GMainContext, Context> context_;
  std::unique_ptr<GMainLoop, Loop> loop_;
  Ports ports_{};
  ObjectRef<GSocket> control_socket_, data_socket_, http_socket_;
  Watch control_watch_, data_watch_, http_watch_, reboot_watch_;
  ObjectRef<SoupServer> http_;
  std::list<Connection> connections_;
  int next_id_ = 1;
  std::list<Watch> timers_;
  std::unique_ptr<Recording> recording_;
  std::string recording_path_;
  Delay recording_since_{};
  std::list<std::future<void>> workers_;
  std::thread thread_;
  friend class Emulator;
};

// --- life ------------------------------------------------------------------------------------

Status Emulator::Impl::open() {
  g_main_context_push_thread_default(context_.get());
  ports_ = {options_.port, options_.data_port, options_.rtsp_port, options_.http_port};
  Status status = listen();
  if (status && options_.preview) {
    Result<std::unique_ptr<Preview>> preview = Preview::start(
        options_.scene, options_.control.faults, options_.host, ports_.rtsp, context_.get());
    if (preview) {
      preview_ = std::move(*preview);
      ports_.rtsp = preview_->port();
    } else {
      status = preview.error();
    }
  }
  g_main_context_pop_thread_default(context_.get());
  if (status) thread_ = std::thread([this] { run(); });
  return status;
}

void Emulator::Impl::run() {
  g_main_context_push_thread_default(context_.get());
  g_main_loop_run(loop_.get());
  g_main_context_pop_thread_default(context_.get());
}

Emulator::Impl::~Impl() {
  if (thread_.joinable()) {
    // Through the context: a loop that does not run yet could not be told to quit.
    later([this] { g_main_loop_quit(loop_.get()); });
    thread_.join();
  }
  workers_.clear();  // waits for each
  g_main_context_push_thread_default(context_.get());
  recording_.reset();
  preview_.reset();
  if (http_) soup_server_disconnect(http_.get());
  http_.reset();
  timers_.clear();
  connections_.clear();
  // What was put there for later lets go of what it holds.
  while (g_main_context_iteration(context_.get(), FALSE)) {
  }
  g_main_context_pop_thread_default(context_.get());
}

void Emulator::Impl::later(std::function<void()> function) {
  const SourceRef source(g_idle_source_new());
  g_source_set_priority(source.get(), G_PRIORITY_DEFAULT);
  g_source_set_callback(source.get(), call_function, new Function([function = std::move(function)] {
                          function();
                          return false;
                        }),
                        delete_function);
  g_source_attach(source.get(), context_.get());
}

void Emulator::Impl::after(Delay delay, std::function<void()> function) {
  timers_.remove_if([](const Watch& timer) { return !timer; });
  timers_.push_back(watch_time(delay, context_.get(), [function = std::move(function)] {
    function();
    return false;
  }));
}

template <typename T>
T Emulator::Impl::ask(std::function<T()> function) {
  std::promise<T> promise;
  later([&] { promise.set_value(function()); });
  return promise.get_future().get();
}

void Emulator::Impl::in_thread(std::function<void()> work) {
  workers_.remove_if([](const std::future<void>& worker) {
    return worker.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  });
  workers_.push_back(std::async(std::launch::async, std::move(work)));
}

// --- sockets ---------------------------------------------------------------------------------

Result<ObjectRef<GSocket>> Emulator::Impl::listen_on(uint16_t port) {
  g_autoptr(GError) error = nullptr;
  g_autoptr(GInetAddress) inet = g_inet_address_new_from_string(options_.host.c_str());
  if (!inet)
    return invalid("'" + options_.host + "' is no address to listen on; give one in numbers");
  g_autoptr(GSocketAddress) address = g_inet_socket_address_new(inet, port);
  ObjectRef<GSocket> socket(g_socket_new(g_inet_address_get_family(inet), G_SOCKET_TYPE_STREAM,
                                         G_SOCKET_PROTOCOL_TCP, &error));
  if (!socket || !g_socket_bind(socket.get(), address, TRUE, &error) ||
      !g_socket_listen(socket.get(), &error))
    return failed("the emulator can't listen on " + options_.host + ":" + std::to_string(port) +
                  ": " + error->message);
  g_socket_set_blocking(socket.get(), FALSE);
  return socket;
}

uint16_t port_of(GSocket* socket) {
  g_autoptr(GSocketAddress) address = g_socket_get_local_address(socket, nullptr);
  return g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address));
}

Status Emulator::Impl::listen() {
  Result<ObjectRef<GSocket>> control = listen_on(ports_.control);
  if (!control) return control.error();
  Result<ObjectRef<GSocket>> data = listen_on(ports_.data);
  if (!data) return data.error();
  Result<ObjectRef<GSocket>> http = listen_on(ports_.http);
  if (!http) return http.error();
  control_socket_ = std::move(*control);
  data_socket_ = std::move(*data);
  http_socket_ = std::move(*http);
  // Settled once: after a restart they are the same, and others read them.
  if (ports_.control == 0) ports_.control = port_of(control_socket_.get());
  if (ports_.data == 0) ports_.data = port_of(data_socket_.get());
  if (ports_.http == 0) ports_.http = port_of(http_socket_.get());
  control_watch_ = watch_socket(control_socket_.get(), G_IO_IN, context_.get(), [this] {
    accept(control_socket_.get(), false);
    return true;
  });
  data_watch_ = watch_socket(data_socket_.get(), G_IO_IN, context_.get(), [this] {
    accept(data_socket_.get(), true);
    return true;
  });
  http_.reset(soup_server_new("server-header", "MADV-emulator", nullptr));
  soup_server_add_handler(http_.get(), nullptr, serve_file, this, nullptr);
  // Not soup_server_listen(): libsoup 3.2 never closes what it has accepted itself.
  http_watch_ = watch_socket(http_socket_.get(), G_IO_IN, context_.get(), [this] {
    accept_http();
    return true;
  });
  return ok();
}

void Emulator::Impl::accept_http() {
  const ObjectRef<GSocket> socket(g_socket_accept(http_socket_.get(), nullptr, nullptr));
  if (!socket) return;
  const ObjectRef<GSocketConnection> stream(
      g_socket_connection_factory_create_connection(socket.get()));
  g_autoptr(GSocketAddress) local = g_socket_get_local_address(socket.get(), nullptr);
  g_autoptr(GSocketAddress) remote = g_socket_get_remote_address(socket.get(), nullptr);
  // What can't be served is closed with its stream.
  soup_server_accept_iostream(http_.get(), G_IO_STREAM(stream.get()), local, remote, nullptr);
}

void Emulator::Impl::accept(GSocket* listening, bool is_data) {
  ObjectRef<GSocket> socket(g_socket_accept(listening, nullptr, nullptr));
  if (!socket) return;
  g_socket_set_blocking(socket.get(), FALSE);
  g_socket_set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
  g_autoptr(GSocketAddress) remote = g_socket_get_remote_address(socket.get(), nullptr);
  std::string address;
  if (G_IS_INET_SOCKET_ADDRESS(remote)) {
    GInetAddress* inet = g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(remote));
    address = GString_(g_inet_address_to_string(inet)).get();
  }
  Connection& connection = connections_.emplace_back();
  connection.id = next_id_++;
  connection.is_data = is_data;
  connection.socket = std::move(socket);
  connection.address = std::move(address);
  connection.readable =
      watch_socket(connection.socket.get(), G_IO_IN, context_.get(), [this, id = connection.id] {
        Connection* found = find(id);
        return found && receive(*found);
      });
  if (!is_data) control_.connected(connection.id);
}

bool Emulator::Impl::receive(Connection& connection) {
  char buffer[16384];
  const int id = connection.id;
  g_autoptr(GError) error = nullptr;
  const gssize got =
      g_socket_receive(connection.socket.get(), buffer, sizeof buffer, nullptr, &error);
  if (got < 0 && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) return true;
  if (got <= 0) {
    if (!connection.is_data) control_.disconnected(id);
    drop(id);
    perform();
    return false;
  }
  // Nothing is said on the data port by a client.
  if (!connection.is_data) {
    control_.received(id, {buffer, static_cast<size_t>(got)});
    perform();
  }
  return find(id) != nullptr;
}

Emulator::Impl::Connection* Emulator::Impl::find(int id) {
  const auto found = std::find_if(connections_.begin(), connections_.end(),
                                  [&](const Connection& c) { return c.id == id; });
  return found == connections_.end() ? nullptr : &*found;
}

void Emulator::Impl::drop(int id) {
  connections_.remove_if([&](const Connection& c) { return c.id == id; });
}

void Emulator::Impl::queue(Connection& connection, std::string bytes, Delay delay) {
  const Delay due =
      std::max(now() + delay, connection.waiting.empty() ? Delay{} : connection.waiting.back().due);
  connection.waiting.push_back({due, std::move(bytes)});
  flush(connection);
}

void Emulator::Impl::flush(Connection& connection) {
  while (!connection.waiting.empty() && connection.waiting.front().due <= now()) {
    connection.output += connection.waiting.front().bytes;
    connection.waiting.pop_front();
  }
  const std::optional<Fault> split = find_fault(options_.control.faults, FaultKind::split);
  const size_t most =
      split && !connection.is_data ? static_cast<size_t>(split->n) : connection.output.size();
  bool blocked = false;
  size_t sent = 0;
  while (sent < connection.output.size()) {
    const gssize n =
        g_socket_send(connection.socket.get(), connection.output.data() + sent,
                      std::min(most, connection.output.size() - sent), nullptr, nullptr);
    if (n <= 0) {
      // Full, or gone: the reading side finds out which.
      blocked = true;
      break;
    }
    sent += static_cast<size_t>(n);
  }
  connection.output.erase(0, sent);

  const int id = connection.id;
  if (blocked && !connection.writable) {
    connection.writable =
        watch_socket(connection.socket.get(), G_IO_OUT, context_.get(), [this, id] {
          Connection* found = find(id);
          if (!found) return false;
          // This very source goes when it returns false.
          found->writable = Watch();
          flush(*found);
          return false;
        });
  }
  if (!connection.waiting.empty()) {
    connection.timer =
        watch_time(connection.waiting.front().due - now(), context_.get(), [this, id] {
          if (Connection* found = find(id)) flush(*found);
          return false;
        });
  } else if (connection.output.empty() && connection.closing) {
    drop(id);
  }
}

// --- what the control channel wants done -----------------------------------------------------

void Emulator::Impl::perform() {
  // An action may be the cause of another.
  for (std::vector<Action> actions = control_.take_actions(); !actions.empty();
       actions = control_.take_actions())
    for (Action& action : actions) perform(std::move(action));
}

void Emulator::Impl::perform(Action action) {
  Connection* connection = find(action.client);
  switch (action.kind) {
    case Action::Kind::send:
      if (connection) queue(*connection, std::move(action.bytes), action.delay);
      break;
    case Action::Kind::send_data:
      after(action.delay, [this, action] { send_data(action); });
      break;
    case Action::Kind::close:
      if (connection) {
        connection->closing = true;
        connection->readable.stop();
        flush(*connection);
      }
      break;
    case Action::Kind::reboot:
      // Not from within a connection that goes with it.
      later([this, pause = action.delay] { reboot(pause); });
      break;
    case Action::Kind::timer:
      after(action.delay, [this, number = action.number] {
        control_.timer(number);
        perform();
      });
      break;
    case Action::Kind::take_photo:
      take_photo(action.bytes);
      break;
    case Action::Kind::start_recording:
      recording_path_ = action.bytes;
      recording_since_ = now();
      if (options_.video_bytes.empty()) {
        Result<std::unique_ptr<Recording>> recording =
            Recording::start(options_.scene, *card_.local(recording_path_));
        if (recording) recording_ = std::move(*recording);
      }
      break;
    case Action::Kind::stop_recording:
      finish_recording(action.delay);
      break;
  }
}

void Emulator::Impl::send_data(const Action& action) {
  const Connection* client = find(action.client);
  if (!client) return;
  const auto data =
      std::find_if(connections_.rbegin(), connections_.rend(),
                   [&](const Connection& c) { return c.is_data && c.address == client->address; });
  const bool connected = data != connections_.rend();
  if (connected) queue(*data, action.bytes, {});
  queue(*find(action.client),
        connected ? action.after : R"({"rval":0,"msg_id":7,"type":"get_file_fail"})", {});
}

void Emulator::Impl::take_photo(const std::string& camera_path) {
  const std::string path = *card_.local(camera_path);
  const auto done = [this, camera_path](bool good) {
    later([this, camera_path, good] {
      control_.photo_taken(camera_path, good);
      perform();
    });
  };
  if (options_.photo_bytes.empty())
    in_thread(
        [scene = options_.scene, path, done] { done(bool(emulator::take_photo(scene, path))); });
  else
    done(g_file_set_contents(path.c_str(), options_.photo_bytes.data(),
                             static_cast<gssize>(options_.photo_bytes.size()), nullptr));
}

void Emulator::Impl::finish_recording(Delay delay) {
  const std::string camera_path = std::exchange(recording_path_, {});
  const std::optional<std::string> path = card_.local(camera_path);
  if (!path) return;
  const int milliseconds = static_cast<int>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now() - recording_since_).count());
  const auto done = [this, camera_path, milliseconds, delay](bool good) {
    later([this, camera_path, milliseconds, delay, good] {
      after(delay, [this, camera_path, milliseconds, good] {
        control_.recording_saved(camera_path, good, milliseconds);
        perform();
      });
    });
  };
  if (!options_.video_bytes.empty()) {
    done(g_file_set_contents(path->c_str(), options_.video_bytes.data(),
                             static_cast<gssize>(options_.video_bytes.size()), nullptr));
  } else if (recording_) {
    // Shared, because what a thread does must be copyable.
    in_thread([recording = std::shared_ptr<Recording>(std::move(recording_)), done] {
      done(bool(recording->finish()));
    });
  } else {
    done(false);
  }
}

void Emulator::Impl::reboot(Delay pause) {
  control_.forget_sessions();
  connections_.clear();
  control_watch_.stop();
  data_watch_.stop();
  control_socket_.reset();
  data_socket_.reset();
  http_watch_.stop();
  http_socket_.reset();
  soup_server_disconnect(http_.get());
  http_.reset();
  if (preview_) preview_->cut();
  reboot_watch_ = watch_time(pause, context_.get(), [this] {
    // Somebody may have taken the port meanwhile; then it is tried again.
    return !listen();
  });
}

// --- files -----------------------------------------------------------------------------------

void Emulator::Impl::serve_file(SoupServer*, SoupServerMessage* message, const char* path,
                                GHashTable*, gpointer data) {
  auto* self = static_cast<Impl*>(data);
  const char* method = soup_server_message_get_method(message);
  if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD) {
    soup_server_message_set_status(message, SOUP_STATUS_METHOD_NOT_ALLOWED, nullptr);
    return;
  }
  const std::optional<std::string> local = self->card_.local("/tmp/SD0/DCIM" + std::string(path));
  GMappedFile* mapped = local && !g_file_test(local->c_str(), G_FILE_TEST_IS_DIR)
                            ? g_mapped_file_new(local->c_str(), FALSE, nullptr)
                            : nullptr;
  if (!mapped) {
    soup_server_message_set_status(message, SOUP_STATUS_NOT_FOUND, nullptr);
    return;
  }
  const BytesRef bytes(g_mapped_file_get_bytes(mapped));
  g_mapped_file_unref(mapped);
  SoupMessageHeaders* headers = soup_server_message_get_response_headers(message);
  soup_message_headers_replace(headers, "Accept-Ranges", "bytes");
  soup_message_headers_set_content_type(
      headers, local->ends_with(".JPG") ? "image/jpeg" : "video/mp4", nullptr);
  soup_server_message_set_status(message, SOUP_STATUS_OK, nullptr);
  // Ranges are the server library's work: it has the whole body.
  soup_message_body_append_bytes(soup_server_message_get_response_body(message), bytes.get());
}

// --- Emulator --------------------------------------------------------------------------------

Result<std::unique_ptr<Emulator>> Emulator::start(EmulatorOptions options) {
  if (options.make_table && options.control.lens_table.empty()) {
    const Result<LensPair> pair = load_profile(options.scene.lens);
    if (!pair) return pair.error();
    if (const auto table = make_table(*pair))
      options.control.lens_table.assign(table->begin(), table->end());
  }
  Result<Card> card = Card::open(options.card_folder);
  if (!card) return card.error();
  auto impl = std::make_unique<Impl>(std::move(options), std::move(*card));
  if (Status status = impl->open(); !status) return status.error();
  return std::unique_ptr<Emulator>(new Emulator(std::move(impl)));
}

Emulator::Emulator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Emulator::~Emulator() = default;

Emulator::Ports Emulator::ports() const { return impl_->ports(); }

std::string Emulator::uri() const {
  madv::Uri uri;
  uri.host = impl_->options_.host;
  const Ports all = ports();
  uri.port = all.control;
  uri.data_port = all.data;
  uri.http_port = all.http;
  if (all.rtsp) uri.rtsp_port = all.rtsp;
  return uri.to_string();
}

const std::string& Emulator::card_folder() const { return impl_->card_.folder(); }

Counters Emulator::counters() const {
  return impl_->ask<Counters>([this] { return impl_->control_.counters(); });
}
std::vector<Asked> Emulator::asked() const {
  return impl_->ask<std::vector<Asked>>([this] { return impl_->control_.asked(); });
}
std::vector<std::string> Emulator::position() const {
  return impl_->ask<std::vector<std::string>>([this] { return impl_->control_.position(); });
}
std::string Emulator::clock() const {
  return impl_->ask<std::string>([this] { return impl_->control_.clock(); });
}

std::vector<int> Emulator::tracks() const {
  return impl_->preview_ ? impl_->preview_->tracks() : std::vector<int>();
}

void Emulator::set_battery(int code) {
  impl_->ask<bool>([this, code] {
    impl_->control_.set_battery(code);
    impl_->perform();
    return true;
  });
}
void Emulator::set_card(int rval) {
  impl_->ask<bool>([this, rval] {
    impl_->control_.set_card(rval);
    impl_->perform();
    return true;
  });
}
void Emulator::notify(int id, std::string more) {
  impl_->ask<bool>([this, id, &more] {
    impl_->control_.notify(id, more);
    impl_->perform();
    return true;
  });
}
void Emulator::reboot(Delay pause) {
  impl_->ask<bool>([this, pause] {
    impl_->reboot(pause);
    return true;
  });
}
void Emulator::cut_preview() {
  impl_->ask<bool>([this] {
    if (impl_->preview_) impl_->preview_->cut();
    return true;
  });
}

}  // namespace sphere::emulator
