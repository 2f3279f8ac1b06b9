// SPDX-License-Identifier: LGPL-2.1-or-later
// A session with a camera as a state machine: bytes and time go in, bytes and events come out. It
// has neither a thread nor a socket nor a clock; session.h gives it those.

#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/printable.h"
#include "hw/madv/allowance.h"
#include "hw/madv/clock.h"
#include "hw/madv/message.h"
#include "hw/madv/state.h"
#include "hw/madv/transfer.h"
#include "hw/madv/wire.h"

namespace sphere::madv {

/// Why a session ended, or a request was not done.
struct Failure {
  enum class Reason {
    unreachable,  ///< no way to the camera: another Wi-Fi, out of reach
    not_there,    ///< something is there, but its control port is closed
    held,         ///< another client holds the camera
    refused,      ///< the camera says no; `rval` says how
    silent,       ///< no answer in time
    broken,       ///< what came is not this protocol
    gone,         ///< the camera closed the connection, or forgot the session
    stopped,      ///< we ourselves ended it
  };
  Failure(Reason reason, std::string_view message, int rval = 0)
      : reason(reason), message(printable(message, Error::max_message)), rval(rval) {}

  Reason reason;
  /// One sentence, with what to do. Printable, whatever the camera said.
  std::string message;
  int rval;
};

struct Event {
  enum class Kind {
    preview_ready,  ///< the camera knows this client: RTSP can be opened
    data_wanted,    ///< connect to the data port, then call data_ready() or data_closed()
    ready,          ///< all was asked that there was to ask
    notification,   ///< `message`: the state has it already
    lens_table,     ///< `bytes`, in the camera's own form
    no_lens_table,  ///< `failure`: the camera's own table can't be had
    ended,          ///< the last event; with `failure` unless it ended by finish()
  };
  Kind kind;
  std::shared_ptr<const Message> message;
  std::string bytes;
  std::optional<Failure> failure;
};

/// What became of a request: the camera's reply, also one that says no, or why there is none.
struct Reply {
  std::shared_ptr<const Message> message;
  std::optional<Failure> failure;
};
using ReplyHandler = std::function<void(const Reply&)>;

struct CoreSettings {
  /// Firmwares of this family are known to restart when commands come too fast. None for a camera
  /// in software.
  Duration pacing = std::chrono::milliseconds(150);
  Duration reply_timeout = std::chrono::seconds(8);
  /// Formatting, deleting and flashing take long.
  Duration slow_reply_timeout = std::chrono::seconds(60);
  /// After so much silence the camera is asked how it is; without an answer it is lost. Both
  /// together are what a half-open link costs.
  Duration keep_alive_after = std::chrono::seconds(4);
  Duration keep_alive_timeout = std::chrono::seconds(5);
  Duration transfer_timeout = std::chrono::seconds(10);
  /// How long the request under way may take when the session is to end. A camera that is asked for
  /// a session at that moment gets longer, because a session that nobody knows of keeps others out:
  /// the slowest start that was measured on a sister camera took 0.84 s.
  Duration finish_timeout = std::chrono::milliseconds(400);
  Duration finish_start_timeout = std::chrono::milliseconds(850);
  /// How long the answer to the goodbye may take.
  Duration goodbye_timeout = std::chrono::milliseconds(300);
  Duration busy_pause = std::chrono::milliseconds(400);
  int busy_attempts = 6;
  /// Our address as the camera sees it.
  std::string client_address = "0.0.0.0";
  /// The time to set the camera's clock to, as it wants it; empty leaves the clock alone.
  std::function<std::string()> clock;
  bool want_lens_table = true;
  /// A table that was fetched before.
  std::function<std::optional<std::string>(const std::string& md5)> known_table;
  /// Keeps a table that was fetched now.
  std::function<void(const std::string& md5, std::string_view table)> keep_table;
};

/// A camera that misbehaves can't make it grow: what it may say unasked is counted (Allowance),
/// each question of the session's own waits once at most, and requests, output and events are
/// bounded.
class SessionCore {
 public:
  /// Requests of users that may wait; a further one is refused at once.
  static constexpr size_t max_waiting = 64;
  static constexpr const char* too_many_waiting =
      "the camera has not answered 64 earlier requests yet; wait until it has";
  /// Bytes that the camera has not taken yet; one that asks and takes no answer is given up.
  static constexpr size_t max_output = 16 << 10;
  /// Events that were not taken yet.
  static constexpr size_t max_events = 4096;

