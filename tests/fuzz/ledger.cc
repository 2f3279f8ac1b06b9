// SPDX-License-Identifier: LGPL-2.1-or-later
// A consent ledger of any bytes: it reads or it does not, what it reads is what was written, and
// what was cut off never gives.

#include <gst/gst.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gst/sphere/consent/chain.h"

using namespace sphere;
using namespace sphere::consent;

namespace {

constexpr int64_t now = INT64_C(1900000000) * G_USEC_PER_SEC;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool ready = [] {
    gst_init(nullptr, nullptr);
    return true;
  }();
  if (!ready || size > 65536) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto chain = read_chain(text);
  if (!chain) {
    if (chain.error().message.empty()) abort();
    return 0;
  }
  std::string again;
  for (const Entry& entry : chain->entries) again += serialise(entry) + "\n";
  if (again.size() != chain->whole || again.size() + chain->torn != size ||
      again != text.substr(0, chain->whole))
    abort();
  const CapsRef caps = caps_of(*chain, now);
  for (const CategoryInfo& info : categories)
    for (size_t i = 0; i < purpose_names.size(); ++i) {
      const auto purpose = static_cast<Purpose>(i);
      if (!evaluate(caps.get(), info.category, purpose, now).allowed) continue;
      // Only what a whole entry said is given.
      bool said = false;
      for (const Entry& entry : chain->entries)
        said = said || (entry.act == Act::give && entry.category == info.category &&
                        (entry.purposes & bit(purpose)));
      if (!said || chain->torn_withdrawal) abort();
    }
  return 0;
}
