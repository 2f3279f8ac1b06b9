// SPDX-License-Identifier: LGPL-2.1-or-later
// Notices in a ledger that consent to sound was taken back, even if it was never given there.

#pragma once

#include <string>

#include "gst/sphere/consent/guard.h"
#include "gst/sphere/consent/ledger.h"

namespace sphere::live {

class WithdrawalWatch {
 public:
  /// What is in the ledger now does not count.
  explicit WithdrawalWatch(const std::string& ledger) : ledger_(ledger) {
    // One that can't be opened is noticed by read().
    (void)consent_.set_ledger(ledger);
    seen_ = consent_.version();
    if (const auto chain = ledger_.read()) last_ = number_in(*chain);
  }

  /// Whether sound was taken back since, or may have been. Costs two system calls while nothing
  /// changes.
  bool has_come() {
    const consent::Consent::Version now = consent_.version();
    if (now == seen_) return false;
    seen_ = now;
    const auto chain = ledger_.read();
    if (!chain || chain->blocked || chain->torn_withdrawal || ledger_.blocked()) return true;
    const auto& audio = chain->last[static_cast<size_t>(consent::Category::audio)];
    return audio.number > last_ && !audio.given;
  }

 private:
  static int number_in(const consent::ChainState& chain) {
    return chain.last[static_cast<size_t>(consent::Category::audio)].number;
  }

  const consent::Ledger ledger_;
  consent::Consent consent_;
  consent::Consent::Version seen_;
  int last_ = -1;
};

}  // namespace sphere::live
