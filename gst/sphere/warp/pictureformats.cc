// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/warp/pictureformats.h"

#include <gst/video/video.h>

#include <algorithm>
#include <cmath>

#include "gst/sphere/base/gobject.h"

namespace sphere {

namespace {

constexpr int largest_side = 32768;

/// Removes the fields that the warp changes. The others are the same on both sides.
void forget_geometry(GstStructure* structure) {
  gst_structure_remove_fields(structure, "width", "height", "pixel-aspect-ratio", "multiview-mode",
                              "multiview-flags", "interlace-mode", "field-order", nullptr);
}

/// Sets a field to the value nearest to `target` that its caps allow.
void fixate_int(GstStructure* structure, const char* field, int target) {
  if (gst_structure_has_field(structure, field))
    gst_structure_fixate_field_nearest_int(structure, field, target);
  else
    gst_structure_set(structure, field, G_TYPE_INT, target, nullptr);
}

/// Rounds to an even size, because in most formats two pixels have one chroma sample.
int even(double value) {
  return std::clamp(static_cast<int>(std::lround(value / 2)) * 2, 2, largest_side);
}

/// The size of an output if the caps don't set it.
struct Shape {
  double width;  ///< divided by that of the sphere
  double aspect;
};

/// With these sizes, the middle of the output has about as much detail as the input.
Shape shape_of(Projection projection) {
  switch (projection) {
    case Projection::equirect:
      return {1, 2};
    case Projection::cubemap:
    case Projection::eac:
      return {0.75, 1.5};
    case Projection::perspective:
      return {0.5, 16.0 / 9};
    default:
      return {0.5, 1};
  }
}

}  // namespace

GstCaps* caps_of_other_side(GstBaseTransform*, GstPadDirection, GstCaps* caps, GstCaps* filter) {
  GstCaps* others = gst_caps_copy(caps);
  for (guint i = 0; i < gst_caps_get_size(others); ++i) {
    GstStructure* structure = gst_caps_get_structure(others, i);
    forget_geometry(structure);
    // A size that can't be used is refused later, with a message.
    gst_structure_set(structure, "width", GST_TYPE_INT_RANGE, 1, largest_side, "height",
                      GST_TYPE_INT_RANGE, 1, largest_side, nullptr);
  }
  if (!filter) return others;
  GstCaps* fitting = gst_caps_intersect_full(filter, others, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(others);
  return fitting;
}

void leave_size_open(GstQuery* query) {
  GstCaps* answer = nullptr;
  gst_query_parse_caps_result(query, &answer);
  if (!answer || gst_caps_is_any(answer)) return;
  const CapsRef open(gst_caps_new_empty());
  for (guint i = 0; i < gst_caps_get_size(answer); ++i) {
    const GstStructure* one = gst_caps_get_structure(answer, i);
    const GstCapsFeatures* features = gst_caps_get_features(answer, i);
    bool covered = false;
    for (guint j = i + 1; j < gst_caps_get_size(answer) && !covered; ++j)
      covered = gst_structure_is_subset(one, gst_caps_get_structure(answer, j)) &&
                gst_caps_features_is_equal(features, gst_caps_get_features(answer, j));
    if (!covered)
      gst_caps_append_structure_full(open.get(), gst_structure_copy(one),
                                     gst_caps_features_copy(features));
  }
  gst_query_set_caps_result(query, open.get());
}

GstCaps* fixate_output(const GstCaps* input, GstCaps* output, Projection projection,
                       Projection from) {
  output = gst_caps_truncate(output);
  output = gst_caps_make_writable(output);
  GstStructure* out = gst_caps_get_structure(output, 0);
  const GstStructure* in = gst_caps_get_structure(input, 0);

  int in_width = 0, in_height = 0, par_n = 1, par_d = 1;
  gst_structure_get_int(in, "width", &in_width);
  gst_structure_get_int(in, "height", &in_height);
  gst_structure_get_fraction(in, "pixel-aspect-ratio", &par_n, &par_d);
  // Two lenses can be side by side or one over the other. In both cases the sphere is as wide as
  // both together. A sphere itself is wider than high.
  const double shown_width = in_width * static_cast<double>(par_n) / std::max(par_d, 1);
  const double sphere =
      (shown_width >= in_height ? shown_width : 2.0 * shown_width) / shape_of(from).width;
  const Shape shape = shape_of(projection);

  int width = 0, height = 0;
  const bool have_width = gst_structure_get_int(out, "width", &width);
  const bool have_height = gst_structure_get_int(out, "height", &height);
  if (!have_width) {
    fixate_int(out, "width", even(have_height ? shape.aspect * height : shape.width * sphere));
    gst_structure_get_int(out, "width", &width);
  }
  if (!have_height) {
    fixate_int(out, "height", even(width / shape.aspect));
    gst_structure_get_int(out, "height", &height);
  }
  // A whole sphere keeps its shape with any number of pixels. A view with another shape shows more
  // or less of the sphere.
  const bool whole = shows_all(projection);
  const int wide = whole ? static_cast<int>(std::lround(2 * shape.aspect)) * height : 1;
  const int tall = whole ? 2 * width : 1;
  if (gst_structure_has_field(out, "pixel-aspect-ratio"))
    gst_structure_fixate_field_nearest_fraction(out, "pixel-aspect-ratio", wide, tall);
  else
    gst_structure_set(out, "pixel-aspect-ratio", GST_TYPE_FRACTION, wide, tall, nullptr);
  return gst_caps_fixate(output);
}

bool stays_true_of_warped(const GstMeta* meta) {
  if (GST_META_FLAG_IS_SET(meta, GST_META_FLAG_POOLED) ||
      GST_META_FLAG_IS_SET(meta, GST_META_FLAG_LOCKED))
    return false;
  const GType api = meta->info->api;
  for (const char* tag : {GST_META_TAG_VIDEO_SIZE_STR, GST_META_TAG_VIDEO_ORIENTATION_STR,
                          GST_META_TAG_MEMORY_STR, GST_META_TAG_MEMORY_REFERENCE_STR}) {
    if (gst_meta_api_type_has_tag(api, g_quark_from_static_string(tag))) return false;
  }
  // They contain positions in the picture, although they have no tag for that.
  return api != GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE && api != GST_VIDEO_CROP_META_API_TYPE &&
         api != GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE && api != GST_VIDEO_META_API_TYPE;
}

void sync_to_stream_time(GstBaseTransform* transform, GstBuffer* buffer) {
  if (transform->segment.format != GST_FORMAT_TIME) return;
  const GstClockTime time = gst_segment_to_stream_time(&transform->segment, GST_FORMAT_TIME,
                                                       GST_BUFFER_TIMESTAMP(buffer));
  if (GST_CLOCK_TIME_IS_VALID(time)) gst_object_sync_values(GST_OBJECT(transform), time);
}

}  // namespace sphere
