// SPDX-License-Identifier: LGPL-2.1-or-later
// GstSphereCamera: clock, position, Wi-Fi, power, card and firmware.

#include "hw/gstspherecamera.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/md5.h"
#include "gst/sphere/consent/position.h"
#include "hw/gstspherecamera_private.h"

using namespace sphere;
using namespace sphere::hw;

/**
 * gst_sphere_camera_set_clock_async:
 * @camera: a camera
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Sets the clock of the camera to the time of this machine.
 *
 * Since: 0.2
 */
void gst_sphere_camera_set_clock_async(GstSphereCamera* camera, GCancellable* cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  const auto started = start_for(camera, gst_sphere_camera_set_clock_async, cancellable, callback,
                                 user_data, &Camera::upkeep, "clock");
  if (started) started->set_clock(started.call->done());
}

/**
 * gst_sphere_camera_set_clock_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_set_clock_async().
 *
 * Returns: whether the camera has done it; %FALSE with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH(set_clock)

/**
 * gst_sphere_camera_set_position_async:
 * @camera: a camera
 * @latitude: degrees, -90 to 90
 * @longitude: degrees, -180 to 180
 * @altitude: metres above the sea
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Tells the camera where it is; it writes the position into its photos and videos. Needs consent
 * to `location` for `camera`, and is rounded to the precision that is given there.
 *
 * Since: 0.2
 */
void gst_sphere_camera_set_position_async(GstSphereCamera* camera, gdouble latitude,
                                          gdouble longitude, gdouble altitude,
                                          GCancellable* cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  const auto call = AsyncCall::start(camera, gst_sphere_camera_set_position_async, cancellable,
                                     callback, user_data);
  if (!(latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180 &&
        altitude > -100000 && altitude < 100000))
    return call->fail(GST_SPHERE_ERROR_INVALID, "this is not a position on Earth");
  const auto given = [consent = consent_of(camera)] {
    return consent->ask(consent::Category::location, consent::Purpose::camera);
  };
  const consent::Answer answer = given();
  if (!answer.allowed)
    return call->fail(GST_SPHERE_ERROR_NOT_AUTHORIZED,
                      "there is no consent to location for camera: " + answer.reason);
  const std::shared_ptr<Camera> one = connected_camera(*call);
  if (!one) return;
  const Position place = consent::rounded({latitude, longitude, altitude}, answer.precision);
  one->set_position(
      {place.latitude, place.longitude, place.altitude.value_or(0)},
      [given, call] { return !call->is_over() && given().allowed; }, call->answered());
}

/**
 * gst_sphere_camera_set_position_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_set_position_async().
 *
 * Returns: whether the camera has done it; %FALSE with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH(set_position)

/**
 * gst_sphere_camera_read_wifi_async:
 * @camera: a camera
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Asks for the Wi-Fi network that the camera makes. The password is secret: do not log it.
 *
 * Since: 0.2
 */
void gst_sphere_camera_read_wifi_async(GstSphereCamera* camera, GCancellable* cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  const auto started =
      start_for(camera, gst_sphere_camera_read_wifi_async, cancellable, callback, user_data,
                &Camera::upkeep, "Wi-Fi that can be changed over the network");
  if (!started) return;
  const std::shared_ptr<AsyncCall>& call = started.call;
  started->read_wifi([call](const CameraWifi& wifi, const std::optional<Failure>& failure) {
    if (failure) return call->fail(*failure);
    call->succeed_with(wifi);
  });
}

/**
 * gst_sphere_camera_read_wifi_finish:
 * @camera: a camera
 * @result: what the callback got
 * @name: (out) (optional) (transfer full): the name of the network
 * @password: (out) (optional) (transfer full): its password
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_read_wifi_async().
 *
 * Returns: whether the camera has done it; %FALSE with @error set
 *
 * Since: 0.2
 */
