// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sphere::media {

Result<FileSource> FileSource::make(int descriptor) {
  struct stat status = {};
  if (fstat(descriptor, &status) != 0) return failed(std::strerror(errno));
  if (S_ISDIR(status.st_mode)) return invalid("is a folder");
  if (!S_ISREG(status.st_mode)) return invalid("is not a regular file");
  return FileSource(descriptor, static_cast<uint64_t>(status.st_size));
}

size_t FileSource::read(uint64_t position, std::span<uint8_t> into) const {
  size_t done = 0;
  while (done < into.size() && position + done < size_) {
    const ssize_t got = pread(descriptor_, into.data() + done, into.size() - done,
                              static_cast<off_t>(position + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

size_t MemorySource::read(uint64_t position, std::span<uint8_t> into) const {
  if (position >= bytes_.size() || into.empty()) return 0;
  const size_t count = std::min<uint64_t>(into.size(), bytes_.size() - position);
  std::memcpy(into.data(), bytes_.data() + position, count);
  return count;
}

}  // namespace sphere::media
