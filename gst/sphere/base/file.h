// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that a person names: small ones are read, and the places of new ones are checked.

#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>

#include "gst/sphere/base/result.h"

namespace sphere {

/// The content of a file; of a larger one, one byte more than `most`. `what` is what the file is,
/// in errors, such as "lens profile".
Result<std::string> read_file(const std::string& path, size_t most, const char* what);

struct OutputPlace {
  std::string path;            ///< at the end of the symbolic links of the name
  std::string folder;          ///< which exists
  std::optional<mode_t> mode;  ///< the permissions of the file that is there; none: there is none
};

/// Where a file goes that a person names. Only a regular file may be replaced there: under a new
/// name, a device such as /dev/null would be gone for all programs.
Result<OutputPlace> find_output_place(const std::string& name);

}  // namespace sphere
