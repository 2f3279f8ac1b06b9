// SPDX-License-Identifier: LGPL-2.1-or-later
// spheregeogate: places and identity only with consent.

/**
 * SECTION:element-spheregeogate
 * @title: spheregeogate
 *
 * Passes what a stream tells about places only while consent to `location` is given for the purpose
 * of this element, and what it tells about devices, persons and the time of capture only while
 * consent to `device` is given for `share`. Without any consent there is neither. Consent comes
 * from the property `consent`, from an application's #GstContext of the type `gst.sphere.consent`,
 * and from the ledger that `ledger` names. All of these that are set must allow it.
 *
 * The gate looks into tags (in events, in descriptions of streams, and in those that encoders and
 * muxers behind it have collected or were given by hand), metas, custom events, H.264 and H.265
 * (SEI messages), JPEG, PNG and WebP pictures, KLV, and headers with comments. What is not known to
 * be harmless is taken out. Text and other metadata streams become gaps. A stream that can't be
 * examined, such as a muxed one, is an error: put the gate before the muxer.
 *
 * While location is given, places pass, no more exact than was agreed. If `position`, `gpsd` or
 * `gpx` is set, that position is put into the stream, as tags, in place of what the stream says.
 * Of these, the first that knows a position counts.
 *
 * A change acts on the next buffer. After a withdrawal a tag event without the places replaces the
 * one before. What was captured while it was denied does not pass after a new grant, even if it
 * waits in a queue before the gate: in a live pipeline the gate waits for marks of the sources, as
 * sphereaudiogate does.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 ! taginject tags="title=Walk,geo-location-latitude=39.9,geo-location-longitude=116.4" ! spheregeogate ! x264enc ! mp4mux ! filesink location=no-place.mp4
 * ]|
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 ! spheregeogate consent="consent/location, state=(string)given, purpose=(string)geotag, precision=(string)city" position=39.9042,116.4074 ! x264enc ! mp4mux ! filesink location=in-the-city.mp4
 * ]|
 *
 * Since: 0.1
 */

#include "plugins/privacy/spheregeogate.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/consent/element.h"
#include "gst/sphere/consent/position.h"
#include "plugins/privacy/captured_since.h"
#include "plugins/privacy/custom_data.h"
#include "plugins/privacy/element.h"
#include "plugins/privacy/metas.h"
#include "plugins/privacy/position_source.h"
#include "plugins/privacy/stream_content.h"
#include "plugins/privacy/stream_events.h"
#include "plugins/privacy/stream_tags.h"
#include "plugins/privacy/tag_setters.h"
#include "plugins/privacy/tags.h"

GST_DEBUG_CATEGORY_STATIC(spheregeogate_debug);
#define GST_CAT_DEFAULT spheregeogate_debug

namespace {

using namespace sphere::consent;
using sphere::BufferRef;
using sphere::CapsRef;
using sphere::EventRef;
using sphere::Position;
using namespace sphere::privacy;

GType purpose_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Purpose::geotag), "Written into media", "geotag"},
      {static_cast<int>(Purpose::share), "Passed on to others", "share"},
      {0, nullptr, nullptr},
  };
  static const GType type = sphere::register_plugin_enum("GstSphereGeoGatePurpose", values);
  return type;
}

GType precision_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Precision::exact), "As it is", "exact"},
      {static_cast<int>(Precision::street), "0.001 degrees", "street"},
      {static_cast<int>(Precision::neighbourhood), "0.01 degrees", "neighbourhood"},
      {static_cast<int>(Precision::city), "0.1 degrees", "city"},
      {static_cast<int>(Precision::country), "1 degree", "country"},
      {0, nullptr, nullptr},
  };
  static const GType type = sphere::register_plugin_enum("GstSphereGeoGatePrecision", values);
  return type;
}

enum { PROP_PURPOSE = PROP_FIRST_OF_ELEMENT, PROP_POSITION, PROP_GPX, PROP_GPSD, PROP_PRECISION };

constexpr Purpose default_purpose = Purpose::geotag;
constexpr Precision default_precision = Precision::exact;
// A position that moves is sent no more often.
constexpr GstClockTime least_interval = GST_SECOND;

bool is_custom(const GstEvent* event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CUSTOM_DOWNSTREAM:
    case GST_EVENT_CUSTOM_DOWNSTREAM_OOB:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
    case GST_EVENT_CUSTOM_BOTH:
    case GST_EVENT_CUSTOM_BOTH_OOB:
      return true;
    default:
      return false;
  }
}

