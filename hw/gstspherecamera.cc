// SPDX-License-Identifier: LGPL-2.1-or-later
// GstSphereCamera: a camera for applications, in C and by introspection. This file has the object,
// its connection and its state.

#include "hw/gstspherecamera.h"

#include <atomic>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/gstsphereerror.h"
#include "hw/gstspherecamera_private.h"

using namespace sphere;
using namespace sphere::hw;

namespace {

enum { PROP_0, PROP_LOCATION, PROP_CONNECTED, PROP_CONSENT, PROP_LEDGER, PROP_STATE, PROP_COUNT };
GParamSpec* properties[PROP_COUNT];
enum { SIGNAL_STATE_CHANGED, SIGNAL_FILE_SAVED, SIGNAL_NOTIFICATION, SIGNAL_LOST, SIGNAL_COUNT };
guint signals[SIGNAL_COUNT];

int code_of(Failure::Reason reason) {
  switch (reason) {
    case Failure::Reason::unreachable:
    case Failure::Reason::not_there:
      return GST_SPHERE_ERROR_NOT_FOUND;
    case Failure::Reason::held:
      return GST_SPHERE_ERROR_BUSY;
    case Failure::Reason::refused:
      return GST_SPHERE_ERROR_REFUSED;
    case Failure::Reason::silent:
      return GST_SPHERE_ERROR_TIMED_OUT;
    case Failure::Reason::broken:
      return GST_SPHERE_ERROR_INVALID;
    case Failure::Reason::missing:
      return GST_SPHERE_ERROR_UNSUPPORTED;
    case Failure::Reason::gone:
    case Failure::Reason::stopped:
      break;
  }
  return GST_SPHERE_ERROR_LOST;
}

const char* card_word(Card card) {
  switch (card) {
    case Card::none:
      return "none";
    case Card::bad:
      return "bad";
    case Card::slow:
      return "slow";
    case Card::mounted:
      return "mounted";
    case Card::unknown:
      break;
  }
  return "unknown";
}

}  // namespace

struct _GstSphereCamera {
  GObject parent;
  struct Private {
    std::string location;
    std::shared_ptr<CameraClient> client;
    // Shared with commands that wait in the camera's thread.
    const std::shared_ptr<consent::Consent> consent = std::make_shared<consent::Consent>();
    unsigned listener = 0;
    GMainContext* context = nullptr;
  } * priv;
};

G_DEFINE_FINAL_TYPE(GstSphereCamera, gst_sphere_camera, G_TYPE_OBJECT)

namespace sphere::hw {

// --- calls -----------------------------------------------------------------------------------

/// How a call ends: with a value, with success, or with an error. Its functions run in the main
/// context of the caller.
struct AsyncCall::Answer {
  gpointer value = nullptr;
  GDestroyNotify free = nullptr;
  bool is_pointer = false;
  GError* error = nullptr;

  void give(GTask* task) {
    if (error)
      g_task_return_error(task, std::exchange(error, nullptr));
    else if (is_pointer)
      g_task_return_pointer(task, std::exchange(value, nullptr), free);
    else
      g_task_return_boolean(task, TRUE);
  }
  /// What was not given.
  void drop() {
    if (value && free) free(value);
    g_clear_error(&error);
  }
};

AsyncCall::AsyncCall(GTask* task, std::weak_ptr<CameraClient> client)
    : task_(task), client_(std::move(client)), cancellable_([task] {
        GCancellable* cancellable = g_task_get_cancellable(task);
        return cancellable ? G_CANCELLABLE(g_object_ref(cancellable)) : nullptr;
      }()) {}

std::shared_ptr<AsyncCall> AsyncCall::start_with_tag(GstSphereCamera* camera, gpointer tag,
                                                     GCancellable* cancellable,
                                                     GAsyncReadyCallback callback,
                                                     gpointer user_data) {
  GTask* task = g_task_new(camera, cancellable, callback, user_data);
  g_task_set_source_tag(task, tag);
  const std::shared_ptr<AsyncCall> call(new AsyncCall(task, client_of(camera)));
  if (!cancellable) return call;
  // In the caller's main context, so that no lock of the camera is held.
  call->cancelled_ = g_cancellable_source_new(cancellable);
  auto* weak = new std::weak_ptr<AsyncCall>(call);
  g_source_set_callback(
      call->cancelled_,
      reinterpret_cast<GSourceFunc>(reinterpret_cast<void (*)()>(+[](GCancellable*, gpointer data) {
        if (const auto one = static_cast<std::weak_ptr<AsyncCall>*>(data)->lock())
          one->answer({.error = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                                    "the operation was cancelled")});
        return G_SOURCE_REMOVE;
      })),
      weak, +[](gpointer data) { delete static_cast<std::weak_ptr<AsyncCall>*>(data); });
  g_source_attach(call->cancelled_, g_task_get_context(task));
  return call;
}

