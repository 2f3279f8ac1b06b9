// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/consent/watch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gst/sphere/consent/private_file.h"

namespace sphere::consent {

namespace {

constexpr off_t file_size = 4096;

}  // namespace

Result<std::unique_ptr<Watch>> Watch::open(const std::string& path, Mode mode) {
  auto file = open_private(path, O_RDWR | O_CREAT);
  bool writable = true;
  if (!file && mode == Mode::read) {
    file = open_private(path, O_RDONLY);
    writable = false;
  }
  if (!file) return file.error();
  // Its blocks are taken now: a write into memory that finds the disk full ends the process.
  if (file->status.st_size < file_size) {
    const int refused =
        writable ? posix_fallocate(file->descriptor.get(), 0, file_size) : static_cast<int>(EROFS);
    if (refused) return failed(path + ": can't be made: " + std::strerror(refused));
  }
  void* memory =
      mmap(nullptr, static_cast<size_t>(file_size), PROT_READ | (writable ? PROT_WRITE : 0),
           MAP_SHARED, file->descriptor.get(), 0);
  if (memory == MAP_FAILED) return failed(path + ": can't be mapped: " + std::strerror(errno));
  return std::unique_ptr<Watch>(
      new Watch(static_cast<Shared*>(memory), file->status.st_dev, file->status.st_ino));
}

Watch::~Watch() { munmap(shared_, static_cast<size_t>(file_size)); }

}  // namespace sphere::consent
