// SPDX-License-Identifier: LGPL-2.1-or-later
// spherecamsrc: the live preview of a camera on the network.

/**
 * SECTION:element-spherecamsrc
 * @title: spherecamsrc
 *
 * The live preview of a Xiaomi Mi Sphere (Mijia 360) as H.264, and the control of the camera. It
 * starts a session, sets the camera's clock, tells the stitcher downstream which lenses took the
 * pictures (the event `sphere-lens`), and posts the camera's state and notifications as element
 * messages.
 *
 * When the camera is lost, the element connects again, after pauses that grow. The stream and its
 * timestamps go on. A warning tells why the camera was lost, and an info message when it is back.
 *
 * Without consent the stream has no sound, recordings are silent, no position is sent to the camera
 * and nothing about it is stored. Consent is given by the properties `consent` and `ledger`, and by
 * an application's context. The pad `audio` exists only while sound is allowed for `live`.
 *
 * A camera accepts one client. Elements and #GstSphereCamera objects of one program that use the
 * same camera share one connection; the property `camera` names the object to share with.
 *
 * Element messages:
 * - `sphere-connection`: `state` (connecting, connected, preview-only, lost), and with the last two
 *   the `reason` as text and the `pause` before the next attempt in nanoseconds. `preview-only`:
 *   pictures still come, but the camera can't be controlled.
 * - `sphere-camera`: the known state of the camera: `working-mode`, `recording`, `battery`
 *   (percent), `charging`, `card` and the space that is left on it.
 * - `sphere-notification`: `id`, `name`, and `path` of a photo or a video that was saved.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 spherecamsrc location=madv://192.168.42.1 ! decodebin ! spherestitch ! videoconvert ! autovideosink
 * ]|
 *
 * Since: 0.1
 */

#include "plugins/camera/spherecamsrc.h"

#include <string>

#include "gst/sphere/base/element.h"
#include "gst/sphere/base/printable.h"
#include "gst/sphere/consent/element.h"
#include "hw/camera.h"
#include "plugins/camera/bus_messages.h"
#include "plugins/camera/camera_use.h"
#include "plugins/camera/connection.h"
#include "plugins/camera/live_pad.h"

// Also used by the other files of this folder.
GST_DEBUG_CATEGORY(spherecamsrc_debug);
#define GST_CAT_DEFAULT spherecamsrc_debug

namespace {

using namespace sphere::camera;

// The formats that cameras send, without RTP.
GstStaticPadTemplate audio_template = GST_STATIC_PAD_TEMPLATE(
    "audio", GST_PAD_SRC, GST_PAD_SOMETIMES,
    GST_STATIC_CAPS("audio/mpeg, mpegversion = (int) 4; audio/x-opus; audio/x-mulaw; "
                    "audio/x-alaw; audio/x-raw"));

enum {
  PROP_LOCATION = sphere::consent::PROP_FIRST_OF_ELEMENT,
  PROP_PROTOCOLS,
  PROP_LATENCY,
  PROP_TIMEOUT,
  PROP_RECONNECT,
  PROP_STATS,
  PROP_POSITION,
  PROP_POSITION_INTERVAL,
  PROP_CAMERA
};
enum { SIGNAL_TAKE_PHOTO, SIGNAL_START_RECORDING, SIGNAL_STOP_RECORDING, SIGNAL_COUNT };
guint signals[SIGNAL_COUNT];

}  // namespace

// --- the element -----------------------------------------------------------------------------

struct _GstSphereCamSrc {
  GstBin parent;
  CameraConnection* connection;
  sphere::PropertyProblems* properties;
  gboolean whole;  // the elements that it needs exist
};

static void gst_sphere_cam_src_uri_handler_init(gpointer iface, gpointer data);

G_DEFINE_TYPE_WITH_CODE(GstSphereCamSrc, gst_sphere_cam_src, GST_TYPE_BIN,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER,
                                              gst_sphere_cam_src_uri_handler_init))
