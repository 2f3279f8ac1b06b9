// SPDX-License-Identifier: LGPL-2.1-or-later
// The messages (SEI, supplemental enhancement information) that encoders and cameras put into the
// units of H.264 (ITU-T H.264 annex D) and H.265 (ITU-T H.265 annex D).

#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/media/nal.h"
#include "gst/sphere/media/part.h"

namespace sphere::media {

enum class NalCodec { h264, h265 };

/// Whether a NAL unit, without start code or length, consists of SEI messages.
bool is_sei(NalCodec codec, std::span<const uint8_t> unit);

/// One message of a unit.
struct SeiMessage {
  /// The number of a kind; `damaged_sei` for what can't be read.
  uint32_t type = 0;
  /// Its bytes in the unit as it is, with its header and with emulation prevention bytes.
  size_t offset = 0, length = 0;
  PartClass part_class = PartClass::unknown;
  std::string what;   ///< in words
  std::string value;  ///< what it says, for a person
};
inline constexpr uint32_t damaged_sei = UINT32_MAX;

/// The messages of an SEI unit. What can't be read, up to the end of the unit, is one message of
/// the class unknown, so that nothing remains unexamined. `traces`, where it is not null, gets what
/// messages tell that must not remain. `timings` are those of the stream's parameter sets, if it is
/// H.264: without them, its messages with the times of pictures can't be read.
std::vector<SeiMessage> read_sei(NalCodec codec, std::span<const uint8_t> unit,
                                 std::span<const PictureTiming> timings, Traces* traces = nullptr);

/// Whether a message stays.
using KeepSei = std::function<bool(const SeiMessage&)>;
/// Keeps what a policy allows.
KeepSei keep_allowed(const Policy& policy);

/// The unit without the other messages; of one with the times of a picture, only time codes go. The
/// same bytes if all stay; empty if none does: then the unit is to be left out.
std::vector<uint8_t> remove_sei(NalCodec codec, std::span<const uint8_t> unit,
                                std::span<const PictureTiming> timings, const KeepSei& keep);

/// The same, with the length of the unit as it was: a message of filler (type 3) stands in for what
/// is gone. Where no filler has the length that is left (one byte, or two beside messages that need
/// emulation prevention bytes), a message that could stay goes too.
std::vector<uint8_t> blank_sei(NalCodec codec, std::span<const uint8_t> unit,
                               std::span<const PictureTiming> timings, const KeepSei& keep);

/// A unit with one message that says that the pictures from here on are equirectangular and cover
/// the sphere (type 150).
std::vector<uint8_t> equirectangular_sei(NalCodec codec);

}  // namespace sphere::media