gboolean gst_sphere_camera_read_wifi_finish(GstSphereCamera* camera, GAsyncResult* result,
                                            gchar** name, gchar** password, GError** error) {
  const std::unique_ptr<CameraWifi> wifi(static_cast<CameraWifi*>(finish_pointer(
      camera, result, reinterpret_cast<gpointer>(gst_sphere_camera_read_wifi_async), error)));
  if (name) *name = wifi ? g_strdup(wifi->name.c_str()) : nullptr;
  if (password) *password = wifi ? g_strdup(wifi->password.c_str()) : nullptr;
  return wifi != nullptr;
}

/**
 * gst_sphere_camera_change_wifi_async:
 * @camera: a camera
 * @name: the new name
 * @password: the new password; a Mi Sphere takes 8 to 20 digits
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Changes the Wi-Fi network of the camera, which then restarts it: the connection is lost.
 *
 * Since: 0.2
 */
void gst_sphere_camera_change_wifi_async(GstSphereCamera* camera, const gchar* name,
                                         const gchar* password, GCancellable* cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  g_return_if_fail(name && password);
  const auto started =
      start_for(camera, gst_sphere_camera_change_wifi_async, cancellable, callback, user_data,
                &Camera::upkeep, "Wi-Fi that can be changed over the network");
  if (!started) return;
  const std::shared_ptr<AsyncCall>& call = started.call;
  const CameraWifi wifi{name, password, false};
  if (const Status good = started->check_wifi(wifi); !good)
    return call->fail(GST_SPHERE_ERROR_INVALID, good.error().message);
  started->change_wifi(wifi, call->done());
}

/**
 * gst_sphere_camera_change_wifi_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_change_wifi_async().
 *
 * Returns: whether the camera has done it; %FALSE with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH(change_wifi)

/**
 * gst_sphere_camera_change_power_async:
 * @camera: a camera
 * @power: what it shall do
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Sends the camera to standby, wakes it up, or switches it off.
 *
 * Since: 0.2
 */
void gst_sphere_camera_change_power_async(GstSphereCamera* camera, GstSphereCameraPower power,
                                          GCancellable* cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  g_return_if_fail(power >= GST_SPHERE_CAMERA_STANDBY && power <= GST_SPHERE_CAMERA_OFF);
  const auto started =
      start_for(camera, gst_sphere_camera_change_power_async, cancellable, callback, user_data,
                &Camera::upkeep, "power switch on the network");
  if (started) started->change_power(static_cast<CameraUpkeep::Power>(power), started.call->done());
}

/**
 * gst_sphere_camera_change_power_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_change_power_async().
 *
 * Returns: whether the camera has done it; %FALSE with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH(change_power)

/**
 * gst_sphere_camera_format_card_async:
 * @camera: a camera
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Deletes everything on the card.
 *
 * Since: 0.2
 */
void gst_sphere_camera_format_card_async(GstSphereCamera* camera, GCancellable* cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  const auto started =
      start_for(camera, gst_sphere_camera_format_card_async, cancellable, callback, user_data,
                &Camera::upkeep, "card that can be formatted over the network");
  if (started) started->format_card(started.call->done());
}

/**
 * gst_sphere_camera_format_card_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_format_card_async().
 *
 * Returns: whether the camera has done it; %FALSE with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH(format_card)

/**
 * gst_sphere_camera_reset_async:
 * @camera: a camera
 * @everything: also its Wi-Fi and its clock
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Sets all settings of the camera back to their factory values.
 *
 * Since: 0.2
 */
void gst_sphere_camera_reset_async(GstSphereCamera* camera, gboolean everything,
                                   GCancellable* cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  const auto started = start_for(camera, gst_sphere_camera_reset_async, cancellable, callback,
                                 user_data, &Camera::upkeep, "reset on the network");
  if (started) started->reset(everything, started.call->done());
}

