// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/decoders.h"

namespace sphere::tool {

namespace {

// Decodebin's answer for "not this element"; its enumeration is not in a public header.
constexpr int autoplug_try = 0, autoplug_skip = 2;

bool is_hardware(GstElementFactory* factory) {
  const char* klass = gst_element_factory_get_metadata(factory, GST_ELEMENT_METADATA_KLASS);
  return klass && g_strrstr(klass, "Hardware");
}

bool has_software_decoder(GstCaps* caps) {
  GList* decoders = gst_element_factory_list_get_elements(
      GST_ELEMENT_FACTORY_TYPE_DECODER | GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO, GST_RANK_MARGINAL);
  GList* fitting = gst_element_factory_list_filter(decoders, caps, GST_PAD_SINK, FALSE);
  bool found = false;
  for (GList* one = fitting; one; one = one->next)
    found = found || !is_hardware(GST_ELEMENT_FACTORY(one->data));
  gst_plugin_feature_list_free(fitting);
  gst_plugin_feature_list_free(decoders);
  return found;
}

int select_decoder(GstElement*, GstPad*, GstCaps* caps, GstElementFactory* factory, gpointer) {
  return is_hardware(factory) && has_software_decoder(caps) ? autoplug_skip : autoplug_try;
}

}  // namespace

void prefer_software(GstElement* decodebin) {
  g_signal_connect(decodebin, "autoplug-select", G_CALLBACK(select_decoder), nullptr);
}

}  // namespace sphere::tool
