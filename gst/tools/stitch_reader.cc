// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/stitch_reader.h"

#include <algorithm>
#include <string>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/tools/decoders.h"

namespace sphere::tool {

namespace {

// Raw pictures are large; one at either side of the stitcher keeps all threads at work.
constexpr guint raw_pictures = 2;

/// The parser that cuts a stream into whole pictures, so that they can be counted; "" where the
/// container does it.
struct PictureParser {
  const char* parser = "";
  const char* caps = "";
};

PictureParser picture_parser_of(GstCaps* caps) {
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  const char* alignment = gst_structure_get_string(structure, "alignment");
  if (alignment && (g_str_equal(alignment, "au") || g_str_equal(alignment, "frame"))) return {};
  if (gst_structure_has_name(structure, "video/x-h264"))
    return {"h264parse", "video/x-h264,alignment=au"};
  if (gst_structure_has_name(structure, "video/x-h265"))
    return {"h265parse", "video/x-h265,alignment=au"};
  if (gst_structure_has_name(structure, "video/mpeg"))
    return {"mpegvideoparse", "video/mpeg,parsed=true"};
  return {};
}

}  // namespace

const char* demuxer_of(media::Kind container) {
  switch (container) {
    case media::Kind::matroska:
      return "matroskademux";
    case media::Kind::avi:
      return "avidemux";
    case media::Kind::mpegts:
      return "tsdemux";
    default:
      return "qtdemux";
  }
}

Error missing_element(const char* factory) {
  return failed(std::string("GStreamer's element '") + factory +
                "' is missing; GStreamer's base, good, bad, ugly and libav plugins are needed, and "
                "gst-sphere's own: see 'sphere doctor'");
}

GstElement* add_element(GstBin* bin, const char* factory, Status* missing) {
  GstElement* element = gst_element_factory_make(factory, nullptr);
  if (element)
    gst_bin_add(bin, element);
  else if (*missing)
    *missing = missing_element(factory);
  return element;
}

VideoReader::VideoReader(GstBin* bin, const StitchInput& input, std::vector<GstElement*> targets,
                         std::function<void(GstPad*, GstCaps*)> take_sound,
                         std::function<void()> all_found)
    : bin_(bin),
      input_(input),
      targets_(std::move(targets)),
      take_sound_(std::move(take_sound)),
      all_found_(std::move(all_found)) {}

GstElement* VideoReader::add(const char* factory) { return add_element(bin_, factory, &missing_); }

Status VideoReader::build() {
  GstElement* source = add("filesrc");
  GstElement* demuxer = add(demuxer_of(input_.video()->container));
  if (!missing_) return missing_;
  if (!gst_element_link(source, demuxer)) return failed("the demuxer can't be linked");
  // The very file that was checked, whatever its name leads to by now.
  g_object_set(source, "location",
               ("/proc/self/fd/" + std::to_string(input_.descriptor.get())).c_str(), nullptr);
  for (GstElement* target : targets_)
    if (const Status built = build_branch(target, &branches_.emplace_back()); !built) return built;
  if (input_.video()->iso) watch_length(demuxer);
  g_signal_connect(demuxer, "pad-added", G_CALLBACK(+[](GstElement*, GstPad* pad, gpointer self) {
                     static_cast<VideoReader*>(self)->take_track(pad);
                   }),
                   this);
  g_signal_connect(demuxer, "no-more-pads", G_CALLBACK(+[](GstElement*, gpointer self) {
                     static_cast<VideoReader*>(self)->all_found_();
                   }),
                   this);
  return ok();
}

Status VideoReader::build_branch(GstElement* target, Branch* branch) {
  gst_segment_init(&branch->segment, GST_FORMAT_TIME);
  GstElement* coded_queue = add("queue");
  GstElement* decoder = add("decodebin");
  GstElement* raw_queue = add("queue");
  if (!missing_) return missing_;
  if (!gst_element_link(coded_queue, decoder) || !gst_element_link(raw_queue, target))
    return failed("the decoder can't be linked");
  branch->first = coded_queue;
  g_object_set(raw_queue, "max-size-buffers", raw_pictures, "max-size-bytes", 0u, "max-size-time",
               guint64{0}, nullptr);
  // One demuxer feeds all branches, and the pictures of one track may come late.
  if (targets_.size() > 1)
    g_object_set(coded_queue, "max-size-buffers", 0u, "max-size-bytes", 0u, "max-size-time",
                 guint64{0}, nullptr);
  g_autoptr(GstPad) coded = gst_element_get_static_pad(coded_queue, "src");
  gst_pad_add_probe(
      coded,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                                   GST_PAD_PROBE_TYPE_EVENT_FLUSH),
      count_read, branch, nullptr);
  prefer_software(decoder);
  g_signal_connect(decoder, "pad-added", G_CALLBACK(+[](GstElement*, GstPad* pad, gpointer queue) {
                     g_autoptr(GstPad) sink =
                         gst_element_get_static_pad(GST_ELEMENT(queue), "sink");
                     if (!gst_pad_is_linked(sink)) gst_pad_link(pad, sink);
                   }),
                   raw_queue);
  return ok();
}

