// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere consent: give and withdraw consent, and show it.

#include "gst/tools/consent.h"

#include <gst/gst.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdio>
#include <string_view>

namespace sphere::tool {

namespace {

constexpr const char* description =
    "  status                  show what is given now\n"
    "  notice                  show which data is used for what, how long, how to withdraw\n"
    "  give CATEGORY           give consent; --purpose, --expires and --precision limit it\n"
    "  withdraw CATEGORY       take consent back; withdraw --all takes everything back\n"
    "  caps                    print what is given as caps, for a gst-launch line\n"
    "  caps --check TEXT       show what these caps give, and what is wrong in them\n"
    "  log                     list all entries of the ledger\n"
    "  verify [--head HASH]    check whether the ledger is valid\n"
    "  held                    list what is stored about a person or a camera\n"
    "  export                  print all of it as JSON, in the terms of ISO/IEC TS 27560\n"
    "  erase                   remove it; with --store or --camera only a part\n"
    "  sweep [--dry-run]       remove what is too old, or has no consent any more\n"
    "  reset                   remove all, take everything back, begin a new ledger\n"
    "\n"
    "Categories: location, audio, storage, device, network, environment, statistics.\n"
    "Giving again replaces what was given for that category. Taking back acts at once, also in\n"
    "running pipelines with ledger=default.\n"
    "\n"
    "Examples:\n"
    "  sphere consent give audio --purpose live\n"
    "  sphere consent give location --purpose geotag --precision city --expires 2027-01-01\n"
    "  sphere consent withdraw audio\n"
    "  gst-launch-1.0 ... ! sphereaudiogate ledger=default ! ...\n";

struct Verb {
  const char* name;
  int (*run)(const ConsentOptions&, MessagePrinter&);
  // Its options, except --ledger and --json.
  std::vector<std::string_view> takes;
  size_t words = 0;
};

const std::array<Verb, 12>& verbs() {
  static const std::array<Verb, 12> all = {{
      {"status", consent_status, {}},
      {"notice", consent_notice, {"language"}},
      {"give", consent_give, {"purpose", "expires", "precision", "language"}, 1},
      {"withdraw", consent_withdraw, {"all"}, 1},
      {"caps", consent_caps, {"check"}},
      {"log", consent_log, {}},
      {"verify", consent_verify, {"head"}},
      {"export", consent_export, {}},
      {"held", consent_held, {}},
      {"erase", consent_erase, {"yes", "store", "camera"}},
      {"sweep", consent_sweep, {"dry-run"}},
      {"reset", consent_reset, {"yes"}},
  }};
  return all;
}

Status check(const ConsentOptions& options, const Verb& verb,
             const std::vector<std::string_view>& used) {
  for (const std::string_view option : used)
    if (std::find(verb.takes.begin(), verb.takes.end(), option) == verb.takes.end())
      return invalid("--" + std::string(option) + " can't be used with " + verb.name);
  if (options.words.size() > verb.words)
    return invalid("'" + options.words[verb.words] + "' is one word too many");
  return ok();
}

int run(int argc, char** argv) {
  MessagePrinter printer("sphere consent");
  g_auto(GStrv) purposes = nullptr;
  g_auto(GStrv) stores = nullptr;
  g_autofree char* camera = nullptr;
  g_autofree char* expires = nullptr;
  g_autofree char* precision = nullptr;
  g_autofree char* head = nullptr;
  g_autofree char* check_text = nullptr;
  g_autofree char* language = nullptr;
  g_autofree char* ledger = nullptr;
  gboolean all = FALSE, yes = FALSE, json = FALSE, dry_run = FALSE;
  GOptionEntry entries[] = {
      {"purpose", 0, 0, G_OPTION_ARG_STRING_ARRAY, &purposes,
       "Purpose; may be given several times (default: all except share)", "PURPOSE"},
      {"expires", 0, 0, G_OPTION_ARG_STRING, &expires,
       "When the consent ends, in UTC (default: no end)", "2027-01-01[T00:00:00Z]"},
      {"precision", 0, 0, G_OPTION_ARG_STRING, &precision,
       "How exact a place may be (default: exact)", "exact|street|neighbourhood|city|country"},
      {"all", 0, 0, G_OPTION_ARG_NONE, &all, "Take everything back", nullptr},
      {"check", 0, 0, G_OPTION_ARG_STRING, &check_text, "Show what these caps give", "CAPS"},
      {"head", 0, 0, G_OPTION_ARG_STRING, &head, "A complete hash that you kept elsewhere", "HASH"},
      {"language", 0, 0, G_OPTION_ARG_STRING, &language,
       "Language of the notice (default: that of the locale)", "en|zh"},
      {"store", 0, 0, G_OPTION_ARG_STRING_ARRAY, &stores,
       "What to erase; may be given several times (default: all)",
       "ledger|cameras|tables|statistics|crashes"},
      {"camera", 0, 0, G_OPTION_ARG_STRING, &camera, "Erase only what is stored about this camera",
       "SERIAL"},
      {"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, "Show what would be removed", nullptr},
      {"yes", 0, 0, G_OPTION_ARG_NONE, &yes, "Do not ask", nullptr},
      {"ledger", 0, 0, G_OPTION_ARG_FILENAME, &ledger, "Use this ledger instead of your own",
       "PATH"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", nullptr},
      {}};
  ConsentOptions options;
  std::vector<std::string> names;
  for (const Verb& one : verbs()) names.emplace_back(one.name);
  Status status =
      parse_options("consent", (alternatives(names) + " [CATEGORY]").c_str(),
                    "Give and take back consent to the use of sound, places and identity.",
                    description, entries, argc, argv, &options.words);
  if (status && options.words.empty())
    status = invalid("add a command, for example 'sphere consent status'; --help lists them");
  const Verb* verb = nullptr;
  if (status) {
    options.verb = options.words.front();
    options.words.erase(options.words.begin());
    for (const Verb& one : verbs())
      if (options.verb == one.name) verb = &one;
    if (!verb)
      status = invalid("there is no 'consent " + options.verb + "'; there are " + listed(names) +
                       suggestion(options.verb, names));
  }
  if (status) {
    std::vector<std::string_view> used;
    const auto note = [&](bool is_used, const char* name) {
      if (is_used) used.emplace_back(name);
    };
    note(purposes, "purpose");
    note(expires, "expires");
    note(precision, "precision");
    note(all, "all");
    note(check_text, "check");
    note(head, "head");
    note(language, "language");
    note(yes, "yes");
    note(stores, "store");
    note(camera, "camera");
    note(dry_run, "dry-run");
    status = check(options, *verb, used);
  }
  // An empty argument, for example from a shell variable that is not set, must not count as a
  // missing option, because this would give more, or check less, than intended.
  const auto not_empty = [&](const char* value, const char* name) {
    if (status && value && !*value) status = invalid(std::string(name) + " is empty");
  };
  not_empty(ledger, "--ledger");
  not_empty(camera, "--camera");
  not_empty(expires, "--expires");
  not_empty(precision, "--precision");
  not_empty(head, "--head");
  not_empty(language, "--language");
  for (char** purpose = purposes; purpose && *purpose; ++purpose) not_empty(*purpose, "--purpose");
  if (status && language && !consent::is_language(language))
    status = invalid("--language is '" + std::string(language) + "', must be en or zh");
  if (!status) {
    printer.error(status.error().message);
    return exit_usage;
  }
  for (char** purpose = purposes; purpose && *purpose; ++purpose) {
    g_auto(GStrv) parts = g_strsplit(*purpose, ",", 16);
    for (char** part = parts; *part; ++part) options.purposes.emplace_back(*part);
  }
  for (char** store = stores; store && *store; ++store) options.stores.emplace_back(*store);
  options.camera = to_string(camera);
  options.dry_run = dry_run;
  options.expires = to_string(expires);
  options.precision = to_string(precision);
  options.head = to_string(head);
  options.check = to_string(check_text);
  options.has_check = check_text != nullptr;
  options.language = to_string(language);
  options.all = all;
  options.yes = yes;
  options.json = json;
  options.own_ledger = !ledger || std::string_view(ledger) == "default";
  if (!options.own_ledger) options.ledger = ledger;

  gst_init(nullptr, nullptr);
  const int exit = verb->run(options, printer);
  if (std::fflush(stdout) != 0 && exit == exit_done) {
    printer.error("the output can't be written");
    return exit_failed;
  }
  return exit;
}

const Registration registration({"consent", "give and take back consent, show what is given", run});

}  // namespace

consent::Language consent_language(const ConsentOptions& options) {
  const char* locale = std::setlocale(LC_MESSAGES, nullptr);
  return consent::language_of(options.language.empty() ? to_string(locale) : options.language);
}

}  // namespace sphere::tool
