// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/jpeg_tables.h"

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/jpeg_walk.h"

namespace sphere::media {

using namespace jpeg;

namespace {

/// Whether a list of quantization tables ends where the segment does.
bool fits_quantization(ByteReader reader) {
  while (reader.remaining()) {
    const unsigned head = reader.u8();
    if (head >> 4 > 1 || (head & 15) > 3) return false;
    reader.skip(head >> 4 ? 128 : 64);
    if (!reader.ok()) return false;
  }
  return true;
}

bool fits_huffman(ByteReader reader) {
  while (reader.remaining()) {
    const unsigned head = reader.u8();
    if (head >> 4 > 1 || (head & 15) > 3) return false;
    size_t codes = 0;
    for (int length = 0; length < 16; ++length) codes += reader.u8();
    if (codes > 256) return false;
    reader.skip(codes);
    if (!reader.ok()) return false;
  }
  return true;
}

/// Each of at most 32 conditions has two bytes.
bool fits_arithmetic(std::span<const uint8_t> content) {
  return content.size() % 2 == 0 && content.size() <= 64;
}

bool fits(int marker, std::span<const uint8_t> content) {
  ByteReader reader(content);
  switch (marker) {
    case DQT:
      return fits_quantization(reader);
    case DHT:
      return fits_huffman(reader);
    case DAC:
      return fits_arithmetic(content);
    case DNL:
    case DRI:
      return content.size() == 2;
    case SOS:
      return !content.empty() && content.size() == 4 + size_t{2} * content[0];
    default:
      // A frame header: precision, height, width, the number of components, three bytes for each.
      return content.size() > 5 && content.size() == 6 + size_t{3} * content[5];
  }
}

}  // namespace

Status check_jpeg_table(int marker, std::span<const uint8_t> content) {
  if (fits(marker, content)) return ok();
  return invalid("the JPEG is damaged: a table does not have the length that it says");
}

}  // namespace sphere::media
