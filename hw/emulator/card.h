// SPDX-License-Identifier: LGPL-2.1-or-later
// The emulated camera's memory card: a folder of this machine, which the
// camera's own system has elsewhere.
//
// Clients name paths on it, and others may write into the folder. So nothing on the way of a path
// is followed that is a symbolic link, and only regular files are opened: a path can't lead out of
// the folder, and opening can't block, as it does on a FIFO.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/result.h"

namespace sphere::emulator {

class Card {
 public:
  /// `camera_root` is where the camera has it, such as /tmp/SD0. An empty folder means one of its
  /// own, which goes with the card.
  static Result<Card> open(const std::string& folder, const std::string& camera_root);
  ~Card();
  Card(Card&& other) noexcept;
  Card& operator=(Card&&) = delete;

  const std::string& folder() const { return folder_; }
  /// The folder of all pictures and videos, as the camera names it.
  std::string media_folder() const { return camera_root_ + "/DCIM"; }

  /// Names and times as LS gives them; folders end in a slash. Sorted. Links, FIFOs and devices are
  /// left out.
  std::optional<std::vector<std::pair<std::string, std::string>>> list(
      const std::string& camera_path) const;

  struct Info {
    uint64_t size;
    std::string date;
  };
  std::optional<Info> info(const std::string& camera_path) const;
  /// `count` bytes from `offset`, or less at the end.
  std::optional<std::string> read(const std::string& camera_path, uint64_t offset,
                                  uint64_t count) const;
  bool remove(const std::string& camera_path) const;
  /// How many files end so (in any case).
  int count(const std::string& suffix) const;

  /// A file of the card, to be read. None where there is none, or it is no regular file.
  Descriptor open_file(const std::string& camera_path) const;
  /// A file that was not there before, to be written. None where that is not possible.
  Descriptor create_file(const std::string& camera_path) const;

  /// A path in this folder of DCIM, which is made, where there is no file yet: as close to
  /// NAMESUFFIX as can be.
  std::string new_path(const std::string& folder, const std::string& name,
                       const std::string& suffix) const;

 private:
  Card(std::string folder, std::string camera_root, bool own, Descriptor root)
      : folder_(std::move(folder)),
        camera_root_(std::move(camera_root)),
        own_(own),
        root_(std::move(root)) {}

  using Parts = std::optional<std::vector<std::string>>;
  Parts parts_of(std::string_view camera_path) const;
  Parts parts_of_file(std::string_view camera_path) const;
  Descriptor open_folder(std::span<const std::string> parts) const;

  std::string folder_;
  std::string camera_root_;
  bool own_;
  Descriptor root_;  // folder_, with which each path begins
};

uint64_t size_of(const Descriptor& file);
/// Reads `size` bytes at `offset`; less at the end of the file and where it can't be read.
std::string read_at(const Descriptor& file, uint64_t offset, size_t size);
/// Whether all of it was written.
bool write_all(const Descriptor& file, std::string_view bytes);

}  // namespace sphere::emulator
