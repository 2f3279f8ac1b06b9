// SPDX-License-Identifier: LGPL-2.1-or-later
// What keeps a camera of any family in order: its clock, its Wi-Fi, its power, its card, and its
// firmware.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"
#include "hw/failure.h"

namespace sphere::hw {

/// The Wi-Fi network that a camera makes. Secret.
struct CameraWifi {
  std::string name;
  std::string password;
  bool open = false;  ///< without a password
};

/// What a file of firmware can be told by before it is sent.
struct FirmwareFile {
  /// So many bytes of `beginning` are enough for check_firmware().
  static constexpr size_t beginning_size = 4096;

  std::string name;  ///< without its folder
  uint64_t size = 0;
  std::string beginning;        ///< its first bytes
  bool remote_control = false;  ///< it is for the camera's remote control
};

/// New firmware for a camera, or for its remote control.
struct FirmwareUpload {
  FirmwareFile file;
  std::string md5;  ///< of all bytes, 32 digits
  /// Returns the next bytes, at most this many; called in the camera's thread.
  std::function<std::string(size_t most)> source;
};

/// A command of the family's own protocol, by name: for what has no function of its own here.
struct FamilyCommand {
  std::string name;
  std::string what;      ///< its value or its answer, in words
  bool service = false;  ///< for workshops: it may do harm
};

/// The functions call their handler exactly once, in the camera's thread or in the caller's.
class CameraUpkeep {
 public:
  using Done = std::function<void(const std::optional<Failure>&)>;

  CameraUpkeep() = default;
  virtual ~CameraUpkeep() = default;
  CameraUpkeep(const CameraUpkeep&) = delete;
  CameraUpkeep& operator=(const CameraUpkeep&) = delete;

  /// Sets the clock to the time of this machine.
  virtual void set_clock(Done done) = 0;
  /// What must be true of a new network's name and password; the error says what to write.
  virtual Status check_wifi(const CameraWifi& wifi) const = 0;
  virtual void read_wifi(
      std::function<void(const CameraWifi&, const std::optional<Failure>&)> done) = 0;
  /// The camera restarts its Wi-Fi afterwards: the connection is lost.
  virtual void change_wifi(const CameraWifi& wifi, Done done) = 0;
  /// The password that all cameras of the family have in the factory; empty if there is none.
  virtual std::string factory_password() const = 0;

  enum class Power { standby, wake, off };
  virtual void change_power(Power power, Done done) = 0;
  /// Removes all files.
  virtual void format_card(Done done) = 0;
  /// Sets all settings to their factory values. `everything`: also the Wi-Fi network and the clock.
  virtual void reset(bool everything, Done done) = 0;
  /// Repairs a video that was not closed.
  virtual void recover_video(Done done) = 0;
  /// Measures the position in which the camera stands upright.
  virtual void calibrate_level(Done done) = 0;
  /// Refuses a file that is plainly no firmware of this camera; the error says why.
  virtual Status check_firmware(const FirmwareFile& file) const = 0;
  /// Sends the firmware, then starts to write it. What check_firmware() refuses is not sent.
  virtual void upload_firmware(FirmwareUpload upload, Done done) = 0;

  /// All commands that the family knows, in the order of its protocol.
  virtual const std::vector<FamilyCommand>& commands() const = 0;
  /// `fields`: more members of the message, for the commands that need them. `answer` is the value
  /// that the camera answers, or its whole message if that has no value; it may be secret.
  virtual void call(
      const std::string& name, const std::optional<std::string>& value,
      const std::map<std::string, std::string>& fields,
      std::function<void(const std::string& answer, const std::optional<Failure>&)> done) = 0;
};

}  // namespace sphere::hw
