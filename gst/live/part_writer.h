// SPDX-License-Identifier: LGPL-2.1-or-later
// Files of a stream that are written while it runs: each can be read up to its last whole fragment,
// whatever happens to this process.

#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gst/live/fragments.h"
#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/result.h"

namespace sphere::live {

/// The names of the parts of a file: "out.mp4", or with numbers "out-001.mp4", "out-002.mp4".
class PartNames {
 public:
  PartNames() = default;
  PartNames(const std::string& path, bool numbered) : path_(path), numbered_(numbered) {}
  /// The next name. Without numbers the second is "out-2.mp4".
  std::string next();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool numbered_ = false;
  int number_ = 0;
};

/// Whether create_part() will probably succeed; it makes nothing.
Status check_part(const std::string& path, bool overwrite);
/// Opens a new file for writing; one that exists is replaced only with `overwrite`.
Result<Descriptor> create_part(const std::string& path, bool overwrite);
Status write_all(int descriptor, const std::string& path, std::span<const uint8_t> bytes);

/// Writes what one muxer makes into a file.
class PartWriter {
 public:
  /// `names` outlives this object, so that its numbers go on.
  PartWriter(PartNames* names, bool overwrite) : names_(names), overwrite_(overwrite) {}

  /// Begins to write what this bin of make_muxed_mp4() makes. The object stays until the
  /// bin has stopped.
  void watch(GstElement* bin);
  /// The file that is being written, or "".
  const std::string& file() const { return file_; }

 private:
  Status begin();
  Status take(Fragment fragment);
  Status write(Fragment fragment);

  PartNames* const names_;
  const bool overwrite_;
  FragmentReader reader_;
  std::vector<Fragment> early_;  ///< sound that came before the first pictures
  Descriptor descriptor_;
  std::string file_;
  uint32_t number_ = 0;
};

}  // namespace sphere::live
