// SPDX-License-Identifier: LGPL-2.1-or-later
// spherephotosrc: takes photos with a camera.

/**
 * SECTION:element-spherephotosrc
 * @title: spherephotosrc
 *
 * Takes photos with a camera, and pushes each one as the camera wrote it to its card, byte for
 * byte: two fisheyes, with everything that the camera writes into its files. The camera's own
 * settings are used (`sphere set`). The timestamp of a photo is the running time at which the
 * camera told that it was saved. The photos stay on the card. The event `sphere-lens` tells the
 * stitcher which lenses took them.
 *
 * Put `spherejpegtag` behind it, so that what the photo tells about places and people leaves only
 * with consent.
 *
 * A camera accepts one client. Elements and #GstSphereCamera objects of one program that use the
 * same camera share one connection. For consent to `storage` for `save`, see `spherefilesrc`.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 spherephotosrc location=madv://192.168.42.1 num-photos=3 interval=5 ! multifilesink location=photo-%d.jpg
 * ]|
 *
 * Since: 0.2
 */

#include "plugins/camera/spherephotosrc.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/printable.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/element.h"
#include "gst/sphere/lens/gstspherelens.h"
#include "gst/sphere/makers/capture.h"
#include "gst/sphere/media/source.h"
#include "hw/await.h"
#include "hw/card_file.h"
#include "hw/photo_taker.h"
#include "hw/stored_pins.h"
#include "plugins/camera/bus_messages.h"
#include "plugins/camera/camera_use.h"
#include "plugins/camera/card_source.h"

GST_DEBUG_CATEGORY_STATIC(spherephotosrc_debug);
#define GST_CAT_DEFAULT spherephotosrc_debug

namespace {

using namespace sphere::camera;
using namespace std::chrono_literals;
using sphere::Lock;
using sphere::Mutex;
using sphere::self_of;
using sphere::hw::Failure;
using Clock = std::chrono::steady_clock;

GstStaticPadTemplate source_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("image/jpeg"));

enum {
  PROP_LOCATION = sphere::consent::PROP_FIRST_OF_ELEMENT,
  PROP_CAMERA,
  PROP_NUM_PHOTOS,
  PROP_INTERVAL,
  PROP_TIMER
};

constexpr gint default_photos = 1;
constexpr gdouble default_interval = 0;  // s
constexpr guint default_timer = 0;       // s
constexpr std::chrono::seconds connect_timeout{5}, idle_timeout{30};
// A larger photo is refused, because it is kept in memory. Bytes.
constexpr uint64_t most_bytes = 256 << 20;
// The first photo that has no lens table itself waits so long for the camera's, which is fetched
// from the connection on.
constexpr auto table_timeout = 500ms;

struct Settings {
  std::string location = sphere::hw::default_location();
  gint photos = default_photos;
  gdouble interval = default_interval;
  guint timer = default_timer;
};

/// Photos of one run, from start() to stop().
struct State {
  explicit State(const Target& target, std::function<bool()> may_store_tables)
      : use(target.client, std::move(may_store_tables)) {}
  CameraUse use;
  gint taken = 0;
  std::optional<Clock::time_point> last;  // when the last photo was begun
  std::optional<std::string> lens_table;  // what was sent downstream; empty: only the profile
};

class PhotoSource : public CardSource<Settings> {
 public:
  using CardSource::CardSource;

  bool set_property(guint id, const GValue* value);
  bool get_property(guint id, GValue* value);

  bool start();
  void stop();
  void set_flushing(bool flushing);
  GstFlowReturn create(GstBuffer** buffer);

 private:
  GstFlowReturn fail(const Failure& failure);
  GstClockTime running_time() const;
  void push_lens(State& state, const std::string& photo, GCancellable* cancellable);
  std::optional<Failure> fetch(State& state, const std::string& path, GCancellable* cancellable,
                               std::string& photo);

  // Used by the streaming thread, and by others while there is none.
  std::optional<Target> target_;
  std::unique_ptr<State> state_;

