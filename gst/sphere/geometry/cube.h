// SPDX-License-Identifier: LGPL-2.1-or-later
// The sphere as the six faces of a cube, in three columns and two rows: which face shows a
// direction, and where.

#pragma once

#include "gst/sphere/geometry/equirect.h"

namespace sphere {

/// What a face looks at, and the directions in which its rows and its columns run.
struct CubeFace {
  Vec3 ahead, right, down;
};

/// Where the faces lie in a picture, and what they show.
class CubeLayout {
 public:
  static constexpr int columns = 3, rows = 2, faces = columns * rows;

  /// `equiangular`: each pixel has about the same angle, and the faces are turned and padded as
  /// YouTube has them; see Projection::eac. Otherwise the plain cubemap.
  CubeLayout(Size size, bool equiangular);

  /// Whether faces of a picture of this size have enough pixels to be read.
  static bool fits(Size size) { return size.width >= 16 * columns && size.height >= 16 * rows; }

  Size size() const { return size_; }
  bool equiangular() const { return equiangular_; }
  /// Faces are counted row by row.
  const CubeFace& face(int face) const;
  /// The part of the picture that shows a face, in pixels.
  Region area(int face) const;
  /// The pixels that show nothing but this face. Between equi-angular faces side by side, over
  /// whose edge the picture goes on, both include the pixel on the edge.
  Region pixels(int face) const;
  /// The most pixels per radian, in the mean over a face.
  double resolution() const;

  /// The face that shows a direction.
  int face_of(Vec3 d) const;
  /// The point where a face shows a direction, in pixels of the picture. Goes on smoothly beyond
  /// the face's edges, up to a right angle to the middle of the face.
  Point point(int face, Vec3 d) const;
  /// The direction that a face shows at a point. Goes on smoothly beyond the face's edges.
  Vec3 direction(int face, Point p) const;

  /// The first pixel of a column or a row of faces (of so many) in a picture with so many pixels
  /// across or down. It is even.
  static int edge(int face, int count, int pixels);

 private:
  Size size_;
  bool equiangular_;
  double width_, height_;  // of the area of a face
};

}  // namespace sphere
