// SPDX-License-Identifier: LGPL-2.1-or-later
// spheremkvtag: what a Matroska or WebM file tells.

/**
 * SECTION:element-spheremkvtag
 * @title: spheremkvtag
 *
 * Stands behind matroskamux or webmmux and edits the metadata of the file: marks its pictures as
 * equirectangular 360 pictures, takes out what it tells about people, and puts a position in. Files
 * may be live streams (`streamable`) or have an index. The pictures and the sound are not held
 * back.
 *
 * Without consent nothing stays but what is known to be useful and harmless. A place stays, and
 * `position` or the track of `gpx` is written, only while `location` is given for `geotag`, rounded
 * to the precision with which it was given; serial numbers, owners, programs and the time of
 * capture stay only with `device` for `share`. What is written is decided when it is written: after
 * a withdrawal nothing more of it is. Consent comes from the property `consent`, from an
 * application's #GstContext of the type `gst.sphere.consent`, and from the ledger that `ledger`
 * names; all of these that are set must allow it. A stream that can't be examined is an error, and
 * nothing of it passes.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 spheretestsrc num-buffers=30 output=equirect ! videoconvert ! x264enc ! matroskamux ! spheremkvtag ! filesink location=sphere.mkv
 * ]|
 *
 * Since: 0.1
 */

#include "plugins/privacy/spheremkvtag.h"

namespace {

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-matroska; video/webm"));
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-matroska; video/webm"));

}  // namespace

/// The C instance.
struct _GstSphereMkvTag {
  GstSphereTag parent;
};

G_DEFINE_FINAL_TYPE(GstSphereMkvTag, gst_sphere_mkv_tag, GST_TYPE_SPHERE_TAG)
GST_ELEMENT_REGISTER_DEFINE(spheremkvtag, "spheremkvtag", GST_RANK_NONE, GST_TYPE_SPHERE_MKV_TAG)

static void gst_sphere_mkv_tag_init(GstSphereMkvTag*) {}

static void gst_sphere_mkv_tag_class_init(GstSphereMkvTagClass* klass) {
  sphere::privacy::install_tag_element(GST_SPHERE_TAG_CLASS(klass), &sink_template, &src_template,
                                       sphere::media::make_matroska_stream_editor, false);
  gst_element_class_set_static_metadata(
      GST_ELEMENT_CLASS(klass), "Matroska metadata", "Formatter/Metadata",
      "Marks a video as 360, and takes out what it tells about people", "The gst-sphere authors");
}
