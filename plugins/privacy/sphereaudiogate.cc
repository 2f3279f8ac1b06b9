// SPDX-License-Identifier: LGPL-2.1-or-later
// sphereaudiogate: sound only with consent.

/**
 * SECTION:element-sphereaudiogate
 * @title: sphereaudiogate
 *
 * Passes sound only while consent to it is given for the purpose of this element, and replaces it
 * by silence otherwise. Without any consent there is only silence. Consent comes from the property
 * `consent`, from an application's #GstContext of the type `gst.sphere.consent`, and from the
 * ledger that `ledger` names. All of these that are set must allow the sound.
 *
 * A change acts on the next buffer, without a fade. A new `purpose` acts in the same way, and
 * counts as a new grant. Sound that was captured while it was denied stays silent, even if it waits
 * in a queue before the gate: after a grant in a live pipeline the gate stays closed until each
 * source before it has pushed a mark, ahead of the first buffer that it captured after the grant.
 * Buffers with a running time before the grant are silent, too. If the source sends the event
 * `sphere-consent`, the gate also obeys that. From the first such event on, each buffer is held
 * back until the next one has come, because encoders and decoders pass events on one buffer too
 * late; the latency grows by one buffer. In a pipeline that is not live and has no such source,
 * what counts is the moment at which a buffer arrives here.
 *
 * The gate does not offer downstream's memory to the elements before it. Tags, comments in stream
 * headers and tables of contents pass only while the sound may pass.
 *
 * Raw audio in all formats except ENCODED, A-law, mu-law, AAC-LC and Opus become silence with the
 * same times. Other codecs are replaced by gap events, as with mode=drop. A muxer may wait for a
 * track that has only gaps, or fail; a warning tells this.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 audiotestsrc num-buffers=100 ! sphereaudiogate ! wavenc ! filesink location=silence.wav
 * ]|
 * |[
 * gst-launch-1.0 audiotestsrc num-buffers=100 ! sphereaudiogate consent="consent/audio, state=(string)given, purpose=(string)record" purpose=record ! avenc_aac ! mp4mux ! filesink location=sound.mp4
 * ]|
 *
 * Since: 0.1
 */

#include "plugins/privacy/sphereaudiogate.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/consent/element.h"
#include "plugins/privacy/captured_since.h"
#include "plugins/privacy/description.h"
#include "plugins/privacy/element.h"
#include "plugins/privacy/holdback.h"
#include "plugins/privacy/silence.h"
#include "plugins/privacy/sound_caps.h"

GST_DEBUG_CATEGORY_STATIC(sphereaudiogate_debug);
#define GST_CAT_DEFAULT sphereaudiogate_debug

namespace {

using namespace sphere::consent;
using sphere::BufferRef;
using sphere::CapsRef;
using sphere::EventRef;
using sphere::GstRef;
using namespace sphere::privacy;

enum class Mode { silence, drop };

GType mode_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Mode::silence), "Silence in the same format, with the same times",
       "silence"},
      {static_cast<int>(Mode::drop), "Gap events instead of data", "drop"},
      {0, nullptr, nullptr},
  };
  static const GType type = sphere::register_plugin_enum("GstSphereAudioGateMode", values);
  return type;
}

GType purpose_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Purpose::live), "Heard live", "live"},
      {static_cast<int>(Purpose::record), "Recorded", "record"},
      {static_cast<int>(Purpose::edit), "Used while editing", "edit"},
      {static_cast<int>(Purpose::share), "Passed on to others", "share"},
      {0, nullptr, nullptr},
  };
  static const GType type = sphere::register_plugin_enum("GstSphereAudioGatePurpose", values);
  return type;
}

enum { PROP_PURPOSE = PROP_FIRST_OF_ELEMENT, PROP_MODE, PROP_ACTIVE };
GParamSpec* active_spec;

constexpr Purpose default_purpose = Purpose::live;
constexpr Mode default_mode = Mode::silence;

