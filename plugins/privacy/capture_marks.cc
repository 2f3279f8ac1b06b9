// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the sources of a pad, and has them push marks.

#include "plugins/privacy/capture_marks.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/iterator.h"

namespace sphere::privacy {

namespace {

// A mark can be lost: in a leaky queue, or behind a valve.
constexpr unsigned buffers_between_marks = 50;
// Buffers. After this number without a mark, the gate does not wait any longer for sources that
// send nothing or do not exist any more.
constexpr unsigned buffers_between_asking = 200;
constexpr unsigned buffers_before_warning = 1000;

std::atomic<uint64_t> next_id = 1;

/// The pads at the beginning of the stream that arrives at `sink`: those of elements without a
/// linked input.
void find_sources(GstPad* sink, std::set<GstPad*>& seen, std::vector<GstRef<GstPad>>& found) {
  GstRef<GstPad> peer(gst_pad_get_peer(sink));
  if (!peer || !seen.insert(peer.get()).second) return;
  const auto inputs = objects_of<GstPad>(gst_pad_iterate_internal_links(peer.get()));
  for (const GstRef<GstPad>& input : inputs) find_sources(input.get(), seen, found);
  if (inputs.empty()) found.push_back(std::move(peer));
}

}  // namespace

/// One source. Its thread pushes marks until the gate has seen one.
struct CaptureMarks::Source {
  GstRef<GstPad> pad;
  GstRef<GstElement> timer;  // its running times are by the clock and the base time of this element
  GstEvent* mark = nullptr;
  GstClockTime asked = GST_CLOCK_TIME_NONE;  // by that clock
  gulong probe = 0;
  bool marked = false;  // used only by the gate's streaming thread
  std::atomic<unsigned> pushed = 0;
  unsigned sent_at = 0;  // used only by the source's streaming thread
  bool sent = false;

  ~Source() {
    if (mark) gst_event_unref(mark);
  }

  GstClockTime running_time(GstBuffer* buffer) const {
    const GstClockTime time =
        GST_BUFFER_PTS_IS_VALID(buffer) ? GST_BUFFER_PTS(buffer) : GST_BUFFER_DTS(buffer);
    const EventRef event(gst_pad_get_sticky_event(pad.get(), GST_EVENT_SEGMENT, 0));
    if (!event || !GST_CLOCK_TIME_IS_VALID(time)) return GST_CLOCK_TIME_NONE;
    const GstSegment* segment = nullptr;
    gst_event_parse_segment(event.get(), &segment);
    return segment->format == GST_FORMAT_TIME
               ? gst_segment_to_running_time(segment, GST_FORMAT_TIME, time)
               : GST_CLOCK_TIME_NONE;
  }

  /// Whether a buffer was completely captured after the request. At its source nothing has shifted
  /// its timestamp yet. A timestamp in the future is not the time of capture; then the capture of
  /// the first buffer may have begun earlier.
  bool is_after(GstBuffer* buffer, unsigned before) const {
    const GstClockTime running = running_time(buffer);
    const GstRef<GstClock> clock(gst_element_get_clock(timer.get()));
    if (clock && GST_CLOCK_TIME_IS_VALID(running) && GST_CLOCK_TIME_IS_VALID(asked)) {
      const GstClockTime captured = running + gst_element_get_base_time(timer.get());
      if (captured <= gst_clock_get_time(clock.get())) return captured >= asked;
    }
    return before > 0;
  }

  static GstPadProbeReturn on_buffer(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
    const std::shared_ptr<Source> self = *static_cast<std::shared_ptr<Source>*>(data);
    GstBuffer* buffer = nullptr;
    if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
      buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    } else {
      GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
      if (gst_buffer_list_length(list) > 0) buffer = gst_buffer_list_get(list, 0);
    }
    if (!buffer) return GST_PAD_PROBE_OK;
    const unsigned before = self->pushed++;
    if (self->sent ? before - self->sent_at < buffers_between_marks
                   : !self->is_after(buffer, before))
      return GST_PAD_PROBE_OK;
    self->sent = true;
    self->sent_at = before;
    gst_pad_push_event(pad, gst_event_ref(self->mark));
    return GST_PAD_PROBE_OK;
  }
};

CaptureMarks::CaptureMarks(GstElement* element, GstPad* sink)
    : element_(element), sink_(sink), id_(next_id++) {}

CaptureMarks::~CaptureMarks() { stop(); }

void CaptureMarks::begin() {
  stop();
  ++round_;
  buffers_ = 0;
  ask();
}

void CaptureMarks::stop() {
  for (const auto& source : sources_)
    if (source->probe) gst_pad_remove_probe(source->pad.get(), source->probe);
  sources_.clear();
}

bool CaptureMarks::waiting() const {
  return std::any_of(sources_.begin(), sources_.end(),
                     [](const auto& source) { return !source->marked; });
}

void CaptureMarks::ask() {
  std::set<GstPad*> seen;
  std::vector<GstRef<GstPad>> found;
  find_sources(sink_, seen, found);
  std::erase_if(sources_, [&](const auto& source) {
    const bool stays = std::any_of(found.begin(), found.end(),
                                   [&](const GstRef<GstPad>& pad) { return pad == source->pad; });
    // It has sent nothing for some time.
    if (stays && source->pushed == 0) source->marked = true;
    if (!stays && source->probe) gst_pad_remove_probe(source->pad.get(), source->probe);
    return !stays;
  });
  const GstRef<GstPad> peer(gst_pad_get_peer(sink_));
  direct_ = found.size() == 1 && found[0] == peer;
  for (GstRef<GstPad>& pad : found) {
    if (std::any_of(sources_.begin(), sources_.end(),
                    [&](const auto& source) { return source->pad == pad; }))
      continue;
    auto source = std::make_shared<Source>();
    source->timer.reset(gst_pad_get_parent_element(pad.get()));
    if (!source->timer) source->timer.reset(GST_ELEMENT(gst_object_ref(element_)));
    if (const GstRef<GstClock> clock{gst_element_get_clock(source->timer.get())})
      source->asked = gst_clock_get_time(clock.get());
    source->mark = gst_event_new_custom(
        GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
        gst_structure_new(mark_name, "gate", G_TYPE_UINT64, id_, "round", G_TYPE_UINT64, round_,
                          "source", G_TYPE_POINTER, source.get(), nullptr));
    source->pad = std::move(pad);
    sources_.push_back(source);
    source->probe = gst_pad_add_probe(
        source->pad.get(),
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
        Source::on_buffer, new std::shared_ptr<Source>(source),
        [](gpointer data) { delete static_cast<std::shared_ptr<Source>*>(data); });
  }
}

bool CaptureMarks::take(GstEvent* event) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_DOWNSTREAM_STICKY) return false;
  const GstStructure* content = gst_event_get_structure(event);
  guint64 gate = 0, round = 0;
  if (!gst_structure_has_name(content, mark_name) ||
      !gst_structure_get_uint64(content, "gate", &gate) || gate != id_)
    return false;
  gst_structure_get_uint64(content, "round", &round);
  const GValue* from = gst_structure_get_value(content, "source");
  for (const auto& source : sources_) {
    if (round != round_ || !from || g_value_get_pointer(from) != source.get()) continue;
    source->marked = true;
    if (source->probe) gst_pad_remove_probe(source->pad.get(), std::exchange(source->probe, 0));
  }
  return true;
}

bool CaptureMarks::count_buffer() {
  ++buffers_;
  if (buffers_ % buffers_between_asking == 0) ask();
  return buffers_ == buffers_before_warning && waiting();
}

}  // namespace sphere::privacy
