// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/emulator/camera.h"

#include <algorithm>

namespace sphere::emulator {

namespace {

/// Made at its first use, because the order of static objects in different files is not defined. It
/// is only changed by these objects, in the one thread before main().
std::vector<const EmulatorFamily*>& families() {
  static std::vector<const EmulatorFamily*> all;
  return all;
}

}  // namespace

RegisterEmulator::RegisterEmulator(const EmulatorFamily& family) {
  families().push_back(&family);
  std::ranges::sort(families(), {},
                    [](const EmulatorFamily* one) { return std::string_view(one->scheme); });
}

const std::vector<const EmulatorFamily*>& emulator_families() { return families(); }

}  // namespace sphere::emulator
