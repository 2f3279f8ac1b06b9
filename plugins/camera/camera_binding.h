// SPDX-License-Identifier: LGPL-2.1-or-later
// Stores the serial number of the camera and the name of its Wi-Fi, while there is consent. Without
// consent they are neither requested nor stored.

#pragma once

#include <gst/gst.h>

#include <string>
#include <string_view>

#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/guard.h"
#include "gst/sphere/storage/binding.h"
#include "hw/camera.h"

namespace sphere::camera {

class CameraBinding {
 public:
  CameraBinding(GstElement* element, const consent::Consent& consent)
      : element_(element), consent_(consent) {}

  /// To be called when a connection to the camera begins.
  void restart();
  /// Called in the camera's thread.
  void set_lens_table(std::string_view table);
  void set_no_lens_table();
  void set_camera_ready();
  /// Requests, stores or removes the data as consent allows. Called by one thread only.
  void update(const hw::CameraFamily& family, hw::Camera& camera);

 private:
  bool device_allowed() const;
  bool allowed() const;
  void identified(const hw::CameraIdentity& identity, const hw::Camera& camera);
  void keep(const storage::Binding& binding);

  GstElement* const element_;
  const consent::Consent& consent_;

  // Protects what follows; the innermost: handlers of answers run in the camera's thread.
  Mutex mutex_;
  bool ready_ SPHERE_GUARDED_BY(mutex_) = false;
  bool table_settled_ SPHERE_GUARDED_BY(mutex_) = false;  // it is known, or will not come
  bool asked_ SPHERE_GUARDED_BY(mutex_) = false;
  // Whether there was consent to store a table when it was checked last.
  bool table_given_ SPHERE_GUARDED_BY(mutex_) = false;
  std::string table_ SPHERE_GUARDED_BY(mutex_);  // MD5
  std::string kept_ SPHERE_GUARDED_BY(mutex_);   // the serial number of what was kept
};

}  // namespace sphere::camera
