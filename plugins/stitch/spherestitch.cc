// SPDX-License-Identifier: LGPL-2.1-or-later
// spherestitch: the element that chooses the stitcher for this machine.

/**
 * SECTION:element-spherestitch
 * @title: spherestitch
 *
 * Stitches the two fisheye pictures of a dual-lens camera to one equirectangular picture, with
 * #glspherestitch if there is a GPU, and with #cpuspherestitch if GL is drawn in software or there
 * is no GL.
 *
 * The properties #GstSphereStitch:stitcher and #GstSphereStitch:reason tell which one it chose and
 * why. An element message named `sphere-stitcher` has the same fields, and the log tells it, too
 * (`GST_DEBUG=spherestitch:4`).
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 spheretestsrc ! spherestitch ! videoconvert ! autovideosink
 * ]|
 * |[
 * gst-launch-1.0 filesrc location=in.mp4 ! decodebin ! videoconvert ! spherestitch lens=gear360 yaw=90 ! x264enc ! mp4mux ! filesink location=out.mp4
 * ]|
 *
 * Since: 0.1
 */

#include "plugins/stitch/spherestitch.h"

#include <string>
#include <vector>

#include "config.h"
#include "plugins/stitch/stitching.h"
#if HAVE_GL
#include "gst/sphere/gl/headless.h"
#endif

GST_DEBUG_CATEGORY_STATIC(spherestitch_debug);
#define GST_CAT_DEFAULT spherestitch_debug

namespace {

#define SPHERE_STITCH_CAPS                                                                 \
  GST_VIDEO_CAPS_MAKE("{ NV12, I420, Y444, RGBA, P010_10LE, I420_10LE }")                  \
  "; " GST_VIDEO_CAPS_MAKE_WITH_FEATURES("ANY",                                            \
                                         "{ NV12, I420, Y444, RGBA, P010_10LE, I420_10LE " \
                                         "}")

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                                                             GST_STATIC_CAPS(SPHERE_STITCH_CAPS));
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                                                            GST_STATIC_CAPS(SPHERE_STITCH_CAPS));

enum { PROP_THREADS = sphere::stitch_prop_end, PROP_STITCHER, PROP_REASON };

/// Which stitcher to take, and the reason in words.
struct Choice {
  bool gl = false;
  std::string reason;
};

Choice choose() {
#if HAVE_GL
  const sphere::GlProbe& gl = sphere::probe_gl();
  if (!gl.usable) return {false, "GL can't be used: " + gl.reason};
  if (gl.software) return {false, "GL is drawn in software (" + gl.renderer + ")"};
  return {true, "GL runs on " + gl.renderer};
#else
  return {false, "built without GL"};
#endif
}

}  // namespace

struct Self {
  explicit Self(GstElement* owner) : settings(owner) {}

  /// The values of the properties until the child exists; its properties are then bound to these.
  sphere::Stitching settings;
  sphere::ThreadsProperty threads{PROP_THREADS};
  // Protects the choice. Held only while it is copied, never across a post.
  sphere::Mutex mutex;
  Choice choice SPHERE_GUARDED_BY(mutex);
  bool chosen SPHERE_GUARDED_BY(mutex) = false;
};

struct _GstSphereStitch {
  GstBin parent;
  GstPad* sink;
  GstPad* src;
  Self* self;
};

G_DEFINE_TYPE(GstSphereStitch, gst_sphere_stitch, GST_TYPE_BIN)
GST_ELEMENT_REGISTER_DEFINE(spherestitch, "spherestitch", GST_RANK_NONE, GST_TYPE_SPHERE_STITCH)

namespace {

const char* stitcher_name(const Choice& choice) {
  return choice.gl ? "glspherestitch" : "cpuspherestitch";
}

/// Binds each property of this class to the child's property of the same name.
void bind_properties(GstSphereStitch* stitch, GstElement* child) {
  guint count = 0;
  g_autofree GParamSpec** specs =
      g_object_class_list_properties(G_OBJECT_GET_CLASS(stitch), &count);
  for (guint i = 0; i < count; ++i) {
    if (specs[i]->owner_type != GST_TYPE_SPHERE_STITCH || !(specs[i]->flags & G_PARAM_WRITABLE))
      continue;
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(child), specs[i]->name))
      g_object_bind_property(stitch, specs[i]->name, child, specs[i]->name, G_BINDING_SYNC_CREATE);
  }
}

/// Makes the elements, links them in this order, and sets the targets of the ghost pads.
bool fill_bin(GstSphereStitch* stitch, const std::vector<const char*>& factories) {
  GstElement* first = nullptr;
  GstElement* last = nullptr;
  for (const char* factory : factories) {
    GstElement* element = gst_element_factory_make(factory, nullptr);
    if (!element) {
      GST_ELEMENT_ERROR(stitch, CORE, MISSING_PLUGIN,
                        ("The element '%s' is missing; install GStreamer's base plugins.", factory),
                        (nullptr));
      return false;
    }
    gst_bin_add(GST_BIN(stitch), element);
    bind_properties(stitch, element);
    if (last && !gst_element_link(last, element)) return false;
    if (!first) first = element;
    last = element;
  }
  g_autoptr(GstPad) sink = gst_element_get_static_pad(first, "sink");
  g_autoptr(GstPad) src = gst_element_get_static_pad(last, "src");
  return gst_ghost_pad_set_target(GST_GHOST_PAD(stitch->sink), sink) &&
         gst_ghost_pad_set_target(GST_GHOST_PAD(stitch->src), src);
}

