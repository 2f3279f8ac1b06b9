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
#include "hw/emulator/loop.h"
#include "hw/madv/uri.h"

namespace sphere::emulator {

namespace {

constexpr const char* transfer_failed = R"({"rval":0,"msg_id":7,"type":"get_file_fail"})";

Delay now() { return Delay(g_get_monotonic_time()); }

}  // namespace

class Emulator::Impl {
 public:
  Impl(EmulatorOptions options, Card card)
      : options_(std::move(options)), card_(std::move(card)), control_(options_.control, card_) {}
  ~Impl();

  Status open();

  /// Does `function` in the emulator's thread and waits.
  template <typename T>
  T ask(std::function<T()> function) {
    return loop_.ask<T>(std::move(function));
  }

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
    struct Output {
      Delay due{};
      std::string bytes;
      size_t sent = 0;
      // Of a transfer: whose it is, and what that client is told when all is sent.
      int client = 0;
      std::string after;
    };
    std::deque<Output> output;  // in order, whatever their delays
    bool closing = false;
  };

  Status listen();
  void accept_http();
  Result<ObjectRef<GSocket>> listen_on(uint16_t port);
  void accept(GSocket* listening, bool is_data);
  bool receive(Connection& connection);
  void queue(Connection& connection, Connection::Output output, Delay delay);
  void say(int client, std::string bytes, Delay delay = {});
  void flush(Connection& connection);
  enum class Sent { all, in_part, to_nobody };
  Sent send(Connection& connection, Connection::Output& output);
  void close(Connection& connection);
  void drop(int id);
  Connection* find(int id);
  void perform(Action action);
  Connection* data_of(int client);
  void send_data(Action action);
  void cancel_data(int client);
  void take_photo(const std::string& camera_path);
  void finish_recording(Delay delay);
  void in_thread(std::function<void()> work);
  void after(Delay delay, std::function<void()> function);
  static void serve_file(SoupServer* server, SoupServerMessage* message, const char* path,
                         GHashTable* query, gpointer self);

  LoopThread loop_;
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
  friend class Emulator;
};

// --- life ------------------------------------------------------------------------------------

Status Emulator::Impl::open() {
  g_main_context_push_thread_default(loop_.context());
  ports_ = {options_.port, options_.data_port, options_.rtsp_port, options_.http_port};
  Status status = listen();
  g_main_context_pop_thread_default(loop_.context());
  if (status && options_.preview) {
    Result<std::unique_ptr<Preview>> preview =
        Preview::start(options_.scene, options_.control.faults, options_.host, ports_.rtsp);
    if (!preview) return preview.error();
    preview_ = std::move(*preview);
    ports_.rtsp = preview_->port();
  }
  if (status) loop_.start();
  return status;
}

Emulator::Impl::~Impl() {
  loop_.stop();
  workers_.clear();  // waits for each
  g_main_context_push_thread_default(loop_.context());
  recording_.reset();
  preview_.reset();
  if (http_) soup_server_disconnect(http_.get());
  http_.reset();
  timers_.clear();
  connections_.clear();
  loop_.drain();
  g_main_context_pop_thread_default(loop_.context());
}

