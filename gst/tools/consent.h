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
int consent_status(const ConsentOptions& options, MessagePrinter& printer);
int consent_log(const ConsentOptions& options, MessagePrinter& printer);
int consent_verify(const ConsentOptions& options, MessagePrinter& printer);
int consent_caps(const ConsentOptions& options, MessagePrinter& printer);
int consent_export(const ConsentOptions& options, MessagePrinter& printer);
int consent_notice(const ConsentOptions& options, MessagePrinter& printer);
int consent_give(const ConsentOptions& options, MessagePrinter& printer);
int consent_withdraw(const ConsentOptions& options, MessagePrinter& printer);
int consent_held(const ConsentOptions& options, MessagePrinter& printer);
int consent_erase(const ConsentOptions& options, MessagePrinter& printer);
int consent_sweep(const ConsentOptions& options, MessagePrinter& printer);
int consent_reset(const ConsentOptions& options, MessagePrinter& printer);

/// Why everything is denied in spite of the entries, or "".
std::string consent_doubt(const consent::Ledger& ledger, const consent::Chain& chain);
/// After an act in the user's own ledger: removes stored data that has no consent any more, and
/// returns the paths of the removed files.
std::vector<std::string> remove_what_ended(MessagePrinter& printer);

consent::Language consent_language(const ConsentOptions& options);

}  // namespace sphere::tool
