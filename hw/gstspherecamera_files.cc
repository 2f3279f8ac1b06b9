// SPDX-License-Identifier: LGPL-2.1-or-later
// GstSphereCamera: the files on the card.

#include "hw/gstspherecamera.h"

#include <atomic>
#include <string>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "hw/download.h"
#include "hw/gstspherecamera_private.h"
#include "hw/stored_pins.h"

using namespace sphere;
using namespace sphere::hw;

namespace {

template <typename Function>
PartCall<CameraFiles> start_files(GstSphereCamera* camera, Function* function,
                                  GCancellable* cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data) {
  return start_for(camera, function, cancellable, callback, user_data, &Camera::files,
                   "files that can be read over the network");
}

}  // namespace

struct _GstSphereCameraFile {
  CameraFile file;
};

G_DEFINE_BOXED_TYPE(GstSphereCameraFile, gst_sphere_camera_file, gst_sphere_camera_file_copy,
                    gst_sphere_camera_file_free)

/**
 * gst_sphere_camera_file_copy: (skip)
 * @file: a file
 *
 * Returns: (transfer full): a copy
 *
 * Since: 0.2
 */
GstSphereCameraFile* gst_sphere_camera_file_copy(const GstSphereCameraFile* file) {
  return new GstSphereCameraFile(*file);
}

/**
 * gst_sphere_camera_file_free: (skip)
 * @file: (transfer full): a file
 *
 * Since: 0.2
 */
void gst_sphere_camera_file_free(GstSphereCameraFile* file) { delete file; }

/**
 * gst_sphere_camera_file_get_path:
 * @file: a file
 *
 * The name of the file for the functions of #GstSphereCamera.
 *
 * Returns: its path on the card, such as `DCIM/20161121/VID_20161121_162507AA.MP4`
 *
 * Since: 0.2
 */
const gchar* gst_sphere_camera_file_get_path(const GstSphereCameraFile* file) {
  g_return_val_if_fail(file, nullptr);
  return file->file.path.c_str();
}

/**
 * gst_sphere_camera_file_get_date:
 * @file: a file
 *
 * When it was saved.
 *
 * Returns: its time on the camera's clock, such as `2017-01-01 20:46:24`; empty if it is not known
 *
 * Since: 0.2
 */
const gchar* gst_sphere_camera_file_get_date(const GstSphereCameraFile* file) {
  g_return_val_if_fail(file, nullptr);
  return file->file.date.c_str();
}

/**
 * gst_sphere_camera_file_get_size:
 * @file: a file
 *
 * How long it is.
 *
 * Returns: its size in bytes, or -1 if the list does not tell it
 *
 * Since: 0.2
 */
gint64 gst_sphere_camera_file_get_size(const GstSphereCameraFile* file) {
  g_return_val_if_fail(file, -1);
  return file->file.size ? static_cast<gint64>(*file->file.size) : -1;
}

/**
 * gst_sphere_camera_list_files_async:
 * @camera: a camera
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Lists the photos and videos on the card, the newest folder first.
 *
 * Since: 0.2
 */
void gst_sphere_camera_list_files_async(GstSphereCamera* camera, GCancellable* cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  const auto started =
      start_files(camera, gst_sphere_camera_list_files_async, cancellable, callback, user_data);
  if (!started) return;
  const std::shared_ptr<AsyncCall>& call = started.call;
  const auto list = std::shared_ptr<GPtrArray>(
      g_ptr_array_new_with_free_func(reinterpret_cast<GDestroyNotify>(gst_sphere_camera_file_free)),
      g_ptr_array_unref);
  started->list(
      [list, call](std::vector<CameraFile> found) {
        for (CameraFile& file : found)
          g_ptr_array_add(list.get(), new GstSphereCameraFile{std::move(file)});
        return !g_cancellable_is_cancelled(call->cancellable());
      },
      [list, call](const std::optional<Failure>& failure) {
        if (failure) return call->fail(*failure);
        call->succeed(g_ptr_array_ref(list.get()),
                      reinterpret_cast<GDestroyNotify>(g_ptr_array_unref));
      });
}

/**
 * gst_sphere_camera_list_files_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_list_files_async().
 *
 * Returns: (transfer container) (element-type GstSphereCameraFile) (nullable): the files, or %NULL
 * with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH_POINTER(GPtrArray, list_files)

/**
 * gst_sphere_camera_get_file_info_async:
 * @camera: a camera
 * @path: the path of the file on the card
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Asks what the camera knows about a file.
 *
 * Since: 0.2
 */
