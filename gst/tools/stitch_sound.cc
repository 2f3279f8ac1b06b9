// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/stitch_sound.h"

#include <utility>

#include "gst/sphere/base/gobject.h"

namespace sphere::tool {

namespace {

GstPadProbeReturn drop_descriptions(GstPad*, GstPadProbeInfo* info, gpointer) {
  const GstEventType type = GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info));
  return type == GST_EVENT_TAG || type == GST_EVENT_TOC ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

/// Whether the muxer of this container takes such sound: as it comes, or as a parser completes it.
bool takes_sound(const char* muxer, GstCaps* caps, bool as_it_comes) {
  const GstRef<GstElementFactory> factory(gst_element_factory_find(muxer));
  if (!factory) return false;
  for (const GList* entry = gst_element_factory_get_static_pad_templates(factory.get()); entry;
       entry = entry->next) {
    auto* pad_template = static_cast<GstStaticPadTemplate*>(entry->data);
    if (!g_str_has_prefix(pad_template->name_template, "audio")) continue;
    const CapsRef taken(gst_static_pad_template_get_caps(pad_template));
    if (as_it_comes ? gst_caps_is_subset(caps, taken.get())
                    : gst_caps_can_intersect(caps, taken.get()))
      return true;
  }
  return false;
}

/// The parser that brings coded sound into the form that files have; "" where there is none.
const char* sound_parser(const GstStructure* sound) {
  if (gst_structure_has_name(sound, "audio/mpeg")) {
    int version = 0;
    gst_structure_get_int(sound, "mpegversion", &version);
    return version == 1 ? "mpegaudioparse" : "aacparse";
  }
  static constexpr std::pair<const char*, const char*> parsers[] = {{"audio/x-ac3", "ac3parse"},
                                                                    {"audio/x-eac3", "ac3parse"},
                                                                    {"audio/x-dts", "dcaparse"},
                                                                    {"audio/x-opus", "opusparse"},
                                                                    {"audio/x-flac", "flacparse"}};
  for (const auto& [type, parser] : parsers)
    if (gst_structure_has_name(sound, type)) return parser;
  return "";
}

/// Sound as a parser can hand it on: in whichever of its forms.
CapsRef any_form_of(GstCaps* caps) {
  CapsRef any(gst_caps_copy(caps));
  GstStructure* structure = gst_caps_get_structure(any.get(), 0);
  gst_structure_remove_fields(structure, "stream-format", "framed", "parsed", nullptr);
  // What programmes of MPEG-2 call AAC is the same to a file.
  if (gst_structure_has_name(structure, "audio/mpeg")) {
    int version = 0;
    if (gst_structure_get_int(structure, "mpegversion", &version) && version == 2)
      gst_structure_set(structure, "mpegversion", G_TYPE_INT, 4, nullptr);
  }
  return any;
}

/// The demuxer-side name of a container, for a person.
const char* name_of_container(const std::string& ending) {
  if (ending == ".mkv") return "a Matroska file";
  return ending == ".mov" ? "a MOV file" : "an MP4 file";
}

}  // namespace

const char* muxer_of(const std::string& container) {
  if (container == ".mkv") return "matroskamux";
  return container == ".mov" ? "qtmux" : "mp4mux";
}

void keep_descriptions_out(GstPad* mux_pad) {
  gst_pad_add_probe(mux_pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, drop_descriptions, nullptr,
                    nullptr);
}

Status SoundCopier::take(GstPad* pad, GstCaps* caps) {
  const char* muxer = muxer_of(container_);
  const GstStructure* sound = gst_caps_get_structure(caps, 0);
  // The headers of FLAC that a demuxer hands on are not those that a muxer needs.
  const bool complete =
      takes_sound(muxer, caps, true) && !gst_structure_has_name(sound, "audio/x-flac");
  const char* parser_name = complete ? "" : sound_parser(sound);
  const CapsRef any = *parser_name ? any_form_of(caps) : CapsRef(gst_caps_ref(caps));
  if (!complete && !takes_sound(muxer, any.get(), false)) {
    std::string others;
    for (const char* other : {".mov", ".mkv"})
      if (other != container_ && takes_sound(muxer_of(other), any.get(), false))
        others += (others.empty() ? "" : " or ") + std::string(other);
    return unsupported(std::string("its sound track (") + gst_structure_get_name(sound) +
                       ") can't be copied into " + name_of_container(container_) + "; " +
                       (others.empty() ? "" : "name OUT " + others + " to keep it, or ") +
                       "leave it out with --no-audio");
  }
  GstElement* queue = gst_element_factory_make("queue", nullptr);
  g_object_set(queue, "max-size-buffers", 0u, "max-size-bytes", 0u, "max-size-time", guint64{0},
               nullptr);
  gst_bin_add(bin_, queue);
  g_autoptr(GstPad) mux_pad = gst_element_request_pad_simple(muxer_, "audio_%u");
  g_autoptr(GstPad) in = gst_element_get_static_pad(queue, "sink");
  g_autoptr(GstPad) out = gst_element_get_static_pad(queue, "src");
  if (mux_pad) keep_descriptions_out(mux_pad);
  bool linked = mux_pad && gst_pad_link(out, mux_pad) == GST_PAD_LINK_OK;
  if (linked && *parser_name) {
    GstElement* parser = gst_element_factory_make(parser_name, nullptr);
    if (parser) gst_bin_add(bin_, parser);
    linked = parser && gst_element_link(parser, queue);
    g_autoptr(GstPad) sink = parser ? gst_element_get_static_pad(parser, "sink") : nullptr;
    linked = linked && gst_pad_link(pad, sink) == GST_PAD_LINK_OK;
    if (parser) gst_element_sync_state_with_parent(parser);
  } else if (linked) {
    linked = gst_pad_link(pad, in) == GST_PAD_LINK_OK;
  }
  if (!linked) {
    return failed("its sound track can't be copied; --no-audio leaves it out");
  }
  gst_element_sync_state_with_parent(queue);
  return ok();
}

}  // namespace sphere::tool
