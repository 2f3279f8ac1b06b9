// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/privacy/tagelement.h"

#include <algorithm>
#include <string>
#include <utility>

#include "gst/sphere/base/printable.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/guard.h"
#include "gst/sphere/consent/position.h"
#include "gst/sphere/makers/makers.h"
#include "plugins/privacy/buffer_bytes.h"
#include "plugins/privacy/element.h"
#include "plugins/privacy/tags.h"

GST_DEBUG_CATEGORY_STATIC(spheretag_debug);
#define GST_CAT_DEFAULT spheretag_debug

namespace sphere::privacy {

namespace {

using consent::Category;
using consent::Consent;
using consent::Guard;
using consent::Precision;
using consent::ProblemReporter;
using consent::Purpose;
using media::SphereMark;
using media::StreamEditor;

enum {
  PROP_POSITION = consent::PROP_FIRST_OF_ELEMENT,
  PROP_GPX,
  PROP_SPHERICAL,
  PROP_KEEP,
  PROP_STEREO_MODE
};

enum Keep : guint { keep_stitching = 1 << 0 };
constexpr guint default_keep = keep_stitching;
constexpr bool default_spherical = true;
constexpr auto default_stereo = SphereMark::Stereo::mono;

GType keep_type() {
  static const GFlagsValue values[] = {
      {keep_stitching, "The data of the lenses, until the picture is stitched", "stitching"},
      {0, nullptr, nullptr},
  };
  static const GType type = g_flags_register_static("GstSphereTagKeep", values);
  return type;
}

GType stereo_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(SphereMark::Stereo::mono), "One picture for both eyes", "mono"},
      {static_cast<int>(SphereMark::Stereo::top_bottom), "The left eye above", "top-bottom"},
      {static_cast<int>(SphereMark::Stereo::left_right), "The left eye at the left", "left-right"},
      {0, nullptr, nullptr},
  };
  static const GType type = g_enum_register_static("GstSphereTagStereoMode", values);
  return type;
}

bool has_field(const GstCaps* caps, const char* field) {
  return gst_caps_get_size(caps) > 0 &&
         gst_structure_has_field(gst_caps_get_structure(caps, 0), field);
}

}  // namespace

/// What an element has, beside the C instance.
class TagElement {
 public:
  TagElement(GstElement* element, std::unique_ptr<StreamEditor> (*make_editor)(bool can_go_back),
             bool pictures)
      : element_(element), make_editor_(make_editor), pictures_(pictures) {
    sink_ = add_pad(element, "sink");
    src_ = add_pad(element, "src");
  }

  GstPad* sink() const { return sink_; }

  // --- with the streaming stopped -----------------------------------------------------------

  void start() {
    properties_.tell();
    place_.emplace(consent, Category::location, Purpose::geotag);
    identity_.emplace(consent, Category::device, Purpose::share);
    sound_.emplace(consent, Category::audio, Purpose::record);
    reset();
  }
  void stop() {
    positions.set_wanted(false);
    editor_.reset();
    place_.reset();
    identity_.reset();
    sound_.reset();
  }

  // --- in the streaming thread --------------------------------------------------------------

  GstFlowReturn chain(BufferRef buffer) {
    const MappedBytes map(buffer.get());
    if (!map) {
      GST_ELEMENT_ERROR(element_, STREAM, FAILED, ("A buffer can't be read."), (nullptr));
      return GST_FLOW_ERROR;
    }
    if (!editor_) editor_ = make_editor_(stream_.segment.format == GST_FORMAT_BYTES);
    std::vector<StreamEditor::Write> writes;
    const media::Request request = make_request();
    const bool whole = pictures_ && stream_.segment.format == GST_FORMAT_TIME;
    Status taken = editor_->take(whole ? 0 : stream_.offset, map.bytes(), request, &writes);
    stream_.offset += map.bytes().size();
    if (taken && whole) taken = editor_->end(request, &writes);
    if (!taken) return fail(taken.error());
    return push(std::move(writes), buffer.get(), whole);
  }

