// SPDX-License-Identifier: LGPL-2.1-or-later
// Implements hw/camera_settings.h with the table of commands.

#pragma once

#include "hw/camera_settings.h"
#include "hw/madv/session.h"

namespace sphere::madv {

class MadvSettings : public hw::CameraSettings {
 public:
  explicit MadvSettings(Session& session) : session_(session) {}

  const std::vector<hw::SettingInfo>& known() const override;
  void read_all(std::function<void(const Values&, const std::optional<Failure>&)> done) override;
  void read(
      const std::string& name,
      std::function<void(std::optional<int64_t>, const std::optional<Failure>&)> done) override;
  void write(const std::string& name, int64_t value,
             std::function<void(const std::optional<Failure>&)> done) override;

 private:
  Session& session_;
};

}  // namespace sphere::madv