void empty_bin(GstSphereStitch* stitch) {
  gst_ghost_pad_set_target(GST_GHOST_PAD(stitch->sink), nullptr);
  gst_ghost_pad_set_target(GST_GHOST_PAD(stitch->src), nullptr);
  while (GList* child = GST_BIN_CHILDREN(stitch)) {
    auto* element = GST_ELEMENT(child->data);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_bin_remove(GST_BIN(stitch), element);
  }
}

/// Chooses the stitcher, posts a message with the choice, and fills the bin.
bool take_stitcher(GstSphereStitch* stitch) {
  const Choice choice = choose();
  {
    sphere::Lock lock(stitch->self->mutex);
    stitch->self->choice = choice;
    stitch->self->chosen = true;
  }
  GST_INFO_OBJECT(stitch, "uses %s: %s", stitcher_name(choice), choice.reason.c_str());
  gst_element_post_message(
      GST_ELEMENT(stitch),
      gst_message_new_element(
          GST_OBJECT(stitch),
          gst_structure_new("sphere-stitcher", "stitcher", G_TYPE_STRING, stitcher_name(choice),
                            "reason", G_TYPE_STRING, choice.reason.c_str(), nullptr)));
  g_object_notify(G_OBJECT(stitch), "stitcher");
  g_object_notify(G_OBJECT(stitch), "reason");
  if (choice.gl) return fill_bin(stitch, {"glupload", "glspherestitch", "gldownload"});
  return fill_bin(stitch, {"cpuspherestitch"});
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  GstSphereStitch* stitch = GST_SPHERE_STITCH(element);
  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !take_stitcher(stitch)) {
    empty_bin(stitch);
    return GST_STATE_CHANGE_FAILURE;
  }
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_sphere_stitch_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
      (transition == GST_STATE_CHANGE_NULL_TO_READY && result == GST_STATE_CHANGE_FAILURE))
    empty_bin(stitch);
  return result;
}

/// Applies the values of a GstController to the bin's properties, by stream time. GstBaseTransform
/// does this for its own elements, but a bin does not.
GstPadProbeReturn sync_values(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto* stitch = GST_OBJECT(data);
  if (!gst_object_has_active_control_bindings(stitch)) return GST_PAD_PROBE_OK;
  g_autoptr(GstEvent) event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
  const GstSegment* segment = nullptr;
  if (event) gst_event_parse_segment(event, &segment);
  if (!segment || segment->format != GST_FORMAT_TIME) return GST_PAD_PROBE_OK;
  const GstClockTime time = gst_segment_to_stream_time(
      segment, GST_FORMAT_TIME, GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)));
  if (GST_CLOCK_TIME_IS_VALID(time)) gst_object_sync_values(stitch, time);
  return GST_PAD_PROBE_OK;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  Self* self = GST_SPHERE_STITCH(object)->self;
  if (!self->settings.set_property(id, value) && !self->threads.set(id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  Self* self = GST_SPHERE_STITCH(object)->self;
  if (self->settings.get_property(id, value) || self->threads.get(id, value)) return;
  sphere::Lock lock(self->mutex);
  switch (id) {
    case PROP_STITCHER:
      g_value_set_string(value, self->chosen ? stitcher_name(self->choice) : nullptr);
      break;
    case PROP_REASON:
      g_value_set_string(value, self->chosen ? self->choice.reason.c_str() : nullptr);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  delete GST_SPHERE_STITCH(object)->self;
  G_OBJECT_CLASS(gst_sphere_stitch_parent_class)->finalize(object);
}

GstPad* add_ghost_pad(GstSphereStitch* stitch, GstStaticPadTemplate* pad_template) {
  g_autoptr(GstPadTemplate) made = gst_static_pad_template_get(pad_template);
  GstPad* pad = gst_ghost_pad_new_no_target_from_template(pad_template->name_template, made);
  gst_element_add_pad(GST_ELEMENT(stitch), pad);
  return pad;
}

}  // namespace

static void gst_sphere_stitch_init(GstSphereStitch* stitch) {
  stitch->self = new Self(GST_ELEMENT(stitch));
  stitch->sink = add_ghost_pad(stitch, &sink_template);
  stitch->src = add_ghost_pad(stitch, &src_template);
  gst_pad_add_probe(stitch->sink, GST_PAD_PROBE_TYPE_BUFFER, sync_values, stitch, nullptr);
}

static void gst_sphere_stitch_class_init(GstSphereStitchClass* klass) {
  GST_DEBUG_CATEGORY_INIT(spherestitch_debug, "spherestitch", 0,
                          "chooses the stitcher that suits this machine");
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  sphere::install_stitch_properties(object_class);
  sphere::install_threads_property(object_class, PROP_THREADS);
  constexpr auto readable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object_class, PROP_STITCHER,
      g_param_spec_string("stitcher", "Stitcher",
                          "The element that draws, glspherestitch or cpuspherestitch; unset before "
                          "the state READY",
                          nullptr, readable));
  g_object_class_install_property(
      object_class, PROP_REASON,
      g_param_spec_string("reason", "Reason", "Why this stitcher was chosen", nullptr, readable));

  auto* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = change_state;
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(
      element_class, "Sphere stitcher", "Filter/Effect/Converter/Video",
      "Stitches dual fisheye pictures to equirectangular ones on the GPU or the CPU",
      "The gst-sphere authors");
}