  gboolean event(EventRef event) {
    switch (GST_EVENT_TYPE(event.get())) {
      case GST_EVENT_STREAM_START:
      case GST_EVENT_FLUSH_STOP:
        reset();
        break;
      case GST_EVENT_SEGMENT:
        return take_segment(std::move(event));
      case GST_EVENT_CAPS:
        return take_caps(std::move(event));
      case GST_EVENT_TAG: {
        GstTagList* tags = nullptr;
        gst_event_parse_tag(event.get(), &tags);
        TagsRef allowed = allowed_tags(tags, allowance());
        event = in_place_of(event, gst_event_new_tag(allowed.release()));
        break;
      }
      case GST_EVENT_TOC:
        // Titles of chapters, which nobody has examined.
        if (!allowance().everything()) return TRUE;
        break;
      case GST_EVENT_EOS:
        if (!finish()) return FALSE;
        break;
      default:
        break;
    }
    return gst_pad_push_event(src_, event.release());
  }

  // --- any thread ----------------------------------------------------------------------------

  void set_position(const char* text) {
    const auto position = parse_position_setting(text);
    positions.set_position(position ? *position : std::nullopt);
    // The text is not repeated in messages.
    properties_.set("position", position ? ok() : Status(position.error()));
  }
  void set_gpx(const char* path) {
    properties_.set(
        "gpx", positions.set_gpx(path && *path ? std::optional<std::string>(path) : std::nullopt));
  }

  Consent consent;
  ProblemReporter problems;
  PositionSource positions;
  std::atomic<bool> spherical = default_spherical;
  std::atomic<guint> keep = default_keep;
  std::atomic<SphereMark::Stereo> stereo = default_stereo;

 private:
  /// What is known of the stream since it began.
  struct Stream {
    Stream() { gst_segment_init(&segment, GST_FORMAT_UNDEFINED); }
    GstSegment segment;
    bool segment_sent = false;
    uint64_t offset = 0;  ///< of the next bytes of the muxer
    uint64_t next = 0;    ///< of the next bytes of the edited file
    CapsRef caps;         ///< without headers
    bool header_sent = false;
  };

  void reset() {
    editor_.reset();
    stream_ = Stream();
  }

  GstFlowReturn fail(const Error& error) {
    GST_ELEMENT_ERROR(
        element_, STREAM, FORMAT,
        ("The stream can't be examined, so nothing of it passes: %s.", error.message.c_str()),
        (nullptr));
    return GST_FLOW_ERROR;
  }

  Allowance allowance() {
    const Consent::Version version = consent.version();
    Allowance allowance;
    allowance.place = place_->allowed(version);
    allowance.identity = identity_->allowed(version);
    if (allowance.place) allowance.precision = place_->answer().precision;
    problems.report(element_, place_->answer().problem);
    return allowance;
  }

  media::Request make_request() {
    const Allowance allowed = allowance();
    media::Request request;
    request.policy = allowed.policy();
    request.policy.sound = sound_->allowed();
    request.policy.stitching = keep & keep_stitching;
    request.makers = makers::all();
    if (spherical) {
      request.mark = SphereMark();
      request.mark->stereo = stereo;
    }
    positions.set_wanted(allowed.place);
    if (!allowed.place) return request;
    const int64_t now = g_get_real_time();
    if (const std::optional<Position> position = positions.at(now)) {
      request.position = consent::rounded(*position, allowed.precision);
      if (positions.needs_time()) request.position_time = now;
    }
    return request;
  }

