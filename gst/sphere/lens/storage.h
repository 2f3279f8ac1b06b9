// SPDX-License-Identifier: LGPL-2.1-or-later
// A tree of named values, read from YAML, JSON (which is YAML) or OpenCV's XML.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"

namespace sphere {

struct StorageNode {
  enum class Kind { absent, scalar, list, map };
  Kind kind = Kind::absent;
  std::string name;                   ///< in a map; "" in a list
  std::string text;                   ///< of a scalar
  std::vector<StorageNode> children;  ///< of a list or a map

  /// The child with that name; an absent node if there is none.
  const StorageNode& operator[](std::string_view wanted) const;
  bool present() const { return kind != Kind::absent; }
};

/// Larger files, deeper trees and aliases are errors: no calibration has them.
Result<StorageNode> parse_storage(std::string_view text, const std::string& name);

}  // namespace sphere
