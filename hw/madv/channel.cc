// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/channel.h"

#include <gst/gst.h>

#include <algorithm>

GST_DEBUG_CATEGORY_STATIC(sphere_madv_debug);
#define GST_CAT_DEFAULT sphere_madv_debug

namespace sphere::madv {

namespace {

// Bytes that can't be parsed may be from a device that is not such a camera.
constexpr const char* other_device =
    ". Check that this is the address of a Mi Sphere. If it is, switch the camera off and on";

bool is_slow(int id) {
  const Command* command = find_command(id);
  return command && command->slow;
}

}  // namespace

Failure session_stopped() { return {Failure::Reason::stopped, "the session was ended"}; }

ControlChannel::ControlChannel(const CoreSettings& settings, Listener listener)
    : settings_(settings), listener_(std::move(listener)) {
  GST_DEBUG_CATEGORY_INIT(sphere_madv_debug, "spheremadv", 0, "the Mi Sphere's control channel");
}

// --- sending ---------------------------------------------------------------------------------

void ControlChannel::send(const Request& request, Time now) {
  // The size was checked when the request was made; a token adds at most twenty digits.
  const Result<std::string> json = request.to_json(token_.value_or(0));
  if (!json) return;
  GST_LOG("to the camera: %s", redacted(*json).c_str());
  output_ += *json;
  last_sent_ = now;
}

void ControlChannel::send_outstanding(Time now) {
  ++stats_.requests;
  asked_at_ = now;
  send(outstanding_->request, now);
}

void ControlChannel::enqueue(Request request, ReplyHandler handler, Rank rank, int attempts) {
  Duration timeout = is_slow(request.id) ? settings_.slow_reply_timeout : settings_.reply_timeout;
  if (request.id == msg_start_session) timeout = std::min(timeout, settings_.start_timeout);
  const auto behind = std::upper_bound(queue_.begin(), queue_.end(), rank,
                                       [](Rank r, const Pending& p) { return r < p.rank; });
  queue_.insert(behind, {std::move(request), std::move(handler), timeout, rank, attempts});
}

void ControlChannel::refresh(int id, Duration timeout, Time now) {
  if (phase_ != Phase::open) return;
  for (const Pending& pending : queue_)
    if (pending.rank == Rank::refresh && pending.request.id == id) return;
  queue_.push_back({Request(id), nullptr, timeout, Rank::refresh, 0});
  send_next(now);
}

void ControlChannel::drop_unwanted() {
  while (!queue_.empty() && queue_.front().request.wanted && !queue_.front().request.wanted()) {
    const Pending dropped = std::move(queue_.front());
    queue_.pop_front();
    if (dropped.handler)
      dropped.handler({nullptr, Failure{Failure::Reason::stopped, "it was cancelled"}});
  }
}

void ControlChannel::send_next(Time now) {
  if (phase_ == Phase::idle || phase_ == Phase::ended || outstanding_ || queue_.empty()) return;
  if (now < not_before_ || (last_sent_ && now < *last_sent_ + settings_.pacing)) return;
  drop_unwanted();
  if (outstanding_ || queue_.empty()) return;
  outstanding_ = std::move(queue_.front());
  queue_.pop_front();
  reply_due_ = now + outstanding_->timeout;
  send_outstanding(now);
}

void ControlChannel::ask(Request request, ReplyHandler handler, Rank rank, int attempts, Time now) {
  if (phase_ == Phase::finishing || phase_ == Phase::ended) {
    if (handler) handler({nullptr, session_stopped()});
    return;
  }
  enqueue(std::move(request), std::move(handler), rank, attempts);
  send_next(now);
}

void ControlChannel::ask_for_user(Request request, ReplyHandler handler, Time now) {
  const auto refuse = [&](const Failure& why) {
    if (handler) handler({nullptr, why});
  };
  if (const Result<std::string> json = request.to_json(INT64_MIN); !json)
    return refuse({Failure::Reason::refused, json.error().message});
  const auto waiting = std::count_if(queue_.begin(), queue_.end(),
                                     [](const Pending& p) { return p.rank == Rank::ordinary; });
  if (static_cast<size_t>(waiting) >= max_waiting)
    return refuse({Failure::Reason::refused, too_many_waiting});
  ask(std::move(request), std::move(handler), Rank::ordinary, 0, now);
}

// --- the session's start ------------------------------------------------------------------------

void ControlChannel::start(Time now) {
  if (phase_ != Phase::idle) return;
  phase_ = Phase::starting;
  last_sign_of_life_ = now;
  enqueue(
      Request(msg_start_session),
      [this](const Reply& reply) { session_started(reply, last_sign_of_life_); }, Rank::connect,
      settings_.busy_attempts);
  send_next(now);
}

void ControlChannel::session_started(const Reply& reply, Time now) {
  if (!reply.message) return;
  const Message& message = *reply.message;
  if (!message.succeeded()) {
    if (phase_ == Phase::finishing) {
      end(std::nullopt, now);
      return;
    }
    const int rval = message.rval().value_or(-1);
    const bool held = rval == rval_session_denied || rval == rval_session_full;
    end(Failure{held ? Failure::Reason::held : Failure::Reason::refused,
                "the camera does not start a session: it says that " + result_words(rval)},
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
  // finish() was called in the meantime: the new session must be ended, so that the camera is free.
  if (phase_ == Phase::finishing) return;
  phase_ = Phase::open;
  listener_.opened(now);
}

// --- what comes ------------------------------------------------------------------------------

void ControlChannel::unreadable(const std::string& how, Time now) {
  end(Failure{Failure::Reason::broken,
              "what came from the camera can't be read: " + how + other_device},
      now);
}

bool ControlChannel::allow_unasked(size_t bytes, Time now) {
  if (unasked_.count(bytes, now)) return true;
  end(Failure{Failure::Reason::broken,
              "the camera sends too many messages that are not answers; switch it off and on"},
      now);
  return false;
}

void ControlChannel::received(std::string_view bytes, Time now) {
  if (phase_ == Phase::ended || phase_ == Phase::idle) return;
  framer_.feed(bytes);
  while (phase_ != Phase::ended) {
    Result<std::optional<std::string>> object = framer_.next();
    if (!object) {
      unreadable(object.error().message, now);
      break;
    }
    if (!unasked_.count_padding(framer_.take_skipped(), now)) {
      unreadable("it sends too much white space", now);
      break;
    }
    if (!*object) break;
    Result<Message> message = Message::parse(**object);
    if (!message) {
      unreadable(message.error().message, now);
      break;
    }
    // Only a whole message counts as a sign of life, because a camera that hangs may send bytes
    // without an end.
    last_sign_of_life_ = now;
    dispatch(std::make_shared<const Message>(std::move(*message)), (*object)->size(), now);
  }
  send_next(now);
}

void ControlChannel::dispatch(std::shared_ptr<const Message> message, size_t bytes, Time now) {
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
      listener_.message_received(*message);
      listener_.notified(std::move(message), now);
      break;
    case Message::Kind::reply:
      if (answers)
        replied(std::move(message), now);
      else
        GST_DEBUG("dropped an answer to %s, which was not requested",
                  command_name(message->id()).c_str());
      break;
  }
}

/// Another client requests a session, and would get it without an answer. The answer is sent at
/// once, before waiting requests, because the camera waits for it.
void ControlChannel::asked(std::shared_ptr<const Message> question, Time now) {
  if (!token_ || phase_ != Phase::open) return;
  if (output_.size() + Request::max_size > max_output) {
    end(Failure{Failure::Reason::silent,
                "the camera asks whether this client is still there, but does not read the answer; "
                "switch it off and on"},
        now);
    return;
  }
  send(Request(msg_query_holder, std::to_string(*token_)), now);
  listener_.notified(std::move(question), now);
}

void ControlChannel::replied(std::shared_ptr<const Message> message, Time now) {
  if (!message->rval()) {
    unreadable("its answer to " + command_name(message->id()) + " has no result", now);
    return;
  }
  Pending done = std::move(*outstanding_);
  outstanding_.reset();
  stats_.add_answer(now - asked_at_);
  if (!message->succeeded()) ++stats_.errors;

  if (message->rval() == rval_busy && done.attempts_left > 0 && phase_ != Phase::finishing) {
    --done.attempts_left;
    not_before_ = now + settings_.busy_pause;
    queue_.push_front(std::move(done));
    return;
  }
  listener_.message_received(*message);
  const bool forgotten =
      message->rval() == rval_wrong_token && done.request.id != msg_start_session;
  if (done.handler) done.handler({message, std::nullopt});
  if (forgotten && phase_ == Phase::open)
    end(Failure{Failure::Reason::gone,
                "the camera has forgotten this session (wrong token); connect again"},
        now);
  else if (done.request.id == msg_stop_session) {
    stop_session_answered_ = true;
    end(std::nullopt, now);
  } else if (phase_ == Phase::finishing)
    send_stop_session(now);
}

void ControlChannel::note_sign_of_life(Time now) {
  last_sign_of_life_ = std::max(last_sign_of_life_, now);
}

// --- time ------------------------------------------------------------------------------------

void ControlChannel::advance(Time now) {
  if (phase_ == Phase::idle || phase_ == Phase::ended) return;
  if (phase_ == Phase::finishing) {
    if (now < finish_due_) return;
    // end() sends the last request of the session. If the active request was not answered, that
    // one would not be either.
    if (token_ && !stop_session_sent_ && !outstanding_)
      send_stop_session(now);
    else
      end(std::nullopt, now);
    return;
  }
  if (outstanding_ && now >= reply_due_) {
    end(Failure{Failure::Reason::silent,
                "the camera does not answer: " + command_name(outstanding_->request.id) +
                    " got no reply within " + in_seconds(outstanding_->timeout) +
                    "; check that it is on, and that this machine is in reach of its Wi-Fi"},
        now);
    return;
  }
  if (phase_ == Phase::open && !outstanding_ && queue_.empty() &&
      now >= last_sign_of_life_ + settings_.keep_alive_after)
    refresh(keep_alive_, settings_.keep_alive_timeout, now);
  send_next(now);
}

std::optional<Time> ControlChannel::deadline() const {
  std::optional<Time> due;
  const auto at = [&](Time time) { due = due ? std::min(*due, time) : time; };
  if (phase_ == Phase::idle || phase_ == Phase::ended) return due;
  if (phase_ == Phase::finishing) {
    at(finish_due_);
    return due;
  }
  if (outstanding_)
    at(reply_due_);
  else if (!queue_.empty())
    at(std::max(not_before_, last_sent_ ? *last_sent_ + settings_.pacing : not_before_));
  else if (phase_ == Phase::open)
    at(last_sign_of_life_ + settings_.keep_alive_after);
  return due;
}

// --- ending ----------------------------------------------------------------------------

void ControlChannel::send_stop_session(Time now) {
  if (stop_session_sent_ || !token_) return;
  if (last_sent_ && now < *last_sent_ + settings_.pacing) {
    // It needs the same interval as other requests.
    finish_due_ = *last_sent_ + settings_.pacing;
    return;
  }
  stop_session_sent_ = true;
  finish_due_ = now + settings_.stop_session_timeout;
  outstanding_ =
      Pending{Request(msg_stop_session), nullptr, settings_.stop_session_timeout, Rank::connect, 0};
  send_outstanding(now);
}

void ControlChannel::finish(Time now) {
  if (phase_ == Phase::finishing || phase_ == Phase::ended) return;
  if (phase_ == Phase::idle) {
    end(std::nullopt, now);
    return;
  }
  phase_ = Phase::finishing;
  finish_due_ =
      token_ ? asked_at_ + settings_.finish_timeout : now + settings_.finish_start_timeout;
  for (Pending& pending : std::exchange(queue_, {}))
    if (pending.handler) pending.handler({nullptr, session_stopped()});
  // The active request is answered first, because only one request is sent at a time.
  if (outstanding_) return;
  if (token_)
    send_stop_session(now);
  else
    end(std::nullopt, now);
}

void ControlChannel::connection_lost(Time now) {
  if (phase_ == Phase::idle || phase_ == Phase::ended) return;
  // After the end of the session, the camera may close the connection first.
  if (phase_ == Phase::finishing) {
    stop_session_sent_ = true;
    end(std::nullopt, now);
    return;
  }
  stop_session_sent_ = true;
  end(Failure{Failure::Reason::gone,
              "the camera closed the connection; it may have been switched off, or be restarting"},
      now);
}

void ControlChannel::end(std::optional<Failure> failure, Time now) {
  if (phase_ == Phase::ended) return;
  // After finish(), errors are not reported.
  if (phase_ == Phase::finishing) failure.reset();
  phase_ = Phase::ended;
  // The session is ended even if the camera's messages can't be parsed any more, because a camera
  // with an open session refuses the next client.
  if (token_ && !stop_session_sent_) {
    stop_session_sent_ = true;
    ++stats_.requests;
    send(Request(msg_stop_session), now);
  }
  const Failure why = failure ? *failure : session_stopped();
  if (std::optional<Pending> open = std::exchange(outstanding_, std::nullopt)) {
    ++stats_.errors;
    if (open->handler) open->handler({nullptr, why});
  }
  for (Pending& pending : std::exchange(queue_, {}))
    if (pending.handler) pending.handler({nullptr, why});
  if (failure) GST_DEBUG("the session ended: %s", failure->message.c_str());
  listener_.ended(std::move(failure));
}

}  // namespace sphere::madv
