// SPDX-License-Identifier: LGPL-2.1-or-later
// The connection of spherecamsrc as a state machine, with a clock of the test's own.

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "plugins/camera/connection_core.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::camera;
using namespace std::chrono_literals;
using Reason = hw::Failure::Reason;
using Kind = ConnectionInput::Kind;
using State = ConnectionState;
using ActionKind = ConnectionAction::Kind;

namespace {

/// A core, its clock, and all its actions.
struct Run {
  ConnectionCore core;
  Time now{};
  Pictures pictures;
  std::vector<ConnectionAction> done;

  explicit Run(const ConnectionSettings& settings = {}) {
    core.start(settings, now);
    core.set_playing(true, now);
    take();
  }
  void take() {
    for (ConnectionAction& action : core.take_actions()) {
      if (action.kind == ActionKind::open_preview)
        pictures.packets_arrived = pictures.packets_lost = 0;
      done.push_back(std::move(action));
    }
  }
  void tell(Kind kind, Reason reason = Reason::gone, const std::string& why = "it is gone") {
    core.observe(pictures);
    core.handle({kind, {reason, why, {}}}, now);
    take();
  }
  /// Lets this time pass, like a thread that sleeps until each deadline. Returns how often it woke
  /// up.
  int pass(Duration duration) {
    const Time until = now + duration;
    int rounds = 0;
    for (;; ++rounds) {
      const std::optional<Time> next = core.deadline();
      if (!next || *next > until) break;
      fail_unless(rounds < 10000, "%s: it does not sleep", name_of(core.state()));
      now = std::max(now, *next);
      core.observe(pictures);
      core.advance(now);
      take();
    }
    now = until;
    return rounds;
  }
  /// Sends 30 pictures and 300 packets a second for this time; `lost` of a hundred packets are
  /// lost.
  void play(Duration duration, int lost_percent = 0) {
    const Time until = now + duration;
    while (now < until) {
      pass(100ms);
      pictures.last = now;
      const auto lost = static_cast<uint64_t>(30 * lost_percent / 100);
      pictures.packets_lost += lost;
      pictures.packets_arrived += 30 - lost;
    }
  }
  void up() {
    tell(Kind::control_ready);
    tell(Kind::preview_requested);
    pass(50ms);
    pictures.last = now;
    tell(Kind::picture);
  }
  int count(ActionKind kind, const std::string& text = {}) const {
    return static_cast<int>(std::ranges::count_if(done, [&](const ConnectionAction& action) {
      return action.kind == kind &&
             (action.failure.message + action.text).find(text) != std::string::npos;
    }));
  }
  int reports(const char* state) const {
    return static_cast<int>(std::ranges::count_if(done, [&](const ConnectionAction& action) {
      return action.kind == ActionKind::report && std::string(action.state) == state;
    }));
  }
  void expect(State state) const {
    fail_unless(core.state() == state, "%s, not %s", name_of(core.state()), name_of(state));
  }
  std::vector<int64_t> pauses_ms() const {
    std::vector<int64_t> all;
    for (const ConnectionAction& action : done)
      if (action.kind == ActionKind::report && std::string(action.state) == "lost")
        all.push_back(action.pause.count() / 1000);
    return all;
  }
};

}  // namespace

GST_START_TEST(it_connects_in_order) {
  Run run;
  run.expect(State::connecting);
  fail_unless_equals_int(run.count(ActionKind::open_control), 1);
  fail_unless_equals_int(run.count(ActionKind::open_preview), 0);
  run.tell(Kind::control_ready);
  run.expect(State::opening);
  fail_unless_equals_int(run.count(ActionKind::open_preview), 1);
  run.tell(Kind::picture);
  run.expect(State::playing);
  fail_unless_equals_int(run.reports("connecting"), 1);
  fail_unless_equals_int(run.reports("connected"), 1);
  fail_unless_equals_int(run.core.connections(), 1);
  run.play(60s);
  run.expect(State::playing);
  fail_unless_equals_int(run.count(ActionKind::warn) + run.count(ActionKind::inform), 0);
}
GST_END_TEST;

