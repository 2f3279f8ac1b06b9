// SPDX-License-Identifier: LGPL-2.1-or-later
// A grid, drawn over one plane of the output. A cell that one layer serves has that layer in the
// attributes without a number.
//
// TWO_LAYERS: the cell needs both layers. GAIN: the layers are not equally bright. REDUCED: the
// output is coarser than the source. ADDED: a field is added. EXACT: the source is a whole sphere,
// and points follow from the directions.

ATTRIBUTE vec2 position;  // of the node, pixels of the output
#ifdef EXACT
ATTRIBUTE vec3 direction;  // what the node looks at, in the axes of the source
#else
ATTRIBUTE float x;  // where the layer shows it, pixels of the source
ATTRIBUTE float y;
#endif
#ifdef GAIN
ATTRIBUTE vec4 gain;  // factor on the light; then what differs between components
#endif
#ifdef TWO_LAYERS
ATTRIBUTE float x2;
ATTRIBUTE float y2;
#ifdef GAIN
ATTRIBUTE vec4 gain2;
#endif
#endif
#if defined(ADDED) || defined(REDUCED)
// More than eight attributes are not to be had everywhere. The weight of the first layer; where in
// the field the node is, turns and radians above; and the reduction: 0: the source, 1: the copy of
// half its size, and so on.
ATTRIBUTE vec4 first_weight;
#define FIRST_WEIGHT first_weight.x
#else
#ifdef TWO_LAYERS
ATTRIBUTE float first_weight;
#define FIRST_WEIGHT first_weight
#endif
#endif

#ifdef GAIN
uniform float rgb;  // 1: the differences are factors; 0: they are added, as the matrix says
uniform mat3 component_offsets;
#endif
#ifdef REDUCED
VARYING float reduction_level;
#endif
uniform vec4 target;  // factor and offset: pixels of the output to clip coordinates
#ifdef EXACT
VARYING vec3 source_direction;
#else
uniform vec4 source;  // factor and offset: pixels of the source to texture coordinates
VARYING vec2 point;
#endif
#ifdef ADDED
VARYING vec3 field_angles;  // the azimuth's cosine and sine, which know no jump; the height
#endif
#ifdef GAIN
VARYING vec3 gain_factor;
VARYING vec3 gain_offset;
#endif
#ifdef TWO_LAYERS
VARYING vec2 source_point2;
VARYING float first_layer_weight;
#ifdef GAIN
VARYING vec3 gain_factor2;
VARYING vec3 gain_offset2;
#endif
#endif

void main() {
  gl_Position = vec4(position * target.xy + target.zw, 0.0, 1.0);
#ifdef EXACT
  source_direction = direction;
#else
  point = vec2(x, y) * source.xy + source.zw;
#endif
#ifdef REDUCED
  reduction_level = first_weight.w;
#endif
#ifdef ADDED
  float azimuth = first_weight.y * 6.2831853;
  field_angles = vec3(cos(azimuth), sin(azimuth), first_weight.z);
#endif
#ifdef GAIN
  gain_factor = gain.x * mix(vec3(1.0), gain.yzw, rgb);
  gain_offset = component_offsets * gain.yzw;
#endif
#ifdef TWO_LAYERS
  source_point2 = vec2(x2, y2) * source.xy + source.zw;
  first_layer_weight = FIRST_WEIGHT;
#ifdef GAIN
  gain_factor2 = gain2.x * mix(vec3(1.0), gain2.yzw, rgb);
  gain_offset2 = component_offsets * gain2.yzw;
#endif
#endif
}
