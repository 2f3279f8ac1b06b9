// SPDX-License-Identifier: LGPL-2.1-or-later
// One sample of a plane of the output, from one lens or from both; stitch.vert has the rest.
//
// FIELD: something is added around the seam.
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

#ifdef FIELD
uniform sampler2D field;    // samples of 16 bits: two bytes of the front lens, two of the back lens
uniform vec4 field_place;   // factor and offset: turns and radians to samples
uniform vec4 field_size;    // samples a component, across and down; parts of the texture a sample
uniform vec3 field_parts;   // components, below each other; the value of a sample's step; the lens
VARYING vec3 around;

vec2 stored(vec2 at) {
  vec4 bytes = TEXTURE(field, at) * 255.0;
  return bytes.xz * 256.0 + bytes.yw;
}

// Interpolated here: a texture unit would do so with each byte by itself, and round it.
vec2 field_at(vec2 at, float component) {
  vec2 whole = floor(at);
  vec2 t = at - whole;
  vec2 first = (whole + vec2(0.5, 0.5 + component * field_size.y)) * field_size.zw;
  vec2 right = vec2(field_size.z, 0.0);
  vec2 below = vec2(0.0, field_size.w);
  vec2 upper = mix(stored(first), stored(first + right), t.x);
  vec2 lower = mix(stored(first + below), stored(first + below + right), t.x);
  return (mix(upper, lower, t.y) - 32768.0) * field_parts.y;
}

vec4 with_field(vec4 value, float front) {
  vec2 turns = vec2(fract(atan(around.y, around.x) / 6.2831853), around.z);
  vec2 at = clamp(turns * field_place.xy + field_place.zw, vec2(0.0), field_size.xy - 1.001);
  vec3 added = vec3(0.0);
  vec2 weights = vec2(front, 1.0 - front);
  added.r = dot(field_at(at, 0.0), weights);
  if (field_parts.x > 1.0) added.g = dot(field_at(at, 1.0), weights);
  if (field_parts.x > 2.0) added.b = dot(field_at(at, 2.0), weights);
  return vec4(clamp(value.rgb, 0.0, 1.0) + added, value.a);
}
#endif

void main() {
  vec4 value = lit(seen(place, limits), light, colour);
#ifdef TWO_LENSES
  // Interpolated first and clamped then: a hard seam is a steep slope.
  value = mix(lit(seen(place2, limits2), light2, colour2), value, clamp(share, 0.0, 1.0));
#endif
#ifdef FIELD
#ifdef TWO_LENSES
  value = with_field(value, clamp(share, 0.0, 1.0));
#else
  value = with_field(value, field_parts.z);
#endif
#endif
  RESULT = value;
}
