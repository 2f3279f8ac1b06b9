/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>
#include <gst/gst.h>
#include <gst/sphere/base/gstsphereprelude.h>

G_BEGIN_DECLS

/**
 * GstSphereCameraPhoto:
 * @GST_SPHERE_CAMERA_PHOTO_SINGLE: one photo
 * @GST_SPHERE_CAMERA_PHOTO_TIMED: one photo after some seconds
 * @GST_SPHERE_CAMERA_PHOTO_INTERVAL: one photo every few seconds, until it is stopped
 * @GST_SPHERE_CAMERA_PHOTO_BURST: some photos at once
 * @GST_SPHERE_CAMERA_PHOTO_BRACKETING: the same picture with several exposures
 * @GST_SPHERE_CAMERA_PHOTO_ONE_LENS: a photo with one lens alone
 *
 * Kinds of photos.
 *
 * Since: 0.2
 */
typedef enum {
  GST_SPHERE_CAMERA_PHOTO_SINGLE,
  GST_SPHERE_CAMERA_PHOTO_TIMED,
  GST_SPHERE_CAMERA_PHOTO_INTERVAL,
  GST_SPHERE_CAMERA_PHOTO_BURST,
  GST_SPHERE_CAMERA_PHOTO_BRACKETING,
  GST_SPHERE_CAMERA_PHOTO_ONE_LENS,
} GstSphereCameraPhoto;

/**
 * GstSphereCameraRecording:
 * @GST_SPHERE_CAMERA_RECORDING_NORMAL: until it is stopped
 * @GST_SPHERE_CAMERA_RECORDING_SHORT: ends by itself after some seconds
 * @GST_SPHERE_CAMERA_RECORDING_TIME_LAPSE: one picture every few seconds
 * @GST_SPHERE_CAMERA_RECORDING_SLOW_MOTION: is played slower than it was recorded
 * @GST_SPHERE_CAMERA_RECORDING_ONE_LENS: with one lens alone
 *
 * Kinds of recordings.
 *
 * Since: 0.2
 */
typedef enum {
  GST_SPHERE_CAMERA_RECORDING_NORMAL,
  GST_SPHERE_CAMERA_RECORDING_SHORT,
  GST_SPHERE_CAMERA_RECORDING_TIME_LAPSE,
  GST_SPHERE_CAMERA_RECORDING_SLOW_MOTION,
  GST_SPHERE_CAMERA_RECORDING_ONE_LENS,
} GstSphereCameraRecording;

/**
 * GstSphereCameraPower:
 * @GST_SPHERE_CAMERA_STANDBY: saves its battery, and can be woken up
 * @GST_SPHERE_CAMERA_WAKE: wakes up
 * @GST_SPHERE_CAMERA_OFF: switches itself off; only a person can switch it on again
 *
 * What the camera's power shall do.
 *
 * Since: 0.2
 */
typedef enum {
  GST_SPHERE_CAMERA_STANDBY,
  GST_SPHERE_CAMERA_WAKE,
  GST_SPHERE_CAMERA_OFF,
} GstSphereCameraPower;

/**
 * GstSphereCameraFile:
 *
 * A photo or a video on the card of a camera.
 *
 * Since: 0.2
 */
typedef struct _GstSphereCameraFile GstSphereCameraFile;

#define GST_TYPE_SPHERE_CAMERA_FILE (gst_sphere_camera_file_get_type())
GST_SPHERE_API
GType gst_sphere_camera_file_get_type(void);
GST_SPHERE_API
GstSphereCameraFile* gst_sphere_camera_file_copy(const GstSphereCameraFile* file);
GST_SPHERE_API
void gst_sphere_camera_file_free(GstSphereCameraFile* file);
GST_SPHERE_API
const gchar* gst_sphere_camera_file_get_path(const GstSphereCameraFile* file);
GST_SPHERE_API
const gchar* gst_sphere_camera_file_get_date(const GstSphereCameraFile* file);
GST_SPHERE_API
gint64 gst_sphere_camera_file_get_size(const GstSphereCameraFile* file);

/**
 * GstSphereCameraProgress:
 * @done: the bytes that are on this machine
 * @total: the size of the file, or -1 if it is not known
 * @user_data: the data of the caller
 *
 * Called in the main context of the caller while a file is transferred.
 *
 * Since: 0.2
 */
typedef void (*GstSphereCameraProgress)(gint64 done, gint64 total, gpointer user_data);

