// SPDX-License-Identifier: LGPL-2.1-or-later
// The items of a HEIC or AVIF picture (ISO/IEC 23008-12): what they are, and where their bytes are.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/box.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

struct HeifItem {
  uint32_t id = 0;
  std::string type;          ///< such as "hvc1", "Exif" or "mime"
  std::string content_type;  ///< of "mime"
  bool coded = false;        ///< its bytes are compressed once more
  Box box;                   ///< infe
  ByteRange name, texts;     ///< with their zeros; `texts`: what comes after the name
  std::vector<ByteRange> extents;
};

/// A box that is understood up to here.
struct HeifTable {
  Box box;
  uint64_t end = 0;
  std::string path;
};

/// An item that needs others to be shown, such as a grid of tiles.
struct HeifReference {
  uint32_t from = 0;
  std::vector<uint32_t> to;
};

struct HeifLayout {
  std::vector<HeifItem> items;
  uint32_t primary = 0;         ///< the item that is shown
  std::vector<Box> properties;  ///< of items; the first one has the number 1
  std::map<uint32_t, std::vector<uint32_t>> properties_of;  ///< numbers of properties of an item
  /// Of these, the ones without which nothing of the item can be shown.
  std::map<uint32_t, std::vector<uint32_t>> essential_of;
  std::vector<HeifReference> made_of;  ///< `dimg`
  Box handler;
  /// Where items can be: the content of `mdat` and `idat`, by their offsets.
  std::vector<ByteRange> data;
  std::vector<HeifTable> tables;
  /// Boxes that are not known, and free space, with their paths.
  std::vector<HeifTable> others;
  uint64_t end = 0;  ///< of the last box

  const HeifItem* item(uint32_t id) const;
  /// The numbers of the items of which the primary one is made, and its own.
  std::vector<uint32_t> shown_items() const;
  /// The first property of this type that an item has; null: none.
  const Box* property(uint32_t id, const char* type) const;
};

/// Reads everything but the bytes of the items. An error: it is damaged, or has something in which
/// nobody can tell what is where.
Result<HeifLayout> read_heif(const Source& source);

}  // namespace sphere::media
