// SPDX-License-Identifier: LGPL-2.1-or-later
// The boxes of ISO base media files.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/media/source.h"

namespace sphere::media {

struct Box {
  std::string type;
  uint64_t begin = 0;    ///< offset of the header
  uint64_t content = 0;  ///< offset of the content
  uint64_t end = 0;
  bool to_the_end = false;  ///< its header says that it ends with the file
  uint64_t size() const { return end - content; }
};

enum class Next { box, end, junk, past_end };

/// The box that begins at an offset. It must not end after its parent.
Next box_at(const Source& source, uint64_t position, uint64_t end, bool top, Box* box);

/// The first box of this type among those from `begin` to `end`; empty if there is none. The search
/// ends at the first damaged box.
std::optional<Box> find_box(const Source& source, uint64_t begin, uint64_t end, bool top,
                            const char* type);

/// The box at the end of a path below `parent`, as find_box() finds each of them.
std::optional<Box> find_path(const Source& source, Box parent,
                             std::initializer_list<const char*> path);

/// Where the samples are: the content of the outermost boxes `mdat`, up to the first damaged box.
std::vector<ByteRange> media_data(const Source& source);

}  // namespace sphere::media
