// SPDX-License-Identifier: LGPL-2.1-or-later
// Everything that the suite keeps about a person or a camera, in one list: where it is, what has to
// be given for it, how long it stays. What is not in this list is not kept.

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

/// A kind of what is kept.
enum class Store { ledger, cameras, tables, statistics, crashes };

struct StoreInfo {
  Store store;
  std::string_view name;
  std::string_view what;
  bool cache;              // below the XDG cache folder, not the data folder
  std::string_view below;  // its folder there; of the ledger, its file
  /// The first `grant_count` of these must be given; the others mean nothing.
  std::array<std::pair<Category, Purpose>, 2> grants;
  size_t grant_count;
  /// Days after the last use; 0: until it is erased.
  int days;

  std::span<const std::pair<Category, Purpose>> needs() const {
    return {grants.data(), grant_count};
  }
};

inline constexpr std::array<StoreInfo, 5> stores = {{
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

/// Its folder; of the ledger, its file.
std::string path_of(Store store);
/// The same, made with mode 0700 if it is not there.
Result<std::string> make_folder(Store store);

/// One file of a store.
struct StoredFile {
  Store store;
  std::string path;
  int64_t size = 0;
  int64_t used = 0;  // when it was written or read last, microseconds since 1970
};
/// In the order of `stores`. What can't be checked is an error: it may hold something.
Result<std::vector<StoredFile>> list_files(Store store);
/// A ledger is erased so that whoever looks at it sees it; other files are removed.
Status erase(const StoredFile& file);
/// Notes that a file was used now: its days are counted from here on.
void mark_used(const std::string& path);

/// A file that there is no more reason to keep.
struct ExpiredFile {
  StoredFile file;
  std::string why;
};
enum class Rule { consent, consent_and_age };
/// Consent that ended: withdrawn, expired, or given anew for less. What was never given in the
/// ledger, or under an older notice alone, was given elsewhere, such as by an application: it goes
/// by its age. Null for the chain: the ledger can't be believed, and age alone counts.
Result<std::vector<ExpiredFile>> expired_files(const consent::Chain* chain, Rule rule,
                                               int64_t now_utc_us);

}  // namespace sphere::storage
