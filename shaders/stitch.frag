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

#ifdef CUBIC
uniform vec2 samples;  // of the texture, across and down

// Catmull-Rom: the two taps in the middle are one, between them, that the texture unit weighs.
vec4 look(vec2 at, vec4 within) {
  vec2 place = clamp(at, within.xy, within.zw) * samples - 0.5;
  vec2 whole = floor(place);
  vec2 t = place - whole;
  vec2 s = 1.0 - t;
  vec2 p = t * s;
  vec2 before = -0.5 * p * s;
  vec2 after = -0.5 * p * t;
  vec2 second = t + p + 3.0 * before;
  vec2 middle = 1.0 - before - after;
  vec2 a = clamp((whole - 0.5) / samples, within.xy, within.zw);
  vec2 b = clamp((whole + 0.5 + second / middle) / samples, within.xy, within.zw);
  vec2 c = clamp((whole + 2.5) / samples, within.xy, within.zw);
  vec4 above = TEXTURE(plane, a) * before.x + TEXTURE(plane, vec2(b.x, a.y)) * middle.x +
               TEXTURE(plane, vec2(c.x, a.y)) * after.x;
  vec4 level = TEXTURE(plane, vec2(a.x, b.y)) * before.x + TEXTURE(plane, b) * middle.x +
               TEXTURE(plane, vec2(c.x, b.y)) * after.x;
  vec4 below = TEXTURE(plane, vec2(a.x, c.y)) * before.x +
               TEXTURE(plane, vec2(b.x, c.y)) * middle.x + TEXTURE(plane, c) * after.x;
  return above * before.y + level * middle.y + below * after.y;
}
#else
vec4 look(vec2 at, vec4 within) {
  return TEXTURE(plane, clamp(at, within.xy, within.zw));
}
#endif

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
