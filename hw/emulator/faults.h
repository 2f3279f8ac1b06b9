// SPDX-License-Identifier: LGPL-2.1-or-later
// Faults that an emulated camera can be told to have: NAME, NAME:N or NAME:Ns (seconds). Each part
// of a camera declares its faults; a family's list has those of all its parts.

#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"

namespace sphere::emulator {

/// A kind of fault. There is exactly one object of each kind, because kinds are compared by their
/// addresses.
struct FaultInfo {
  const char* name;
  int usual;         ///< default of N
  const char* what;  ///< description for the user, in which N is the number
  int least = 0, most = 1000000;
  bool counts_requests = false;  ///< N may also be a time: "20s"
};

struct Fault {
  const FaultInfo* info;
  int n = 0;
  bool in_seconds = false;
};

/// Reads one of these faults: "silent", "busy:3", "reboot:20s", and so on.
Result<Fault> parse_fault(const std::vector<const FaultInfo*>& known, std::string_view text);

/// The fault of this kind, if the list has it.
std::optional<Fault> find_fault(const std::vector<Fault>& faults, const FaultInfo& kind);

}  // namespace sphere::emulator