  explicit SessionCore(CoreSettings settings);

  /// The connection stands: asks for a session.
  void start(Time now);
  void received(std::string_view bytes, Time now);
  void connection_lost(Time now);

  void data_ready(Time now);
  void data_received(std::string_view bytes, Time now);
  void data_closed(Time now);

  /// Done after what users asked before, and before the session's own questions about the camera's
  /// state. `handler` is called once in any case.
  void request(Request request, ReplyHandler handler, Time now);
  /// Ends the session in order. `ended` comes within finish_timeout and goodbye_timeout together,
  /// or within finish_start_timeout and goodbye_timeout while the session is being started.
  void finish(Time now);

  /// To be called at deadline(), or later.
  void advance(Time now);
  std::optional<Time> deadline() const;

  /// What is to be sent to the camera, and how much of it was.
  const std::string& output() const { return output_; }
  void output_sent(size_t bytes) { output_.erase(0, bytes); }
  std::vector<Event> take_events() { return std::exchange(events_, {}); }

  const CameraState& state() const { return state_; }
  bool ended() const { return phase_ == Phase::ended; }
  bool is_open() const { return phase_ == Phase::open; }
  /// Whether the camera said that it has heard the goodbye.
  bool goodbye_answered() const { return goodbye_answered_; }

 private:
  enum class Phase { idle, starting, open, finishing, ended };
  /// The lower goes first; those of one rank in the order in which they were asked for.
  enum class Rank { connect, ordinary, refresh };
  struct Pending {
    Request request;
    ReplyHandler handler;
    Duration timeout;
    Rank rank;
    int attempts_left;  // when the camera says it is busy
  };

  void drop_unwanted();
  void enqueue(Request request, ReplyHandler handler, Rank rank, int attempts = 0);
  /// Asks for a part of the camera's state, unless that question waits already.
  void refresh(int id, Duration timeout);
  /// Whether the camera may say so much more that nobody asked for; ends the session if not.
  bool allow_unasked(size_t bytes, Time now);
  void unreadable(const std::string& how, Time now);
  void pump(Time now);
  void send(const Request& request, Time now);
  void dispatch(std::shared_ptr<const Message> message, size_t bytes, Time now);
  void asked(std::shared_ptr<const Message> question, Time now);
  void replied(std::shared_ptr<const Message> message, Time now);
  void notified(std::shared_ptr<const Message> message, Time now);
  void session_started(const Reply& reply);
  void client_known(const Reply& reply);
  void ask_everything();
  void fetch_table();
  void transfer_step(Transfer::Outcome outcome, Time now);
  void settle_table(std::optional<std::string> table, std::string why);
  void say_goodbye(Time now);
  void end(std::optional<Failure> failure, Time now);
  void emit(Event event);
  void emit(Event::Kind kind) { emit({kind, nullptr, {}, {}}); }

  const CoreSettings settings_;
  Phase phase_ = Phase::idle;
  Framer framer_;
  CameraState state_;
  std::optional<int64_t> token_;
  std::deque<Pending> queue_;
  std::optional<Pending> outstanding_;
  Time reply_due_{};
  Time not_before_{};
  std::optional<Time> last_sent_;
  Time last_heard_{};
  Time finish_due_{};
  bool goodbye_said_ = false;
  bool goodbye_answered_ = false;
  Allowance unasked_;

  std::string table_md5_;
  std::unique_ptr<Transfer> transfer_;
  bool table_settled_ = false;
  bool asked_everything_ = false;
  Time transfer_heard_{};

  std::string output_;
  std::vector<Event> events_;
};

/// The path of the table from which the vendor's own programs stitch.
inline constexpr const char* lens_table_path = "/tmp/FL0/lut/app_lut.bin";

}  // namespace sphere::madv
