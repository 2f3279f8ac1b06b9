// SPDX-License-Identifier: LGPL-2.1-or-later
// Lens profiles for one test: dual-190 with something changed, in a file that is gone afterwards.

#pragma once

#include <string>

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

}  // namespace sphere::test
