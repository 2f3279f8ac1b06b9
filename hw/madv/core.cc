// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/core.h"

#include <algorithm>

#include "gst/sphere/base/gobject.h"

GST_DEBUG_CATEGORY_STATIC(sphere_madv_debug);
#define GST_CAT_DEFAULT sphere_madv_debug

namespace sphere::madv {

namespace {

bool is_slow(int id) {
  return id == msg_format || id == msg_flash_firmware || id == msg_delete_file ||
         id == msg_factory_reset;
}

Failure stopped() { return {Failure::Reason::stopped, "the session was ended"}; }

// What is not understood may come from another kind of device as well as from a damaged one.
constexpr const char* other_device =
    "; is this the address of a Mi Sphere? If it is, switch the camera off and on";

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

void SessionCore::enqueue(Request request, ReplyHandler handler, Rank rank, int attempts) {
  const Duration timeout =
      is_slow(request.id) ? settings_.slow_reply_timeout : settings_.reply_timeout;
  const auto behind = std::upper_bound(queue_.begin(), queue_.end(), rank,
                                       [](Rank r, const Pending& p) { return r < p.rank; });
  queue_.insert(behind, {std::move(request), std::move(handler), timeout, rank, attempts});
}

void SessionCore::refresh(int id, Duration timeout) {
  for (const Pending& pending : queue_)
    if (pending.rank == Rank::refresh && pending.request.id == id) return;
  queue_.push_back({Request(id), nullptr, timeout, Rank::refresh, 0});
}

void SessionCore::drop_unwanted() {
  while (!queue_.empty() && queue_.front().request.wanted && !queue_.front().request.wanted()) {
    const Pending dropped = std::move(queue_.front());
    queue_.pop_front();
    if (dropped.handler)
      dropped.handler({nullptr, Failure{Failure::Reason::stopped, "it was taken back"}});
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
  const auto refuse = [&](const Failure& why) {
    if (handler) handler({nullptr, why});
  };
  if (phase_ == Phase::finishing || phase_ == Phase::ended) return refuse(stopped());
  if (const Result<std::string> json = request.to_json(INT64_MIN); !json)
    return refuse({Failure::Reason::refused, json.error().message});
  const auto waiting = std::count_if(queue_.begin(), queue_.end(),
                                     [](const Pending& p) { return p.rank == Rank::ordinary; });
  if (static_cast<size_t>(waiting) >= max_waiting)
    return refuse({Failure::Reason::refused, too_many_waiting});
  enqueue(std::move(request), std::move(handler), Rank::ordinary);
  pump(now);
}

// --- connecting ------------------------------------------------------------------------------

void SessionCore::start(Time now) {
  if (phase_ != Phase::idle) return;
  phase_ = Phase::starting;
  last_heard_ = now;
  enqueue(
      Request(msg_start_session), [this](const Reply& reply) { session_started(reply); },
      Rank::connect, settings_.busy_attempts);
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
                std::string("the camera started a session without a token") + other_device},
        now);
    return;
  }
  token_ = *token;
  // The end was asked for meanwhile: the camera must not be left with a session that nobody has.
  if (phase_ == Phase::finishing) return;
  phase_ = Phase::open;

  Request info(msg_client_info, settings_.client_address);
  info.with_type("TCP");
  enqueue(
      std::move(info), [this](const Reply& r) { client_known(r); }, Rank::connect,
      settings_.busy_attempts);
  ask_everything();
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
  enqueue(Request(msg_status), nullptr, Rank::connect, attempts);
  if (settings_.clock)
    enqueue(Request(msg_set_clock, settings_.clock()), nullptr, Rank::connect, attempts);
  enqueue(Request(msg_storage), nullptr, Rank::connect, attempts);
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
      Rank::connect, attempts);
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
    event.failure = Failure{Failure::Reason::refused, why};
  emit(std::move(event));
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
      Rank::ordinary, settings_.busy_attempts);
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

void SessionCore::unreadable(const std::string& how, Time now) {
  end(Failure{Failure::Reason::broken,
              "what came from the camera can't be read: " + how + other_device},
      now);
}

bool SessionCore::allow_unasked(size_t bytes, Time now) {
  if (unasked_.spend(bytes, now)) return true;
  end(Failure{Failure::Reason::broken,
              "the camera sends messages without end that nobody asked for; switch it off and on"},
      now);
  return false;
}

