// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/camera_binding.h"

#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/md5.h"

GST_DEBUG_CATEGORY_EXTERN(spherecamsrc_debug);
#define GST_CAT_DEFAULT spherecamsrc_debug

namespace sphere::camera {

using consent::Category;
using consent::Purpose;
using storage::Binding;

bool CameraBinding::device_allowed() const {
  return consent_.allowed(Category::device, Purpose::bind);
}

bool CameraBinding::allowed() const {
  return device_allowed() && consent_.allowed(Category::network, Purpose::bind);
}

void CameraBinding::restart() {
  const Lock lock(mutex_);
  ready_ = asked_ = table_given_ = table_settled_ = false;
  table_.clear();
  kept_.clear();
}

void CameraBinding::set_lens_table(std::string_view table) {
  std::string md5 = md5_of(table);
  const Lock lock(mutex_);
  table_ = std::move(md5);
  table_settled_ = true;
}

void CameraBinding::set_no_lens_table() {
  const Lock lock(mutex_);
  table_settled_ = true;
}

void CameraBinding::set_camera_ready() {
  const Lock lock(mutex_);
  ready_ = true;
}

void CameraBinding::update(const hw::CameraFamily& family, hw::Camera& camera) {
  const bool device = device_allowed(), may = device && allowed();
  std::string forget, table;
  bool ask = false;
  {
    const Lock lock(mutex_);
    if (std::exchange(table_given_, device) && !device) table = table_;
    if (!may) forget = std::exchange(kept_, {});
    ask = may && ready_ && table_settled_ && !asked_;
    asked_ = may && (asked_ || ask);
  }
  // Consent may be withdrawn while the request is queued.
  if (ask)
    camera.identify([this] { return allowed(); },
                    [this, &camera](const std::optional<hw::CameraIdentity>& identity) {
                      if (identity) identified(*identity, camera);
                    });
  if (!table.empty() && family.forget_table) family.forget_table(table);
  if (!forget.empty() && !storage::remove_binding(forget))
    GST_WARNING_OBJECT(element_,
                       "the stored data about this camera can't be removed; `sphere consent sweep` "
                       "tries it again");
}

void CameraBinding::identified(const hw::CameraIdentity& identity, const hw::Camera& camera) {
  if (!allowed() || identity.serial.empty()) return;
  // Called without the lock, because the camera has a lock of its own.
  const hw::CameraState state = camera.state();
  Binding binding{state.model, identity.serial, state.firmware, identity.wifi, {}};
  {
    const Lock lock(mutex_);
    binding.table = table_;
    kept_ = identity.serial;
  }
  keep(binding);
}

void CameraBinding::keep(const Binding& binding) {
  if (!storage::write_binding(binding)) {
    GST_WARNING_OBJECT(element_, "the data about this camera can't be stored");
    return;
  }
  // Consent was withdrawn meanwhile. The withdrawal may have removed the stored data before this
  // was written.
  if (!allowed()) (void)storage::remove_binding(binding.serial);
}

}  // namespace sphere::camera
