// SPDX-License-Identifier: LGPL-2.1-or-later
// One sample of a plane of the output, from one lens or from both; stitch.vert has the rest.

uniform sampler2D plane;
uniform vec4 limits;  // texture coordinates that the lens may be read at: left, top, right, bottom
#ifdef GAIN
uniform vec3 neutral;  // the value that stands for no light, or no colour
#endif

VARYING vec2 place;
#ifdef GAIN
VARYING vec3 light;   // factors about it
VARYING vec3 colour;  // and what is added
#endif
#ifdef TWO_LENSES
uniform vec4 limits2;
VARYING vec2 place2;
VARYING float share;
#ifdef GAIN
VARYING vec3 light2;
VARYING vec3 colour2;
#endif
#endif

vec4 look(vec2 at, vec4 within) {
  return TEXTURE(plane, clamp(at, within.xy, within.zw));
}

#ifdef GAIN
vec4 lit(vec4 value, vec3 factor, vec3 more) {
  return vec4((value.rgb - neutral) * factor + neutral + more, value.a);
}
#else
#define lit(value, factor, more) value
#endif

void main() {
  vec4 value = lit(look(place, limits), light, colour);
#ifdef TWO_LENSES
  // Interpolated first and clamped then: a hard seam is a steep slope.
  value = mix(lit(look(place2, limits2), light2, colour2), value, clamp(share, 0.0, 1.0));
#endif
  RESULT = value;
}
