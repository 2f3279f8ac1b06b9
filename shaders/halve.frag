// SPDX-License-Identifier: LGPL-2.1-or-later
// The mean of two by two samples.

uniform sampler2D plane;
uniform vec2 last;  // the middle of the last sample: a texture may be wider than its plane

VARYING vec2 coordinate;

void main() { RESULT = TEXTURE(plane, min(coordinate, last)); }
