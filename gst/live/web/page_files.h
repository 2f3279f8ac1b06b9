// SPDX-License-Identifier: LGPL-2.1-or-later
// The files of the page, which are built into the library.

#pragma once

#include <string_view>

#include "gst/sphere/base/gobject.h"

namespace sphere::live {

struct PageFile {
  const char* path;  ///< in the address, such as "/main.js"
  const char* type;  ///< the MIME type
  BytesRef bytes;
};

/// The file of this path; `bytes` is null if there is none.
PageFile page_file(std::string_view path);

}  // namespace sphere::live