void gst_sphere_camera_get_file_info_async(GstSphereCamera* camera, const gchar* path,
                                           GCancellable* cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  g_return_if_fail(path);
  const auto started =
      start_files(camera, gst_sphere_camera_get_file_info_async, cancellable, callback, user_data);
  if (!started) return;
  // In a thread, because the web server is asked for the size, too.
  started.call->run_in_thread(
      [client = client_of(camera), file = std::string(path)](AsyncCall& call) {
        StoredPins pins;
        MediaInfo info;
        if (const auto failure = describe_file(*client, file, &pins, info, call.cancellable()))
          return call.fail(*failure);
        GstStructure* all = gst_structure_new_empty("sphere-camera-file");
        const auto add = [&](const char* name, const std::string& value) {
          if (!value.empty()) gst_structure_set(all, name, G_TYPE_STRING, value.c_str(), nullptr);
        };
        add("date", info.date);
        add("resolution", info.resolution);
        add("type", info.type);
        if (info.size)
          gst_structure_set(all, "size", G_TYPE_INT64, static_cast<gint64>(*info.size), nullptr);
        if (info.seconds) gst_structure_set(all, "seconds", G_TYPE_DOUBLE, *info.seconds, nullptr);
        if (info.stitched)
          gst_structure_set(all, "stitched", G_TYPE_BOOLEAN, *info.stitched, nullptr);
        call.succeed(all);
      });
}

/**
 * gst_sphere_camera_get_file_info_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_get_file_info_async().
 *
 * Returns: (transfer full) (nullable): a structure with those of `size` (64 bit), `date`,
 * `resolution`, `type` (strings), `seconds` (a double) and `stitched` (a boolean) that are known,
 * or %NULL with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH_POINTER(GstStructure, get_file_info)

/**
 * gst_sphere_camera_get_thumbnail_async:
 * @camera: a camera
 * @path: the path of the file on the card
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Fetches the small picture of a photo, or the first picture of a video.
 *
 * Since: 0.2
 */
void gst_sphere_camera_get_thumbnail_async(GstSphereCamera* camera, const gchar* path,
                                           GCancellable* cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  g_return_if_fail(path);
  const auto started =
      start_files(camera, gst_sphere_camera_get_thumbnail_async, cancellable, callback, user_data);
  if (!started) return;
  const std::shared_ptr<AsyncCall>& call = started.call;
  started->thumbnail(path, [call](Thumbnail thumbnail, const std::optional<Failure>& failure) {
    if (failure) return call->fail(*failure);
    call->succeed_with(std::move(thumbnail));
  });
}

/**
 * gst_sphere_camera_get_thumbnail_finish:
 * @camera: a camera
 * @result: what the callback got
 * @caps: (out) (optional) (transfer full): the format: `image/jpeg`, or `video/x-h264`
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_get_thumbnail_async().
 *
 * Returns: (transfer full) (nullable): the picture, or %NULL with @error set
 *
 * Since: 0.2
 */
GBytes* gst_sphere_camera_get_thumbnail_finish(GstSphereCamera* camera, GAsyncResult* result,
                                               GstCaps** caps, GError** error) {
  const std::unique_ptr<Thumbnail> thumbnail(static_cast<Thumbnail*>(finish_pointer(
      camera, result, reinterpret_cast<gpointer>(gst_sphere_camera_get_thumbnail_async), error)));
  if (caps)
    *caps = !thumbnail ? nullptr
            : thumbnail->is_jpeg
                ? gst_caps_new_empty_simple("image/jpeg")
                : gst_caps_from_string("video/x-h264, stream-format = byte-stream, alignment = au");
  return thumbnail ? g_bytes_new(thumbnail->bytes.data(), thumbnail->bytes.size()) : nullptr;
}

