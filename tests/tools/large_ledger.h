// SPDX-License-Identifier: LGPL-2.1-or-later
// The text of a consent ledger that is nearly as large as one may be.

#pragma once

#include <string>

#include "gst/sphere/consent/chain.h"
#include "gst/sphere/consent/ledger.h"
#include "gst/sphere/consent/notice.h"

namespace sphere::test {

/// Acts about location only, as many as a ledger holds, with room for some more.
inline std::string large_ledger_text() {
  using namespace consent;
  std::string text, previous = read_chain("")->head();
  Entry entry;
  entry.category = Category::location;
  entry.how = "command";
  entry.notice = notice_version;
  entry.notice_hash = notice_hash();
  entry.time = time_text(INT64_C(1793000000) * G_USEC_PER_SEC);
  while (text.size() < max_ledger - ledger_reserve - 16 * max_line) {
    entry.act = entry.act == Act::give ? Act::withdraw : Act::give;
    entry.purposes = entry.act == Act::give ? bit(Purpose::camera) : 0;
    entry.previous = previous;
    entry.hash = previous = hash_of(entry);
    text += serialise(entry) + "\n";
  }
  return text;
}

}  // namespace sphere::test
