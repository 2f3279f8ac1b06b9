/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/sphere/base/gstsphereprelude.h>

G_BEGIN_DECLS

/**
 * GstSphereLensSide:
 * @GST_SPHERE_LENS_FRONT: the lens that looks at the centre of the equirectangular picture
 * @GST_SPHERE_LENS_BACK: the other one
 *
 * One of the two lenses of a pair.
 *
 * Since: 0.1
 */
typedef enum {
  GST_SPHERE_LENS_FRONT,
  GST_SPHERE_LENS_BACK,
} GstSphereLensSide;

/**
 * GstSphereLensClass:
 *
 * The class of #GstSphereLens. Nothing can be derived from it.
 *
 * Since: 0.1
 */
/**
 * GstSphereLens:
 *
 * A calibrated pair of lenses. It tells at which position of the frame each lens draws a direction.
 * It is immutable, so several threads may use it.
 *
 * Since: 0.1
 */
#define GST_TYPE_SPHERE_LENS (gst_sphere_lens_get_type())
GST_SPHERE_API
G_DECLARE_FINAL_TYPE(GstSphereLens, gst_sphere_lens, GST, SPHERE_LENS, GObject)

GST_SPHERE_API
GstSphereLens* gst_sphere_lens_new(const gchar* name_or_file, GError** error);
GST_SPHERE_API
GstSphereLens* gst_sphere_lens_new_from_json(const gchar* text, GError** error);
GST_SPHERE_API
GstSphereLens* gst_sphere_lens_new_from_table(GBytes* table, GError** error);
GST_SPHERE_API
GBytes* gst_sphere_lens_make_table(GstSphereLens* lens, GError** error);
GST_SPHERE_API
gchar** gst_sphere_lens_list_profiles(void);

GST_SPHERE_API
const gchar* gst_sphere_lens_get_name(GstSphereLens* lens);
GST_SPHERE_API
void gst_sphere_lens_get_frame_size(GstSphereLens* lens, gint* width, gint* height);
GST_SPHERE_API
gdouble gst_sphere_lens_get_baseline(GstSphereLens* lens);
GST_SPHERE_API
gdouble gst_sphere_lens_get_fov(GstSphereLens* lens, GstSphereLensSide side);

GST_SPHERE_API
gboolean gst_sphere_lens_project(GstSphereLens* lens, GstSphereLensSide side, gdouble longitude,
                                 gdouble latitude, gdouble* x, gdouble* y);
GST_SPHERE_API
void gst_sphere_lens_unproject(GstSphereLens* lens, GstSphereLensSide side, gdouble x, gdouble y,
                               gdouble* longitude, gdouble* latitude);

GST_SPHERE_API
GstEvent* gst_event_new_sphere_lens(const gchar* name_or_file);
GST_SPHERE_API
gboolean gst_event_parse_sphere_lens(GstEvent* event, const gchar** name_or_file);
GST_SPHERE_API
GstEvent* gst_event_new_sphere_lens_table(GBytes* table);
GST_SPHERE_API
gboolean gst_event_parse_sphere_lens_table(GstEvent* event, GBytes** table);

G_END_DECLS
