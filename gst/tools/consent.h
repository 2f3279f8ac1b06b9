// SPDX-License-Identifier: LGPL-2.1-or-later
// What `sphere consent` is made of: consent.cc knows the words, the other files do what they say.

#pragma once

#include <string>
#include <vector>

#include "gst/sphere/consent/ledger.h"
#include "gst/sphere/consent/notice.h"
#include "gst/tools/command.h"

namespace sphere::tool {

struct ConsentOptions {
  std::string verb;
  std::vector<std::string> words;
  std::string ledger = "default";
  bool own_ledger = true;  // none was named
  std::vector<std::string> purposes;
  std::string expires, precision, head, check, language;
  bool has_check = false, all = false, yes = false, json = false;
};

// Each returns the exit status.
int consent_status(const ConsentOptions& options, Voice& voice);
int consent_log(const ConsentOptions& options, Voice& voice);
int consent_verify(const ConsentOptions& options, Voice& voice);
int consent_caps(const ConsentOptions& options, Voice& voice);
int consent_export(const ConsentOptions& options, Voice& voice);
int consent_notice(const ConsentOptions& options, Voice& voice);
int consent_give(const ConsentOptions& options, Voice& voice);
int consent_withdraw(const ConsentOptions& options, Voice& voice);
int consent_erase(const ConsentOptions& options, Voice& voice);

consent::Language consent_language(const ConsentOptions& options);

}  // namespace sphere::tool
