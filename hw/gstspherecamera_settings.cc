// SPDX-License-Identifier: LGPL-2.1-or-later
// GstSphereCamera: settings.

#include "hw/gstspherecamera.h"

#include <string>
#include <vector>

#include "gst/sphere/base/printable.h"
#include "hw/gstspherecamera_private.h"

using namespace sphere;
using namespace sphere::hw;

namespace {

/// The settings that the family knows; needs no connection.
const std::vector<SettingInfo>& known_settings(GstSphereCamera* camera) {
  static const std::vector<SettingInfo> none;
  const std::shared_ptr<CameraClient> client = client_of(camera);
  if (!client) return none;
  const std::unique_ptr<Camera> offline =
      client->family().make({.location = client->location()}, [](const CameraEvent&) {});
  // The list belongs to the family and stays.
  return offline->settings() ? offline->settings()->known() : none;
}

}  // namespace

/**
 * gst_sphere_camera_list_settings:
 * @camera: a camera
 *
 * The names of the settings that cameras of its family have. Needs no connection.
 *
 * Returns: (transfer full) (array zero-terminated=1): the names, sorted
 *
 * Since: 0.2
 */
gchar** gst_sphere_camera_list_settings(GstSphereCamera* camera) {
  g_return_val_if_fail(GST_IS_SPHERE_CAMERA(camera), nullptr);
  g_autoptr(GStrvBuilder) names = g_strv_builder_new();
  for (const SettingInfo& setting : known_settings(camera))
    g_strv_builder_add(names, setting.name.c_str());
  return g_strv_builder_end(names);
}

/**
 * gst_sphere_camera_list_values:
 * @camera: a camera
 * @setting: the name of a setting
 *
 * The values that a setting may have, in words; a range of numbers as `MIN to MAX UNIT`.
 *
 * Returns: (transfer full) (nullable) (array zero-terminated=1): the values, or %NULL if there is
 *   no such setting
 *
 * Since: 0.2
 */
gchar** gst_sphere_camera_list_values(GstSphereCamera* camera, const gchar* setting) {
  g_return_val_if_fail(GST_IS_SPHERE_CAMERA(camera), nullptr);
  g_return_val_if_fail(setting, nullptr);
  const SettingInfo* info = find_setting(known_settings(camera), setting);
  if (!info) return nullptr;
  g_autoptr(GStrvBuilder) values = g_strv_builder_new();
  for (const SettingInfo::Choice& choice : info->choices)
    g_strv_builder_add(values, info->words_of(choice.value).c_str());
  if (const std::string range = info->range(); !range.empty())
    g_strv_builder_add(values, range.c_str());
  return g_strv_builder_end(values);
}

/**
 * gst_sphere_camera_read_settings_async:
 * @camera: a camera
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Reads all settings.
 *
 * Since: 0.2
 */
void gst_sphere_camera_read_settings_async(GstSphereCamera* camera, GCancellable* cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  const auto started = start_for(camera, gst_sphere_camera_read_settings_async, cancellable,
                                 callback, user_data, &Camera::settings, "settings");
  if (!started) return;
  const std::shared_ptr<AsyncCall>& call = started.call;
  started->read_all([call, settings = started.part](const CameraSettings::Values& values,
                                                    const std::optional<Failure>& failure) {
    if (failure) return call->fail(*failure);
    GstStructure* all = gst_structure_new_empty("sphere-camera-settings");
    for (const auto& [name, value] : values) {
      const SettingInfo* info = find_setting(settings->known(), name);
      const std::string words = info ? info->words_of(value) : std::to_string(value);
      gst_structure_set(all, name.c_str(), G_TYPE_STRING, words.c_str(), nullptr);
    }
    call->succeed(all);
  });
}

/**
 * gst_sphere_camera_read_settings_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_read_settings_async().
 *
 * Returns: (transfer full) (nullable): a structure with a string for each setting, or %NULL with
 *   @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH_POINTER(GstStructure, read_settings)

/**
 * gst_sphere_camera_set_setting_async:
 * @camera: a camera
 * @setting: the name of a setting
 * @value: one of gst_sphere_camera_list_values(), or a number
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Changes a setting.
 *
 * Since: 0.2
 */
void gst_sphere_camera_set_setting_async(GstSphereCamera* camera, const gchar* setting,
                                         const gchar* value, GCancellable* cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  g_return_if_fail(setting && value);
  const auto call = AsyncCall::start(camera, gst_sphere_camera_set_setting_async, cancellable,
                                     callback, user_data);
  const SettingInfo* info = find_setting(known_settings(camera), setting);
  if (!info)
    return call->fail(GST_SPHERE_ERROR_INVALID,
                      "there is no setting '" + printable(setting, 100) + "'");
  const Result<int64_t> number = info->parse(value);
  if (!number) return call->fail(GST_SPHERE_ERROR_INVALID, number.error().message);
  const std::shared_ptr<Camera> one = connected_camera(*call);
  CameraSettings* settings = part_of(*call, one, &Camera::settings, "settings");
  if (settings) settings->write(info->name, *number, call->done());
}

/**
 * gst_sphere_camera_set_setting_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_set_setting_async().
 *
 * Returns: whether the camera has done it; %FALSE with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH(set_setting)
