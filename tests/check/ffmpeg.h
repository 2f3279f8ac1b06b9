// SPDX-License-Identifier: LGPL-2.1-or-later
// What the peer, ffmpeg, makes of a picture of ours.

#pragma once

#include "tests/check/pipeline.h"

namespace sphere::test {

inline bool have_ffmpeg() {
  g_autofree char* path = g_find_program_in_path("ffmpeg");
  if (!path) g_print("skip: ffmpeg is absent, nothing to compare with\n");
  return path != nullptr;
}

/// A picture of 1920x960 in I420, for ffmpeg.
class FfmpegInput {
 public:
  explicit FfmpegInput(const SampleRef& picture)
      : folder_(GString_(g_dir_make_tmp("sphere-XXXXXX", nullptr)).get()),
        file_(folder_ + "/in.yuv") {
    GstVideoInfo info;
    fail_unless(gst_video_info_from_caps(&info, gst_sample_get_caps(picture.get())) &&
                GST_VIDEO_INFO_FORMAT(&info) == GST_VIDEO_FORMAT_I420 && info.width == 1920 &&
                info.height == 960);
    GstMapInfo map;
    fail_unless(gst_buffer_map(gst_sample_get_buffer(picture.get()), &map, GST_MAP_READ));
    fail_unless(g_file_set_contents(file_.c_str(), reinterpret_cast<const char*>(map.data),
                                    static_cast<gssize>(map.size), nullptr));
    gst_buffer_unmap(gst_sample_get_buffer(picture.get()), &map);
  }
  ~FfmpegInput() {
    g_unlink(file_.c_str());
    g_rmdir(folder_.c_str());
  }
  FfmpegInput(const FfmpegInput&) = delete;
  FfmpegInput& operator=(const FfmpegInput&) = delete;

  /// The luma after a filter that gives this size.
  Component filtered(const std::string& filter, int width, int height) const {
    const std::string out = folder_ + "/out.yuv";
    const std::string command = "ffmpeg -v error -f rawvideo -pix_fmt yuv420p -s 1920x960 -i " +
                                file_ + " -vf " + filter + " -pix_fmt yuv420p -f rawvideo " + out;
    g_autoptr(GError) error = nullptr;
    gint status = 0;
    fail_unless(g_spawn_command_line_sync(command.c_str(), nullptr, nullptr, &status, &error) &&
                    status == 0,
                "%s: %s", command.c_str(), error ? error->message : "failed");
    g_autofree char* bytes = nullptr;
    gsize size = 0;
    fail_unless(g_file_get_contents(out.c_str(), &bytes, &size, nullptr));
    g_unlink(out.c_str());
    const size_t luma = static_cast<size_t>(width) * height;
    fail_unless_equals_uint64(size, luma * 3 / 2);
    Component c;
    c.width = width;
    c.height = height;
    c.samples.assign(bytes, bytes + luma);
    return c;
  }

 private:
  const std::string folder_, file_;
};

}  // namespace sphere::test
