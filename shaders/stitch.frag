// SPDX-License-Identifier: LGPL-2.1-or-later
// One sample of a plane of the output, from one lens or from both; stitch.vert has the rest.
//
// EDGE: what is read may lie outside the lens's part of the picture. Where GL is software, to ask
// costs a fifth of the whole.

uniform sampler2D plane;
#ifdef EDGE
uniform vec4 limits;  // texture coordinates that the lens may be read at: left, top, right, bottom
#define within(place, limit) clamp(place, limit.xy, limit.zw)
#else
#define within(place, limit) (place)
#endif
#ifdef GAIN
uniform vec3 neutral;  // the value that stands for no light, or no colour
#endif

VARYING vec2 place;
#ifdef GAIN
VARYING vec3 light;   // factors about it
VARYING vec3 colour;  // and what is added
#endif
#ifdef TWO_LENSES
#ifdef EDGE
uniform vec4 limits2;
#endif
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
// `limit` may be no name of anything: only EDGE looks at it.
#define look(at, limit) cubic(within(at, limit), LIMIT(limit))
#ifdef EDGE
#define LIMIT(limit) limit
#else
#define LIMIT(limit) vec4(0.0)
#endif
vec4 cubic(vec2 at, vec4 limit) {
  vec2 place = at * samples - 0.5;
  vec2 whole = floor(place);
  vec2 t = place - whole;
  vec2 s = 1.0 - t;
  vec2 p = t * s;
  vec2 before = -0.5 * p * s;
  vec2 after = -0.5 * p * t;
  vec2 second = t + p + 3.0 * before;
  vec2 middle = 1.0 - before - after;
  vec2 a = within((whole - 0.5) / samples, limit);
  vec2 b = within((whole + 0.5 + second / middle) / samples, limit);
  vec2 c = within((whole + 2.5) / samples, limit);
  vec4 above = TEXTURE(plane, a) * before.x + TEXTURE(plane, vec2(b.x, a.y)) * middle.x +
               TEXTURE(plane, vec2(c.x, a.y)) * after.x;
  vec4 level = TEXTURE(plane, vec2(a.x, b.y)) * before.x + TEXTURE(plane, b) * middle.x +
               TEXTURE(plane, vec2(c.x, b.y)) * after.x;
  vec4 below = TEXTURE(plane, vec2(a.x, c.y)) * before.x +
               TEXTURE(plane, vec2(b.x, c.y)) * middle.x + TEXTURE(plane, c) * after.x;
  return above * before.y + level * middle.y + below * after.y;
}
#else
#define look(at, limit) TEXTURE(plane, within(at, limit))
#endif

#ifdef REDUCED
uniform sampler2D copies;  // of half the size, and its mipmaps
uniform vec2 to_copies;    // texture coordinates: of the plane to those of its copies
VARYING float level;

vec4 mixed(vec4 value, vec2 at) {
  vec4 coarser = TEXTURE_LEVEL(copies, at * to_copies, max(level - 1.0, 0.0));
  return mix(value, coarser, clamp(level, 0.0, 1.0));
}
#define seen(at, limit) mixed(look(at, limit), within(at, limit))
#else
#define seen(at, limit) look(at, limit)
#endif

#ifdef GAIN
vec4 lit(vec4 value, vec3 factor, vec3 more) {
  return vec4((value.rgb - neutral) * factor + neutral + more, value.a);
}
#else
#define lit(value, factor, more) value
#endif

void main() {
  vec4 value = lit(seen(place, limits), light, colour);
#ifdef TWO_LENSES
  // Interpolated first and clamped then: a hard seam is a steep slope.
  value = mix(lit(seen(place2, limits2), light2, colour2), value, clamp(share, 0.0, 1.0));
#endif
  RESULT = value;
}
