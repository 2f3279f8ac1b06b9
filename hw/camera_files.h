// SPDX-License-Identifier: LGPL-2.1-or-later
// The files on the memory card of cameras of all families.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"
#include "hw/failure.h"

namespace sphere::hw {

/// A photo or a video on the card.
struct CameraFile {
  /// Relative to the card, such as "DCIM/20161121/VID_20161121_162507AA.MP4".
  std::string path;
  /// The time on the camera's clock, as the camera writes it; may be empty.
  std::string date;
  /// The size in bytes, where a list tells it.
  std::optional<uint64_t> size;
};

/// What the camera tells about one file. Values that are missing or empty are not known.
struct MediaInfo {
  std::optional<uint64_t> size;
  std::string date;
  std::string resolution;  ///< such as "3456x1728"
  std::optional<double> seconds;
  std::string type;  ///< the camera's own word, such as "mov"
  std::optional<bool> stitched;
};

struct Thumbnail {
  std::string bytes;
  bool is_jpeg = true;  ///< else the first picture of the video as H.264, without a container
};

/// Reads a part of a file.
struct FileRead {
  std::string path;
  uint64_t offset = 0;
  /// The number of bytes; empty: up to the end.
  std::optional<uint64_t> size;
  /// MD5 of the whole file, 32 digits, if it is known and the whole file is read: it is checked.
  std::string md5;
  /// Gets the bytes in order, in the camera's thread. If it returns an error, the reading ends with
  /// this error.
  std::function<Status(std::string_view)> sink;
  /// Gets what the camera tells, in the camera's thread: numbers of which one may be the size of
  /// the whole file. May be empty.
  std::function<void(uint64_t)> told_size;
  std::function<void(const std::optional<Failure>&)> done;
};

/// Where a file is on the camera's web server.
struct FileAddress {
  std::string url;
  /// The same over HTTPS, with the camera's own certificate; empty if it has none.
  std::string secure_url;
};

/// The functions call their last handler exactly once, in the camera's thread or in the caller's.
/// Paths are relative to the card.
class CameraFiles {
 public:
  using Done = std::function<void(const std::optional<Failure>&)>;

  CameraFiles() = default;
  virtual ~CameraFiles() = default;
  CameraFiles(const CameraFiles&) = delete;
  CameraFiles& operator=(const CameraFiles&) = delete;

  /// Lists all photos and videos, newest folder first; `found` is called for each folder as soon as
  /// it is read. Returning false from it ends the list.
  virtual void list(std::function<bool(std::vector<CameraFile>)> found, Done done) = 0;
  virtual void info(const std::string& path,
                    std::function<void(const MediaInfo&, const std::optional<Failure>&)> done) = 0;
  virtual void thumbnail(const std::string& path,
                         std::function<void(Thumbnail, const std::optional<Failure>&)> done) = 0;
  /// Returns a number for cancel().
  virtual unsigned read(FileRead read) = 0;
  virtual void cancel(unsigned number) = 0;
  /// Deletes a file, and the small copy of a video with it.
  virtual void remove(const std::string& path, Done done) = 0;

  /// Files that belong to this one, such as the small copy of a video or the raw picture of a
  /// photo; they need not exist.
  virtual std::vector<std::string> companions(const std::string& path) const = 0;
  /// Where the camera's web server has this file; no value if the family has no web server.
  virtual std::optional<FileAddress> address(const std::string& path) const = 0;
};

}  // namespace sphere::hw
