// SPDX-License-Identifier: LGPL-2.1-or-later
// A client of an emulated camera through the interface of all families, for tests.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hw/await.h"
#include "hw/camera.h"
#include "tests/check/emulator.h"

#include <gst/check/gstcheck.h>

namespace sphere::test {

/// A camera of any family, and what it says without being asked.
class User {
 public:
  explicit User(const Emulator& emulated) {
    const Result<const hw::CameraFamily*> family = hw::find_family(emulated.uri());
    fail_unless(bool(family));
    hw::CameraOptions options;
    options.location = emulated.uri();
    options.may_store_tables = [] { return false; };
    camera_ = (*family)->make(options, [this](const hw::CameraEvent& event) {
      const std::lock_guard lock(mutex_);
      events_.push_back(event);
      changed_.notify_all();
    });
    camera_->connect();
    (void)expect(hw::CameraEvent::Kind::ready);
  }
  ~User() { camera_->disconnect(); }
  User(const User&) = delete;
  User& operator=(const User&) = delete;

  hw::Camera& operator*() { return *camera_; }
  hw::Camera* operator->() { return camera_.get(); }

  hw::CameraEvent expect(hw::CameraEvent::Kind kind, const std::string& name = "") {
    std::unique_lock lock(mutex_);
    for (;;) {
      fail_unless(
          changed_.wait_for(lock, std::chrono::seconds(60), [&] { return !events_.empty(); }),
          "'%s' does not come", name.c_str());
      hw::CameraEvent event = std::move(events_.front());
      events_.erase(events_.begin());
      if (event.kind == kind && (name.empty() || event.name == name)) return event;
      fail_unless(event.kind != hw::CameraEvent::Kind::ended, "it ends before '%s'", name.c_str());
    }
  }

  /// The answer, or the failure's words.
  std::pair<std::string, std::string> call(const std::string& name,
                                           const std::optional<std::string>& value = {},
                                           const std::map<std::string, std::string>& fields = {}) {
    const auto outcome = hw::await<std::string, std::optional<hw::Failure>>(
        nullptr, [&](auto handler) { camera_->upkeep()->call(name, value, fields, handler); });
    const auto& [answer, failure] = *outcome;
    return {answer, failure ? failure->message : ""};
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<hw::CameraEvent> events_;
  std::unique_ptr<hw::Camera> camera_;
};

}  // namespace sphere::test
