// SPDX-License-Identifier: LGPL-2.1-or-later
// What a decoder is told before the first picture, as MP4 and Matroska have it: units beside the
// pictures can be in it, too.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/isobmff_samples.h"
#include "gst/sphere/media/part.h"

namespace sphere::media {

/// How many bytes are before the length of each unit, by what `avcC` and `hvcC` say; -1: they are
/// too short.
int unit_length_size(SampleForm form, std::span<const uint8_t> config);

/// What the parameter sets in `avcC` say of times; nothing of another form.
std::vector<PictureTiming> picture_timings(SampleForm form, std::span<const uint8_t> config);

/// Examines the description of a track's pictures: `avcC` of H.264, `hvcC` of H.265, `av1C` of AV1,
/// or the headers of MPEG-1, 2 and 4. The bytes are at `offset` of the source. Each edit keeps its
/// length. Returns how many of the bytes belong to it: those after them are not examined.
Result<size_t> edit_codec_config(const Source& source, const SampleSettings& settings,
                                 uint64_t offset, std::span<const uint8_t> bytes,
                                 std::vector<Edit>* edits, SampleReport* report);

}  // namespace sphere::media
