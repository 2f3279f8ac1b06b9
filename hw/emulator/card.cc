// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/emulator/card.h"

#include <gio/gio.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "gst/sphere/base/gobject.h"

namespace sphere::emulator {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view root = "/tmp/SD0";

std::string printed_time(const char* format) {
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  return GString_(g_date_time_format(now, format)).get();
}

std::string date_of(const std::string& path) {
  g_autoptr(GFile) file = g_file_new_for_path(path.c_str());
  g_autoptr(GFileInfo) info = g_file_query_info(file, G_FILE_ATTRIBUTE_TIME_MODIFIED,
                                                G_FILE_QUERY_INFO_NONE, nullptr, nullptr);
  g_autoptr(GDateTime) time = info ? g_file_info_get_modification_date_time(info) : nullptr;
  g_autoptr(GDateTime) local = time ? g_date_time_to_local(time) : nullptr;
  return local ? GString_(g_date_time_format(local, "%Y-%m-%d %H:%M:%S")).get()
               : "1970-01-01 00:00:00";
}

}  // namespace

Result<Card> Card::open(const std::string& folder) {
  std::string path = folder;
  if (path.empty()) {
    g_autoptr(GError) error = nullptr;
    const GString_ made(g_dir_make_tmp("sphere-emulator-XXXXXX", &error));
    if (!made) return failed(std::string("no folder for the card can be made: ") + error->message);
    path = made.get();
  }
  std::error_code error;
  fs::create_directories(path + "/DCIM", error);
  if (error) return failed("the card '" + path + "' can't be used: " + error.message());
  return Card(path, folder.empty());
}

Card::Card(Card&& other) noexcept : folder_(std::move(other.folder_)), own_(other.own_) {
  other.own_ = false;
}

Card::~Card() {
  if (!own_) return;
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::optional<std::string> Card::local(const std::string& camera_path) const {
  std::string path = camera_path;
  // "tmp/SD0/..." also occurs in the vendor's own samples.
  if (path.starts_with("tmp/")) path.insert(0, "/");
  if (!path.starts_with(root)) return std::nullopt;
  path.erase(0, root.size());
  if (!path.empty() && path[0] != '/') return std::nullopt;
  if (path.find('\0') != std::string::npos) return std::nullopt;
  for (const fs::path& part : fs::path(path))
    if (part == "..") return std::nullopt;
  return folder_ + path;
}

std::optional<std::vector<std::pair<std::string, std::string>>> Card::list(
    const std::string& camera_path) const {
  const std::optional<std::string> folder = local(camera_path);
  if (!folder) return std::nullopt;
  std::error_code error;
  fs::directory_iterator entries(*folder, error);
  if (error) return std::nullopt;
  std::vector<std::pair<std::string, std::string>> found;
  for (; entries != fs::directory_iterator(); entries.increment(error)) {
    if (error) break;
    const std::string name = entries->path().filename().string();
    const bool is_folder = entries->is_directory(error);
    found.emplace_back(is_folder ? name + "/" : name, date_of(entries->path().string()));
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::optional<Card::Info> Card::info(const std::string& camera_path) const {
  const std::optional<std::string> path = local(camera_path);
  std::error_code error;
  if (!path || !fs::is_regular_file(*path, error)) return std::nullopt;
  const uint64_t size = fs::file_size(*path, error);
  if (error) return std::nullopt;
  return Info{size, date_of(*path)};
}

std::optional<std::string> Card::read(const std::string& camera_path, uint64_t offset,
                                      uint64_t count) const {
  const std::optional<Info> about = info(camera_path);
  if (!about || offset > about->size) return std::nullopt;
  std::ifstream file(*local(camera_path), std::ios::binary);
  if (!file.seekg(static_cast<std::streamoff>(offset))) return std::nullopt;
  std::string bytes(std::min(count, about->size - offset), '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(file.gcount()));
  return bytes;
}

bool Card::remove(const std::string& camera_path) const {
  if (!info(camera_path)) return false;
  std::error_code error;
  return fs::remove(*local(camera_path), error);
}

int Card::count(const std::string& suffix) const {
  std::error_code error;
  int found = 0;
  for (fs::recursive_directory_iterator entry(folder_ + "/DCIM", error), end;
       !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().string();
    std::transform(name.begin(), name.end(), name.begin(), g_ascii_toupper);
    found += name.ends_with(suffix);
  }
  return found;
}

std::string Card::new_path(const std::string& kind, const std::string& suffix) const {
  const std::string day = std::string(root) + "/DCIM/" + printed_time("%Y%m%d");
  std::error_code error;
  fs::create_directories(*local(day), error);
  const std::string name = day + "/" + kind + "_" + printed_time("%Y%m%d_%H%M%S");
  // Two within one second: the camera is too slow for that, this one is not.
  for (int copy = 0;; ++copy) {
    const std::string path = name + (copy ? "_" + std::to_string(copy) : "") + suffix;
    if (!fs::exists(*local(path), error)) return path;
  }
}

}  // namespace sphere::emulator
