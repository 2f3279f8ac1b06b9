// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/emulator/control.h"

#include <glib.h>

#include <algorithm>

#include "gst/sphere/base/md5.h"
#include "hw/madv/emulator/members.h"

namespace sphere::madv_emulator {

using madv::Message;
using namespace std::chrono_literals;

namespace {

// Times of a related camera, from packet captures.
constexpr Delay session_time = 812ms;
constexpr Delay ordinary_time = 16ms;

// The time for the answer of the client that has the session. The real camera's time is not known.
constexpr Delay holder_time = 1s;

constexpr size_t most_of_asked = 512;

}  // namespace

Control::Control(ControlSettings settings, Card& card)
    : settings_(std::move(settings)),
      card_(card),
      factory_ssid_(settings_.ssid),
      factory_password_(settings_.password),
      new_ssid_(settings_.ssid),
      new_password_(settings_.password) {
  if (!settings_.now) settings_.now = [] { return Delay(g_get_monotonic_time()); };
  // The published session of this camera has token 2.
  token_ = settings_.model == Model::sj8_pro ? 1 : settings_.token - 1;
  reset_settings(false);
  if (!settings_.lens_table.empty()) table_md5_ = md5_of(settings_.lens_table);
  for (const Fault& fault : settings_.faults) set_fault(fault);
  last_active_ = settings_.now();
  watch_idle();
}

// --- connections -----------------------------------------------------------------------------

void Control::connected(int client) {
  ++counters_.connections;
  clients_[client].folder = card_.media_folder() + "/";
}

void Control::disconnected(int client) {
  if (has_session(client)) close_session();
  clients_.erase(client);  // with its upload
  if (!waiting_) return;
  if (waiting_->client == client) {
    timers_.erase(waiting_->timer);
    waiting_.reset();
  } else if (!holder_) {
    grant(waiting_->client);
  }
}

void Control::close_session() {
  ++counters_.sessions_closed;
  holder_.reset();
}

void Control::restart() {
  if (holder_) close_session();
  waiting_.reset();
  clients_.clear();
  timers_.clear();
  series_.reset();
  standby_ = false;
  settings_.ssid = new_ssid_;
  settings_.password = new_password_;
  reset_settings(true);
  // Faults that come after some seconds are still due.
  const std::vector<ActiveFault> faults = std::exchange(faults_, {});
  for (const ActiveFault& one : faults) {
    faults_.push_back(one);
    if (one.fault.in_seconds && !one.over) watch_fault(one);
  }
  last_active_ = settings_.now();
  watch_idle();
}

void Control::reboot(Delay pause) {
  restart();
  actions_.push_back({Action::Kind::reboot, 0, pause});
}

void Control::received(int client, std::string_view bytes) {
  take(client, bytes);
  while (answer_next(client)) {
  }
}

void Control::take(int client, std::string_view bytes) {
  const auto found = clients_.find(client);
  if (found != clients_.end() && !found->second.dead) found->second.framer.feed(bytes);
}

bool Control::answer_next(int client) {
  const auto found = clients_.find(client);
  if (found == clients_.end()) return false;
  Result<std::optional<std::string>> object = found->second.framer.next();
  if (!object) {
    // The real camera sends the same answer, and can't find the next object either.
    send(client, "{\"rval\":-9,\"msg_id\":0}", {});
    actions_.push_back({Action::Kind::close, client});
    disconnected(client);
    return false;
  }
  if (!*object) return false;
  Result<Message> request = Message::parse(**object);
  if (request)
    handle(client, *request);
  else
    send(client, "{\"rval\":-9,\"msg_id\":0}", {});
  return true;
}

// --- answers ---------------------------------------------------------------------------------

Delay Control::usual(int id) const {
  if (!settings_.timing) return {};
  return id == madv::msg_start_session ? session_time : ordinary_time;
}

void Control::send(int client, std::string bytes, Delay delay) {
  if (const std::optional<Fault> late = fault(faults::late))
    delay += std::chrono::milliseconds(late->n);
  actions_.push_back({Action::Kind::send, client, delay, std::move(bytes)});
}

void Control::reply(int client, int id, int rval, const std::string& more, Delay extra) {
  std::string bytes;
  if (const std::optional<Fault> chatty = fault(faults::chatty))
    for (int i = 0; i < chatty->n; ++i)
      bytes += "{\"rval\":128,\"msg_id\":" + std::to_string(madv::msg_battery) +
               member("param", battery_) + "}";
  bytes += "{\"rval\":" + std::to_string(rval) + ",\"msg_id\":" + std::to_string(id) + more + "}";
  send(client, std::move(bytes), usual(id) + extra);
}

void Control::notify(int id, const std::string& more) {
  if (holder_) send(*holder_, "{\"rval\":128,\"msg_id\":" + std::to_string(id) + more + "}", {});
}

int Control::after(Delay delay, std::function<void()> function) {
  const int number = next_timer_++;
  timers_[number] = std::move(function);
  actions_.push_back({Action::Kind::timer, 0, delay, {}, number});
  return number;
}

void Control::timer(int number) {
  // An empty node: it was cancelled.
  if (auto node = timers_.extract(number)) node.mapped()();
}

// --- the session -----------------------------------------------------------------------------

void Control::start_session(int client) {
  if (is_within(faults::refuse)) {
    ++counters_.refused;
    reply(client, madv::msg_start_session, madv::rval_session_denied);
    return;
  }
  if (has_session(client)) {
    reply(client, madv::msg_start_session, 0, member("param", token_));
    return;
  }
  if (!holder_) {
    grant(client);
    return;
  }
  if (waiting_) {
    ++counters_.refused;
    reply(client, madv::msg_start_session, madv::rval_session_denied);
    return;
  }
  send(*holder_, "{\"rval\":128,\"msg_id\":" + std::to_string(madv::msg_query_holder) + "}", {});
  waiting_ = Waiting{client, 0};
  waiting_->timer = after(holder_time, [this] {
    // The client with the session does not answer, therefore it is taken to be gone.
    if (holder_) close_session();
    grant(waiting_->client);
  });
}

void Control::grant(int client) {
  if (waiting_) timers_.erase(waiting_->timer);
  waiting_.reset();
  holder_ = client;
  ++token_;
  ++counters_.sessions_opened;
  reply(client, madv::msg_start_session, 0, member("param", token_));
}

void Control::handle(int client, const Message& request) {
  const int id = request.id();
  if (asked_.size() >= most_asked) asked_.pop_front();
  asked_.push_back({counters_.requests++, client, id,
                    request.param_text().value_or("").substr(0, most_of_asked),
                    request.redacted().substr(0, most_of_asked)});
  if (faulty(client, request)) return;
  // What a client asks by itself, such as the state every few seconds, keeps no camera awake.
  if (!works_in_standby(request) || id == madv::msg_wake) last_active_ = settings_.now();
  answer(client, request);
  // After the answer to the last request before it.
  if (const ActiveFault* one = active(faults::reboot);
      one && !one->over && !one->fault.in_seconds &&
      counters_.requests - one->since_request >= one->fault.n && happens(faults::reboot))
    reboot(reboot_time);
}

void Control::answer(int client, const Message& request) {
  const int id = request.id();
  if (id == madv::msg_start_session) {
    start_session(client);
    return;
  }
  if (!has_session(client) || request.number("token") != token_) {
    reply(client, id, madv::rval_wrong_token);
    return;
  }
  if (id == madv::msg_query_holder) {
    // The client with the session has answered, therefore the new client is refused.
    if (waiting_) {
      ++counters_.refused;
      const Waiting newcomer = *std::exchange(waiting_, std::nullopt);
      timers_.erase(newcomer.timer);
      reply(newcomer.client, madv::msg_start_session, madv::rval_session_denied);
    }
    return;
  }
  if (id == madv::msg_stop_session) {
    ++counters_.session_stops;
    close_session();
    reply(client, id, 0);
    if (waiting_) grant(waiting_->client);
    return;
  }
  if (settings_.model == Model::sj8_pro) {
    sister_command(client, request);
    return;
  }
  if (standby_ && !works_in_standby(request)) {
    reply(client, id, madv::rval_invalid_operation);
    return;
  }
  if (file_command(client, request)) return;
  command(client, request);
}

}  // namespace sphere::madv_emulator
