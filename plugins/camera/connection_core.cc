// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/connection_core.h"

#include <algorithm>

namespace sphere::camera {

using Reason = hw::Failure::Reason;

namespace {

std::string in_seconds(Duration duration) {
  const auto seconds = std::chrono::round<std::chrono::seconds>(duration).count();
  return std::to_string(std::max<int64_t>(seconds, 1)) + " s";
}

hw::Failure silence(const std::string& what) {
  return {Reason::silent,
          what + "; check that it is on, and that this machine is in reach of its Wi-Fi",
          {}};
}

/// Whether the user has to do something, so that a second warning in one outage is useful.
bool needs_a_person(Reason reason) {
  return reason == Reason::held || reason == Reason::refused || reason == Reason::missing;
}

}  // namespace

const char* name_of(ConnectionState state) {
  switch (state) {
    case ConnectionState::stopped:
      return "stopped";
    case ConnectionState::connecting:
      return "connecting";
    case ConnectionState::opening:
      return "opening";
    case ConnectionState::playing:
      return "playing";
    case ConnectionState::preview_only:
      return "preview-only";
    case ConnectionState::waiting:
      return "waiting";
    case ConnectionState::ended:
      break;
  }
  return "ended";
}

// --- from outside ----------------------------------------------------------------------------

void ConnectionCore::start(const ConnectionSettings& settings, Time now) {
  *this = {};
  settings_ = settings;
  connect(now);
}

void ConnectionCore::finish() {
  if (state_ == State::stopped || state_ == State::ended) return;
  close_preview();
  close_control();
  enter(State::ended);
}

void ConnectionCore::set_playing(bool playing, Time now) {
  if (playing_ == playing) return;
  playing_ = playing;
  // Pictures that could not come during the pause do not count as missing.
  if (!playing) return;
  alive_since_ = now;
  window_ = {now, pictures_.packets_arrived, pictures_.packets_lost};
  if (state_ == State::opening) due_ = now + settings_.timeout;
}

// --- all transitions --------------------------------------------------------------

void ConnectionCore::handle(const Input& input, Time now) {
  switch (state_) {
    case State::connecting:
      while_connecting(input, now);
      break;
    case State::opening:
      while_opening(input, now);
      break;
    case State::playing:
      while_playing(input, now);
      break;
    case State::preview_only:
      while_preview_only(input, now);
      break;
    case State::waiting:
      while_waiting(input, now);
      break;
    case State::stopped:
    case State::ended:
      break;
  }
}

void ConnectionCore::while_connecting(const Input& input, Time now) {
  switch (input.kind) {
    case Input::Kind::control_ready:
      control_open_ = true;
      open_preview(now);
      enter(State::opening);
      break;
    case Input::Kind::control_lost:
      lose(input.failure, now);
      break;
    case Input::Kind::attempt_timed_out:
      close_control();
      lose(silence("the camera does not answer: nothing arrived within " +
                   in_seconds(settings_.timeout)),
           now);
      break;
    default:
      break;
  }
}

void ConnectionCore::while_opening(const Input& input, Time now) {
  switch (input.kind) {
    case Input::Kind::picture:
      pictures_came(now);
      enter(State::playing);
      break;
    case Input::Kind::preview_requested:
      requested_ = now;
      window_ = {now, pictures_.packets_arrived, pictures_.packets_lost};
      break;
    case Input::Kind::udp_silent:
      use_tcp("Nothing of the preview arrives over UDP; a firewall may block it.", now);
      break;
    case Input::Kind::udp_lossy:
      use_tcp("Too much of the preview is lost over UDP.", now);
      break;
    case Input::Kind::sound_wanted:
      reopen_preview(now);
      break;
    case Input::Kind::control_lost:
      control_open_ = false;
      // That was not an attempt to reach the camera, so the next one comes soon.
      if (control_is_old_) outage_.pause = first_pause;
      lose(input.failure, now);
      break;
    case Input::Kind::preview_lost:
      lose(input.failure, now);
      break;
    case Input::Kind::attempt_timed_out:
      lose({Reason::silent,
            "no picture of the camera's preview came within " + in_seconds(settings_.timeout) +
                (requested_ && pictures_.packets_arrived == 0
                     ? "; check whether a firewall blocks the connection between this machine and "
                       "the camera"
                     : "; switch the camera off and on again, and come closer to it"),
            {}},
           now);
      break;
    default:
      break;
  }
}

void ConnectionCore::while_playing(const Input& input, Time now) {
  switch (input.kind) {
    case Input::Kind::control_lost:
      control_open_ = false;
      control_loss_ = {.failure = input.failure, .due = now + first_pause};
      control_loss_.settle_at = now + settle_time;
      enter(State::preview_only);
      break;
    case Input::Kind::udp_lossy:
      use_tcp("Too much of the preview is lost over UDP.", now);
      enter(State::opening);
      break;
    case Input::Kind::sound_wanted:
      reopen_preview(now);
      enter(State::opening);
      break;
    case Input::Kind::preview_lost:
      lose(input.failure, now);
      break;
    case Input::Kind::pictures_stopped:
      lose(silence("no picture has come from the camera for " + in_seconds(picture_timeout)), now);
      break;
    default:
      break;
  }
}

void ConnectionCore::while_preview_only(const Input& input, Time now) {
  switch (input.kind) {
    case Input::Kind::settled:
      control_loss_.settle_at.reset();
      actions_.push_back({.kind = Action::Kind::warn,
                          .text = "The preview goes on. Photos and recordings are possible again "
                                  "when the camera answers",
                          .failure = control_loss_.failure});
      report(name_of(state_), control_loss_.failure.message,
             std::max(control_loss_.due - now, Duration::zero()));
      break;
    case Input::Kind::control_due:
      if (!settings_.reconnect) break;
      control_loss_.attempt = true;
      control_loss_.due = now + settings_.timeout;
      actions_.push_back({.kind = Action::Kind::open_control});
      break;
    case Input::Kind::control_timed_out:
      close_control();
      [[fallthrough]];
    case Input::Kind::control_lost:
      control_loss_.attempt = false;
      control_loss_.pause = std::min(2 * control_loss_.pause, longest_control_pause);
      control_loss_.due = now + control_loss_.pause;
      break;
    case Input::Kind::control_ready:
      control_open_ = true;
      if (!control_loss_.settle_at) {
        actions_.push_back(
            {.kind = Action::Kind::inform,
             .text = "The camera answers again. Photos and recordings are possible."});
        report("connected");
      }
      enter(State::playing);
      break;
    // The control was lost first, and gave the reason.
    case Input::Kind::preview_lost:
    case Input::Kind::pictures_stopped:
      lose(control_loss_.failure, now);
      break;
    default:
      break;
  }
}

void ConnectionCore::while_waiting(const Input& input, Time now) {
  switch (input.kind) {
    case Input::Kind::control_lost:
      control_open_ = false;
      break;
    case Input::Kind::pause_over:
      if (!control_open_) {
        connect(now);
        break;
      }
      attempt_since_ = now;
      control_is_old_ = true;
      open_preview(now);
      report("connecting");
      enter(State::opening);
      break;
    default:
      break;
  }
}

void ConnectionCore::enter(State state) { state_ = state; }

// --- what they do ----------------------------------------------------------------------------

void ConnectionCore::connect(Time now) {
  actions_.push_back({.kind = Action::Kind::open_control});
  control_loss_.attempt = true;
  attempt_since_ = now;
  control_is_old_ = false;
  due_ = now + settings_.timeout + answer_grace;
  report("connecting");
  enter(State::connecting);
}

void ConnectionCore::open_preview(Time now) {
  actions_.push_back({.kind = Action::Kind::open_preview, .tcp_only = tcp_only_});
  preview_open_ = true;
  requested_.reset();
  pictures_ = {};
  alive_since_ = now;
  window_ = {now, 0, 0};
  // The time for the control connection counts if it was part of the same attempt.
  if (state_ != State::connecting && state_ != State::opening) due_ = now + settings_.timeout;
}

void ConnectionCore::reopen_preview(Time now) {
  close_preview();
  open_preview(now);
}

void ConnectionCore::use_tcp(std::string why, Time now) {
  tcp_only_ = true;
  actions_.push_back(
      {.kind = Action::Kind::inform, .text = std::move(why) + " It is requested over TCP now."});
  reopen_preview(now);
}

void ConnectionCore::pictures_came(Time now) {
  ever_played_ = true;
  ++connections_;
  first_picture_ = alive_since_ = now;
  window_ = {now, pictures_.packets_arrived, pictures_.packets_lost};
  report("connected");
  if (!std::exchange(outage_.lasts, false)) return;
  actions_.push_back({.kind = Action::Kind::inform,
                      .text = "The camera is back after " + in_seconds(now - outage_.since) + "."});
}

void ConnectionCore::lose(const hw::Failure& failure, Time now) {
  const bool was_steady = pictures_.last &&
                          (state_ == State::playing || state_ == State::preview_only) &&
                          *pictures_.last > first_picture_ + steady_after;
  close_preview();
  if (state_ == State::preview_only) close_control();
  if (!ever_played_ || !settings_.reconnect) {
    // A first attempt that fails is an error, and so is a loss after which no new connection is
    // wanted.
    close_control();
    actions_.push_back({.kind = Action::Kind::give_up, .failure = failure});
    enter(State::ended);
    return;
  }
  if (was_steady) outage_.pause = first_pause;
  if (!outage_.lasts) {
    outage_ = {.lasts = true, .since = now, .pause = outage_.pause};
    ++losses_;
  }
  if (outage_.warned_of == Reason::stopped ||
      (needs_a_person(failure.reason) && failure.reason != outage_.warned_of)) {
    outage_.warned_of = failure.reason;
    actions_.push_back({.kind = Action::Kind::warn,
                        .text = "The connection is made again as soon as possible",
                        .failure = failure});
  }
  // A preview that has worked was not an attempt just now.
  const bool was_attempt = state_ == State::connecting || state_ == State::opening;
  due_ = std::max(now + first_pause, (was_attempt ? attempt_since_ : now) + outage_.pause);
  report("lost", failure.message, due_ - now);
  outage_.pause = std::min(2 * outage_.pause, longest_pause);
  enter(State::waiting);
}

void ConnectionCore::close_preview() {
  if (std::exchange(preview_open_, false))
    actions_.push_back({.kind = Action::Kind::close_preview});
}

void ConnectionCore::close_control() {
  control_open_ = false;
  control_loss_.attempt = false;
  actions_.push_back({.kind = Action::Kind::close_control});
}

void ConnectionCore::report(const char* state, std::string reason, Duration pause) {
  actions_.push_back(
      {.kind = Action::Kind::report, .state = state, .text = std::move(reason), .pause = pause});
}

// --- time ------------------------------------------------------------------------------------

Time ConnectionCore::pictures_due() const {
  return std::max(alive_since_, pictures_.last.value_or(alive_since_)) + picture_timeout;
}

bool ConnectionCore::watches_udp() const {
  if (!settings_.udp_then_tcp || tcp_only_ || !playing_) return false;
  return state_ == State::playing || (state_ == State::opening && requested_);
}

void ConnectionCore::advance(Time now) {
  if (watches_udp() && now >= window_.begin + udp_window) {
    const Window last = window_;
    window_ = {now, pictures_.packets_arrived, pictures_.packets_lost};
    const uint64_t lost = window_.lost - last.lost, all = window_.arrived - last.arrived + lost;
    if (state_ == State::opening && all == 0)
      handle({Input::Kind::udp_silent, {}}, now);
    else if (all >= fewest_packets &&
             static_cast<double>(lost) > most_loss * static_cast<double>(all))
      handle({Input::Kind::udp_lossy, {}}, now);
  }
  const auto is_due = [&](Time time) { return now >= time; };
  switch (state_) {
    case State::connecting:
      if (is_due(due_)) handle({Input::Kind::attempt_timed_out, {}}, now);
      break;
    case State::opening:
      if (playing_ && is_due(due_)) handle({Input::Kind::attempt_timed_out, {}}, now);
      break;
    case State::waiting:
      if (is_due(due_)) handle({Input::Kind::pause_over, {}}, now);
      break;
    case State::preview_only:
      if (control_loss_.settle_at && is_due(*control_loss_.settle_at))
        handle({Input::Kind::settled, {}}, now);
      if (settings_.reconnect && is_due(control_loss_.due))
        handle(
            {control_loss_.attempt ? Input::Kind::control_timed_out : Input::Kind::control_due, {}},
            now);
      [[fallthrough]];
    case State::playing:
      if (!playing_ || !is_due(pictures_due())) break;
      if (pictures_.held)
        alive_since_ = now;
      else
        handle({Input::Kind::pictures_stopped, {}}, now);
      break;
    case State::stopped:
    case State::ended:
      break;
  }
}

std::optional<Time> ConnectionCore::deadline() const {
  std::optional<Time> next;
  const auto at = [&](Time time) { next = next ? std::min(*next, time) : time; };
  switch (state_) {
    case State::connecting:
    case State::waiting:
      at(due_);
      break;
    case State::opening:
      if (playing_) at(due_);
      break;
    case State::preview_only:
      if (control_loss_.settle_at) at(*control_loss_.settle_at);
      if (settings_.reconnect) at(control_loss_.due);
      [[fallthrough]];
    case State::playing:
      if (playing_) at(pictures_due());
      break;
    case State::stopped:
    case State::ended:
      break;
  }
  if (watches_udp()) at(window_.begin + udp_window);
  return next;
}

}  // namespace sphere::camera
