// SPDX-License-Identifier: LGPL-2.1-or-later
// One sample of a plane of the output, from one layer or from both; warp.vert has the rest.
//
// ADDED: a field is added. EXACT: the point follows from the direction, in an equirectangular
// picture or, CUBE, in one that consists of a cube's faces. EDGE: what is read may lie outside the
// layer's part of the picture. Where GL is software, to ask costs a fifth of the whole.

uniform sampler2D plane;
#ifdef EDGE
uniform vec4 limits;  // texture coordinates that the layer may be read at: left, top, right, bottom
#define within(point, limit) clamp(point, limit.xy, limit.zw)
#else
#define within(point, limit) (point)
#endif
#ifdef GAIN
uniform vec3 neutral;  // the value that stands for no light, or no colour
uniform float white;   // the distance of the brightest light from it; 0: colour differences
#endif

#ifdef EXACT
uniform vec4 source;   // factor and offset: pixels of the source to texture coordinates
uniform vec2 picture;  // pixels of the source, across and down
uniform vec4 edges;    // texture coordinates: the plane's width, half a sample; the first and the
                       // last row
VARYING vec3 source_direction;

#ifdef CUBE
// The faces of a cube: what they look at, and where rows and columns run; pixels of the picture:
// left, top, width, height; texture coordinates of the middles of the first and the last sample.
uniform vec3 face_ahead[6];
uniform vec3 face_right[6];
uniform vec3 face_down[6];
uniform vec4 face_areas[6];
uniform vec4 face_limits[6];
uniform float equiangular;  // 1: each pixel has the same angle

struct Face {
  vec3 ahead;
  vec3 right;
  vec3 down;
  vec4 area;
  vec4 limits;
};
Face source_face;  // the face that shows the point

Face face_of(vec3 d) {
  Face face;
  float most = -1e9;
  for (int n = 0; n < 6; n++) {
    float ahead = dot(d, face_ahead[n]);
    if (ahead > most) {
      most = ahead;
      face = Face(face_ahead[n], face_right[n], face_down[n], face_areas[n], face_limits[n]);
    }
  }
  return face;
}

vec2 point_on(Face face, vec3 d) {
  vec2 at = vec2(dot(d, face.right), dot(d, face.down)) / dot(d, face.ahead);
  if (equiangular > 0.5) at = atan(at) * 1.2732395;
  return (face.area.xy + (at + 1.0) * 0.5 * face.area.zw) * source.xy + source.zw;
}

vec3 direction_of(Face face, vec2 at) {
  vec2 w = ((at - source.zw) / source.xy - face.area.xy) / face.area.zw * 2.0 - 1.0;
  if (equiangular > 0.5) w = tan(clamp(w, -1.8, 1.8) * 0.78539816);
  return face.ahead + w.x * face.right + w.y * face.down;
}

vec2 exact_point() {
  source_face = face_of(source_direction);
  return point_on(source_face, source_direction);
}

#ifdef REDUCED
uniform sampler2D copies;  // of half the size, and its mipmaps
uniform vec2 to_copies;    // texture coordinates: of the plane to those of its copies
#endif

// Of the plane (a level below 0) or of its copies: the width and height of a sample.
vec2 sample_size(float level) {
  return vec2(edges.y, edges.z) * (level < 0.0 ? 2.0 : exp2(ceil(level) + 2.0));
}

// The middles of the first and the last sample of a face.
vec4 limits_of(Face face, float level) {
  if (level < 0.0) return face.limits;
  vec2 size = sample_size(level);
  vec2 first = (ceil((face.limits.xy - edges.yz) / size - 0.001) + 0.5) * size;
  vec2 last = (floor((face.limits.zw + edges.yz) / size + 0.001) - 0.5) * size;
  return vec4(first, max(first, last));
}

vec4 read_at(vec2 at, float level) {
#ifdef REDUCED
  if (level >= 0.0) return TEXTURE_LEVEL(copies, at * to_copies, level);
#endif
  return TEXTURE(plane, at);
}

// A point beyond the edge of a face, from the face that shows it.
vec4 neighbour_at(Face face, vec2 at, float level) {
  vec3 d = direction_of(face, at);
  Face other = face_of(d);
  vec4 limit = limits_of(other, level);
  return read_at(clamp(point_on(other, d), limit.xy, limit.zw), level);
}

