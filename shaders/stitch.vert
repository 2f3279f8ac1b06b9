// SPDX-License-Identifier: LGPL-2.1-or-later
// The plan's grid, drawn over one plane of the output. A cell that one lens serves has that lens in
// the attributes without a number.
//
// TWO_LENSES: the cell needs both lenses. GAIN: the lenses are not equally bright. REDUCED: the
// output is coarser than the source. FIELD: something is added around the seam.

ATTRIBUTE vec2 position;  // of the node, pixels of the output
ATTRIBUTE float x;        // where the lens shows it, pixels of the source
ATTRIBUTE float y;
#ifdef GAIN
ATTRIBUTE vec4 gain;  // factor on the light; then what differs between components
#endif
#ifdef TWO_LENSES
ATTRIBUTE float x2;
ATTRIBUTE float y2;
#ifdef GAIN
ATTRIBUTE vec4 gain2;
#endif
#endif
#if defined(FIELD) || defined(REDUCED)
// More than eight attributes are not to be had everywhere. Where around the seam the node is, turns
// and radians above it; and the reduction: 0: the source, 1: the copy of half its size, and so on.
ATTRIBUTE vec4 blend;
#define BLEND blend.x
#else
#ifdef TWO_LENSES
ATTRIBUTE float blend;
#define BLEND blend
#endif
#endif

#ifdef GAIN
uniform float rgb;   // 1: the differences are factors; 0: they are added, as the matrix says
uniform mat3 added;
#endif
#ifdef REDUCED
VARYING float level;
#endif
uniform vec4 target;  // factor and offset: pixels of the output to clip coordinates
uniform vec4 source;  // factor and offset: pixels of the source to texture coordinates

VARYING vec2 place;
#ifdef FIELD
VARYING vec3 around;  // the azimuth's cosine and sine, which know no jump; the height
#endif
#ifdef GAIN
VARYING vec3 light;
VARYING vec3 colour;
#endif
#ifdef TWO_LENSES
VARYING vec2 place2;
VARYING float share;
#ifdef GAIN
VARYING vec3 light2;
VARYING vec3 colour2;
#endif
#endif

void main() {
  gl_Position = vec4(position * target.xy + target.zw, 0.0, 1.0);
  place = vec2(x, y) * source.xy + source.zw;
#ifdef REDUCED
  level = blend.w;
#endif
#ifdef FIELD
  float azimuth = blend.y * 6.2831853;
  around = vec3(cos(azimuth), sin(azimuth), blend.z);
#endif
#ifdef GAIN
  light = gain.x * mix(vec3(1.0), gain.yzw, rgb);
  colour = added * gain.yzw;
#endif
#ifdef TWO_LENSES
  place2 = vec2(x2, y2) * source.xy + source.zw;
  share = BLEND;
#ifdef GAIN
  light2 = gain2.x * mix(vec3(1.0), gain2.yzw, rgb);
  colour2 = added * gain2.yzw;
#endif
#endif
}
