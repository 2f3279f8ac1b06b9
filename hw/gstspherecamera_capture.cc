// SPDX-License-Identifier: LGPL-2.1-or-later
// GstSphereCamera: photos and recordings.

#include "hw/gstspherecamera.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/loop.h"
#include "gst/sphere/base/thread.h"
#include "hw/gstspherecamera_private.h"

using namespace sphere;
using namespace sphere::hw;

namespace {

// The longest exposure takes 32 s, and the camera needs about as long to process it.
constexpr guint longest_photo = 90, longest_closing = 60;  // s

/// Waits for the path of the file that a photo or a recording becomes, and answers the call with
/// it: after the camera has accepted the command.
class SavedFile : public std::enable_shared_from_this<SavedFile> {
 public:
  /// `must_come`: without a path within `seconds`, the call fails; otherwise it returns NULL.
  static std::shared_ptr<SavedFile> wait(std::shared_ptr<AsyncCall> call,
                                         std::shared_ptr<CameraClient> client, bool must_come) {
    std::shared_ptr<SavedFile> self(new SavedFile(std::move(call), std::move(client), must_come));
    self->listener_ =
        self->client_->add_listener([weak = std::weak_ptr(self)](const CameraEvent& event) {
          if (const auto one = weak.lock()) one->handle(event);
        });
    return self;
  }

  ~SavedFile() { client_->remove_listener(listener_); }

  /// The camera has accepted the command: from now on, `seconds` are waited. Keeps this object.
  void accepted(guint seconds) {
    std::string path;
    {
      const Lock lock(mutex_);
      accepted_ = true;
      path = path_;
      if (path.empty()) start_timer(seconds);
    }
    if (!path.empty()) call_->succeed(path);
  }

 private:
  SavedFile(std::shared_ptr<AsyncCall> call, std::shared_ptr<CameraClient> client, bool must_come)
      : call_(std::move(call)),
        client_(std::move(client)),
        must_come_(must_come),
        context_(g_main_context_ref_thread_default()) {}

  void start_timer(guint seconds) SPHERE_REQUIRES(mutex_) {
    self_ = shared_from_this();
    timer_ = watch_time(std::chrono::seconds(seconds), context_.get(), [weak = weak_from_this()] {
      if (const auto one = weak.lock()) one->end();
      return false;
    });
  }

  void handle(const CameraEvent& event) {
    if (event.kind == CameraEvent::Kind::ended) return end();
    if (event.file.empty()) return;
    std::shared_ptr<SavedFile> keep;
    {
      const Lock lock(mutex_);
      if (!path_.empty()) return;
      path_ = event.file;
      if (!accepted_) return;
      keep = std::move(self_);
    }
    call_->succeed(event.file);
  }

  /// No path has come.
  void end() {
    std::shared_ptr<SavedFile> keep;
    {
      const Lock lock(mutex_);
      keep = std::move(self_);
    }
    if (!keep) return;
    if (must_come_)
      call_->fail(GST_SPHERE_ERROR_TIMED_OUT,
                  "the camera has not told that the file is saved; look at its display");
    else
      call_->succeed(nullptr, nullptr);
  }

  const std::shared_ptr<AsyncCall> call_;
  const std::shared_ptr<CameraClient> client_;
  const bool must_come_;
  const std::unique_ptr<GMainContext, Call<g_main_context_unref>> context_;  // of the caller
  unsigned listener_ = 0;
  Mutex mutex_;  // protects what follows; never held while the call is answered
  Watch timer_ SPHERE_GUARDED_BY(mutex_);
  std::string path_ SPHERE_GUARDED_BY(mutex_);
  bool accepted_ SPHERE_GUARDED_BY(mutex_) = false;
  std::shared_ptr<SavedFile> self_ SPHERE_GUARDED_BY(mutex_);  // while it waits
};

std::optional<int> integer(const GstStructure* options, const char* name) {
  int value = 0;
  return options && gst_structure_get_int(options, name, &value) ? std::optional(value)
                                                                 : std::nullopt;
}

/// A number that may be an integer or a double.
std::optional<double> number(const GstStructure* options, const char* name) {
  double value = 0;
  if (options && gst_structure_get_double(options, name, &value)) return value;
  if (const auto whole = integer(options, name)) return *whole;
  return std::nullopt;
}

std::optional<bool> boolean(const GstStructure* options, const char* name) {
  gboolean value = FALSE;
  return options && gst_structure_get_boolean(options, name, &value) ? std::optional(value != FALSE)
                                                                     : std::nullopt;
}

}  // namespace

static_assert(static_cast<int>(PhotoRequest::Kind::one_lens) == GST_SPHERE_CAMERA_PHOTO_ONE_LENS);
static_assert(static_cast<int>(RecordingRequest::Kind::one_lens) ==
              GST_SPHERE_CAMERA_RECORDING_ONE_LENS);

/**
 * gst_sphere_camera_take_photo_async:
 * @camera: a camera
 * @kind: the kind of photo
 * @options: (nullable): a structure with any of `seconds` (of a timed photo, or between two
 *   photos), `count` (of a burst; integers), `ev-step` (of bracketing, a double) and `back-lens`
 *   (a boolean)
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the photo is saved, or the series has begun
 * @user_data: (closure): data for @callback
 *
 * Takes a photo, or starts a series. For a single, a timed, and a one-lens photo the call ends
 * when the photo is saved; for a series it ends when the camera has started, and
 * #GstSphereCamera::file-saved tells of each photo. Without an option, the setting of the camera
 * is used.
 *
 * Since: 0.2
 */