/// In no state does the thread that runs it wake up more than twice a second.
GST_START_TEST(core_sleeps_until_its_deadline_in_every_state) {
  const auto in = [](State state) {
    Run run;
    if (state == State::stopped) {
      run.core.stop();
    } else if (state != State::connecting) {
      run.tell(Kind::control_ready);
      if (state != State::opening) run.tell(Kind::picture);
      if (state == State::preview_only) run.tell(Kind::control_lost);
      if (state == State::waiting) run.tell(Kind::preview_lost);
      if (state == State::ended) run.core.finish();
    }
    run.take();
    run.expect(state);
    return run;
  };
  for (State state : {State::stopped, State::connecting, State::opening, State::playing,
                      State::preview_only, State::waiting, State::ended}) {
    Run run = in(state);
    const int rounds = run.pass(60s);
    fail_unless(rounds <= 120, "%s: %d rounds a minute", name_of(state), rounds);
    if (state == State::stopped || state == State::ended) fail_unless_equals_int(rounds, 0);
    GST_INFO("%s: %d rounds in 60 s", name_of(state), rounds);
  }
  // Also while downstream blocks a picture, and in a paused pipeline.
  Run held = in(State::playing);
  held.pictures.held = true;
  fail_unless(held.pass(60s) <= 120);
  held.expect(State::playing);
  Run paused = in(State::playing);
  paused.core.set_playing(false, paused.now);
  fail_unless(paused.pass(60s) <= 120);
  paused.expect(State::playing);
}
GST_END_TEST;

GST_START_TEST(all_steps_of_an_attempt_share_one_timeout) {
  // No matter which part takes the time: the control, ...
  Run run;
  run.pass(5100ms);
  run.expect(State::connecting);
  run.pass(200ms);
  run.expect(State::ended);
  fail_unless_equals_int(run.count(ActionKind::give_up, "does not answer"), 1);
  // ... the preview, after the control took a part of the time, ...
  Run late({.timeout = 5s, .udp_then_tcp = false});
  late.pass(4s);
  late.tell(Kind::control_ready);
  late.pass(1300ms);
  late.expect(State::ended);
  fail_unless_equals_int(late.count(ActionKind::give_up, "no picture"), 1);
  // ... or UDP, for which there must be time left.
  Run udp({.timeout = 5s});
  udp.tell(Kind::control_ready);
  udp.tell(Kind::preview_requested);
  udp.pass(5300ms);
  udp.expect(State::ended);
  fail_unless_equals_int(udp.count(ActionKind::open_preview), 2);
  // A paused pipeline requests no pictures.
  Run paused;
  paused.core.set_playing(false, paused.now);
  paused.tell(Kind::control_ready);
  paused.pass(1h);
  paused.expect(State::opening);
  paused.core.set_playing(true, paused.now);
  paused.pass(4s);
  paused.expect(State::opening);
  paused.pass(2s);
  paused.expect(State::ended);
}
GST_END_TEST;

GST_START_TEST(an_outage_is_reported_once) {
  Run run;
  run.up();
  run.play(10s);
  // The preview goes first, then the control, then attempts fail.
  run.tell(Kind::preview_lost, Reason::gone, "the preview broke off");
  run.expect(State::waiting);
  run.tell(Kind::control_lost, Reason::gone, "the camera closed the connection");
  for (int i = 0; i < 4; ++i) {
    run.pass(run.core.deadline().value() - run.now);
    run.expect(State::connecting);
    run.tell(Kind::control_lost, Reason::not_there, "it does not listen");
    run.expect(State::waiting);
  }
  fail_unless_equals_int(run.core.losses(), 1);
  fail_unless_equals_int(run.count(ActionKind::warn), 1);
  const std::vector<int64_t> pauses = run.pauses_ms(), due{500, 1000, 2000, 2000, 2000};
  fail_unless(pauses == due);
  fail_unless_equals_int(run.count(ActionKind::inform), 0);
  run.pass(2s);
  run.up();
  fail_unless_equals_int(run.count(ActionKind::inform, "back"), 1);
  fail_unless_equals_int(run.core.connections(), 2);

  // A camera that disappears after one picture is not connected to all the time, ...
  run.tell(Kind::preview_lost);
  fail_unless_equals_int(run.pauses_ms().back(), 2000);
  run.pass(2s);
  run.tell(Kind::preview_requested);
  run.pictures.last = run.now;
  run.tell(Kind::picture);
  // ... and one that has worked for some time is connected to soon.
  run.play(3s);
  run.tell(Kind::preview_lost);
  fail_unless_equals_int(run.pauses_ms().back(), 500);
  fail_unless_equals_int(run.core.losses(), 3);

  // The control is lost first, and gives the reason. It is one loss with one warning.
  Run reboot;
  reboot.up();
  reboot.play(5s);
  reboot.tell(Kind::control_lost, Reason::gone, "the camera closed the connection");
  reboot.pass(100ms);
  reboot.tell(Kind::preview_lost, Reason::gone, "the preview broke off");
  reboot.expect(State::waiting);
  fail_unless_equals_int(reboot.core.losses(), 1);
  fail_unless_equals_int(reboot.count(ActionKind::warn), 1);
  fail_unless_equals_int(reboot.count(ActionKind::warn, "closed the connection"), 1);
  fail_unless(reboot.pauses_ms() == std::vector<int64_t>{500});
}
GST_END_TEST;

