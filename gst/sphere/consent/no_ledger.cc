// SPDX-License-Identifier: LGPL-2.1-or-later
// Stands where the ledger is not built in: none can be opened, so that what names one is denied.

#include "gst/sphere/consent/source.h"

namespace sphere::consent {

Result<std::shared_ptr<GrantSource>> open_ledger(const std::string& name) {
  return unsupported("the consent ledger '" + name + "' can't be opened: no ledger support");
}

}  // namespace sphere::consent
