// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the sequence header of AV1 ends.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace sphere::media {

/// How many bytes of the content of a sequence header belong to it: up to its last bit, by what it
/// says. Nothing if it can't be read.
std::optional<size_t> av1_sequence_length(std::span<const uint8_t> content);

}  // namespace sphere::media
