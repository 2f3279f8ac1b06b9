// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/emulator/emulator.h"

#include <gio/gio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <list>

#include "gst/sphere/base/loop.h"
#include "gst/sphere/lens/profile.h"
#include "gst/sphere/lens/table.h"
#include "hw/emulator/capture.h"
#include "hw/emulator/file_server.h"
#include "hw/emulator/listener.h"
#include "hw/emulator/preview.h"
#include "hw/madv/emulator/file_forms.h"
#include "hw/madv/emulator/orders.h"
#include "hw/madv/emulator/rtsp_answers.h"
#include "hw/madv/uri.h"

namespace sphere::madv_emulator {

using emulator::Capture;
using emulator::FileServer;
using emulator::Listener;
using emulator::most_connections;
using emulator::Preview;

namespace {

// If this many bytes wait for a client, nothing more is read from it until it has received some of
// them.
constexpr size_t most_waiting = 1 << 20;

// The part of a file that is in memory at a time, and what is sent to one client before the others
// have their turn. Bytes.
constexpr uint64_t piece_size = 256 << 10, most_per_turn = 4 << 20;

// A slow data port sends so many pieces a second.
constexpr int slow_pieces = 20;

// The last answers before a restart may take this long.
constexpr Delay most_farewell = std::chrono::seconds(3);

Delay now() { return Delay(g_get_monotonic_time()); }

}  // namespace

class Emulator::Impl {
 public:
  Impl(EmulatorOptions options, Card card)
      : options_(std::move(options)),
        card_(std::move(card)),
        control_(options_.control, card_),
        capture_(loop_, card_, options_.scene, options_.photo_bytes, options_.video_bytes,
                 file_forms(options_.control)) {}
  ~Impl();

  Status open();

  /// Calls `function` in the emulator's thread and waits for it.
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
  Status obey(const std::string& line);

 private:
  using Checksum = std::unique_ptr<GChecksum, Call<g_checksum_free>>;
  struct Connection {
    int id;
    bool is_data;
    ObjectRef<GSocket> socket;
    std::string address;
    Watch readable, writable, timer;
    struct Output {
      Delay due{};
      std::string bytes;  // all of them, or the present piece of a file's part
      int client = 0;     // the client of a transfer
      Action::FilePart part{};
      uint64_t sent = 0;
      uint64_t piece = 0;   // where `bytes` begins in what is sent
      Checksum checksum{};  // of a transfer: of what was taken to be sent

      uint64_t size() const { return part.file ? part.count : bytes.size(); }
      uint64_t waiting() const { return piece + bytes.size() - sent; }
    };
    std::deque<Output> output;  // in order, independent of their delays
    size_t waiting = 0;         // number of bytes in `output`
    bool full = false;          // too many bytes wait: nothing is read
    bool peer_gone = false;     // sending failed; the reading side gets the reason
    bool closing = false;
    Delay active{};  // time of its last request, or of the last bytes that it received
  };

  Status listen();
  Result<std::unique_ptr<Listener>> listen_on(uint16_t port, Listener::Accepted accepted);
  void accept(ObjectRef<GSocket> socket, bool is_data);
  void read_from(Connection& connection);
  bool receive(Connection& connection);
  void answer(int id);
  void lose(Connection& connection, bool hears);
  void close_idle();
  void queue(Connection& connection, Connection::Output output, Delay delay);
  void say(int client, std::string bytes, Delay delay = {});
  void flush(Connection& connection);
  bool next_piece(Connection& connection, Connection::Output& output);
  static void add_to(const Checksum& checksum, std::string_view bytes);
  enum class Sent { all, in_part, slowly, cut, to_nobody };
  Sent send(Connection& connection, Connection::Output& output);
  void close(Connection& connection);
  void drop(int id);
  Connection* find(int id);
  void perform(Action action);
  Connection* data_of(int client);
  /// The client whose upload comes over this data connection.
  std::optional<int> uploader_of(const Connection& data);
  void send_data(Action action);
  void cancel_data(int client);
  size_t forget_transfers(int client, Connection& data);
  void reboot_when_said(Delay pause, Delay until);
  void take_photo(const std::string& camera_path);
  ShotSettings shot_settings(int resolution) const;
  void start_recording(const std::string& camera_path);
  void finish_recording(Delay delay);
  void after(Delay delay, std::function<void()> function);

