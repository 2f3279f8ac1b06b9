// SPDX-License-Identifier: LGPL-2.1-or-later
// What a person does to the emulated camera while it runs, as lines of text.

#pragma once

#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"
#include "hw/emulator/camera.h"
#include "hw/madv/emulator/control.h"

namespace sphere::madv_emulator {

/// The lines that execute() knows.
const std::vector<emulator::EmulatorFamily::Named>& order_list();

/// Executes a line. The error says what is wrong with it.
Status execute(Control& control, std::string_view line);

}  // namespace sphere::madv_emulator