void gst_sphere_camera_take_photo_async(GstSphereCamera* camera, GstSphereCameraPhoto kind,
                                        const GstStructure* options, GCancellable* cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  g_return_if_fail(kind >= GST_SPHERE_CAMERA_PHOTO_SINGLE &&
                   kind <= GST_SPHERE_CAMERA_PHOTO_ONE_LENS);
  const auto one =
      start_connected(camera, gst_sphere_camera_take_photo_async, cancellable, callback, user_data);
  if (!one) return;
  PhotoRequest request;
  request.kind = static_cast<PhotoRequest::Kind>(kind);
  request.seconds = integer(options, "seconds");
  request.count = integer(options, "count");
  request.ev_step = number(options, "ev-step");
  request.back_lens = boolean(options, "back-lens");
  const bool is_one = kind == GST_SPHERE_CAMERA_PHOTO_SINGLE ||
                      kind == GST_SPHERE_CAMERA_PHOTO_TIMED ||
                      kind == GST_SPHERE_CAMERA_PHOTO_ONE_LENS;
  // From now on, because the camera may be faster than its answer.
  const auto saved = is_one ? SavedFile::wait(one.call, client_of(camera), true) : nullptr;
  const guint timeout =
      longest_photo + static_cast<guint>(std::clamp(request.seconds.value_or(0), 0, 3600));
  one->take_photo(request, [call = one.call, saved, timeout](const Camera::Answer& answer) {
    if (!answer.done) return call->fail(answer.failure);
    saved ? saved->accepted(timeout) : call->succeed(nullptr, nullptr);
  });
}

/**
 * gst_sphere_camera_take_photo_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_take_photo_async().
 *
 * Returns: (transfer full) (nullable): the path of the photo on the card; %NULL for a series, or
 * with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH_POINTER(gchar, take_photo)

/**
 * gst_sphere_camera_start_recording_async:
 * @camera: a camera
 * @kind: the kind of recording
 * @options: (nullable): a structure with any of `seconds` (of a short video, or between two
 *   pictures of a time-lapse; a double), `slowness` (2 or 4, an integer) and `back-lens` (a
 *   boolean)
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Starts to record to the card of the camera; with sound only if consent to `audio` is given for
 * `record`.
 *
 * Since: 0.2
 */
void gst_sphere_camera_start_recording_async(GstSphereCamera* camera, GstSphereCameraRecording kind,
                                             const GstStructure* options, GCancellable* cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  g_return_if_fail(kind >= GST_SPHERE_CAMERA_RECORDING_NORMAL &&
                   kind <= GST_SPHERE_CAMERA_RECORDING_ONE_LENS);
  const auto one = start_connected(camera, gst_sphere_camera_start_recording_async, cancellable,
                                   callback, user_data);
  if (!one) return;
  RecordingRequest request;
  request.kind = static_cast<RecordingRequest::Kind>(kind);
  request.seconds = number(options, "seconds");
  request.slowness = integer(options, "slowness");
  request.back_lens = boolean(options, "back-lens");
  const auto given = [consent = consent_of(camera)] {
    return consent->allowed(consent::Category::audio, consent::Purpose::record);
  };
  request.with_sound = given();
  // Consent may be withdrawn while the command is queued.
  const auto wanted = [given, with_sound = request.with_sound, call = one.call] {
    return !call->is_over() && (!with_sound || given());
  };
  one->start_recording(request, wanted, one.call->answered());
}

/**
 * gst_sphere_camera_start_recording_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_start_recording_async().
 *
 * Returns: whether the camera has done it; %FALSE with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH(start_recording)

/**
 * gst_sphere_camera_stop_async:
 * @camera: a camera
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the video is saved, or the series has ended
 * @user_data: (closure): data for @callback
 *
 * Ends a recording, or a series of photos.
 *
 * Since: 0.2
 */
void gst_sphere_camera_stop_async(GstSphereCamera* camera, GCancellable* cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  const auto one =
      start_connected(camera, gst_sphere_camera_stop_async, cancellable, callback, user_data);
  if (!one) return;
  const bool is_video = one->state().recording;
  const auto saved = is_video ? SavedFile::wait(one.call, client_of(camera), false) : nullptr;
  one->stop([call = one.call, saved](const Camera::Answer& answer) {
    if (!answer.done) return call->fail(answer.failure);
    saved ? saved->accepted(longest_closing) : call->succeed(nullptr, nullptr);
  });
}

/**
 * gst_sphere_camera_stop_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_stop_async().
 *
 * Returns: (transfer full) (nullable): the path of the video on the card, if the camera has told
 * it; %NULL with @error set if the camera refuses
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH_POINTER(gchar, stop)

/**
 * gst_sphere_camera_mark_async:
 * @camera: a camera
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Marks this moment in the recording.
 *
 * Since: 0.2
 */
void gst_sphere_camera_mark_async(GstSphereCamera* camera, GCancellable* cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  const auto one =
      start_connected(camera, gst_sphere_camera_mark_async, cancellable, callback, user_data);
  if (!one) return;
  one->mark(one.call->answered());
}

/**
 * gst_sphere_camera_mark_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_mark_async().
 *
 * Returns: whether the camera has done it; %FALSE with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH(mark)
