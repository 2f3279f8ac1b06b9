// SPDX-License-Identifier: LGPL-2.1-or-later
// Lens profiles for one test: dual-190 with something changed, in a file that is gone afterwards.

#pragma once

#include <string>
#include <vector>

#include "tests/check/pipeline.h"

namespace sphere::test {

class Profile {
 public:
  struct Change {
    double baseline = 0;
    std::string front, back;  ///< more fields of the lens, from a comma on
  };

  explicit Profile(const Change& change) {
    g_autofree char* path = nullptr;
    const int file = g_file_open_tmp("sphere-XXXXXX.json", &path, nullptr);
    fail_unless(file >= 0);
    g_close(file, nullptr);
    path_ = path;
    const std::string lens = R"(", "model": "equidistant", "fov": 190, "radius": 960)";
    const std::string text =
        R"({"format": "gst-sphere-lens", "version": 1, "name": "changed", "frame": [3840, 1920],)"
        R"("layout": "side-by-side", "baseline": )" +
        std::to_string(change.baseline) + R"(, "lenses": {"front": {"position": "right)" + lens +
        change.front + R"(}, "back": {"position": "left)" + lens + change.back + "}}}";
    fail_unless(g_file_set_contents(path, text.c_str(), -1, nullptr));
  }
  ~Profile() { g_unlink(path_.c_str()); }
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A frame in NV12 of two lenses that see near things from two positions.
inline std::vector<uint8_t> frame_with_depth(int width, int height) {
  const Profile apart({.baseline = 0.05});
  Pipeline source("spheretestsrc num-buffers=1 depth=true lens=" + apart.path() +
                  " ! video/x-raw,format=NV12,width=" + std::to_string(width) +
                  ",height=" + std::to_string(height) + " ! appsink name=sink sync=false");
  source.play();
  const SampleRef sample = source.pull();
  if (!sample) fail_unless(false, "%s", source.wait().c_str());
  GstBuffer* buffer = gst_sample_get_buffer(sample.get());
  std::vector<uint8_t> frame(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, frame.data(), frame.size());
  return frame;
}

}  // namespace sphere::test
