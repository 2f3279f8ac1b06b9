// SPDX-License-Identifier: LGPL-2.1-or-later
// Remembers the camera, while that is agreed to: asks for its serial number and the name of its
// Wi-Fi, and keeps them. Without consent neither is asked for, and nothing is kept.

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

  /// A connection to the camera begins.
  void restart();
  /// From the camera's thread.
  void set_lens_table(std::string_view table);
  void set_camera_ready();
  /// Asks, keeps or forgets what is due. One thread's.
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
  bool asked_ SPHERE_GUARDED_BY(mutex_) = false;
  // Whether a table might be kept when that was looked at last.
  bool table_given_ SPHERE_GUARDED_BY(mutex_) = false;
  std::string table_ SPHERE_GUARDED_BY(mutex_);  // MD5
  std::string kept_ SPHERE_GUARDED_BY(mutex_);   // the serial number of what was kept
};

}  // namespace sphere::camera
