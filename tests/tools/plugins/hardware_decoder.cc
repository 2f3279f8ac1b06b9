// SPDX-License-Identifier: LGPL-2.1-or-later
// A plugin for tests: a decoder that says it is hardware, and has libav's decoder inside. At its
// end it tells on the standard error output how many pictures it decoded.

#include <gst/gst.h>

#include <cstdio>
#include <initializer_list>

namespace {

struct HardwareDecoder {
  GstBin parent;
  gint pictures;  // changed in the streaming thread
};

struct HardwareDecoderClass {
  GstBinClass parent;
};

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-h264, alignment=au"));
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"));

G_DEFINE_TYPE(HardwareDecoder, hardware_decoder, GST_TYPE_BIN)

GstPadProbeReturn count(GstPad*, GstPadProbeInfo*, gpointer self) {
  g_atomic_int_inc(&static_cast<HardwareDecoder*>(self)->pictures);
  return GST_PAD_PROBE_OK;
}

void hardware_decoder_init(HardwareDecoder* self) {
  GstElement* decoder = gst_element_factory_make("avdec_h264", nullptr);
  if (!decoder) return;
  gst_bin_add(GST_BIN(self), decoder);
  for (const char* name : {"sink", "src"}) {
    g_autoptr(GstPad) pad = gst_element_get_static_pad(decoder, name);
    gst_element_add_pad(GST_ELEMENT(self), gst_ghost_pad_new(name, pad));
  }
  g_autoptr(GstPad) out = gst_element_get_static_pad(decoder, "src");
  gst_pad_add_probe(out, GST_PAD_PROBE_TYPE_BUFFER, count, self, nullptr);
}

void finalize(GObject* object) {
  auto* self = reinterpret_cast<HardwareDecoder*>(object);
  std::fprintf(stderr, "the hardware decoded %d pictures\n", g_atomic_int_get(&self->pictures));
  G_OBJECT_CLASS(hardware_decoder_parent_class)->finalize(object);
}

void hardware_decoder_class_init(HardwareDecoderClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = finalize;
  GstElementClass* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Test decoder", "Codec/Decoder/Video/Hardware",
                                        "Decodes as hardware would", "gst-sphere");
}

gboolean plugin_init(GstPlugin* plugin) {
  return gst_element_register(plugin, "testhardwaredec", GST_RANK_PRIMARY + 100,
                              hardware_decoder_get_type());
}

}  // namespace

#define PACKAGE "gst-sphere"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, hardwaredecoder, "For tests", plugin_init,
                  "0", "LGPL", PACKAGE, "https://gstreamer.freedesktop.org")