/// More than twenty members, because the position that is put into the stream depends on the
/// stream, on what is allowed now and on what was put in before.
class GeoGate {
 public:
  explicit GeoGate(GstElement* element)
      : element_(element),
        tags_([this](EventRef event) { gst_pad_push_event(src_, event.release()); }) {
    sink_ = add_pad(element, "sink");
    src_ = add_pad(element, "src");
    gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
    setters_.emplace(src_);
    captured_place_.emplace(element_, sink_);
    captured_identity_.emplace(element_, sink_);
  }

  GstPad* sink() const { return sink_; }
  GstPad* src() const { return src_; }

  // --- with the streaming stopped -----------------------------------------------------------

  void start() {
    properties_.tell();
    purpose_now_ = purpose_;
    place_.emplace(consent, Category::location, purpose_now_);
    identity_.emplace(consent, Category::device, Purpose::share);
    place_->allowed();
    identity_->allowed();
    captured_place_->start(place_->grants());
    captured_identity_->start(identity_->grants());
    decisions_ = 0;
    now_ = Allowance();
    setters_->set_allowance(now_);
    content_ = StreamContent();
    tags_.reset();
    position_.reset();
    positioned_at_ = began_at_ = std::nullopt;
    relinked_ = true;
    gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
  }
  void stop() {
    setters_->stop();
    captured_place_->stop();
    captured_identity_->stop();
    positions_.set_wanted(false);
    place_.reset();
    identity_.reset();
  }

  // --- in the streaming thread --------------------------------------------------------------

  GstFlowReturn chain(BufferRef buffer) {
    for (CapturedSince* captured : {&*captured_place_, &*captured_identity_})
      captured->note_buffer();
    update_allowance();
    const Allowance allowance = allowance_of(buffer.get());
    inject(buffer.get(), allowance);
    const GstClockTime pts = GST_BUFFER_PTS(buffer.get());
    const GstClockTime duration = GST_BUFFER_DURATION(buffer.get());
    auto clean = content_.clean(with_allowed_metas(std::move(buffer), allowance), allowance);
    if (!clean) {
      GST_ELEMENT_ERROR(
          element_, STREAM, WRONG_TYPE,
          ("It can't be found out what the stream tells: %s.", clean.error().message.c_str()),
          ("%s", reason().c_str()));
      return GST_FLOW_ERROR;
    }
    if (*clean) return gst_pad_push(src_, std::move(*clean).release());
    if (GST_CLOCK_TIME_IS_VALID(pts)) gst_pad_push_event(src_, gst_event_new_gap(pts, duration));
    return GST_FLOW_OK;
  }

