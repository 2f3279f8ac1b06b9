// SPDX-License-Identifier: LGPL-2.1-or-later
// What this machine keeps of a camera so that it knows it again: a file for each, below the XDG
// data folder. Whoever writes one asks for consent before and after: device and network, for bind.

#pragma once

#include <string>

#include "gst/sphere/base/result.h"

namespace sphere::storage {

struct Binding {
  std::string model, serial, firmware, wifi;
  std::string table;  // MD5 of its lens table; empty: not known
};

/// Where the binding of a camera is; its serial number is not in the name.
std::string binding_path(const std::string& serial);
/// A binding with texts that no camera says is refused.
Status write_binding(const Binding& binding);
Result<Binding> read_binding(const std::string& path);
/// The camera is forgotten, and its lens table with it.
Status remove_binding(const std::string& serial);

}  // namespace sphere::storage
