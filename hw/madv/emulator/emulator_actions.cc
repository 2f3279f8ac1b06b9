// SPDX-License-Identifier: LGPL-2.1-or-later
// What the control channel of the emulated camera wants done: transfers, photos, recordings,
// restarts.

#include <algorithm>

#include "hw/madv/emulator/emulator_impl.h"
#include "hw/madv/emulator/orders.h"

namespace sphere::madv_emulator {

namespace {

// The last answers before a restart may take this long.
constexpr Delay most_farewell = std::chrono::seconds(3);

// The value of the time-lapse interval that is no number of seconds.
constexpr int half_a_second = 0xff;

std::chrono::milliseconds interval_of(int value) {
  return value == half_a_second ? std::chrono::milliseconds(500)
                                : std::chrono::milliseconds(std::chrono::seconds(value));
}

}  // namespace

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
      take_photo(action.bytes, action.shot);
      break;
    case Action::Kind::start_recording:
      start_recording(action.bytes, action.shot);
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

void Emulator::Impl::take_photo(const std::string& camera_path, const Shot& shot) {
  capture_.take_photo(
      options_.control.model == Model::sj8_pro
          ? sister_request(control_.sister_size(), camera_path)
          : photo_request(shot_settings(shot, madv::msg_photo_resolution, madv::msg_photo_exposure),
                          camera_path),
      [this, camera_path](bool good) {
        control_.photo_taken(camera_path, good);
        perform();
      });
}

ShotSettings Emulator::Impl::shot_settings(const Shot& shot, int resolution, int exposure) const {
  ShotSettings settings;
  settings.resolution = control_.setting_value(resolution);
  settings.exposure = control_.setting_value(exposure) + shot.exposure;
  settings.lens = shot.lens;
  settings.position = control_.position();
  if (shot.start == madv::msg_start_time_lapse) settings.interval = interval_of(shot.value);
  if (shot.start == madv::msg_start_slow_motion) settings.slowness = std::max(shot.value, 1);
  settings.loop = control_.setting_value(madv::msg_loop_recording) != 0;
  if (control_.setting_value(madv::msg_segmented_recording))
    settings.segment = options_.segment_time;
  return settings;
}

void Emulator::Impl::start_recording(const std::string& camera_path, const Shot& shot) {
  if (options_.control.model == Model::sj8_pro) {
    capture_.start_recording(sister_request(control_.sister_size(), camera_path));
    return;
  }
  capture_.start_recording(
      video_request(shot_settings(shot, madv::msg_video_resolution, madv::msg_video_exposure),
                    camera_path, [this] { return control_.next_video_path(); }),
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
  https_listener_.reset();
  files_.reset();
  if (preview_) preview_->close();
  back_since_ = {};
  perform();  // timers of its faults
  reboot_watch_ = watch_time(pause, loop_.context(), [this] {
    // Another process may have taken the port in the meantime; then it is tried again.
    if (!listen()) return true;
    back_since_ = now();
    return false;
  });
}

Status Emulator::Impl::execute(const std::string& line) {
  const Status done = madv_emulator::execute(control_, line);
  if (preview_) preview_->set_faults(control_.active_faults());
  perform();
  return done;
}

}  // namespace sphere::madv_emulator
