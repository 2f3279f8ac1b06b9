// SPDX-License-Identifier: LGPL-2.1-or-later
// Coded video and KLV of a stream: whatever the bytes are, what the gate for places lets pass of
// them passes once more as it is.

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "plugins/privacy/buffer_bytes.h"
#include "plugins/privacy/captions.h"
#include "plugins/privacy/coded_video.h"
#include "plugins/privacy/klv.h"

namespace {

using namespace sphere;
using namespace sphere::privacy;

BufferRef buffer_of(std::span<const uint8_t> bytes) {
  return BufferRef(bytes.empty() ? gst_buffer_new()
                                 : gst_buffer_new_memdup(bytes.data(), bytes.size()));
}

void check_video(const char* caps, std::span<const uint8_t> bytes) {
  const CapsRef parsed(gst_caps_from_string(caps));
  auto video = CodedVideo::make(gst_caps_get_structure(parsed.get(), 0));
  if (!video) abort();
  const media::Policy policy;
  auto once = video->clean(buffer_of(bytes), policy);
  if (!once || !*once) return;
  const std::vector<uint8_t> clean = bytes_of(once->get());
  if (clean.size() > bytes.size() + bytes.size() / 2) abort();
  auto twice = video->clean(buffer_of(clean), policy);
  if (!twice || !*twice || bytes_of(twice->get()) != clean) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool started = (gst_init(nullptr, nullptr), true);
  (void)started;
  const std::span<const uint8_t> bytes(data, size);
  for (const char* caps : {"video/x-h264, stream-format=byte-stream, alignment=au",
                           "video/x-h265, stream-format=byte-stream, alignment=au",
                           "video/x-h264, stream-format=avc3, alignment=au",
                           "video/x-h265, stream-format=hev1, alignment=au"})
    check_video(caps, bytes);
  for (const Allowance& allowance :
       {Allowance(), Allowance{true, consent::Precision::city, false}}) {
    const std::vector<uint8_t> clean = allowed_klv(bytes, allowance);
    if (allowed_klv(clean, allowance) != clean) abort();
    const std::vector<uint8_t> captions = allowed_captions(bytes, allowance);
    if (!captions.empty() && allowed_captions(captions, allowance) != captions) abort();
  }
  return 0;
}
