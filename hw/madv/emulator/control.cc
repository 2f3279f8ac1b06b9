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
    : settings_(std::move(settings)), card_(card) {
  if (!settings_.now) settings_.now = [] { return Delay(g_get_monotonic_time()); };
  // The published session of this camera has token 2.
  token_ = settings_.model == Model::sj8_pro ? 1 : settings_.token - 1;
  reset_settings();
  if (!settings_.lens_table.empty()) table_md5_ = md5_of(settings_.lens_table);
  if (fault(faults::no_card)) card_rval_ = madv::rval_no_card;
  if (fault(faults::card_full)) card_rval_ = madv::rval_card_full;
  if (fault(faults::low_battery)) battery_ = 0;
}

// --- connections -----------------------------------------------------------------------------

void Control::connected(int client) {
  ++counters_.connections;
  clients_[client].folder = card_.media_folder() + "/";
}

void Control::disconnected(int client) {
  if (has_session(client)) close_session();
  clients_.erase(client);
  if (!waiting_) return;
  if (waiting_->client == client)
    waiting_.reset();
  else if (!holder_)
    grant(waiting_->client);
}

void Control::close_session() {
  ++counters_.sessions_closed;
  holder_.reset();
}

void Control::restart() {
  if (holder_) close_session();
  waiting_.reset();
  clients_.clear();
  working_mode_ = madv::working_idle;
}

void Control::received(int client, std::string_view bytes) {
  take(client, bytes);
  while (answer_next(client)) {
  }
}

void Control::take(int client, std::string_view bytes) {
  const auto found = clients_.find(client);
  if (found != clients_.end()) found->second.framer.feed(bytes);
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

void Control::set_battery(int code) {
  battery_ = code;
  notify(madv::msg_battery, member("param", code));
}

void Control::set_card(int rval) {
  card_rval_ = rval;
  if (rval == madv::rval_card_full)
    notify(madv::msg_card_full, member("param", 2));
  else
    notify(madv::msg_card_state, member("param", rval == 0                    ? 1
                                                 : rval == madv::rval_no_card ? 0
                                                                              : -1));
}

// --- the session -----------------------------------------------------------------------------

void Control::start_session(int client) {
  if (const std::optional<Fault> refuse = fault(faults::refuse); refuse && refusals_ < refuse->n) {
    ++refusals_;
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
  waiting_ = Waiting{client, next_timer_++};
  send(*holder_, "{\"rval\":128,\"msg_id\":" + std::to_string(madv::msg_query_holder) + "}", {});
  actions_.push_back({Action::Kind::timer, 0, holder_time, {}, waiting_->timer});
}

void Control::grant(int client) {
  waiting_.reset();
  holder_ = client;
  ++token_;
  ++counters_.sessions_opened;
  reply(client, madv::msg_start_session, 0, member("param", token_));
}

void Control::timer(int number) {
  if (!waiting_ || waiting_->timer != number) return;
  // The client with the session does not answer, therefore it is taken to be gone.
  const int newcomer = waiting_->client;
  if (holder_) close_session();
  grant(newcomer);
}

bool Control::faulty(int client, const Message& request) {
  const int id = request.id();
  const auto due = [&](const FaultInfo& kind) {
    const std::optional<Fault> f = fault(kind);
    return f && counters_.requests > f->n;
  };
  if (silent_ || due(faults::silent)) return true;
  if (const std::optional<Fault> busy = fault(faults::busy); busy && busy_ < busy->n) {
    ++busy_;
    reply(client, id, madv::rval_busy);
    return true;
  }
  if (due(faults::garbage)) {
    send(client, "HTTP/1.1 400 Bad Request\r\n\r\n", usual(id));
    return true;
  }
  if (due(faults::huge)) {
    send(client,
         "{\"rval\":0,\"msg_id\":" + std::to_string(id) + ",\"param\":\"" +
             std::string(9 << 20, 'x') + "\"}",
         usual(id));
    return true;
  }
  if (due(faults::brackets)) {
    send(client, "{\"rval\":0,\"param\":" + std::string(100000, '['), usual(id));
    return true;
  }
  if (due(faults::wrong_token) && id != madv::msg_start_session) {
    reply(client, id, madv::rval_wrong_token);
    return true;
  }
  if (due(faults::drop) && !happened_) {
    happened_ = true;
    actions_.push_back({Action::Kind::close, client});
    disconnected(client);
    return true;
  }
  if (due(faults::reboot) && !happened_) {
    happened_ = true;
    restart();
    actions_.push_back({Action::Kind::reboot, 0, reboot_time});
    return true;
  }
  return false;
}

void Control::handle(int client, const Message& request) {
  const int id = request.id();
  if (asked_.size() >= most_asked) asked_.pop_front();
  asked_.push_back({counters_.requests++, client, id,
                    request.param_text().value_or("").substr(0, most_of_asked),
                    request.redacted().substr(0, most_of_asked)});
  if (faulty(client, request)) return;

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
      const int newcomer = std::exchange(waiting_, std::nullopt)->client;
      reply(newcomer, madv::msg_start_session, madv::rval_session_denied);
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
  if (file_command(client, request)) return;
  command(client, request);
}

}  // namespace sphere::madv_emulator
