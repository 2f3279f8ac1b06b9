// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that are one person's own: not led astray by a link, and not where others can write.

#pragma once

#include <sys/stat.h>

#include <string>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/result.h"

namespace sphere::consent {

struct PrivateFile {
  Descriptor descriptor;
  struct stat status = {};
};

/// A regular file of the user's own, made with mode 0600 where `flags` say so.
Result<PrivateFile> open_private(const std::string& path, int flags);

}  // namespace sphere::consent