void SessionCore::received(std::string_view bytes, Time now) {
  if (phase_ == Phase::ended || phase_ == Phase::idle) return;
  framer_.feed(bytes);
  while (phase_ != Phase::ended) {
    Result<std::optional<std::string>> object = framer_.next();
    if (!object) {
      unreadable(object.error().message, now);
      break;
    }
    if (!unasked_.spend_padding(framer_.take_skipped(), now)) {
      unreadable("it sends white space without end", now);
      break;
    }
    if (!*object) break;
    Result<Message> message = Message::parse(**object);
    if (!message) {
      unreadable(message.error().message, now);
      break;
    }
    // A message that does not get on is no sign of life; a whole one is.
    last_heard_ = now;
    dispatch(std::make_shared<const Message>(std::move(*message)), (*object)->size(), now);
  }
  pump(now);
}

void SessionCore::dispatch(std::shared_ptr<const Message> message, size_t bytes, Time now) {
  GST_LOG("from the camera: %s", message->redacted().c_str());
  const Message::Kind kind = message->kind();
  const bool answers =
      kind == Message::Kind::reply && outstanding_ && outstanding_->request.id == message->id();
  if (!answers && !allow_unasked(bytes, now)) return;
  switch (kind) {
    case Message::Kind::question:
      asked(std::move(message), now);
      break;
    case Message::Kind::notification:
      notified(std::move(message), now);
      break;
    case Message::Kind::reply:
      if (answers)
        replied(std::move(message), now);
      else
        GST_DEBUG("an answer to %s, which is not being asked: dropped",
                  command_name(message->id()).c_str());
      break;
  }
}

/// Another client wants the camera, and without an answer it would get it. The answer can't wait
/// for its turn, because the camera waits.
void SessionCore::asked(std::shared_ptr<const Message> question, Time now) {
  if (!token_ || phase_ != Phase::open) return;
  if (output_.size() + Request::max_size > max_output) {
    end(Failure{Failure::Reason::silent,
                "the camera asks, and takes no answer; switch it off and on"},
        now);
    return;
  }
  emit({Event::Kind::notification, std::move(question), {}, {}});
  send(Request(msg_query_holder, std::to_string(*token_)), now);
}

void SessionCore::replied(std::shared_ptr<const Message> message, Time now) {
  if (!message->rval()) {
    unreadable("its answer to " + command_name(message->id()) + " has no result", now);
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
  else if (done.request.id == msg_stop_session) {
    goodbye_answered_ = true;
    end(std::nullopt, now);
  } else if (phase_ == Phase::finishing)
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
    refresh(msg_storage, settings_.reply_timeout);
  emit({Event::Kind::notification, std::move(message), {}, {}});
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
                    "; is it still on, and in reach of its Wi-Fi?"},
        now);
    return;
  }
  if (transfer_ && now >= transfer_heard_ + settings_.transfer_timeout)
    settle_table(std::nullopt, "the camera's lens table can't be fetched: no data for " +
                                   in_seconds(settings_.transfer_timeout));
  if (phase_ == Phase::open && !outstanding_ && queue_.empty() &&
      now >= last_heard_ + settings_.keep_alive_after)
    refresh(msg_status, settings_.keep_alive_timeout);
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

// --- ending ----------------------------------------------------------------------------

void SessionCore::say_goodbye(Time now) {
  if (goodbye_said_ || !token_) return;
  if (last_sent_ && now < *last_sent_ + settings_.pacing) {
    // It comes too fast for the camera like any other.
    finish_due_ = *last_sent_ + settings_.pacing;
    return;
  }
  goodbye_said_ = true;
  finish_due_ = now + settings_.goodbye_timeout;
  outstanding_ =
      Pending{Request(msg_stop_session), nullptr, settings_.goodbye_timeout, Rank::connect, 0};
  send(outstanding_->request, now);
}

void SessionCore::finish(Time now) {
  if (phase_ == Phase::finishing || phase_ == Phase::ended) return;
  if (phase_ == Phase::idle) {
    end(std::nullopt, now);
    return;
  }
  phase_ = Phase::finishing;
  finish_due_ = now + (token_ ? settings_.finish_timeout : settings_.finish_start_timeout);
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
              "the camera closed the connection; it may have been switched off, or be restarting"},
      now);
}

void SessionCore::end(std::optional<Failure> failure, Time now) {
  if (phase_ == Phase::ended) return;
  // Who asked for the end need not hear what went wrong on the way.
  if (phase_ == Phase::finishing) failure.reset();
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

void SessionCore::emit(Event event) {
  if (phase_ == Phase::ended) return;
  // The session's thread takes them each time the camera has said something.
  if (events_.size() < max_events) events_.push_back(std::move(event));
}

}  // namespace sphere::madv
