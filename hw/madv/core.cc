// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/core.h"

#include <algorithm>

#include "gst/sphere/base/gobject.h"

GST_DEBUG_CATEGORY_STATIC(sphere_madv_debug);
#define GST_CAT_DEFAULT sphere_madv_debug

namespace sphere::madv {

namespace {

std::string in_seconds(Duration duration) {
  const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count() / 100;
  std::string text = std::to_string(tenths / 10);
  if (tenths % 10) text += "." + std::to_string(tenths % 10);
  return text + " s";
}

bool is_slow(int id) {
  return id == msg_format || id == msg_flash_firmware || id == msg_delete_file ||
         id == msg_factory_reset;
}

Failure stopped() { return {Failure::Reason::stopped, "the session was ended", 0}; }

}  // namespace

SessionCore::SessionCore(CoreSettings settings) : settings_(std::move(settings)) {
  GST_DEBUG_CATEGORY_INIT(sphere_madv_debug, "spheremadv", 0, "the Mi Sphere's control channel");
}

// --- sending ---------------------------------------------------------------------------------

void SessionCore::send(const Request& request, Time now) {
  // That it fits was looked at when it was asked for; a token adds twenty digits at the most.
  const Result<std::string> json = request.to_json(token_.value_or(0));
  if (!json) return;
  GST_LOG("to the camera: %s", redacted(*json).c_str());
  output_ += *json;
  last_sent_ = now;
}

void SessionCore::enqueue(Request request, ReplyHandler handler, int attempts) {
  const Duration timeout =
      is_slow(request.id) ? settings_.slow_reply_timeout : settings_.reply_timeout;
  queue_.emplace_back(std::move(request), std::move(handler), timeout, attempts);
}

void SessionCore::drop_unwanted() {
  while (!queue_.empty() && queue_.front().request.wanted && !queue_.front().request.wanted()) {
    const Pending dropped = std::move(queue_.front());
    queue_.pop_front();
    if (dropped.handler)
      dropped.handler({nullptr, Failure{Failure::Reason::stopped, "it was taken back", 0}});
  }
}

void SessionCore::pump(Time now) {
  if (phase_ == Phase::idle || phase_ == Phase::ended || outstanding_ || queue_.empty()) return;
  if (now < not_before_ || (last_sent_ && now < *last_sent_ + settings_.pacing)) return;
  drop_unwanted();
  if (outstanding_ || queue_.empty()) return;
  outstanding_ = std::move(queue_.front());
  queue_.pop_front();
  reply_due_ = now + outstanding_->timeout;
  send(outstanding_->request, now);
}

void SessionCore::request(Request request, ReplyHandler handler, Time now) {
  if (phase_ == Phase::finishing || phase_ == Phase::ended) {
    handler({nullptr, stopped()});
    return;
  }
  if (const Result<std::string> json = request.to_json(INT64_MIN); !json) {
    handler({nullptr, Failure{Failure::Reason::refused, json.error().message, 0}});
    return;
  }
  enqueue(std::move(request), std::move(handler));
  pump(now);
}

// --- the way up ------------------------------------------------------------------------------

void SessionCore::start(Time now) {
  if (phase_ != Phase::idle) return;
  phase_ = Phase::starting;
  last_heard_ = now;
  // Whatever was asked for before the session stands comes after it.
  queue_.emplace_front(
      Request(msg_start_session), [this](const Reply& reply) { session_started(reply); },
      settings_.reply_timeout, settings_.busy_attempts);
  pump(now);
}

void SessionCore::session_started(const Reply& reply) {
  if (!reply.message) return;
  const Message& message = *reply.message;
  const Time now = last_heard_;
  if (!message.succeeded()) {
    if (phase_ == Phase::finishing) {
      end(std::nullopt, now);
      return;
    }
    const int rval = message.rval().value_or(-1);
    const bool held = rval == rval_session_denied || rval == rval_session_full;
    end(Failure{held ? Failure::Reason::held : Failure::Reason::refused,
                "the camera does not start a session: it says that " + result_words(rval), rval},
        now);
    return;
  }
  const std::optional<int64_t> token = message.param_number();
  if (!token) {
    end(Failure{Failure::Reason::broken,
                "the camera started a session without a token; is this a Mi Sphere?", 0},
        now);
    return;
  }
  token_ = *token;
  // The end was asked for meanwhile: the camera must not be left with a session that nobody has.
  if (phase_ == Phase::finishing) return;
  phase_ = Phase::open;

  // Asked before what a user may have queued already.
  std::deque<Pending> users = std::exchange(queue_, {});
  Request info(msg_client_info, settings_.client_address);
  info.with_type("TCP");
  enqueue(
      std::move(info), [this](const Reply& r) { client_known(r); }, settings_.busy_attempts);
  ask_everything();
  std::move(users.begin(), users.end(), std::back_inserter(queue_));
}

void SessionCore::client_known(const Reply& reply) {
  if (!reply.message || phase_ != Phase::open) return;
  emit(Event::Kind::preview_ready);
  if (!settings_.want_lens_table) {
    table_settled_ = true;
    return;
  }
  const std::optional<std::string> md5 = reply.message->succeeded()
                                             ? read_md5(reply.message->param_text().value_or(""))
                                             : std::nullopt;
  if (!md5) {
    settle_table(std::nullopt, "the camera does not say which lens table it has");
    return;
  }
  table_md5_ = *md5;
  if (settings_.known_table)
    if (std::optional<std::string> known = settings_.known_table(table_md5_))
      settle_table(std::move(known), {});
}

void SessionCore::ask_everything() {
  // What these say goes into the state as any message does; a no is an answer too.
  const int attempts = settings_.busy_attempts;
  enqueue(Request(msg_status), nullptr, attempts);
  if (settings_.clock) enqueue(Request(msg_set_clock, settings_.clock()), nullptr, attempts);
  enqueue(Request(msg_storage), nullptr, attempts);
  enqueue(
      Request(msg_settings),
      [this](const Reply& reply) {
        if (!reply.message || phase_ != Phase::open) return;
        asked_everything_ = true;
        if (table_settled_)
          emit(Event::Kind::ready);
        else
          fetch_table();
      },
      attempts);
}

// --- the lens table --------------------------------------------------------------------------

void SessionCore::fetch_table() {
  transfer_ = std::make_unique<Transfer>(lens_table_path, table_md5_);
  transfer_heard_ = last_heard_;
  emit(Event::Kind::data_wanted);
}

void SessionCore::settle_table(std::optional<std::string> table, std::string why) {
  if (table_settled_) return;
  table_settled_ = true;
  transfer_.reset();
  Event event{table ? Event::Kind::lens_table : Event::Kind::no_lens_table, nullptr, {}, {}};
  if (table)
    event.bytes = std::move(*table);
  else
    event.failure = Failure{Failure::Reason::refused, std::move(why), 0};
  events_.push_back(std::move(event));
  if (asked_everything_) emit(Event::Kind::ready);
}

void SessionCore::data_ready(Time now) {
  if (!transfer_ || phase_ != Phase::open) return;
  transfer_heard_ = now;
  enqueue(
      transfer_->request(),
      [this](const Reply& reply) {
        if (reply.message && transfer_)
          transfer_step(transfer_->replied(*reply.message), last_heard_);
      },
      settings_.busy_attempts);
  pump(now);
}

void SessionCore::data_received(std::string_view bytes, Time now) {
  last_heard_ = std::max(last_heard_, now);
  if (transfer_) {
    transfer_heard_ = now;
    transfer_step(transfer_->data(bytes), now);
  }
  pump(now);
}

void SessionCore::data_closed(Time now) {
  if (transfer_)
    settle_table(std::nullopt, "the camera's lens table can't be fetched: the data port is closed");
  pump(now);
}

void SessionCore::transfer_step(Transfer::Outcome outcome, Time now) {
  switch (outcome) {
    case Transfer::Outcome::going:
      break;
    case Transfer::Outcome::next_chunk:
      data_ready(now);
      break;
    case Transfer::Outcome::done: {
      std::string content = transfer_->take_content();
      if (settings_.keep_table) settings_.keep_table(table_md5_, content);
      settle_table(std::move(content), {});
      break;
    }
    case Transfer::Outcome::failed: {
      const std::string why = "the camera's lens table can't be fetched: " + transfer_->error();
      settle_table(std::nullopt, why);
      break;
    }
  }
}

// --- what comes ------------------------------------------------------------------------------

void SessionCore::received(std::string_view bytes, Time now) {
  if (phase_ == Phase::ended || phase_ == Phase::idle) return;
  last_heard_ = now;
  framer_.feed(bytes);
  while (phase_ != Phase::ended) {
    Result<std::optional<std::string>> object = framer_.next();
    if (!object) {
      end(Failure{Failure::Reason::broken, object.error().message, 0}, now);
      break;
    }
    if (!*object) break;
    Result<Message> message = Message::parse(**object);
    if (!message) {
      end(Failure{Failure::Reason::broken, message.error().message, 0}, now);
      break;
    }
    dispatch(std::make_shared<const Message>(std::move(*message)), now);
  }
  pump(now);
}

void SessionCore::dispatch(std::shared_ptr<const Message> message, Time now) {
  GST_LOG("from the camera: %s", message->redacted().c_str());
  switch (message->kind()) {
    case Message::Kind::question:
      // Another client wants the camera. Without an answer it would get it; and the answer can't
      // wait for its turn, because the camera waits.
      if (token_ && phase_ == Phase::open) {
        events_.push_back({Event::Kind::notification, message, {}, {}});
        send(Request(msg_query_holder, std::to_string(*token_)), now);
      }
      break;
    case Message::Kind::notification:
      notified(std::move(message), now);
      break;
    case Message::Kind::reply:
      replied(std::move(message), now);
      break;
  }
}

void SessionCore::replied(std::shared_ptr<const Message> message, Time now) {
  if (!outstanding_ || outstanding_->request.id != message->id()) {
    GST_DEBUG("an answer to %s, which is not being asked: dropped",
              command_name(message->id()).c_str());
    return;
  }
  if (!message->rval()) {
    end(Failure{Failure::Reason::broken,
                "the camera's answer to " + command_name(message->id()) + " has no result", 0},
        now);
    return;
  }
  Pending done = std::move(*outstanding_);
  outstanding_.reset();

  if (message->rval() == rval_busy && done.attempts_left > 0 && phase_ != Phase::finishing) {
    --done.attempts_left;
    not_before_ = now + settings_.busy_pause;
    queue_.push_front(std::move(done));
    return;
  }
  state_.update(*message);
  const bool forgotten =
      message->rval() == rval_wrong_token && done.request.id != msg_start_session;
  if (done.handler) done.handler({message, std::nullopt});
  if (forgotten && phase_ == Phase::open)
    end(Failure{Failure::Reason::gone,
                "the camera has forgotten this session (wrong token); connect again",
                rval_wrong_token},
        now);
  else if (done.request.id == msg_stop_session)
    end(std::nullopt, now);
  else if (phase_ == Phase::finishing)
    say_goodbye(now);
}

void SessionCore::notified(std::shared_ptr<const Message> message, Time now) {
  state_.update(*message);
  if (message->id() == msg_transfer_result) {
    transfer_heard_ = now;
    if (transfer_) transfer_step(transfer_->notified(*message), now);
  }
  // They say that something changed, not to what.
  const int id = message->id();
  if ((id == msg_card_state || id == msg_card_full) && phase_ == Phase::open)
    enqueue(Request(msg_storage), nullptr);
  events_.push_back({Event::Kind::notification, std::move(message), {}, {}});
}

// --- time ------------------------------------------------------------------------------------

void SessionCore::advance(Time now) {
  if (phase_ == Phase::idle || phase_ == Phase::ended) return;
  if (phase_ == Phase::finishing) {
    if (now < finish_due_) return;
    if (token_ && !goodbye_said_) {
      // The answer that was waited for does not come.
      if (const std::optional<Pending> given_up = std::exchange(outstanding_, std::nullopt))
        if (given_up->handler) given_up->handler({nullptr, stopped()});
      say_goodbye(now);
    } else {
      end(std::nullopt, now);
    }
    return;
  }
  if (outstanding_ && now >= reply_due_) {
    end(Failure{Failure::Reason::silent,
                "the camera does not answer: " + command_name(outstanding_->request.id) +
                    " got no reply within " + in_seconds(outstanding_->timeout) +
                    "; is it still on, and in reach of its Wi-Fi?",
                0},
        now);
    return;
  }
  if (transfer_ && now >= transfer_heard_ + settings_.transfer_timeout)
    settle_table(std::nullopt, "the camera's lens table can't be fetched: no data for " +
                                   in_seconds(settings_.transfer_timeout));
  if (phase_ == Phase::open && !outstanding_ && queue_.empty() &&
      now >= last_heard_ + settings_.keep_alive_after) {
    queue_.emplace_back(Request(msg_status), nullptr, settings_.keep_alive_timeout, 0);
  }
  pump(now);
}

std::optional<Time> SessionCore::deadline() const {
  std::optional<Time> due;
  const auto at = [&](Time time) { due = due ? std::min(*due, time) : time; };
  if (phase_ == Phase::idle || phase_ == Phase::ended) return due;
  if (phase_ == Phase::finishing) {
    at(finish_due_);
    return due;
  }
  if (transfer_) at(transfer_heard_ + settings_.transfer_timeout);
  if (outstanding_)
    at(reply_due_);
  else if (!queue_.empty())
    at(std::max(not_before_, last_sent_ ? *last_sent_ + settings_.pacing : not_before_));
  else if (phase_ == Phase::open)
    at(last_heard_ + settings_.keep_alive_after);
  return due;
}

// --- the way down ----------------------------------------------------------------------------

void SessionCore::say_goodbye(Time now) {
  if (goodbye_said_ || !token_) return;
  if (last_sent_ && now < *last_sent_ + settings_.pacing) {
    // It comes too fast for the camera like any other.
    finish_due_ = *last_sent_ + settings_.pacing;
    return;
  }
  goodbye_said_ = true;
  finish_due_ = now + settings_.finish_timeout;
  Pending goodbye(Request(msg_stop_session), nullptr, settings_.finish_timeout, 0);
  send(goodbye.request, now);
  outstanding_ = std::move(goodbye);
}

void SessionCore::finish(Time now) {
  if (phase_ == Phase::finishing || phase_ == Phase::ended) return;
  if (phase_ == Phase::idle) {
    end(std::nullopt, now);
    return;
  }
  phase_ = Phase::finishing;
  finish_due_ = now + settings_.finish_timeout;
  transfer_.reset();
  for (Pending& pending : std::exchange(queue_, {}))
    if (pending.handler) pending.handler({nullptr, stopped()});
  // What is under way gets its answer first: one request at a time.
  if (outstanding_) return;
  if (token_)
    say_goodbye(now);
  else
    end(std::nullopt, now);
}

void SessionCore::connection_lost(Time now) {
  if (phase_ == Phase::idle || phase_ == Phase::ended) return;
  // After our goodbye it is the camera's right to close first.
  if (phase_ == Phase::finishing) {
    goodbye_said_ = true;
    end(std::nullopt, now);
    return;
  }
  goodbye_said_ = true;
  end(Failure{Failure::Reason::gone,
              "the camera closed the connection; it may have been switched off, or be restarting",
              0},
      now);
}

void SessionCore::end(std::optional<Failure> failure, Time now) {
  if (phase_ == Phase::ended) return;
  phase_ = Phase::ended;
  // Also where nothing can be understood any more: a camera that is left with an open session
  // refuses the next client.
  if (token_ && !goodbye_said_) {
    goodbye_said_ = true;
    send(Request(msg_stop_session), now);
  }
  transfer_.reset();
  const Failure why = failure ? *failure : stopped();
  if (std::optional<Pending> open = std::exchange(outstanding_, std::nullopt))
    if (open->handler) open->handler({nullptr, why});
  for (Pending& pending : std::exchange(queue_, {}))
    if (pending.handler) pending.handler({nullptr, why});
  if (failure) GST_DEBUG("the session ended: %s", failure->message.c_str());
  events_.push_back({Event::Kind::ended, nullptr, {}, std::move(failure)});
}

}  // namespace sphere::madv