/**
 * GstSphereCameraClass:
 *
 * The class of #GstSphereCamera. Nothing can be derived from it.
 *
 * Since: 0.2
 */
/**
 * GstSphereCamera:
 *
 * A camera on the network, of any family. Asynchronous functions call their callback in the main
 * context that is the default of the calling thread; signals come in the one that was the default
 * when the object was made.
 *
 * Since: 0.2
 */
#define GST_TYPE_SPHERE_CAMERA (gst_sphere_camera_get_type())
GST_SPHERE_API
G_DECLARE_FINAL_TYPE(GstSphereCamera, gst_sphere_camera, GST, SPHERE_CAMERA, GObject)

GST_SPHERE_API
GstSphereCamera* gst_sphere_camera_new(const gchar* location, GError** error);
GST_SPHERE_API
void gst_sphere_camera_connect_async(GstSphereCamera* camera, GCancellable* cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);
GST_SPHERE_API
gboolean gst_sphere_camera_connect_finish(GstSphereCamera* camera, GAsyncResult* result,
                                          GError** error);
GST_SPHERE_API
void gst_sphere_camera_disconnect_async(GstSphereCamera* camera, GCancellable* cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data);
GST_SPHERE_API
gboolean gst_sphere_camera_disconnect_finish(GstSphereCamera* camera, GAsyncResult* result,
                                             GError** error);
GST_SPHERE_API
gboolean gst_sphere_camera_is_connected(GstSphereCamera* camera);
GST_SPHERE_API
GstStructure* gst_sphere_camera_get_state(GstSphereCamera* camera);
GST_SPHERE_API
void gst_sphere_camera_identify_async(GstSphereCamera* camera, GCancellable* cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data);
GST_SPHERE_API
gboolean gst_sphere_camera_identify_finish(GstSphereCamera* camera, GAsyncResult* result,
                                           gchar** serial, gchar** wifi, GError** error);

/* Settings. */
GST_SPHERE_API
gchar** gst_sphere_camera_list_settings(GstSphereCamera* camera);
GST_SPHERE_API
gchar** gst_sphere_camera_list_values(GstSphereCamera* camera, const gchar* setting);
GST_SPHERE_API
void gst_sphere_camera_read_settings_async(GstSphereCamera* camera, GCancellable* cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data);
GST_SPHERE_API
GstStructure* gst_sphere_camera_read_settings_finish(GstSphereCamera* camera, GAsyncResult* result,
                                                     GError** error);
GST_SPHERE_API
void gst_sphere_camera_set_setting_async(GstSphereCamera* camera, const gchar* setting,
                                         const gchar* value, GCancellable* cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data);
GST_SPHERE_API
gboolean gst_sphere_camera_set_setting_finish(GstSphereCamera* camera, GAsyncResult* result,
                                              GError** error);

/* Photos and recordings. */
GST_SPHERE_API
void gst_sphere_camera_take_photo_async(GstSphereCamera* camera, GstSphereCameraPhoto kind,
                                        const GstStructure* options, GCancellable* cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data);
GST_SPHERE_API
gchar* gst_sphere_camera_take_photo_finish(GstSphereCamera* camera, GAsyncResult* result,
                                           GError** error);
GST_SPHERE_API
void gst_sphere_camera_start_recording_async(GstSphereCamera* camera, GstSphereCameraRecording kind,
                                             const GstStructure* options, GCancellable* cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data);
GST_SPHERE_API
gboolean gst_sphere_camera_start_recording_finish(GstSphereCamera* camera, GAsyncResult* result,
                                                  GError** error);
GST_SPHERE_API
void gst_sphere_camera_stop_async(GstSphereCamera* camera, GCancellable* cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data);
GST_SPHERE_API
gchar* gst_sphere_camera_stop_finish(GstSphereCamera* camera, GAsyncResult* result, GError** error);
GST_SPHERE_API
void gst_sphere_camera_mark_async(GstSphereCamera* camera, GCancellable* cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data);
GST_SPHERE_API
gboolean gst_sphere_camera_mark_finish(GstSphereCamera* camera, GAsyncResult* result,
                                       GError** error);

/* Files on the card. */
GST_SPHERE_API
void gst_sphere_camera_list_files_async(GstSphereCamera* camera, GCancellable* cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data);
GST_SPHERE_API
GPtrArray* gst_sphere_camera_list_files_finish(GstSphereCamera* camera, GAsyncResult* result,
                                               GError** error);
