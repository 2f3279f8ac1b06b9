// SPDX-License-Identifier: LGPL-2.1-or-later
// The verbs of `sphere consent` that change something.

#include <cstdio>

#include "gst/tools/consent.h"

namespace sphere::tool {

namespace {

using namespace sphere::consent;

int usage(const MessagePrinter& printer, const std::string& sentence) {
  printer.error(sentence);
  return exit_usage;
}

Result<Category> read_category(const ConsentOptions& options) {
  std::vector<std::string> names;
  for (const CategoryInfo& info : categories) names.emplace_back(info.name);
  if (options.words.empty())
    return invalid("name the category to " + options.verb + ", such as 'sphere consent " +
                   options.verb + " audio'; the categories are " + listed(names));
  if (const auto category = category_of(options.words[0])) return *category;
  return invalid("there is no category '" + options.words[0] + "'" + "; the categories are " +
                 listed(names) + suggestion(options.words[0], names));
}

std::string list_of(Purposes purposes) {
  std::string words;
  for (size_t i = 0; i < purpose_names.size(); ++i)
    if (purposes & bit(static_cast<Purpose>(i)))
      words += (words.empty() ? "" : ", ") + std::string(purpose_names[i]);
  return words;
}

Result<Purposes> read_purposes(const ConsentOptions& options, Category category) {
  if (options.purposes.empty()) return default_purposes(category);
  Purposes all = 0;
  for (const std::string& name : options.purposes) {
    const auto purpose = purpose_of(name);
    if (!purpose || !(info_of(category).purposes & bit(*purpose)))
      return invalid("'" + name + "' is not a purpose of " + std::string(name_of(category)) +
                     "; its purposes are " + list_of(info_of(category).purposes));
    all |= bit(*purpose);
  }
  return all;
}

/// What a new grant takes back, because it replaces the one before, in words.
std::string replaced_by(const ConsentOptions& options, Category category, Purposes purposes) {
  const auto chain = Ledger(options.ledger).read();
  if (!chain) return {};
  const CategoryState last = states_of(*chain, g_get_real_time())[static_cast<size_t>(category)];
  if (last.state != CategoryState::State::given) return {};
  const Purposes gone = chain->entries[static_cast<size_t>(last.entry)].purposes & ~purposes;
  if (!gone) return {};
  return "\nNo longer given: " + std::string(name_of(category)) + " for " + list_of(gone) +
         ", because this replaces what was given before. --purpose takes several, with commas.";
}

/// Writes the entry and prints `sentence`, which tells what was done.
int append(const ConsentOptions& options, MessagePrinter& printer, Entry entry,
           const std::string& sentence) {
  entry.how = "command";
  const Ledger ledger(options.ledger);
  const auto appended = ledger.append(std::move(entry));
  if (!appended) {
    printer.error(appended.error().message);
    return exit_failed;
  }
  if (appended->recovered)
    printer.warn(
        "an earlier entry was cut off and may have been a withdrawal, so all consent was taken "
        "back first");
  std::vector<std::string> gone;
  if (options.own_ledger) gone = remove_what_ended(printer);
  if (options.json) {
    JsonWriter output;
    output.add("act", name_of(appended->entry.act));
    if (appended->entry.category) output.add("category", name_of(*appended->entry.category));
    output.add("time", appended->entry.time);
    output.add("head", appended->entry.hash);
    output.add("removed", gone);
    output.add("warnings", printer.warnings());
    return print(output) ? exit_done : exit_failed;
  }
  for (const std::string& file : gone) print(stdout, "Removed: %s\n", file.c_str());
  print(stdout, "%s\nHead of the ledger: %s\n", sentence.c_str(), appended->entry.hash.c_str());
  return exit_done;
}

}  // namespace

int consent_give(const ConsentOptions& options, MessagePrinter& printer) {
  const auto category = read_category(options);
  if (!category) return usage(printer, category.error().message);
  const auto purposes = read_purposes(options, *category);
  if (!purposes) return usage(printer, purposes.error().message);
  Entry entry{.act = Act::give, .category = *category, .purposes = *purposes};
  const std::string name(name_of(*category));
  if (!options.precision.empty()) {
    std::vector<std::string> names(precision_names.begin(), precision_names.end());
    const auto precision = choose("--precision", options.precision, names);
    if (!precision) return usage(printer, precision.error().message);
    if (*category != Category::location) return usage(printer, "--precision is only for location");
    entry.precision = static_cast<Precision>(*precision);
  }
  if (!options.expires.empty()) {
    const auto expires = parse_expiry(options.expires);
    if (!expires || options.expires.size() > 32)
      return usage(printer, "--expires is '" + options.expires +
                                "', must be like 2027-01-01 or 2027-01-01T12:00:00Z");
    if (*expires <= g_get_real_time()) return usage(printer, "--expires is in the past");
    entry.expires = options.expires;
  }
  std::string done = "Given: " + name + " for " + list_of(*purposes);
  if (*category == Category::location) done += ", " + std::string(name_of(entry.precision));
  done +=
      options.expires.empty() ? ", until you take it back." : ", until " + options.expires + ".";
  done += replaced_by(options, *category, *purposes);
  done += "\nTo take it back: sphere consent withdraw " + name;
  if (!options.json)
    print(stdout, "%s\n", notice_text(consent_language(options), *category).c_str());
  return append(options, printer, std::move(entry), done);
}

int consent_withdraw(const ConsentOptions& options, MessagePrinter& printer) {
  if (options.all) {
    if (!options.words.empty())
      return usage(printer, "give either --all or '" + options.words[0] + "', not both");
    return append(options, printer, {.act = Act::withdraw_all}, "Taken back: everything.");
  }
  if (options.words.empty()) return usage(printer, "name the category to withdraw, or --all");
  const auto category = read_category(options);
  if (!category) return usage(printer, category.error().message);
  return append(options, printer, {.act = Act::withdraw, .category = *category},
                "Taken back: " + std::string(name_of(*category)) + ".");
}

int consent_notice(const ConsentOptions& options, MessagePrinter& printer) {
  const Language language = consent_language(options);
  const std::string text = notice_text(language);
  if (options.json) {
    JsonWriter output;
    output.add("version", notice_version);
    output.add("hash", notice_hash());
    output.add("language", language == Language::chinese ? "zh" : "en");
    output.add("text", text);
    if (!print(output)) return exit_failed;
  } else {
    print(stdout, "%s\n%s %s\n", text.c_str(), language == Language::chinese ? "版本" : "Version",
          notice_version);
  }
  // If this can't be written, it is only a warning, because the notice has been shown.
  const auto noted = Ledger(options.ledger).append({.act = Act::notice_shown, .how = "command"});
  if (!noted) printer.warn("not written into the ledger: " + noted.error().message);
  return exit_done;
}

}  // namespace sphere::tool
