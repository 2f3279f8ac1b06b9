// SPDX-License-Identifier: LGPL-2.1-or-later
// A session with a camera as a state machine: bytes and time go in, bytes and events come out. It
// has neither a thread nor a socket nor a clock; session.h gives it those.

#pragma once

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
    preview_ready,  ///< the camera knows this client: RTSP can be opened
    ready,          ///< all was asked that there was to ask
    notification,   ///< `message`: the state has it already
    lens_table,     ///< `bytes`, in the camera's own form
    no_lens_table,  ///< `failure`: the camera's own table can't be had
    ended,          ///< the last event; with `failure` unless it ended by finish()
  };
  Kind kind;
  std::shared_ptr<const Message> message = {};
  std::string bytes = {};
  std::optional<Failure> failure = {};
};

/// Puts together the control channel, what is asked when it opens, the files, and what is known of
/// the camera.
class SessionCore {
 public:
  /// Events that were not taken yet; the session's thread takes them each time the camera has said
  /// something.
  static constexpr size_t max_events = 4096;

  explicit SessionCore(CoreSettings settings);
  SessionCore(const SessionCore&) = delete;
  SessionCore& operator=(const SessionCore&) = delete;

  /// The connection stands: asks for a session.
  void start(Time now) { channel_.start(now); }
  void received(std::string_view bytes, Time now) { channel_.received(bytes, now); }
  void connection_lost(Time now) { channel_.connection_lost(now); }
  const std::string& output() const { return channel_.output(); }
  void output_sent(size_t bytes) { channel_.output_sent(bytes); }

  /// Files, and the connection to the data port that they want.
  FileTransfers& transfers() { return transfers_; }
  void data_received(std::string_view bytes, Time now) {
    channel_.heard_otherwise(now);
    transfers_.data_received(bytes, now);
  }

  /// Done after what users asked before, and before the session's own questions about the camera's
  /// state. `handler` is called once in any case.
  void request(Request request, ReplyHandler handler, Time now) {
    channel_.ask_for_user(std::move(request), std::move(handler), now);
  }
  /// Ends the session in order, as ControlChannel::finish() does.
  void finish(Time now);

  /// To be called at deadline(), or later.
  void advance(Time now);
  std::optional<Time> deadline() const;

  std::vector<Event> take_events() { return std::exchange(events_, {}); }
  const CameraState& state() const { return state_; }
  bool ended() const { return channel_.ended(); }
  bool is_open() const { return channel_.is_open(); }
  bool goodbye_answered() const { return channel_.goodbye_answered(); }

 private:
  void said_unasked(std::shared_ptr<const Message> message, Time now);
  void emit(Event event);

  const CoreSettings settings_;
  CameraState state_;
  ControlChannel channel_;
  FileTransfers transfers_;
  ConnectSequence connect_;
  std::vector<Event> events_;
};

}  // namespace sphere::madv