namespace {

/// The caller's function, called in its main context with the latest numbers.
class ProgressCalls : public std::enable_shared_from_this<ProgressCalls> {
 public:
  ProgressCalls(GstSphereCameraProgress function, gpointer data, GDestroyNotify notify)
      : function_(function),
        data_(data),
        notify_(notify),
        context_(g_main_context_ref_thread_default()) {}
  ~ProgressCalls() {
    if (notify_ && g_main_context_is_owner(context_)) {
      notify_(data_);
    } else if (notify_) {
      // Of a cancelled call, the thread that fetches may be the last to have this.
      GSource* source = g_idle_source_new();
      g_source_set_callback(
          source, +[](gpointer) -> gboolean { return G_SOURCE_REMOVE; }, data_, notify_);
      g_source_attach(source, context_);
      g_source_unref(source);
    }
    g_main_context_unref(context_);
  }

  void tell(gint64 done, gint64 total) {
    if (!function_) return;
    done_ = done;
    total_ = total;
    if (waiting_.exchange(true)) return;
    GSource* source = g_idle_source_new();
    g_source_set_callback(
        source,
        +[](gpointer data) -> gboolean {
          auto& self = **static_cast<std::shared_ptr<ProgressCalls>*>(data);
          self.waiting_ = false;
          self.function_(self.done_, self.total_, self.data_);
          return G_SOURCE_REMOVE;
        },
        new std::shared_ptr<ProgressCalls>(shared_from_this()),
        +[](gpointer data) { delete static_cast<std::shared_ptr<ProgressCalls>*>(data); });
    g_source_attach(source, context_);
    g_source_unref(source);
  }

 private:
  const GstSphereCameraProgress function_;
  const gpointer data_;
  const GDestroyNotify notify_;
  GMainContext* const context_;
  std::atomic<gint64> done_ = 0, total_ = -1;
  std::atomic<bool> waiting_ = false;
};

}  // namespace

/**
 * gst_sphere_camera_download_async:
 * @camera: a camera
 * @path: the path of the file on the card
 * @destination: (type filename): the file on this machine; an older one is replaced
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_notify):
 *   called while it is transferred
 * @progress_data: data for @progress
 * @progress_notify: frees @progress_data
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the file is complete
 * @user_data: (closure): data for @callback
 *
 * Fetches a file from the card, over the camera's web server or its own protocol. It appears when
 * it is complete; a transfer that was cut or cancelled continues where it was when it is started
 * again. The bytes are those of the camera, with everything that they tell about people and
 * places.
 *
 * Since: 0.2
 */
void gst_sphere_camera_download_async(GstSphereCamera* camera, const gchar* path,
                                      const gchar* destination, GstSphereCameraProgress progress,
                                      gpointer progress_data, GDestroyNotify progress_notify,
                                      GCancellable* cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  g_return_if_fail(path && destination);
  const auto call =
      AsyncCall::start(camera, gst_sphere_camera_download_async, cancellable, callback, user_data);
  const auto calls = std::make_shared<ProgressCalls>(progress, progress_data, progress_notify);
  const std::shared_ptr<CameraClient> client = client_of(camera);
  if (!client)
    return call->fail(GST_SPHERE_ERROR_INVALID, "the location is not the URI of a camera");
  DownloadOptions options;
  options.path = path;
  options.destination = destination;
  options.clobber = true;
  call->keep(calls);
  options.progress = [weak = std::weak_ptr(calls)](uint64_t done, std::optional<uint64_t> total) {
    if (const auto one = weak.lock())
      one->tell(static_cast<gint64>(done), total ? static_cast<gint64>(*total) : -1);
  };
  call->run_in_thread([client, options](AsyncCall& one) {
    StoredPins pins;
    DownloadOptions with_pins = options;
    with_pins.pins = &pins;
    const std::optional<Failure> failure = download(*client, with_pins, one.cancellable());
    failure ? one.fail(*failure) : one.succeed();
  });
}

/**
 * gst_sphere_camera_download_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_download_async().
 *
 * Returns: whether the file is complete; %FALSE with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH(download)

/**
 * gst_sphere_camera_delete_async:
 * @camera: a camera
 * @path: the path of the file on the card
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Deletes a file from the card, and the small copy of a video with it.
 *
 * Since: 0.2
 */
void gst_sphere_camera_delete_async(GstSphereCamera* camera, const gchar* path,
                                    GCancellable* cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  g_return_if_fail(path);
  const auto started =
      start_files(camera, gst_sphere_camera_delete_async, cancellable, callback, user_data);
  if (started) started->remove(path, started.call->done());
}

/**
 * gst_sphere_camera_delete_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_delete_async().
 *
 * Returns: whether the camera has done it; %FALSE with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH(delete)
