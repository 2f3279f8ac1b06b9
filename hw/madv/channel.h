// SPDX-License-Identifier: LGPL-2.1-or-later
// The control channel as a state machine: the session's token, the active request, the queue of
// waiting requests, keep-alive, and the end of the session. Bytes and the time go in, bytes and
// calls of the handler come out. It does not decide which requests are sent.

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hw/camera.h"
#include "hw/madv/clock.h"
#include "hw/madv/message_rate.h"
#include "hw/madv/reply.h"
#include "hw/madv/settings.h"
#include "hw/madv/wire.h"

namespace sphere::madv {

/// Its memory is limited, even if a camera misbehaves: messages without a request are counted
/// (MessageRateLimit), each of the session's own requests for the state waits at most once, and
/// requests and output have limits.
class ControlChannel {
 public:
  /// The largest number of waiting requests of users; a further one fails at once.
  static constexpr size_t max_waiting = 64;
  static constexpr const char* too_many_waiting =
      "the camera has not answered 64 earlier requests yet; wait until it has";
  /// The largest number of bytes that the camera has not received yet. A camera that sends
  /// questions and does not receive the answers is given up.
  static constexpr size_t max_output = 16 << 10;

  /// The lower rank is sent first; requests of one rank are sent in their order.
  enum class Rank { connect, ordinary, refresh };

  /// Called within the functions below.
  struct Listener {
    /// The session has its token: requests can be sent.
    std::function<void(Time)> opened;
    /// Called with each answer, before the request's own handler, and with each notification.
    std::function<void(const Message&)> message_received;
    /// Called with a notification or a question; a question is already answered.
    std::function<void(std::shared_ptr<const Message>, Time)> notified;
    /// Called once, with no failure after finish().
    std::function<void(std::optional<Failure>)> ended;
  };

  ControlChannel(const CoreSettings& settings, Listener listener);

  /// To be called when the connection is made: requests a session.
  void start(Time now);
  void received(std::string_view bytes, Time now);
  void connection_lost(Time now);
  /// A sign of life of the camera has come over another connection.
  void note_sign_of_life(Time now);

  /// `handler` is always called exactly once.
  void ask(Request request, ReplyHandler handler, Rank rank, int attempts_when_busy, Time now);
  /// A request of a user: it is checked and counted, and not repeated if the camera is busy.
  void ask_for_user(Request request, ReplyHandler handler, Time now);
  /// Requests a part of the camera's state, unless this request waits already.
  void refresh(int id, Time now) { refresh(id, settings_.reply_timeout, now); }
  /// The request that is sent when the camera was silent for long.
  void set_keep_alive(int id) { keep_alive_ = id; }
  /// Ends the session in an orderly way. `ended` comes within the sum of finish_timeout and
  /// stop_session_timeout, or of finish_start_timeout and stop_session_timeout while the session is
  /// being started. A camera that does not answer the active request is not waited for again.
  void finish(Time now);

  /// To be called at deadline(), or later.
  void advance(Time now);
  std::optional<Time> deadline() const;

  /// The bytes to send to the camera, and how many of them were sent.
  const std::string& output() const { return output_; }
  void output_sent(size_t bytes) { output_.erase(0, bytes); }

  /// Of all requests so far.
  const hw::CameraStats& stats() const { return stats_; }
  /// Time of the camera's last sign of life.
  Time last_sign_of_life() const { return last_sign_of_life_; }
  bool is_open() const { return phase_ == Phase::open; }
  bool ended() const { return phase_ == Phase::ended; }
  /// Whether the request that ends the session was sent, and whether the camera has confirmed it.
  bool stop_session_sent() const { return stop_session_sent_; }
  bool stop_session_answered() const { return stop_session_answered_; }

 private:
  enum class Phase { idle, starting, open, finishing, ended };
  struct Pending {
    Request request;
    ReplyHandler handler;
    Duration timeout;
    Rank rank;
    int attempts_left;  // if the camera is busy
  };

  void enqueue(Request request, ReplyHandler handler, Rank rank, int attempts);
  void refresh(int id, Duration timeout, Time now);
  void drop_unwanted();
  void send_next(Time now);
  void send(const Request& request, Time now);
  void send_outstanding(Time now);
  void session_started(const Reply& reply, Time now);
  void dispatch(std::shared_ptr<const Message> message, size_t bytes, Time now);
  void asked(std::shared_ptr<const Message> question, Time now);
  void replied(std::shared_ptr<const Message> message, Time now);
  /// Counts a message without a request; ends the session if there are too many.
  bool allow_unasked(size_t bytes, Time now);
  void unreadable(const std::string& how, Time now);
  void send_stop_session(Time now);
  void end(std::optional<Failure> failure, Time now);

  const CoreSettings& settings_;
  const Listener listener_;
  Phase phase_ = Phase::idle;
  Framer framer_;
  MessageRateLimit unasked_;
  std::optional<int64_t> token_;
  std::deque<Pending> queue_;  // by rank
  std::optional<Pending> outstanding_;
  hw::CameraStats stats_;
  Time asked_at_{};  // the outstanding request
  Time reply_due_{};
  Time not_before_{};
  std::optional<Time> last_sent_;
  Time last_sign_of_life_{};
  Time finish_due_{};
  int keep_alive_ = msg_status;
  bool stop_session_sent_ = false;
  bool stop_session_answered_ = false;
  std::string output_;
};

/// The failure of waiting requests when the session is ended by this side.
Failure session_stopped();

}  // namespace sphere::madv
