// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads small files that a person names.

#pragma once

#include <cstddef>
#include <string>

#include "gst/sphere/base/result.h"

namespace sphere {

/// The content of a file; of a larger one, one byte more than `most`. `what` is what the file is,
/// in errors, such as "lens profile".
Result<std::string> read_file(const std::string& path, size_t most, const char* what);

}  // namespace sphere