bool has(GstEvent* event, GstEventTypeFlags flag) {
  return (gst_event_type_get_flags(GST_EVENT_TYPE(event)) & flag) != 0;
}

/// More than twenty members: grants, events and buffers all depend on the same state of the
/// streaming thread. The parts that can be separated are classes: Guard, CapturedSince, HoldBack,
/// Silence.
class AudioGate {
 public:
  explicit AudioGate(GstElement* element) : element_(element) {
    sink_ = add_pad(element, "sink");
    src_ = add_pad(element, "src");
    captured_.emplace(element_, sink_);
  }

  GstPad* sink() const { return sink_; }
  GstPad* src() const { return src_; }

  // --- with the streaming stopped -----------------------------------------------------------

  void start() {
    purpose_now_ = purpose_;
    guard_.emplace(consent, Category::audio, purpose_now_);
    guard_->allowed();
    captured_->start(guard_->grants());
    decisions_ = 0;
    stamp_ = 0;
    last_consent_event_.reset();
    holds_ = false;
    held_.take();
    held_time_ = 0;
    silence_ = Silence();
    has_caps_ = flowed_ = warned_ = discontinuous_ = described_ = false;
  }
  void stop() {
    set_active(false);
    held_.take();
    captured_->stop();
    guard_.reset();
  }

  // --- in the streaming thread --------------------------------------------------------------

  GstFlowReturn chain(BufferRef buffer) {
    if (!has_caps_) {
      GST_ELEMENT_ERROR(element_, STREAM, FORMAT, ("Sound of an unknown format can't be checked."),
                        ("no caps before the first buffer"));
      return GST_FLOW_NOT_NEGOTIATED;
    }
    captured_->note_buffer();
    const GstFlowReturn flow = release();
    if (!holds_) return flow == GST_FLOW_OK ? leave(std::move(buffer), stamp_) : flow;
    note_latency(buffer.get());
    held_.put(std::move(buffer), stamp_);
    return flow;
  }

