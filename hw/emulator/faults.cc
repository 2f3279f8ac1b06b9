// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/emulator/faults.h"

#include <glib.h>

#include <algorithm>
#include <string>

namespace sphere::emulator {

Result<Fault> parse_fault(const std::vector<const FaultInfo*>& known, std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const auto found = std::find_if(known.begin(), known.end(),
                                  [&](const FaultInfo* one) { return one->name == name; });
  if (found == known.end()) {
    std::string names;
    for (const FaultInfo* one : known)
      names += (names.empty() ? "" : ", ") + std::string(one->name);
    return invalid("there is no fault '" + std::string(name) + "'; known are " + names);
  }
  const FaultInfo& info = **found;
  if (colon == std::string_view::npos) return Fault{&info, info.usual};
  guint64 n = 0;
  std::string number(text.substr(colon + 1));
  const bool in_seconds = info.counts_requests && number.ends_with('s');
  if (in_seconds) number.pop_back();
  if (!g_ascii_string_to_unsigned(number.c_str(), 10, static_cast<guint64>(info.least),
                                  static_cast<guint64>(info.most), &n, nullptr))
    return invalid("'" + std::string(text) + "': after the colon a number from " +
                   std::to_string(info.least) + " to " + std::to_string(info.most) + " is due" +
                   (info.counts_requests ? ", or seconds, such as 20s" : ""));
  return Fault{&info, static_cast<int>(n), in_seconds};
}

std::optional<Fault> find_fault(const std::vector<Fault>& faults, const FaultInfo& kind) {
  const auto found = std::find_if(faults.begin(), faults.end(),
                                  [&](const Fault& fault) { return fault.info == &kind; });
  return found == faults.end() ? std::nullopt : std::optional<Fault>(*found);
}

}  // namespace sphere::emulator
