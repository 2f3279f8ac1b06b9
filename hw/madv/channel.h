// SPDX-License-Identifier: LGPL-2.1-or-later
// The control channel as a state machine: the session's token, one request at a time, what waits
// behind it, signs of life, and the goodbye. Bytes and time go in and out; what is asked and why is
// for others.

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hw/madv/allowance.h"
#include "hw/madv/clock.h"
#include "hw/madv/reply.h"
#include "hw/madv/settings.h"
#include "hw/madv/wire.h"

namespace sphere::madv {

/// A camera that misbehaves can't make it grow: what it may say unasked is counted (Allowance),
/// each question of our own about its state waits once at most, and requests and output are
/// bounded.
class ControlChannel {
 public:
  /// Requests of users that may wait; a further one is refused at once.
  static constexpr size_t max_waiting = 64;
  static constexpr const char* too_many_waiting =
      "the camera has not answered 64 earlier requests yet; wait until it has";
  /// Bytes that the camera has not taken yet; one that asks and takes no answer is given up.
  static constexpr size_t max_output = 16 << 10;

  /// The lower goes first; those of one rank in the order in which they were asked for.
  enum class Rank { connect, ordinary, refresh };

  /// Called from within the functions below.
  struct Listener {
    /// The token is there: requests can be asked.
    std::function<void(Time)> opened;
    /// Each answer, before whoever asked gets it, and each notification.
    std::function<void(const Message&)> heard;
    /// A notification or a question; a question is answered already.
    std::function<void(std::shared_ptr<const Message>, Time)> said_unasked;
    /// Once; nothing when it ended because that was asked for.
    std::function<void(std::optional<Failure>)> ended;
  };

  ControlChannel(const CoreSettings& settings, Listener listener);

  /// The connection stands: asks for a session.
  void start(Time now);
  void received(std::string_view bytes, Time now);
  void connection_lost(Time now);
  /// Something that proves that the camera lives came another way.
  void heard_otherwise(Time now);

  /// `handler` is called once in any case.
  void ask(Request request, ReplyHandler handler, Rank rank, int attempts_when_busy, Time now);
  /// What a user asks: looked at, counted, and not asked again when the camera is busy.
  void ask_for_user(Request request, ReplyHandler handler, Time now);
  /// Asks for a part of the camera's state, unless that question waits already.
  void refresh(int id, Time now) { refresh(id, settings_.reply_timeout, now); }
  /// Ends the session in order. `ended` comes within finish_timeout and goodbye_timeout together,
  /// or within finish_start_timeout and goodbye_timeout while the session is being started.
  void finish(Time now);

  /// To be called at deadline(), or later.
  void advance(Time now);
  std::optional<Time> deadline() const;

  /// What is to be sent to the camera, and how much of it was.
  const std::string& output() const { return output_; }
  void output_sent(size_t bytes) { output_.erase(0, bytes); }

  /// When the camera last showed that it lives.
  Time last_heard() const { return last_heard_; }
  bool is_open() const { return phase_ == Phase::open; }
  bool ended() const { return phase_ == Phase::ended; }
  /// Whether the camera said that it has heard the goodbye.
  bool goodbye_answered() const { return goodbye_answered_; }

 private:
  enum class Phase { idle, starting, open, finishing, ended };
  struct Pending {
    Request request;
    ReplyHandler handler;
    Duration timeout;
    Rank rank;
    int attempts_left;  // when the camera says it is busy
  };

  void enqueue(Request request, ReplyHandler handler, Rank rank, int attempts);
  void refresh(int id, Duration timeout, Time now);
  void drop_unwanted();
  void send_next(Time now);
  void send(const Request& request, Time now);
  void session_started(const Reply& reply, Time now);
  void dispatch(std::shared_ptr<const Message> message, size_t bytes, Time now);
  void asked(std::shared_ptr<const Message> question, Time now);
  void replied(std::shared_ptr<const Message> message, Time now);
  /// Whether the camera may say so much more that nobody asked for; ends the session if not.
  bool allow_unasked(size_t bytes, Time now);
  void unreadable(const std::string& how, Time now);
  void say_goodbye(Time now);
  void end(std::optional<Failure> failure, Time now);

  const CoreSettings& settings_;
  const Listener listener_;
  Phase phase_ = Phase::idle;
  Framer framer_;
  Allowance unasked_;
  std::optional<int64_t> token_;
  std::deque<Pending> queue_;  // by rank
  std::optional<Pending> outstanding_;
  Time reply_due_{};
  Time not_before_{};
  std::optional<Time> last_sent_;
  Time last_heard_{};
  Time finish_due_{};
  bool goodbye_said_ = false;
  bool goodbye_answered_ = false;
  std::string output_;
};

/// What a session that was ended by us tells those who still wait.
Failure session_stopped();

}  // namespace sphere::madv
