// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/part_writer.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "gst/live/muxed.h"
#include "gst/sphere/base/gobject.h"

namespace sphere::live {

namespace {

constexpr int readable_by_all = 0666;  // less what the umask takes
// If no pictures come, a file begins with the sound after about half a minute.
constexpr size_t most_early = 30;

Error exists(const std::string& path) {
  return failed("'" + path + "' exists; take another name, or add '?overwrite=yes'");
}

Error not_written(const std::string& path) {
  return failed("'" + path + "' can't be written: " + g_strerror(errno));
}

}  // namespace

std::string PartNames::next() {
  ++number_;
  if (!numbered_ && number_ == 1) return path_;
  const size_t slash = path_.rfind('/');
  size_t dot = path_.rfind('.');
  if (dot == std::string::npos || (slash != std::string::npos && dot < slash)) dot = path_.size();
  char text[24];
  std::snprintf(text, sizeof text, numbered_ ? "-%03d" : "-%d", number_);
  return path_.substr(0, dot) + text + path_.substr(dot);
}

Status check_part(const std::string& path, bool overwrite) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) return not_written(path);
    const GString_ folder(g_path_get_dirname(path.c_str()));
    if (access(folder.get(), W_OK | X_OK) != 0) return not_written(path);
    return ok();
  }
  if (!overwrite) return exists(path);
  // Opening a pipe would wait for a reader.
  if (!S_ISREG(status.st_mode)) return failed("'" + path + "' is not a regular file");
  if (access(path.c_str(), W_OK) != 0) return not_written(path);
  return ok();
}

Result<Descriptor> create_part(const std::string& path, bool overwrite) {
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (overwrite ? O_TRUNC : O_EXCL);
  Descriptor descriptor(open(path.c_str(), flags, readable_by_all));
  if (descriptor) return descriptor;
  if (errno == EEXIST) return exists(path);
  return not_written(path);
}

Status write_all(int descriptor, const std::string& path, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int problem = written < 0 ? errno : EIO;
      if (problem == ENOSPC || problem == EDQUOT)
        return failed("the disk is full: '" + path + "' ends here");
      return failed("'" + path + "' can't be written any more: " + g_strerror(problem));
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return ok();
}

void PartWriter::watch(GstElement* bin) {
  watch_muxed(bin, &reader_, [this]() -> Status {
    while (auto fragment = reader_.next())
      if (const Status taken = take(std::move(*fragment)); !taken) return taken;
    return ok();
  });
}

/// GStreamer's demuxer takes the time of a file's first fragment for the beginning of the film.
/// That is where the pictures begin.
Status PartWriter::take(Fragment fragment) {
  const bool waits = file_.empty() && !reader_.track(fragment.track)->video;
  if (waits) {
    early_.push_back(std::move(fragment));
    if (early_.size() < most_early) return ok();
  } else if (const Status written = write(std::move(fragment)); !written) {
    return written;
  }
  for (Fragment& sound : std::exchange(early_, {}))
    if (const Status written = write(std::move(sound)); !written) return written;
  return ok();
}

Status PartWriter::begin() {
  const std::string path = names_->next();
  auto made = create_part(path, overwrite_);
  if (!made) return made.error();
  descriptor_ = std::move(*made);
  file_ = path;
  return write_all(descriptor_.get(), file_, reader_.header());
}

Status PartWriter::write(Fragment fragment) {
  if (!descriptor_)
    if (const Status begun = begin(); !begun) return begun;
  // What was held back has changed the order.
  if (const Status set = number_fragment(&fragment.bytes, ++number_); !set) return set;
  return write_all(descriptor_.get(), file_, fragment.bytes);
}

}  // namespace sphere::live
