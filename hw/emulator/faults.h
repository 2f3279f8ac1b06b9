// SPDX-License-Identifier: LGPL-2.1-or-later
// What an emulated camera does wrong when it is asked to: NAME or NAME:N. Each part of a camera
// says which faults it has; a family's list has those of all its parts.

#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"

namespace sphere::emulator {

/// One kind of fault. There is one object of each: kinds are told apart by their addresses.
struct FaultInfo {
  const char* name;
  int usual;         ///< N where none is given
  const char* what;  ///< for a person, N as a letter
  int least = 0, most = 1000000;
};

struct Fault {
  const FaultInfo* info;
  int n = 0;
};

/// "silent", "busy:3", ... of these.
Result<Fault> parse_fault(const std::vector<const FaultInfo*>& known, std::string_view text);

/// The fault of this kind, if it is among them.
std::optional<Fault> find_fault(const std::vector<Fault>& faults, const FaultInfo& kind);

}  // namespace sphere::emulator
