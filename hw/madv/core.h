// SPDX-License-Identifier: LGPL-2.1-or-later
// A session with a camera as a state machine: bytes and time go in, bytes and events come out. It
// has no thread, no socket and no clock; session.h has these.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hw/madv/channel.h"
#include "hw/madv/connect.h"
#include "hw/madv/state.h"
#include "hw/madv/transfer.h"

namespace sphere::madv {

struct Event {
  enum class Kind {
    preview_ready,  ///< the camera knows this client's address: RTSP can be opened
    ready,          ///< commands can be given; the lens table may come later
    notification,   ///< `message`; the state is updated already
    lens_table,     ///< `bytes`, in the camera's own format
    no_lens_table,  ///< `failure`: why the camera's own table is not available
    ended,          ///< the last event; with `failure`, except after finish()
  };
  Kind kind;
  std::shared_ptr<const Message> message = {};
  std::string bytes = {};
  std::optional<Failure> failure = {};
};

/// Combines the control channel, the connection sequence, the file transfers, and the camera's
/// state.
class SessionCore {
 public:
  /// Events that were not taken yet. The session's thread takes them after each message of the
  /// camera.
  static constexpr size_t max_events = 4096;

  explicit SessionCore(CoreSettings settings);
  SessionCore(const SessionCore&) = delete;
  SessionCore& operator=(const SessionCore&) = delete;

  /// To be called when the connection is made: requests a session.
  void start(Time now) { channel_.start(now); }
  void received(std::string_view bytes, Time now) { channel_.received(bytes, now); }
  void connection_lost(Time now) { channel_.connection_lost(now); }
  const std::string& output() const { return channel_.output(); }
  void output_sent(size_t bytes) { channel_.output_sent(bytes); }

  /// File transfers, and the connection to the data port that they need.
  FileTransfers& transfers() { return transfers_; }
  void data_received(std::string_view bytes, Time now) {
    channel_.note_sign_of_life(now);
    transfers_.data_received(bytes, now);
  }

  /// Sent after earlier requests of users, and before the session's own requests for the camera's
  /// state. `handler` is always called exactly once.
  void request(Request request, ReplyHandler handler, Time now) {
    channel_.ask_for_user(std::move(request), std::move(handler), now);
  }
  /// Ends the session in an orderly way; see ControlChannel::finish().
  void finish(Time now);

  /// To be called at deadline(), or later.
  void advance(Time now);
  std::optional<Time> deadline() const;

  std::vector<Event> take_events() { return std::exchange(events_, {}); }
  const CameraState& state() const { return state_; }
  /// Called with each new state, before the message that brought it is told to anybody.
  void watch_state(std::function<void(const CameraState&)> watch) {
    state_watch_ = std::move(watch);
  }
  const hw::CameraStats& stats() const { return channel_.stats(); }
  bool ended() const { return channel_.ended(); }
  bool is_open() const { return channel_.is_open(); }
  bool stop_session_sent() const { return channel_.stop_session_sent(); }
  bool stop_session_answered() const { return channel_.stop_session_answered(); }

 private:
  void handle_notification(std::shared_ptr<const Message> message, Time now);
  void emit(Event event);

  template <typename Change>
  void change_state(const Change& change) {
    change(state_);
    if (state_watch_) state_watch_(state_);
  }

  const CoreSettings settings_;
  CameraState state_;
  std::function<void(const CameraState&)> state_watch_;
  ControlChannel channel_;
  FileTransfers transfers_;
  ConnectSequence connect_;
  std::vector<Event> events_;
};

}  // namespace sphere::madv
