// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether a window can be shown.

#pragma once

#include <cstdlib>

namespace sphere {

/// Whether X or Wayland is there. Without them, autovideosink shows the pictures nowhere and says
/// nothing, or ends the process: it tries DirectFB, which crashes where it finds no screen.
inline bool has_screen() {
  for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY"}) {
    const char* value = std::getenv(name);
    if (value && *value) return true;
  }
  return false;
}

}  // namespace sphere