  // Protects what follows. Never held during a call of the camera.
  Mutex mutex_;
  sphere::ObjectRef<GCancellable> cancellable_ SPHERE_GUARDED_BY(mutex_){g_cancellable_new()};
};

}  // namespace

// --- the element -----------------------------------------------------------------------------

struct _GstSpherePhotoSrc {
  GstPushSrc parent;
  PhotoSource* self;
};

G_DEFINE_TYPE(GstSpherePhotoSrc, gst_sphere_photo_src, GST_TYPE_PUSH_SRC)
GST_ELEMENT_REGISTER_DEFINE(spherephotosrc, "spherephotosrc", GST_RANK_NONE,
                            GST_TYPE_SPHERE_PHOTO_SRC)

// --- properties ------------------------------------------------------------------------------

bool PhotoSource::set_property(guint id, const GValue* value) {
  if (sphere::consent::set_property(consent, GST_ELEMENT(element_), id, value)) return true;
  if (id == PROP_CAMERA) {
    camera_.set(static_cast<GstSphereCamera*>(g_value_get_object(value)));
    return true;
  }
  bool known = true;
  settings_.change([&](Settings& settings) {
    switch (id) {
      case PROP_LOCATION: {
        const char* location = g_value_get_string(value);
        settings.location = location && *location ? location : sphere::hw::default_location();
        break;
      }
      case PROP_NUM_PHOTOS:
        settings.photos = g_value_get_int(value);
        break;
      case PROP_INTERVAL:
        settings.interval = g_value_get_double(value);
        break;
      case PROP_TIMER:
        settings.timer = g_value_get_uint(value);
        break;
      default:
        known = false;
    }
  });
  return known;
}

bool PhotoSource::get_property(guint id, GValue* value) {
  if (sphere::consent::get_property(consent, id, value)) return true;
  const Settings settings = settings_.get();
  switch (id) {
    case PROP_LOCATION:
      g_value_set_string(value, settings.location.c_str());
      return true;
    case PROP_CAMERA:
      g_value_take_object(value, camera_.get().release());
      return true;
    case PROP_NUM_PHOTOS:
      g_value_set_int(value, settings.photos);
      return true;
    case PROP_INTERVAL:
      g_value_set_double(value, settings.interval);
      return true;
    case PROP_TIMER:
      g_value_set_uint(value, settings.timer);
      return true;
    default:
      return false;
  }
}

// --- photos ----------------------------------------------------------------------------------

bool PhotoSource::start() {
  const sphere::ObjectRef<GstSphereCamera> camera = camera_.get();
  sphere::Result<Target> target =
      find_target(camera ? std::string() : settings_.get().location, camera.get(), connect_timeout);
  if (target && !target->file.empty())
    target = sphere::invalid("the location names a file; write the URI of the camera, madv://HOST");
  if (!target) {
    post_settings_error(GST_ELEMENT(element_), target.error().message);
    return false;
  }
  target_ = std::move(*target);
  return true;
}

void PhotoSource::stop() {
  state_.reset();
  target_.reset();
}

void PhotoSource::set_flushing(bool flushing) {
  sphere::ObjectRef<GCancellable> cancelled;
  {
    const Lock lock(mutex_);
    if (flushing)
      cancelled.reset(G_CANCELLABLE(g_object_ref(cancellable_.get())));
    else
      cancellable_.reset(g_cancellable_new());
  }
  // Without the lock, because its handlers call the camera.
  if (cancelled) g_cancellable_cancel(cancelled.get());
}

GstFlowReturn PhotoSource::fail(const Failure& failure) {
  if (failure.reason == Failure::Reason::stopped) return GST_FLOW_FLUSHING;
  post_failure(GST_ELEMENT(element_), failure);
  return GST_FLOW_ERROR;
}

GstClockTime PhotoSource::running_time() const {
  const sphere::GstRef<GstClock> clock(gst_element_get_clock(GST_ELEMENT(element_)));
  if (!clock) return GST_CLOCK_TIME_NONE;
  const GstClockTime now = gst_clock_get_time(clock.get());
  const GstClockTime base = gst_element_get_base_time(GST_ELEMENT(element_));
  return now > base ? now - base : 0;
}

