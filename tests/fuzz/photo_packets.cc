// SPDX-License-Identifier: LGPL-2.1-or-later
// Exif, XMP and the XML of spherical videos, with anything in them: nothing is left that may not
// stay, and positions in text form are read without an accident.

#include <string_view>

#include "gst/sphere/media/exif.h"
#include "gst/sphere/media/place.h"
#include "gst/sphere/media/xmp.h"
#include "tests/fuzz/redacted.h"

using namespace sphere;
using namespace sphere::media;

namespace {

using Bytes = std::vector<uint8_t>;
using PacketReader = Result<NewPacket> (*)(std::span<const uint8_t>, Findings*);

void check(PacketReader read, Bytes bytes, const Request& request) {
  for (int turn = 0; turn < 2; ++turn) {
    Examination examination;
    Findings findings(request, &examination);
    const Result<NewPacket> made = read(bytes, &findings);
    if (!made) return;
    // In the second turn, nothing may change.
    test::require(turn == 0 || !*made, "a second run changes the packet again");
    if (!*made || (*made)->empty()) return;
    bytes = **made;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const Bytes all(bytes, bytes + size);
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  (void)parse_iso6709(text);
  (void)parse_xmp_angle(text);
  Request request;
  request.makers = makers::all();
  for (const bool in_place : {false, true})
    for (const Policy& policy :
         {Policy{}, Policy{true, false, true}, Policy{false, true, true, true}}) {
      request.policy = policy;
      request.in_place = in_place;
      check(
          [](auto packet, Findings* f) {
            return examine_exif(packet, {0, 0, "Exif"}, f);
          },
          all, request);
      check(
          [](auto packet, Findings* f) {
            return examine_xmp(packet, {0, 0, "XMP"}, {}, f);
          },
          all, request);
      check(
          [](auto packet, Findings* f) {
            return examine_video_xml(packet, {0, 0, "V1"}, f);
          },
          all, request);
    }
  return 0;
}