  GstFlowReturn push(std::vector<StreamEditor::Write> writes, GstBuffer* model, bool whole) {
    for (StreamEditor::Write& write : writes) {
      if (write.bytes.empty()) continue;
      if (!whole && write.offset != stream_.next) {
        // A network can't go back.
        if (stream_.segment.format != GST_FORMAT_BYTES) continue;
        send_segment(write.offset);
      }
      const uint64_t size = write.bytes.size();
      auto* bytes = new std::vector<uint8_t>(std::move(write.bytes));
      BufferRef buffer(gst_buffer_new_wrapped_full(
          static_cast<GstMemoryFlags>(0), bytes->data(), bytes->size(), 0, bytes->size(), bytes,
          [](gpointer data) { delete static_cast<std::vector<uint8_t>*>(data); }));
      if (model)
        gst_buffer_copy_into(
            buffer.get(), model,
            static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS |
                                            GST_BUFFER_COPY_META),
            0, static_cast<gsize>(-1));
      if (!whole) GST_BUFFER_OFFSET(buffer.get()) = write.offset;
      stream_.next = write.offset + size;
      send_header();
      const GstFlowReturn flow = gst_pad_push(src_, buffer.release());
      if (flow != GST_FLOW_OK) return flow;
    }
    return GST_FLOW_OK;
  }

  /// The muxer has sent its last bytes.
  bool finish() {
    if (!editor_ || (pictures_ && stream_.segment.format == GST_FORMAT_TIME)) return true;
    std::vector<StreamEditor::Write> writes;
    const Status ended = editor_->end(make_request(), &writes);
    if (!ended) {
      fail(ended.error());
      return false;
    }
    return push(std::move(writes), nullptr, false) == GST_FLOW_OK;
  }

  gboolean take_segment(EventRef event) {
    gst_event_copy_segment(event.get(), &stream_.segment);
    if (stream_.segment.format != GST_FORMAT_BYTES)
      return gst_pad_push_event(src_, event.release());
    // Later a muxer goes back to fill in a size, which the edited file may have elsewhere.
    stream_.offset = stream_.segment.start;
    if (std::exchange(stream_.segment_sent, true)) return TRUE;
    return gst_pad_push_event(src_, event.release());
  }

  void send_segment(uint64_t offset) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_BYTES);
    segment.start = segment.position = offset;
    gst_pad_push_event(src_, gst_event_new_segment(&segment));
  }

  /// The headers in the caps are those of the muxer, and would tell everything that is taken out.
  gboolean take_caps(EventRef event) {
    GstCaps* caps = nullptr;
    gst_event_parse_caps(event.get(), &caps);
    stream_.caps.reset(gst_caps_ref(caps));
    if (!has_field(caps, "streamheader")) return gst_pad_push_event(src_, event.release());
    stream_.caps.reset(gst_caps_copy(caps));
    gst_structure_remove_field(gst_caps_get_structure(stream_.caps.get(), 0), "streamheader");
    stream_.header_sent = false;
    send_header();
    return TRUE;
  }

  /// Caps with the edited header, as soon as there is one.
  void send_header() {
    if (stream_.header_sent || !editor_ || !stream_.caps) return;
    const std::optional<std::vector<uint8_t>> header = editor_->header();
    if (!header) return;
    stream_.header_sent = true;
    CapsRef caps(gst_caps_copy(stream_.caps.get()));
    set_headers(gst_caps_get_structure(caps.get(), 0), {*header});
    gst_pad_push_event(src_, gst_event_new_caps(caps.get()));
  }

  GstElement* const element_;
  PropertyProblems properties_{element_};
  std::unique_ptr<StreamEditor> (*const make_editor_)(bool can_go_back);
  const bool pictures_;
  GstPad* sink_;
  GstPad* src_;

  // Used only by the streaming thread.
  std::optional<Guard> place_, identity_, sound_;
  std::unique_ptr<StreamEditor> editor_;
  Stream stream_;
};

}  // namespace sphere::privacy

using sphere::BufferRef;
using sphere::EventRef;
using sphere::media::SphereMark;
using sphere::privacy::TagElement;
using namespace sphere::privacy;

/// The C instance.
struct GstSphereTagPrivate {
  TagElement* element;
};

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(GstSphereTag, gst_sphere_tag, GST_TYPE_ELEMENT)

namespace {

TagElement& element_of(gpointer instance) {
  auto* self = static_cast<GstSphereTag*>(instance);
  return *static_cast<GstSphereTagPrivate*>(gst_sphere_tag_get_instance_private(self))->element;
}

GstFlowReturn sink_chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
  return element_of(parent).chain(BufferRef(buffer));
}

gboolean sink_event(GstPad*, GstObject* parent, GstEvent* event) {
  return element_of(parent).event(EventRef(event));
}

