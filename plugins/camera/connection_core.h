// SPDX-License-Identifier: LGPL-2.1-or-later
// The connection of spherecamsrc as a state machine. Its inputs are events and the time, its
// outputs are actions. It has no thread, socket or clock; CameraConnection has these.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hw/camera.h"

namespace sphere::camera {

using Duration = std::chrono::microseconds;
/// Microseconds of some clock that never goes back.
using Time = std::chrono::microseconds;

enum class ConnectionState {
  stopped,       ///< not started
  connecting,    ///< the control connection is being made; there is no preview
  opening,       ///< the control connection is open; the first picture is awaited
  playing,       ///< pictures come, and the camera can be controlled
  preview_only,  ///< pictures come; the control was lost and is being connected to again
  waiting,       ///< lost; the next attempt comes after a pause
  ended,         ///< nothing more is done: downstream wants no more, or it failed
};
const char* name_of(ConnectionState state);

struct ConnectionSettings {
  /// The time for a whole attempt: control, preview and the first picture.
  Duration timeout = std::chrono::seconds(5);
  bool reconnect = true;
  /// Whether UDP is tried first, and TCP if UDP does not work.
  bool udp_then_tcp = true;
};

struct ConnectionInput {
  enum class Kind {
    // From outside.
    control_ready,
    control_lost,       ///< with `failure`
    preview_requested,  ///< the camera was asked to send
    picture,            ///< the first picture of this preview
    preview_lost,       ///< with `failure`
    sound_wanted,       ///< there is consent to sound now, but this preview was opened without it
    // From advance(), when a time has come.
    attempt_timed_out,
    pause_over,
    udp_silent,  ///< nothing arrived
    udp_lossy,   ///< too much got lost
    pictures_stopped,
    control_due,
    control_timed_out,
    settled,  ///< the preview still works some time after the control connection was lost
  };
  Kind kind;
  hw::Failure failure;
};

struct ConnectionAction {
  enum class Kind {
    open_control,
    close_control,
    open_preview,  ///< `tcp_only`
    close_preview,
    report,   ///< for applications: `state`; with `text` as the reason and `pause` where lost
    warn,     ///< for the user: `failure`, and `text` says what is done about it
    inform,   ///< for the user: `text`
    give_up,  ///< `failure`, as an error: nothing more is done
  };
  Kind kind;
  bool tcp_only = false;
  const char* state = nullptr;
  std::string text;
  Duration pause{};
  hw::Failure failure;
};

/// The pictures that have arrived since this preview was opened.
struct Pictures {
  std::optional<Time> last;
  bool held =
      false;  ///< downstream is busy with a picture, so missing pictures are not the camera's fault
  uint64_t packets_arrived = 0;
  uint64_t packets_lost = 0;
};

class ConnectionCore {
 public:
  using State = ConnectionState;
  using Input = ConnectionInput;
  using Action = ConnectionAction;

  /// Pauses count from the beginning of the attempt that has failed; after its end there is at
  /// least the first one. Together with the time for a connection, the longest one is short enough
  /// that pictures are back within 5 s of the camera's return.
  static constexpr Duration first_pause = std::chrono::milliseconds(500);
  static constexpr Duration longest_pause = std::chrono::seconds(2);
  /// The same for the control connection, while pictures come.
  static constexpr Duration longest_control_pause = std::chrono::seconds(8);
  /// A preview without pictures for this time is lost. A camera may have been away for a shorter
  /// time without a sign of it, and pictures are to be back within 5 s then, too.
  static constexpr Duration picture_timeout = std::chrono::seconds(3);
  /// After pictures for this time, pauses begin with the shortest again.
  static constexpr Duration steady_after = std::chrono::seconds(2);
  /// When a camera disappears, its preview ends within this time.
  static constexpr Duration settle_time = std::chrono::seconds(1);
  /// If nothing arrives over UDP in this time, or a larger part than this is lost in it, UDP is
  /// given up.
  static constexpr Duration udp_window = std::chrono::seconds(2);
  /// A longer time than the timeout: the family may report a more exact reason itself.
  static constexpr Duration answer_grace = std::chrono::milliseconds(200);
  static constexpr double most_loss = 0.03;
  /// With fewer packets, a single lost one means little.
  static constexpr uint64_t fewest_packets = 34;

  void start(const ConnectionSettings& settings, Time now);
  /// From any state to `stopped`. The caller closes camera and preview itself.
  void stop() { enter(State::stopped); }
  /// Downstream wants no more.
  void finish();
  /// Whether the pipeline plays: a preview that is paused brings no pictures. Not playing at first.
  void set_playing(bool playing, Time now);
  void set_settings(const ConnectionSettings& settings) { settings_ = settings; }

  void observe(const Pictures& pictures) { pictures_ = pictures; }
  void handle(const Input& input, Time now);
  /// To be called at deadline(), or later, after observe().
  void advance(Time now);
  /// The time at which advance() must be called even if there is no input; nothing: never.
  std::optional<Time> deadline() const;
  std::vector<Action> take_actions() { return std::exchange(actions_, {}); }

  State state() const { return state_; }
  bool is_control_open() const { return control_open_; }
  int losses() const { return losses_; }
  int connections() const { return connections_; }

 private:
  void while_connecting(const Input& input, Time now);
  void while_opening(const Input& input, Time now);
  void while_playing(const Input& input, Time now);
  void while_preview_only(const Input& input, Time now);
  void while_waiting(const Input& input, Time now);

  void enter(State state);
  void connect(Time now);
  void open_preview(Time now);
  void reopen_preview(Time now);
  void use_tcp(std::string why, Time now);
  void pictures_came(Time now);
  void lose(const hw::Failure& failure, Time now);
  void close_preview();
  void close_control();
  void report(const char* state, std::string reason = {}, Duration pause = {});
  bool watches_udp() const;
  Time pictures_due() const;

  State state_ = State::stopped;
  ConnectionSettings settings_;
  Pictures pictures_;
  bool playing_ = false;
  bool control_open_ = false;
  bool control_is_old_ = false;  // it was open before this attempt, and may be dead
  bool preview_open_ = false;
  bool tcp_only_ = false;
  bool ever_played_ = false;
  int connections_ = 0, losses_ = 0;

  Time due_{};  // connecting, opening: the attempt's end; waiting: the pause's
  Time attempt_since_{};
  std::optional<Time> requested_;
  Time alive_since_{};  // opening, playing: pictures are missed from here on
  Time first_picture_{};
  struct Window {
    Time begin{};
    uint64_t arrived = 0, lost = 0;
  } window_;

  /// From a loss to the next picture.
  struct Outage {
    bool lasts = false;
    Time since{};
    hw::Failure::Reason warned_of = hw::Failure::Reason::stopped;
    Duration pause = first_pause;  // before the next attempt
  } outage_;

  /// Of preview_only.
  struct ControlLoss {
    hw::Failure failure;
    bool attempt = false;  // one is under way
    Time due{};            // its end, or the next one
    Duration pause = first_pause;
    std::optional<Time> settle_at;  // none: it was told
  } control_loss_;

  std::vector<Action> actions_;
};

}  // namespace sphere::camera
