// SPDX-License-Identifier: LGPL-2.1-or-later
// Colour profiles: whatever is in them, what is left is one of the same length, which has nothing
// more to lose, and tells colours with the same bytes.

#include "gst/sphere/media/colour_profile.h"
#include "gst/sphere/media/profile_texts.h"
#include "tests/fuzz/redacted.h"

using namespace sphere;
using namespace sphere::media;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> bytes(data, size);
  if (!is_colour_profile(bytes)) return 0;
  for (const bool time : {false, true})
    for (const bool identity : {false, true}) {
      Request request;
      request.policy = Policy();
      request.policy.time = time;
      request.policy.identity = identity;
      Examination examination;
      Findings findings(request, &examination);
      const Where where{0, size, "ICC"};
      const auto once = clean_profile(bytes, where, &findings);
      if (!once) continue;
      test::require(once->size() == size, "the length changed");
      test::require(is_colour_profile(*once), "it is no profile any more");
      test::require(!clean_profile(*once, where, &findings), "a second run changes it again");
    }
  return 0;
}
