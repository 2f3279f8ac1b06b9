// SPDX-License-Identifier: LGPL-2.1-or-later
// GstSphereLens: the calibrated pair for applications, in C and with GObject introspection.

#include "gst/sphere/lens/gstspherelens.h"

#include "gst/sphere/base/gerror.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/lens/profile.h"
#include "gst/sphere/lens/table.h"

struct _GstSphereLens {
  GObject parent;
  sphere::LensPair* pair;
};

G_DEFINE_FINAL_TYPE(GstSphereLens, gst_sphere_lens, G_TYPE_OBJECT)

namespace {

constexpr const char* event_name = "sphere-lens";

GstSphereLens* wrap(sphere::Result<sphere::LensPair> pair, GError** error) {
  if (!pair) {
    sphere::set_gerror(error, pair.error());
    return nullptr;
  }
  auto* lens = GST_SPHERE_LENS(g_object_new(GST_TYPE_SPHERE_LENS, nullptr));
  *lens->pair = std::move(*pair);
  return lens;
}

void gst_sphere_lens_finalize(GObject* object) {
  delete GST_SPHERE_LENS(object)->pair;
  G_OBJECT_CLASS(gst_sphere_lens_parent_class)->finalize(object);
}

}  // namespace

static void gst_sphere_lens_init(GstSphereLens* lens) { lens->pair = new sphere::LensPair; }

static void gst_sphere_lens_class_init(GstSphereLensClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = gst_sphere_lens_finalize;
}

/**
 * gst_sphere_lens_new:
 * @name_or_file: the name of a profile, such as `gear360`, or the path of a profile file
 * @error: return location for a #GError
 *
 * Reads a profile, which describes the two lenses of a camera.
 *
 * Returns: (transfer full) (nullable): the lens, or %NULL with @error set, which tells what
 *   is wrong with the profile and where.
 *
 * Since: 0.1
 */
GstSphereLens* gst_sphere_lens_new(const gchar* name_or_file, GError** error) {
  g_return_val_if_fail(name_or_file, nullptr);
  return wrap(sphere::load_profile(name_or_file), error);
}

/**
 * gst_sphere_lens_new_from_json:
 * @text: the text of a profile file
 * @error: return location for a #GError
 *
 * Reads a profile from a text.
 *
 * Returns: (transfer full) (nullable): the lens, or %NULL with @error set
 *
 * Since: 0.1
 */
GstSphereLens* gst_sphere_lens_new_from_json(const gchar* text, GError** error) {
  g_return_val_if_fail(text, nullptr);
  return wrap(sphere::parse_profile(text, "the profile"), error);
}

/**
 * gst_sphere_lens_new_from_table:
 * @table: a camera's own lens table in the camera's format: eight PNG pictures and their directory
 * @error: return location for a #GError
 *
 * Reads the calibration that a camera contains of its own lenses.
 *
 * Returns: (transfer full) (nullable): the lens, or %NULL with @error set
 *
 * Since: 0.1
 */
GstSphereLens* gst_sphere_lens_new_from_table(GBytes* table, GError** error) {
  g_return_val_if_fail(table, nullptr);
  gsize size = 0;
  const auto* data = static_cast<const uint8_t*>(g_bytes_get_data(table, &size));
  return wrap(sphere::parse_table({data, size}, "of the camera"), error);
}

/**
 * gst_sphere_lens_make_table:
 * @lens: a pair of lenses whose front lens is in the right half of the frame
 * @error: return location for a #GError
 *
 * Writes the table that a camera with these lenses would have, for emulators and tests.
 *
 * Returns: (transfer full) (nullable): the table, or %NULL with @error set
 *
 * Since: 0.1
 */
GBytes* gst_sphere_lens_make_table(GstSphereLens* lens, GError** error) {
  g_return_val_if_fail(GST_IS_SPHERE_LENS(lens), nullptr);
  const sphere::Result<std::vector<uint8_t>> table = sphere::make_table(*lens->pair);
  if (!table) {
    sphere::set_gerror(error, table.error());
    return nullptr;
  }
  return g_bytes_new(table->data(), table->size());
}

