// SPDX-License-Identifier: LGPL-2.1-or-later
// SEI units: whatever the bytes are, nothing that a policy denies stays in what is written, and a
// blanked unit has the length of the unit that it replaces.

#include <cstdint>
#include <cstdlib>

#include "gst/sphere/media/position_text.h"
#include "gst/sphere/media/sei.h"

namespace {

using namespace sphere::media;

const std::vector<PictureTiming> timings = {{0, 0, 24, true}, {8, 7, 0, true}, {24, 24, 24, true}};

void expect_harmless(NalCodec codec, const std::vector<uint8_t>& unit) {
  for (size_t i = 0; i + 2 < unit.size(); ++i)
    if (unit[i] == 0 && unit[i + 1] == 0 && unit[i + 2] < 3) abort();
  if (!is_sei(codec, unit)) return;  // filler data
  for (const SeiMessage& message : read_sei(codec, unit, timings)) {
    if (message.offset + message.length > unit.size()) abort();
    if (!Policy().allows(message.part_class)) abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> bytes(data, size);
  const KeepSei keep = keep_allowed(Policy());
  for (const NalCodec codec : {NalCodec::h264, NalCodec::h265}) {
    size_t end = 0;
    for (const SeiMessage& message : read_sei(codec, bytes, timings)) {
      if (message.offset < end) abort();
      end = message.offset + message.length;
      if (end > size) abort();
    }
    const std::vector<uint8_t> less = remove_sei(codec, bytes, timings, keep);
    const std::vector<uint8_t> blanked = blank_sei(codec, bytes, timings, keep);
    if (blanked.size() != size) abort();
    // A unit that stays as it is may have been wrong before.
    const auto same = [&](const std::vector<uint8_t>& unit) {
      return unit.size() == size && std::equal(unit.begin(), unit.end(), data);
    };
    if (!is_sei(codec, bytes)) continue;
    if (!same(less)) expect_harmless(codec, less);
    if (!same(blanked)) expect_harmless(codec, blanked);
    if (remove_sei(codec, less, timings, keep) != less) abort();
  }
  (void)positions_in({reinterpret_cast<const char*>(data), size});
  return 0;
}