AsyncCall::~AsyncCall() {
  if (cancelled_) {
    g_source_destroy(cancelled_);
    g_source_unref(cancelled_);
  }
  // The handler was dropped, because the camera is gone.
  fail(GST_SPHERE_ERROR_LOST, "the connection to the camera was lost");
}

void AsyncCall::answer(Answer answer) {
  struct Delivery {
    GTask* task;
    Answer answer;
  };
  GTask* task = task_.exchange(nullptr);
  if (!task) return answer.drop();
  GSource* source = g_idle_source_new();
  g_source_set_priority(source, g_task_get_priority(task));
  g_source_set_callback(
      source,
      +[](gpointer data) -> gboolean {
        auto* delivery = static_cast<Delivery*>(data);
        delivery->answer.give(delivery->task);
        return G_SOURCE_REMOVE;
      },
      new Delivery{task, answer},
      +[](gpointer data) {
        auto* delivery = static_cast<Delivery*>(data);
        delivery->answer.drop();
        g_object_unref(delivery->task);
        delete delivery;
      });
  g_source_attach(source, g_task_get_context(task));
  g_source_unref(source);
}

void AsyncCall::keep(std::shared_ptr<void> data) {
  GTask* task = task_;
  if (task)
    g_task_set_task_data(
        task, new std::shared_ptr<void>(std::move(data)),
        +[](gpointer kept) { delete static_cast<std::shared_ptr<void>*>(kept); });
}

void AsyncCall::succeed() { answer({}); }

void AsyncCall::succeed(gpointer value, GDestroyNotify free) {
  answer({.value = value, .free = free, .is_pointer = true});
}

void AsyncCall::fail(int code, const std::string& message) {
  if (task_) answer({.error = g_error_new_literal(GST_SPHERE_ERROR, code, message.c_str())});
}

void AsyncCall::fail(const Failure& failure) { fail(code_of(failure.reason), failure.message); }

std::function<void(const std::optional<Failure>&)> AsyncCall::done() {
  return [call = shared_from_this()](const std::optional<Failure>& failure) {
    failure ? call->fail(*failure) : call->succeed();
  };
}

std::function<void(const Camera::Answer&)> AsyncCall::answered() {
  return [call = shared_from_this()](const Camera::Answer& answer) {
    answer.done ? call->succeed() : call->fail(answer.failure);
  };
}

void AsyncCall::run_in_thread(std::function<void(AsyncCall&)> function) {
  struct Work {
    std::shared_ptr<AsyncCall> call;
    std::function<void(AsyncCall&)> function;
  };
  // A task of its own, because the call's own task may be answered before the thread has ended.
  GTask* thread = g_task_new(nullptr, nullptr, nullptr, nullptr);
  g_task_set_task_data(
      thread, new Work{shared_from_this(), std::move(function)},
      +[](gpointer data) { delete static_cast<Work*>(data); });
  g_task_run_in_thread(
      thread, +[](GTask* task, gpointer, gpointer data, GCancellable*) {
        auto* work = static_cast<Work*>(data);
        work->function(*work->call);
        g_task_return_boolean(task, TRUE);
      });
  g_object_unref(thread);
}

