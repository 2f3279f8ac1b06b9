// SPDX-License-Identifier: LGPL-2.1-or-later
// What this machine stores of a camera to recognise it later: one file for each camera, in the XDG
// data folder. The caller must check consent before and after it writes one: categories device and
// network, purpose bind.

#pragma once

#include <string>

#include "gst/sphere/base/result.h"

namespace sphere::storage {

struct Binding {
  std::string model, serial, firmware, wifi;
  std::string table;  // MD5 of its lens table; empty: not known
};

/// The path of a camera's binding. The name does not contain the serial number.
std::string binding_path(const std::string& serial);
/// Returns an error if a text is longer than a camera's can be, or has control characters.
Status write_binding(const Binding& binding);
Result<Binding> read_binding(const std::string& path);
/// Removes the file of a camera, and its lens table.
Status remove_binding(const std::string& serial);

}  // namespace sphere::storage
