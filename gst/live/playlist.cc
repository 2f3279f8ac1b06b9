// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/playlist.h"

#include <glib.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/json_writer.h"
#include "gst/sphere/base/number.h"

namespace sphere::live {

namespace {

// EXT-X-MAP for pictures needs 6, and the draft wants 12 for attributes whose names begin with REQ.
constexpr const char *media_version = "7", *multivariant_version = "12";
constexpr std::string_view segment_ending = ".m4s";
// Players in browsers count with doubles.
constexpr int64_t largest_sequence = int64_t{1} << 52;

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

/// What a playlist tells.
struct Listed {
  uint64_t first = 0, first_discontinuity = 0;
  std::deque<PlaylistSegment> segments;
  bool keeps_all = false, ended = false;
};

/// Takes `key` from the front of a line.
bool take(std::string_view* line, std::string_view key) {
  if (!line->starts_with(key)) return false;
  line->remove_prefix(key.size());
  return true;
}

/// Whether this may be a file of ours, which may be removed: "s", digits, perhaps "-" and digits.
bool is_own_file(std::string_view name, std::string_view ending) {
  if (!take(&name, "s") || !name.ends_with(ending)) return false;
  name.remove_suffix(ending.size());
  return !name.empty() && name.find_first_not_of("0123456789-") == name.npos;
}

bool read_count(std::string_view text, uint64_t* count) {
  const std::optional<int64_t> number = parse_integer(text);
  if (!number || *number < 0 || *number > largest_sequence) return false;
  *count = static_cast<uint64_t>(*number);
  return true;
}

/// A playlist that text() wrote; nothing if it is another's.
std::optional<Listed> read_playlist(std::string_view text) {
  Listed listed;
  PlaylistSegment next;
  if (!text.starts_with("#EXTM3U\n")) return std::nullopt;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (take(&line, "#EXT-X-MEDIA-SEQUENCE:")) {
      if (!read_count(line, &listed.first)) return std::nullopt;
    } else if (take(&line, "#EXT-X-DISCONTINUITY-SEQUENCE:")) {
      if (!read_count(line, &listed.first_discontinuity)) return std::nullopt;
    } else if (line == "#EXT-X-DISCONTINUITY") {
      next.discontinuity = true;
    } else if (line.starts_with("#EXT-X-PLAYLIST-TYPE:")) {
      listed.keeps_all = true;
    } else if (line == "#EXT-X-ENDLIST") {
      listed.ended = true;
    } else if (take(&line, "#EXT-X-MAP:URI=\"")) {
      next.map = line.substr(0, line.find('"'));
      if (!is_own_file(next.map, ".mp4")) return std::nullopt;
    } else if (take(&line, "#EXT-X-PROGRAM-DATE-TIME:")) {
      const std::unique_ptr<GDateTime, Call<g_date_time_unref>> at(
          g_date_time_new_from_iso8601(std::string(line).c_str(), nullptr));
      if (!at) return std::nullopt;
      next.utc =
          g_date_time_to_unix(at.get()) * G_USEC_PER_SEC + g_date_time_get_microsecond(at.get());
    } else if (take(&line, "#EXTINF:")) {
      const auto seconds = parse_number(line.substr(0, line.find(',')));
      if (!seconds) return std::nullopt;
      next.seconds = *seconds;
    } else if (!line.empty() && line.front() != '#') {
      next.file = line;
      if (!is_own_file(next.file, segment_ending) || next.map.empty()) return std::nullopt;
      listed.segments.push_back(next);
      next.discontinuity = false;
    }
  }
  return listed;
}

}  // namespace

void Playlist::continue_after(std::string_view earlier) {
  std::optional<Listed> listed = read_playlist(earlier);
  if (!listed) return;
  first_ = listed->first;
  first_discontinuity_ = listed->first_discontinuity;
  if (!window_ && !listed->ended) {
    listed_ = std::move(listed->segments);
    return;
  }
  for (const PlaylistSegment& segment : listed->segments) {
    ++first_;
    if (segment.discontinuity) ++first_discontinuity_;
  }
  if (!window_ || listed->keeps_all || listed->segments.empty()) return;
  // They are removed as if they had left this list, and so are those that had left it before.
  kept_ = std::move(listed->segments);
  PlaylistSegment before = kept_.front();
  const size_t number_at = before.file.rfind('-') + 1;
  const std::string_view number(before.file.begin() + static_cast<ptrdiff_t>(number_at),
                                before.file.end() - segment_ending.size());
  const int64_t first = parse_integer(number).value_or(0);
  const std::string run = before.file.substr(0, number_at);
  for (int64_t i = first - 1; i > 0 && first - i <= static_cast<int64_t>(window_); --i) {
    before.file = run + std::to_string(i) + std::string(segment_ending);
    kept_.push_front(before);
  }
}

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