/**
 * gst_sphere_lens_list_profiles:
 *
 * Lists all profiles that gst_sphere_lens_new() finds by their name.
 *
 * Returns: (transfer full) (array zero-terminated=1): the names of all profiles, sorted
 *
 * Since: 0.1
 */
gchar** gst_sphere_lens_list_profiles(void) {
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
  for (const std::string& name : sphere::profile_names()) g_strv_builder_add(builder, name.c_str());
  return g_strv_builder_end(builder);
}

/**
 * gst_sphere_lens_get_name:
 * @lens: a lens
 *
 * Gets the name of the lens.
 *
 * Returns: the name in the profile
 *
 * Since: 0.1
 */
const gchar* gst_sphere_lens_get_name(GstSphereLens* lens) {
  g_return_val_if_fail(GST_IS_SPHERE_LENS(lens), nullptr);
  return lens->pair->name.c_str();
}

/**
 * gst_sphere_lens_get_frame_size:
 * @lens: a lens
 * @width: (out) (optional): pixels
 * @height: (out) (optional): pixels
 *
 * The frame that the coordinates of gst_sphere_lens_project() are in. Pictures of another size and
 * the same shape scale them.
 *
 * Since: 0.1
 */
void gst_sphere_lens_get_frame_size(GstSphereLens* lens, gint* width, gint* height) {
  g_return_if_fail(GST_IS_SPHERE_LENS(lens));
  if (width) *width = lens->pair->frame.width;
  if (height) *height = lens->pair->frame.height;
}

/**
 * gst_sphere_lens_get_baseline:
 * @lens: a lens
 *
 * Gets the distance between the lenses, because of which near things differ between their pictures.
 *
 * Returns: the distance between the two entrance pupils in metres, 0 when it is not known
 *
 * Since: 0.1
 */
gdouble gst_sphere_lens_get_baseline(GstSphereLens* lens) {
  g_return_val_if_fail(GST_IS_SPHERE_LENS(lens), 0);
  return lens->pair->baseline;
}

/**
 * gst_sphere_lens_get_fov:
 * @lens: a lens
 * @side: which of the two
 *
 * Gets the field of view of one of the two lenses.
 *
 * Returns: the full field of view in degrees
 *
 * Since: 0.1
 */
gdouble gst_sphere_lens_get_fov(GstSphereLens* lens, GstSphereLensSide side) {
  g_return_val_if_fail(GST_IS_SPHERE_LENS(lens), 0);
  return sphere::degrees((*lens->pair)[side].model.fov());
}

/**
 * gst_sphere_lens_project:
 * @lens: a lens
 * @side: which of the two
 * @longitude: degrees, positive to the right, 0 in front
 * @latitude: degrees, positive up
 * @x: (out): pixels of the frame from its left edge; the first pixel's centre is 0.5
 * @y: (out): pixels of the frame from its top edge
 *
 * Calculates the position at which a lens draws a direction.
 *
 * Returns: whether the direction lies in the lens's field of view. @x and @y are set in any case.
 *
 * Since: 0.1
 */
gboolean gst_sphere_lens_project(GstSphereLens* lens, GstSphereLensSide side, gdouble longitude,
                                 gdouble latitude, gdouble* x, gdouble* y) {
  g_return_val_if_fail(GST_IS_SPHERE_LENS(lens) && x && y, FALSE);
  const sphere::Lens& one = (*lens->pair)[side];
  const sphere::Vec3 direction =
      sphere::direction_of({sphere::radians(longitude), sphere::radians(latitude)});
  const sphere::Point p = one.project(direction);
  *x = p.x;
  *y = p.y;
  return one.angle_to_axis(direction) <= one.half_fov();
}

