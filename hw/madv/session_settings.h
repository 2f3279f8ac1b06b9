// SPDX-License-Identifier: LGPL-2.1-or-later
// What the settings of both protocols share: a value is asked for, or checked and sent, by name.

#pragma once

#include <optional>
#include <string>

#include "hw/camera_settings.h"
#include "hw/madv/session.h"

namespace sphere::madv {

class SessionSettings : public hw::CameraSettings {
 public:
  explicit SessionSettings(Session& session) : session_(session) {}

  void read(
      const std::string& name,
      std::function<void(std::optional<int64_t>, const std::optional<Failure>&)> done) override;
  void write(const std::string& name, int64_t value,
             std::function<void(const std::optional<Failure>&)> done) override;

 protected:
  virtual Request read_request(const std::string& name) const = 0;
  virtual Request write_request(const hw::SettingInfo& setting, int64_t value) const = 0;
  /// The value in the answer to a read_request(); none if it is not one of the setting.
  virtual std::optional<int64_t> value_in(const Message& answer, const std::string& name) const = 0;

  Session& session_;
};

}  // namespace sphere::madv
