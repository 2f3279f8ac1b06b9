// SPDX-License-Identifier: LGPL-2.1-or-later
// Implements hw/camera_settings.h with the table of commands.

#pragma once

#include "hw/madv/session_settings.h"

namespace sphere::madv {

class MadvSettings : public SessionSettings {
 public:
  using SessionSettings::SessionSettings;

  const std::vector<hw::SettingInfo>& known() const override;
  void read_all(std::function<void(const Values&, const std::optional<Failure>&)> done) override;

 protected:
  Request read_request(const std::string& name) const override;
  Request write_request(const hw::SettingInfo& setting, int64_t value) const override;
  std::optional<int64_t> value_in(const Message& answer, const std::string& name) const override;
};

}  // namespace sphere::madv
