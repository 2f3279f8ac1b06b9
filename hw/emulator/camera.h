// SPDX-License-Identifier: LGPL-2.1-or-later
// The interface of emulated cameras of all families, for programs that start one and show its
// requests. A family implements Camera and registers an EmulatorFamily. Only its own tests include
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

/// Runs in its own threads from its start until it is destroyed.
class Camera {
 public:
  Camera() = default;
  virtual ~Camera() = default;
  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;

  /// Ports with the names and the order of its family.
  virtual std::vector<std::pair<std::string, uint16_t>> named_ports() const = 0;
  /// The URI for spherecamsrc.
  virtual std::string uri() const = 0;
  virtual const std::string& card_folder() const = 0;
  /// The tracks of the preview that were set up, in order: 0 is the pictures, 1 the sound. The
  /// number of entries is limited.
  virtual std::vector<int> tracks() const = 0;

  /// A request in the form for a log.
  struct Line {
    int64_t number;  ///< the first request is 0
    int client;
    std::string text;
  };
  /// The latest requests, without the first `from` of all.
  virtual std::vector<Line> log(int64_t from) const = 0;

  /// Does what a line of its family's orders says. The error says what is wrong with the line.
  virtual Status execute(const std::string& line) = 0;
};

/// Settings of all families.
struct CameraSettings {
  /// The numeric address on which it listens.
  std::string host = "127.0.0.1";
  /// Ports by name. If one is missing or 0, any free port is used.
  std::map<std::string, uint16_t, std::less<>> ports;
  /// A model of the family; empty: the first one.
  std::string model;
  /// The folder of its card; empty for a temporary one, which is removed at the end.
  std::string card_folder;
  SceneSettings scene;
  /// The lens table in the camera's own format. No value: it is made from the lens of the scene, if
  /// possible. Empty: a camera without one.
  std::optional<std::string> lens_table;
  /// A certificate and its key, as PEM, for a web server over HTTPS; empty: there is none.
  std::string certificate;
  /// Whether answers take as long as a real camera's; else no time.
  bool timing = false;
  std::vector<Fault> faults;
};

/// The description of a family. `what` is text for the user.
struct EmulatorFamily {
  /// The scheme of the URIs, as in hw::CameraFamily.
  const char* scheme;
  const char* what;
  struct Named {
    const char *name, *what;
  };
  std::vector<Named> ports;
  /// Model names must be different from those of other families.
  std::vector<Named> models;
  std::vector<const FaultInfo*> faults;
  /// The lines that a running camera executes.
  std::vector<Named> orders;
  /// Returns when all ports answer.
  Result<std::unique_ptr<Camera>> (*start)(CameraSettings settings);
};

/// A family is registered by a static object in its source file, before main(). The linker must not
/// drop this file, although nothing refers to it.
struct RegisterEmulator {
  explicit RegisterEmulator(const EmulatorFamily& family);
};

/// All families, sorted by scheme.
const std::vector<const EmulatorFamily*>& emulator_families();

}  // namespace sphere::emulator
