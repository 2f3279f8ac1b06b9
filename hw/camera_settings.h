// SPDX-License-Identifier: LGPL-2.1-or-later
// The settings of cameras of all families, by name.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gst/sphere/base/result.h"
#include "hw/failure.h"

namespace sphere::hw {

/// One setting, with the values that it may have: the choices, and the numbers from min to max.
struct SettingInfo {
  struct Choice {
    int64_t value;
    std::string words;
  };
  std::string name;  ///< such as "video-resolution"
  std::vector<Choice> choices;
  int64_t min = 0, max = -1;  ///< max < min: choices only
  int64_t fraction_base = 0;  ///< the number base + n means 1/n; 0: numbers mean themselves
  std::string unit;           ///< of the numbers, such as "s"; of choices: of those in their words
  std::string note;
  std::optional<int64_t> factory;
  bool kept = false;  ///< is kept when the camera is switched off

  /// The words of a choice, or the number with its unit.
  std::string words_of(int64_t value) const;
  /// The value of words, of a number, or of a number with its unit. The error names the values that
  /// are possible.
  Result<int64_t> parse(std::string_view text) const;
  /// Whether this value is possible.
  bool takes(int64_t value) const;
  /// The values that are possible, as text: "off, on" or "0 to 5 min".
  std::string possible() const;
  /// The numbers that are possible, as text; empty if there are only choices.
  std::string range() const;
};

/// The functions call their handler exactly once, in the camera's thread or in the caller's.
class CameraSettings {
 public:
  using Values = std::vector<std::pair<std::string, int64_t>>;

  CameraSettings() = default;
  virtual ~CameraSettings() = default;
  CameraSettings(const CameraSettings&) = delete;
  CameraSettings& operator=(const CameraSettings&) = delete;

  /// All settings that the family knows, sorted by name. Needs no connection.
  virtual const std::vector<SettingInfo>& known() const = 0;
  /// The values that the camera tells, by name. A setting that it does not have is missing.
  virtual void read_all(std::function<void(const Values&, const std::optional<Failure>&)> done) = 0;
  virtual void read(
      const std::string& name,
      std::function<void(std::optional<int64_t>, const std::optional<Failure>&)> done) = 0;
  virtual void write(const std::string& name, int64_t value,
                     std::function<void(const std::optional<Failure>&)> done) = 0;
};

/// The setting with this name; null if there is none.
const SettingInfo* find_setting(const std::vector<SettingInfo>& settings, std::string_view name);

}  // namespace sphere::hw
