// SPDX-License-Identifier: LGPL-2.1-or-later
// A client of an emulated camera, for tests.

#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "hw/madv/outcome.h"
#include "hw/madv/session.h"
#include "tests/check/emulator.h"
#include "tests/check/reply_to.h"

#include <gst/check/gstcheck.h>

namespace sphere::test {

using madv::Event;
using madv::Failure;
using madv::Message;
using madv::Reply;
using madv::Request;
using madv::Session;
using madv::SessionOptions;

inline constexpr std::chrono::seconds patience{60};

inline std::string temporary_folder() {
  g_autofree char* folder = g_dir_make_tmp("sphere-test-XXXXXX", nullptr);
  fail_unless(folder != nullptr);
  return folder;
}

/// A session whose events are waited for, one after the other.
class Client {
 public:
  explicit Client(const Emulator& camera, std::function<void(SessionOptions&)> change = {}) {
    Result<madv::Uri> uri = madv::Uri::parse(camera.uri());
    fail_unless(bool(uri));
    SessionOptions options;
    options.uri = *uri;
    options.table_folder = folder_;
    if (change) change(options);
    session_ = std::make_unique<Session>(options, [this](const Event& event) {
      const std::lock_guard lock(mutex_);
      events_.push_back(event);
      changed_.notify_all();
    });
    session_->start();
  }

  Session& session() { return *session_; }

  /// The next event of this kind; those before it are taken off.
  Event expect(Event::Kind kind) {
    std::unique_lock lock(mutex_);
    for (;;) {
      fail_unless(changed_.wait_for(lock, patience, [&] { return !events_.empty(); }),
                  "event %d does not come", static_cast<int>(kind));
      Event event = std::move(events_.front());
      events_.pop_front();
      seen_.push_back(event.kind);
      if (event.kind == kind) return event;
      fail_unless(event.kind != Event::Kind::ended, "it ended: %s",
                  event.failure ? event.failure->message.c_str() : "in order");
    }
  }
  /// Ready, and the lens table, in any order: a table that is known comes first.
  std::string expect_ready_with_table() {
    const std::string table = expect(Event::Kind::lens_table).bytes;
    if (!saw(Event::Kind::ready)) expect(Event::Kind::ready);
    return table;
  }
  Event expect_notification(int id) {
    for (;;) {
      Event event = expect(Event::Kind::notification);
      if (event.message->id() == id) return event;
    }
  }
  std::string expect_failure(Failure::Reason reason) {
    const Event event = expect(Event::Kind::ended);
    fail_unless(event.failure.has_value());
    fail_unless(event.failure->reason == reason, "another reason: %s",
                event.failure->message.c_str());
    return event.failure->message;
  }
  bool saw(Event::Kind kind) const {
    return std::find(seen_.begin(), seen_.end(), kind) != seen_.end();
  }
  int rval(const Request& request) {
    const Reply reply = *reply_to(*session_, request);
    return reply.message ? reply.message->rval().value_or(999) : 999;
  }
  /// The answer to a request that the camera does not refuse.
  std::shared_ptr<const Message> call(const Request& request) {
    const Reply reply = *reply_to(*session_, request);
    const std::optional<Failure> failure = madv::failure_of(reply, "do it");
    fail_unless(!failure, "%s", failure ? failure->message.c_str() : "");
    return reply.message;
  }

 private:
  // Each test has a cache of its own; what is in it goes with the test's home.
  const std::string folder_ = temporary_folder();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Event> events_;
  std::vector<Event::Kind> seen_;
  std::unique_ptr<Session> session_;  // the last: its thread uses the others
};

}  // namespace sphere::test
