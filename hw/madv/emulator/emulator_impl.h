// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of the emulated camera that its files share: its connections, and what belongs to them.
// emulator.cc has its life, emulator_sockets.cc what comes and goes over the control channel and
// the data port, emulator_actions.cc what the control channel wants done.

#pragma once

#include <gio/gio.h>

#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/loop.h"
#include "hw/emulator/capture.h"
#include "hw/emulator/file_server.h"
#include "hw/emulator/listener.h"
#include "hw/emulator/preview.h"
#include "hw/madv/emulator/emulator.h"
#include "hw/madv/emulator/file_forms.h"

namespace sphere::madv_emulator {

using emulator::Capture;
using emulator::FileServer;
using emulator::Listener;
using emulator::Preview;

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
  Status execute(const std::string& line);
  Delay back_since() const { return back_since_; }

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
  void take_photo(const std::string& camera_path, const Shot& shot);
  ShotSettings shot_settings(const Shot& shot, int resolution, int exposure) const;
  void start_recording(const std::string& camera_path, const Shot& shot);
  void finish_recording(Delay delay);
  void after(Delay delay, std::function<void()> function);

  LoopThread loop_;
  Capture capture_;
  Ports ports_{};
  std::unique_ptr<Listener> control_listener_, data_listener_, http_listener_, https_listener_;
  ObjectRef<GTlsCertificate> certificate_;  // null: no HTTPS
  uint64_t data_bytes_ = 0;                 // sent over the data port
  std::unique_ptr<FileServer> files_;
  Watch reboot_watch_, idle_watch_;
  Delay back_since_{};
  std::list<Connection> connections_;
  int next_id_ = 1;
  std::list<Watch> timers_;
  friend class Emulator;
};

/// The monotonic time.
inline Delay now() { return Delay(g_get_monotonic_time()); }

}  // namespace sphere::madv_emulator
