// SPDX-License-Identifier: LGPL-2.1-or-later
// Walks over the chunks of a PNG.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

struct PngChunk {
  std::string type;
  uint64_t begin = 0;    ///< of its length, which comes first
  uint64_t content = 0;  ///< after the type
  uint64_t size = 0;     ///< of the content
  /// The content, if it is short enough.
  std::vector<uint8_t> bytes;

  /// After the check sum.
  uint64_t end() const { return content + size + 4; }
};

class PngWalker {
 public:
  /// Contents that are longer than `kept` bytes, and pixels, are not read into the chunks.
  PngWalker(const Source& source, uint64_t kept) : source_(source), window_(source), kept_(kept) {}
  /// Gets the contents of chunks with pixels, piece by piece, before next() returns the chunk.
  /// `first`: the first piece of the chunk.
  using Pixels = std::function<Status(std::string_view type, std::span<const uint8_t>, bool first)>;
  void on_pixels(Pixels pixels) { pixels_ = std::move(pixels); }

  /// The next chunk, whose check sum is right; nothing after the one that ends the picture.
  Result<std::optional<PngChunk>> next();
  uint64_t position() const { return window_.position(); }

 private:
  const Source& source_;
  Window window_;
  uint64_t kept_;
  Pixels pixels_;
  bool begun_ = false, ended_ = false;
};

/// A chunk with its length and its check sum.
std::vector<uint8_t> png_chunk(std::string_view type, std::span<const uint8_t> content);

}  // namespace sphere::media