GST_START_TEST(user_action_is_reported_again) {
  Run run;
  run.up();
  run.tell(Kind::preview_lost);
  run.tell(Kind::control_lost);
  for (int i = 0; i < 3; ++i) {
    run.pass(run.core.deadline().value() - run.now);
    run.tell(Kind::control_lost, Reason::held, "another phone has the camera");
  }
  fail_unless_equals_int(run.count(ActionKind::warn), 2);
  fail_unless_equals_int(run.count(ActionKind::warn, "another phone"), 1);
}
GST_END_TEST;

GST_START_TEST(a_preview_that_works_outlives_its_control) {
  Run run;
  run.up();
  run.play(5s);
  run.tell(Kind::control_lost, Reason::silent, "the camera does not answer");
  run.expect(State::preview_only);
  fail_unless_equals_int(run.count(ActionKind::close_preview), 0);
  run.play(3s);
  fail_unless_equals_int(run.count(ActionKind::warn, "does not answer"), 1);
  fail_unless_equals_int(run.reports("preview-only"), 1);
  // Meanwhile the control is connected to again: one attempt at a time, each with its own timeout,
  // with growing pauses and without further messages.
  const int before = run.count(ActionKind::open_control);
  fail_unless(before == 2);
  run.play(60s);
  const int attempts = run.count(ActionKind::open_control);
  fail_unless(attempts >= 5 && attempts <= 9, "%d attempts", attempts);
  fail_unless_equals_int(run.count(ActionKind::warn), 1);
  run.expect(State::preview_only);
  run.tell(Kind::control_ready);
  run.expect(State::playing);
  fail_unless_equals_int(run.count(ActionKind::inform, "answers again"), 1);
  fail_unless_equals_int(run.count(ActionKind::open_preview), 1);
  fail_unless_equals_int(run.count(ActionKind::close_preview), 0);
  fail_unless_equals_int(run.core.losses(), 0);

  // There is no message if it is back immediately.
  run.tell(Kind::control_lost);
  run.play(700ms);
  run.tell(Kind::control_ready);
  run.play(5s);
  fail_unless_equals_int(run.count(ActionKind::warn), 1);
  // Without reconnect the pictures go on as long as they come.
  Run alone({.reconnect = false});
  alone.up();
  alone.tell(Kind::control_lost);
  alone.play(60s);
  alone.expect(State::preview_only);
  fail_unless_equals_int(alone.count(ActionKind::open_control), 1);
  alone.pass(6s);
  alone.expect(State::ended);
  fail_unless_equals_int(alone.count(ActionKind::give_up), 1);
}
GST_END_TEST;

