// SPDX-License-Identifier: LGPL-2.1-or-later
// A file that is there whole or not at all: written without a name in its folder, and named only
// when it is complete. What was there before stays until then.

#pragma once

#include <string>

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

  int descriptor() const { return descriptor_; }
  /// Why nothing more can be written, as the system has it, or "" where it can.
  std::string write_problem() const;
  /// Onto the disk, then under its name.
  Status commit();

 private:
  OutputFile() = default;

  std::string path_;   ///< where it shall be, links followed
  std::string shown_;  ///< as the person called it
  std::string folder_;
  std::string temporary_;  ///< the name meanwhile, "" while it has none
  int descriptor_ = -1;
  bool clobber_ = true;
};

}  // namespace sphere::tool
