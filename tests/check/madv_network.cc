// SPDX-License-Identifier: LGPL-2.1-or-later
// A session over a real socket with a camera that is mute, floods, or is not there: how long its
// caller is held, and how much memory it costs.

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "hw/madv/session.h"
#include "tests/check/listening.h"
#include "tests/check/process.h"
#include "tests/check/reply_to.h"
#include "tests/check/stopwatch.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::madv;
using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  size_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

/// A camera that answers as long as `answers` is set, and says `flood` again and again when it is
/// not empty.
class Camera {
 public:
  explicit Camera(std::string flood = {}) : flood_(std::move(flood)) {
    thread_ = std::thread([this] { run(); });
  }
  ~Camera() {
    g_cancellable_cancel(quit_.get());
    thread_.join();
  }

  SessionOptions options() const {
    SessionOptions options;
    options.uri = *Uri::parse("madv://127.0.0.1:" + std::to_string(listening_.port()) + "/live");
    options.core.want_lens_table = false;
    return options;
  }

  std::atomic<bool> answers = true;
  std::atomic<int> asked = 0;  ///< the id of the last request
  std::atomic<int> session_stops = 0;

 private:
  void run() {
    const ObjectRef<GSocket> client(g_socket_accept(listening_.socket(), quit_.get(), nullptr));
    if (!client) return;
    g_socket_set_blocking(client.get(), FALSE);
    Framer framer;
    std::string output;
    std::array<char, 65536> buffer;
    while (!g_cancellable_is_cancelled(quit_.get())) {
      if (!flood_.empty() && open_ && output.size() < buffer.size())
        for (int i = 0; i < 100; ++i) output += flood_;
      const auto wanted = static_cast<GIOCondition>(output.empty() ? G_IO_IN : G_IO_IN | G_IO_OUT);
      if (!g_socket_condition_timed_wait(client.get(), wanted, 100000, quit_.get(), nullptr))
        continue;
      if (!output.empty()) {
        const gssize sent =
            g_socket_send(client.get(), output.data(), output.size(), nullptr, nullptr);
        if (sent > 0) output.erase(0, static_cast<size_t>(sent));
      }
      g_autoptr(GError) error = nullptr;
      const gssize got =
          g_socket_receive(client.get(), buffer.data(), buffer.size(), nullptr, &error);
      if (got == 0 || (got < 0 && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)))
        return;
      if (got > 0) framer.feed({buffer.data(), static_cast<size_t>(got)});
      for (;;) {
        auto object = framer.next();
        if (!object || !*object) break;
        const Result<Message> request = Message::parse(**object);
        if (!request) break;
        if (request->id() == msg_stop_session) ++session_stops;
        asked = request->id();
        if (!answers || request->id() == msg_query_holder) continue;
        output += "{\"rval\":0,\"msg_id\":" + std::to_string(request->id()) + ",\"param\":7}";
        if (request->id() == msg_settings) open_ = true;
      }
    }
  }

  const std::string flood_;
  const ObjectRef<GCancellable> quit_{g_cancellable_new()};
  const test::ListeningSocket listening_;
  bool open_ = false;
  std::thread thread_;
};

/// What a session said, to be waited for.
class Events {
 public:
  Session::Handler handler() {
    return [this](const Event& event) {
      const std::lock_guard lock(mutex_);
      if (event.kind == Event::Kind::notification) return;
      if (event.kind == Event::Kind::ended && event.failure) words_ = event.failure->message;
      seen_.push_back(event.kind);
      changed_.notify_all();
    };
  }
  void expect(Event::Kind kind) {
    std::unique_lock lock(mutex_);
    fail_unless(changed_.wait_for(
        lock, 60s, [&] { return std::find(seen_.begin(), seen_.end(), kind) != seen_.end(); }));
  }
  std::string words() {
    const std::lock_guard lock(mutex_);
    return words_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Event::Kind> seen_;
  std::string words_;
};

void wait_for(const std::atomic<int>& value, int wanted) {
  for (int i = 0; value != wanted; ++i) {
    fail_unless(i < 60000, "%d was not asked", wanted);
    g_usleep(1000);
  }
}

/// A camera that answers, and a session with it that is ready.
struct ReadySession {
  ReadySession() {
    session.start();
    events.expect(Event::Kind::ready);
  }

  Camera camera;
  Events events;
  Session session{camera.options(), events.handler()};
};

void expect_stop_within(double seconds, Session& session) {
  const test::Stopwatch watch;
  session.stop();
  test::expect_within(watch, seconds, "stopping");
}

}  // namespace

GST_START_TEST(silent_camera_does_not_block) {
  {  // it never answers
    Camera camera;
    camera.answers = false;
    Events events;
    Session session(camera.options(), events.handler());
    session.start();
    wait_for(camera.asked, 257);
    // 0.15 s; madv_session tests the same with a clock of its own.
    expect_stop_within(0.6, session);
  }
  {  // it stops answering; a thread waits for the answer to a request
    ReadySession f;
    f.camera.answers = false;
    auto refused = std::async(std::launch::async, [&] {
      const auto reply = test::reply_to(f.session, Request(513), nullptr, 100s);
      return reply && reply->failure;
    });
    wait_for(f.camera.asked, 513);
    expect_stop_within(0.8, f.session);
    fail_unless(refused.get());
    // The camera has still received the end of the session.
    wait_for(f.camera.session_stops, 1);
  }
}
GST_END_TEST;