void set_context(GstElement* element, GstContext* context) {
  sphere::privacy::set_context(element_of(element), gst_sphere_tag_parent_class, element, context);
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  return sphere::privacy::change_state(element_of(element), gst_sphere_tag_parent_class, element,
                                       transition);
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  TagElement& tag = element_of(object);
  if (sphere::consent::set_property(tag.consent, GST_ELEMENT(object), id, value)) return;
  switch (id) {
    case PROP_POSITION:
      tag.set_position(g_value_get_string(value));
      break;
    case PROP_GPX:
      tag.set_gpx(g_value_get_string(value));
      break;
    case PROP_SPHERICAL:
      tag.spherical = g_value_get_boolean(value);
      break;
    case PROP_KEEP:
      tag.keep = g_value_get_flags(value);
      break;
    case PROP_STEREO_MODE:
      tag.stereo = static_cast<SphereMark::Stereo>(g_value_get_enum(value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  TagElement& tag = element_of(object);
  if (sphere::consent::get_property(tag.consent, id, value)) return;
  switch (id) {
    case PROP_GPX: {
      const std::optional<std::string> path = tag.positions.gpx();
      g_value_set_string(value, path ? path->c_str() : nullptr);
      break;
    }
    case PROP_SPHERICAL:
      g_value_set_boolean(value, tag.spherical);
      break;
    case PROP_KEEP:
      g_value_set_flags(value, tag.keep);
      break;
    case PROP_STEREO_MODE:
      g_value_set_enum(value, static_cast<int>(tag.stereo.load()));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void constructed(GObject* object) {
  G_OBJECT_CLASS(gst_sphere_tag_parent_class)->constructed(object);
  const GstSphereTagClass* klass = GST_SPHERE_TAG_GET_CLASS(object);
  auto* self = static_cast<GstSphereTagPrivate*>(
      gst_sphere_tag_get_instance_private(GST_SPHERE_TAG(object)));
  self->element = new TagElement(GST_ELEMENT(object), klass->make_editor, klass->pictures);
  gst_pad_set_chain_function(self->element->sink(), sink_chain);
  gst_pad_set_event_function(self->element->sink(), sink_event);
}

void finalize(GObject* object) {
  delete &element_of(object);
  G_OBJECT_CLASS(gst_sphere_tag_parent_class)->finalize(object);
}

}  // namespace

static void gst_sphere_tag_init(GstSphereTag*) {}

static void gst_sphere_tag_class_init(GstSphereTagClass* klass) {
  GST_DEBUG_CATEGORY_INIT(spheretag_debug, "spheretag", 0, "metadata behind a muxer");
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->constructed = constructed;
  object_class->finalize = finalize;
  object_class->set_property = set_property;
  object_class->get_property = get_property;

  constexpr auto playing = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                    GST_PARAM_MUTABLE_PLAYING);
  constexpr auto secret = static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_PLAYING);
  sphere::consent::install_properties(object_class);
  g_object_class_install_property(
      object_class, PROP_POSITION,
      g_param_spec_string("position", "Position",
                          "Position to write, as LATITUDE,LONGITUDE[,ALTITUDE] in decimal degrees "
                          "and metres, if location is given for geotag; it can't be read back",
                          nullptr, secret));
  g_object_class_install_property(
      object_class, PROP_GPX,
      g_param_spec_string("gpx", "GPX",
                          "GPX file with the track that has the position at the present time",
                          nullptr, playing));
  g_object_class_install_property(
      object_class, PROP_SPHERICAL,
      g_param_spec_boolean("spherical", "Spherical",
                           "Mark the pictures as equirectangular 360 pictures", default_spherical,
                           playing));
  g_object_class_install_property(
      object_class, PROP_KEEP,
      g_param_spec_flags("keep", "Keep",
                         "Useful data that stays although it tells one camera from "
                         "another",
                         keep_type(), default_keep, playing));
  gst_type_mark_as_plugin_api(keep_type(), static_cast<GstPluginAPIFlags>(0));
  gst_type_mark_as_plugin_api(gst_sphere_tag_get_type(), static_cast<GstPluginAPIFlags>(0));

  auto* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = change_state;
  element_class->set_context = set_context;
}

namespace sphere::privacy {

void install_tag_element(GstSphereTagClass* klass, GstStaticPadTemplate* sink,
                         GstStaticPadTemplate* src,
                         std::unique_ptr<media::StreamEditor> (*make_editor)(bool can_go_back),
                         bool pictures) {
  klass->make_editor = make_editor;
  klass->pictures = pictures;
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), sink);
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), src);
  if (pictures) return;
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  g_object_class_install_property(
      object_class, PROP_STEREO_MODE,
      g_param_spec_enum("stereo-mode", "Stereo mode", "How the pictures of two eyes are packed",
                        stereo_type(), static_cast<int>(default_stereo),
                        static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                 GST_PARAM_MUTABLE_PLAYING)));
  gst_type_mark_as_plugin_api(stereo_type(), static_cast<GstPluginAPIFlags>(0));
}

}  // namespace sphere::privacy
