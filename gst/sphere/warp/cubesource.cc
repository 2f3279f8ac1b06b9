// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/warp/cubesource.h"

namespace sphere {

void CubeSource::project_row(const Mat3& view, const DirectionRow& directions,
                             const ProjectedRow& out) const {
  for (int n = 0; n < directions.count; ++n) {
    const Point p = project(0, view * Vec3{directions.x[n], directions.y[n], directions.z[n]});
    out.layer[0].x[n] = static_cast<float>(p.x);
    out.layer[0].y[n] = static_cast<float>(p.y);
  }
}

}  // namespace sphere
