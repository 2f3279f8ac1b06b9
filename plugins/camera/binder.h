// SPDX-License-Identifier: LGPL-2.1-or-later
// Remembers the camera, as long as that is agreed to: asks for its serial number and the name of
// its Wi-Fi, and keeps them. Without consent neither is asked for, and nothing is kept.

#pragma once

#include <gst/gst.h>

#include <string>
#include <string_view>

#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/guard.h"
#include "gst/sphere/storage/binding.h"
#include "hw/madv/session.h"

namespace sphere::camera {

class Binder {
 public:
  Binder(GstElement* element, const consent::Consent& consent)
      : element_(element), consent_(consent) {}

  /// Of a session that begins.
  void restart();
  /// What the session's thread has seen.
  void table_came(std::string_view table);
  void camera_ready();
  /// Asks, keeps or forgets what is due. One thread's.
  void step(madv::Session& session);

 private:
  bool device_allowed() const;
  bool allowed() const;
  void ask(madv::Session& session);
  void replied(const madv::Reply& reply, bool wifi, const madv::Session& session);
  void keep(const storage::Binding& binding);

  GstElement* const element_;
  const consent::Consent& consent_;

  // Protects what follows; the innermost. Handlers of replies run in the session's thread.
  Mutex mutex_;
  bool ready_ SPHERE_GUARDED_BY(mutex_) = false;
  bool asked_ SPHERE_GUARDED_BY(mutex_) = false;
  bool table_given_ SPHERE_GUARDED_BY(mutex_) = false;  // to be kept, when it was looked at last
  storage::Binding camera_ SPHERE_GUARDED_BY(mutex_);
  std::string kept_ SPHERE_GUARDED_BY(mutex_);  // serial number of what was kept
};

}  // namespace sphere::camera
