// SPDX-License-Identifier: LGPL-2.1-or-later
// The emulated camera's memory card: a folder of this machine. On the control channel it has
// another path.
//
// Clients send paths, and other processes may write into the folder. Therefore symbolic links are
// not followed, and only regular files are opened: a path can't lead out of the folder, and opening
// can't block, as it would with a FIFO.

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
  /// `camera_root` is the camera's mount point, such as /tmp/SD0. An empty `folder` means a
  /// temporary one, which is removed with the card.
  static Result<Card> open(const std::string& folder, const std::string& camera_root);
  ~Card();
  Card(Card&& other) noexcept;
  Card& operator=(Card&&) = delete;

  const std::string& folder() const { return folder_; }
  /// The camera's path of the folder with all pictures and videos.
  std::string media_folder() const { return camera_root_ + "/DCIM"; }

  /// Names and times for LS, sorted; names of folders end in a slash. Without links, FIFOs and
  /// devices.
  std::optional<std::vector<std::pair<std::string, std::string>>> list(
      const std::string& camera_path) const;

  struct Info {
    uint64_t size;
    std::string date;
  };
  std::optional<Info> info(const std::string& camera_path) const;
  /// `count` bytes from `offset`, or fewer at the end.
  std::optional<std::string> read(const std::string& camera_path, uint64_t offset,
                                  uint64_t count) const;
  bool remove(const std::string& camera_path) const;
  /// Formats a temporary card: nothing is left but an empty DCIM. A folder of the user's stays as
  /// it is.
  void clear() const;
  /// The number of files with this ending (in upper or lower case).
  int count(const std::string& suffix) const;

  /// Opens a file of the card for reading. Empty if it does not exist or is not a regular file.
  Descriptor open_file(const std::string& camera_path) const;
  /// Makes a new file for writing. Empty if this is not possible, or if the file exists.
  Descriptor create_file(const std::string& camera_path) const;

  /// A path without a file in this folder of DCIM: NAMESUFFIX, or a similar name if that exists.
  /// Makes the folder. No path is given twice in a row, also if its file was removed meanwhile, as
  /// in a loop of segments.
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
  // The name of the last new_path() without a number, and its number.
  mutable std::string last_name_;
  mutable int last_copy_ = -1;
  Descriptor root_;  // descriptor of folder_, in which each path begins
};

uint64_t size_of(const Descriptor& file);
/// Reads `size` bytes at `offset`; fewer at the end of the file or after an error.
std::string read_at(const Descriptor& file, uint64_t offset, size_t size);
/// Writes all of it; false after an error.
bool write_all(const Descriptor& file, std::string_view bytes);

}  // namespace sphere::emulator
