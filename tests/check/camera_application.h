// SPDX-License-Identifier: LGPL-2.1-or-later
// An application that uses a camera through the public library, for tests.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "hw/gstspherecamera.h"
#include "tests/check/emulator.h"

#include <gst/check/gstcheck.h>

namespace sphere::test {

/// Calls an asynchronous function of GstSphereCamera and waits for its end.
template <typename Start>
ObjectRef<GAsyncResult> wait_for(Start start) {
  GAsyncResult* result = nullptr;
  start(
      +[](GObject*, GAsyncResult* done, gpointer data) {
        *static_cast<GAsyncResult**>(data) = G_ASYNC_RESULT(g_object_ref(done));
      },
      &result);
  while (!result) g_main_context_iteration(nullptr, TRUE);
  return ObjectRef<GAsyncResult>(result);
}

/// A connected camera, and what it says without being asked.
class Application {
 public:
  explicit Application(const std::string& uri) {
    g_autoptr(GError) error = nullptr;
    camera_.reset(gst_sphere_camera_new(uri.c_str(), &error));
    fail_unless(bool(camera_), "%s", error ? error->message : "");
    g_signal_connect(camera_.get(), "notification",
                     G_CALLBACK(+[](GstSphereCamera*, const char* name, gpointer data) {
                       static_cast<Application*>(data)->notifications_.emplace_back(name);
                     }),
                     this);
    const auto result = wait_for([&](GAsyncReadyCallback done, gpointer data) {
      gst_sphere_camera_connect_async(camera_.get(), nullptr, done, data);
    });
    fail_unless(gst_sphere_camera_connect_finish(camera_.get(), result.get(), &error), "%s",
                error ? error->message : "");
  }
  ~Application() {
    g_signal_handlers_disconnect_by_data(camera_.get(), this);
    const auto result = wait_for([&](GAsyncReadyCallback done, gpointer data) {
      gst_sphere_camera_disconnect_async(camera_.get(), nullptr, done, data);
    });
    gst_sphere_camera_disconnect_finish(camera_.get(), result.get(), nullptr);
  }
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  /// Sends a command of the family's own protocol: the answer, or the failure's words.
  std::pair<std::string, std::string> call(const std::string& name,
                                           const std::optional<std::string>& value = {},
                                           const std::map<std::string, std::string>& fields = {}) {
    const std::unique_ptr<GstStructure, Call<gst_structure_free>> more(
        gst_structure_new_empty("fields"));
    for (const auto& [field, text] : fields)
      gst_structure_set(more.get(), field.c_str(), G_TYPE_STRING, text.c_str(), nullptr);
    const auto result = wait_for([&](GAsyncReadyCallback done, gpointer data) {
      gst_sphere_camera_call_async(camera_.get(), name.c_str(), value ? value->c_str() : nullptr,
                                   more.get(), nullptr, done, data);
    });
    g_autoptr(GError) error = nullptr;
    const GString_ answer(gst_sphere_camera_call_finish(camera_.get(), result.get(), &error));
    return {answer ? answer.get() : "", error ? error->message : ""};
  }

  GstSphereCamera* camera() const { return camera_.get(); }

  /// Waits for this notification.
  void expect(const std::string& name) {
    for (;;) {
      const auto found = std::ranges::find(notifications_, name);
      if (found != notifications_.end()) {
        notifications_.erase(notifications_.begin(), found + 1);
        return;
      }
      g_main_context_iteration(nullptr, TRUE);
    }
  }

 private:
  ObjectRef<GstSphereCamera> camera_;
  std::vector<std::string> notifications_;
};

}  // namespace sphere::test
