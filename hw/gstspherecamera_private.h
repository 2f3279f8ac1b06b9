// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of GstSphereCamera that its files share.

#pragma once

#include <gio/gio.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/gstsphereerror.h"
#include "gst/sphere/consent/guard.h"
#include "hw/camera_client.h"
#include "hw/gstspherecamera.h"

namespace sphere::hw {

/// An asynchronous call. It is answered once: by the camera, by an error, or because it is
/// cancelled. Any thread may answer; the callback comes in the caller's main context, and there the
/// task ends, with its reference to the camera: the last reference must not be dropped in the
/// camera's own thread, whose end is waited for then.
class AsyncCall : public std::enable_shared_from_this<AsyncCall> {
 public:
  /// Starts the call of a public function.
  template <typename Function>
  static std::shared_ptr<AsyncCall> start(GstSphereCamera* camera, Function* function,
                                          GCancellable* cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data) {
    return start_with_tag(camera, reinterpret_cast<gpointer>(function), cancellable, callback,
                          user_data);
  }
  ~AsyncCall();

  /// Null if there is none, or the camera is gone.
  std::shared_ptr<CameraClient> client() const { return client_.lock(); }
  GCancellable* cancellable() const { return cancellable_.get(); }
  /// Whether it was answered or cancelled: what it has not sent yet is not wanted any more.
  bool is_over() const { return !task_; }

  /// Keeps this until the call has ended; it is dropped in the caller's main context.
  void keep(std::shared_ptr<void> data);

  void succeed();
  /// With a value for the finish function, and the function that frees it.
  void succeed(gpointer value, GDestroyNotify free);
  void succeed(GstStructure* value) {
    succeed(value, reinterpret_cast<GDestroyNotify>(gst_structure_free));
  }
  void succeed(const std::string& value) { succeed(g_strdup(value.c_str()), g_free); }
  /// With a copy of an object, which the finish function deletes.
  template <typename T>
  void succeed_with(T value) {
    succeed(
        new T(std::move(value)), +[](gpointer data) { delete static_cast<T*>(data); });
  }
  void fail(const Failure& failure);
  void fail(int code, const std::string& message);
  /// A handler for functions of the camera that return only a failure.
  std::function<void(const std::optional<Failure>&)> done();
  /// A handler for functions of the camera that return an answer.
  std::function<void(const Camera::Answer&)> answered();
  /// Runs a function that blocks in a thread; it answers.
  void run_in_thread(std::function<void(AsyncCall&)> function);

 private:
  struct Answer;
  static std::shared_ptr<AsyncCall> start_with_tag(GstSphereCamera* camera, gpointer tag,
                                                   GCancellable* cancellable,
                                                   GAsyncReadyCallback callback,
                                                   gpointer user_data);
  AsyncCall(GTask* task, std::weak_ptr<CameraClient> client);
  void answer(Answer answer);

  /// Null when it is answered: then the answer has it.
  std::atomic<GTask*> task_;
  const std::weak_ptr<CameraClient> client_;
  const ObjectRef<GCancellable> cancellable_;
  GSource* cancelled_ = nullptr;
};

/// The connection and the consent of a GstSphereCamera. A command that waits may need the consent
/// when the object is gone, because its call was cancelled.
std::shared_ptr<CameraClient> client_of(GstSphereCamera* camera);
std::shared_ptr<const consent::Consent> consent_of(GstSphereCamera* camera);

/// The camera of a call; null if there is no connection, and then the call has failed.
std::shared_ptr<Camera> connected_camera(AsyncCall& call);

/// A call that needs the connection. Without it, the call has failed.
struct CameraCall {
  std::shared_ptr<AsyncCall> call;
  std::shared_ptr<Camera> camera;

  explicit operator bool() const { return camera != nullptr; }
  Camera* operator->() const { return camera.get(); }
};

/// Starts the call of a public function.
template <typename Function>
CameraCall start_connected(GstSphereCamera* camera, Function* function, GCancellable* cancellable,
                           GAsyncReadyCallback callback, gpointer user_data) {
  CameraCall started;
  started.call = AsyncCall::start(camera, function, cancellable, callback, user_data);
  started.camera = connected_camera(*started.call);
  return started;
}

/// A part of a camera that some families lack; null if there is none, and then the call has failed.
template <typename Part>
Part* part_of(AsyncCall& call, const std::shared_ptr<Camera>& camera, Part* (Camera::*getter)(),
              const char* what) {
  Part* part = camera ? (camera.get()->*getter)() : nullptr;
  if (camera && !part)
    call.fail(GST_SPHERE_ERROR_UNSUPPORTED, std::string("cameras of this family have no ") + what);
  return part;
}

/// A call that needs such a part. Without it, the call has failed.
template <typename Part>
struct PartCall {
  std::shared_ptr<AsyncCall> call;
  std::shared_ptr<Camera> camera;
  Part* part = nullptr;

  explicit operator bool() const { return part; }
  Part* operator->() const { return part; }
};

/// Starts the call of a public function.
template <typename Function, typename Part>
PartCall<Part> start_for(GstSphereCamera* camera, Function* function, GCancellable* cancellable,
                         GAsyncReadyCallback callback, gpointer user_data,
                         Part* (Camera::*getter)(), const char* what) {
  CameraCall whole = start_connected(camera, function, cancellable, callback, user_data);
  Part* part = part_of(*whole.call, whole.camera, getter, what);
  return {std::move(whole.call), std::move(whole.camera), part};
}

/// Finish functions.
gboolean finish_boolean(GstSphereCamera* camera, GAsyncResult* result, gpointer tag,
                        GError** error);
gpointer finish_pointer(GstSphereCamera* camera, GAsyncResult* result, gpointer tag,
                        GError** error);

/// Defines the function that ends a call with a value that the caller gets.
#define SPHERE_CAMERA_FINISH_POINTER(Type, name)                                               \
  Type* gst_sphere_camera_##name##_finish(GstSphereCamera* camera, GAsyncResult* result,       \
                                          GError** error) {                                    \
    return static_cast<Type*>(finish_pointer(                                                  \
        camera, result, reinterpret_cast<gpointer>(gst_sphere_camera_##name##_async), error)); \
  }

/// Defines the function that ends a call without a value.
#define SPHERE_CAMERA_FINISH(name)                                                              \
  gboolean gst_sphere_camera_##name##_finish(GstSphereCamera* camera, GAsyncResult* result,     \
                                             GError** error) {                                  \
    return finish_boolean(camera, result,                                                       \
                          reinterpret_cast<gpointer>(gst_sphere_camera_##name##_async), error); \
  }

}  // namespace sphere::hw