std::shared_ptr<CameraClient> client_of(GstSphereCamera* camera) { return camera->priv->client; }
std::shared_ptr<const consent::Consent> consent_of(GstSphereCamera* camera) {
  return camera->priv->consent;
}

std::shared_ptr<Camera> connected_camera(AsyncCall& call) {
  const std::shared_ptr<CameraClient> client = call.client();
  std::shared_ptr<Camera> camera = client && client->is_ready() ? client->camera() : nullptr;
  if (!camera) call.fail(GST_SPHERE_ERROR_LOST, "the camera is not connected; connect to it first");
  return camera;
}

gboolean finish_boolean(GstSphereCamera* camera, GAsyncResult* result, gpointer tag,
                        GError** error) {
  g_return_val_if_fail(GST_IS_SPHERE_CAMERA(camera), FALSE);
  g_return_val_if_fail(g_task_is_valid(result, camera), FALSE);
  g_return_val_if_fail(g_task_get_source_tag(G_TASK(result)) == tag, FALSE);
  return g_task_propagate_boolean(G_TASK(result), error);
}

gpointer finish_pointer(GstSphereCamera* camera, GAsyncResult* result, gpointer tag,
                        GError** error) {
  g_return_val_if_fail(GST_IS_SPHERE_CAMERA(camera), nullptr);
  g_return_val_if_fail(g_task_is_valid(result, camera), nullptr);
  g_return_val_if_fail(g_task_get_source_tag(G_TASK(result)) == tag, nullptr);
  return g_task_propagate_pointer(G_TASK(result), error);
}

}  // namespace sphere::hw

namespace {

// --- the object ------------------------------------------------------------------------------

/// Made while the object lives, because that is no longer certain when the camera's thread tells
/// something.
class WeakCamera {
 public:
  explicit WeakCamera(gpointer camera) { g_weak_ref_init(&weak_, camera); }
  ~WeakCamera() { g_weak_ref_clear(&weak_); }
  WeakCamera(const WeakCamera&) = delete;
  WeakCamera& operator=(const WeakCamera&) = delete;
  /// A new reference, or null.
  gpointer get() { return g_weak_ref_get(&weak_); }

 private:
  GWeakRef weak_;
};

/// An event on its way to the main context of the object.
struct Delivery {
  std::shared_ptr<WeakCamera> camera;
  CameraEvent event;
};

void tell_state(GObject* object) {
  g_object_notify_by_pspec(object, properties[PROP_STATE]);
  g_signal_emit(object, signals[SIGNAL_STATE_CHANGED], 0);
}

gboolean deliver(gpointer data) {
  auto* delivery = static_cast<Delivery*>(data);
  g_autoptr(GObject) object = static_cast<GObject*>(delivery->camera->get());
  if (!object) return G_SOURCE_REMOVE;
  const CameraEvent& event = delivery->event;
  switch (event.kind) {
    case CameraEvent::Kind::ready:
      g_object_notify_by_pspec(object, properties[PROP_CONNECTED]);
      tell_state(object);
      break;
    case CameraEvent::Kind::notification:
      tell_state(object);
      g_signal_emit(object, signals[SIGNAL_NOTIFICATION], 0, event.name.c_str());
      if (!event.file.empty())
        g_signal_emit(object, signals[SIGNAL_FILE_SAVED], 0, event.file.c_str());
      break;
    case CameraEvent::Kind::ended:
      g_object_notify_by_pspec(object, properties[PROP_CONNECTED]);
      if (event.failure)
        g_signal_emit(object, signals[SIGNAL_LOST], 0, event.failure->message.c_str());
      break;
    default:
      break;
  }
  return G_SOURCE_REMOVE;
}

void free_delivery(gpointer data) { delete static_cast<Delivery*>(data); }

void gst_sphere_camera_constructed(GObject* object) {
  G_OBJECT_CLASS(gst_sphere_camera_parent_class)->constructed(object);
  auto* self = GST_SPHERE_CAMERA(object);
  auto* priv = self->priv;
  if (priv->location.empty()) priv->location = default_location();
  const Result<const CameraFamily*> family = find_family(priv->location);
  if (!family || !(*family)->check_location(priv->location)) return;
  // Elements of this program may use the same connection, also after this object is gone.
  Result<std::shared_ptr<CameraClient>> client =
      CameraClient::shared(priv->location, CameraOptions().connect_timeout);
  if (!client) return;
  priv->client = std::move(*client);
  lend_client(object, priv->client);
  // Removed before this object goes.
  const auto weak = std::make_shared<WeakCamera>(self);
  priv->listener = priv->client->add_listener([weak, priv](const CameraEvent& event) {
    GSource* source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, deliver, new Delivery{weak, event}, free_delivery);
    g_source_attach(source, priv->context);
    g_source_unref(source);
  });
}

