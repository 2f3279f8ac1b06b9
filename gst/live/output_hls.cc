// SPDX-License-Identifier: LGPL-2.1-or-later
// HLS: a folder with playlists and segments of fragmented MP4, which any web server can serve.

#include <glib/gstdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "gst/live/fragments.h"
#include "gst/live/muxed.h"
#include "gst/live/output.h"
#include "gst/live/output_parts.h"
#include "gst/live/playlist.h"
#include "gst/sphere/base/file.h"

namespace sphere::live {

namespace {

constexpr double default_segment = 2, shortest_segment = 1, longest_segment = 30;
constexpr double default_window = 6, smallest_window = 3, largest_window = 100;
constexpr int readable_by_all = 0644;
constexpr size_t largest_playlist = 32 << 20;  // bytes; weeks with all segments
constexpr const char *multivariant_file = "index.m3u8", *playlist_file = "live.m3u8",
                     *description_file = "index.json";

struct HlsSettings {
  double segment = default_segment;
  size_t window = 0;  // 0: all segments stay
};

/// A file that a web server sees either as it was or whole.
Status replace_file(const std::string& path, std::string_view content) {
  g_autoptr(GError) error = nullptr;
  if (g_file_set_contents_full(path.c_str(), content.data(), static_cast<gssize>(content.size()),
                               G_FILE_SET_CONTENTS_CONSISTENT, readable_by_all, &error))
    return ok();
  if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC))
    return failed("the disk is full: '" + path + "' can't be written");
  return failed("'" + path + "' can't be written: " + g_strerror(errno));
}

