// SPDX-License-Identifier: LGPL-2.1-or-later
// The results of `sphere doctor`.

#pragma once

#include <string>
#include <vector>

namespace sphere::tool {

struct Finding {
  enum class State {
    good,
    fallback,  ///< it works, but not in the best way; `remedy` says how to improve it
    wrong,     ///< it does not work; `remedy` says how to repair it
  };
  std::string topic;
  State state = State::good;
  std::string text;
  std::string remedy;
  /// Identifies this machine: its GPU, its drivers, its system. In a report only with consent.
  bool environment = false;
};

std::vector<Finding> check_versions();
std::vector<Finding> check_elements();
std::vector<Finding> check_graphics();
std::vector<Finding> check_network();
std::vector<Finding> check_proxies();
std::vector<Finding> check_ledger();

}  // namespace sphere::tool
