// SPDX-License-Identifier: LGPL-2.1-or-later
// The JSON output of the verbs of `sphere consent`.

#pragma once

#include <array>

#include "gst/sphere/base/json_writer.h"
#include "gst/sphere/consent/chain.h"

namespace sphere::tool {

constexpr std::array<const char*, 5> state_names = {"never given", "given", "withdrawn", "outdated",
                                                    "expired"};
inline const char* name_of_state(consent::CategoryState::State state) {
  return state_names[static_cast<size_t>(state)];
}

inline void add_purposes(JsonWriter& json, const char* name, consent::Purposes set) {
  json.open_list(name);
  for (size_t i = 0; i < consent::purpose_names.size(); ++i)
    if (set & consent::bit(static_cast<consent::Purpose>(i))) json.item(consent::purpose_names[i]);
  json.close_list();
}

}  // namespace sphere::tool
