// SPDX-License-Identifier: LGPL-2.1-or-later
// The emulated camera's memory card: a folder of this machine, seen as /tmp/SD0.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gst/sphere/base/result.h"

namespace sphere::emulator {

class Card {
 public:
  /// An empty folder means one of its own, which goes with the card.
  static Result<Card> open(const std::string& folder);
  ~Card();
  Card(Card&& other) noexcept;
  Card& operator=(Card&&) = delete;

  const std::string& folder() const { return folder_; }

  /// Where "/tmp/SD0/DCIM/..." lies here. Nothing for a path that leaves the card.
  std::optional<std::string> local(const std::string& camera_path) const;

  /// Names and times as LS gives them; folders end in a slash. Sorted.
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

  /// A new file's path below /tmp/SD0, its folder made: kind "VID", suffix "AA.MP4".
  std::string new_path(const std::string& kind, const std::string& suffix) const;

 private:
  Card(std::string folder, bool own) : folder_(std::move(folder)), own_(own) {}

  std::string folder_;
  bool own_;
};

}  // namespace sphere::emulator