GST_START_TEST(missing_pictures_are_a_lost_camera) {
  Run run;
  run.up();
  run.play(10s);
  run.pass(2900ms);
  run.expect(State::playing);
  run.pass(200ms);
  run.expect(State::waiting);
  // The message must not say that the camera answers, because it does not.
  fail_unless_equals_int(run.count(ActionKind::warn, "no picture has come"), 1);
  fail_unless_equals_int(run.count(ActionKind::warn, "answers"), 0);
  // The control connection counts as open until its loss is noticed.
  run.pass(500ms);
  run.expect(State::opening);
  run.tell(Kind::control_lost, Reason::silent);
  run.expect(State::waiting);
  // That this connection was dead says nothing about the camera: it is looked for soon.
  run.pass(500ms);
  run.expect(State::connecting);
  fail_unless_equals_int(run.core.losses(), 1);
  // If downstream blocks a picture, or the pipeline is paused, the camera is not lost.
  Run held;
  held.up();
  held.pictures.held = true;
  held.pass(1h);
  held.expect(State::playing);
  held.pictures.held = false;
  held.pass(3200ms);
  held.expect(State::waiting);
}
GST_END_TEST;

namespace {

/// What happens to the packets that ask for a connection while the camera is away.
enum class Away { refused, dropped, unreachable };

/// How long after its return a camera that was away is connected to. `away` is the time from the
/// loss to the return.
Duration time_to_connect(Away how, Duration away) {
  // When TCP sends its first packet, and when the kernel asks who has the address.
  const std::vector<Duration> packets = how == Away::dropped ? std::vector<Duration>{0s, 1s, 3s, 7s}
                                                             : std::vector<Duration>{0s, 1s, 2s};
  Run run;
  run.up();
  run.play(10s);
  run.tell(Kind::preview_lost);
  run.tell(Kind::control_lost);
  const Time returned = run.now + away;
  for (;;) {
    run.expect(State::waiting);
    run.pass(run.core.deadline().value() - run.now);
    run.expect(State::connecting);
    const Time begun = run.now, given_up = run.core.deadline().value();
    if (begun >= returned) return begun - returned;
    if (how == Away::refused) {
      run.pass(10ms);
      run.tell(Kind::control_lost, Reason::not_there);
      continue;
    }
    for (const Duration later : packets)
      if (begun + later >= returned && begun + later < given_up) return begun + later - returned;
    if (how == Away::dropped) {
      run.pass(given_up - begun);
      continue;
    }
    // Until the kernel says that nobody has this address.
    run.pass(3100ms);
    run.tell(Kind::control_lost, Reason::unreachable);
  }
}

}  // namespace

/// Pictures are to be back within 5 s of the camera's return. A connection and its first picture
/// take up to two seconds of them.
GST_START_TEST(a_camera_that_returns_is_soon_connected_to) {
  for (const Away how : {Away::refused, Away::dropped, Away::unreachable}) {
    Duration longest{};
    for (Duration away = 50ms; away < 60s; away += 50ms)
      longest = std::max(longest, time_to_connect(how, away));
    GST_INFO("at most %.2f s after its return", std::chrono::duration<double>(longest).count());
    // No less, or the camera would be asked all the time.
    fail_unless(longest > 1s && longest <= 3s, "%.2f s",
                std::chrono::duration<double>(longest).count());
  }
  // A camera that was away so shortly that the connections seem to be there: without pictures.
  Run run;
  run.up();
  run.play(10s);
  const Time gone = run.now;
  while (run.core.state() != State::opening) run.pass(run.core.deadline().value() - run.now);
  fail_unless(run.now - gone <= 3500ms);
}
GST_END_TEST;