// Between the last samples of a face and the next ones of its neighbours both are read.
vec4 face_texture(vec2 at, float level) {
  vec4 limit = limits_of(source_face, level);
  vec2 inside = clamp(at, limit.xy, limit.zw);
  vec4 value = read_at(inside, level);
  vec2 over = at - inside;
  if (over == vec2(0.0)) return value;
  vec2 size = sample_size(level);
  vec2 part = min(abs(over) / size, 1.0);
  vec2 next = inside + sign(over) * max(abs(over), size);
  if (over.y == 0.0)
    return mix(value, neighbour_at(source_face, vec2(next.x, at.y), level), part.x);
  vec4 below = neighbour_at(source_face, vec2(inside.x, next.y), level);
  if (over.x != 0.0) {
    value = mix(value, neighbour_at(source_face, vec2(next.x, inside.y), level), part.x);
    below = mix(below, neighbour_at(source_face, next, level), part.x);
  }
  return mix(value, below, part.y);
}
#define texture_at(at) face_texture(at, -1.0)
#else
vec2 exact_point() {
  vec3 d = source_direction;
  vec2 angles = vec2(atan(d.x, d.z) / 6.2831853, atan(d.y, length(d.xz)) / 3.1415927);
  vec2 at = (angles + 0.5) * picture * source.xy + source.zw;
  return vec2(mod(at.x, edges.x), clamp(at.y, edges.z, edges.w));
}

// The left and the right edge of the picture meet: between their samples both are read.
vec4 texture_at(vec2 at) {
  float x = mod(at.x, edges.x);
  float t = x < edges.y ? x + edges.y : x - edges.x + edges.y;
  vec4 value = TEXTURE(plane, vec2(clamp(x, edges.y, edges.x - edges.y), at.y));
  if (t < 0.0 || t > 2.0 * edges.y) return value;
  return mix(TEXTURE(plane, vec2(edges.x - edges.y, at.y)), TEXTURE(plane, vec2(edges.y, at.y)),
             t / (2.0 * edges.y));
}
#endif
#else
VARYING vec2 point;
#define texture_at(at) TEXTURE(plane, at)
#endif
#ifdef GAIN
VARYING vec3 gain_factor;  // about the neutral value
VARYING vec3 gain_offset;
#endif
#ifdef TWO_LAYERS
#ifdef EDGE
uniform vec4 limits2;
#endif
VARYING vec2 source_point2;
VARYING float first_layer_weight;
#ifdef GAIN
VARYING vec3 gain_factor2;
VARYING vec3 gain_offset2;
#endif
#endif

#ifdef CUBIC
uniform vec2 samples;  // of the texture, across and down

// Catmull-Rom: the two taps in the middle are one, between them, that the texture unit weighs.
// `limit` may be no name of anything: only EDGE looks at it.
#define sample_source(at, limit) cubic(within(at, limit), LIMIT(limit))
#ifdef EDGE
#define LIMIT(limit) limit
#else
#define LIMIT(limit) vec4(0.0)
#endif
vec4 cubic(vec2 at, vec4 limit) {
  vec2 sample_point = at * samples - 0.5;
  vec2 whole = floor(sample_point);
  vec2 t = sample_point - whole;
  vec2 s = 1.0 - t;
  vec2 p = t * s;
  vec2 before = -0.5 * p * s;
  vec2 after = -0.5 * p * t;
  vec2 second = t + p + 3.0 * before;
  vec2 middle = 1.0 - before - after;
  vec2 a = within((whole - 0.5) / samples, limit);
  vec2 b = within((whole + 0.5 + second / middle) / samples, limit);
  vec2 c = within((whole + 2.5) / samples, limit);
  vec4 above = texture_at(a) * before.x + texture_at(vec2(b.x, a.y)) * middle.x +
               texture_at(vec2(c.x, a.y)) * after.x;
  vec4 level = texture_at(vec2(a.x, b.y)) * before.x + texture_at(b) * middle.x +
               texture_at(vec2(c.x, b.y)) * after.x;
  vec4 below = texture_at(vec2(a.x, c.y)) * before.x + texture_at(vec2(b.x, c.y)) * middle.x +
               texture_at(c) * after.x;
  return above * before.y + level * middle.y + below * after.y;
}
#else
#define sample_source(at, limit) texture_at(within(at, limit))
#endif

