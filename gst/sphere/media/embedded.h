// SPDX-License-Identifier: LGPL-2.1-or-later
// What is in a picture beside the picture: other pictures, and bytes after its end.

#pragma once

#include <cstdint>
#include <vector>

#include "gst/sphere/media/findings.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

/// Adds the parts of a file in a file, of any known format. Errors in it only mean that less is
/// found: it stays or goes whole.
void list_embedded(const Source& source, const Where& where, Findings* findings);

/// Examines the bytes after the end of a picture, and adds the edit that takes out what may not
/// stay. A maker's records stay if all of them may, everything else stays if everything may.
void examine_trailing(const Source& source, uint64_t begin, Findings* findings,
                      std::vector<Edit>* edits);

/// Whether all of these bytes are zeros, as edits in place leave them.
bool only_zeros(const Source& source, uint64_t begin, uint64_t end);

}  // namespace sphere::media
