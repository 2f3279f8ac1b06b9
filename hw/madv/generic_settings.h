// SPDX-License-Identifier: LGPL-2.1-or-later
// Implements hw/camera_settings.h for the generic protocol, in which the camera itself tells which
// settings it has. A value is the place of its words in the camera's list.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gst/sphere/base/thread.h"
#include "hw/madv/session_settings.h"

namespace sphere::madv {

class GenericSettings : public SessionSettings {
 public:
  using SessionSettings::SessionSettings;

  /// Empty until read_all() has been called once: the camera is asked then.
  const std::vector<hw::SettingInfo>& known() const override;
  void read_all(std::function<void(const Values&, const std::optional<Failure>&)> done) override;

 protected:
  Request read_request(const std::string& name) const override;
  Request write_request(const hw::SettingInfo& setting, int64_t value) const override;
  std::optional<int64_t> value_in(const Message& answer, const std::string& name) const override;

 private:
  using Infos = std::vector<hw::SettingInfo>;
  struct Reading;
  void read_options(const std::shared_ptr<Reading>& reading);
  void finish(const std::shared_ptr<Reading>& reading);
  std::optional<int64_t> value_of(const std::string& name, const std::string& words) const;

  mutable Mutex mutex_;  // protects known_; the innermost
  /// Set once, and not changed afterwards: known() returns a reference.
  std::unique_ptr<const Infos> known_ SPHERE_GUARDED_BY(mutex_);
};

}  // namespace sphere::madv
