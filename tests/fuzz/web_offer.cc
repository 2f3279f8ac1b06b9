// SPDX-License-Identifier: LGPL-2.1-or-later
// The offer of a viewer: whatever it is, the answer has its m-lines in their order and is SDP.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "gst/live/web/offer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sphere::live;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)ice_user_in(text);
  const auto offer = parse_offer(text);
  if (!offer) return 0;
  if (!offer->video || !offer->media.at(*offer->video).format) abort();
  if (offer->audio && !offer->media.at(*offer->audio).format) abort();
  Answer answer;
  answer.ice_user = "user";
  answer.ice_password = "password";
  answer.cname = "name";
  answer.audio = AnswerStream{2};
  answer.addresses = {{"127.0.0.1", 9}};
  const std::string sdp = write_answer(*offer, answer);
  // Nothing of the offer can begin a line of its own.
  size_t media = 0;
  for (size_t at = 0; at < sdp.size();) {
    const size_t end = sdp.find("\r\n", at);
    if (end == std::string::npos || end < at + 2 || sdp[at + 1] != '=') abort();
    for (size_t i = at; i < end; ++i)
      if (static_cast<unsigned char>(sdp[i]) < 0x20) abort();
    media += sdp[at] == 'm';
    at = end + 2;
  }
  if (media != offer->media.size()) abort();
  return 0;
}
