// SPDX-License-Identifier: LGPL-2.1-or-later
// A file that appears only when it is complete: it is written without a name in its folder and gets
// its name at the end. An older file stays until then.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/result.h"

namespace sphere::tool {

class OutputFile {
 public:
  /// Makes sure that the file can be written before anything costly is done. With `clobber` false
  /// a file that exists is refused, now and at the end.
  static Result<OutputFile> create(const std::string& path, bool clobber);

  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&& other) = delete;
  /// Without commit() nothing is left behind.
  ~OutputFile();

  int descriptor() const { return descriptor_.get(); }
  /// After what was written before.
  Status write(std::span<const uint8_t> bytes);
  /// Why nothing more can be written, as the system has it, or "" where it can.
  std::string write_problem() const;
  /// Onto the disk, so that commit() has little left that can fail.
  Status flush();
  /// Onto the disk, then under its name.
  Status commit();

 private:
  OutputFile() = default;

  std::string path_;   ///< where it shall be, links followed
  std::string shown_;  ///< as the person called it
  std::string folder_;
  std::string temporary_;  ///< the name meanwhile, "" while it has none
  Descriptor descriptor_;
  bool clobber_ = true;
};

/// Several files and the folder for some of them: all are there at the end, or none of what is new.
/// A file that replaced an older one before another could not be named stays.
class OutputSet {
 public:
  OutputSet() = default;
  OutputSet(const OutputSet&) = delete;
  OutputSet& operator=(const OutputSet&) = delete;
  /// Without a commit() that went well, takes away what it named and the folders that it made.
  ~OutputSet();

  /// Makes a folder, and those above it, where they are missing.
  Status make_folder(const std::string& path);
  /// A file with this content. It has no name before commit().
  Status add(const std::string& path, bool clobber, std::span<const uint8_t> bytes);
  /// All onto the disk, then each under its name, in the order in which they were added.
  Status commit();

 private:
  struct Entry {
    OutputFile file;
    std::string path;
    bool is_new;
  };
  std::vector<Entry> files_;
  std::vector<std::string> made_folders_, named_;
  bool kept_ = false;
};

}  // namespace sphere::tool
