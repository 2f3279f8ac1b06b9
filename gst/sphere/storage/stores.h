// SPDX-License-Identifier: LGPL-2.1-or-later
// The list of everything that the suite stores about a person or a camera: its location, the grants
// that it needs, and how long it is kept. Nothing else is stored.

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/consent/chain.h"

namespace sphere::storage {

using consent::Category;
using consent::Purpose;

/// A kind of stored data.
enum class Store { ledger, cameras, tables, lenses, pins, statistics, crashes };

struct StoreInfo {
  Store store;
  std::string_view name;
  std::string_view what;
  bool cache;              // below the XDG cache folder, not the data folder
  std::string_view below;  // its folder there; for the ledger, its file
  /// The first `grant_count` of these must be given; the others are not used.
  std::array<std::pair<Category, Purpose>, 2> grants;
  size_t grant_count;
  /// Days after the last use; 0: until it is erased.
  int days;

  std::span<const std::pair<Category, Purpose>> needs() const {
    return {grants.data(), grant_count};
  }
};

inline constexpr std::array<StoreInfo, 7> stores = {{
    {Store::ledger,
     "ledger",
     "which consent was given and taken back, and when",
     false,
     "consent.jsonl",
     {},
     0,
     0},
    {Store::cameras,
     "cameras",
     "model, serial number, firmware and Wi-Fi name of cameras",
     false,
     "cameras",
     {{{Category::device, Purpose::bind}, {Category::network, Purpose::bind}}},
     2,
     365},
    {Store::tables,
     "tables",
     "the lens tables of cameras",
     true,
     "madv-lens-tables",
     {{{Category::device, Purpose::bind}}},
     1,
     365},
    {Store::lenses,
     "lenses",
     "the lenses that were found in files of a camera, under a hash of its model and serial number",
     false,
     "lenses",
     {{{Category::device, Purpose::bind}}},
     1,
     365},
    {Store::pins,
     "pins",
     "the certificates of the cameras' web servers, under a hash of the serial number",
     false,
     "pins",
     {{{Category::device, Purpose::bind}}},
     1,
     365},
    {Store::statistics,
     "statistics",
     "how often commands ran, and how long they took, rounded",
     false,
     "statistics",
     {{{Category::statistics, Purpose::improve}}},
     1,
     400},
    {Store::crashes,
     "crashes",
     "how often commands ended before they were finished, rounded",
     false,
     "crashes",
     {{{Category::statistics, Purpose::improve}}},
     1,
     400},
}};

constexpr const StoreInfo& info_of(Store store) { return stores[static_cast<size_t>(store)]; }

/// The store's folder; for the ledger, its file.
std::string path_of(Store store);
/// The same folder. It is made with mode 0700 if it does not exist.
Result<std::string> make_folder(Store store);

/// One file of a store.
struct StoredFile {
  Store store;
  std::string path;
  int64_t size = 0;
  int64_t used = 0;  // time of the last write or read, microseconds since 1970
};
/// The files of all stores, in the order of `stores`. A folder that can't be read is an error,
/// because it may have files.
Result<std::vector<StoredFile>> list_files(Store store);
/// Removes a file. A ledger is erased in a way that other processes notice.
Status erase(const StoredFile& file);
/// Sets the time of a file's last use to now.
void mark_used(const std::string& path);

/// A file that must not be kept any longer.
struct ExpiredFile {
  StoredFile file;
  std::string why;
};
enum class Rule { consent, consent_and_age };
/// Finds files whose consent has ended: it was withdrawn, has expired, or was replaced by a smaller
/// one. If a grant was never in the ledger, or only under an older notice, the consent was given in
/// another way, such as by an application; then only the age counts. If `chain` is null, because
/// the ledger is not valid, only the age counts, too.
Result<std::vector<ExpiredFile>> expired_files(const consent::Chain* chain, Rule rule,
                                               int64_t now_utc_us);

}  // namespace sphere::storage
