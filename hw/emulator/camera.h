// SPDX-License-Identifier: LGPL-2.1-or-later
// What a camera in software is, whatever its family: for who starts one and shows what it is asked.
// A family implements Camera, and registers an EmulatorFamily; nobody but its own tests includes
// its headers.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gst/sphere/base/result.h"
#include "hw/emulator/faults.h"
#include "hw/emulator/scene.h"

namespace sphere::emulator {

/// Answers from its start until it is destroyed, in threads of its own.
class Camera {
 public:
  Camera() = default;
  virtual ~Camera() = default;
  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;

  /// By the names of its family, in their order.
  virtual std::vector<std::pair<std::string, uint16_t>> named_ports() const = 0;
  /// Under which spherecamsrc finds it.
  virtual std::string uri() const = 0;
  virtual const std::string& card_folder() const = 0;
  /// The tracks of the preview that were set up, in order: 0 is the pictures', 1 the sound's. Those
  /// after a large number of them are not remembered.
  virtual std::vector<int> tracks() const = 0;

  /// A request, as a log may show it.
  struct Line {
    int64_t number;  ///< the first request is 0
    int client;
    std::string text;
  };
  /// Of the latest requests those that are not among the first `from`.
  virtual std::vector<Line> log(int64_t from) const = 0;
};

/// What any of them can be told at its start.
struct CameraSettings {
  /// The address on which it listens, in numbers.
  std::string host = "127.0.0.1";
  /// By name. One that is absent or 0 is any that is free.
  std::map<std::string, uint16_t, std::less<>> ports;
  /// One of the family's; empty: its first.
  std::string model;
  /// The folder that is its card; empty for one of its own, which goes with it.
  std::string card_folder;
  SceneSettings scene;
  /// In the camera's own form. None: it is made from the lens of the scene, where that can be.
  /// Empty: a camera without one.
  std::optional<std::string> lens_table;
  /// Whether answers take as long as a camera's, or no time.
  bool timing = false;
  std::vector<Fault> faults;
};

/// What is known of a family without a camera. `what` is for a person.
struct EmulatorFamily {
  /// Of the URIs, as that of hw::CameraFamily.
  const char* scheme;
  const char* what;
  struct Named {
    const char *name, *what;
  };
  std::vector<Named> ports;
  /// The names differ from those of other families.
  std::vector<Named> models;
  std::vector<const FaultInfo*> faults;
  /// Returns when all ports answer.
  Result<std::unique_ptr<Camera>> (*start)(CameraSettings settings);
};

/// A family is registered by a static object of its own source file, before main(). That file has
/// to be linked whole: nothing else refers to it.
struct RegisterEmulator {
  explicit RegisterEmulator(const EmulatorFamily& family);
};

/// All families, in the order of their schemes.
const std::vector<const EmulatorFamily*>& emulator_families();

}  // namespace sphere::emulator