/// The lens table that the camera has put into the photo; empty if it has none.
std::string table_of_photo(const std::string& photo) {
  const sphere::media::MemorySource source(
      {reinterpret_cast<const uint8_t*>(photo.data()), photo.size()});
  const auto capture = sphere::makers::read_file(source);
  return capture ? std::string(capture->lens_table.begin(), capture->lens_table.end())
                 : std::string();
}

/// The table that the camera gives to its clients; empty if it is not there within `at_most`.
std::string table_of_camera(sphere::hw::CameraClient& client, std::chrono::microseconds at_most,
                            GCancellable* cancellable) {
  using Kind = sphere::hw::CameraEvent::Kind;
  std::string table;
  unsigned listener = 0;
  (void)sphere::hw::await<Kind>(
      cancellable,
      [&](auto settled) {
        listener = client.join_listeners([&table, settled](const sphere::hw::CameraEvent& event) {
          if (event.kind == Kind::lens_table) table = event.bytes;
          if (event.kind == Kind::lens_table || event.kind == Kind::no_lens_table ||
              event.kind == Kind::ended)
            settled(event.kind);
        });
        if (!client.is_ready()) settled(Kind::ended);
      },
      at_most);
  client.remove_listener(listener);
  return table;
}

/// Tells the stitcher which lenses took the photo, as spherecamsrc does, unless it knows.
void PhotoSource::push_lens(State& state, const std::string& photo, GCancellable* cancellable) {
  sphere::hw::CameraClient& client = *state.use.client();
  std::string table = table_of_photo(photo);
  if (table.empty())
    table = table_of_camera(client, state.lens_table ? 0ms : table_timeout, cancellable);
  if (state.lens_table == table) return;
  GstEvent* lens = gst_event_new_sphere_lens(client.family().lens);
  if (!table.empty()) {
    const sphere::BytesRef bytes(g_bytes_new(table.data(), table.size()));
    gst_structure_set(gst_event_writable_structure(lens), "table", G_TYPE_BYTES, bytes.get(),
                      nullptr);
  }
  gst_pad_push_event(GST_BASE_SRC_PAD(element_), lens);
  state.lens_table = std::move(table);
}

std::optional<Failure> PhotoSource::fetch(State& state, const std::string& path,
                                          GCancellable* cancellable, std::string& photo) {
  sphere::hw::StoredPins pins;
  sphere::hw::CardFile file(*state.use.client(), path, sphere::hw::FileTransport::any, &pins);
  sphere::hw::MediaInfo info;
  if (auto failure = file.describe(info, cancellable)) return failure;
  if (!info.size || *info.size == 0 || *info.size > most_bytes)
    return Failure(Failure::Reason::broken,
                   "the camera does not tell a size that a photo may have");
  return file.read_all(
      0, *info.size,
      [&](std::string_view bytes) {
        photo.append(bytes);
        return sphere::ok();
      },
      idle_timeout, cancellable);
}

