// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of `sphere consent`: consent.cc reads the command line, each other file has some verbs.

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
  std::vector<std::string> stores;
  std::string expires, precision, head, check, language, camera;
  bool has_check = false, all = false, yes = false, json = false, dry_run = false;
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
int consent_held(const ConsentOptions& options, Voice& voice);
int consent_erase(const ConsentOptions& options, Voice& voice);
int consent_sweep(const ConsentOptions& options, Voice& voice);
int consent_reset(const ConsentOptions& options, Voice& voice);

/// Why everything is denied whatever the entries say, or "".
std::string consent_doubt(const consent::Ledger& ledger, const consent::Chain& chain);
/// After an act in one's own ledger: removes what there is no more reason to keep, and returns the
/// paths of what was removed.
std::vector<std::string> remove_what_ended(Voice& voice);

consent::Language consent_language(const ConsentOptions& options);

}  // namespace sphere::tool