  gboolean event(GstEvent* event) {
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) return flushed(event);
    if (!has(event, GST_EVENT_TYPE_SERIALIZED)) return handle(event);
    if (captured_->take(event)) {
      gst_event_unref(event);
      held_.stamp(GST_CLOCK_TIME_NONE);  // it came before the mark
      return TRUE;
    }
    apply_purpose();
    if (const auto stamp = read_consent_event(event, Category::audio, purpose_now_)) {
      held_.stamp(*stamp);
      holds_ = !is_consent_event_peer(sink_);
    }
    switch (GST_EVENT_TYPE(event)) {
      case GST_EVENT_EOS:
      case GST_EVENT_SEGMENT_DONE:
      case GST_EVENT_STREAM_GROUP_DONE:
        release();  // nothing comes behind it
        break;
      default:
        break;
    }
    if (held_.empty()) return handle(event);
    if (!held_.behind(event)) {
      held_.stamp(GST_CLOCK_TIME_NONE);  // the event that speaks of it may still come
      release();
    }
    return TRUE;
  }

  /// A serialised query would overtake the buffer that is held back.
  bool answers(GstQuery* query) const {
    return held_.empty() ||
           !(gst_query_type_get_flags(GST_QUERY_TYPE(query)) & GST_QUERY_TYPE_SERIALIZED);
  }

  /// Does not offer downstream's memory: sound in it could be read there although it is denied, or
  /// is denied after it was written. Downstream's metas are passed on.
  bool answer_allocation(GstQuery* query) const {
    if (!answers(query)) return false;
    GstCaps* caps = nullptr;
    gst_query_parse_allocation(query, &caps, nullptr);
    GstQuery* below = gst_query_new_allocation(caps, FALSE);
    if (gst_pad_peer_query(src_, below))
      for (guint i = 0; i < gst_query_get_n_allocation_metas(below); ++i) {
        const GstStructure* parameters = nullptr;
        const GType meta = gst_query_parse_nth_allocation_meta(below, i, &parameters);
        gst_query_add_allocation_meta(query, meta, parameters);
      }
    gst_query_unref(below);
    return true;
  }

  // --- any thread ----------------------------------------------------------------------------

  void add_latency(GstQuery* query) const {
    gboolean live = FALSE;
    GstClockTime least = 0, most = 0;
    gst_query_parse_latency(query, &live, &least, &most);
    const GstClockTime held = held_time_;
    gst_query_set_latency(query, live, least + held,
                          GST_CLOCK_TIME_IS_VALID(most) ? most + held : most);
  }

  bool set_property(guint id, const GValue* value) {
    if (sphere::consent::set_property(consent, element_, id, value)) return true;
    switch (id) {
      case PROP_PURPOSE:
        purpose_ = static_cast<Purpose>(g_value_get_enum(value));
        return true;
      case PROP_MODE:
        mode_ = static_cast<Mode>(g_value_get_enum(value));
        return true;
      default:
        return false;
    }
  }
  bool get_property(guint id, GValue* value) const {
    if (sphere::consent::get_property(consent, id, value)) return true;
    switch (id) {
      case PROP_PURPOSE:
        g_value_set_enum(value, static_cast<int>(purpose_.load()));
        return true;
      case PROP_MODE:
        g_value_set_enum(value, static_cast<int>(mode_.load()));
        return true;
      case PROP_ACTIVE:
        g_value_set_boolean(value, active_);
        return true;
      default:
        return false;
    }
  }

  Consent consent;
  ProblemReporter problems;

 private:
  void set_active(bool active) {
    if (active_.exchange(active) != active)
      g_object_notify_by_pspec(G_OBJECT(element_), active_spec);
  }

  /// Whether sound is allowed at this moment, and, if so, since when it may have been captured.
  bool allowed() {
    apply_purpose();
    const bool allowed = guard_->allowed();
    if (guard_->decisions() != decisions_) {
      decisions_ = guard_->decisions();
      GST_INFO_OBJECT(element_, "%s: %s", allowed ? "sound" : "no sound",
                      guard_->answer().reason.c_str());
      problems.report(element_, guard_->answer().problem);
    }
    if (!allowed) return false;
    return captured_->note_grant(guard_->grants(), is_consent_event_peer(sink_));
  }

  /// A grant for another purpose does not count any more: the gate behaves as if consent were given
  /// at this moment.
  void apply_purpose() {
    if (purpose_.load() == purpose_now_ || !guard_) return;
    purpose_now_ = purpose_;
    guard_.emplace(consent, Category::audio, purpose_now_);
    captured_->forget_grant();
    decisions_ = 0;
    stamp_ = last_consent_event_
                 ? read_consent_event(last_consent_event_.get(), Category::audio, purpose_now_)
                       .value_or(0)
                 : 0;
    held_.stamp(GST_CLOCK_TIME_NONE);  // the event was about the other purpose
  }

  bool passes(const GstBuffer* buffer, GstClockTime stamp) {
    if (!allowed()) return false;
    if (captured_->waiting()) {
      if (captured_->count_buffer()) warn_of_lost_marks();
      return false;
    }
    const GstClockTime overlap = silence_.overlap(buffer);
    return captured_->covers(buffer, overlap) && captured_->is_after(buffer, stamp, overlap);
  }

  /// Whether descriptions of the sound may pass: like passes(), but without a buffer.
  bool open() { return guard_ && allowed() && stamp_ == 0 && captured_->always(); }

  void warn_of_lost_marks() {
    GST_ELEMENT_WARNING(
        element_, STREAM, FAILED,
        ("Sound is allowed but stays silent: an element before this one does not forward the "
         "events that tell when it was captured. Put the gate nearer to the source."),
        (nullptr));
  }

  /// The event as it may be passed on: with its description of the sound only while the sound may
  /// pass. Null: it must not be passed on.
  EventRef clean_event(EventRef event) {
    if (!describes_sound(GST_EVENT_TYPE(event.get()))) return event;
    if (!open()) return without_description(std::move(event));
    described_ = true;
    return with_own_streams(std::move(event));
  }

  /// An element that is linked after a withdrawal must not get the earlier descriptions.
  void forget_description() {
    if (!described_ || open()) return;
    described_ = false;
    clean_kept_events(src_);
  }

  GstFlowReturn leave(BufferRef buffer, GstClockTime stamp) {
    forget_description();
    const bool sound = passes(buffer.get(), stamp);
    set_active(sound);
    if (sound) {
      if (discontinuous_) {
        buffer.reset(gst_buffer_make_writable(buffer.release()));
        GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
      }
      return push(std::move(buffer));
    }
    if (BufferRef header = silence_.clean_header(buffer.get()))
      return gst_pad_push(src_, header.release());
    if (mode_.load() == Mode::silence)
      if (BufferRef silent = silence_.in_place_of(buffer.get())) {
        buffer.reset();  // the sound is not kept while downstream is busy
        return push(std::move(silent));
      }
    return push_gap(buffer.get());
  }

  /// Sends the buffer that is held, and the events after it.
  GstFlowReturn release() {
    if (held_.empty()) return GST_FLOW_OK;
    HoldBack::HeldBuffer held = held_.take();
    const GstFlowReturn flow = leave(std::move(held.buffer), held.since);
    for (EventRef& event : held.behind) handle(event.release());
    return flow;
  }

  gboolean handle(GstEvent* event) {
    forget_description();
    switch (GST_EVENT_TYPE(event)) {
      case GST_EVENT_CAPS: {
        GstCaps* caps = nullptr;
        gst_event_parse_caps(event, &caps);
        silence_ = Silence(caps);
        has_caps_ = true;
        break;
      }
      case GST_EVENT_SEGMENT:
        captured_->set_segment(event);
        break;
      case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
        if (gst_event_has_name(event, consent_event_name))
          last_consent_event_.reset(gst_event_ref(event));
        stamp_ = read_consent_event(event, Category::audio, purpose_now_).value_or(stamp_);
        break;
      default:
        break;
    }
    EventRef told = clean_event(EventRef(event));
    return told ? gst_pad_event_default(sink_, GST_OBJECT(element_), told.release()) : TRUE;
  }

  gboolean flushed(GstEvent* event) {
    gboolean reset_time = FALSE;
    gst_event_parse_flush_stop(event, &reset_time);
    captured_->note_flush(reset_time);
    HoldBack::HeldBuffer held = held_.take();
    const gboolean done = gst_pad_event_default(sink_, GST_OBJECT(element_), event);
    // The sticky events that remain after a flush.
    for (EventRef& one : held.behind)
      if (has(one.get(), GST_EVENT_TYPE_STICKY) && GST_EVENT_TYPE(one.get()) != GST_EVENT_SEGMENT)
        handle(one.release());
    return done;
  }

  /// The time for which a buffer is held back: until the next one comes.
  void note_latency(const GstBuffer* buffer) {
    if (!GST_BUFFER_DURATION_IS_VALID(buffer) || GST_BUFFER_DURATION(buffer) <= held_time_) return;
    held_time_ = GST_BUFFER_DURATION(buffer);
    gst_element_post_message(element_, gst_message_new_latency(GST_OBJECT(element_)));
  }

  GstFlowReturn push(BufferRef buffer) {
    flowed_ = true;
    discontinuous_ = false;
    return gst_pad_push(src_, buffer.release());
  }

  GstFlowReturn push_gap(const GstBuffer* buffer) {
    if (!flowed_ && !warned_ && gst_buffer_get_size(const_cast<GstBuffer*>(buffer)) > 0) {
      warned_ = true;
      GST_ELEMENT_WARNING(
          element_, STREAM, NOT_IMPLEMENTED,
          ("No sound is allowed, and %s: a muxer may wait for this track, or fail.",
           silence_.possible() ? "none is sent" : "silence can't be made in this format"),
          ("%s; mode=silence before the encoder gives a silent track",
           guard_->answer().reason.c_str()));
    }
    discontinuous_ = true;
    if (!GST_BUFFER_PTS_IS_VALID(buffer)) return GST_FLOW_OK;
    gst_pad_push_event(src_,
                       gst_event_new_gap(GST_BUFFER_PTS(buffer), GST_BUFFER_DURATION(buffer)));
    // Pushing a gap event does not return whether downstream is at EOS.
    return GST_FLOW_OK;
  }

  GstElement* const element_;
  GstPad* sink_;
  GstPad* src_;
  std::atomic<Purpose> purpose_ = default_purpose;
  std::atomic<Mode> mode_ = default_mode;
  std::atomic<bool> active_ = false;
  std::atomic<GstClockTime> held_time_ = 0;

  // Used only by the streaming thread.
  Purpose purpose_now_ = default_purpose;  // the property may have changed since the last buffer
  std::optional<Guard> guard_;
  Silence silence_;
  bool has_caps_ = false;
  bool described_ = false;  // the source pad has sticky events that describe the sound
  bool flowed_ = false, warned_ = false, discontinuous_ = false;
  uint64_t decisions_ = 0;
  std::optional<CapturedSince> captured_;
  EventRef last_consent_event_;  // null: there was none
  GstClockTime stamp_ =
      0;  // the time in the last consent event; 0: everything is captured with consent
  bool holds_ = false;  // true from the first consent event on that may come late
  HoldBack held_;
};

}  // namespace

