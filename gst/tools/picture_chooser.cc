// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/picture_chooser.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"

namespace sphere::tool {

namespace {

// Some containers have times in whole milliseconds: a picture may seem to come that much late.
constexpr GstClockTime rounding = GST_MSECOND;
constexpr GstClockTime usual_duration = GST_SECOND / 30;
// Decoders move the time of a picture that begins before a seek to where the seek went.
constexpr GstClockTime seek_margin = GST_SECOND;

/// Only the sink pad's thread touches it.
class Chooser {
 public:
  Chooser(PictureChoice choice, PictureCounts* counts)
      : choice_(std::move(choice)), counts_(counts) {
    gst_segment_init(&segment_, GST_FORMAT_TIME);
    seek_wanted_ = choice_.seekable && first_time() > 2 * seek_margin;
  }

  GstSegment& segment() { return segment_; }
  /// Where the reader is to be sent before the first picture is passed on; NONE: nowhere, or it was
  /// asked for already.
  GstClockTime seek_to() {
    if (!seek_wanted_) return GST_CLOCK_TIME_NONE;
    seek_wanted_ = false;
    return first_time() - seek_margin;
  }
  void flush() {
    held_.reset();
    counts_->decoded = 0;
  }

  GstFlowReturn take(GstPad* src, GstBuffer* buffer) {
    BufferRef picture(buffer);
    if (full_) return GST_FLOW_EOS;
    const GstClockTime time =
        gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    // A picture that an edit list cuts away.
    if (!GST_CLOCK_TIME_IS_VALID(time)) return GST_FLOW_OK;
    const GstClockTime duration =
        GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer) : usual_duration;
    counts_->shown_until = std::max<GstClockTime>(counts_->shown_until, time + duration);
    if (time >= choice_.begin && time < choice_.end) ++counts_->decoded;
    const GstFlowReturn flow = choice_.each ? take_each(src, std::move(picture), time, duration)
                                            : take_even(src, std::move(picture), time);
    return full_ && flow == GST_FLOW_OK ? GST_FLOW_EOS : flow;
  }

  /// At the end of IN.
  void finish(GstPad* src) {
    if (full_) return;
    counts_->ended = true;
    const GstClockTime end = counts_->shown_until;
    if (choice_.each) {
      if (held_ && choice_.opens && !counts_->chosen && end > choice_.begin)
        push(src, held_.get(), choice_.begin, end - choice_.begin, true);
    } else {
      fill_steps(src, end);
    }
    full_ = true;
  }
  bool full() const { return full_; }

 private:
  GstClockTime first_time() const {
    if (choice_.each) return choice_.begin > choice_.settle ? choice_.begin - choice_.settle : 0;
    return choice_.time_of(-static_cast<int64_t>(choice_.settle_steps));
  }

  GstFlowReturn take_each(GstPad* src, BufferRef picture, GstClockTime time,
                          GstClockTime duration) {
    if (time + (choice_.opens ? rounding : 0) < choice_.begin) {
      if (time + choice_.settle >= choice_.begin && choice_.settle > 0)
        return push(src, picture.get(), time, duration, false);
      held_ = std::move(picture);
      return GST_FLOW_OK;
    }
    const BufferRef opening = std::move(held_);
    if (opening && choice_.opens && !counts_->chosen && time > choice_.begin + rounding) {
      const GstClockTime end = std::min(time, choice_.end);
      const GstFlowReturn flow = push(src, opening.get(), choice_.begin, end - choice_.begin, true);
      if (flow != GST_FLOW_OK) return flow;
    }
    if (time >= choice_.end) {
      full_ = true;
      return GST_FLOW_OK;
    }
    return push(src, picture.get(), std::max(time, choice_.begin),
                std::min(duration, choice_.end - time), true);
  }

  GstFlowReturn take_even(GstPad* src, BufferRef picture, GstClockTime time) {
    // The steps before this picture show the one that came before it.
    const GstFlowReturn flow = fill_steps(src, time > rounding ? time - rounding : 0);
    held_ = std::move(picture);
    return flow;
  }

  /// Passes the picture that is held on for each step before a time.
  GstFlowReturn fill_steps(GstPad* src, GstClockTime end) {
    if (!begun_) next_ = -static_cast<int64_t>(choice_.settle_steps);
    begun_ = true;
    while (next_ < static_cast<int64_t>(choice_.count)) {
      const GstClockTime time = choice_.time_of(next_);
      if (time >= end || !held_) break;
      const GstClockTime after = choice_.time_of(next_ + 1);
      const GstFlowReturn flow = push(src, held_.get(), time, after - time, next_ >= 0);
      if (flow != GST_FLOW_OK) return flow;
      ++next_;
    }
    full_ = next_ >= static_cast<int64_t>(choice_.count);
    return GST_FLOW_OK;
  }

  GstFlowReturn push(GstPad* src, GstBuffer* picture, GstClockTime time, GstClockTime duration,
                     bool wanted) {
    // A second buffer with the same pixels: the picture may be shown more than once.
    GstBuffer* copy = gst_buffer_copy(picture);
    GST_BUFFER_PTS(copy) = time;
    GST_BUFFER_DTS(copy) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_DURATION(copy) = duration;
    ++(wanted ? counts_->chosen : counts_->settling);
    return gst_pad_push(src, copy);
  }