/**
 * gst_sphere_camera_reset_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_reset_async().
 *
 * Returns: whether the camera has done it; %FALSE with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH(reset)

/**
 * gst_sphere_camera_upload_firmware_async:
 * @camera: a camera
 * @filename: (type filename): the vendor's file
 * @remote_control: whether it is for the remote control
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has begun to install it
 * @user_data: (closure): data for @callback
 *
 * Sends new firmware to the camera, which then installs it and restarts. With a file that is not
 * for this camera it may never start again. What is plainly no firmware of this camera, by its
 * name, its size or its first bytes, is refused with %GST_SPHERE_ERROR_INVALID before anything is
 * sent.
 *
 * Since: 0.2
 */
void gst_sphere_camera_upload_firmware_async(GstSphereCamera* camera, const gchar* filename,
                                             gboolean remote_control, GCancellable* cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  g_return_if_fail(filename);
  const auto started =
      start_for(camera, gst_sphere_camera_upload_firmware_async, cancellable, callback, user_data,
                &Camera::upkeep, "firmware that can be changed over the network");
  if (!started) return;
  const std::shared_ptr<AsyncCall>& call = started.call;
  char* bytes = nullptr;
  gsize size = 0;
  g_autoptr(GError) error = nullptr;
  if (!g_file_get_contents(filename, &bytes, &size, &error))
    return call->fail(GST_SPHERE_ERROR_NOT_FOUND, printable(error->message));
  const std::shared_ptr<char> owned(bytes, g_free);
  const GString_ name(g_path_get_basename(filename));
  FirmwareUpload upload;
  upload.file.name = name.get();
  upload.file.size = size;
  upload.file.beginning.assign(bytes, std::min(size, gsize{FirmwareFile::beginning_size}));
  upload.file.remote_control = remote_control;
  if (const Status good = started->check_firmware(upload.file); !good)
    return call->fail(good.error().kind == Error::Kind::unsupported ? GST_SPHERE_ERROR_UNSUPPORTED
                                                                    : GST_SPHERE_ERROR_INVALID,
                      good.error().message);
  upload.md5 = md5_of({bytes, size});
  upload.source = [owned, size, sent = gsize{0}](size_t most) mutable {
    std::string piece(owned.get() + sent, std::min<gsize>(most, size - sent));
    sent += piece.size();
    return piece;
  };
  started->upload_firmware(std::move(upload), call->done());
}

/**
 * gst_sphere_camera_upload_firmware_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_upload_firmware_async().
 *
 * Returns: whether the camera has done it; %FALSE with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH(upload_firmware)

/**
 * gst_sphere_camera_call_async:
 * @camera: a camera
 * @command: the name of the command
 * @value: (nullable): its value
 * @fields: (nullable): strings for more members of the message
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Sends a command of the own protocol of the camera, for which there is no function here. Some
 * commands do harm.
 *
 * Since: 0.2
 */
void gst_sphere_camera_call_async(GstSphereCamera* camera, const gchar* command, const gchar* value,
                                  const GstStructure* fields, GCancellable* cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  g_return_if_fail(command);
  const auto started = start_for(camera, gst_sphere_camera_call_async, cancellable, callback,
                                 user_data, &Camera::upkeep, "service commands");
  if (!started) return;
  const std::shared_ptr<AsyncCall>& call = started.call;
  std::map<std::string, std::string> more;
  for (int i = 0; fields && i < gst_structure_n_fields(fields); ++i) {
    const char* name = gst_structure_nth_field_name(fields, static_cast<guint>(i));
    if (const char* text = gst_structure_get_string(fields, name)) more[name] = text;
  }
  started->call(command, value ? std::optional<std::string>(value) : std::nullopt, more,
                [call](const std::string& answer, const std::optional<Failure>& failure) {
                  if (failure) return call->fail(*failure);
                  call->succeed(answer);
                });
}

/**
 * gst_sphere_camera_call_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_call_async().
 *
 * Returns: (transfer full) (nullable): what the camera answers, which may be secret, or %NULL with
 * @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH_POINTER(gchar, call)
