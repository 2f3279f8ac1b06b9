// SPDX-License-Identifier: LGPL-2.1-or-later
// Files: fragmented MP4, also in parts, and Matroska; marked as 360, and readable up to their last
// moments also if the process was killed.

#include <gst/app/gstappsink.h>

#include <algorithm>

#include "gst/live/muxed.h"
#include "gst/live/output.h"
#include "gst/live/output_parts.h"
#include "gst/live/part_writer.h"

namespace sphere::live {

namespace {

constexpr double shortest_part = 1, longest_part = 86400;

struct FileSettings {
  bool matroska = false, overwrite = false;
  double segment = 0;  // seconds; 0: one file
};

class FileOutput : public Output {
 public:
  FileOutput(const Target& target, const FileSettings& settings)
      : target_(target), settings_(settings), names_(target.path, settings.segment > 0) {
    needs_.audio_purposes = audio_purposes(target);
    needs_.location_purposes = location_purposes(target);
    needs_.takes_new_sizes = false;
    needs_.gapless = true;
    needs_.part_seconds = settings.segment;
    if (settings.segment > 0) needs_.key_interval = std::min(2.0, settings.segment);
    const GString_ folder(g_path_get_dirname(target.path.c_str()));
    folder_ = folder.get();
  }

  const OutputNeeds& needs() const override { return needs_; }

  Result<GstElement*> open(const StreamInfo& stream) override {
    final_ = false;
    if (const Status space = check_space(folder_); !space) return space.error();
    return settings_.matroska ? open_matroska(stream) : open_mp4(stream);
  }

  void closed(Closed) override { writer_.reset(); }

  std::string explain(GstMessage* error) override {
    if (is_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT))
      return "the disk of '" + folder_ +
             "' is full; remove something, and it goes on in a new file";
    return {};
  }
  bool is_final() const override { return final_; }

 private:
  Result<GstElement*> open_mp4(const StreamInfo& stream) {
    auto bin = make_muxed_mp4(stream, {.fragment_ms = 1000});
    if (!bin) return bin;
    writer_ = std::make_unique<PartWriter>(&names_, settings_.overwrite);
    writer_->watch(*bin);
    return bin;
  }

  Result<GstElement*> open_matroska(const StreamInfo& stream) {
    const std::string path = names_.next();
    // filesink would replace a file that exists.
    const auto made = create_part(path, settings_.overwrite);
    if (!made) return refuse(made.error());
    std::string words =
        "matroskamux name=mux offset-to-zero=true min-cluster-duration=500000000 "
        "max-cluster-duration=1000000000 ! spheremkvtag name=tag ! "
        "filesink name=sink sync=false async=false buffer-mode=unbuffered "
        "h264parse name=video ! video/x-h264,stream-format=avc ! mux.video_0 ";
    if (stream.audio) words += "aacparse name=audio ! audio/mpeg,stream-format=raw ! mux.audio_0 ";
    auto bin = make_output_bin(words);
    if (!bin) return bin;
    g_object_set(child_of(*bin, "sink"), "location", path.c_str(), nullptr);
    set_tag(child_of(*bin, "tag"), stream);
    return bin;
  }

  Error refuse(const Error& error) {
    final_ = true;
    return error;
  }

  const Target target_;
  const FileSettings settings_;
  PartNames names_;
  OutputNeeds needs_;
  std::string folder_;
  std::unique_ptr<PartWriter> writer_;  // of the muxer's thread while the element runs
  bool final_ = false;
};

Result<std::unique_ptr<Output>> make(const Target& target) {
  if (const Status known = check_settings(target, {"segment", "overwrite"}); !known)
    return known.error();
  FileSettings settings;
  const GString_ lower(g_ascii_strdown(target.path.c_str(), -1));
  settings.matroska = g_str_has_suffix(lower.get(), ".mkv");
  if (!settings.matroska && !g_str_has_suffix(lower.get(), ".mp4"))
    return invalid("the name of a file ends in .mp4 or .mkv");
  const Result<double> segment = number_setting(target, "segment", 0, shortest_part, longest_part);
  if (!segment) return segment.error();
  settings.segment = *segment;
  const std::string overwrite = target.setting("overwrite");
  if (!overwrite.empty() && overwrite != "yes" && overwrite != "no")
    return invalid("the setting 'overwrite' is 'yes' or 'no'");
  settings.overwrite = overwrite == "yes";
  const Status found =
      settings.matroska ? check_elements({"matroskamux", "spheremkvtag", "h264parse", "aacparse"})
                        : check_elements({"mp4mux", "spheremp4tag", "h264parse", "aacparse"});
  if (!found) return found.error();
  const GString_ folder(g_path_get_dirname(target.path.c_str()));
  if (!g_file_test(folder.get(), G_FILE_TEST_IS_DIR))
    return not_found("there is no folder '" + to_string(folder.get()) + "'; make it first");
  // Known at once, and not only with the first picture.
  PartNames names(target.path, settings.segment > 0);
  if (const Status good = check_part(names.next(), settings.overwrite); !good) return good.error();
  return std::unique_ptr<Output>(new FileOutput(target, settings));
}

const OutputRegistration registration(TargetKind::file, make);

}  // namespace

}  // namespace sphere::live