  LoopThread loop_;
  Capture capture_;
  Ports ports_{};
  std::unique_ptr<Listener> control_listener_, data_listener_, http_listener_;
  std::unique_ptr<FileServer> files_;
  Watch reboot_watch_, idle_watch_;
  std::list<Connection> connections_;
  int next_id_ = 1;
  std::list<Watch> timers_;
  friend class Emulator;
};

// --- life ------------------------------------------------------------------------------------

Status Emulator::Impl::open() {
  g_main_context_push_thread_default(loop_.context());
  ports_ = {options_.port, options_.data_port, options_.rtsp_port, options_.http_port};
  Status status = listen();
  idle_watch_ = watch_time(Delay(options_.idle_time) / 2, loop_.context(), [this] {
    close_idle();
    return true;
  });
  g_main_context_pop_thread_default(loop_.context());
  if (status && options_.preview) {
    Result<std::unique_ptr<Preview>> preview = Preview::start({.scene = options_.scene,
                                                               .faults = options_.control.faults,
                                                               .host = options_.host,
                                                               .port = ports_.rtsp,
                                                               .mount_point = "/live",
                                                               .change_answer = change_answer,
                                                               .idle_time = options_.idle_time});
    if (!preview) return preview.error();
    preview_ = std::move(*preview);
    ports_.rtsp = preview_->port();
  }
  perform();  // timers of its faults
  if (status) loop_.start();
  return status;
}

Emulator::Impl::~Impl() {
  loop_.stop();
  capture_.stop();
  g_main_context_push_thread_default(loop_.context());
  preview_.reset();
  idle_watch_.stop();
  control_listener_.reset();
  data_listener_.reset();
  http_listener_.reset();
  files_.reset();
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

// --- sockets ---------------------------------------------------------------------------------

Result<std::unique_ptr<Listener>> Emulator::Impl::listen_on(uint16_t port,
                                                            Listener::Accepted accepted) {
  return Listener::open(options_.host, port, loop_.context(), std::move(accepted));
}

Status Emulator::Impl::listen() {
  auto control = listen_on(ports_.control,
                           [this](ObjectRef<GSocket> socket) { accept(std::move(socket), false); });
  if (!control) return control.error();
  auto data = listen_on(ports_.data,
                        [this](ObjectRef<GSocket> socket) { accept(std::move(socket), true); });
  if (!data) return data.error();
  auto http = listen_on(ports_.http,
                        [this](ObjectRef<GSocket> socket) { files_->accept(std::move(socket)); });
  if (!http) return http.error();
  // After a restart; at the start, it is called later.
  if (preview_)
    if (Status status = preview_->listen(); !status) return status;
  files_ =
      std::make_unique<FileServer>(loop_.context(), card_, "MADV-emulator", options_.idle_time,
                                   [this](const FaultInfo& kind) { return control_.fault(kind); });
  control_listener_ = std::move(*control);
  data_listener_ = std::move(*data);
  http_listener_ = std::move(*http);
  // Set only once: after a restart they are the same, and other threads read them.
  if (ports_.control == 0) ports_.control = control_listener_->port();
  if (ports_.data == 0) ports_.data = data_listener_->port();
  if (ports_.http == 0) ports_.http = http_listener_->port();
  return ok();
}

void Emulator::Impl::accept(ObjectRef<GSocket> socket, bool is_data) {
  const auto open = std::count_if(connections_.begin(), connections_.end(),
                                  [&](const Connection& c) { return c.is_data == is_data; });
  if (static_cast<size_t>(open) >= most_connections) return;
  g_socket_set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
  Connection& connection = connections_.emplace_back();
  connection.id = next_id_++;
  connection.is_data = is_data;
  connection.socket = std::move(socket);
  connection.address = emulator::remote_address_of(connection.socket.get());
  connection.active = now();
  read_from(connection);
  if (!is_data) control_.connected(connection.id);
}

void Emulator::Impl::read_from(Connection& connection) {
  connection.readable =
      watch_socket(connection.socket.get(), G_IO_IN, loop_.context(), [this, id = connection.id] {
        Connection* found = find(id);
        return found && receive(*found);
      });
}

bool Emulator::Impl::receive(Connection& connection) {
  char buffer[16384];
  const int id = connection.id;
  g_autoptr(GError) error = nullptr;
  const gssize got =
      g_socket_receive(connection.socket.get(), buffer, sizeof buffer, nullptr, &error);
  if (got < 0 && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) return true;
  if (got <= 0) {
    lose(connection, got == 0);
    return false;
  }
  const std::string_view bytes(buffer, static_cast<size_t>(got));
  if (connection.is_data) {
    // Without an upload, clients send nothing on the data port.
    if (const std::optional<int> client = uploader_of(connection)) {
      control_.data_received(*client, bytes);
      perform();
    }
  } else {
    control_.take(id, bytes);
    answer(id);
  }
  const Connection* left = find(id);
  return left && left->readable;
}

/// Answers a client's requests, as long as it receives the answers.
void Emulator::Impl::answer(int id) {
  while (Connection* connection = find(id)) {
    // Reading continues, because otherwise the end of the connection would not be noticed.
    if (connection->peer_gone) return;
    if (connection->waiting > most_waiting) {
      connection->full = true;
      connection->readable.stop();
      return;
    }
    const int64_t before = control_.counters().requests;
    const bool more = control_.answer_next(id);
    // Only a complete request counts as activity, not one that comes byte by byte.
    if (control_.counters().requests > before) connection->active = now();
    perform();
    if (!more) return;
  }
}

/// Handles the end of a connection. `hears`: the client has only closed its sending side, and may
/// still wait for answers.
void Emulator::Impl::lose(Connection& connection, bool hears) {
  const int id = connection.id;
  if (connection.is_data) {
    if (const std::optional<int> client = uploader_of(connection)) control_.data_failed(*client);
    for (const Connection::Output& output : connection.output) control_.data_failed(output.client);
    drop(id);
  } else {
    control_.disconnected(id);
    for (Connection& data : connections_)
      if (data.is_data) forget_transfers(id, data);
    if (hears && !connection.output.empty())
      close(connection);
    else
      drop(id);
  }
  perform();
}

/// The client with the session may be silent without a limit: if it is gone, the next client gets
/// the session.
void Emulator::Impl::close_idle() {
  std::vector<int> idle;
  for (Connection& connection : connections_) {
    const bool needed = connection.is_data
                            ? std::any_of(connections_.begin(), connections_.end(),
                                          [&](const Connection& c) {
                                            return !c.is_data && c.address == connection.address;
                                          })
                            : !connection.closing && control_.holder() == connection.id;
    if (needed)
      connection.active = now();
    else if (now() - connection.active >= options_.idle_time)
      idle.push_back(connection.id);
  }
  for (const int id : idle)
    if (Connection* connection = find(id)) lose(*connection, false);
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
  connection.waiting += output.bytes.size();
  connection.output.push_back(std::move(output));
  flush(connection);
}

void Emulator::Impl::say(int client, std::string bytes, Delay delay) {
  Connection* connection = find(client);
  if (!connection) return;
  if (const std::optional<Fault> joined = control_.fault(faults::joined)) {
    if (!connection->output.empty() && connection->output.back().sent == 0) {
      connection->waiting += bytes.size();
      connection->output.back().bytes += bytes;
      return;
    }
    delay += std::chrono::milliseconds(joined->n);
  }
  queue(*connection, {.bytes = std::move(bytes)}, delay);
}

void Emulator::Impl::close(Connection& connection) {
  connection.closing = true;
  connection.readable.stop();
  flush(connection);
}

Emulator::Impl::Sent Emulator::Impl::send(Connection& connection, Connection::Output& output) {
  const auto fault = [&](const FaultInfo& kind, bool of_data) {
    return connection.is_data == of_data ? control_.fault(kind) : std::nullopt;
  };
  uint64_t most = most_per_turn, end = output.size();
  if (const auto split = fault(faults::split, false)) most = static_cast<size_t>(split->n);
  if (const auto cut = fault(faults::cut_data, true))
    end = std::min(end, static_cast<uint64_t>(cut->n) << 10);
  const auto slow = fault(faults::slow_data, true);
  if (slow) most = std::max<uint64_t>((static_cast<uint64_t>(slow->n) << 10) / slow_pieces, 1);
  const uint64_t begin = output.sent;
  while (output.sent < end) {
    // The others wait meanwhile.
    if (output.sent - begin >= most_per_turn) return Sent::in_part;
    if (output.waiting() == 0 && !next_piece(connection, output)) break;
    g_autoptr(GError) error = nullptr;
    const uint64_t count = std::min({most, end - output.sent, output.waiting()});
    const gssize n =
        g_socket_send(connection.socket.get(), output.bytes.data() + (output.sent - output.piece),
                      static_cast<gsize>(count), nullptr, &error);
    if (n <= 0)
      return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) ? Sent::in_part
                                                                        : Sent::to_nobody;
    output.sent += static_cast<uint64_t>(n);
    connection.waiting -= static_cast<size_t>(n);
    connection.active = now();
    if (slow && output.sent < end) {
      output.due = now() + Delay(std::chrono::seconds(1)) / slow_pieces;
      return Sent::slowly;
    }
  }
  return end < output.size() ? Sent::cut : Sent::all;
}

/// Reads the next piece of a file; false if the file has become shorter.
bool Emulator::Impl::next_piece(Connection& connection, Connection::Output& output) {
  const uint64_t count = std::min(piece_size, output.part.count - output.sent);
  output.piece = output.sent;
  output.bytes = emulator::read_at(*output.part.file, output.part.offset + output.sent,
                                   static_cast<size_t>(count));
  connection.waiting += output.bytes.size();
  add_to(output.checksum, output.bytes);
  return !output.bytes.empty();
}

void Emulator::Impl::add_to(const Checksum& checksum, std::string_view bytes) {
  g_checksum_update(checksum.get(), reinterpret_cast<const guchar*>(bytes.data()),
                    static_cast<gssize>(bytes.size()));
}

void Emulator::Impl::flush(Connection& connection) {
  const int id = connection.id;
  while (!connection.output.empty() && connection.output.front().due <= now()) {
    const Sent sent = send(connection, connection.output.front());
    if (sent == Sent::slowly) break;
    if (sent == Sent::cut) {
      loop_.later([this, id] {
        if (Connection* found = find(id)) lose(*found, false);
      });
      return;
    }
    if (sent == Sent::to_nobody) {
      connection.peer_gone = true;
      // The reading side notices it, if there is one.
      if (connection.closing)
        drop(id);
      else if (connection.full)
        loop_.later([this, id] {
          if (Connection* found = find(id)) lose(*found, false);
        });
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
    if (done.client) {
      control_.data_sent(done.client, done.sent, g_checksum_get_string(done.checksum.get()));
      perform();
    }
  }
  if (connection.full && connection.waiting <= most_waiting) {
    connection.full = false;
    loop_.later([this, id] {
      Connection* found = find(id);
      if (!found || found->closing) return;
      read_from(*found);
      answer(id);
    });
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
  // An action may add further ones.
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
      // Later, because this may be called by a connection that is closed by it.
      loop_.later([this, pause = action.delay] { reboot_when_said(pause, now() + most_farewell); });
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
      start_recording(action.bytes);
      break;
    case Action::Kind::stop_recording:
      finish_recording(action.delay);
      break;
    case Action::Kind::abandon_recording:
      capture_.abandon_recording();
      break;
  }
}

/// The last data connection from the machine of `client`.
Emulator::Impl::Connection* Emulator::Impl::data_of(int client) {
  const Connection* control = find(client);
  const auto data = std::find_if(connections_.rbegin(), connections_.rend(), [&](const auto& c) {
    return control && c.is_data && c.address == control->address;
  });
  return data == connections_.rend() ? nullptr : &*data;
}

std::optional<int> Emulator::Impl::uploader_of(const Connection& data) {
  for (const Connection& connection : connections_)
    if (!connection.is_data && control_.is_uploading(connection.id) &&
        data_of(connection.id) == &data)
      return connection.id;
  return std::nullopt;
}

void Emulator::Impl::send_data(Action action) {
  Connection* data = data_of(action.client);
  if (!data) {
    control_.data_failed(action.client);
    return;
  }
  Connection::Output output{.bytes = std::move(action.bytes),
                            .client = action.client,
                            .part = std::move(action.part),
                            .checksum = Checksum(g_checksum_new(G_CHECKSUM_MD5))};
  add_to(output.checksum, output.bytes);
  queue(*data, std::move(output), action.delay);
}

/// Removes the waiting bytes of a client's transfer from a data connection. Returns how many bytes
/// of the transfer were sent.
size_t Emulator::Impl::forget_transfers(int client, Connection& data) {
  size_t sent = 0;
  std::erase_if(data.output, [&](const Connection::Output& output) {
    if (output.client != client) return false;
    sent += output.sent;
    data.waiting -= output.waiting();
    return true;
  });
  return sent;
}

void Emulator::Impl::cancel_data(int client) {
  Connection* data = data_of(client);
  control_.transfer_cancelled(client, data ? forget_transfers(client, *data) : 0);
}

void Emulator::Impl::take_photo(const std::string& camera_path) {
  capture_.take_photo(options_.control.model == Model::sj8_pro
                          ? sister_request(control_.sister_size(), camera_path)
                          : photo_request(shot_settings(madv::msg_photo_resolution), camera_path),
                      [this, camera_path](bool good) {
                        control_.photo_taken(camera_path, good);
                        perform();
                      });
}

ShotSettings Emulator::Impl::shot_settings(int resolution) const {
  ShotSettings settings;
  settings.resolution = control_.setting_value(resolution);
  settings.position = control_.position();
  settings.loop = control_.setting_value(madv::msg_loop_recording) != 0;
  if (control_.setting_value(madv::msg_segmented_recording))
    settings.segment = options_.segment_time;
  return settings;
}

void Emulator::Impl::start_recording(const std::string& camera_path) {
  if (options_.control.model == Model::sj8_pro) {
    capture_.start_recording(sister_request(control_.sister_size(), camera_path));
    return;
  }
  capture_.start_recording(video_request(shot_settings(madv::msg_video_resolution), camera_path,
                                         [this] { return control_.next_video_path(); }),
                           [this](const Capture::Recorded& recorded) {
                             control_.segment_saved(recorded.camera_path, recorded.good);
                             perform();
                           });
}

void Emulator::Impl::finish_recording(Delay delay) {
  capture_.finish_recording([this, delay](const Capture::Recorded& recorded) {
    after(delay, [this, recorded] {
      control_.recording_saved(recorded.camera_path, recorded.good,
                               static_cast<int>(recorded.duration.count()));
      perform();
    });
  });
}

/// Waits until the clients have the last answers, but not for clients that do not read.
void Emulator::Impl::reboot_when_said(Delay pause, Delay until) {
  const bool has_more = std::any_of(connections_.begin(), connections_.end(), [](const auto& c) {
    return !c.is_data && !c.peer_gone && !c.output.empty();
  });
  if (has_more && now() < until)
    after(std::chrono::milliseconds(1), [this, pause, until] { reboot_when_said(pause, until); });
  else
    reboot(pause);
}

void Emulator::Impl::reboot(Delay pause) {
  control_.restart();
  // The recording stays on the card, without a notification.
  capture_.abandon_recording();
  connections_.clear();
  control_listener_.reset();
  data_listener_.reset();
  http_listener_.reset();
  files_.reset();
  if (preview_) preview_->close();
  perform();  // timers of its faults
  reboot_watch_ = watch_time(pause, loop_.context(), [this] {
    // Another process may have taken the port in the meantime; then it is tried again.
    return !listen();
  });
}

Status Emulator::Impl::obey(const std::string& line) {
  const Status done = madv_emulator::obey(control_, line);
  if (preview_) preview_->set_faults(control_.active_faults());
  perform();
  return done;
}

// --- Emulator --------------------------------------------------------------------------------

Result<std::unique_ptr<Emulator>> Emulator::start(EmulatorOptions options) {
  if (options.make_table && options.control.lens_table.empty()) {
    const Result<LensPair> pair = load_profile(options.scene.lens);
    if (!pair) return pair.error();
    if (const auto table = make_table(*pair))
      options.control.lens_table.assign(table->begin(), table->end());
  }
  if (options.preview || options.photo_bytes.empty() || options.video_bytes.empty())
    if (Status elements = emulator::check_elements(options.scene, options.preview); !elements)
      return elements.error();
  if (Status seen = emulator::check_scene(options.scene); !seen) return seen.error();
  Result<Card> card = Card::open(options.card_folder, madv::card_root);
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
std::vector<Asked> Emulator::asked(int64_t from) const {
  return impl_->ask<std::vector<Asked>>([this, from] {
    const std::deque<Asked>& all = impl_->control_.asked();
    const auto first = std::partition_point(
        all.begin(), all.end(), [from](const Asked& asked) { return asked.number < from; });
    return std::vector<Asked>(first, all.end());
  });
}
std::vector<std::string> Emulator::position() const {
  return impl_->ask<std::vector<std::string>>([this] { return impl_->control_.position(); });
}
std::string Emulator::clock() const {
  return impl_->ask<std::string>([this] { return impl_->control_.clock(); });
}

std::vector<std::pair<std::string, uint16_t>> Emulator::named_ports() const {
  const Ports all = ports();
  return {{port_names[0].name, all.control},
          {port_names[1].name, all.data},
          {port_names[2].name, all.rtsp},
          {port_names[3].name, all.http}};
}
std::vector<emulator::Camera::Line> Emulator::log(int64_t from) const {
  std::vector<Line> lines;
  for (Asked& one : asked(from)) lines.push_back({one.number, one.client, std::move(one.redacted)});
  return lines;
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
Status Emulator::obey(const std::string& line) {
  return impl_->ask<Status>([this, &line] { return impl_->obey(line); });
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

}  // namespace sphere::madv_emulator
