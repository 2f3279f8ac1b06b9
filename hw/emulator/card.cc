// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/emulator/card.h"

#include <dirent.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/printable.h"

namespace sphere::emulator {

namespace {

// Largest depth of folders; a camera's card has two levels.
constexpr int deepest_folder = 16;

using Folder = std::unique_ptr<DIR, Call<closedir>>;

std::string date_of(const struct stat& status) {
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(status.st_mtime);
  return time ? GString_(g_date_time_format(time, "%Y-%m-%d %H:%M:%S")).get()
              : "1970-01-01 00:00:00";
}

Descriptor open_at(const Descriptor& folder, const std::string& name, int flags) {
  // Does not become the terminal of this process, and does not block for the other end of a FIFO.
  return Descriptor(openat(folder.get(), name.c_str(),
                           flags | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666));
}

Folder read_folder(const Descriptor& folder) {
  // A descriptor with O_PATH can't be read from.
  Descriptor readable = open_at(folder, ".", O_RDONLY | O_DIRECTORY);
  if (!readable) return nullptr;
  Folder entries(fdopendir(readable.get()));
  // The stream closes the descriptor.
  if (entries) readable.release();
  return entries;
}

/// Calls `entry` with the name and the status of each regular file and folder.
template <typename Function>
bool for_each_entry(const Descriptor& folder, Function entry) {
  const Folder entries = read_folder(folder);
  if (!entries) return false;
  while (const dirent* found = readdir(entries.get())) {
    const std::string name = found->d_name;
    struct stat status;
    if (name == "." || name == ".." ||
        fstatat(dirfd(entries.get()), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) entry(name, status);
  }
  return true;
}

int count_in(const Descriptor& folder, const std::string& suffix, int deepest) {
  int count = 0;
  for_each_entry(folder, [&](std::string name, const struct stat& status) {
    if (S_ISDIR(status.st_mode)) {
      if (deepest > 0)
        if (const Descriptor below = open_at(folder, name, O_PATH | O_DIRECTORY))
          count += count_in(below, suffix, deepest - 1);
      return;
    }
    std::transform(name.begin(), name.end(), name.begin(), g_ascii_toupper);
    count += name.ends_with(suffix);
  });
  return count;
}

}  // namespace

Result<Card> Card::open(const std::string& folder, const std::string& camera_root) {
  std::string path = folder;
  if (path.empty()) {
    g_autoptr(GError) error = nullptr;
    const GString_ made(g_dir_make_tmp("sphere-emulator-XXXXXX", &error));
    if (!made) return failed(std::string("no folder for the card can be made: ") + error->message);
    path = made.get();
  }
  const auto unusable = [&](const std::string& why) {
    return failed("the card '" + printable(path) + "' can't be used: " + why);
  };
  g_mkdir_with_parents(path.c_str(), 0777);
  // The folder itself is chosen by the user, and may be a link.
  Descriptor root(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return unusable(g_strerror(errno));
  Card card(path, camera_root, folder.empty(), std::move(root));
  const std::string dcim = "DCIM";
  if (mkdirat(card.root_.get(), dcim.c_str(), 0777) != 0 && errno != EEXIST)
    return unusable(g_strerror(errno));
  if (!card.open_folder({&dcim, 1}))
    return unusable("its DCIM must be a folder, and no symbolic link to one");
  return card;
}

Card::Card(Card&& other) noexcept
    : folder_(std::move(other.folder_)),
      camera_root_(std::move(other.camera_root_)),
      own_(std::exchange(other.own_, false)),
      root_(std::move(other.root_)) {}

Card::~Card() {
  if (!own_) return;
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

/// Divides "/tmp/SD0/DCIM/a.JPG" into DCIM and a.JPG. Empty if the path is not on the card.
Card::Parts Card::parts_of(std::string_view camera_path) const {
  // The vendor's own samples also have "tmp/SD0/...".
  if (camera_path.starts_with("/")) camera_path.remove_prefix(1);
  const std::string_view root = std::string_view(camera_root_).substr(1);
  if (!camera_path.starts_with(root)) return std::nullopt;
  camera_path.remove_prefix(root.size());
  if (!camera_path.empty() && camera_path[0] != '/') return std::nullopt;
  if (camera_path.find('\0') != std::string_view::npos) return std::nullopt;
  std::vector<std::string> parts;
  while (!camera_path.empty()) {
    const size_t end = std::min(camera_path.find('/'), camera_path.size());
    const std::string_view part = camera_path.substr(0, end);
    if (part == "..") return std::nullopt;
    if (!part.empty() && part != ".") parts.emplace_back(part);
    camera_path.remove_prefix(std::min(end + 1, camera_path.size()));
  }
  return parts;
}

/// The same for a file: the path must have a name, and must not end in a slash.
Card::Parts Card::parts_of_file(std::string_view camera_path) const {
  if (camera_path.ends_with('/')) return std::nullopt;
  Parts parts = parts_of(camera_path);
  return parts && !parts->empty() ? std::move(parts) : std::nullopt;
}

// Opens each part of the path separately, with all kernels. openat2() could do it in one step, but
// then there would be two ways to maintain. No part is "..", therefore no step can lead upwards.
Descriptor Card::open_folder(std::span<const std::string> parts) const {
  Descriptor folder = open_at(root_, ".", O_PATH | O_DIRECTORY);
  for (const std::string& part : parts) {
    if (!folder) break;
    folder = open_at(folder, part, O_PATH | O_DIRECTORY);
  }
  return folder;
}

Descriptor Card::open_file(const std::string& camera_path) const {
  const auto parts = parts_of_file(camera_path);
  if (!parts) return {};
  const Descriptor folder = open_folder(std::span(*parts).first(parts->size() - 1));
  struct stat status;
  // The type is checked before opening, because opening a device may have effects, and again after
  // it, because the file may be another one then.
  if (!folder || fstatat(folder.get(), parts->back().c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISREG(status.st_mode))
    return {};
  Descriptor file = open_at(folder, parts->back(), O_RDONLY);
  if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return file;
}

Descriptor Card::create_file(const std::string& camera_path) const {
  const auto parts = parts_of_file(camera_path);
  if (!parts) return {};
  const Descriptor folder = open_folder(std::span(*parts).first(parts->size() - 1));
  return folder ? open_at(folder, parts->back(), O_RDWR | O_CREAT | O_EXCL) : Descriptor();
}

std::optional<std::vector<std::pair<std::string, std::string>>> Card::list(
    const std::string& camera_path) const {
  const auto parts = parts_of(camera_path);
  if (!parts) return std::nullopt;
  const Descriptor folder = open_folder(*parts);
  std::vector<std::pair<std::string, std::string>> found;
  if (!folder || !for_each_entry(folder, [&](const std::string& name, const struct stat& status) {
        found.emplace_back(S_ISDIR(status.st_mode) ? name + "/" : name, date_of(status));
      }))
    return std::nullopt;
  std::sort(found.begin(), found.end());
  return found;
}

std::optional<Card::Info> Card::info(const std::string& camera_path) const {
  const Descriptor file = open_file(camera_path);
  struct stat status;
  if (!file || fstat(file.get(), &status) != 0) return std::nullopt;
  return Info{static_cast<uint64_t>(status.st_size), date_of(status)};
}

std::optional<std::string> Card::read(const std::string& camera_path, uint64_t offset,
                                      uint64_t count) const {
  const Descriptor file = open_file(camera_path);
  if (!file) return std::nullopt;
  const uint64_t size = size_of(file);
  if (offset > size) return std::nullopt;
  return read_at(file, offset, std::min(count, size - offset));
}

bool Card::remove(const std::string& camera_path) const {
  const auto parts = parts_of_file(camera_path);
  if (!parts) return false;
  const Descriptor folder = open_folder(std::span(*parts).first(parts->size() - 1));
  struct stat status;
  const char* name = parts->back().c_str();
  return folder && fstatat(folder.get(), name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(status.st_mode) && unlinkat(folder.get(), name, 0) == 0;
}

void Card::clear() const {
  if (!own_) return;
  std::error_code ignored;
  const std::filesystem::path dcim = std::filesystem::path(folder_) / "DCIM";
  for (const auto& entry : std::filesystem::directory_iterator(folder_, ignored))
    if (entry.path() != dcim) std::filesystem::remove_all(entry.path(), ignored);
  for (const auto& entry : std::filesystem::directory_iterator(dcim, ignored))
    std::filesystem::remove_all(entry.path(), ignored);
}

int Card::count(const std::string& suffix) const {
  const std::string dcim = "DCIM";
  const Descriptor folder = open_folder({&dcim, 1});
  return folder ? count_in(folder, suffix, deepest_folder) : 0;
}

std::string Card::new_path(const std::string& folder, const std::string& name,
                           const std::string& suffix) const {
  const std::string dcim = "DCIM";
  const Descriptor parent = open_folder({&dcim, 1});
  if (parent) mkdirat(parent.get(), folder.c_str(), 0777);
  const Descriptor opened = parent ? open_at(parent, folder, O_PATH | O_DIRECTORY) : Descriptor();
  // A file with this name exists. A real camera, which uses the time in seconds as the name, is too
  // slow for that, but this one is not.
  const std::string whole = folder + "/" + name + suffix;
  if (std::exchange(last_name_, whole) != whole) last_copy_ = -1;
  for (int copy = last_copy_ + 1;; ++copy) {
    last_copy_ = copy;
    const std::string file = name + (copy ? "_" + std::to_string(copy) : "") + suffix;
    struct stat status;
    // If the folder can't be used, the error comes when the file is created.
    if (!opened || fstatat(opened.get(), file.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
      return media_folder() + "/" + folder + "/" + file;
  }
}

uint64_t size_of(const Descriptor& file) {
  struct stat status;
  return fstat(file.get(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

std::string read_at(const Descriptor& file, uint64_t offset, size_t size) {
  std::string bytes(size, '\0');
  size_t got = 0;
  while (got < size) {
    const ssize_t n =
        pread(file.get(), bytes.data() + got, size - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    got += static_cast<size_t>(n);
  }
  bytes.resize(got);
  return bytes;
}

bool write_all(const Descriptor& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(file.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace sphere::emulator
