// SPDX-License-Identifier: LGPL-2.1-or-later
// Keeps secrets of a target out of GStreamer's debug log.

#pragma once

#include <initializer_list>

namespace sphere::live {

/// Some elements write what they are given, such as a stream key, into their debug log. From now on
/// these categories log warnings and errors at most, whatever GST_DEBUG says. An application that
/// sets its own thresholds later takes this back, so it is to be called before each use.
void limit_debug_log(std::initializer_list<const char*> categories);

}  // namespace sphere::live