struct _GstSphereAudioGate {
  GstElement parent;
  AudioGate* self;
};

G_DEFINE_TYPE(GstSphereAudioGate, gst_sphere_audio_gate, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE(sphereaudiogate, "sphereaudiogate", GST_RANK_NONE,
                            GST_TYPE_SPHERE_AUDIO_GATE)

namespace {

gboolean sink_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  const AudioGate* gate = GST_SPHERE_AUDIO_GATE(parent)->self;
  if (GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION) return gate->answer_allocation(query);
  if (!gate->answers(query)) return FALSE;
  return gst_pad_query_default(pad, parent, query);
}

gboolean src_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  if (!gst_pad_query_default(pad, parent, query)) return FALSE;
  if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY)
    GST_SPHERE_AUDIO_GATE(parent)->self->add_latency(query);
  return TRUE;
}

}  // namespace

static void gst_sphere_audio_gate_init(GstSphereAudioGate* gate) {
  gate->self = new AudioGate(GST_ELEMENT(gate));
  set_sink_functions<GstSphereAudioGate>(gate->self->sink());
  gst_pad_set_query_function(gate->self->sink(), sink_query);
  gst_pad_set_query_function(gate->self->src(), src_query);
}

static void gst_sphere_audio_gate_class_init(GstSphereAudioGateClass* klass) {
  GST_DEBUG_CATEGORY_INIT(sphereaudiogate_debug, "sphereaudiogate", 0, "sound only with consent");
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  install_gate<GstSphereAudioGate>(element_class);
  constexpr auto playing = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                    GST_PARAM_MUTABLE_PLAYING);
  install_properties(object_class);
  g_object_class_install_property(
      object_class, PROP_PURPOSE,
      g_param_spec_enum("purpose", "Purpose", "Purpose of the sound", purpose_type(),
                        static_cast<int>(default_purpose), playing));
  g_object_class_install_property(
      object_class, PROP_MODE,
      g_param_spec_enum("mode", "Mode", "What replaces sound that is not allowed", mode_type(),
                        static_cast<int>(default_mode), playing));
  active_spec =
      g_param_spec_boolean("active", "Active", "Whether sound passes now", FALSE,
                           static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property(object_class, PROP_ACTIVE, active_spec);

  sphere::install_pads(element_class, SPHERE_SOUND_CAPS);
  gst_element_class_set_static_metadata(element_class, "Sound gate", "Filter/Audio",
                                        "Passes sound only with consent", "The gst-sphere authors");
}
