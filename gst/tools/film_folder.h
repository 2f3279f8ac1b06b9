// SPDX-License-Identifier: LGPL-2.1-or-later
// The folder beside OUT in which the parts of a film are kept until OUT is complete.

#pragma once

#include <cstddef>
#include <string>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/result.h"

namespace sphere::tool {

class FilmFolder {
 public:
  /// Makes the folder, or takes the one of a run that was stopped. `job` says what is made from
  /// what; parts of another job are removed. An error if another run is at work there, or if the
  /// folder has something else in it.
  static Result<FilmFolder> open(const std::string& output, const std::string& job);

  FilmFolder(FilmFolder&&) = default;
  FilmFolder& operator=(FilmFolder&&) = delete;
  /// Removes it if it has no part.
  ~FilmFolder();

  const std::string& path() const { return path_; }
  std::string part(size_t number) const;
  bool has(size_t number) const;
  /// Whether parts of another job were there.
  bool replaced() const { return replaced_; }
  /// Removes a part, and all.
  void remove_part(size_t number);
  void remove();

 private:
  FilmFolder() = default;
  Status begin(const std::string& job);

  std::string path_;
  Descriptor job_;  ///< its lock keeps other runs out
  bool replaced_ = false;
};

}  // namespace sphere::tool
