// SPDX-License-Identifier: LGPL-2.1-or-later
// A part of a film: its coded pictures, in a file beside OUT until OUT is complete. A part that was
// written whole is never encoded again.

#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/tools/output_file.h"

namespace sphere::tool {

using ChecksumRef = std::unique_ptr<GChecksum, Call<g_checksum_free>>;

/// What is known of a part when it is complete.
struct FilmPartEnd {
  std::string coded;  ///< caps of the coded pictures; "" if there are none
  std::string raw;    ///< form and colours of the pictures before they were encoded, as caps
  uint64_t pictures = 0;
  uint64_t film_end = 0;  ///< nanoseconds of the film, where the next part begins
  bool ended = false;     ///< the clip ends with this part
};

/// Writes a part, picture by picture. The file has no name before finish().
class FilmPartWriter {
 public:
  static Result<std::unique_ptr<FilmPartWriter>> create(const std::string& path);

  /// A coded picture, in decoding order. `shown` is nanoseconds of the film.
  Status add(GstBuffer* picture, uint64_t shown, uint64_t duration);
  Status finish(const FilmPartEnd& end);
  uint64_t pictures() const { return pictures_; }
  std::string write_problem() const { return file_.write_problem(); }

 private:
  explicit FilmPartWriter(OutputFile file);
  Status write(std::span<const uint8_t> bytes);

  OutputFile file_;
  ChecksumRef checksum_;
  uint64_t pictures_ = 0;
};

struct FilmPicture {
  uint64_t shown = 0, duration = 0;  ///< nanoseconds
  bool key = false;                  ///< others need none before it
  uint64_t offset = 0;               ///< of its bytes in the file
  uint32_t size = 0;
};

/// Reads a part.
class FilmPart {
 public:
  /// An error if the file is not whole. `check` reads all of its bytes and compares their sum.
  static Result<FilmPart> open(const std::string& path, bool check);

  const FilmPartEnd& end() const { return end_; }
  /// In decoding order.
  const std::vector<FilmPicture>& pictures() const { return pictures_; }
  /// The bytes of a picture; null if they can't be read.
  BufferRef read(const FilmPicture& picture) const;

 private:
  Descriptor descriptor_;
  FilmPartEnd end_;
  std::vector<FilmPicture> pictures_;
};

}  // namespace sphere::tool
