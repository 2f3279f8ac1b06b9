// SPDX-License-Identifier: LGPL-2.1-or-later
// What an emulated camera does wrong when it is asked to: NAME or NAME:N.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"

namespace sphere::emulator {

enum class FaultKind {
  silent,
  refuse,
  busy,
  garbage,
  huge,
  brackets,
  wrong_token,
  drop,
  reboot,
  late,
  split,
  chatty,
  no_card,
  card_full,
  low_battery,
  no_table,
  bad_table,
  no_data,
  rtsp_404,
  rtsp_401,
  rtsp_453,
  rtsp_gone,
  rtp_loss,
};

struct Fault {
  FaultKind kind;
  int n = 0;
};

struct FaultInfo {
  FaultKind kind;
  const char* name;
  int usual;         ///< N where none is given
  const char* what;  ///< for a person, N as a letter
};

const std::vector<FaultInfo>& fault_list();

/// "silent", "busy:3", ...
Result<Fault> parse_fault(std::string_view text);

/// The fault of this kind, if it is among them.
std::optional<Fault> find_fault(const std::vector<Fault>& faults, FaultKind kind);

}  // namespace sphere::emulator
