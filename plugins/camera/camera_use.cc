// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/camera_use.h"

#include <utility>

#include "gst/sphere/consent/ledger.h"
#include "hw/camera.h"

namespace sphere::camera {

using consent::Category;

namespace {

/// "DCIM/a.JPG" of a path with or without a slash before it; empty if it is a URI.
std::string path_of(const std::string& location) {
  if (location.find("://") != std::string::npos) return {};
  return location.starts_with('/') ? location.substr(1) : location;
}

}  // namespace

Result<Target> find_target(const std::string& location, GstSphereCamera* camera,
                           std::chrono::seconds connect_timeout) {
  Target target;
  std::string uri = location.empty() ? hw::default_location() : location;
  if (camera) {
    target.client = hw::lent_client(G_OBJECT(camera));
    if (!target.client)
      return invalid("the property camera is an object whose location is not the URI of a camera");
    target.file = path_of(location);
    if (location.empty() || !target.file.empty()) return target;
  }
  const Result<const hw::CameraFamily*> family = hw::find_family(uri);
  if (!family) return family.error();
  Result<hw::CameraLocation> parts = hw::split_location(**family, uri);
  if (!parts) return parts.error();
  target.file = std::move(parts->file);
  if (target.client) return target;
  auto client = hw::CameraClient::shared(uri, connect_timeout);
  if (!client) return client.error();
  target.client = std::move(*client);
  return target;
}

void install_camera_property(GObjectClass* klass, guint id) {
  g_object_class_install_property(
      klass, id,
      g_param_spec_object("camera", "Camera",
                          "A GstSphereCamera whose connection is used; the camera that location "
                          "names is ignored then",
                          GST_TYPE_SPHERE_CAMERA,
                          static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_READY)));
}

void install_uri_handler(gpointer iface, gchar* (*get_uri)(GstURIHandler*),
                         gboolean (*set_uri)(GstURIHandler*, const gchar*, GError**)) {
  auto* handler = static_cast<GstURIHandlerInterface*>(iface);
  handler->get_type = [](GType) { return GST_URI_SRC; };
  handler->get_protocols = [](GType) {
    // Never freed, because GStreamer keeps the pointer.
    static const gchar* const* const schemes = [] {
      const auto families = hw::camera_families();
      auto** all = g_new0(const gchar*, families.size() + 1);
      for (size_t i = 0; i < families.size(); ++i) all[i] = families[i]->scheme;
      return all;
    }();
    return schemes;
  };
  handler->get_uri = get_uri;
  handler->set_uri = set_uri;
}

bool StoragePermission::allowed() {
  const consent::Consent::Version version = consent_.version();
  if (!std::exchange(asked_, true) || !(version == seen_)) {
    seen_ = version;
    has_source_ = consent_.caps() || consent_.has_context() || consent_.ledger();
    withdrawn_ = !has_source_ && consent::own_ledger_withdraws(Category::storage);
  }
  return has_source_ ? guard_.allowed(version) : !withdrawn_;
}

std::string StoragePermission::problem() const {
  if (has_source_)
    return "Media of the camera may not come to this machine: consent to storage for save is not "
           "given (" +
           guard_.answer().reason + ")";
  return "You have withdrawn consent to storing media of a camera on this machine; 'sphere consent "
         "give storage' gives it again";
}

void CameraProperty::set(GstSphereCamera* camera) {
  ObjectRef<GstSphereCamera> other(camera ? GST_SPHERE_CAMERA(g_object_ref(camera)) : nullptr);
  const Lock lock(mutex_);
  camera_.swap(other);
}

ObjectRef<GstSphereCamera> CameraProperty::get() const {
  const Lock lock(mutex_);
  return ObjectRef<GstSphereCamera>(camera_ ? GST_SPHERE_CAMERA(g_object_ref(camera_.get()))
                                            : nullptr);
}

}  // namespace sphere::camera
