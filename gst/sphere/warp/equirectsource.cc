// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/warp/equirectsource.h"

#include "gst/sphere/geometry/arctangent.h"

namespace sphere {

void EquirectSource::project_row(const Mat3& view, const DirectionRow& directions,
                                 const ProjectedRow& out) const {
  // In float: a new view on every frame must not take longer than drawing it. A 3e-7th of a radian
  // is less than a thousandth of a pixel.
  float m[3][3];
  for (int i = 0; i < 3; ++i) {
    m[i][0] = static_cast<float>(view.row[i].x);
    m[i][1] = static_cast<float>(view.row[i].y);
    m[i][2] = static_cast<float>(view.row[i].z);
  }
  const float across = static_cast<float>(size_.width / (2 * pi)), middle = size_.width * 0.5f;
  const float down = static_cast<float>(size_.height / pi), equator = size_.height * 0.5f;
  for (int n = 0; n < directions.count; ++n) {
    const float from[3] = {directions.x[n], directions.y[n], directions.z[n]};
    float d[3];
    for (int i = 0; i < 3; ++i) d[i] = m[i][0] * from[0] + m[i][1] * from[1] + m[i][2] * from[2];
    out.layer[0].x[n] = middle + across * arctangent(d[0], d[2]);
    out.layer[0].y[n] = equator + down * arctangent(d[1], std::sqrt(d[0] * d[0] + d[2] * d[2]));
  }
}

}  // namespace sphere
