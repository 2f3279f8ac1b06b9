// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/storage/stores.h"

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

namespace sphere::storage {

using consent::categories;
using consent::CategoryState;
using consent::Chain;

namespace {

constexpr int64_t day = INT64_C(86400) * G_USEC_PER_SEC;

using Folder = std::unique_ptr<DIR, Call<closedir>>;

StoredFile stored_file(Store store, const std::string& path, const struct stat& status) {
  return {store, path, status.st_size, status.st_mtim.tv_sec * INT64_C(1000000)};
}

/// The reason why a grant that this store needs is not given any more, or "".
std::string ended(const Chain& chain, const std::array<CategoryState, categories.size()>& all,
                  const StoreInfo& info) {
  for (const auto& [category, purpose] : info.needs()) {
    const CategoryState& one = all[static_cast<size_t>(category)];
    const std::string name(name_of(category));
    if (one.state == CategoryState::State::withdrawn) return name + " was taken back";
    if (one.state == CategoryState::State::expired) return name + " has expired";
    if (one.state == CategoryState::State::given &&
        !(chain.entries[static_cast<size_t>(one.entry)].purposes & bit(purpose)))
      return name + " is not given for " + std::string(name_of(purpose)) + " any more";
  }
  return {};
}

}  // namespace

std::string path_of(Store store) {
  const StoreInfo& info = info_of(store);
  const GString_ path(g_build_filename(info.cache ? g_get_user_cache_dir() : g_get_user_data_dir(),
                                       "gst-sphere", std::string(info.below).c_str(), nullptr));
  return path.get();
}

Result<std::string> make_folder(Store store) {
  std::string folder = path_of(store);
  if (g_mkdir_with_parents(folder.c_str(), 0700) != 0)
    return failed("the folder '" + folder + "' can't be made: " + std::strerror(errno));
  return folder;
}

Result<std::vector<StoredFile>> list_files(Store store) {
  const std::string stored_at = path_of(store);
  std::vector<StoredFile> all;
  struct stat status = {};
  if (lstat(stored_at.c_str(), &status) != 0) {
    if (errno == ENOENT) return all;
    return failed(stored_at + " can't be checked: " + std::strerror(errno));
  }
  if (store == Store::ledger) {
    all.push_back(stored_file(store, stored_at, status));
    return all;
  }
  const Folder folder(opendir(stored_at.c_str()));
  if (!folder) return failed(stored_at + " can't be checked: " + std::strerror(errno));
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(folder.get());
    if (!entry && errno) return failed(stored_at + " can't be checked: " + std::strerror(errno));
    if (!entry) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = stored_at + "/" + entry->d_name;
    if (lstat(path.c_str(), &status) == 0) all.push_back(stored_file(store, path, status));
  }
  std::sort(all.begin(), all.end(),
            [](const StoredFile& a, const StoredFile& b) { return a.path < b.path; });
  return all;
}

Status erase(const StoredFile& file) {
  if (file.store == Store::ledger) return consent::Ledger(file.path).erase();
  if (unlink(file.path.c_str()) == 0 || errno == ENOENT) return ok();
  return failed(file.path + " can't be removed: " + std::strerror(errno));
}

void mark_used(const std::string& path) {
  // A link is not followed. If this fails, the file is removed earlier than necessary, which is
  // safe.
  (void)utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
}

Result<std::vector<ExpiredFile>> expired_files(const Chain* chain, Rule rule, int64_t now) {
  std::vector<ExpiredFile> all;
  std::array<CategoryState, categories.size()> states{};
  if (chain) states = states_of(*chain, now);
  for (const StoreInfo& info : stores) {
    if (info.store == Store::ledger) continue;
    const auto files = list_files(info.store);
    if (!files) return files.error();
    const std::string why = chain ? ended(*chain, states, info) : std::string();
    for (const StoredFile& one : *files) {
      if (!why.empty())
        all.push_back({one, why});
      else if (rule == Rule::consent_and_age && info.days && now - one.used > info.days * day)
        all.push_back({one, "not used for " + std::to_string(info.days) + " days"});
    }
  }
  return all;
}

}  // namespace sphere::storage
