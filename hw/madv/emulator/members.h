// SPDX-License-Identifier: LGPL-2.1-or-later
// Parts of the JSON that the emulated camera sends.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hw/madv/message.h"

namespace sphere::madv_emulator {

/// A member that follows others: it begins with a comma.
inline std::string member(const char* name, int64_t value) {
  return ",\"" + std::string(name) + "\":" + std::to_string(value);
}
inline std::string member(const char* name, std::string_view value) {
  return ",\"" + std::string(name) + "\":" + madv::json_string(value);
}

}  // namespace sphere::madv_emulator
