// SPDX-License-Identifier: LGPL-2.1-or-later
// GstSphereDevice: a camera that was found. Its element is spherecamsrc.

#include "plugins/camera/spheredevice.h"

#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/printable.h"

namespace {

constexpr const char* element_name = "spherecamsrc";

}  // namespace

struct _GstSphereDevice {
  GstDevice parent;
  gchar* location;
};

G_DEFINE_FINAL_TYPE(GstSphereDevice, gst_sphere_device, GST_TYPE_DEVICE)

namespace {

GstElement* create_element(GstDevice* device, const gchar* name) {
  GstElement* element = gst_element_factory_make(element_name, name);
  if (element) g_object_set(element, "location", GST_SPHERE_DEVICE(device)->location, nullptr);
  return element;
}

gboolean reconfigure_element(GstDevice* device, GstElement* element) {
  const GstElementFactory* factory = gst_element_get_factory(element);
  if (!factory || g_strcmp0(GST_OBJECT_NAME(factory), element_name) != 0) return FALSE;
  g_object_set(element, "location", GST_SPHERE_DEVICE(device)->location, nullptr);
  return TRUE;
}

std::string host_of(const std::string& location) {
  const size_t begin = location.find("://");
  if (begin == std::string::npos) return location;
  return location.substr(begin + 3, location.find_first_of("/?", begin + 3) - begin - 3);
}

}  // namespace

static void gst_sphere_device_finalize(GObject* object) {
  g_free(GST_SPHERE_DEVICE(object)->location);
  G_OBJECT_CLASS(gst_sphere_device_parent_class)->finalize(object);
}

static void gst_sphere_device_init(GstSphereDevice*) {}

static void gst_sphere_device_class_init(GstSphereDeviceClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = gst_sphere_device_finalize;
  GST_DEVICE_CLASS(klass)->create_element = create_element;
  GST_DEVICE_CLASS(klass)->reconfigure_element = reconfigure_element;
}

namespace sphere::camera {

GstDevice* make_device(const hw::FoundCamera& camera) {
  const CapsRef caps(gst_caps_from_string(camera.family->video_caps));
  GstStructure* properties = gst_structure_new(
      "sphere-camera-device", "location", G_TYPE_STRING, camera.location.c_str(), "family",
      G_TYPE_STRING, camera.family->scheme, "in-use", G_TYPE_BOOLEAN, camera.in_use, nullptr);
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty())
      gst_structure_set(properties, name, G_TYPE_STRING, printable(value, 100).c_str(), nullptr);
  };
  add("model", camera.state.model);
  add("firmware", camera.state.firmware);
  if (camera.state.battery_percent)
    gst_structure_set(properties, "battery", G_TYPE_INT, *camera.state.battery_percent, nullptr);
  const std::string name = "360 camera at " + host_of(camera.location);
  auto* device = GST_SPHERE_DEVICE(
      g_object_new(GST_TYPE_SPHERE_DEVICE, "display-name", name.c_str(), "device-class",
                   "Video/Source/Network", "caps", caps.get(), "properties", properties, nullptr));
  gst_structure_free(properties);
  device->location = g_strdup(camera.location.c_str());
  return GST_DEVICE(device);
}

}  // namespace sphere::camera
