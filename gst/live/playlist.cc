// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/playlist.h"

#include <glib.h>

#include <cstdio>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/json_writer.h"

namespace sphere::live {

namespace {

// EXT-X-MAP for pictures needs 6, and the draft wants 12 for attributes whose names begin with REQ.
constexpr const char *media_version = "7", *multivariant_version = "12";

std::string number(double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(text, sizeof text, "%.3f", value);
}

std::string date_time(int64_t utc) {
  const std::unique_ptr<GDateTime, Call<g_date_time_unref>> at(
      g_date_time_new_from_unix_utc(utc / G_USEC_PER_SEC));
  if (!at) return {};
  const GString_ text(g_date_time_format(at.get(), "%Y-%m-%dT%H:%M:%S"));
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(utc % G_USEC_PER_SEC / 1000));
  return to_string(text.get()) + fraction;
}

}  // namespace

std::vector<std::string> Playlist::add(const PlaylistSegment& segment) {
  listed_.push_back(segment);
  std::vector<std::string> gone;
  if (!window_) return gone;
  while (listed_.size() > window_) {
    // The number of discontinuities before the list counts those that have left it.
    if (listed_.front().discontinuity) ++first_discontinuity_;
    kept_.push_back(std::move(listed_.front()));
    listed_.pop_front();
    ++first_;
  }
  // Whoever has an old list may still ask for them, for the time of one list.
  while (kept_.size() > window_) {
    gone.push_back(kept_.front().file);
    const std::string map = kept_.front().map;
    kept_.pop_front();
    const PlaylistSegment& next = kept_.empty() ? listed_.front() : kept_.front();
    if (next.map != map) gone.push_back(map);
  }
  return gone;
}

std::string Playlist::text(bool ended) const {
  std::string text = std::string("#EXTM3U\n#EXT-X-VERSION:") + media_version +
                     "\n#EXT-X-TARGETDURATION:" + std::to_string(target_) +
                     "\n#EXT-X-MEDIA-SEQUENCE:" + std::to_string(first_) +
                     "\n#EXT-X-DISCONTINUITY-SEQUENCE:" + std::to_string(first_discontinuity_) +
                     "\n#EXT-X-INDEPENDENT-SEGMENTS\n";
  if (!window_) text += ended ? "#EXT-X-PLAYLIST-TYPE:VOD\n" : "#EXT-X-PLAYLIST-TYPE:EVENT\n";
  std::string map;
  for (const PlaylistSegment& segment : listed_) {
    if (segment.discontinuity) text += "#EXT-X-DISCONTINUITY\n";
    if (segment.map != map || segment.discontinuity)
      text += "#EXT-X-MAP:URI=\"" + segment.map + "\"\n";
    map = segment.map;
    text += "#EXT-X-PROGRAM-DATE-TIME:" + date_time(segment.utc) +
            "\n#EXTINF:" + number(segment.seconds) + ",\n" + segment.file + "\n";
  }
  if (ended) text += "#EXT-X-ENDLIST\n";
  return text;
}

std::string multivariant_playlist(const PlaylistStream& stream) {
  std::string codecs;
  for (const std::string& codec : stream.codecs) codecs += (codecs.empty() ? "" : ",") + codec;
  std::string text = "#EXTM3U\n#EXT-X-VERSION:";
  text += stream.spherical ? multivariant_version : media_version;
  text += "\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-STREAM-INF:BANDWIDTH=" +
          std::to_string(stream.bandwidth) +
          ",AVERAGE-BANDWIDTH=" + std::to_string(stream.average_bandwidth) + ",CODECS=\"" + codecs +
          "\",RESOLUTION=" + std::to_string(stream.width) + "x" + std::to_string(stream.height) +
          ",FRAME-RATE=" + number(stream.fps);
  if (stream.spherical) text += ",REQ-VIDEO-LAYOUT=\"CH-MONO/PROJ-EQUI\"";
  return text + "\n" + stream.playlist + "\n";
}

std::string stream_description(const PlaylistStream& stream, const std::string& playlist) {
  JsonWriter json;
  json.add("playlist", playlist);
  json.add("projection", stream.spherical ? "equirectangular" : "rectangular");
  json.add("stereo-mode", "mono");
  json.add("width", stream.width);
  json.add("height", stream.height);
  json.add("frame-rate", stream.fps);
  json.add("codecs", stream.codecs);
  return json.finish_text() + "\n";
}

}  // namespace sphere::live
