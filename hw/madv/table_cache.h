// SPDX-License-Identifier: LGPL-2.1-or-later
// Lens tables that were fetched before, by their MD5: in the user's cache directory, or only in
// this process.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gst/sphere/base/result.h"

namespace sphere::madv {

class TableCache {
 public:
  /// An empty folder means the default one in the user's cache directory.
  explicit TableCache(std::string folder = {});

  /// The table with this MD5 (32 lower case digits), if it is stored and its bytes still have this
  /// MD5.
  std::optional<std::string> load(const std::string& md5) const;
  Status store(const std::string& md5, std::string_view table) const;
  void forget(const std::string& md5) const;

 private:
  std::string path(const std::string& md5) const;
  std::string folder_;
};

/// The table that this process fetched last, if it has this MD5. It is kept only in memory.
std::optional<std::string> remembered_table(const std::string& md5);
void remember_table(const std::string& md5, std::string_view table);

}  // namespace sphere::madv
