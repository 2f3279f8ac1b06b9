// SPDX-License-Identifier: LGPL-2.1-or-later
// The form that the useful chunks of a PNG must have, so that nothing else can be in them.

#pragma once

#include <zlib.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"

namespace sphere::media {

/// The first chunk.
struct PngHeader {
  uint32_t width = 0, height = 0;
  int bits = 0, colour_type = 0;
  bool interlaced = false;

  int channels() const;
  /// Of the unpacked pixels of a picture in it with this size, with a byte before each row.
  uint64_t pixel_bytes(uint32_t across, uint32_t down) const;
};
std::optional<PngHeader> read_png_header(std::span<const uint8_t> content);

/// Whether a chunk of colours, resolution or animation has the form that its type has, no more.
bool has_png_shape(std::string_view type, std::span<const uint8_t> content,
                   const PngHeader& header);

/// The name of a colour profile, which is free text, and the profile; nothing if it is none.
struct PngProfile {
  size_t name_length = 0;
  bool neutral = false;  ///< the name tells nothing
  std::vector<uint8_t> bytes;
};
std::optional<PngProfile> read_png_profile(std::span<const uint8_t> content);
/// Overwrites the name.
void neutralize_png_profile(const PngProfile& profile, std::span<uint8_t> content);

/// The same chunk with another profile.
std::vector<uint8_t> with_png_profile(std::span<const uint8_t> content,
                                      std::span<const uint8_t> profile);

/// Unpacks a packet of zlib, as far as it goes; nothing if it is damaged or has bytes behind it.
std::optional<std::vector<uint8_t>> inflate_whole(std::span<const uint8_t> packed, size_t most);

/// Watches over the packed pixels of one picture: an error where bytes follow that are no pixels.
class PngPixels {
 public:
  explicit PngPixels(uint64_t most);
  Status add(std::span<const uint8_t> packed);

 private:
  struct End {
    void operator()(z_stream* stream) const {
      inflateEnd(stream);
      delete stream;
    }
  };
  std::unique_ptr<z_stream, End> stream_;
  std::vector<uint8_t> scratch_;
  uint64_t left_;
  bool ended_ = false;
};

}  // namespace sphere::media
