// SPDX-License-Identifier: LGPL-2.1-or-later
// A file that appears only when it is complete: it is written without a name in its folder and gets
// its name at the end. An older file stays until then.

#pragma once

#include <sys/types.h>

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
  /// Without commit(), no file is left.
  ~OutputFile();

  /// Nobody gets to read it who can't read this one, from which it is made.
  void limit_readers(int source);
  /// Of a file that is gone, that is nobody but its owner.
  void limit_readers(const std::string& source);

  /// Until commit(), only its owner can read it.
  int descriptor() const { return descriptor_.get(); }
  /// Where it is in the end, with symbolic links resolved.
  const std::string& path() const { return path_; }
  /// Takes room for this many bytes from the disk before they are written: a full disk is noticed
  /// at once, and writing is quicker. Where the file system can't do that, nothing happens.
  Status reserve(uint64_t bytes);
  /// Appends.
  Status write(std::span<const uint8_t> bytes);
  /// The system's message if nothing more can be written, else "".
  std::string write_problem() const;
  /// Writes it to the disk, so that commit() is unlikely to fail.
  Status flush();
  /// Gives it its name. If it replaces an older file, it is on the disk before, so that a power cut
  /// leaves one of the two; a new file is written to the disk when the system does that.
  Status commit();

 private:
  OutputFile() = default;
  Status find_late_errors();

  std::string path_;
  std::string shown_;  ///< as the user wrote it
  std::string folder_;
  std::string temporary_;  ///< its name until commit(); "": it has none
  Descriptor descriptor_;
  mode_t mode_ = 0600;  ///< from commit() on
  bool clobber_ = true;
};

/// Makes a folder that nobody can read who can't read `source`, a folder. One that exists stays as
/// it is; the one above it must exist.
void make_folder_like(const std::string& path, const std::string& source);

/// Whether a path leads to the file that is open here.
bool is_same_file(int descriptor, const std::string& path);

/// Several files, and the folder for some of them: commit() makes all of them or none of the new
/// ones. If naming one fails, files that have already replaced older ones stay.
class OutputSet {
 public:
  OutputSet() = default;
  OutputSet(const OutputSet&) = delete;
  OutputSet& operator=(const OutputSet&) = delete;
  /// Without a successful commit(), removes the new files and folders.
  ~OutputSet();

  /// Makes a folder and its parents, if they don't exist.
  Status make_folder(const std::string& path);
  /// A file with this content. It has no name before commit(). Nobody gets to read it who can't
  /// read `source`, unless that is "".
  Status add(const std::string& path, bool clobber, std::span<const uint8_t> bytes,
             const std::string& source = {});
  /// Writes all to the disk, then gives each its name, in the order in which they were added.
  Status commit();

 private:
  struct Entry {
    OutputFile file;
    bool is_new;
  };
  std::vector<Entry> files_;
  std::vector<std::string> made_folders_, named_;
  bool kept_ = false;
};

}  // namespace sphere::tool