/**
 * gst_sphere_lens_unproject:
 * @lens: a lens
 * @side: which of the two
 * @x: pixels of the frame from its left edge
 * @y: pixels of the frame from its top edge
 * @longitude: (out): degrees, -180 to 180
 * @latitude: (out): degrees, -90 to 90
 *
 * Calculates the direction that a lens draws at a position of the frame.
 *
 * Since: 0.1
 */
void gst_sphere_lens_unproject(GstSphereLens* lens, GstSphereLensSide side, gdouble x, gdouble y,
                               gdouble* longitude, gdouble* latitude) {
  g_return_if_fail(GST_IS_SPHERE_LENS(lens) && longitude && latitude);
  const sphere::LonLat a = sphere::lonlat_of((*lens->pair)[side].unproject({x, y}));
  *longitude = sphere::degrees(a.lon);
  *latitude = sphere::degrees(a.lat);
}

/**
 * gst_event_new_sphere_lens:
 * @name_or_file: the name of a profile or the path of a profile file
 *
 * Makes the sticky event `sphere-lens`, which tells the stitchers downstream which lenses took the
 * pictures. A source sends it after its stream-start event.
 *
 * Returns: (transfer full): the event
 *
 * Since: 0.1
 */
GstEvent* gst_event_new_sphere_lens(const gchar* name_or_file) {
  g_return_val_if_fail(name_or_file, nullptr);
  return gst_event_new_custom(
      GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
      gst_structure_new(event_name, "profile", G_TYPE_STRING, name_or_file, nullptr));
}

/**
 * gst_event_parse_sphere_lens:
 * @event: any event
 * @name_or_file: (out) (transfer none) (optional): the name or path in the event
 *
 * Reads the name of the lens from an event.
 *
 * Returns: whether this is a `sphere-lens` event
 *
 * Since: 0.1
 */
gboolean gst_event_parse_sphere_lens(GstEvent* event, const gchar** name_or_file) {
  g_return_val_if_fail(GST_IS_EVENT(event), FALSE);
  if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_DOWNSTREAM_STICKY) return FALSE;
  const GstStructure* content = gst_event_get_structure(event);
  if (!gst_structure_has_name(content, event_name)) return FALSE;
  const gchar* profile = gst_structure_get_string(content, "profile");
  if (!profile) return FALSE;
  if (name_or_file) *name_or_file = profile;
  return TRUE;
}

/**
 * gst_event_new_sphere_lens_table:
 * @table: a camera's own lens table
 *
 * Makes the sticky event `sphere-lens` with a camera's own lens table. It replaces the event that
 * names a profile.
 *
 * Returns: (transfer full): the event
 *
 * Since: 0.1
 */
GstEvent* gst_event_new_sphere_lens_table(GBytes* table) {
  g_return_val_if_fail(table, nullptr);
  return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
                              gst_structure_new(event_name, "table", G_TYPE_BYTES, table, nullptr));
}

/**
 * gst_event_parse_sphere_lens_table:
 * @event: any event
 * @table: (out) (transfer none) (optional): the table in the event
 *
 * Reads a camera's own lens table from an event.
 *
 * Returns: whether this is a `sphere-lens` event with a table
 *
 * Since: 0.1
 */
gboolean gst_event_parse_sphere_lens_table(GstEvent* event, GBytes** table) {
  g_return_val_if_fail(GST_IS_EVENT(event), FALSE);
  if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_DOWNSTREAM_STICKY) return FALSE;
  const GstStructure* content = gst_event_get_structure(event);
  if (!gst_structure_has_name(content, event_name)) return FALSE;
  const GValue* value = gst_structure_get_value(content, "table");
  if (!value || !G_VALUE_HOLDS(value, G_TYPE_BYTES) || !g_value_get_boxed(value)) return FALSE;
  if (table) *table = static_cast<GBytes*>(g_value_get_boxed(value));
  return TRUE;
}
