// SPDX-License-Identifier: LGPL-2.1-or-later
// The control channel and the data port of the emulated camera: what clients send, and what is sent
// to them.

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>

#include "hw/madv/emulator/emulator_impl.h"

namespace sphere::madv_emulator {

using emulator::most_connections;

namespace {

// If this many bytes wait for a client, nothing more is read from it until it has received some of
// them.
constexpr size_t most_waiting = 1 << 20;

// The part of a file that is in memory at a time, and what is sent to one client before the others
// have their turn. Bytes.
constexpr uint64_t piece_size = 256 << 10, most_per_turn = 4 << 20;

// A slow data port sends so many pieces a second.
constexpr int slow_pieces = 20;

}  // namespace

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
  Result<std::unique_ptr<Listener>> https = std::unique_ptr<Listener>();
  if (certificate_) {
    https = listen_on(ports_.https, [this](ObjectRef<GSocket> socket) {
      files_->accept(std::move(socket), certificate_.get());
    });
    if (!https) return https.error();
  }
  // After a restart; at the start, it is called later.
  if (preview_)
    if (Status status = preview_->listen(); !status) return status;
  files_ =
      std::make_unique<FileServer>(loop_.context(), card_, "MADV-emulator", options_.idle_time,
                                   [this](const FaultInfo& kind) { return control_.fault(kind); });
  control_listener_ = std::move(*control);
  data_listener_ = std::move(*data);
  http_listener_ = std::move(*http);
  https_listener_ = std::move(*https);
  // Set only once: after a restart they are the same, and other threads read them.
  if (ports_.control == 0) ports_.control = control_listener_->port();
  if (ports_.data == 0) ports_.data = data_listener_->port();
  if (ports_.http == 0) ports_.http = http_listener_->port();
  if (https_listener_ && ports_.https == 0) ports_.https = https_listener_->port();
  if (!https_listener_) ports_.https = 0;
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
  bool is_cut = false;
  if (const auto split = fault(faults::split, false)) most = static_cast<size_t>(split->n);
  if (const auto cut = fault(faults::cut_data, true)) {
    const uint64_t after = static_cast<uint64_t>(cut->n) << 10;
    is_cut = after <= end;
    end = std::min(end, after);
  }
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
    if (connection.is_data) data_bytes_ += static_cast<uint64_t>(n);
    connection.active = now();
    if (slow && output.sent < end) {
      output.due = now() + Delay(std::chrono::seconds(1)) / slow_pieces;
      return Sent::slowly;
    }
  }
  return is_cut ? Sent::cut : Sent::all;
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

}  // namespace sphere::madv_emulator