void gst_sphere_camera_dispose(GObject* object) {
  auto* priv = GST_SPHERE_CAMERA(object)->priv;
  if (priv->client && priv->listener) {
    priv->client->remove_listener(std::exchange(priv->listener, 0));
    priv->client->release(object);
    priv->client->wait_until_free();
  }
  G_OBJECT_CLASS(gst_sphere_camera_parent_class)->dispose(object);
}

void gst_sphere_camera_finalize(GObject* object) {
  auto* priv = GST_SPHERE_CAMERA(object)->priv;
  priv->client.reset();
  g_main_context_unref(priv->context);
  delete priv;
  G_OBJECT_CLASS(gst_sphere_camera_parent_class)->finalize(object);
}

void gst_sphere_camera_set_property(GObject* object, guint id, const GValue* value,
                                    GParamSpec* spec) {
  auto* priv = GST_SPHERE_CAMERA(object)->priv;
  switch (id) {
    case PROP_LOCATION:
      priv->location = to_string(g_value_get_string(value));
      break;
    case PROP_CONSENT: {
      const GstCaps* caps = gst_value_get_caps(value);
      const CapsRef nothing(caps ? nullptr : gst_caps_new_empty());
      priv->consent->set_caps(caps ? caps : nothing.get());
      break;
    }
    case PROP_LEDGER: {
      const char* name = g_value_get_string(value);
      const Status opened =
          priv->consent->set_ledger(name ? std::optional<std::string>(name) : std::nullopt);
      if (!opened) GST_WARNING("%s", opened.error().message.c_str());
      break;
    }
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void gst_sphere_camera_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  auto* priv = GST_SPHERE_CAMERA(object)->priv;
  switch (id) {
    case PROP_LOCATION:
      g_value_set_string(value, priv->location.c_str());
      break;
    case PROP_CONNECTED:
      g_value_set_boolean(value, priv->client && priv->client->is_ready());
      break;
    case PROP_CONSENT:
      g_value_take_boxed(value, priv->consent->caps().release());
      break;
    case PROP_LEDGER: {
      const std::optional<std::string> ledger = priv->consent->ledger();
      g_value_set_string(value, ledger ? ledger->c_str() : nullptr);
      break;
    }
    case PROP_STATE:
      g_value_take_boxed(value, gst_sphere_camera_get_state(GST_SPHERE_CAMERA(object)));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

}  // namespace

static void gst_sphere_camera_init(GstSphereCamera* camera) {
  camera->priv = new _GstSphereCamera::Private;
  camera->priv->context = g_main_context_ref_thread_default();
}

static void gst_sphere_camera_class_init(GstSphereCameraClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->constructed = gst_sphere_camera_constructed;
  object_class->dispose = gst_sphere_camera_dispose;
  object_class->finalize = gst_sphere_camera_finalize;
  object_class->set_property = gst_sphere_camera_set_property;
  object_class->get_property = gst_sphere_camera_get_property;

  /**
   * GstSphereCamera:location:
   *
   * The URI of the camera, such as `madv://192.168.42.1`.
   *
   * Since: 0.2
   */
  properties[PROP_LOCATION] = g_param_spec_string(
      "location", "Location", "The URI of the camera, such as madv://192.168.42.1", nullptr,
      static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY |
                               G_PARAM_STATIC_STRINGS));
  /**
   * GstSphereCamera:connected:
   *
   * Whether commands can be given.
   *
   * Since: 0.2
   */
  properties[PROP_CONNECTED] =
      g_param_spec_boolean("connected", "Connected", "Whether commands can be given", FALSE,
                           static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  /**
   * GstSphereCamera:consent:
   *
   * The consent that is given, see #GstSphereConsent. Recordings have sound only with `audio` for
   * `record`, the camera gets a position only with `location` for `camera`.
   *
   * Since: 0.2
   */
  properties[PROP_CONSENT] =
      g_param_spec_boxed("consent", "Consent", "The consent that is given", GST_TYPE_CAPS,
                         static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  /**
   * GstSphereCamera:ledger:
   *
   * A consent ledger, which must also allow it: a path, or `default` for the user's own.
   *
   * Since: 0.2
   */
  properties[PROP_LEDGER] =
      g_param_spec_string("ledger", "Ledger", "A consent ledger, which must also allow it", nullptr,
                          static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  /**
   * GstSphereCamera:state:
   *
   * The last known state, as gst_sphere_camera_get_state() returns it. It notifies when the camera
   * is connected, and when it tells a change.
   *
   * Since: 0.2
   */
  properties[PROP_STATE] =
      g_param_spec_boxed("state", "State", "The last known state", GST_TYPE_STRUCTURE,
                         static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_properties(object_class, PROP_COUNT, properties);

  /**
   * GstSphereCamera::state-changed:
   * @camera: the camera
   *
   * #GstSphereCamera:state may have changed.
   *
   * Since: 0.2
   */
  signals[SIGNAL_STATE_CHANGED] =
      g_signal_new("state-changed", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, nullptr,
                   nullptr, nullptr, G_TYPE_NONE, 0);
  /**
   * GstSphereCamera::file-saved:
   * @camera: the camera
   * @path: the path on the card
   *
   * The camera has saved a photo or a video.
   *
   * Since: 0.2
   */
  signals[SIGNAL_FILE_SAVED] =
      g_signal_new("file-saved", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, nullptr, nullptr,
                   nullptr, G_TYPE_NONE, 1, G_TYPE_STRING);
  /**
   * GstSphereCamera::notification:
   * @camera: the camera
   * @name: the name of the message in the family's protocol, such as `battery`
   *
   * The camera has told something without being asked.
   *
   * Since: 0.2
   */
  signals[SIGNAL_NOTIFICATION] =
      g_signal_new("notification", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, nullptr, nullptr,
                   nullptr, G_TYPE_NONE, 1, G_TYPE_STRING);
  /**
   * GstSphereCamera::lost:
   * @camera: the camera
   * @reason: why, and what to do
   *
   * The connection was lost. Connect again.
   *
   * Since: 0.2
   */
  signals[SIGNAL_LOST] = g_signal_new("lost", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0,
                                      nullptr, nullptr, nullptr, G_TYPE_NONE, 1, G_TYPE_STRING);
}

/**
 * gst_sphere_camera_new:
 * @location: (nullable): the URI of the camera, such as `madv://192.168.42.1`, or %NULL for the
 *   usual one of a Mi Sphere
 * @error: return location for a #GError
 *
 * Makes a camera without connecting to it.
 *
 * Returns: (transfer full) (nullable): the camera, or %NULL with @error set
 *
 * Since: 0.2
 */
GstSphereCamera* gst_sphere_camera_new(const gchar* location, GError** error) {
  const std::string text = location && *location ? location : default_location();
  const Result<const CameraFamily*> family = find_family(text);
  const Status status = family ? (*family)->check_location(text) : family.error();
  if (!status) {
    g_set_error_literal(error, GST_SPHERE_ERROR, GST_SPHERE_ERROR_INVALID,
                        status.error().message.c_str());
    return nullptr;
  }
  return GST_SPHERE_CAMERA(g_object_new(GST_TYPE_SPHERE_CAMERA, "location", text.c_str(), nullptr));
}

/**
 * gst_sphere_camera_connect_async:
 * @camera: a camera
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when it is connected
 * @user_data: (closure): data for @callback
 *
 * Connects to the camera. A camera accepts one client at a time; objects and elements of one
 * program that use the same camera share one connection.
 *
 * Since: 0.2
 */
void gst_sphere_camera_connect_async(GstSphereCamera* camera, GCancellable* cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  const auto call =
      AsyncCall::start(camera, gst_sphere_camera_connect_async, cancellable, callback, user_data);
  if (!camera->priv->client)
    return call->fail(GST_SPHERE_ERROR_INVALID, "the location is not the URI of a camera");
  auto* priv = camera->priv;
  priv->client->hold(camera, [consent = consent_of(camera)] {
    return consent->allowed(consent::Category::device, consent::Purpose::bind);
  });
  // In a thread, because the end of an earlier connection is waited for.
  call->run_in_thread(
      [client = camera->priv->client](AsyncCall& one) { client->connect(one.done()); });
}

/**
 * gst_sphere_camera_connect_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_connect_async().
 *
 * Returns: whether it is connected; %FALSE with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH(connect)

/**
 * gst_sphere_camera_disconnect_async:
 * @camera: a camera
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when it is disconnected
 * @user_data: (closure): data for @callback
 *
 * Ends the connection in an orderly way, so that the camera is free for others. Takes less than a
 * second. The connection stays while an element of this program uses it, too.
 *
 * Since: 0.2
 */
void gst_sphere_camera_disconnect_async(GstSphereCamera* camera, GCancellable* cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  const auto call = AsyncCall::start(camera, gst_sphere_camera_disconnect_async, cancellable,
                                     callback, user_data);
  call->run_in_thread([camera, client = camera->priv->client](AsyncCall& one) {
    if (client) {
      client->release(camera);
      client->wait_until_free();
    }
    one.succeed();
  });
}

/**
 * gst_sphere_camera_disconnect_finish:
 * @camera: a camera
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_disconnect_async().
 *
 * Returns: whether it is disconnected; %FALSE with @error set
 *
 * Since: 0.2
 */
SPHERE_CAMERA_FINISH(disconnect)

/**
 * gst_sphere_camera_is_connected:
 * @camera: a camera
 *
 * The value of #GstSphereCamera:connected.
 *
 * Returns: whether commands can be given
 *
 * Since: 0.2
 */
gboolean gst_sphere_camera_is_connected(GstSphereCamera* camera) {
  g_return_val_if_fail(GST_IS_SPHERE_CAMERA(camera), FALSE);
  return camera->priv->client && camera->priv->client->is_ready();
}

/**
 * gst_sphere_camera_get_state:
 * @camera: a camera
 *
 * The last known state. A field that is not known is missing: `model`, `firmware`, `working-mode`
 * (strings), `recording`, `taking-photos`, `charging`, `photo-mode` (booleans), `battery` (percent,
 * an integer),
 * `card` (none, bad, slow, mounted or unknown), `photos-left`, `video-seconds-left`,
 * `recorded-seconds`, `card-size` and `card-free` (bytes; 64-bit integers).
 *
 * Returns: (transfer full): a structure `sphere-camera`
 *
 * Since: 0.2
 */
GstStructure* gst_sphere_camera_get_state(GstSphereCamera* camera) {
  g_return_val_if_fail(GST_IS_SPHERE_CAMERA(camera), nullptr);
  const CameraState state = camera->priv->client ? camera->priv->client->state() : CameraState();
  GstStructure* all =
      gst_structure_new("sphere-camera", "working-mode", G_TYPE_STRING, state.working_mode.c_str(),
                        "recording", G_TYPE_BOOLEAN, state.recording, "taking-photos",
                        G_TYPE_BOOLEAN, state.taking_photos, "charging", G_TYPE_BOOLEAN,
                        state.charging, "card", G_TYPE_STRING, card_word(state.card), nullptr);
  const auto add = [&](const char* name, const std::optional<int64_t>& value, int64_t factor = 1) {
    if (value) gst_structure_set(all, name, G_TYPE_INT64, *value * factor, nullptr);
  };
  if (!state.model.empty())
    gst_structure_set(all, "model", G_TYPE_STRING, state.model.c_str(), nullptr);
  if (!state.firmware.empty())
    gst_structure_set(all, "firmware", G_TYPE_STRING, state.firmware.c_str(), nullptr);
  if (state.photo_mode)
    gst_structure_set(all, "photo-mode", G_TYPE_BOOLEAN, *state.photo_mode, nullptr);
  if (state.battery_percent)
    gst_structure_set(all, "battery", G_TYPE_INT, *state.battery_percent, nullptr);
  add("photos-left", state.photos_left);
  add("video-seconds-left", state.video_seconds_left);
  add("recorded-seconds", state.recorded_seconds);
  add("card-size", state.card_total_kb, 1024);
  add("card-free", state.card_free_kb, 1024);
  return all;
}

// --- identity --------------------------------------------------------------------------------

/**
 * gst_sphere_camera_identify_async:
 * @camera: a camera
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the camera has answered
 * @user_data: (closure): data for @callback
 *
 * Asks for what identifies the camera: its serial number and the name of its Wi-Fi. Needs consent
 * to `device` and `network` for `bind`.
 *
 * Since: 0.2
 */
void gst_sphere_camera_identify_async(GstSphereCamera* camera, GCancellable* cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data) {
  g_return_if_fail(GST_IS_SPHERE_CAMERA(camera));
  const auto call =
      AsyncCall::start(camera, gst_sphere_camera_identify_async, cancellable, callback, user_data);
  const auto allowed = [consent = consent_of(camera)] {
    return consent->allowed(consent::Category::device, consent::Purpose::bind) &&
           consent->allowed(consent::Category::network, consent::Purpose::bind);
  };
  if (!allowed())
    return call->fail(GST_SPHERE_ERROR_NOT_AUTHORIZED,
                      "there is no consent to device and network for bind");
  const std::shared_ptr<Camera> one = connected_camera(*call);
  if (!one) return;
  const auto wanted = [allowed, call] { return !call->is_over() && allowed(); };
  one->identify(wanted, [call](const std::optional<CameraIdentity>& identity) {
    if (!identity) return call->fail(GST_SPHERE_ERROR_REFUSED, "the camera does not tell it");
    call->succeed_with(*identity);
  });
}

/**
 * gst_sphere_camera_identify_finish:
 * @camera: a camera
 * @result: what the callback got
 * @serial: (out) (optional) (transfer full): the serial number
 * @wifi: (out) (optional) (transfer full): the name of its Wi-Fi
 * @error: return location for a #GError
 *
 * Ends gst_sphere_camera_identify_async().
 *
 * Returns: whether the camera has told it; %FALSE with @error set
 *
 * Since: 0.2
 */
gboolean gst_sphere_camera_identify_finish(GstSphereCamera* camera, GAsyncResult* result,
                                           gchar** serial, gchar** wifi, GError** error) {
  const std::unique_ptr<CameraIdentity> identity(static_cast<CameraIdentity*>(finish_pointer(
      camera, result, reinterpret_cast<gpointer>(gst_sphere_camera_identify_async), error)));
  if (serial) *serial = identity ? g_strdup(identity->serial.c_str()) : nullptr;
  if (wifi) *wifi = identity ? g_strdup(identity->wifi.c_str()) : nullptr;
  return identity != nullptr;
}