void VideoReader::watch_length(GstElement* demuxer) {
  const media::IsoFile& file = *input_.video()->iso;
  length_ = file.length;
  guint64 longest = 0;
  for (const media::Track& track : file.tracks)
    if (track.timescale)
      longest = std::max(
          longest, gst_util_uint64_scale_ceil(track.duration, length_.timescale, track.timescale));
  // Fragments have no length there, and a length that does not fit its field is no longer one.
  const bool longer =
      longest > length_.value && longest < (length_.bytes == 4 ? G_MAXUINT32 : G_MAXINT64);
  const guint64 said = std::exchange(length_.value, longest);
  if (!said || !longer || file.fragmented) return;
  g_autoptr(GstPad) pad = gst_element_get_static_pad(demuxer, "sink");
  gst_pad_add_probe(
      pad, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_PULL),
      lengthen, &length_, nullptr);
}

void VideoReader::take_track(GstPad* pad) {
  const CapsRef caps(gst_pad_get_current_caps(pad));
  if (!caps) return;
  const char* type = gst_structure_get_name(gst_caps_get_structure(caps.get(), 0));
  if (g_str_has_prefix(type, "audio/")) {
    take_sound_(pad, caps.get());
  } else if (g_str_has_prefix(type, "video/") || g_str_has_prefix(type, "image/")) {
    for (Branch& branch : branches_) {
      if (std::exchange(branch.taken, true)) continue;
      take_pictures(pad, caps.get(), &branch);
      break;
    }
  }
}

void VideoReader::take_pictures(GstPad* pad, GstCaps* caps, Branch* branch) {
  GstElement* first = branch->first;
  if (const PictureParser wanted = picture_parser_of(caps);
      *wanted.parser && !input_.video()->iso) {
    GstElement* parser = add(wanted.parser);
    GstElement* filter = add("capsfilter");
    if (parser && filter) {
      gst_util_set_object_arg(G_OBJECT(filter), "caps", wanted.caps);
      gst_element_link_many(parser, filter, first, nullptr);
      gst_element_sync_state_with_parent(filter);
      gst_element_sync_state_with_parent(parser);
      first = parser;
    }
  }
  g_autoptr(GstPad) sink = gst_element_get_static_pad(first, "sink");
  gst_pad_link(pad, sink);
}

GstPadProbeReturn VideoReader::lengthen(GstPad*, GstPadProbeInfo* info, gpointer data) {
  const auto& length = *static_cast<const media::IsoFile::Length*>(data);
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  if (!buffer) return GST_PAD_PROBE_OK;
  const guint64 begin = info->offset, end = begin + gst_buffer_get_size(buffer);
  for (int i = 0; i < length.bytes; ++i) {
    const guint64 offset = length.offset + static_cast<guint64>(i);
    if (offset < begin || offset >= end) continue;
    const auto byte = static_cast<guint8>(length.value >> 8 * (length.bytes - 1 - i));
    buffer = gst_buffer_make_writable(buffer);
    gst_buffer_fill(buffer, offset - begin, &byte, 1);
  }
  info->data = buffer;
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn VideoReader::count_read(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* branch = static_cast<Branch*>(data);
  if (!(GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER)) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) gst_event_copy_segment(event, &branch->segment);
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) branch->read = 0;
    return GST_PAD_PROBE_OK;
  }
  // What an edit list cuts away is decoded, for others lean on it, but not shown.
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  const GstClockTime begin = GST_BUFFER_PTS(buffer);
  const GstClockTime end = GST_CLOCK_TIME_IS_VALID(begin) && GST_BUFFER_DURATION_IS_VALID(buffer)
                               ? begin + GST_BUFFER_DURATION(buffer)
                               : GST_CLOCK_TIME_NONE;
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DECODE_ONLY) ||
      !gst_segment_clip(&branch->segment, GST_FORMAT_TIME, begin, end, nullptr, nullptr))
    return GST_PAD_PROBE_OK;
  const GstClockTime shown = gst_segment_to_stream_time(&branch->segment, GST_FORMAT_TIME, begin);
  const bool all = branch->count_from == 0 && branch->count_until == GST_CLOCK_TIME_NONE;
  if (all || (shown >= branch->count_from && shown < branch->count_until)) ++branch->read;
  return GST_PAD_PROBE_OK;
}

}  // namespace sphere::tool
