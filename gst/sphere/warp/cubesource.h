// SPDX-License-Identifier: LGPL-2.1-or-later
// A 360 picture as a source: the six faces of a cube, plain or equi-angular.

#pragma once

#include "gst/sphere/warp/source.h"

namespace sphere {

class CubeSource final : public WarpSource {
 public:
  /// CubeLayout::fits() the size.
  CubeSource(Size size, bool equiangular) : layout_(size, equiangular) {}

  Size size() const override { return layout_.size(); }
  int layers() const override { return 1; }
  Region region(int) const override {
    return {0, 0, static_cast<double>(size().width), static_cast<double>(size().height)};
  }
  double resolution() const override { return layout_.resolution(); }
  bool is_sphere() const override { return true; }
  const CubeLayout* cube() const override { return &layout_; }
  void project_row(const Mat3& view, const DirectionRow& directions,
                   const ProjectedRow& out) const override;
  Point project(int, Vec3 direction) const override {
    return layout_.point(layout_.face_of(direction), direction);
  }

 private:
  CubeLayout layout_;
};

}  // namespace sphere
