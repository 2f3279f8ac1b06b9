// SPDX-License-Identifier: LGPL-2.1-or-later
// Packets of silence in the syntax of AAC-LC and Opus, bit by bit as an encoder writes them.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sphere::media {

/// An AAC-LC raw data block without a single spectral line. Empty if `channel_configuration` is
/// not 1 to 7 (as in an AudioSpecificConfig), because then the elements are not known.
std::vector<uint8_t> silent_aac(int channel_configuration);

/// The channel configuration of an AudioSpecificConfig of AAC-LC; nothing for all other profiles.
std::optional<int> aac_lc_channels(std::span<const uint8_t> config);

/// The silent frame that stands for one ADTS frame. Empty if it is not exactly one frame of AAC-LC.
std::vector<uint8_t> silent_adts(std::span<const uint8_t> frame);

/// An Opus packet of silence that lasts as long as `packet`, in `streams` streams of which the
/// first `coupled` are stereo; 0 streams: one, stereo if `packet` is. Empty if `packet` is no Opus
/// packet.
std::vector<uint8_t> silent_opus(std::span<const uint8_t> packet, int streams, int coupled);

}  // namespace sphere::media
