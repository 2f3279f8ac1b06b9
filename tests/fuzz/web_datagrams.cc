// SPDX-License-Identifier: LGPL-2.1-or-later
// What viewers send over UDP before and after it is known who they are, and coded pictures.

#include <cstdint>
#include <cstdlib>

#include "gst/live/web/fragment_writer.h"
#include "gst/live/web/rtp.h"
#include "gst/live/web/stun.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sphere::live;
  const std::span<const uint8_t> bytes(data, size);
  if (const auto check = read_check(bytes)) {
    if (check->transaction.size() != 12 || check->integrity + 24 > size) abort();
    (void)has_integrity(*check, "password");
    if (answer_check(*check, {{127, 0, 0, 1}, 9}, "password").size() % 4 != 0) abort();
  }
  if (read_rtcp(bytes).lost.size() > max_lost) abort();
  (void)is_rtcp(bytes);
  if (const auto header = read_rtp(bytes))
    if (header->payload.size() > size) abort();
  (void)begins_key_frame(bytes);
  const AccessUnit unit = split_access_unit(bytes);
  // A start code of three bytes becomes a length of four.
  if (unit.data.size() > size + size / 3 + 4) abort();
  return 0;
}
