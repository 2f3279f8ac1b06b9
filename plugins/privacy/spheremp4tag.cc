// SPDX-License-Identifier: LGPL-2.1-or-later
// spheremp4tag: what an MP4 or MOV file tells.

/**
 * SECTION:element-spheremp4tag
 * @title: spheremp4tag
 *
 * Stands behind mp4mux or qtmux and edits the metadata of the file: marks its pictures as
 * equirectangular 360 pictures, in both versions of Google's spherical metadata, takes out what it
 * tells about people, and puts a position in. Files may be plain, have their index first
 * (`faststart`), or come in fragments. The pictures and the sound are not held back.
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
 * gst-launch-1.0 spheretestsrc num-buffers=30 output=equirect ! videoconvert ! x264enc ! mp4mux ! spheremp4tag ! filesink location=sphere.mp4
 * ]|
 * |[
 * gst-launch-1.0 spheretestsrc num-buffers=30 output=equirect ! videoconvert ! x264enc ! mp4mux fragment-duration=500 streamable=true ! spheremp4tag ! filesink location=fragments.mp4
 * ]|
 *
 * Since: 0.1
 */

#include "plugins/privacy/spheremp4tag.h"

namespace {

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                                                             GST_STATIC_CAPS("video/quicktime"));
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/quicktime"));

}  // namespace

/// The C instance.
struct _GstSphereMp4Tag {
  GstSphereTag parent;
};

G_DEFINE_FINAL_TYPE(GstSphereMp4Tag, gst_sphere_mp4_tag, GST_TYPE_SPHERE_TAG)
GST_ELEMENT_REGISTER_DEFINE(spheremp4tag, "spheremp4tag", GST_RANK_NONE, GST_TYPE_SPHERE_MP4_TAG)

static void gst_sphere_mp4_tag_init(GstSphereMp4Tag*) {}

static void gst_sphere_mp4_tag_class_init(GstSphereMp4TagClass* klass) {
  sphere::privacy::install_tag_element(GST_SPHERE_TAG_CLASS(klass), &sink_template, &src_template,
                                       sphere::media::make_isobmff_stream_editor, false);
  gst_element_class_set_static_metadata(
      GST_ELEMENT_CLASS(klass), "MP4 metadata", "Formatter/Metadata",
      "Marks a video as 360, and takes out what it tells about people", "The gst-sphere authors");
}
