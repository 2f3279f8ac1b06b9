// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/base/file.h"

#include <gio/gio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "gst/sphere/base/gobject.h"

namespace sphere {

namespace {

// As the kernel has it.
constexpr int most_links = 40;

/// realpath() needs a file that exists.
std::string end_of_links(std::string path) {
  for (int i = 0; i < most_links; ++i) {
    const GString_ target(g_file_read_link(path.c_str(), nullptr));
    if (!target) break;
    const GString_ folder(g_path_get_dirname(path.c_str()));
    const GString_ next(g_path_is_absolute(target.get())
                            ? g_strdup(target.get())
                            : g_build_filename(folder.get(), target.get(), nullptr));
    path = next.get();
  }
  return path;
}

}  // namespace

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

Result<OutputPlace> find_output_place(const std::string& name) {
  const auto problem = [&name](int number) {
    return failed(name + ": can't be written: " + std::strerror(number));
  };
  if (name == "-")
    return invalid(
        "-: name a file; standard output is not written ('./-' is a file with this name)");
  OutputPlace place;
  struct stat status = {};
  if (stat(name.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return invalid(name + ": is a folder; name a file in it");
    if (!S_ISREG(status.st_mode)) return invalid(name + ": exists and is not a regular file");
    if (access(name.c_str(), W_OK) != 0) return problem(errno);
    place.mode = status.st_mode & 0777;
  } else if (errno != ENOENT) {
    return problem(errno);
  }
  place.path = end_of_links(name);
  const GString_ folder(g_path_get_dirname(place.path.c_str()));
  place.folder = folder.get();
  if (stat(folder.get(), &status) == 0) return place;
  if (errno != ENOENT) return problem(errno);
  return not_found(name + ": the folder '" + place.folder + "' does not exist");
}

}  // namespace sphere