void Emulator::Impl::after(Delay delay, std::function<void()> function) {
  timers_.remove_if([](const Watch& timer) { return !timer; });
  timers_.push_back(watch_time(delay, loop_.context(), [function = std::move(function)] {
    function();
    return false;
  }));
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
  // After a restart; at the start it comes later.
  if (preview_)
    if (Status status = preview_->listen(); !status) return status;
  control_socket_ = std::move(*control);
  data_socket_ = std::move(*data);
  http_socket_ = std::move(*http);
  // Settled once: after a restart they are the same, and others read them.
  if (ports_.control == 0) ports_.control = port_of(control_socket_.get());
  if (ports_.data == 0) ports_.data = port_of(data_socket_.get());
  if (ports_.http == 0) ports_.http = port_of(http_socket_.get());
  control_watch_ = watch_socket(control_socket_.get(), G_IO_IN, loop_.context(), [this] {
    accept(control_socket_.get(), false);
    return true;
  });
  data_watch_ = watch_socket(data_socket_.get(), G_IO_IN, loop_.context(), [this] {
    accept(data_socket_.get(), true);
    return true;
  });
  http_.reset(soup_server_new("server-header", "MADV-emulator", nullptr));
  soup_server_add_handler(http_.get(), nullptr, serve_file, this, nullptr);
  // Not soup_server_listen(): libsoup 3.2 never closes what it has accepted itself.
  http_watch_ = watch_socket(http_socket_.get(), G_IO_IN, loop_.context(), [this] {
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
      watch_socket(connection.socket.get(), G_IO_IN, loop_.context(), [this, id = connection.id] {
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
    if (connection.is_data) {
      for (const Connection::Output& output : connection.output)
        say(output.client, transfer_failed);
      drop(id);
    } else {
      control_.disconnected(id);
      // A client that has said all may still want to hear what it asked.
      if (got == 0 && !connection.output.empty())
        close(connection);
      else
        drop(id);
    }
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

void Emulator::Impl::queue(Connection& connection, Connection::Output output, Delay delay) {
  output.due =
      std::max(now() + delay, connection.output.empty() ? Delay{} : connection.output.back().due);
  connection.output.push_back(std::move(output));
  flush(connection);
}

void Emulator::Impl::say(int client, std::string bytes, Delay delay) {
  if (Connection* connection = find(client)) queue(*connection, {.bytes = std::move(bytes)}, delay);
}

void Emulator::Impl::close(Connection& connection) {
  connection.closing = true;
  connection.readable.stop();
  flush(connection);
}

Emulator::Impl::Sent Emulator::Impl::send(Connection& connection, Connection::Output& output) {
  const std::optional<Fault> split = find_fault(options_.control.faults, FaultKind::split);
  const size_t most =
      split && !connection.is_data ? static_cast<size_t>(split->n) : output.bytes.size();
  while (output.sent < output.bytes.size()) {
    g_autoptr(GError) error = nullptr;
    const gssize n =
        g_socket_send(connection.socket.get(), output.bytes.data() + output.sent,
                      std::min(most, output.bytes.size() - output.sent), nullptr, &error);
    if (n <= 0)
      return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) ? Sent::in_part
                                                                        : Sent::to_nobody;
    output.sent += static_cast<size_t>(n);
  }
  return Sent::all;
}

void Emulator::Impl::flush(Connection& connection) {
  const int id = connection.id;
  while (!connection.output.empty() && connection.output.front().due <= now()) {
    const Sent sent = send(connection, connection.output.front());
    if (sent == Sent::to_nobody) {
      // The reading side hears of it, where there is one.
      if (connection.closing) drop(id);
      return;
    }
    if (sent == Sent::in_part) {
      connection.writable =
          watch_socket(connection.socket.get(), G_IO_OUT, loop_.context(), [this, id] {
            if (Connection* found = find(id)) flush(*found);
            return false;
          });
      return;
    }
    const Connection::Output done = std::move(connection.output.front());
    connection.output.pop_front();
    if (!done.after.empty()) say(done.client, done.after);
  }
  if (!connection.output.empty()) {
    connection.timer =
        watch_time(connection.output.front().due - now(), loop_.context(), [this, id] {
          if (Connection* found = find(id)) flush(*found);
          return false;
        });
  } else if (connection.closing) {
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
  switch (action.kind) {
    case Action::Kind::send:
      say(action.client, std::move(action.bytes), action.delay);
      break;
    case Action::Kind::send_data:
      send_data(std::move(action));
      break;
    case Action::Kind::cancel_data:
      cancel_data(action.client);
      break;
    case Action::Kind::close:
      if (Connection* connection = find(action.client)) close(*connection);
      break;
    case Action::Kind::reboot:
      // Not from within a connection that goes with it.
      loop_.later([this, pause = action.delay] { reboot(pause); });
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

/// The data connection that the machine of `client` made last.
Emulator::Impl::Connection* Emulator::Impl::data_of(int client) {
  const Connection* control = find(client);
  const auto data = std::find_if(connections_.rbegin(), connections_.rend(), [&](const auto& c) {
    return control && c.is_data && c.address == control->address;
  });
  return data == connections_.rend() ? nullptr : &*data;
}

void Emulator::Impl::send_data(Action action) {
  if (Connection* data = data_of(action.client))
    queue(*data,
          {.bytes = std::move(action.bytes),
           .client = action.client,
           .after = std::move(action.after)},
          action.delay);
  else
    say(action.client, transfer_failed, action.delay);
}

void Emulator::Impl::cancel_data(int client) {
  size_t sent = 0;
  if (Connection* data = data_of(client)) {
    for (const Connection::Output& output : data->output) sent += output.sent;
    data->output.clear();
  }
  control_.transfer_cancelled(client, sent);
}

void Emulator::Impl::take_photo(const std::string& camera_path) {
  const std::string path = *card_.local(camera_path);
  const auto done = [this, camera_path](bool good) {
    loop_.later([this, camera_path, good] {
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
    loop_.later([this, camera_path, milliseconds, delay, good] {
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
  control_.restart();
  // What it was recording is on the card; nobody is told.
  recording_path_.clear();
  if (recording_)
    in_thread([recording = std::shared_ptr<Recording>(std::move(recording_))] {
      (void)recording->finish();
    });
  connections_.clear();
  control_watch_.stop();
  data_watch_.stop();
  control_socket_.reset();
  data_socket_.reset();
  http_watch_.stop();
  http_socket_.reset();
  if (http_) soup_server_disconnect(http_.get());
  http_.reset();
  if (preview_) preview_->close();
  reboot_watch_ = watch_time(pause, loop_.context(), [this] {
    // Somebody may have taken the port meanwhile; then it is tried again.
    return !listen();
  });
}

// --- files -----------------------------------------------------------------------------------

const char* media_type_of(std::string path) {
  std::transform(path.begin(), path.end(), path.begin(), g_ascii_toupper);
  for (const auto& [suffix, type] :
       {std::pair(".JPG", "image/jpeg"), std::pair(".MP4", "video/mp4"),
        std::pair(".DNG", "image/x-adobe-dng")})
    if (path.ends_with(suffix)) return type;
  return "application/octet-stream";
}

struct Part {
  uint64_t from, count;
};
/// What a Range header asks for of `size` bytes; nothing where it is to be left aside, as one of
/// several parts may be, and a count of 0 where there is no such part.
std::optional<Part> read_range(const std::string& text, uint64_t size) {
  constexpr std::string_view unit = "bytes=";
  if (!text.starts_with(unit)) return std::nullopt;
  const size_t dash = text.find('-');
  if (dash == std::string::npos) return std::nullopt;
  const auto number = [](const std::string& digits, guint64* value) {
    return g_ascii_string_to_unsigned(digits.c_str(), 10, 0, G_MAXUINT64, value, nullptr);
  };
  const std::string first = text.substr(unit.size(), dash - unit.size());
  const std::string last = text.substr(dash + 1);
  guint64 from = 0, to = G_MAXUINT64;
  if (!last.empty() && !number(last, &to)) return std::nullopt;
  if (first.empty()) {
    if (last.empty()) return std::nullopt;
    const uint64_t count = std::min<uint64_t>(to, size);
    return Part{size - count, count};
  }
  if (!number(first, &from) || to < from) return std::nullopt;
  if (from >= size) return Part{0, 0};
  return Part{from, std::min<uint64_t>(to, size - 1) - from + 1};
}

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
  const uint64_t size = g_bytes_get_size(bytes.get());
  SoupMessageHeaders* asked = soup_server_message_get_request_headers(message);
  SoupMessageHeaders* headers = soup_server_message_get_response_headers(message);
  soup_message_headers_replace(headers, "Accept-Ranges", "bytes");
  soup_message_headers_set_content_type(headers, media_type_of(*local), nullptr);
  const std::optional<Part> part =
      read_range(to_string(soup_message_headers_get_one(asked, "Range")), size);
  // libsoup 3.2 would look at it as well, and cuts what ends behind the end out of nothing.
  soup_message_headers_remove(asked, "Range");
  if (part && part->count == 0) {
    soup_message_headers_replace(headers, "Content-Range",
                                 ("bytes */" + std::to_string(size)).c_str());
    soup_server_message_set_status(message, SOUP_STATUS_REQUESTED_RANGE_NOT_SATISFIABLE, nullptr);
    return;
  }
  const Part sent = part.value_or(Part{0, size});
  if (part)
    soup_message_headers_set_content_range(headers, static_cast<goffset>(sent.from),
                                           static_cast<goffset>(sent.from + sent.count - 1),
                                           static_cast<goffset>(size));
  soup_server_message_set_status(message, part ? SOUP_STATUS_PARTIAL_CONTENT : SOUP_STATUS_OK,
                                 nullptr);
  const BytesRef body(g_bytes_new_from_bytes(bytes.get(), sent.from, sent.count));
  soup_message_body_append_bytes(soup_server_message_get_response_body(message), body.get());
}

// --- Emulator --------------------------------------------------------------------------------

Result<std::unique_ptr<Emulator>> Emulator::start(EmulatorOptions options) {
  if (options.make_table && options.control.lens_table.empty()) {
    const Result<LensPair> pair = load_profile(options.scene.lens);
    if (!pair) return pair.error();
    if (const auto table = make_table(*pair))
      options.control.lens_table.assign(table->begin(), table->end());
  }
  if (Status seen = check_scene(options.scene); !seen) return seen.error();
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
std::vector<Asked> Emulator::asked(size_t from) const {
  return impl_->ask<std::vector<Asked>>([this, from] {
    const std::vector<Asked>& all = impl_->control_.asked();
    return std::vector<Asked>(all.begin() + static_cast<std::ptrdiff_t>(std::min(from, all.size())),
                              all.end());
  });
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
void Emulator::set_silent(bool silent) {
  impl_->ask<bool>([this, silent] {
    impl_->control_.set_silent(silent);
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
