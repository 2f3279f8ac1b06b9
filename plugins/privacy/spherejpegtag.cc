// SPDX-License-Identifier: LGPL-2.1-or-later
// spherejpegtag: what a JPEG tells.

/**
 * SECTION:element-spherejpegtag
 * @title: spherejpegtag
 *
 * Edits the metadata of JPEG pictures: marks them as equirectangular 360 pictures (GPano), takes
 * out what they tell about people, and puts a position in.
 *
 * In a stream with times each buffer is a picture. A file is collected up to its end.
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
 * gst-launch-1.0 spheretestsrc num-buffers=1 output=equirect ! videoconvert ! jpegenc ! spherejpegtag ! filesink location=sphere.jpg
 * ]|
 *
 * Since: 0.1
 */

#include "plugins/privacy/spherejpegtag.h"

namespace {

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("image/jpeg"));
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("image/jpeg"));

}  // namespace

/// The C instance.
struct _GstSphereJpegTag {
  GstSphereTag parent;
};

G_DEFINE_FINAL_TYPE(GstSphereJpegTag, gst_sphere_jpeg_tag, GST_TYPE_SPHERE_TAG)
GST_ELEMENT_REGISTER_DEFINE(spherejpegtag, "spherejpegtag", GST_RANK_NONE, GST_TYPE_SPHERE_JPEG_TAG)

static void gst_sphere_jpeg_tag_init(GstSphereJpegTag*) {}

static void gst_sphere_jpeg_tag_class_init(GstSphereJpegTagClass* klass) {
  sphere::privacy::install_tag_element(GST_SPHERE_TAG_CLASS(klass), &sink_template, &src_template,
                                       sphere::media::make_picture_stream_editor, true);
  gst_element_class_set_static_metadata(
      GST_ELEMENT_CLASS(klass), "JPEG metadata", "Formatter/Metadata",
      "Marks pictures as 360, and takes out what they tell about people", "The gst-sphere authors");
}