  const PictureChoice choice_;
  PictureCounts* const counts_;
  GstSegment segment_{};
  BufferRef held_;
  int64_t next_ = 0;
  bool begun_ = false, full_ = false, seek_wanted_ = false;
};

/// A seek that another thread does, because the streaming thread can't flush what it is in. That
/// one waits for it, or it could come to the end of IN before.
class Seek {
 public:
  void begin() {
    const Lock lock(mutex_);
    state_ = State::wanted;
  }
  /// Whether the stream is being flushed; false if there is no seek.
  bool wait() {
    const auto until = std::chrono::steady_clock::now() + longest;
    const Lock lock(mutex_);
    while (state_ == State::wanted)
      if (changed_.wait_until(mutex_, until) == std::cv_status::timeout) state_ = State::none;
    return state_ == State::flushing;
  }
  void end(bool flushing) {
    const Lock lock(mutex_);
    if (state_ != State::wanted) return;
    state_ = flushing ? State::flushing : State::none;
    changed_.notify_all();
  }

 private:
  // The system may have no thread for it.
  static constexpr std::chrono::seconds longest{30};
  enum class State { none, wanted, flushing };

  Mutex mutex_;  // held for a moment only
  ConditionVariable changed_;
  State state_ SPHERE_GUARDED_BY(mutex_) = State::none;
};

struct PictureChooser {
  GstElement parent;
  GstPad* sink;
  GstPad* src;
  Chooser* chooser;
  Seek* seek;
  gboolean segmented;  // the segment of the pictures that are passed on was sent
};

struct PictureChooserClass {
  GstElementClass parent_class;
};

G_DEFINE_TYPE(PictureChooser, picture_chooser, GST_TYPE_ELEMENT)

void seek(GstElement* element, gpointer position) {
  auto* self = reinterpret_cast<PictureChooser*>(element);
  const auto to = static_cast<gint64>(*static_cast<GstClockTime*>(position));
  GstEvent* event = gst_event_new_seek(
      1.0, GST_FORMAT_TIME, static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE),
      GST_SEEK_TYPE_SET, to, GST_SEEK_TYPE_NONE, -1);
  // Without the seek, the pictures from the beginning on are decoded and left out.
  (void)gst_pad_push_event(self->sink, event);
  self->seek->end(false);
}

GstFlowReturn chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
  auto* self = reinterpret_cast<PictureChooser*>(parent);
  const GstClockTime to = self->chooser->seek_to();
  if (GST_CLOCK_TIME_IS_VALID(to)) {
    self->seek->begin();
    gst_element_call_async(
        GST_ELEMENT(self), seek, new GstClockTime(to),
        +[](gpointer position) { delete static_cast<GstClockTime*>(position); });
    if (self->seek->wait()) {
      gst_buffer_unref(buffer);
      return GST_FLOW_FLUSHING;
    }
  }
  if (!self->segmented) {
    self->segmented = TRUE;
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(self->src, gst_event_new_segment(&segment));
  }
  const GstFlowReturn flow = self->chooser->take(self->src, buffer);
  // What follows has all that it needs; the reader stops.
  if (self->chooser->full()) gst_pad_push_event(self->src, gst_event_new_eos());
  return flow;
}

gboolean sink_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  auto* self = reinterpret_cast<PictureChooser*>(parent);
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment(event, &self->chooser->segment());
      gst_event_unref(event);
      return TRUE;
    case GST_EVENT_FLUSH_START:
      // Nothing has gone further yet, except the caps.
      self->seek->end(true);
      gst_event_unref(event);
      return TRUE;
    case GST_EVENT_FLUSH_STOP:
      self->chooser->flush();
      gst_event_unref(event);
      return TRUE;
    case GST_EVENT_GAP:
      gst_event_unref(event);
      return TRUE;
    case GST_EVENT_EOS:
      if (!self->chooser->full()) {
        self->chooser->finish(self->src);
        return gst_pad_event_default(pad, parent, event);
      }
      gst_event_unref(event);
      return TRUE;
    default:
      return gst_pad_event_default(pad, parent, event);
  }
}

void finalize(GObject* object) {
  auto* self = reinterpret_cast<PictureChooser*>(object);
  delete self->chooser;
  delete self->seek;
  G_OBJECT_CLASS(picture_chooser_parent_class)->finalize(object);
}

void picture_chooser_init(PictureChooser* self) {
  GstElementClass* klass = GST_ELEMENT_GET_CLASS(self);
  self->sink = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "sink"), "sink");
  self->src = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "src"), "src");
  self->seek = new Seek;
  gst_pad_set_chain_function(self->sink, chain);
  gst_pad_set_event_function(self->sink, sink_event);
  GST_PAD_SET_PROXY_CAPS(self->sink);
  GST_PAD_SET_PROXY_ALLOCATION(self->sink);
  GST_PAD_SET_PROXY_CAPS(self->src);
  gst_element_add_pad(GST_ELEMENT(self), self->sink);
  gst_element_add_pad(GST_ELEMENT(self), self->src);
}

void picture_chooser_class_init(PictureChooserClass* klass) {
  auto* element = reinterpret_cast<GstElementClass*>(klass);
  reinterpret_cast<GObjectClass*>(klass)->finalize = finalize;
  const CapsRef any(gst_caps_new_any());
  for (const auto& [name, direction] :
       {std::pair{"sink", GST_PAD_SINK}, std::pair{"src", GST_PAD_SRC}})
    gst_element_class_add_pad_template(
        element, gst_pad_template_new(name, direction, GST_PAD_ALWAYS, any.get()));
  gst_element_class_set_static_metadata(element, "Picture chooser", "Filter/Editor/Video",
                                        "Passes on what a part of a film shows", "gst-sphere");
}

}  // namespace

GstElement* make_picture_chooser(const PictureChoice& choice, PictureCounts* counts) {
  GstElement* element = GST_ELEMENT(g_object_new(picture_chooser_get_type(), nullptr));
  reinterpret_cast<PictureChooser*>(element)->chooser = new Chooser(choice, counts);
  return element;
}

}  // namespace sphere::tool
