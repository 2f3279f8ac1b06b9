// SPDX-License-Identifier: LGPL-2.1-or-later
// A square view of a 360 picture, as a camera without distortion sees it. Things look the same in
// it wherever they are: at the poles, and at the edges of the picture.

#pragma once

#include <opencv2/core.hpp>

#include "gst/sphere/vision/sphere_picture.h"

namespace sphere {

class TangentView {
 public:
  /// `rotation`: from the axes of the view to those of the picture. `pixel`: the size of a pixel in
  /// the middle of the view, radians.
  TangentView(const Mat3& rotation, int side, double pixel)
      : rotation_(rotation), side_(side), pixel_(pixel) {}

  int side() const { return side_; }
  /// The direction in the axes of the picture; of length 1. `p` is continuous: the middle of the
  /// first pixel is at 0.5.
  Vec3 direction(Point p) const { return normalised(rotation_ * on_plane(p)); }
  /// Where the pixels of the view are in pictures of one size, in OpenCV's form for remap().
  struct Places {
    Size size;
    cv::Mat whole, parts;
  };
  /// For several pictures of one size. Throws what OpenCV throws, as draw() does.
  Places places(Size size) const;
  /// One component of eight bits. `picture` has the size of the places.
  static cv::Mat draw(const SpherePicture& picture, const Places& places);
  cv::Mat draw(const SpherePicture& picture) const { return draw(picture, places(picture.size)); }

 private:
  Vec3 on_plane(Point p) const {
    return {(p.x - side_ / 2.0) * pixel_, (p.y - side_ / 2.0) * pixel_, 1};
  }

  Mat3 rotation_;
  int side_;
  double pixel_;
};

}  // namespace sphere
