// SPDX-License-Identifier: LGPL-2.1-or-later
// A 360 picture as a source: equirectangular, the whole sphere.

#pragma once

#include "gst/sphere/warp/source.h"

namespace sphere {

class EquirectSource final : public WarpSource {
 public:
  explicit EquirectSource(Size size) : size_(size) {}

  Size size() const override { return size_; }
  int layers() const override { return 1; }
  Region region(int) const override {
    return {0, 0, static_cast<double>(size_.width), static_cast<double>(size_.height)};
  }
  double resolution() const override { return size_.width / (2 * pi); }
  bool is_sphere() const override { return true; }
  void project_row(const Mat3& view, const DirectionRow& directions,
                   const ProjectedRow& out) const override;
  Point project(int, Vec3 direction) const override { return equirect_point(direction, size_); }

 private:
  Size size_;
};

}  // namespace sphere