GST_ELEMENT_REGISTER_DEFINE(spherecamsrc, "spherecamsrc", GST_RANK_PRIMARY, GST_TYPE_SPHERE_CAM_SRC)

namespace {

gboolean video_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  if (answer_about_seeking(query) || gst_pad_query_default(pad, parent, query)) return TRUE;
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return FALSE;
  // Before the camera is connected, no element can answer the query, but the answer is known.
  const guint latency = GST_SPHERE_CAM_SRC(parent)->connection->settings().get().latency;
  gst_query_set_latency(query, TRUE, latency * GST_MSECOND, GST_CLOCK_TIME_NONE);
  return TRUE;
}

GstFlowReturn video_chain(GstPad* pad, GstObject* parent, GstBuffer* buffer) {
  auto* connection = static_cast<CameraConnection*>(pad->chaindata);
  connection->set_pushing(true);
  const GstFlowReturn flow = gst_proxy_pad_chain_default(pad, parent, buffer);
  connection->set_pushing(false);
  // Downstream wants no more. The others behind the same source are told here: a connection that is
  // told to stop does not send an end in every case.
  if (flow == GST_FLOW_EOS && connection->finish())
    gst_pad_push_event(GST_PAD(parent), gst_event_new_eos());
  return flow;
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  CameraConnection* connection = GST_SPHERE_CAM_SRC(element)->connection;
  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !GST_SPHERE_CAM_SRC(element)->whole) {
    GST_ELEMENT_ERROR(element, CORE, MISSING_PLUGIN,
                      ("The element 'capsfilter' is missing; install GStreamer's core plugins."),
                      (nullptr));
    return GST_STATE_CHANGE_FAILURE;
  }
  if (transition == GST_STATE_CHANGE_NULL_TO_READY)
    sphere::consent::prepare(connection->consent(), element);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) connection->stop();
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_sphere_cam_src_parent_class)->change_state(element, transition);
  if (result == GST_STATE_CHANGE_FAILURE) return result;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    GST_SPHERE_CAM_SRC(element)->properties->tell();
    if (!connection->start()) return GST_STATE_CHANGE_FAILURE;
    return GST_STATE_CHANGE_NO_PREROLL;
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) connection->set_playing(true);
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) {
    connection->set_playing(false);
    return GST_STATE_CHANGE_NO_PREROLL;
  }
  return result;
}

gboolean send_event(GstElement* element, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEEK) {
    gst_event_unref(event);
    return FALSE;
  }
  if (GST_EVENT_TYPE(event) != GST_EVENT_EOS)
    return GST_ELEMENT_CLASS(gst_sphere_cam_src_parent_class)->send_event(element, event);
  // From `gst-launch-1.0 -e`, for example. An end of the preview alone looks like a lost connection.
  gst_event_unref(event);
  return GST_SPHERE_CAM_SRC(element)->connection->end();
}

void set_context(GstElement* element, GstContext* context) {
  GST_SPHERE_CAM_SRC(element)->connection->consent().set_context(context);
  GST_ELEMENT_CLASS(gst_sphere_cam_src_parent_class)->set_context(element, context);
}

void handle_message(GstBin* bin, GstMessage* message) {
  if (GST_SPHERE_CAM_SRC(bin)->connection->takes(message)) {
    gst_message_unref(message);
    return;
  }
  GST_BIN_CLASS(gst_sphere_cam_src_parent_class)->handle_message(bin, message);
}

bool set_location(GstSphereCamSrc* self, const char* location, GError** error) {
  const std::string text = location && *location ? location : sphere::hw::default_location();
  const sphere::Result<const sphere::hw::CameraFamily*> family = sphere::hw::find_family(text);
  const sphere::Status status = family ? (*family)->check_location(text) : family.error();
  if (!status) {
    g_set_error(error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI, "%s",
                sphere::printable(status.error().message).c_str());
    return false;
  }
  self->connection->settings().change([&](Settings& settings) { settings.location = text; });
  return true;
}

