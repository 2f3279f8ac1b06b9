// SPDX-License-Identifier: LGPL-2.1-or-later
// The playlist of an earlier process: whatever is in it, no file is removed that is not ours, and
// what is written can be read again.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "gst/live/playlist.h"

using sphere::live::Playlist;
using sphere::live::PlaylistSegment;

namespace {

void expect(bool holds) {
  if (!holds) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const size_t window = data[0] % 8;
  const std::string_view earlier(reinterpret_cast<const char*>(data) + 1, size - 1);
  Playlist playlist(4, window);
  playlist.continue_after(earlier);
  const bool continued = playlist.has_begun();
  for (int i = 1; i < 40; ++i) {
    const std::string number = std::to_string(i);
    for (const std::string& gone : playlist.add(PlaylistSegment{.file = "s9-" + number + ".m4s",
                                   .map = "s9.mp4",
                                   .seconds = 2,
                                   .utc = i,
                                   .discontinuity = i == 1})) {
      expect(gone.starts_with('s') && (gone.ends_with(".m4s") || gone.ends_with(".mp4")));
      expect(gone.substr(1, gone.size() - 5).find_first_not_of("0123456789-") == gone.npos);
    }
  }
  const std::string text = playlist.text(false);
  expect(continued ||
         text.find("#EXT-X-MEDIA-SEQUENCE:" + std::to_string(window ? 39 - window : 0) + "\n") !=
             text.npos);
  // It can be read again, unless its numbers have become too large.
  Playlist again(4, 0);
  again.continue_after(text);
  expect(continued || again.has_begun());
  return 0;
}