  gboolean event(GstEvent* event) {
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) {
      gboolean reset_time = FALSE;
      gst_event_parse_flush_stop(event, &reset_time);
      gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
      captured_place_->note_flush(reset_time);
      captured_identity_->note_flush(reset_time);
    }
    if ((gst_event_type_get_flags(GST_EVENT_TYPE(event)) & GST_EVENT_TYPE_SERIALIZED) == 0) {
      // This comes from any thread. It tells the state as of the last buffer.
      if (is_custom(event) && !everything_ && may_tell_place(gst_event_get_structure(event))) {
        gst_event_unref(event);
        return TRUE;
      }
      return gst_pad_event_default(sink_, GST_OBJECT(element_), event);
    }
    if (captured_place_->take(event) || captured_identity_->take(event)) {
      gst_event_unref(event);
      return TRUE;
    }
    update_allowance();
    if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {
      gst_event_copy_segment(event, &segment_);
      captured_place_->set_segment(event);
      captured_identity_->set_segment(event);
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) {
      tags_.reset();
      position_.reset();
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      content_ = StreamContent(caps);
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_TAG) {
      note_begin(event);
      tags_.take(EventRef(event), now_, captured_place_->direct());
      return TRUE;
    }
    EventRef allowed = clean_event(EventRef(event));
    return allowed ? gst_pad_event_default(sink_, GST_OBJECT(element_), allowed.release()) : TRUE;
  }

  /// Does not offer downstream's memory for what has to be taken out first.
  bool offers_memory() const { return content_.is_plain(); }

  // --- any thread ----------------------------------------------------------------------------

  void note_relinked() { relinked_ = true; }

  bool set_property(guint id, const GValue* value) {
    if (sphere::consent::set_property(consent, element_, id, value)) return true;
    switch (id) {
      case PROP_PURPOSE:
        purpose_ = static_cast<Purpose>(g_value_get_enum(value));
        return true;
      case PROP_POSITION:
        set_position(g_value_get_string(value));
        return true;
      case PROP_GPX:
        set_gpx(g_value_get_string(value));
        return true;
      case PROP_GPSD:
        set_gpsd(g_value_get_string(value));
        return true;
      case PROP_PRECISION:
        precision_ = static_cast<Precision>(g_value_get_enum(value));
        return true;
      default:
        return false;
    }
  }
  bool get_property(guint id, GValue* value) const {
    if (sphere::consent::get_property(consent, id, value)) return true;
    const auto set_text = [value](const std::optional<std::string>& text) {
      g_value_set_string(value, text ? text->c_str() : nullptr);
    };
    switch (id) {
      case PROP_PURPOSE:
        g_value_set_enum(value, static_cast<int>(purpose_.load()));
        return true;
      case PROP_GPX:
        set_text(positions_.gpx());
        return true;
      case PROP_GPSD:
        set_text(positions_.gpsd());
        return true;
      case PROP_PRECISION:
        g_value_set_enum(value, static_cast<int>(precision_.load()));
        return true;
      default:
        return false;
    }
  }

  Consent consent;
  ProblemReporter problems;

 private:
  void set_position(const char* text) {
    const auto position = sphere::parse_position_setting(text);
    // No position is better than a wrong one. The text is not repeated in messages.
    positions_.set_position(position ? *position : std::nullopt);
    properties_.set("position", position ? sphere::ok() : sphere::Status(position.error()));
  }
  void set_gpx(const char* path) {
    properties_.set(
        "gpx", positions_.set_gpx(path && *path ? std::optional<std::string>(path) : std::nullopt));
  }
  void set_gpsd(const char* address) {
    positions_.set_gpsd(address && *address ? std::optional<std::string>(address) : std::nullopt);
  }

  std::string reason() const { return place_->answer().reason + "; " + identity_->answer().reason; }

  Allowance ask() {
    if (purpose_.load() != purpose_now_) {
      purpose_now_ = purpose_;
      place_.emplace(consent, Category::location, purpose_now_);
      captured_place_->forget_grant();
      decisions_ = 0;
    }
    const Consent::Version version = consent.version();
    const auto passes = [&](Guard& guard, CapturedSince& captured) {
      return guard.allowed(version) && captured.note_grant(guard.grants(), false) &&
             !captured.waiting();
    };
    Allowance allowance;
    allowance.place = passes(*place_, *captured_place_);
    allowance.identity = passes(*identity_, *captured_identity_);
    if (allowance.place)
      allowance.precision = std::max(place_->answer().precision, precision_.load());
    const uint64_t decisions = place_->decisions() + identity_->decisions();
    if (decisions != decisions_) {
      decisions_ = decisions;
      GST_INFO_OBJECT(element_, "places: %s, identity: %s (%s)", allowance.place ? "yes" : "no",
                      allowance.identity ? "yes" : "no", reason().c_str());
      problems.report(element_, place_->answer().problem);
    }
    return allowance;
  }

  /// Finds out what is allowed at this moment, and takes back what is not allowed any more.
  void update_allowance() {
    if (!place_) return;
    const Allowance allowance = ask();
    if (relinked_.exchange(false)) setters_->find();
    tags_.set_own_source(positions_.exists());
    if (allowance == now_) return;
    now_ = allowance;
    everything_ = allowance.everything();
    setters_->set_allowance(allowance);
    positions_.set_wanted(allowance.place);
    position_.reset();
    positioned_at_.reset();
    tags_.withdraw(allowance);
    if (!allowance.everything()) clean_kept_events();
  }

  /// What a buffer may tell: nothing that was captured before a grant.
  Allowance allowance_of(const GstBuffer* buffer) {
    Allowance allowance = now_;
    allowance.place = allowance.place && captured_place_->covers(buffer, 0);
    allowance.identity = allowance.identity && captured_identity_->covers(buffer, 0);
    const auto lost = [](const Guard& guard, CapturedSince& captured) {
      return guard.answer().allowed && captured.waiting() && captured.count_buffer();
    };
    // Both count this buffer.
    const bool lost_place = lost(*place_, *captured_place_);
    const bool lost_identity = lost(*identity_, *captured_identity_);
    if (lost_place || lost_identity)
      GST_ELEMENT_WARNING(
          element_, STREAM, FAILED,
          ("What the stream tells is allowed but stays out: an element before this one does not "
           "forward the events that tell when it was captured. Put the gate nearer to the source."),
          (nullptr));
    return allowance;
  }

  /// The event with what is allowed; null: it must not be passed on.
  EventRef clean_event(EventRef event) const {
    if (now_.everything()) return event;
    switch (GST_EVENT_TYPE(event.get())) {
      case GST_EVENT_STREAM_START:
      case GST_EVENT_STREAM_COLLECTION:
        return with_changed_streams(
            event,
            {[this](const GstTagList* tags) { return allowed_tags(tags, now_); },
             [this](const GstCaps* caps) { return StreamContent(caps).clean_caps(caps, now_); }});
      case GST_EVENT_CAPS: {
        GstCaps* caps = nullptr;
        gst_event_parse_caps(event.get(), &caps);
        return in_place_of(event, gst_event_new_caps(content_.clean_caps(caps, now_).get()));
      }
      case GST_EVENT_TOC: {
        GstToc* toc = nullptr;
        gst_event_parse_toc(event.get(), &toc, nullptr);
        const bool denied = toc && has_denied(toc);
        if (toc) gst_toc_unref(toc);
        return denied ? nullptr : std::move(event);
      }
      case GST_EVENT_SINK_MESSAGE:
        return nullptr;
      default:
        if (is_custom(event.get()) && may_tell_place(gst_event_get_structure(event.get())))
          return nullptr;
        return event;
    }
  }

  bool has_denied(const GList* entries) const {
    for (; entries; entries = entries->next) {
      const auto* entry = static_cast<const GstTocEntry*>(entries->data);
      const GstTagList* tags = gst_toc_entry_get_tags(entry);
      if ((tags && has_denied_tags(tags, now_)) || has_denied(gst_toc_entry_get_sub_entries(entry)))
        return true;
    }
    return false;
  }
  bool has_denied(const GstToc* toc) const {
    const GstTagList* tags = gst_toc_get_tags(toc);
    return (tags && has_denied_tags(tags, now_)) || has_denied(gst_toc_get_entries(toc));
  }

  /// An element that is linked after a withdrawal must not get the earlier descriptions.
  void clean_kept_events() {
    gst_pad_sticky_events_foreach(
        src_,
        [](GstPad*, GstEvent** event, gpointer self) -> gboolean {
          *event = static_cast<const GeoGate*>(self)->clean_event(EventRef(*event)).release();
          return TRUE;
        },
        this);
  }

  // --- the position --------------------------------------------------------------------------

  /// The moment at which a medium that is not live begins.
  void note_begin(GstEvent* event) {
    GstTagList* tags = nullptr;
    gst_event_parse_tag(event, &tags);
    GstDateTime* found = nullptr;
    if (!gst_tag_list_get_date_time(tags, GST_TAG_DATE_TIME, &found)) return;
    if (gst_date_time_has_second(found)) {
      g_autoptr(GDateTime) time = gst_date_time_to_g_date_time(found);
      if (time) began_at_ = g_date_time_to_unix(time) * G_USEC_PER_SEC;
    }
    gst_date_time_unref(found);
  }

  GstClockTime stream_time(const GstBuffer* buffer) const {
    if (segment_.format != GST_FORMAT_TIME || !GST_BUFFER_PTS_IS_VALID(buffer))
      return GST_CLOCK_TIME_NONE;
    return gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  }

  bool is_live() const {
    GstQuery* query = gst_query_new_latency();
    gboolean live = FALSE;
    if (gst_pad_peer_query(sink_, query)) gst_query_parse_latency(query, &live, nullptr, nullptr);
    gst_query_unref(query);
    return live;
  }

  /// When a buffer was captured: it says so, it is live, or the medium says when it began.
  std::optional<int64_t> capture_time(GstBuffer* buffer) const {
    if (const auto time = capture_time_of(buffer)) return time;
    if (is_live()) return g_get_real_time();
    const GstClockTime time = stream_time(buffer);
    if (!began_at_ || !GST_CLOCK_TIME_IS_VALID(time)) return std::nullopt;
    return *began_at_ + static_cast<int64_t>(GST_TIME_AS_USECONDS(time));
  }

  void inject(GstBuffer* buffer, const Allowance& allowance) {
    std::optional<Position> position;
    // That of a track is where the buffer was captured; the others are where the gate is now.
    if (positions_.needs_time() ? allowance.place : now_.place) {
      position = positions_.at(positions_.needs_time() ? capture_time(buffer) : std::nullopt);
      if (position) position = rounded(*position, now_.precision);
    }
    const auto same = [](const Position& a, const Position& b) {
      return a.latitude == b.latitude && a.longitude == b.longitude && a.altitude == b.altitude;
    };
    if (position.has_value() == position_.has_value() && (!position || same(*position, *position_)))
      return;
    const GstClockTime time = stream_time(buffer);
    const bool too_early = position && position_ && positioned_at_ &&
                           GST_CLOCK_TIME_IS_VALID(time) && time >= *positioned_at_ &&
                           time - *positioned_at_ < least_interval;
    if (too_early) return;
    position_ = position;
    positioned_at_.reset();
    if (GST_CLOCK_TIME_IS_VALID(time)) positioned_at_ = time;
    tags_.set_position(position);
  }

  GstElement* const element_;
  sphere::PropertyProblems properties_{element_};
  GstPad* sink_;
  GstPad* src_;
  PositionSource positions_;
  std::atomic<Purpose> purpose_ = default_purpose;
  std::atomic<Precision> precision_ = default_precision;
  std::atomic<bool> relinked_ = true;     // elements behind the gate may have changed
  std::atomic<bool> everything_ = false;  // now_.everything(), for other threads

  // Used only by the streaming thread.
  Purpose purpose_now_ = default_purpose;  // the property may have changed since the last buffer
  std::optional<Guard> place_, identity_;
  std::optional<CapturedSince> captured_place_, captured_identity_;
  uint64_t decisions_ = 0;
  Allowance now_;
  StreamContent content_;
  StreamTags tags_;
  std::optional<TagSetters> setters_;
  GstSegment segment_;
  std::optional<Position> position_;           // what was put into the stream
  std::optional<GstClockTime> positioned_at_;  // the stream time at which it was
  std::optional<int64_t> began_at_;            // microseconds since 1970 UTC
};

}  // namespace