void set_position(GstSphereCamSrc* self, const char* text) {
  const auto position = sphere::parse_position_setting(text);
  // An invalid position is replaced by none. Messages do not contain the text.
  self->connection->position().set_position(position ? *position : std::nullopt);
  self->properties->set("position", position ? sphere::ok() : sphere::Status(position.error()));
  self->connection->consent_changed();
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  auto* self = GST_SPHERE_CAM_SRC(object);
  sphere::consent::Consent& consent = self->connection->consent();
  if (sphere::consent::set_property(consent, GST_ELEMENT(self), id, value)) return;
  switch (id) {
    case PROP_LOCATION: {
      // A wrong URI is reported when the element starts, because the user sees that message.
      const char* location = g_value_get_string(value);
      self->connection->settings().change([&](Settings& settings) {
        settings.location = location && *location ? location : sphere::hw::default_location();
      });
      break;
    }
    case PROP_PROTOCOLS:
      self->connection->settings().change([&](Settings& settings) {
        settings.protocols = static_cast<GstRTSPLowerTrans>(g_value_get_flags(value));
      });
      break;
    case PROP_LATENCY:
      self->connection->settings().change(
          [&](Settings& settings) { settings.latency = g_value_get_uint(value); });
      break;
    case PROP_TIMEOUT:
      self->connection->settings().change(
          [&](Settings& settings) { settings.timeout = g_value_get_uint(value); });
      break;
    case PROP_RECONNECT:
      self->connection->settings().change(
          [&](Settings& settings) { settings.reconnect = g_value_get_boolean(value); });
      break;
    case PROP_POSITION:
      set_position(self, g_value_get_string(value));
      break;
    case PROP_POSITION_INTERVAL:
      self->connection->position().set_interval(std::chrono::seconds(g_value_get_uint(value)));
      self->connection->consent_changed();
      break;
    case PROP_CAMERA:
      self->connection->camera_property().set(
          static_cast<GstSphereCamera*>(g_value_get_object(value)));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  CameraConnection* connection = GST_SPHERE_CAM_SRC(object)->connection;
  if (sphere::consent::get_property(connection->consent(), id, value)) return;
  const Settings settings = connection->settings().get();
  switch (id) {
    case PROP_LOCATION:
      g_value_set_string(value, settings.location.c_str());
      break;
    case PROP_PROTOCOLS:
      g_value_set_flags(value, settings.protocols);
      break;
    case PROP_LATENCY:
      g_value_set_uint(value, settings.latency);
      break;
    case PROP_TIMEOUT:
      g_value_set_uint(value, settings.timeout);
      break;
    case PROP_RECONNECT:
      g_value_set_boolean(value, settings.reconnect);
      break;
    case PROP_STATS:
      g_value_take_boxed(value, connection->stats());
      break;
    case PROP_POSITION_INTERVAL:
      g_value_set_uint(value, static_cast<guint>(connection->position().interval().count()));
      break;
    case PROP_CAMERA:
      g_value_take_object(value, connection->camera_property().get().release());
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

/// Returns whether the camera has done it. If not, a warning on the bus gives the reason.
gboolean told(GstSphereCamSrc* self, const sphere::hw::Camera::Answer& answer) {
  if (!answer.done) post_refusal(GST_ELEMENT(self), answer.failure);
  return answer.done;
}

gboolean take_photo(GstSphereCamSrc* self) { return told(self, self->connection->take_photo()); }
gboolean start_recording(GstSphereCamSrc* self) {
  return told(self, self->connection->start_recording());
}
gboolean stop_recording(GstSphereCamSrc* self) {
  return told(self, self->connection->stop_recording());
}

gchar* get_uri(GstURIHandler* handler) {
  return g_strdup(GST_SPHERE_CAM_SRC(handler)->connection->settings().get().location.c_str());
}
gboolean set_uri(GstURIHandler* handler, const gchar* uri, GError** error) {
  return set_location(GST_SPHERE_CAM_SRC(handler), uri, error);
}

}  // namespace

static void gst_sphere_cam_src_uri_handler_init(gpointer iface, gpointer) {
  install_uri_handler(iface, get_uri, set_uri);
}

static void gst_sphere_cam_src_dispose(GObject* object) {
  auto* self = GST_SPHERE_CAM_SRC(object);
  // Before the children are removed: it has probes on their pads.
  if (self->connection) self->connection->stop();
  G_OBJECT_CLASS(gst_sphere_cam_src_parent_class)->dispose(object);
}

static void gst_sphere_cam_src_finalize(GObject* object) {
  delete GST_SPHERE_CAM_SRC(object)->connection;
  delete GST_SPHERE_CAM_SRC(object)->properties;
  G_OBJECT_CLASS(gst_sphere_cam_src_parent_class)->finalize(object);
}

static void gst_sphere_cam_src_init(GstSphereCamSrc* self) {
  // A bin whose last source is removed is no source any more, and gets no EOS. A preview that is
  // lost is removed.
  gst_bin_set_suppressed_flags(GST_BIN(self), GST_ELEMENT_FLAG_SOURCE);
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
  self->properties = new sphere::PropertyProblems(GST_ELEMENT(self));
  GstPad* video = gst_ghost_pad_new_no_target_from_template(
      "video", gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(self), "video"));
  refuse_seeks(video);
  gst_pad_set_query_function(video, video_query);
  // Not replaced when a preview is replaced.
  GstElement* filter = gst_element_factory_make("capsfilter", "pictures");
  self->whole = filter != nullptr;
  if (!self->whole) {
    self->connection = new CameraConnection(GST_BIN(self), nullptr, video);
    gst_element_add_pad(GST_ELEMENT(self), video);
    return;
  }
  const sphere::GstRef<GstPad> sink(gst_element_get_static_pad(filter, "sink"));
  const sphere::GstRef<GstPad> source(gst_element_get_static_pad(filter, "src"));
  // First, because the handler of messages of the children uses it.
  self->connection = new CameraConnection(GST_BIN(self), sink.get(), source.get());
  gst_bin_add(GST_BIN(self), filter);
  gst_ghost_pad_set_target(GST_GHOST_PAD(video), source.get());
  const sphere::GstRef<GstPad> internal(GST_PAD(gst_proxy_pad_get_internal(GST_PROXY_PAD(video))));
  gst_pad_set_chain_function_full(internal.get(), video_chain, self->connection, nullptr);
  gst_element_add_pad(GST_ELEMENT(self), video);
}

/// The caps of the previews of all families.
static GstPadTemplate* make_video_template() {
  GstCaps* all = gst_caps_new_empty();
  for (const sphere::hw::CameraFamily* family : sphere::hw::camera_families())
    all = gst_caps_merge(all, gst_caps_from_string(family->video_caps));
  GstPadTemplate* made = gst_pad_template_new("video", GST_PAD_SRC, GST_PAD_ALWAYS, all);
  gst_caps_unref(all);
  return made;
}

static void gst_sphere_cam_src_class_init(GstSphereCamSrcClass* klass) {
  GST_DEBUG_CATEGORY_INIT(spherecamsrc_debug, "spherecamsrc", 0, "live preview of a 360 camera");
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  auto* bin_class = GST_BIN_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->dispose = gst_sphere_cam_src_dispose;
  object_class->finalize = gst_sphere_cam_src_finalize;
  element_class->change_state = change_state;
  element_class->send_event = send_event;
  element_class->set_context = set_context;
  bin_class->handle_message = handle_message;

  constexpr auto ready = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                  GST_PARAM_MUTABLE_READY);
  constexpr auto playing = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                    GST_PARAM_MUTABLE_PLAYING);
  g_object_class_install_property(
      object_class, PROP_LOCATION,
      g_param_spec_string(
          "location", "Location",
          "URI of the camera: madv://HOST[:PORT][/live], with data-port, rtsp-port, "
          "http-port and https-port as query parameters",
          sphere::hw::default_location(), ready));
  g_object_class_install_property(
      object_class, PROP_PROTOCOLS,
      g_param_spec_flags("protocols", "Protocols",
                         "Transports for the preview: UDP is tried first, and TCP is used if "
                         "nothing arrives over UDP or too many packets are lost",
                         GST_TYPE_RTSP_LOWER_TRANS, default_protocols, ready));
  g_object_class_install_property(
      object_class, PROP_LATENCY,
      g_param_spec_uint(
          "latency", "Latency",
          "Milliseconds for which pictures are buffered, so that late packets arrive in time", 0,
          10000, default_latency, ready));
  g_object_class_install_property(
      object_class, PROP_TIMEOUT,
      g_param_spec_uint("timeout", "Timeout",
                        "Seconds that one attempt to connect may take until the first picture, and "
                        "that an action signal may wait for the camera's answer",
                        1, 60, default_timeout, ready));
  g_object_class_install_property(
      object_class, PROP_RECONNECT,
      g_param_spec_boolean("reconnect", "Reconnect",
                           "Whether to connect again after the camera was lost; if the first "
                           "attempt fails, this is always an error",
                           default_reconnect, playing));
  g_object_class_install_property(
      object_class, PROP_STATS,
      g_param_spec_boxed("stats", "Statistics",
                         "Counts since the start: pictures and their bytes, packets, lost-packets, "
                         "connections, reconnects, losses, requests to the camera, errors among "
                         "them, durations of the answers, wake-ups of the element's own thread; "
                         "and whether the camera's own lens table is in use (lens-table)",
                         GST_TYPE_STRUCTURE,
                         static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));

  sphere::consent::install_properties(object_class);
  install_camera_property(object_class, PROP_CAMERA);
  // Not readable, because otherwise it would appear in every graph and verbose output.
  g_object_class_install_property(
      object_class, PROP_POSITION,
      g_param_spec_string(
          "position", "Position",
          "Position of the camera, which it writes into its photos and recordings: "
          "LATITUDE,LONGITUDE[,ALTITUDE] in decimal degrees and metres; sent only while consent to "
          "location is given for camera, rounded to the precision given there",
          nullptr,
          static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS |
                                   GST_PARAM_MUTABLE_PLAYING)));
  g_object_class_install_property(
      object_class, PROP_POSITION_INTERVAL,
      g_param_spec_uint(
          "position-interval", "Position interval",
          "Seconds between two position messages; the vendor's app offers 1, 3, 5 and 10", 1, 10,
          default_position_interval, playing));

  const auto action = [&](const char* name, GCallback function) {
    return g_signal_new_class_handler(
        name, G_TYPE_FROM_CLASS(klass),
        static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION), function, nullptr, nullptr,
        nullptr, G_TYPE_BOOLEAN, 0);
  };
  /**
   * GstSphereCamSrc::take-photo:
   *
   * The camera takes a photo, in photo mode, into which it goes. Waits for its answer; a
   * `sphere-notification` says when the photo is saved.
   *
   * Returns: whether it does; a warning says why not
   */
  signals[SIGNAL_TAKE_PHOTO] = action("take-photo", G_CALLBACK(take_photo));
  /**
   * GstSphereCamSrc::start-recording:
   *
   * The camera records to its card; with sound only if that is given for the purpose `record`. When
   * that is taken back meanwhile, the recording is ended, and a warning says so.
   *
   * Returns: whether it does; a warning says why not
   */
  signals[SIGNAL_START_RECORDING] = action("start-recording", G_CALLBACK(start_recording));
  /**
   * GstSphereCamSrc::stop-recording:
   *
   * Ends what #GstSphereCamSrc::start-recording began.
   *
   * Returns: whether it does; a warning says why not
   */
  signals[SIGNAL_STOP_RECORDING] = action("stop-recording", G_CALLBACK(stop_recording));

  gst_element_class_add_pad_template(element_class, make_video_template());
  gst_element_class_add_static_pad_template(element_class, &audio_template);
  gst_element_class_set_static_metadata(element_class, "360 camera source", "Source/Video/Network",
                                        "The live preview of a dual-lens 360 camera on the network",
                                        "gst-sphere");
}
