// SPDX-License-Identifier: LGPL-2.1-or-later
// What `sphere doctor` found out about this machine.

#pragma once

#include <string>
#include <vector>

namespace sphere::tool {

struct Finding {
  enum class Verdict {
    good,
    fallback,  ///< it works, otherwise than it could; `remedy` says how it would
    wrong,     ///< something can't be done; `remedy` mends it
  };
  std::string topic;
  Verdict verdict = Verdict::good;
  std::string text;
  std::string remedy;
  /// Tells this machine from others: its GPU, its drivers, its system. For a report only with
  /// consent.
  bool environment = false;
};

std::vector<Finding> look_at_versions();
std::vector<Finding> look_at_elements();
std::vector<Finding> look_at_graphics();
std::vector<Finding> look_at_network();
std::vector<Finding> look_at_proxies();
std::vector<Finding> look_at_ledger();

}  // namespace sphere::tool