GST_START_TEST(udp_without_packets_becomes_tcp) {
  const auto tcp = [](const Run& run) {
    return std::ranges::any_of(run.done, [](const ConnectionAction& action) {
      return action.kind == ActionKind::open_preview && action.tcp_only;
    });
  };
  for (const int percent : {0, 3, 7, 20, 100}) {
    Run run;
    run.up();
    run.play(2500ms, percent);
    fail_unless(tcp(run) == (percent >= 4), "%d %%", percent);
    if (percent < 4) continue;
    run.expect(State::opening);
    fail_unless_equals_int(run.count(ActionKind::inform, "TCP"), 1);
    fail_unless_equals_int(run.core.losses(), 0);
    // It stays with TCP, whatever its packets look like, also after a loss.
    run.tell(Kind::picture);
    run.play(10s, 20);
    run.expect(State::playing);
    run.tell(Kind::preview_lost);
    run.pass(500ms);
    fail_unless(run.done.back().kind == ActionKind::report);
    fail_unless(std::ranges::count_if(run.done, [](const ConnectionAction& action) {
                  return action.kind == ActionKind::open_preview && !action.tcp_only;
                }) == 1);
  }
  // The same if no packet arrives at all, before the first picture.
  Run silent;
  silent.tell(Kind::control_ready);
  silent.tell(Kind::preview_requested);
  fail_unless(!tcp(silent));
  silent.pass(2100ms);
  fail_unless(tcp(silent));
  silent.expect(State::opening);
  // Not if only UDP is allowed.
  Run only({.udp_then_tcp = false});
  only.up();
  only.play(10s, 20);
  fail_unless(!tcp(only));
  // Not if the server is only slow to start.
  Run slow({.timeout = 60s});
  slow.tell(Kind::control_ready);
  slow.pass(30s);
  fail_unless(!tcp(slow));
}
GST_END_TEST;

GST_START_TEST(a_first_attempt_that_fails_is_an_error) {
  Run run;
  run.tell(Kind::control_lost, Reason::held, "another phone");
  run.expect(State::ended);
  fail_unless_equals_int(run.count(ActionKind::give_up, "another phone"), 1);
  run.tell(Kind::control_ready);
  run.pass(1h);
  fail_unless_equals_int(run.count(ActionKind::open_control), 1);
  Run preview;
  preview.tell(Kind::control_ready);
  preview.tell(Kind::preview_lost, Reason::not_there, "404");
  preview.expect(State::ended);
  fail_unless_equals_int(preview.count(ActionKind::close_control), 1);
}
GST_END_TEST;

/// For events in any order: the core sleeps between deadlines, opens one preview at a time, and
/// opens it only while a camera is connected.
GST_START_TEST(events_in_random_order) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    Run run({.reconnect = random() % 4 != 0, .udp_then_tcp = random() % 2 == 0});
    bool preview = false;
    size_t seen = 0;
    for (int step = 0; step < 60; ++step) {
      switch (random() % 12) {
        case 0:
          run.core.set_playing(random() % 2 == 0, run.now);
          break;
        case 1:
          if (random() % 20 == 0) run.core.finish();
          break;
        case 2:
        case 3:
          run.pass(std::chrono::milliseconds(random() % 9000));
          break;
        case 4:
          run.play(1s, static_cast<int>(random() % 30));
          break;
        case 5:
          run.pictures.held = random() % 2 == 0;
          break;
        default:
          run.tell(static_cast<Kind>(random() % (static_cast<int>(Kind::sound_wanted) + 1)));
      }
      run.take();
      for (; seen < run.done.size(); ++seen) {
        const ActionKind kind = run.done[seen].kind;
        if (kind == ActionKind::open_preview) {
          fail_unless(!preview);
          preview = true;
        }
        if (kind == ActionKind::close_preview) {
          fail_unless(preview);
          preview = false;
        }
      }
      const bool shown = run.core.state() == State::opening || run.core.state() == State::playing ||
                         run.core.state() == State::preview_only;
      fail_unless(shown == preview, "%s", name_of(run.core.state()));
    }
  }
}
GST_END_TEST;

static Suite* camera_connection_suite() {
  Suite* suite = suite_create("camera_connection");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, it_connects_in_order);
  tcase_add_test(tcase, core_sleeps_until_its_deadline_in_every_state);
  tcase_add_test(tcase, all_steps_of_an_attempt_share_one_timeout);
  tcase_add_test(tcase, an_outage_is_reported_once);
  tcase_add_test(tcase, user_action_is_reported_again);
  tcase_add_test(tcase, a_preview_that_works_outlives_its_control);
  tcase_add_test(tcase, missing_pictures_are_a_lost_camera);
  tcase_add_test(tcase, a_camera_that_returns_is_soon_connected_to);
  tcase_add_test(tcase, udp_without_packets_becomes_tcp);
  tcase_add_test(tcase, a_first_attempt_that_fails_is_an_error);
  tcase_add_test(tcase, events_in_random_order);
  return suite;
}

GST_CHECK_MAIN(camera_connection)
