// SPDX-License-Identifier: LGPL-2.1-or-later
// Implements hw/camera_upkeep.h.

#pragma once

#include "hw/camera_upkeep.h"
#include "hw/madv/session.h"

namespace sphere::madv {

/// The network in the answer to `get-wifi`: lines AP_SSID=, AP_PASSWD= and AP_PUBLIC=.
hw::CameraWifi wifi_of(std::string_view lines);

class MadvUpkeep : public hw::CameraUpkeep {
 public:
  explicit MadvUpkeep(Session& session) : session_(session) {}

  void set_clock(Done done) override;
  Status check_wifi(const hw::CameraWifi& wifi) const override;
  void read_wifi(
      std::function<void(const hw::CameraWifi&, const std::optional<Failure>&)> done) override;
  void change_wifi(const hw::CameraWifi& wifi, Done done) override;
  std::string factory_password() const override { return "12345678"; }
  void change_power(Power power, Done done) override;
  void format_card(Done done) override;
  void reset(bool everything, Done done) override;
  void recover_video(Done done) override;
  void calibrate_level(Done done) override;
  Status check_firmware(const hw::FirmwareFile& file) const override;
  void upload_firmware(hw::FirmwareUpload upload, Done done) override;
  const std::vector<hw::FamilyCommand>& commands() const override;
  void call(const std::string& name, const std::optional<std::string>& value,
            const std::map<std::string, std::string>& fields,
            std::function<void(const std::string&, const std::optional<Failure>&)> done) override;

 private:
  Session& session_;
};

}  // namespace sphere::madv
