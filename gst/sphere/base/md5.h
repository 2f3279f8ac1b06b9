// SPDX-License-Identifier: LGPL-2.1-or-later
// MD5 in the form that cameras and names of files use: 32 hexadecimal digits in lower case.

#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "gst/sphere/base/gobject.h"

namespace sphere {

inline std::string md5_of(std::string_view bytes) {
  const GString_ md5(g_compute_checksum_for_data(
      G_CHECKSUM_MD5, reinterpret_cast<const guchar*>(bytes.data()), bytes.size()));
  return md5.get();
}

/// From digits in upper or lower case; empty if they are not 32.
inline std::optional<std::string> read_md5(std::string_view text) {
  if (text.size() != 32 ||
      !std::all_of(text.begin(), text.end(), [](char c) { return g_ascii_isxdigit(c); }))
    return std::nullopt;
  std::string md5(text);
  std::transform(md5.begin(), md5.end(), md5.begin(), g_ascii_tolower);
  return md5;
}

}  // namespace sphere