std::string_view text_of(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Makes the files of one connection; its parts are used by the muxer's thread.
class Segmenter {
 public:
  Segmenter(const std::string& folder, const HlsSettings& settings, const StreamInfo& stream,
            Playlist* playlist, bool continues)
      : folder_(folder),
        settings_(settings),
        stream_(stream),
        playlist_(playlist),
        discontinuity_(continues),
        run_(std::to_string(g_get_real_time() / 1000)) {}

  /// Begins to take what this bin makes.
  void watch(GstElement* bin) {
    watch_muxed(bin, &reader_, [this]() -> Status {
      while (auto fragment = reader_.next())
        if (const Status taken = take(*fragment); !taken) return taken;
      return ok();
    });
  }

  /// Writes what is left.
  Status finish() { return begin_ ? end_segment(last_end_) : ok(); }

 private:
  Status take(const Fragment& fragment) {
    const FragmentTrack& track = *reader_.track(fragment.track);
    const double at = static_cast<double>(fragment.begin) / track.timescale;
    if (map_.empty()) {
      map_ = "s" + run_ + ".mp4";
      if (const Status written = replace_file(folder_ + "/" + map_, text_of(reader_.header()));
          !written)
        return written;
    }
    if (track.video) {
      // A tenth of a second less: times are rounded, and pictures may have been lost.
      if (begin_ && fragment.key && at - *begin_ >= settings_.segment - 0.1)
        if (const Status ended = end_segment(at); !ended) return ended;
      if (!begin_) begin_ = at;
      last_end_ = at + static_cast<double>(fragment.duration) / track.timescale;
    }
    bytes_.insert(bytes_.end(), fragment.bytes.begin(), fragment.bytes.end());
    return ok();
  }

  Status end_segment(double end) {
    const double seconds = end - *begin_;
    PlaylistSegment segment{.file = "s" + run_ + "-" + std::to_string(++number_) + ".m4s",
                            .map = map_,
                            .seconds = seconds,
                            .utc = utc_of(*begin_),
                            .discontinuity = discontinuity_};
    discontinuity_ = false;
    if (const Status written = replace_file(folder_ + "/" + segment.file, text_of(bytes_));
        !written)
      return written;
    const std::vector<std::string> gone = playlist_->add(segment);
    if (const Status written = replace_file(folder_ + "/" + playlist_file, playlist_->text(false));
        !written)
      return written;
    for (const std::string& file : gone) g_unlink((folder_ + "/" + file).c_str());
    const int rate = static_cast<int>(static_cast<double>(bytes_.size()) * 8 / seconds);
    bytes_.clear();
    begin_.reset();
    return rate > peak_ ? describe(rate) : ok();
  }

  /// The files that do not change with each segment.
  Status describe(int rate) {
    // With a reserve, so that the file is not written again for each small rise.
    peak_ = std::max(rate + rate / 4, stream_.bitrate * 1250);
    PlaylistStream described{.playlist = playlist_file,
                             .bandwidth = peak_,
                             .average_bandwidth = std::max(rate, stream_.bitrate * 1000),
                             .codecs = {},
                             .width = stream_.width,
                             .height = stream_.height,
                             .fps = static_cast<double>(stream_.fps_n) / stream_.fps_d,
                             .spherical = stream_.spherical};
    described.bandwidth = std::max(described.bandwidth, described.average_bandwidth);
    for (const FragmentTrack& track : reader_.tracks()) {
      if (!track.codec.empty()) described.codecs.push_back(track.codec);
      if (!track.video || !track.width) continue;
      described.width = track.width;
      described.height = track.height;
    }
    if (const Status written =
            replace_file(folder_ + "/" + multivariant_file, multivariant_playlist(described));
        !written)
      return written;
    return replace_file(folder_ + "/" + description_file,
                        stream_description(described, multivariant_file));
  }

  /// The muxer's times begin with the first picture; for the time of day, this is exact enough.
  int64_t utc_of(double at) {
    if (!first_utc_) {
      first_utc_ = g_get_real_time() - static_cast<int64_t>((last_end_ - at) * 1e6);
      first_at_ = at;
    }
    return first_utc_ + static_cast<int64_t>((at - first_at_) * 1e6);
  }

  const std::string folder_;
  const HlsSettings settings_;
  const StreamInfo stream_;
  Playlist* const playlist_;
  bool discontinuity_;
  const std::string run_;
  FragmentReader reader_;
  std::string map_;
  std::vector<uint8_t> bytes_;
  std::optional<double> begin_;
  double last_end_ = 0, first_at_ = 0;
  int64_t first_utc_ = 0;
  unsigned number_ = 0;
  int peak_ = 0;
};

class HlsOutput : public Output {
 public:
  HlsOutput(const Target& target, const HlsSettings& settings)
      : target_(target),
        settings_(settings),
        // A key frame can be late by one interval.
        playlist_(static_cast<int>(std::ceil(2 * settings.segment)), settings.window) {
    needs_.audio_purposes = audio_purposes(target);
    needs_.location_purposes = location_purposes(target);
    needs_.takes_new_sizes = false;
    needs_.gapless = true;
    needs_.key_interval = settings.segment;
    const auto earlier = read_file(target.path + "/" + playlist_file, largest_playlist, "playlist");
    if (earlier && earlier->size() <= largest_playlist) playlist_.continue_after(*earlier);
  }
  ~HlsOutput() override {
    if (playlist_.size())
      (void)replace_file(target_.path + "/" + playlist_file, playlist_.text(true));
  }

  const OutputNeeds& needs() const override { return needs_; }

  Result<GstElement*> open(const StreamInfo& stream) override {
    if (const Status space = check_space(target_.path); !space) return space.error();
    auto bin = make_muxed_mp4(stream, {.fragment_ms = 500});
    if (!bin) return bin;
    segmenter_ = std::make_unique<Segmenter>(target_.path, settings_, stream, &playlist_,
                                             playlist_.has_begun());
    segmenter_->watch(*bin);
    return bin;
  }

  void closed(Closed why) override {
    if (segmenter_ && why != Closed::broken) (void)segmenter_->finish();
    segmenter_.reset();
  }

  void describe(OutputStatus* status) const override {
    status->links = {target_.path + "/" + multivariant_file};
  }

 private:
  const Target target_;
  const HlsSettings settings_;
  OutputNeeds needs_;
  Playlist playlist_;                     // of the muxer's thread while the element runs
  std::unique_ptr<Segmenter> segmenter_;  // likewise
};

Result<std::unique_ptr<Output>> make(const Target& target) {
  if (const Status known = check_settings(target, {"segment", "window", "keep"}); !known)
    return known.error();
  if (const Status found = check_elements({"mp4mux", "spheremp4tag", "h264parse", "aacparse"});
      !found)
    return found.error();
  const auto segment =
      number_setting(target, "segment", default_segment, shortest_segment, longest_segment);
  if (!segment) return segment.error();
  const auto window =
      number_setting(target, "window", default_window, smallest_window, largest_window);
  if (!window) return window.error();
  const std::string keep = target.setting("keep");
  if (!keep.empty() && keep != "yes" && keep != "no")
    return invalid("the setting 'keep' is 'yes' or 'no'");
  if (g_mkdir_with_parents(target.path.c_str(), 0755) != 0)
    return failed("the folder '" + target.path + "' can't be made: " + g_strerror(errno));
  if (g_access(target.path.c_str(), W_OK | X_OK) != 0)
    return failed("the folder '" + target.path + "' can't be written: " + g_strerror(errno));
  return std::unique_ptr<Output>(
      new HlsOutput(target, {*segment, keep == "yes" ? size_t{0} : static_cast<size_t>(*window)}));
}

const OutputRegistration registration(TargetKind::hls, make);

}  // namespace

}  // namespace sphere::live
