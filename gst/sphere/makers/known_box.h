// SPDX-License-Identifier: LGPL-2.1-or-later
// Tables of the boxes of a maker of which only the name has to be known.

#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

#include "gst/sphere/media/part.h"

namespace sphere::makers {

struct KnownBox {
  std::string_view path;  ///< or the last part of it, as the table has it
  media::PartClass part_class;
  const char* what;
};

/// Null: it is not in the table.
template <size_t n>
const KnownBox* find_box(const KnownBox (&table)[n], std::string_view path) {
  const KnownBox* found = std::ranges::find(table, path, &KnownBox::path);
  return found == std::end(table) ? nullptr : found;
}

}  // namespace sphere::makers
