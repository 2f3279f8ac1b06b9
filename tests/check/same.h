// SPDX-License-Identifier: LGPL-2.1-or-later
// Small things that many tests need.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <string>

#include <gst/check/gstcheck.h>

namespace sphere::test {

inline void same(const std::string& a, const std::string& b) {
  fail_unless_equals_string(a.c_str(), b.c_str());
}

inline void write_file(const std::string& path, const std::string& bytes) {
  fail_unless(
      g_file_set_contents(path.c_str(), bytes.data(), static_cast<gssize>(bytes.size()), nullptr));
}

}  // namespace sphere::test