struct _GstSphereGeoGate {
  GstElement parent;
  GeoGate* self;
};

G_DEFINE_TYPE(GstSphereGeoGate, gst_sphere_geo_gate, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE(spheregeogate, "spheregeogate", GST_RANK_NONE, GST_TYPE_SPHERE_GEO_GATE)

namespace {

gboolean sink_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION &&
      !GST_SPHERE_GEO_GATE(parent)->self->offers_memory())
    return FALSE;
  return gst_pad_query_default(pad, parent, query);
}

gboolean src_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_RECONFIGURE)
    GST_SPHERE_GEO_GATE(parent)->self->note_relinked();
  return gst_pad_event_default(pad, parent, event);
}

}  // namespace

static void gst_sphere_geo_gate_init(GstSphereGeoGate* gate) {
  gate->self = new GeoGate(GST_ELEMENT(gate));
  set_sink_functions<GstSphereGeoGate>(gate->self->sink());
  gst_pad_set_query_function(gate->self->sink(), sink_query);
  gst_pad_set_event_function(gate->self->src(), src_event);
}

static void gst_sphere_geo_gate_class_init(GstSphereGeoGateClass* klass) {
  GST_DEBUG_CATEGORY_INIT(spheregeogate_debug, "spheregeogate", 0,
                          "places and identity only with consent");
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  install_gate<GstSphereGeoGate>(element_class);
  constexpr auto playing = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                    GST_PARAM_MUTABLE_PLAYING);
  install_properties(object_class);
  g_object_class_install_property(
      object_class, PROP_PURPOSE,
      g_param_spec_enum("purpose", "Purpose", "Purpose of the places", purpose_type(),
                        static_cast<int>(default_purpose), playing));
  // Not readable, because otherwise it would appear in every graph and verbose output.
  g_object_class_install_property(
      object_class, PROP_POSITION,
      g_param_spec_string("position", "Position",
                          "Position that is put into the stream: LATITUDE,LONGITUDE[,ALTITUDE] in "
                          "decimal degrees and metres",
                          nullptr,
                          static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_PLAYING)));
  g_object_class_install_property(
      object_class, PROP_GPX,
      g_param_spec_string("gpx", "GPX",
                          "File with a track; the position at the time of each buffer is put into "
                          "the stream. Ignored when position or gpsd gives one",
                          nullptr, playing));
  g_object_class_install_property(
      object_class, PROP_GPSD,
      g_param_spec_string("gpsd", "gpsd",
                          "HOST:PORT of gpsd, the position of which is put into the stream. "
                          "Ignored when position is set",
                          nullptr, playing));
  g_object_class_install_property(
      object_class, PROP_PRECISION,
      g_param_spec_enum("precision", "Precision",
                        "How exact places may be; the consent may ask for less exact ones",
                        precision_type(), static_cast<int>(default_precision), playing));

  sphere::install_pads(element_class, "ANY");
  gst_element_class_set_static_metadata(element_class, "Place gate", "Filter/Metadata",
                                        "Passes places and identity only with consent",
                                        "The gst-sphere authors");
}
