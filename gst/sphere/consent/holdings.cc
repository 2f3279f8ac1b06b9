// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/consent/holdings.h"

#include <dirent.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "gst/sphere/consent/ledger.h"

namespace sphere::consent {

namespace {

constexpr int64_t day = INT64_C(86400) * G_USEC_PER_SEC;

using Folder = std::unique_ptr<DIR, Call<closedir>>;

Held held_file(Store store, const std::string& path, const struct stat& status) {
  return {store, path, status.st_size, status.st_mtim.tv_sec * INT64_C(1000000)};
}

/// Why what hangs on this is not given any more, or "".
std::string ended(const Chain& chain, const std::array<Standing, categories.size()>& all,
                  const StoreInfo& info) {
  for (const auto& [category, purpose] : info.needs()) {
    const Standing& one = all[static_cast<size_t>(category)];
    const std::string name(name_of(category));
    if (one.state == Standing::State::withdrawn) return name + " was taken back";
    if (one.state == Standing::State::expired) return name + " was given until a time that is past";
    if (one.state == Standing::State::given &&
        !(chain.entries[static_cast<size_t>(one.entry)].purposes & bit(purpose)))
      return name + " is not given for " + std::string(name_of(purpose)) + " any more";
  }
  return {};
}

}  // namespace

std::string place_of(Store store) {
  const StoreInfo& info = info_of(store);
  const GString_ path(g_build_filename(info.cache ? g_get_user_cache_dir() : g_get_user_data_dir(),
                                       "gst-sphere", std::string(info.below).c_str(), nullptr));
  return path.get();
}

Result<std::string> make_place(Store store) {
  std::string place = place_of(store);
  if (g_mkdir_with_parents(place.c_str(), 0700) != 0)
    return failed("the folder '" + place + "' can't be made: " + std::strerror(errno));
  return place;
}

Result<std::vector<Held>> held(Store store) {
  const std::string place = place_of(store);
  std::vector<Held> all;
  struct stat status = {};
  if (lstat(place.c_str(), &status) != 0) {
    if (errno == ENOENT) return all;
    return failed(place + " can't be looked at: " + std::strerror(errno));
  }
  if (store == Store::ledger) {
    all.push_back(held_file(store, place, status));
    return all;
  }
  const Folder folder(opendir(place.c_str()));
  if (!folder) return failed(place + " can't be looked at: " + std::strerror(errno));
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(folder.get());
    if (!entry && errno) return failed(place + " can't be looked at: " + std::strerror(errno));
    if (!entry) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = place + "/" + entry->d_name;
    if (lstat(path.c_str(), &status) == 0) all.push_back(held_file(store, path, status));
  }
  std::sort(all.begin(), all.end(), [](const Held& a, const Held& b) { return a.path < b.path; });
  return all;
}

Status erase(const Held& one) {
  if (one.store == Store::ledger) return Ledger(one.path).erase();
  if (unlink(one.path.c_str()) == 0 || errno == ENOENT) return ok();
  return failed(one.path + " can't be removed: " + std::strerror(errno));
}

void touch(const std::string& path) {
  // A link is not followed, and a failure makes it go the sooner.
  (void)utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
}

Result<std::vector<Due>> due(const Chain* chain, DueBy by, int64_t now) {
  std::vector<Due> all;
  std::array<Standing, categories.size()> standings{};
  if (chain) standings = standing(*chain, now);
  for (const StoreInfo& info : stores) {
    if (info.store == Store::ledger) continue;
    const auto files = held(info.store);
    if (!files) return files.error();
    const std::string why = chain ? ended(*chain, standings, info) : std::string();
    for (const Held& one : *files) {
      if (!why.empty())
        all.push_back({one, why});
      else if (by == DueBy::consent_and_age && info.days && now - one.used > info.days * day)
        all.push_back({one, "not used for " + std::to_string(info.days) + " days"});
    }
  }
  return all;
}

bool own_ledger_gives(Category category, Purpose purpose) {
  const Ledger ledger("default");
  if (access(ledger.path().c_str(), F_OK) != 0) return false;
  const auto chain = ledger.read();
  if (!chain || ledger.blocked()) return false;
  // Without caps, for commands ask before GStreamer is there.
  const int64_t now = g_get_real_time();
  if (chain->torn_withdrawal || now < chain->latest) return false;
  const Standing one = standing(*chain, now)[static_cast<size_t>(category)];
  return one.state == Standing::State::given &&
         (chain->entries[static_cast<size_t>(one.entry)].purposes & bit(purpose)) != 0;
}

}  // namespace sphere::consent
