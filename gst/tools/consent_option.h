// SPDX-License-Identifier: LGPL-2.1-or-later
// The options --consent and --ledger of the commands that write what was agreed.

#pragma once

#include <glib.h>

#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/consent/guard.h"

namespace sphere::tool {

/// gst_init() for commands that need types of GStreamer, but none of its elements: the list of
/// plugins is not read, which takes time and memory. To be called before there are threads.
void init_without_plugins();

class ConsentOption {
 public:
  ConsentOption() = default;
  ~ConsentOption();
  ConsentOption(const ConsentOption&) = delete;
  ConsentOption& operator=(const ConsentOption&) = delete;

  /// They point into this object.
  std::vector<GOptionEntry> entries();
  /// Opens what was named: the caps, the ledger, or both; by default the person's own ledger. To be
  /// called after gst_init() or init_without_plugins(), by any thread.
  Status open(consent::Consent* consent) const;
  /// The same for elements, which open it themselves: the caps as text and the name of the ledger.
  std::optional<std::string> caps() const;
  std::optional<std::string> ledger() const;

 private:
  char* caps_ = nullptr;
  char* ledger_ = nullptr;
};

}  // namespace sphere::tool