#ifdef REDUCED
VARYING float reduction_level;
#ifndef CUBE
uniform sampler2D copies;  // of half the size, and its mipmaps
uniform vec2 to_copies;    // texture coordinates: of the plane to those of its copies
#endif

#ifdef CUBE
#define copy_at(at, level) face_texture(at, level)
#elif defined(EXACT)
// As texture_at(), between samples of the copy.
vec4 copy_at(vec2 at, float level) {
  float half_sample = edges.y * exp2(ceil(level) + 1.0);
  float t = at.x < half_sample ? at.x + half_sample : at.x - edges.x + half_sample;
  float last = edges.x - half_sample;
  vec2 inside = vec2(clamp(at.x, half_sample, last), at.y);
  vec4 value = TEXTURE_LEVEL(copies, inside * to_copies, level);
  if (t < 0.0 || t > 2.0 * half_sample) return value;
  return mix(TEXTURE_LEVEL(copies, vec2(last, at.y) * to_copies, level),
             TEXTURE_LEVEL(copies, vec2(half_sample, at.y) * to_copies, level),
             t / (2.0 * half_sample));
}
#else
#define copy_at(at, level) TEXTURE_LEVEL(copies, (at) * to_copies, level)
#endif

vec4 mix_copies(vec4 value, vec2 at) {
  vec4 coarser = copy_at(at, max(reduction_level - 1.0, 0.0));
  return mix(value, coarser, clamp(reduction_level, 0.0, 1.0));
}
#define sample_layer(at, limit) mix_copies(sample_source(at, limit), within(at, limit))
#else
#define sample_layer(at, limit) sample_source(at, limit)
#endif

#ifdef GAIN
// As lift() in warpjob.h, which tells why.
vec3 lift(vec3 light, vec3 factor) {
  if (white <= 0.0) return light * factor;
  vec3 below = min(light, white);
  vec3 knee = white * max(2.0 - factor, 0.0);
  vec3 lifted = min(below * factor, 2.0 * white - knee);
  vec3 bent = max(lifted - knee, 0.0);
  return lifted - bent * bent / max(4.0 * (white - knee), 1e-6) + light - below;
}
vec4 apply_gain(vec4 value, vec3 factor, vec3 offset) {
  return vec4(lift(value.rgb - neutral, factor) + neutral + offset, value.a);
}
#else
#define apply_gain(value, factor, offset) value
#endif

#ifdef ADDED
uniform sampler2D field;    // samples of 16 bits: two bytes of the first layer, two of the second
uniform vec4 field_point;   // factor and offset: turns and radians to samples
uniform vec4 field_size;    // samples a component, across and down; parts of the texture a sample
uniform vec3 field_parts;   // components, below each other; the value of a sample's step; the layer
VARYING vec3 field_angles;

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

vec4 with_field(vec4 value, float first_weight) {
  vec2 angles = vec2(fract(atan(field_angles.y, field_angles.x) / 6.2831853), field_angles.z);
  vec2 at = clamp(angles * field_point.xy + field_point.zw, vec2(0.0), field_size.xy - 1.001);
  vec3 added = vec3(0.0);
  vec2 weights = vec2(first_weight, 1.0 - first_weight);
  added.r = dot(field_at(at, 0.0), weights);
  if (field_parts.x > 1.0) added.g = dot(field_at(at, 1.0), weights);
  if (field_parts.x > 2.0) added.b = dot(field_at(at, 2.0), weights);
  return vec4(clamp(value.rgb, 0.0, 1.0) + added, value.a);
}
#endif

void main() {
#ifdef EXACT
  vec2 point = exact_point();
#endif
  vec4 value = apply_gain(sample_layer(point, limits), gain_factor, gain_offset);
#ifdef TWO_LAYERS
  // Interpolated first and clamped then: a hard seam is a steep slope.
  value = mix(apply_gain(sample_layer(source_point2, limits2), gain_factor2, gain_offset2), value,
              clamp(first_layer_weight, 0.0, 1.0));
#endif
#ifdef ADDED
#ifdef TWO_LAYERS
  value = with_field(value, clamp(first_layer_weight, 0.0, 1.0));
#else
  value = with_field(value, field_parts.z);
#endif
#endif
  RESULT = value;
}