GST_START_TEST(stop_is_fast_with_a_camera_that_answers) {
  ReadySession f;
  expect_stop_within(0.3, f.session);
  fail_unless_equals_int(f.camera.session_stops, 1);
}
GST_END_TEST;

GST_START_TEST(waiting_for_a_reply_ends_in_time_or_when_it_is_cancelled) {
  ReadySession f;
  f.camera.answers = false;
  {
    const test::Stopwatch watch;
    fail_if(test::reply_to(f.session, Request(513), nullptr, 200ms));
    fail_unless(watch.seconds() >= 0.2);
    test::expect_within(watch, 1, "an answer that does not come");
  }

  // Requests that wait behind it, and are not wanted any more at their turn, are never sent.
  const ObjectRef<GCancellable> cancellable(g_cancellable_new());
  std::thread canceller([&] {
    g_usleep(50000);
    g_cancellable_cancel(cancellable.get());
  });
  Request photo(4864);
  photo.only_while([&] { return !g_cancellable_is_cancelled(cancellable.get()); });
  const auto begin = Clock::now();
  fail_if(test::reply_to(f.session, photo, cancellable.get(), 100s));
  canceller.join();
  fail_if(test::reply_to(f.session, photo, cancellable.get(), 100s));
  fail_unless(seconds_since(begin) < 10);
  f.session.stop();
  fail_unless_equals_int(f.camera.asked, 258);
}
GST_END_TEST;

GST_START_TEST(a_flood_costs_little_memory_and_ends_the_session) {
  for (const char* flood : {R"({"rval":128,"msg_id":4353,"param":1})", R"({"msg_id":1793})",
                            R"({"rval":0,"msg_id":4321})", "\n \n \n \n"}) {
    const size_t before = resident_bytes();
    Camera camera(flood);
    Events events;
    Session session(camera.options(), events.handler());
    session.start();
    events.expect(Event::Kind::ended);
    const std::string words = events.words();
    fail_unless(words.find("switch it off and on") != std::string::npos ||
                    words.find("switch the camera off and on") != std::string::npos,
                "%s", words.c_str());
    // A request that comes too late fails with the reason why the session ended.
    const auto later = test::reply_to(session, Request(513), nullptr, 100s);
    fail_unless(later && later->failure);
    fail_unless_equals_string(later->failure->message.c_str(), words.c_str());
    const size_t grown = resident_bytes() - std::min(before, resident_bytes());
    fail_unless(test::slowness > 1 || grown < 16u << 20, "%s: %zu KiB more", flood, grown >> 10);
    session.stop();
  }
}
GST_END_TEST;

GST_START_TEST(connect_timeout_is_kept) {
  const test::UnreachablePort unreachable;
  SessionOptions options;
  options.uri = *Uri::parse("madv://127.0.0.1:" + std::to_string(unreachable.port()));
  options.connect_timeout = 300ms;
  {
    Events events;
    Session session(options, events.handler());
    const test::Stopwatch watch;
    session.start();
    events.expect(Event::Kind::ended);
    fail_unless(watch.seconds() >= 0.3);
    test::expect_within(watch, 1, "connecting");
    fail_unless(events.words().find("no answer within 0.3 s") != std::string::npos, "%s",
                events.words().c_str());
  }
  options.connect_timeout = 60s;
  Events events;
  Session session(options, events.handler());
  session.start();
  expect_stop_within(1, session);
  events.expect(Event::Kind::ended);
  fail_unless(events.words().empty());
}
GST_END_TEST;

/// How many connections to the port are asked for, and nothing has answered yet.
int asking(uint16_t port) {
  std::ifstream table("/proc/self/net/tcp");
  char wanted[16];
  g_snprintf(wanted, sizeof wanted, ":%04X 02 ", port);
  int found = 0;
  for (std::string line; std::getline(table, line);) found += line.find(wanted) != line.npos;
  return found;
}

// GSocketClient leaves a descriptor behind if an attempt fails late.
GST_START_TEST(attempts_leave_nothing_behind) {
  int before = 0;
  for (int i = 0; i < 3; ++i) {
    auto unreachable = std::make_unique<test::UnreachablePort>();
    const uint16_t port = unreachable->port();
    SessionOptions options;
    options.uri = *Uri::parse("madv://127.0.0.1:" + std::to_string(port));
    {
      Events events;
      Session session(options, events.handler());
      const int others = asking(port);
      session.start();
      const auto begin = Clock::now();
      while (asking(port) == others) fail_unless(seconds_since(begin) < 60);
      // The kernel asks again after a second, and is refused.
      unreachable.reset();
      events.expect(Event::Kind::ended);
      fail_unless(events.words().find("does not listen") != std::string::npos, "%s",
                  events.words().c_str());
    }
    if (i == 0) before = test::descriptors();
  }
  fail_unless_equals_int(test::descriptors(), before);
}
GST_END_TEST;

static Suite* madv_network_suite() {
  Suite* suite = suite_create("madv_network");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, silent_camera_does_not_block);
  tcase_add_test(tcase, stop_is_fast_with_a_camera_that_answers);
  tcase_add_test(tcase, waiting_for_a_reply_ends_in_time_or_when_it_is_cancelled);
  tcase_add_test(tcase, attempts_leave_nothing_behind);
  tcase_add_test(tcase, a_flood_costs_little_memory_and_ends_the_session);
  tcase_add_test(tcase, connect_timeout_is_kept);
  return suite;
}

GST_CHECK_MAIN(madv_network)
