// SPDX-License-Identifier: LGPL-2.1-or-later
// The source of a warp: tells the grid at which point of a picture a direction is shown.

#pragma once

#include "gst/sphere/geometry/cube.h"
#include "gst/sphere/geometry/equirect.h"
#include "gst/sphere/geometry/vec.h"

namespace sphere {

/// Directions in a row: their x, y and z.
struct DirectionRow {
  const float *x, *y, *z;
  int count;
};

/// The values of a source for each direction of a row, one array for each value.
struct ProjectedRow {
  struct Layer {
    float *x, *y;  ///< pixels of the source
    float* gain;   ///< null where has_gain() is false
  } layer[2];
  float* first_weight;  ///< of the first layer; null where there is one layer
};

/// A source picture with one or two layers, each of which shows some directions.
class WarpSource {
 public:
  virtual ~WarpSource() = default;

  virtual Size size() const = 0;
  virtual int layers() const = 0;
  /// The part of the picture that a layer may be read from.
  virtual Region region(int layer) const = 0;
  /// The source's highest resolution, pixels per radian.
  virtual double resolution() const = 0;
  /// Whether a layer's gain is other than 1 anywhere.
  virtual bool has_gain() const { return false; }
  /// Whether the picture is a whole sphere, in the axes of the source: equirectangular, with edges
  /// that meet, as equirect_point() has it; or faces, if cube() returns their layout.
  virtual bool is_sphere() const { return false; }
  /// The faces of which the picture consists, or null. Of a source with faces, project_row() is not
  /// used, because neighbouring directions may be on two faces.
  virtual const CubeLayout* cube() const { return nullptr; }

  /// To be called before project_row(): the largest angle from one node to the next, radians.
  virtual void set_node_angle(double) {}
  /// The points at which the directions of a row are shown. Directions are in the axes of the view;
  /// `view` rotates them to those of the source. Called for every row of every frame whose view
  /// changed.
  virtual void project_row(const Mat3& view, const DirectionRow& directions,
                           const ProjectedRow& out) const = 0;
  /// The exact point where a layer shows a direction, in the axes of the source.
  virtual Point project(int layer, Vec3 direction) const = 0;
  /// The exact weight of the first layer, not clamped.
  virtual double first_weight(Vec3) const { return 1; }
};

}  // namespace sphere
