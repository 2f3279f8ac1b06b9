// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/vision/tangent_view.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

namespace sphere {

TangentView::Places TangentView::places(Size size) const {
  cv::Mat points(side_, side_, CV_32FC2);
  for (int y = 0; y < side_; ++y) {
    auto* const row = points.ptr<cv::Vec2f>(y);
    for (int x = 0; x < side_; ++x) {
      const Point p = equirect_point(rotation_ * on_plane({x + 0.5, y + 0.5}), size);
      // OpenCV's pixels have their middle at whole numbers. Beyond the poles there is nothing.
      row[x] = {static_cast<float>(p.x - 0.5),
                static_cast<float>(std::clamp(p.y - 0.5, 0.0, size.height - 1.0))};
    }
  }
  Places places{size, {}, {}};
  cv::convertMaps(points, cv::noArray(), places.whole, places.parts, CV_16SC2);
  return places;
}

cv::Mat TangentView::draw(const SpherePicture& picture, const Places& places) {
  const Size size = places.size;
  // OpenCV has no type for pixels that are only read.
  const cv::Mat pixels(size.height, size.width, CV_8U, const_cast<uint8_t*>(picture.pixels.data()));
  cv::Mat view;
  cv::remap(pixels, view, places.whole, places.parts, cv::INTER_LINEAR, cv::BORDER_WRAP);
  return view;
}

}  // namespace sphere
