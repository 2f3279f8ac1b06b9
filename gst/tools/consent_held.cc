// SPDX-License-Identifier: LGPL-2.1-or-later
// The verbs of `sphere consent` about what this machine keeps: show it, export it, remove it.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/json.h"
#include "gst/sphere/consent/private_file.h"
#include "gst/sphere/storage/binding.h"
#include "gst/sphere/storage/camera_lens.h"
#include "gst/sphere/storage/stores.h"
#include "gst/tools/consent.h"
#include "gst/tools/consent_json.h"
#include "gst/tools/question.h"

namespace sphere::tool {

namespace {

using namespace sphere::consent;
using namespace sphere::storage;

// Lens tables have some megabytes. They are the largest stored files.
constexpr size_t max_content = 32 << 20;

int usage(const MessagePrinter& printer, const std::string& sentence) {
  printer.error(sentence);
  return exit_usage;
}

std::string list_of(std::span<const std::pair<Category, Purpose>> needs) {
  std::string text;
  for (const auto& [category, purpose] : needs)
    text += (text.empty() ? "" : ", ") + std::string(name_of(category)) + " for " +
            std::string(name_of(purpose));
  return text;
}

std::string days_of(const StoreInfo& info) {
  return info.days ? std::to_string(info.days) + " days after the last use" : "until it is erased";
}

std::string bytes_of(int64_t size) {
  const GString_ text(g_format_size(static_cast<guint64>(std::max<int64_t>(size, 0))));
  return text.get();
}

/// The name of an item for the user: the camera, or else only its file.
std::string title_of(const StoredFile& one) {
  if (one.store != Store::cameras) return {};
  const auto binding = read_binding(one.path);
  if (!binding) return "can't be read";
  return binding->model + " " + binding->serial + ", firmware " + binding->firmware + ", Wi-Fi " +
         binding->wifi;
}

std::vector<StoredFile> wanted(const ConsentOptions& options, std::vector<std::string>& problems) {
  std::vector<StoredFile> all;
  if (!options.own_ledger) {
    if (access(options.ledger.c_str(), F_OK) == 0)
      all.push_back({.store = Store::ledger, .path = options.ledger});
    return all;
  }
  for (const StoreInfo& info : stores) {
    if (!options.stores.empty() &&
        std::find(options.stores.begin(), options.stores.end(), info.name) == options.stores.end())
      continue;
    const auto files = list_files(info.store);
    if (!files) {
      problems.push_back(files.error().message);
      continue;
    }
    all.insert(all.end(), files->begin(), files->end());
  }
  return all;
}

/// The stored data about one camera.
Result<std::vector<StoredFile>> of_camera(const std::string& serial) {
  std::vector<StoredFile> all;
  const auto lenses = list_files(Store::lenses);
  if (!lenses) return lenses.error();
  for (const StoredFile& lens : *lenses)
    if (lens.path.find("/" + camera_lens_prefix(serial)) != std::string::npos) all.push_back(lens);
  const std::string path = binding_path(serial);
  const auto binding = read_binding(path);
  if (!binding && !all.empty()) return all;
  if (!binding)
    return not_found(
        "nothing is stored about a camera with this serial number; `sphere consent held` lists the "
        "cameras. Lens tables have no serial number: --store tables removes all of them");
  all.push_back({.store = Store::cameras, .path = path});
  const auto tables = list_files(Store::tables);
  if (!tables) return tables.error();
  for (const StoredFile& table : *tables)
    if (!binding->table.empty() && table.path.ends_with("/" + binding->table + ".bin"))
      all.push_back(table);
  return all;
}

Status check_stores(const ConsentOptions& options) {
  std::vector<std::string> names;
  for (const StoreInfo& info : stores) names.emplace_back(info.name);
  for (const std::string& store : options.stores)
    if (std::find(names.begin(), names.end(), store) == names.end())
      return invalid("there is no store '" + store + "'; the stores are " + listed(names) +
                     suggestion(store, names));
  if (!options.stores.empty() && !options.own_ledger)
    return invalid("--store and --ledger can't be used together");
  return ok();
}

/// Shows what is to be removed and asks. Returns the exit status if it is not to go on.
std::optional<int> ask(const ConsentOptions& options, MessagePrinter& printer,
                       const std::vector<StoredFile>& files, const char* question) {
  if (options.yes || files.empty()) return std::nullopt;
  for (const StoredFile& file : files) {
    const std::string title = title_of(file);
    print(stderr, "  %s%s%s\n", file.path.c_str(), title.empty() ? "" : "  ", title.c_str());
  }
  if (!can_ask())
    return usage(printer,
                 "there is no terminal to ask on; add --yes to remove these without a question");
  if (ask_yes_or_no(question, nullptr) == Reply::yes) return std::nullopt;
  printer.error("nothing was removed");
  return exit_failed;
}

/// Removes them and prints what was removed, what was not, and why. Prints `done` if there was no
/// error.
int remove(const ConsentOptions& options, MessagePrinter& printer,
           const std::vector<StoredFile>& files, std::vector<std::string> problems,
           const char* done) {
  std::vector<std::string> gone;
  for (const StoredFile& file : files) {
    if (const Status erased = erase(file); erased)
      gone.push_back(file.path);
    else
      problems.push_back(erased.error().message);
  }
  for (const std::string& problem : problems) printer.error(problem);
  if (options.json) {
    JsonWriter output;
    output.add("files", gone);
    output.add("problems", problems);
    if (!print(output)) return exit_failed;
  } else {
    for (const std::string& path : gone) print(stdout, "  %s\n", path.c_str());
    print(stdout, "Removed: %zu file%s.%s%s\n", gone.size(), gone.size() == 1 ? "" : "s",
          problems.empty() ? " " : "", problems.empty() ? done : "");
  }
  return problems.empty() ? exit_done : exit_failed;
}

/// The content as JSON if it is JSON, else in base64.
void add_content(JsonWriter& json, const StoredFile& one) {
  const auto file = open_private(one.path, O_RDONLY);
  if (!file) {
    json.add("problem", file.error().message);
    return;
  }
  std::string text(static_cast<size_t>(std::max<off_t>(file->status.st_size, 0)), '\0');
  if (text.size() > max_content) {
    json.add("problem", "too large to be included here");
    return;
  }
  const ssize_t size = pread(file->descriptor.get(), text.data(), text.size(), 0);
  if (size < 0) {
    json.add("problem", "can't be read");
    return;
  }
  text.resize(static_cast<size_t>(size));
  if (const auto document = JsonDocument::parse(text, one.path); document) {
    json.add_node("content", JsonNodeRef(json_node_copy(document->root_node())));
    return;
  }
  const GString_ coded(g_base64_encode(reinterpret_cast<const guchar*>(text.data()), text.size()));
  json.add("content_base64", coded.get());
}

constexpr const char* not_kept = "not kept";
constexpr const char* not_known = "not known to this software";

/// The part of a record about the data that is processed, and how.
void add_processing(JsonWriter& json, const CategoryInfo& info, const CategoryState& standing,
                    const Chain& chain) {
  const Entry* given = standing.entry >= 0 && standing.state != CategoryState::State::withdrawn
                           ? &chain.entries[static_cast<size_t>(standing.entry)]
                           : nullptr;
  json.open("pii_processing");
  json.add("privacy_notice", std::string("gst-sphere notice ") + notice_version);
  json.open_list("language");
  for (const char* language : {"en", "zh"}) json.item(language);
  json.close_list();
  add_purposes(json, "purposes", given ? given->purposes : info.purposes);
  json.add("lawful_basis", "consent");
  json.open("pii_information");
  json.add("pii_type", info.name);
  json.add("pii_optional", true);
  json.add("sensitive_pii_category", info.sensitive);
  json.close();
  json.add("pii_controllers", not_known);
  json.add("collection_method", "camera");
  json.add("processing_method", "gst-sphere, on this machine");
  json.add("storage_locations", "this machine");
  json.add("processing_locations", "this machine");
  json.add("retention_period",
           given && !given->expires.empty() ? "until " + given->expires : "until withdrawn");
  json.add("geographic_restrictions", not_known);
  json.add("services", "gst-sphere");
  json.add("jurisdiction", not_known);
  json.add("recipient_third_parties", given && given->purposes & bit(Purpose::share)
                                          ? "the people to whom the user passes it on"
                                          : "none");
  json.add("withdrawal_method", "sphere consent withdraw " + std::string(info.name));
  json.add("privacy_rights", "sphere consent log, held, export, erase");
  for (const char* name : {"codes_of_conduct", "impact_assessment", "authority_party"})
    json.add(name, not_known);
  json.close();
}

void add_stores(JsonWriter& json, bool contents) {
  json.open_list("stores");
  for (const StoreInfo& info : stores) {
    json.open();
    json.add("store", info.name);
    json.add("what", info.what);
    json.add("place", path_of(info.store));
    json.add("grants", list_of(info.needs()));
    json.add("kept", days_of(info));
    const auto files = list_files(info.store);
    if (!files) json.add("problem", files.error().message);
    json.open_list("items");
    if (files) {
      for (const StoredFile& one : *files) {
        json.open();
        json.add("file", one.path);
        json.add("bytes", one.size);
        json.add("used", time_text(one.used));
        // The entries of the ledger were added above.
        if (contents && one.store != Store::ledger) add_content(json, one);
        json.close();
      }
    }
    json.close_list();
    json.close();
  }
  json.close_list();
}

}  // namespace

std::vector<std::string> remove_what_ended(MessagePrinter& printer) {
  std::vector<std::string> gone;
  const auto chain = Ledger("default").read();
  if (!chain) return gone;
  const auto all = expired_files(&*chain, Rule::consent, g_get_real_time());
  if (!all) {
    printer.warn(all.error().message);
    return gone;
  }
  for (const ExpiredFile& one : *all) {
    if (const Status erased = erase(one.file); erased)
      gone.push_back(one.file.path);
    else
      printer.warn(erased.error().message);
  }
  return gone;
}

int consent_held(const ConsentOptions& options, MessagePrinter& printer) {
  if (options.json) {
    JsonWriter json;
    add_stores(json, false);
    return print(json) ? exit_done : exit_failed;
  }
  bool whole = true;
  for (const StoreInfo& info : stores) {
    print(stdout, "%s: %s\n", std::string(info.name).c_str(), std::string(info.what).c_str());
    const std::string needs = list_of(info.needs());
    print(stdout, "  kept %s%s%s\n", days_of(info).c_str(),
          needs.empty() ? "" : ", needs consent to: ", needs.c_str());
    const auto files = list_files(info.store);
    if (!files) {
      printer.error(files.error().message);
      whole = false;
      continue;
    }
    if (files->empty()) print(stdout, "  nothing\n");
    for (const StoredFile& one : *files) {
      const std::string title = title_of(one);
      print(stdout, "  %s  %s  %s%s%s\n", time_text(one.used).substr(0, 10).c_str(),
            bytes_of(one.size).c_str(), one.path.c_str(), title.empty() ? "" : "\n    ",
            title.c_str());
    }
  }
  return whole ? exit_done : exit_failed;
}

int consent_erase(const ConsentOptions& options, MessagePrinter& printer) {
  if (const Status checked = check_stores(options); !checked)
    return usage(printer, checked.error().message);
  std::vector<std::string> problems;
  std::vector<StoredFile> files;
  if (!options.camera.empty()) {
    if (!options.stores.empty() || !options.own_ledger)
      return usage(printer, "--camera can't be used together with --store or --ledger");
    auto camera = of_camera(options.camera);
    if (!camera) {
      printer.error(camera.error().message);
      return exit_failed;
    }
    files = std::move(*camera);
  } else {
    files = wanted(options, problems);
  }
  const bool ledger = std::any_of(files.begin(), files.end(),
                                  [](const StoredFile& one) { return one.store == Store::ledger; });
  if (const auto exit =
          ask(options, printer, files,
              ledger ? "Remove these? After this, everything is denied." : "Remove these?"))
    return *exit;
  return remove(options, printer, files, std::move(problems), ledger ? "Nothing is given." : "");
}

int consent_reset(const ConsentOptions& options, MessagePrinter& printer) {
  if (!options.own_ledger)
    return usage(printer, "reset works only with your own ledger; it has no --ledger");
  std::vector<std::string> problems;
  const std::vector<StoredFile> files = wanted(options, problems);
  if (const auto exit =
          ask(options, printer, files,
              "Remove the data of all cameras, take all consent back and begin a new ledger?"))
    return *exit;
  const int exit = remove(options, printer, files, std::move(problems), "Nothing is given.");
  // The first entry of the new ledger shows that there was one before.
  const auto noted = Ledger(options.ledger).append({.act = Act::reset, .how = "command"});
  if (noted) return exit;
  printer.error("the reset could not be written into the ledger: " + noted.error().message);
  return exit_failed;
}

int consent_sweep(const ConsentOptions& options, MessagePrinter& printer) {
  if (!options.own_ledger)
    return usage(printer, "sweep works only with your own ledger; it has no --ledger");
  const Ledger ledger(options.ledger);
  const auto chain = ledger.read();
  std::vector<std::string> problems;
  std::string doubt = chain ? consent_doubt(ledger, *chain) : chain.error().message;
  if (!doubt.empty())
    problems.push_back(doubt +
                       "; it is not known for what consent has ended, so only the age counts");
  const auto all =
      expired_files(doubt.empty() ? &*chain : nullptr, Rule::consent_and_age, g_get_real_time());
  if (!all) {
    printer.error(all.error().message);
    return exit_failed;
  }
  if (options.dry_run) {
    for (const std::string& problem : problems) printer.error(problem);
    std::vector<std::string> files;
    for (const ExpiredFile& one : *all) {
      files.push_back(one.file.path);
      if (!options.json) print(stdout, "  %s: %s\n", one.file.path.c_str(), one.why.c_str());
    }
    if (!options.json) {
      print(stdout, "Would be removed: %zu file%s.\n", files.size(), files.size() == 1 ? "" : "s");
    } else {
      JsonWriter output;
      output.add("would-remove", files);
      output.add("problems", problems);
      if (!print(output)) return exit_failed;
    }
    return problems.empty() ? exit_done : exit_failed;
  }
  std::vector<StoredFile> files;
  for (const ExpiredFile& one : *all) files.push_back(one.file);
  return remove(options, printer, files, std::move(problems), "");
}

// The field names are those of the specification. Fields that this software can't know (the person,
// the controller of the data) contain a text that says this.
int consent_export(const ConsentOptions& options, MessagePrinter& printer) {
  const Ledger ledger(options.ledger);
  const auto chain = ledger.read();
  if (!chain) {
    printer.error(chain.error().message +
                  "; `sphere consent held` lists everything else that is stored");
    return exit_failed;
  }
  const auto all = states_of(*chain, g_get_real_time());
  JsonWriter json;
  json.add("schema_version", "ISO/IEC TS 27560:2023");
  json.add("pii_principal_id", not_kept);
  json.add("ledger_head", chain->head());
  if (const std::string why = consent_doubt(ledger, *chain); !why.empty()) json.add("denied", why);
  json.open_list("records");
  for (const CategoryInfo& info : categories) {
    const CategoryState& one = all[static_cast<size_t>(info.category)];
    if (one.state == CategoryState::State::never) continue;
    std::string id;
    for (const Entry& entry : chain->entries)
      if (id.empty() && entry.category == info.category) id = entry.hash;
    json.open();
    json.add("record_id", id.empty() ? std::string(info.name) : id);
    add_processing(json, info, one, *chain);
    json.add("event_state", name_of_state(one.state));
    json.open_list("events");
    for (const Entry& entry : chain->entries) {
      if (entry.act == Act::notice_shown || (entry.category && entry.category != info.category))
        continue;
      json.open();
      json.add("event_time", entry.time);
      json.add("event_type", entry.act == Act::recover ? "none, an act was cut off" : "explicit");
      json.add("entity_id", not_kept);
      json.add("event_state", entry.act == Act::give ? "consent given" : "consent withdrawn");
      if (entry.act == Act::give) {
        add_purposes(json, "purposes", entry.purposes);
        json.add("validity_duration",
                 entry.expires.empty() ? "until withdrawn" : "until " + entry.expires);
        if (info.category == Category::location) json.add("precision", name_of(entry.precision));
        json.add("privacy_notice", entry.notice);
      }
      json.add("entry", entry.hash);
      json.close();
    }
    json.close_list();
    json.close();
  }
  json.close_list();
  if (options.own_ledger) add_stores(json, true);
  return print(json) ? exit_done : exit_failed;
}

}  // namespace sphere::tool
