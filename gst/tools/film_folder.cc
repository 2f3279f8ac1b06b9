// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/film_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "gst/sphere/base/file.h"

namespace sphere::tool {

namespace {

constexpr const char* job_name = "/job.json";
constexpr std::string_view part_begin = "part-", unfinished_begin = ".sphere-";
// Texts of keyframes and of lens profiles are in it.
constexpr size_t largest_job = 64 << 20;

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

/// The names in a folder, without the folder itself and its parent.
std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, CloseFolder> folder(opendir(path.c_str()));
  if (!folder) return names;
  while (const dirent* entry = readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

bool is_ours(std::string_view name) {
  return name == "job.json" || name.starts_with(part_begin) || name.starts_with(unfinished_begin);
}

}  // namespace

Result<FilmFolder> FilmFolder::open(const std::string& output, const std::string& job) {
  FilmFolder folder;
  folder.path_ = output + ".parts";
  // What is in it shows the film, so it is for this person alone.
  if (mkdir(folder.path_.c_str(), 0700) != 0 && errno != EEXIST)
    return Error{errno == ENOENT ? Error::Kind::not_found : Error::Kind::failed,
                 folder.path_ + ": can't be made: " + std::strerror(errno)};
  struct stat status = {};
  if (lstat(folder.path_.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
    return invalid(folder.path_ + ": is no folder; the parts of the film are kept there, move it");
  for (const std::string& name : names_in(folder.path_))
    if (!is_ours(name))
      return invalid(folder.path_ + ": has other files in it (" + name +
                     "); the parts of the film are kept there, move them");
  if (const Status begun = folder.begin(job); !begun) return begun.error();
  return folder;
}

Status FilmFolder::begin(const std::string& job) {
  const std::string name = path_ + job_name;
  job_ = Descriptor(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!job_) return failed(path_ + ": can't be written: " + std::strerror(errno));
  if (flock(job_.get(), LOCK_EX | LOCK_NB) != 0) {
    job_ = Descriptor();
    return invalid(path_ + ": another `sphere reframe` makes this film now");
  }
  const Result<std::string> before = read_file(name, largest_job, "description of a film");
  if (before && *before == job) {
    for (const std::string& other : names_in(path_))
      if (other.starts_with(unfinished_begin)) unlink((path_ + "/" + other).c_str());
    return ok();
  }
  for (const std::string& other : names_in(path_)) {
    if (other == job_name + 1) continue;
    replaced_ = replaced_ || other.starts_with(part_begin);
    unlink((path_ + "/" + other).c_str());
  }
  if (ftruncate(job_.get(), 0) != 0 ||
      pwrite(job_.get(), job.data(), job.size(), 0) != static_cast<ssize_t>(job.size()) ||
      fsync(job_.get()) != 0)
    return failed(path_ + ": can't be written: " + std::strerror(errno));
  return ok();
}

FilmFolder::~FilmFolder() {
  // Moved from, or not opened.
  if (path_.empty() || !job_) return;
  for (const std::string& name : names_in(path_))
    if (name.starts_with(part_begin)) return;
  remove();
}

std::string FilmFolder::part(size_t number) const {
  char name[32];
  std::snprintf(name, sizeof name, "/part-%06zu", number);
  return path_ + name;
}

bool FilmFolder::has(size_t number) const { return access(part(number).c_str(), F_OK) == 0; }

void FilmFolder::remove_part(size_t number) { unlink(part(number).c_str()); }

void FilmFolder::remove() {
  for (const std::string& name : names_in(path_))
    if (is_ours(name)) unlink((path_ + "/" + name).c_str());
  rmdir(path_.c_str());
}

}  // namespace sphere::tool