GST_SPHERE_API
void gst_sphere_camera_get_file_info_async(GstSphereCamera* camera, const gchar* path,
                                           GCancellable* cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);
GST_SPHERE_API
GstStructure* gst_sphere_camera_get_file_info_finish(GstSphereCamera* camera, GAsyncResult* result,
                                                     GError** error);
GST_SPHERE_API
void gst_sphere_camera_get_thumbnail_async(GstSphereCamera* camera, const gchar* path,
                                           GCancellable* cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);
GST_SPHERE_API
GBytes* gst_sphere_camera_get_thumbnail_finish(GstSphereCamera* camera, GAsyncResult* result,
                                               GstCaps** caps, GError** error);
GST_SPHERE_API
void gst_sphere_camera_download_async(GstSphereCamera* camera, const gchar* path,
                                      const gchar* destination, GstSphereCameraProgress progress,
                                      gpointer progress_data, GDestroyNotify progress_notify,
                                      GCancellable* cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data);
GST_SPHERE_API
gboolean gst_sphere_camera_download_finish(GstSphereCamera* camera, GAsyncResult* result,
                                           GError** error);
GST_SPHERE_API
void gst_sphere_camera_delete_async(GstSphereCamera* camera, const gchar* path,
                                    GCancellable* cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data);
GST_SPHERE_API
gboolean gst_sphere_camera_delete_finish(GstSphereCamera* camera, GAsyncResult* result,
                                         GError** error);

/* Clock, position, Wi-Fi, power, card, firmware. */
GST_SPHERE_API
void gst_sphere_camera_set_clock_async(GstSphereCamera* camera, GCancellable* cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);
GST_SPHERE_API
gboolean gst_sphere_camera_set_clock_finish(GstSphereCamera* camera, GAsyncResult* result,
                                            GError** error);
GST_SPHERE_API
void gst_sphere_camera_set_position_async(GstSphereCamera* camera, gdouble latitude,
                                          gdouble longitude, gdouble altitude,
                                          GCancellable* cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data);
GST_SPHERE_API
gboolean gst_sphere_camera_set_position_finish(GstSphereCamera* camera, GAsyncResult* result,
                                               GError** error);
GST_SPHERE_API
void gst_sphere_camera_read_wifi_async(GstSphereCamera* camera, GCancellable* cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);
GST_SPHERE_API
gboolean gst_sphere_camera_read_wifi_finish(GstSphereCamera* camera, GAsyncResult* result,
                                            gchar** name, gchar** password, GError** error);
GST_SPHERE_API
void gst_sphere_camera_change_wifi_async(GstSphereCamera* camera, const gchar* name,
                                         const gchar* password, GCancellable* cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data);
GST_SPHERE_API
gboolean gst_sphere_camera_change_wifi_finish(GstSphereCamera* camera, GAsyncResult* result,
                                              GError** error);
GST_SPHERE_API
void gst_sphere_camera_change_power_async(GstSphereCamera* camera, GstSphereCameraPower power,
                                          GCancellable* cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data);
GST_SPHERE_API
gboolean gst_sphere_camera_change_power_finish(GstSphereCamera* camera, GAsyncResult* result,
                                               GError** error);
GST_SPHERE_API
void gst_sphere_camera_format_card_async(GstSphereCamera* camera, GCancellable* cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data);
GST_SPHERE_API
gboolean gst_sphere_camera_format_card_finish(GstSphereCamera* camera, GAsyncResult* result,
                                              GError** error);
GST_SPHERE_API
void gst_sphere_camera_reset_async(GstSphereCamera* camera, gboolean everything,
                                   GCancellable* cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data);
GST_SPHERE_API
gboolean gst_sphere_camera_reset_finish(GstSphereCamera* camera, GAsyncResult* result,
                                        GError** error);
GST_SPHERE_API
void gst_sphere_camera_upload_firmware_async(GstSphereCamera* camera, const gchar* filename,
                                             gboolean remote_control, GCancellable* cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data);
GST_SPHERE_API
gboolean gst_sphere_camera_upload_firmware_finish(GstSphereCamera* camera, GAsyncResult* result,
                                                  GError** error);
GST_SPHERE_API
void gst_sphere_camera_call_async(GstSphereCamera* camera, const gchar* command, const gchar* value,
                                  const GstStructure* fields, GCancellable* cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data);
GST_SPHERE_API
gchar* gst_sphere_camera_call_finish(GstSphereCamera* camera, GAsyncResult* result, GError** error);

G_END_DECLS
