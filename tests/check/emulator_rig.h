// SPDX-License-Identifier: LGPL-2.1-or-later
// The control channel of the emulated camera with a clock of the test: no sockets, no waiting.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gst/sphere/base/md5.h"
#include "hw/madv/emulator/control.h"
#include "hw/madv/emulator/orders.h"
#include "tests/check/same.h"

#include <gst/check/gstcheck.h>

namespace sphere::test {

/// A camera with one client, whose actions are executed when the test's clock says so.
class Rig {
  using Action = madv_emulator::Action;
  using Card = emulator::Card;
  using Control = madv_emulator::Control;
  using ControlSettings = madv_emulator::ControlSettings;
  using Delay = madv_emulator::Delay;
  using Message = madv::Message;
  using Shot = madv_emulator::Shot;

 public:
  explicit Rig(const std::vector<const char*>& faults = {}, ControlSettings settings = {})
      : card_(opened()), control(with(std::move(settings), faults), card_) {
    connect();
  }

  void connect() {
    control.connected(++client);
    token = 0;
    token = *ask(257).param_number();
    (void)ask(261, R"("type":"TCP","param":"127.0.0.1")");
  }

  /// The answer. What else is said comes into `said`.
  Message ask(int id, const std::string& more = "") {
    std::vector<Message> all = send(id, more);
    fail_unless(!all.empty(), "no answer to %d", id);
    Message answer = std::move(all.front());
    fail_unless_equals_int(answer.id(), id);
    all.erase(all.begin());
    keep(std::move(all));
    return answer;
  }
  std::vector<Message> send(int id, const std::string& more = "") {
    control.received(client, "{\"msg_id\":" + std::to_string(id) + ",\"token\":" +
                                 std::to_string(token) + (more.empty() ? "" : "," + more) + "}");
    return perform();
  }
  int set(int id, int value) {
    return *ask(id, "\"param\":\"" + std::to_string(value) + "\"").rval();
  }
  int rval(int id, const std::string& more = "") { return *ask(id, more).rval(); }
  int64_t status(const char* name) {
    const auto value = ask(4365).number(name);
    fail_unless(value.has_value(), "4365 has no %s", name);
    return *value;
  }
  void execute(const std::string& line) {
    const Status done = madv_emulator::execute(control, line);
    fail_unless(bool(done), "%s", done ? "" : done.error().message.c_str());
    keep(perform());
  }

  /// The clock goes on, and timers come in their order.
  void pass(Delay time) {
    const Delay end = clock + time;
    while (!timers_.empty() && timers_.begin()->first <= end) {
      clock = timers_.begin()->first;
      const int number = timers_.begin()->second;
      timers_.erase(timers_.begin());
      control.timer(number);
      keep(perform());
    }
    clock = end;
  }
  void photo_taken(bool good = true) {
    fail_unless(!photos.empty(), "no photo is being taken");
    const std::string path = photos.front().second;
    photos.erase(photos.begin());
    control.photo_taken(path, good);
    keep(perform());
  }
  void recording_saved() {
    control.recording_saved(recording, true, 1000);
    keep(perform());
  }
  /// What was said since the last call: the ids, and each `param` if it is a number.
  std::string heard() {
    std::string text;
    for (const Message& message : std::exchange(said, {})) {
      text += (text.empty() ? "" : " ") + std::to_string(message.id());
      if (const auto value = message.param_number()) text += ":" + std::to_string(*value);
    }
    return text;
  }

  Delay clock{};
  int client = 0;
  int64_t token = 0;
  std::vector<Message> said;
  std::vector<std::pair<Shot, std::string>> photos;  // those that are being taken
  std::string recording;
  Shot recorded;
  int stops = 0, abandoned = 0, reboots = 0;
  Delay pause{};  // of the last restart
  std::string data;

 private:
  static Card opened() {
    Result<Card> card = Card::open("", madv::card_root);
    fail_unless(bool(card));
    return std::move(*card);
  }
  ControlSettings with(ControlSettings settings, const std::vector<const char*>& faults) {
    settings.now = [this] { return clock; };
    for (const char* fault : faults) settings.faults.push_back(*madv_emulator::parse_fault(fault));
    return settings;
  }
  void keep(std::vector<Message> all) { std::ranges::move(all, std::back_inserter(said)); }
  std::vector<Message> perform() {
    using Kind = Action::Kind;
    std::vector<Message> all;
    for (const Action& action : control.take_actions()) {
      switch (action.kind) {
        case Kind::send: {
          Result<Message> message = Message::parse(action.bytes);
          fail_unless(bool(message), "%s", action.bytes.c_str());
          all.push_back(std::move(*message));
          break;
        }
        case Kind::send_data:
          data = action.part.file
                     ? emulator::read_at(*action.part.file, action.part.offset, action.part.count)
                     : action.bytes;
          control.data_sent(action.client, data.size(), md5_of(data));
          std::ranges::move(perform(), std::back_inserter(all));
          break;
        case Kind::timer:
          timers_.emplace(clock + action.delay, action.number);
          break;
        case Kind::take_photo:
          photos.emplace_back(action.shot, action.bytes);
          break;
        case Kind::start_recording:
          recording = action.bytes;
          recorded = action.shot;
          break;
        case Kind::stop_recording:
          ++stops;
          break;
        case Kind::abandon_recording:
          ++abandoned;
          break;
        case Kind::reboot:
          ++reboots;
          pause = action.delay;
          break;
        case Kind::cancel_data:
          control.transfer_cancelled(action.client, 0);
          std::ranges::move(perform(), std::back_inserter(all));
          break;
        default:
          break;
      }
    }
    return all;
  }

  std::multimap<Delay, int> timers_;
  Card card_;

 public:
  Control control;
};

}  // namespace sphere::test
