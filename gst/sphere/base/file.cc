// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/base/file.h"

#include <gio/gio.h>

#include <algorithm>

namespace sphere {

Result<std::string> read_file(const std::string& path, size_t most, const char* what) {
  constexpr size_t block = 1 << 20;
  g_autoptr(GFile) file = g_file_new_for_path(path.c_str());
  g_autoptr(GError) error = nullptr;
  g_autoptr(GFileInputStream) stream = g_file_read(file, nullptr, &error);
  const auto message = [&] {
    return std::string(what) + " '" + path + "' can't be read: " + error->message;
  };
  if (!stream) {
    const bool absent = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    return Error{absent ? Error::Kind::not_found : Error::Kind::failed, message()};
  }
  // Reads one byte more than is allowed, to detect larger files without trust in the size that the
  // system reports.
  std::string text;
  for (gsize size = 1; size > 0 && text.size() <= most;) {
    const size_t before = text.size();
    text.resize(before + std::min(block, most + 1 - before));
    if (!g_input_stream_read_all(G_INPUT_STREAM(stream), text.data() + before, text.size() - before,
                                 &size, nullptr, &error))
      return failed(message());
    text.resize(before + size);
  }
  return text;
}

}  // namespace sphere
