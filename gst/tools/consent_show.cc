// SPDX-License-Identifier: LGPL-2.1-or-later
// The verbs of `sphere consent` that only read.

#include <gst/gst.h>

#include <cstdio>

#include "gst/tools/consent.h"
#include "gst/tools/consent_json.h"

namespace sphere::tool {

namespace {

using namespace sphere::consent;
using State = CategoryState::State;

std::string words(Purposes set) {
  std::string text;
  for (size_t i = 0; i < purpose_names.size(); ++i)
    if (set & bit(static_cast<Purpose>(i)))
      text += (text.empty() ? "" : ", ") + std::string(purpose_names[i]);
  return text;
}

int failed_to_read(const Error& error, MessagePrinter& printer) {
  printer.error(error.message + "; everything is denied");
  return exit_failed;
}

void add_entry(JsonWriter& json, const Entry& entry) {
  json.open();
  json.add("time", entry.time);
  json.add("act", name_of(entry.act));
  if (entry.category) json.add("category", name_of(*entry.category));
  if (entry.act == Act::give) {
    add_purposes(json, "purposes", entry.purposes);
    if (entry.category == Category::location) json.add("precision", name_of(entry.precision));
    if (!entry.expires.empty()) json.add("expires", entry.expires);
  }
  json.add("how", entry.how);
  json.add("notice", entry.notice);
  json.add("notice_hash", entry.notice_hash);
  json.add("hash", entry.hash);
  json.close();
}

}  // namespace

std::string consent_doubt(const Ledger& ledger, const Chain& chain) {
  if (ledger.blocked())
    return "a withdrawal could not be written; everything is denied until the next change can be "
           "written";
  if (chain.torn_withdrawal)
    return "the last entry was cut off and may have been a withdrawal; everything is denied until "
           "the next change";
  if (g_get_real_time() < chain.latest)
    return "the clock is earlier than the last entry; everything is denied";
  return {};
}

int consent_status(const ConsentOptions& options, MessagePrinter& printer) {
  const Ledger ledger(options.ledger);
  const auto chain = ledger.read();
  if (!chain) return failed_to_read(chain.error(), printer);
  const std::string why = consent_doubt(ledger, *chain);
  const auto all = states_of(*chain, g_get_real_time());
  const auto entry_of = [&](const CategoryState& one) {
    return one.entry < 0 || one.state == State::withdrawn
               ? nullptr
               : &chain->entries[static_cast<size_t>(one.entry)];
  };
  if (options.json) {
    JsonWriter json;
    json.add("ledger", ledger.path());
    json.add("head", chain->head());
    if (!why.empty()) json.add("denied", why);
    json.open_list("categories");
    for (const CategoryInfo& info : categories) {
      const CategoryState& one = all[static_cast<size_t>(info.category)];
      json.open();
      json.add("category", info.name);
      json.add("sensitive", info.sensitive);
      json.add("state", name_of_state(one.state));
      json.add("allowed", one.state == State::given && why.empty());
      if (const Entry* entry = entry_of(one)) {
        add_purposes(json, "purposes", entry->purposes);
        if (info.category == Category::location) json.add("precision", name_of(entry->precision));
        if (!entry->expires.empty()) json.add("expires", entry->expires);
      }
      json.close();
    }
    json.close_list();
    return print(json) ? exit_done : exit_failed;
  }
  print(stdout, "%-12s %-9s %-12s %-30s %s\n", "category", "sensitive", "state", "for", "until");
  for (const CategoryInfo& info : categories) {
    const CategoryState& one = all[static_cast<size_t>(info.category)];
    std::string what, until;
    if (const Entry* entry = entry_of(one)) {
      what = words(entry->purposes);
      if (info.category == Category::location)
        what += " (" + std::string(name_of(entry->precision)) + ")";
      until = entry->expires.empty() ? "taken back" : entry->expires;
    }
    print(stdout, "%-12s %-9s %-12s %-30s %s\n", std::string(info.name).c_str(),
          info.sensitive ? "yes" : "", name_of_state(one.state), what.c_str(), until.c_str());
    if (one.state == State::outdated)
      printer.warn(std::string(info.name) +
                   " was given under an older notice; read `sphere consent notice`, and give it "
                   "again if you agree");
  }
  if (!why.empty()) printer.warn(why);
  return exit_done;
}

int consent_log(const ConsentOptions& options, MessagePrinter& printer) {
  const auto chain = Ledger(options.ledger).read();
  if (!chain) return failed_to_read(chain.error(), printer);
  if (options.json) {
    JsonWriter json;
    json.open_list("entries");
    for (const Entry& entry : chain->entries) add_entry(json, entry);
    json.close_list();
    json.add("torn", chain->torn);
    return print(json) ? exit_done : exit_failed;
  }
  for (const Entry& entry : chain->entries) {
    std::string what = std::string(name_of(entry.act));
    if (entry.category) what += " " + std::string(name_of(*entry.category));
    if (entry.purposes) what += " for " + words(entry.purposes);
    if (entry.act == Act::give && entry.category == Category::location)
      what += " (" + std::string(name_of(entry.precision)) + ")";
    if (!entry.expires.empty()) what += " until " + entry.expires;
    print(stdout, "%s  %s  %s\n", entry.time.c_str(), entry.hash.substr(0, 12).c_str(),
          what.c_str());
  }
  if (chain->torn)
    printer.warn("an entry was cut off after these: " + std::to_string(chain->torn) + " bytes");
  return exit_done;
}

int consent_verify(const ConsentOptions& options, MessagePrinter& printer) {
  // If the hash was copied incorrectly, this does not mean that the ledger was shortened.
  if (!options.head.empty() && !is_hash(options.head)) {
    printer.error("--head must be the complete hash, 64 digits of 0-9 and a-f");
    return exit_usage;
  }
  const Ledger ledger(options.ledger);
  const auto chain = ledger.read();
  if (!chain) return failed_to_read(chain.error(), printer);
  std::vector<std::string> problems;
  if (chain->torn)
    problems.push_back("line " + std::to_string(chain->entries.size() + 1) + " was cut off: " +
                       std::to_string(chain->torn) + " bytes that are not an entry; the " +
                       std::to_string(chain->entries.size()) + " before it are valid");
  if (const std::string why = consent_doubt(ledger, *chain); !why.empty()) problems.push_back(why);
  int found = -1;
  if (!options.head.empty()) {
    // The hash of an empty ledger is the first hash of every ledger.
    if (options.head == Chain{}.head()) found = 0;
    for (size_t i = 0; i < chain->entries.size(); ++i)
      if (chain->entries[i].hash == options.head) found = static_cast<int>(i) + 1;
    if (found < 0)
      problems.push_back(
          "this hash is not in the ledger: entries were cut off, or the ledger was written anew");
  }
  for (const std::string& problem : problems) printer.error(problem);
  if (options.json) {
    JsonWriter output;
    output.add("entries", chain->entries.size());
    output.add("head", chain->head());
    if (found > 0) output.add("head-at", found);
    output.add("problems", problems);
    if (!print(output)) return exit_failed;
  } else if (problems.empty()) {
    print(stdout, "%zu entries, all valid.\n", chain->entries.size());
    if (found > 0) print(stdout, "The hash that you kept is that of entry %d.\n", found);
    print(stdout, "Head of the ledger: %s\n", chain->head().c_str());
  }
  return problems.empty() ? exit_done : exit_failed;
}

int consent_caps(const ConsentOptions& options, MessagePrinter& printer) {
  if (options.has_check) {
    const CapsCheck check = check_caps_text(options.check, g_get_real_time());
    if (options.json) {
      JsonWriter output;
      output.add("grants", check.grants);
      output.add("problems", check.problems);
      if (!print(output)) return exit_failed;
    } else {
      for (const std::string& grant : check.grants) print(stdout, "%s\n", grant.c_str());
      if (check.grants.empty()) print(stdout, "nothing is given\n");
    }
    for (const std::string& problem : check.problems) printer.error(problem);
    return check.problems.empty() ? exit_done : exit_failed;
  }
  const Ledger ledger(options.ledger);
  const auto chain = ledger.read();
  if (!chain) return failed_to_read(chain.error(), printer);
  const std::string why = consent_doubt(ledger, *chain);
  CapsRef caps = caps_of(*chain, g_get_real_time());
  if (!why.empty()) {
    printer.warn(why);
    caps.reset(gst_caps_new_empty());
  }
  const GString_ text(gst_caps_to_string(caps.get()));
  if (options.json) {
    JsonWriter output;
    output.add("caps", text.get());
    return print(output) ? exit_done : exit_failed;
  }
  print(stdout, "%s\n", text.get());
  return exit_done;
}

}  // namespace sphere::tool
