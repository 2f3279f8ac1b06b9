// SPDX-License-Identifier: LGPL-2.1-or-later
// The text of playlists for HLS (RFC 8216 and the draft of its second edition). Knows no file.

#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace sphere::live {

struct PlaylistSegment {
  std::string file;
  std::string map;  ///< the file with the header that it needs
  double seconds = 0;
  int64_t utc = 0;             ///< of its first picture, microseconds since 1970
  bool discontinuity = false;  ///< it does not continue the one before it
};

/// The playlist of the segments that a client can still get.
class Playlist {
 public:
  /// `target`: no segment is longer than this, in whole seconds; it never changes. `window`: how
  /// many segments are listed; 0: all.
  Playlist(int target, size_t window) : target_(target), window_(window) {}

  /// Goes on behind a playlist of an earlier process: players that still have it would wait for
  /// ever for numbers that begin anew. Its segments are listed again only if all are (`window` 0)
  /// and it had not ended; otherwise they are removed later, unless it kept all. A text of another
  /// kind changes nothing.
  void continue_after(std::string_view earlier);
  /// Whether there were segments; one of a new connection does not continue them.
  bool has_begun() const { return first_ || !listed_.empty(); }

  /// Returns the files that no client can want any more.
  std::vector<std::string> add(const PlaylistSegment& segment);
  /// `ended`: no more will come.
  std::string text(bool ended) const;
  size_t size() const { return listed_.size(); }

 private:
  const int target_;
  const size_t window_;
  uint64_t first_ = 0, first_discontinuity_ = 0;
  std::deque<PlaylistSegment> listed_, kept_;  ///< kept_: no longer listed, but not removed yet
};

/// What the playlist of playlists tells of the stream.
struct PlaylistStream {
  std::string playlist;
  int bandwidth = 0, average_bandwidth = 0;  ///< bit/s, with sound
  std::vector<std::string> codecs;           ///< as RFC 6381 has them
  int width = 0, height = 0;
  double fps = 0;
  bool spherical = true;
};
std::string multivariant_playlist(const PlaylistStream& stream);

/// The JSON file beside it, for pages that can't read the mark in the stream.
std::string stream_description(const PlaylistStream& stream, const std::string& playlist);

}  // namespace sphere::live
