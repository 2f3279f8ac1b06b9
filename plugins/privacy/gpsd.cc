// SPDX-License-Identifier: LGPL-2.1-or-later
// gpsd_json(5). A report is one line.

#include "plugins/privacy/gpsd.h"

#include <array>
#include <chrono>

#include "gst/sphere/base/json.h"

namespace sphere::privacy {

namespace {

constexpr guint16 usual_port = 2947;
constexpr guint timeout_seconds = 10;
constexpr int64_t most_age_us = 10 * G_USEC_PER_SEC;
constexpr std::chrono::seconds pause_between_attempts(2);
// The longest report, of all satellites, is about 10 KiB.
constexpr size_t most_line = 64 << 10;

}  // namespace

std::optional<Position> position_in_report(std::string_view line) {
  auto report = JsonDocument::parse(line, "gpsd", most_line);
  if (!report) return std::nullopt;
  const JsonValue root = report->root();
  if (root["class"].text() != "TPV") return std::nullopt;
  constexpr int two_dimensions = 2, three_dimensions = 3;
  const int mode = root["mode"].integer(0, three_dimensions);
  if (mode < two_dimensions) return std::nullopt;
  Position position{root["lat"].number(-90, 90), root["lon"].number(-180, 180), std::nullopt};
  if (mode == three_dimensions)
    for (const char* name : {"altMSL", "alt"})
      if (const JsonValue altitude = root.optional(name); altitude.present()) {
        position.altitude = altitude.number(-1000, 100000);
        break;
      }
  // The error would quote the report, and is told to nobody.
  if (report->problem()) return std::nullopt;
  return position;
}

GpsdClient::GpsdClient(std::string address)
    : address_(std::move(address)), thread_([this] { run(); }) {}

GpsdClient::~GpsdClient() {
  {
    const Lock lock(mutex_);
    ends_ = true;
    if (cancellable_) g_cancellable_cancel(cancellable_.get());
  }
  changed_.notify_all();
  thread_.join();
}

void GpsdClient::set_wanted(bool wanted) {
  {
    const Lock lock(mutex_);
    if (wanted_ == wanted) return;
    wanted_ = wanted;
    if (!wanted) {
      position_.reset();
      if (cancellable_) g_cancellable_cancel(cancellable_.get());
    }
  }
  changed_.notify_all();
}

std::optional<Position> GpsdClient::position() const {
  const Lock lock(mutex_);
  if (!position_ || g_get_monotonic_time() - received_us_ > most_age_us) return std::nullopt;
  return position_;
}

void GpsdClient::run() {
  for (;;) {
    ObjectRef<GCancellable> cancellable(g_cancellable_new());
    {
      const Lock lock(mutex_);
      while (!wanted_ && !ends_) changed_.wait(mutex_);
      if (ends_) return;
      cancellable_.reset(G_CANCELLABLE(g_object_ref(cancellable.get())));
    }
    receive(cancellable.get());
    const Lock lock(mutex_);
    cancellable_.reset();
    // A connection that was not wanted any more is made anew at once where it is wanted again.
    if (g_cancellable_is_cancelled(cancellable.get())) continue;
    const auto next = std::chrono::steady_clock::now() + pause_between_attempts;
    while (wanted_ && !ends_ && changed_.wait_until(mutex_, next) == std::cv_status::no_timeout) {
    }
  }
}

void GpsdClient::receive(GCancellable* cancellable) {
  const ObjectRef<GSocketClient> client(g_socket_client_new());
  g_socket_client_set_timeout(client.get(), timeout_seconds);
  const ObjectRef<GSocketConnection> connection(g_socket_client_connect_to_host(
      client.get(), address_.c_str(), usual_port, cancellable, nullptr));
  if (!connection) return;
  constexpr std::string_view watch = "?WATCH={\"enable\":true,\"json\":true};\n";
  if (!g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(connection.get())),
                                 watch.data(), watch.size(), nullptr, cancellable, nullptr))
    return;
  GInputStream* input = g_io_stream_get_input_stream(G_IO_STREAM(connection.get()));
  std::string line;
  for (std::array<char, 4096> piece{};;) {
    const gssize count =
        g_input_stream_read(input, piece.data(), piece.size(), cancellable, nullptr);
    if (count <= 0) return;
    line.append(piece.data(), static_cast<size_t>(count));
    size_t begin = 0;
    for (size_t end = 0; (end = line.find('\n', begin)) != std::string::npos; begin = end + 1)
      take(std::string_view(line).substr(begin, end - begin), cancellable);
    line.erase(0, begin);
    if (line.size() > most_line) return;
  }
}

void GpsdClient::take(std::string_view line, GCancellable* cancellable) {
  const std::optional<Position> position = position_in_report(line);
  const Lock lock(mutex_);
  // What was on its way when it was no longer wanted is not kept.
  if (!position || !wanted_ || g_cancellable_is_cancelled(cancellable)) return;
  position_ = position;
  received_us_ = g_get_monotonic_time();
}

}  // namespace sphere::privacy
