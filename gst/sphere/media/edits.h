// SPDX-License-Identifier: LGPL-2.1-or-later
// Carries out the edits of an examination: into a new file, in memory, or where the file is.

#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

/// Takes the next bytes of the new file.
using ByteSink = std::function<Status(std::span<const uint8_t>)>;
/// Called with the number of bytes that are done; returns false to stop.
using EditProgress = std::function<bool(uint64_t)>;

/// The error of a run that EditProgress stopped.
Error edit_stopped();

/// How long the edited file is.
uint64_t edited_size(const Source& source, const Examination& examination);

/// Writes the edited file, in order, with bounded memory.
Status write_edited(const Source& source, const Examination& examination, const ByteSink& sink,
                    const EditProgress& progress = nullptr);
/// The same for a picture in memory.
Result<std::vector<uint8_t>> edited(std::span<const uint8_t> bytes, const Examination& examination);

/// Writes edits that keep their lengths into the file itself.
Status edit_in_place(int descriptor, const Source& source, const Examination& examination,
                     const EditProgress& progress = nullptr);

}  // namespace sphere::media
