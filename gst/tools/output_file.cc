// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/output_file.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "gst/sphere/base/file.h"
#include "gst/sphere/base/gobject.h"

namespace sphere::tool {

namespace {

constexpr int name_attempts = 100;

std::string temporary_name(const std::string& folder) {
  char name[40];
  g_snprintf(name, sizeof name, "/.sphere-%08x%08x.part", g_random_int(), g_random_int());
  return folder + name;
}

mode_t usual_permissions(mode_t all) {
  // Read once: umask() has to change it for a moment, and several threads write files.
  static const mode_t mask = [] {
    const mode_t found = umask(0);
    umask(found);
    return found;
  }();
  return all & ~mask;
}

/// What is left for the group and for others, so that nobody can read or change what is made of a
/// file or a folder who can't do that with its source.
mode_t limit_of(const std::string& source, gid_t group) {
  constexpr mode_t of_owner = 0700;
  struct stat status = {};
  if (stat(source.c_str(), &status) != 0) return of_owner;
  // It names persons, and what looks like the group's permissions is the most that each of them
  // has.
  if (getxattr(source.c_str(), "system.posix_acl_access", nullptr, 0) > 0) return of_owner;
  mode_t of_group = (status.st_mode >> 3) & 07, of_others = status.st_mode & 07;
  // A member of one group is one of the others for the other.
  if (status.st_gid != group) of_group = of_others = of_group & of_others;
  return of_owner | of_group << 3 | of_others;
}

}  // namespace

Result<OutputFile> OutputFile::create(const std::string& path, bool clobber) {
  const Result<OutputPlace> place = find_output_place(path);
  if (!place) return place.error();
  if (place->mode && !clobber)
    return invalid(path + ": exists, and --no-clobber forbids to replace it");
  OutputFile file;
  file.shown_ = path;
  file.clobber_ = clobber;
  file.path_ = place->path;
  file.folder_ = place->folder;
  file.mode_ = place->mode.value_or(usual_permissions(0666));
  file.descriptor_ = Descriptor(open(file.folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file.descriptor_ && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
    // Not every file system has files without a name.
    for (int i = 0; i < name_attempts && !file.descriptor_; ++i) {
      const std::string name = temporary_name(file.folder_);
      file.descriptor_ =
          Descriptor(open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
      if (file.descriptor_)
        file.temporary_ = name;
      else if (errno != EEXIST)
        break;
    }
  }
  if (!file.descriptor_) return failed(path + ": can't be written: " + std::strerror(errno));
  return file;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      shown_(std::move(other.shown_)),
      folder_(std::move(other.folder_)),
      temporary_(std::exchange(other.temporary_, {})),
      descriptor_(std::move(other.descriptor_)),
      mode_(other.mode_),
      clobber_(other.clobber_) {}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void OutputFile::limit_readers(int source) {
  limit_readers("/proc/self/fd/" + std::to_string(source));
}

void OutputFile::limit_readers(const std::string& source) {
  struct stat status = {};
  mode_ &= fstat(descriptor(), &status) == 0 ? limit_of(source, status.st_gid) : 0600;
}

Status OutputFile::reserve(uint64_t bytes) {
  if (bytes == 0 || bytes > static_cast<uint64_t>(std::numeric_limits<off_t>::max())) return ok();
  // Without a new length, so that a file that becomes shorter has no zeros at its end.
  if (fallocate(descriptor(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) != 0 &&
      errno == ENOSPC)
    return failed(shown_ + ": can't be written: " + std::strerror(errno));
  return ok();
}

std::string OutputFile::write_problem() const {
  const off_t end = lseek(descriptor(), 0, SEEK_END);
  // More than a block, because the last block of a file may have free bytes.
  static constexpr char filling[8192] = {};
  if (end < 0) return std::strerror(errno);
  const ssize_t written = pwrite(descriptor(), filling, sizeof filling, end);
  if (written == static_cast<ssize_t>(sizeof filling)) return {};
  if (written >= 0 && pwrite(descriptor(), filling, 1, end + written) == 1) return {};
  return std::strerror(errno);
}

Status OutputFile::flush() {
  if (fsync(descriptor()) != 0)
    return failed(shown_ + ": can't be written: " + std::strerror(errno));
  return ok();
}

Status OutputFile::find_late_errors() {
  // Network file systems find some errors, such as a full disk, only when a file is closed.
  const int copy = fcntl(descriptor(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0 || close(copy) != 0)
    return failed(shown_ + ": can't be written: " + std::strerror(errno));
  return ok();
}

Status OutputFile::write(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failed(shown_ + ": can't be written: " + std::strerror(errno));
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return ok();
}

Status OutputFile::commit() {
  const auto problem = [this](int number) {
    return failed(shown_ + ": can't be written: " + std::strerror(number));
  };
  const bool replaces = access(path_.c_str(), F_OK) == 0;
  if (fchmod(descriptor(), mode_) != 0) return problem(errno);
  if (const Status done = replaces ? flush() : find_late_errors(); !done) return done;
  const std::string self = "/proc/self/fd/" + std::to_string(descriptor());
  if (!clobber_) {
    const int done = temporary_.empty() ? linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path_.c_str(),
                                                 AT_SYMLINK_FOLLOW)
                                        : link(temporary_.c_str(), path_.c_str());
    if (done != 0)
      return errno == EEXIST ? invalid(shown_ + ": exists, and --no-clobber forbids to replace it")
                             : problem(errno);
  } else {
    for (int i = 0; i < name_attempts && temporary_.empty(); ++i) {
      const std::string name = temporary_name(folder_);
      if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0)
        temporary_ = name;
      else if (errno != EEXIST)
        return problem(errno);
    }
    if (rename(temporary_.c_str(), path_.c_str()) != 0) return problem(errno);
    temporary_.clear();
  }
  if (!replaces) return ok();
  // So that the new name survives a power cut, if the file system supports it.
  if (const Descriptor folder{open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)})
    fsync(folder.get());
  return ok();
}

void make_folder_like(const std::string& path, const std::string& source) {
  struct stat status = {};
  if (mkdir(path.c_str(), 0700) != 0 || stat(path.c_str(), &status) != 0) return;
  // With the bit that hands its group on to the files in it.
  const mode_t special = status.st_mode & 07000;
  chmod(path.c_str(), special | (usual_permissions(0777) & limit_of(source, status.st_gid)));
}

bool is_same_file(int descriptor, const std::string& path) {
  struct stat one = {}, two = {};
  return fstat(descriptor, &one) == 0 && stat(path.c_str(), &two) == 0 &&
         one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

OutputSet::~OutputSet() {
  if (kept_) return;
  for (const std::string& path : named_) unlink(path.c_str());
  for (auto folder = made_folders_.rbegin(); folder != made_folders_.rend(); ++folder)
    rmdir(folder->c_str());
}

Status OutputSet::make_folder(const std::string& path) {
  // The nearest folder that exists, and the missing folders below it.
  std::vector<std::string> missing;
  for (std::string folder = path; !g_file_test(folder.c_str(), G_FILE_TEST_EXISTS);) {
    missing.push_back(folder);
    const GString_ parent(g_path_get_dirname(folder.c_str()));
    if (folder == parent.get()) break;
    folder = parent.get();
  }
  for (auto folder = missing.rbegin(); folder != missing.rend(); ++folder) {
    // `a/` and `a/.` are the same folder as `a`.
    if (mkdir(folder->c_str(), 0777) == 0)
      made_folders_.push_back(*folder);
    else if (errno != EEXIST)
      return failed(path + ": can't be made: " + std::strerror(errno));
  }
  if (!g_file_test(path.c_str(), G_FILE_TEST_IS_DIR))
    return failed(path + ": can't be made: " + std::strerror(ENOTDIR));
  return ok();
}

Status OutputSet::add(const std::string& path, bool clobber, std::span<const uint8_t> bytes,
                      const std::string& source) {
  Result<OutputFile> file = OutputFile::create(path, clobber);
  if (!file) return file.error();
  if (!source.empty()) file->limit_readers(source);
  if (const Status written = file->write(bytes); !written) return written;
  const bool is_new = !g_file_test(file->path().c_str(), G_FILE_TEST_EXISTS);
  files_.push_back({std::move(*file), is_new});
  return ok();
}

Status OutputSet::commit() {
  for (Entry& entry : files_)
    if (const Status flushed = entry.file.flush(); !flushed) return flushed;
  for (Entry& entry : files_) {
    if (const Status named = entry.file.commit(); !named) return named;
    if (entry.is_new) named_.push_back(entry.file.path());
  }
  kept_ = true;
  return ok();
}

}  // namespace sphere::tool