GstFlowReturn PhotoSource::create(GstBuffer** buffer) {
  const Settings used = settings_.get();
  if (state_ && used.photos >= 0 && state_->taken >= used.photos) return GST_FLOW_EOS;
  if (used.photos == 0) return GST_FLOW_EOS;
  if (!may_fetch()) return GST_FLOW_ERROR;
  sphere::ObjectRef<GCancellable> cancellable;
  {
    const Lock lock(mutex_);
    cancellable.reset(G_CANCELLABLE(g_object_ref(cancellable_.get())));
  }
  // Made here, because starting must not wait for a camera: it can't be interrupted.
  if (!state_) state_ = std::make_unique<State>(*target_, may_store_tables());
  State& state = *state_;
  if (state.last) {
    const auto due =
        *state.last + std::chrono::milliseconds(static_cast<int64_t>(used.interval * 1000));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now());
    if (left > 0ms) sphere::hw::pause(left, cancellable.get());
    if (g_cancellable_is_cancelled(cancellable.get())) return GST_FLOW_FLUSHING;
  }
  state.last = Clock::now();

  sphere::hw::PhotoRequest request;
  if (used.timer > 0) {
    request.kind = sphere::hw::PhotoRequest::Kind::timed;
    request.seconds = static_cast<int>(used.timer);
  }
  std::string path, photo;
  // Shared, because the camera may tell of a later photo when nobody waits any more.
  const auto saved_at = std::make_shared<std::atomic<GstClockTime>>(GST_CLOCK_TIME_NONE);
  const auto note_time = [this, saved_at] { *saved_at = running_time(); };
  if (auto failure = sphere::hw::take_photo_and_wait(*state.use.client(), request,
                                                     cancellable.get(), path, note_time))
    return fail(*failure);
  if (auto failure = fetch(state, path, cancellable.get(), photo)) return fail(*failure);
  push_lens(state, photo, cancellable.get());
  GST_INFO_OBJECT(element_, "photo %d has %zu bytes", state.taken, photo.size());

  auto* bytes = new std::string(std::move(photo));
  *buffer = gst_buffer_new_wrapped_full(
      static_cast<GstMemoryFlags>(0), bytes->data(), bytes->size(), 0, bytes->size(), bytes,
      +[](gpointer data) { delete static_cast<std::string*>(data); });
  GST_BUFFER_PTS(*buffer) = *saved_at;
  GST_BUFFER_OFFSET(*buffer) = static_cast<guint64>(state.taken);
  GST_BUFFER_OFFSET_END(*buffer) = static_cast<guint64>(++state.taken);
  return GST_FLOW_OK;
}

namespace {

GstFlowReturn create(GstPushSrc* element, GstBuffer** buffer) {
  return self_of<GstSpherePhotoSrc>(element).create(buffer);
}

}  // namespace

static void gst_sphere_photo_src_init(GstSpherePhotoSrc* photo) {
  auto* source = GST_BASE_SRC(photo);
  photo->self = new PhotoSource(source);
  // A photo is taken only while the pipeline plays.
  gst_base_src_set_live(source, TRUE);
  gst_base_src_set_format(source, GST_FORMAT_TIME);
}

static void gst_sphere_photo_src_class_init(GstSpherePhotoSrcClass* klass) {
  GST_DEBUG_CATEGORY_INIT(spherephotosrc_debug, "spherephotosrc", 0, "photos of a 360 camera");
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  install_card_source<GstSpherePhotoSrc>(GST_BASE_SRC_CLASS(klass));
  GST_PUSH_SRC_CLASS(klass)->create = create;

  constexpr auto ready = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                  GST_PARAM_MUTABLE_READY);
  constexpr auto playing = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                    GST_PARAM_MUTABLE_PLAYING);
  g_object_class_install_property(
      object_class, PROP_LOCATION,
      g_param_spec_string("location", "Location",
                          "URI of the camera: madv://HOST[:PORT], with data-port, http-port and "
                          "https-port as query parameters",
                          sphere::hw::default_location(), ready));
  install_camera_property(object_class, PROP_CAMERA);
  g_object_class_install_property(
      object_class, PROP_NUM_PHOTOS,
      g_param_spec_int("num-photos", "Number of photos",
                       "Photos until the end of the stream (-1: no end)", -1, G_MAXINT,
                       default_photos, playing));
  g_object_class_install_property(
      object_class, PROP_INTERVAL,
      g_param_spec_double("interval", "Interval",
                          "Seconds from the beginning of a photo to that of the next one; if the "
                          "camera is slower, the next photo follows at once",
                          0, 86400, default_interval, playing));
  g_object_class_install_property(
      object_class, PROP_TIMER,
      g_param_spec_uint(
          "timer", "Timer",
          "Seconds that the camera waits before it takes each photo (0: none); cameras "
          "take 3 to 10, and keep this setting",
          0, 60, default_timer, playing));

  gst_element_class_add_static_pad_template(element_class, &source_template);
  gst_element_class_set_static_metadata(
      element_class, "360 camera photo source", "Source/Image/Network",
      "Takes photos with a 360 camera on the network", "gst-sphere");
}
