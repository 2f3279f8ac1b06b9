// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/connect.h"

#include <utility>

#include "gst/sphere/base/md5.h"
#include "hw/madv/generic.h"

namespace sphere::madv {

using Rank = ControlChannel::Rank;

ConnectSequence::ConnectSequence(const CoreSettings& settings, ControlChannel& channel,
                                 FileTransfers& transfers, Listener listener)
    : settings_(settings),
      channel_(channel),
      transfers_(transfers),
      listener_(std::move(listener)) {}

// Most of these replies update the state like any other message. A refusal is an answer, too.
void ConnectSequence::ask(Request request, ReplyHandler handler) {
  channel_.ask(std::move(request), std::move(handler), Rank::connect, settings_.busy_attempts,
               channel_.last_sign_of_life());
}

void ConnectSequence::start(Time) {
  Request info(msg_client_info, settings_.client_address);
  info.with_type("TCP");
  ask(std::move(info), [this](const Reply& reply) { client_known(reply); });
  ask(Request(msg_status));
  if (settings_.clock) ask(Request(msg_set_clock, settings_.clock()));
  ask(Request(msg_storage));
  ask(Request(msg_settings), [this](const Reply& reply) {
    if (!reply.message || !channel_.is_open()) return;
    if (reply.message->succeeded() || reply.message->rval() == rval_busy)
      settings_known();
    else
      find_dialect();
  });
}

void ConnectSequence::client_known(const Reply& reply) {
  if (!reply.message || !channel_.is_open()) return;
  // A related camera only says that it has understood, and its preview must be started first. Which
  // kind of camera it is becomes known later.
  if (!reply.message->succeeded() || reply.message->has("param") || reply.message->has("update"))
    announce_preview();
  if (!settings_.want_lens_table) {
    table_settled_ = true;
    return;
  }
  const std::optional<std::string> md5 = reply.message->succeeded()
                                             ? read_md5(reply.message->param_text().value_or(""))
                                             : std::nullopt;
  if (!md5) {
    settle_table(unsupported("the camera does not tell which lens table it has"));
    return;
  }
  table_md5_ = *md5;
  if (settings_.known_table)
    if (std::optional<std::string> known = settings_.known_table(table_md5_))
      settle_table(std::move(*known));
}

void ConnectSequence::announce_preview() {
  if (!std::exchange(preview_announced_, true)) listener_.preview_ready();
}

/// The camera has refused a command that each Mi Sphere has.
void ConnectSequence::find_dialect() {
  ask(Request(msg_device_info), [this](const Reply& reply) {
    if (!reply.message || !channel_.is_open()) return;
    if (reply.message->succeeded() && reply.message->has("model"))
      ask_generic_state(*reply.message);
    else
      settings_known();
  });
}

void ConnectSequence::ask_generic_state(const Message& device_info) {
  channel_.set_keep_alive(msg_battery_level);
  listener_.change_state([&](CameraState& state) {
    state.dialect = Dialect::generic;
    state.update(device_info);
  });
  if (settings_.generic_clock)
    ask(Request(msg_set_setting, settings_.generic_clock()).with_type(generic::camera_clock));
  ask(Request(msg_battery_level));
  for (const bool total : {true, false})
    ask(Request(msg_space).with_type(total ? "total" : "free"), [this, total](const Reply& reply) {
      if (!reply.message || !reply.message->succeeded()) return;
      const auto kb = reply.message->param_number();
      if (!kb || *kb < 0) return;
      listener_.change_state([&](CameraState& state) {
        (total ? state.card_total_kb : state.card_free_kb) = *kb;
        if (total) state.card = *kb > 0 ? Card::mounted : Card::none;
      });
    });
  // Refused while nothing is recorded.
  ask(Request(msg_recording_time), [this](const Reply& reply) {
    if (!reply.message) return;
    listener_.change_state([&](CameraState& state) {
      state.working_mode = reply.message->succeeded() ? working_video : working_idle;
    });
  });
  ask(Request(msg_get_setting).with_type(generic::camera_mode));
  // A preview that was stopped does not begin by itself.
  ask(Request(msg_reset_viewfinder, generic::start_viewfinder), [this](const Reply& reply) {
    if (reply.message && channel_.is_open()) settings_known();
  });
}

void ConnectSequence::settings_known() {
  announce_preview();
  listener_.ready();
  if (!table_settled_) fetch_table();
}

void ConnectSequence::fetch_table() {
  Download download;
  download.path = lens_table_path;
  download.md5 = table_md5_;
  download.timeout = settings_.lens_table_timeout;
  download.sink = [this](std::string_view bytes) -> Status {
    if (bytes.size() > max_table_size - table_.size())
      return invalid("the file is too large to be a table");
    table_.append(bytes);
    return ok();
  };
  download.done = [this](const Status& outcome) {
    if (!channel_.is_open()) return;
    std::string table = std::exchange(table_, {});
    if (outcome && settings_.keep_table) settings_.keep_table(table_md5_, table);
    if (outcome)
      settle_table(std::move(table));
    else
      settle_table(failed("the camera's lens table can't be read: " + outcome.error().message));
  };
  transfers_.get(lens_table_transfer, std::move(download), channel_.last_sign_of_life());
}

void ConnectSequence::settle_table(Result<std::string> table) {
  if (table_settled_) return;
  table_settled_ = true;
  listener_.lens_table(table);
}

}  // namespace sphere::madv
