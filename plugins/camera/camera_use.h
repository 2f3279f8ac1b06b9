// SPDX-License-Identifier: LGPL-2.1-or-later
// How elements come to the connection with a camera that they share, and whether they may fetch
// media over it.

#pragma once

#include <gst/gst.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/guard.h"
#include "hw/camera_client.h"
#include "hw/gstspherecamera.h"

namespace sphere::camera {

/// What the properties `location` and `camera` name.
struct Target {
  std::shared_ptr<hw::CameraClient> client;
  std::string file;  ///< relative to the card; empty if none is named
};

/// With `camera`, `location` may be a path on its card, or any URI, of which only the path counts.
/// The error says what to write.
Result<Target> find_target(const std::string& location, GstSphereCamera* camera,
                           std::chrono::seconds connect_timeout);

/// Installs the property `camera`.
void install_camera_property(GObjectClass* klass, guint id);

/// Sets the functions of an element's URI handler, which has the schemes of all families.
void install_uri_handler(gpointer iface, gchar* (*get_uri)(GstURIHandler*),
                         gboolean (*set_uri)(GstURIHandler*, const gchar*, GError**));

/// While it exists, the connection stays.
class CameraUse {
 public:
  CameraUse(std::shared_ptr<hw::CameraClient> client, std::function<bool()> may_store_tables)
      : client_(std::move(client)) {
    client_->hold(this, std::move(may_store_tables));
  }
  /// If nobody else uses the camera, this waits for the end of the connection: less than a second.
  ~CameraUse() {
    client_->release(this);
    client_->wait_until_free();
  }
  CameraUse(const CameraUse&) = delete;
  CameraUse& operator=(const CameraUse&) = delete;

  const std::shared_ptr<hw::CameraClient>& client() const { return client_; }

 private:
  const std::shared_ptr<hw::CameraClient> client_;
};

/// Whether media of a camera may come to this machine: consent to `storage` for `save`. If the
/// element has no source of consent, starting it is the act itself, unless the user's own ledger
/// says that consent was withdrawn. Used by one thread.
class StoragePermission {
 public:
  explicit StoragePermission(const consent::Consent& consent)
      : consent_(consent), guard_(consent, consent::Category::storage, consent::Purpose::save) {}

  bool allowed();
  /// Why the last allowed() was false, as a sentence with what to do.
  std::string problem() const;

 private:
  const consent::Consent& consent_;
  consent::Guard guard_;
  bool asked_ = false;
  bool has_source_ = false;
  bool withdrawn_ = false;
  consent::Consent::Version seen_;
};

/// For the property `camera`, which several threads may use.
class CameraProperty {
 public:
  ~CameraProperty() { set(nullptr); }
  void set(GstSphereCamera* camera);
  /// A new reference; null if it is not set.
  ObjectRef<GstSphereCamera> get() const;

 private:
  mutable Mutex mutex_;  // protects `camera_`; never held while an object is destroyed
  ObjectRef<GstSphereCamera> camera_ SPHERE_GUARDED_BY(mutex_);
};

}  // namespace sphere::camera
