// SPDX-License-Identifier: LGPL-2.1-or-later
// The settings of the emulated sister camera, which have
// names and values in words.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sphere::madv_emulator {

class SisterSettings {
 public:
  SisterSettings() { reset(); }
  /// Back to the values of a new camera. The mode stays.
  void reset();

  const std::string& mode() const { return mode_; }
  bool is_photo_mode() const;
  /// False if there is no such mode.
  bool set_mode(std::string_view mode);

  /// Whether there is a setting with this name.
  bool has(std::string_view name) const;
  std::optional<std::string> value(std::string_view name) const;
  /// False if it has no such value.
  bool set(std::string_view name, std::string_view value);
  /// The values that a setting may have, as a list in JSON; empty if there is no such setting.
  std::optional<std::string> options(std::string_view name) const;
  /// All settings with their values, or those of the present mode, as a list in JSON. As in a real
  /// camera, a setting of several modes is told for each of them.
  std::string all() const;
  std::string of_this_mode() const;

 private:
  void add_group(std::string_view mode, std::string& list) const;

  std::map<std::string, std::string, std::less<>> values_;
  std::string mode_ = "normal_record";
};

}  // namespace sphere::madv_emulator
