// SPDX-License-Identifier: LGPL-2.1-or-later
// What the elements have in common that fetch media from a camera's card.

#pragma once

#include <gst/base/gstbasesrc.h>

#include <functional>

#include "gst/sphere/base/element.h"
#include "gst/sphere/base/guarded.h"
#include "gst/sphere/base/printable.h"
#include "gst/sphere/consent/element.h"
#include "plugins/camera/camera_use.h"

namespace sphere::camera {

/// The C++ object of such an element derives from it. `Settings` are the values of its properties.
template <typename Settings>
class CardSource {
 public:
  explicit CardSource(GstBaseSrc* element) : element_(element), permission_(consent) {}

  sphere::consent::Consent consent;

 protected:
  /// Whether media may come to this machine now. If not, an error was posted. Used by the streaming
  /// thread.
  bool may_fetch() {
    if (permission_.allowed()) return true;
    GST_ELEMENT_ERROR(element_, RESOURCE, NOT_AUTHORIZED,
                      ("%s.", printable(permission_.problem()).c_str()), (nullptr));
    return false;
  }
  /// For the use of the camera: whether its lens table may be stored.
  std::function<bool()> may_store_tables() const {
    return [this] {
      return consent.allowed(sphere::consent::Category::device, sphere::consent::Purpose::bind);
    };
  }

  GstBaseSrc* const element_;
  Guarded<Settings> settings_;
  CameraProperty camera_;

 private:
  StoragePermission permission_;
};

/// For the class_init of such an element: properties, states, contexts, and what GstBaseSrc needs
/// to start, to stop and to interrupt it.
template <typename Instance>
void install_card_source(GstBaseSrcClass* klass) {
  install_object<Instance>(G_OBJECT_CLASS(klass));
  consent::install_element<Instance>(GST_ELEMENT_CLASS(klass));
  consent::install_properties(G_OBJECT_CLASS(klass));
  klass->start = [](GstBaseSrc* element) -> gboolean { return self_of<Instance>(element).start(); };
  klass->stop = [](GstBaseSrc* element) -> gboolean {
    self_of<Instance>(element).stop();
    return TRUE;
  };
  klass->unlock = [](GstBaseSrc* element) -> gboolean {
    self_of<Instance>(element).set_flushing(true);
    return TRUE;
  };
  klass->unlock_stop = [](GstBaseSrc* element) -> gboolean {
    self_of<Instance>(element).set_flushing(false);
    return TRUE;
  };
}

}  // namespace sphere::camera
