// SPDX-License-Identifier: LGPL-2.1-or-later
// All of the target, which has half the samples of the plane.

ATTRIBUTE vec2 position;  // 0 or 1

uniform vec2 scale;  // target to texture coordinates

VARYING vec2 coordinate;

void main() {
  gl_Position = vec4(position * 2.0 - 1.0, 0.0, 1.0);
  coordinate = position * scale;
}
