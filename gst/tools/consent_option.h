// SPDX-License-Identifier: LGPL-2.1-or-later
// The options --consent and --ledger of the commands that write what was agreed.

#pragma once

#include <glib.h>

#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/consent/guard.h"

namespace sphere::tool {

class ConsentOption {
 public:
  ConsentOption() = default;
  ~ConsentOption();
  ConsentOption(const ConsentOption&) = delete;
  ConsentOption& operator=(const ConsentOption&) = delete;

  /// They point into this object.
  std::vector<GOptionEntry> entries();
  /// Opens what was named: the caps, the ledger, or both; by default the person's own ledger. To be
  /// called once, after gst_init().
  Status open(consent::Consent* consent) const;

 private:
  char* caps_ = nullptr;
  char* ledger_ = nullptr;
};

}  // namespace sphere::tool
