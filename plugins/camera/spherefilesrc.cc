// SPDX-License-Identifier: LGPL-2.1-or-later
// spherefilesrc: one file on a camera's card.

/**
 * SECTION:element-spherefilesrc
 * @title: spherefilesrc
 *
 * Reads a photo or a video from the card of a camera, without fetching it whole: a demuxer that
 * jumps to the index at the end of the file, or a player that seeks, causes only the traffic for
 * the parts that it reads. A transfer that is cut is continued. The bytes are those of the camera,
 * with everything that they tell about people and places.
 *
 * `playbin uri=madv://192.168.42.1/DCIM/...` uses this element; the URI of a preview belongs to
 * `spherecamsrc`.
 *
 * A camera accepts one client. Elements and #GstSphereCamera objects of one program that use the
 * same camera share one connection.
 *
 * The element can't know whether what is behind it stores the file. It reads the file if `storage`
 * is given for `save`, or if it has no source of consent: then starting it is the act itself, as
 * long as the user's own ledger does not say that this was withdrawn.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 spherefilesrc location=madv://192.168.42.1/DCIM/20161121/VID_20161121_162507AA.MP4 ! qtdemux ! h264parse ! avdec_h264 ! spherestitch ! videoconvert ! autovideosink
 * ]|
 *
 * Since: 0.2
 */

#include "plugins/camera/spherefilesrc.h"

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
#include "hw/card_reader.h"
#include "hw/read_ahead.h"
#include "plugins/camera/bus_messages.h"
#include "plugins/camera/camera_use.h"
#include "plugins/camera/card_source.h"

GST_DEBUG_CATEGORY_STATIC(spherefilesrc_debug);
#define GST_CAT_DEFAULT spherefilesrc_debug

namespace {

using namespace sphere::camera;
using sphere::Lock;
using sphere::Mutex;
using sphere::self_of;
using sphere::hw::Failure;
using sphere::hw::ReadAhead;

GstStaticPadTemplate source_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

enum { PROP_LOCATION = sphere::consent::PROP_FIRST_OF_ELEMENT, PROP_CAMERA, PROP_TIMEOUT };

// That of a connection to the camera. A camera that restarts is back after some 20 s.
constexpr guint default_timeout = 30;  // s
constexpr std::chrono::seconds connect_timeout{5};
// Of a buffer in push mode: the transfer over Wi-Fi is slow, therefore larger ones do not help.
constexpr guint block_size = 64 << 10;

struct Settings {
  std::string location;
  guint timeout = default_timeout;
};

/// The file while it is open.
class OpenFile {
 public:
  OpenFile(const Target& target, std::chrono::seconds idle_timeout,
           std::function<bool()> may_store_tables)
      : use_(target.client, std::move(may_store_tables)),
        reader_(sphere::hw::make_card_reader(target.client, target.file, idle_timeout)) {}
  ReadAhead& reader() { return reader_; }

 private:
  CameraUse use_;  // the connection is ended when nothing is read any more
  ReadAhead reader_;
};

class FileSource : public CardSource<Settings> {
 public:
  using CardSource::CardSource;

  bool set_property(guint id, const GValue* value);
  bool get_property(guint id, GValue* value);
  /// Of the URI handler.
  std::string location() const { return settings_.get().location; }
  void set_location(const std::string& location) {
    settings_.change([&](Settings& settings) { settings.location = location; });
  }

  bool start();
  void stop();
  void set_flushing(bool flushing);
  /// Opens the file if it is not open yet. FALSE if the size is not known.
  bool size(guint64& size);
  GstFlowReturn fill(guint64 offset, guint length, GstBuffer* buffer);

 private:
  std::shared_ptr<OpenFile> file();
  GstFlowReturn fail(const std::shared_ptr<OpenFile>& file);
  void note_size(const std::shared_ptr<OpenFile>& file);

  std::atomic<bool> failed_ = false;

  // Protects what follows. Never held while a file is read or closed.
  Mutex mutex_;
  std::optional<Target> target_ SPHERE_GUARDED_BY(mutex_);  // from start() to stop()
  std::shared_ptr<OpenFile> file_ SPHERE_GUARDED_BY(mutex_);
  bool flushing_ SPHERE_GUARDED_BY(mutex_) = false;
};

}  // namespace

// --- the element -----------------------------------------------------------------------------

struct _GstSphereFileSrc {
  GstBaseSrc parent;
  FileSource* self;
};

static void gst_sphere_file_src_uri_handler_init(gpointer iface, gpointer data);

G_DEFINE_TYPE_WITH_CODE(GstSphereFileSrc, gst_sphere_file_src, GST_TYPE_BASE_SRC,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER,
                                              gst_sphere_file_src_uri_handler_init))
// GStreamer tries the elements for a scheme by their rank, and goes on when one refuses a URI:
// spherecamsrc, which comes first, takes previews only, and this one files only.
GST_ELEMENT_REGISTER_DEFINE(spherefilesrc, "spherefilesrc", GST_RANK_SECONDARY,
                            GST_TYPE_SPHERE_FILE_SRC)

// --- properties ------------------------------------------------------------------------------

bool FileSource::set_property(guint id, const GValue* value) {
  if (sphere::consent::set_property(consent, GST_ELEMENT(element_), id, value)) return true;
  switch (id) {
    case PROP_LOCATION:
      set_location(sphere::to_string(g_value_get_string(value)));
      return true;
    case PROP_CAMERA:
      camera_.set(static_cast<GstSphereCamera*>(g_value_get_object(value)));
      return true;
    case PROP_TIMEOUT:
      settings_.change([&](Settings& settings) { settings.timeout = g_value_get_uint(value); });
      return true;
    default:
      return false;
  }
}

bool FileSource::get_property(guint id, GValue* value) {
  if (sphere::consent::get_property(consent, id, value)) return true;
  switch (id) {
    case PROP_LOCATION:
      g_value_set_string(value, location().c_str());
      return true;
    case PROP_CAMERA:
      g_value_take_object(value, camera_.get().release());
      return true;
    case PROP_TIMEOUT:
      g_value_set_uint(value, settings_.get().timeout);
      return true;
    default:
      return false;
  }
}

// --- reading ---------------------------------------------------------------------------------

bool FileSource::start() {
  const Settings used = settings_.get();
  const sphere::ObjectRef<GstSphereCamera> camera = camera_.get();
  sphere::Result<Target> target = find_target(used.location, camera.get(), connect_timeout);
  if (target && target->file.empty())
    target = sphere::invalid(
        used.location.empty()
            ? "the property location is not set; write the URI of a file, such "
              "as madv://HOST/DCIM/20161121/VID_20161121_162507AA.MP4"
            : "'" + used.location + "' names no file; the preview is played by spherecamsrc");
  if (!target) {
    post_settings_error(GST_ELEMENT(element_), target.error().message);
    return false;
  }
  failed_ = false;
  const Lock lock(mutex_);
  target_ = std::move(*target);
  return true;
}

void FileSource::stop() {
  std::shared_ptr<OpenFile> file;
  const Lock lock(mutex_);
  target_.reset();
  file_.swap(file);
}

void FileSource::set_flushing(bool flushing) {
  const Lock lock(mutex_);
  flushing_ = flushing;
  if (file_) file_->reader().set_flushing(flushing);
}

/// Opened by the first read: starting must not wait for a camera, because it can't be interrupted.
std::shared_ptr<OpenFile> FileSource::file() {
  const std::chrono::seconds idle_timeout(settings_.get().timeout);
  const Lock lock(mutex_);
  if (!file_ && target_) {
    file_ = std::make_shared<OpenFile>(*target_, idle_timeout, may_store_tables());
    file_->reader().set_flushing(flushing_);
  }
  return file_;
}

bool FileSource::size(guint64& size) {
  const std::shared_ptr<OpenFile> open = file();
  uint64_t found = 0;
  if (!open || open->reader().size(found) != ReadAhead::Outcome::done) return false;
  size = found;
  return true;
}

GstFlowReturn FileSource::fail(const std::shared_ptr<OpenFile>& file) {
  const std::optional<Failure> failure = file->reader().failure();
  // A demuxer may go on after an error.
  if (failure && !failed_.exchange(true)) post_file_failure(GST_ELEMENT(element_), *failure);
  return GST_FLOW_ERROR;
}

/// GstBaseSrc asks for the size only when it starts, and the file is not open then.
void FileSource::note_size(const std::shared_ptr<OpenFile>& file) {
  uint64_t size = 0;
  if (file->reader().size(size) != ReadAhead::Outcome::done) return;
  GST_OBJECT_LOCK(element_);
  const bool is_new = element_->segment.duration != size;
  element_->segment.duration = size;
  GST_OBJECT_UNLOCK(element_);
  if (is_new)
    gst_element_post_message(GST_ELEMENT(element_),
                             gst_message_new_duration_changed(GST_OBJECT(element_)));
}

GstFlowReturn FileSource::fill(guint64 offset, guint length, GstBuffer* buffer) {
  if (!may_fetch()) return GST_FLOW_ERROR;
  const std::shared_ptr<OpenFile> open = file();
  if (!open) return GST_FLOW_FLUSHING;
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_WRITE)) {
    GST_ELEMENT_ERROR(element_, RESOURCE, WRITE, ("There is not enough memory."), (nullptr));
    return GST_FLOW_ERROR;
  }
  size_t got = 0;
  const ReadAhead::Outcome outcome =
      open->reader().read(offset, {map.data, std::min<size_t>(length, map.size)}, got);
  gst_buffer_unmap(buffer, &map);
  if (outcome == ReadAhead::Outcome::flushing) return GST_FLOW_FLUSHING;
  if (outcome == ReadAhead::Outcome::failed) return fail(open);
  note_size(open);
  if (got == 0 && length > 0) return GST_FLOW_EOS;
  gst_buffer_resize(buffer, 0, static_cast<gssize>(got));
  GST_BUFFER_OFFSET(buffer) = offset;
  GST_BUFFER_OFFSET_END(buffer) = offset + got;
  return GST_FLOW_OK;
}

namespace {

FileSource& source_of(gpointer element) { return self_of<GstSphereFileSrc>(element); }

gboolean is_seekable(GstBaseSrc*) { return TRUE; }

gboolean get_size(GstBaseSrc* element, guint64* size) {
  // While it starts, nothing waits for the camera.
  return GST_BASE_SRC_IS_STARTED(element) && source_of(element).size(*size);
}

GstFlowReturn fill(GstBaseSrc* element, guint64 offset, guint length, GstBuffer* buffer) {
  return source_of(element).fill(offset, length, buffer);
}

gboolean query(GstBaseSrc* element, GstQuery* query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_DURATION && GST_BASE_SRC_IS_STARTED(element)) {
    GstFormat format = GST_FORMAT_UNDEFINED;
    gst_query_parse_duration(query, &format, nullptr);
    guint64 size = 0;
    // A demuxer asks before it reads.
    if (format == GST_FORMAT_BYTES && source_of(element).size(size)) {
      gst_query_set_duration(query, GST_FORMAT_BYTES, static_cast<gint64>(size));
      return TRUE;
    }
  }
  return GST_BASE_SRC_CLASS(gst_sphere_file_src_parent_class)->query(element, query);
}

// --- the URI handler -------------------------------------------------------------------------

gchar* get_uri(GstURIHandler* handler) {
  const std::string location = source_of(handler).location();
  // With the property camera, it may be a path.
  return gst_uri_is_valid(location.c_str()) ? g_strdup(location.c_str()) : nullptr;
}

gboolean set_uri(GstURIHandler* handler, const gchar* uri, GError** error) {
  if (GST_STATE(handler) > GST_STATE_READY) {
    g_set_error_literal(error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
                        "the location of a file that is being read can't be changed");
    return FALSE;
  }
  const std::string text = sphere::to_string(uri);
  const auto family = sphere::hw::find_family(text);
  const auto parts = family ? sphere::hw::split_location(**family, text)
                            : sphere::Result<sphere::hw::CameraLocation>(family.error());
  if (!parts || parts->file.empty()) {
    const std::string why = !parts ? parts.error().message
                                   : "this URI names no file on the card of a camera; write "
                                     "madv://HOST/DCIM/...";
    g_set_error_literal(error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
                        sphere::printable(why).c_str());
    return FALSE;
  }
  source_of(handler).set_location(text);
  return TRUE;
}

}  // namespace

static void gst_sphere_file_src_uri_handler_init(gpointer iface, gpointer) {
  install_uri_handler(iface, get_uri, set_uri);
}

static void gst_sphere_file_src_init(GstSphereFileSrc* file) {
  file->self = new FileSource(GST_BASE_SRC(file));
  gst_base_src_set_blocksize(GST_BASE_SRC(file), block_size);
}

static void gst_sphere_file_src_class_init(GstSphereFileSrcClass* klass) {
  GST_DEBUG_CATEGORY_INIT(spherefilesrc_debug, "spherefilesrc", 0, "a file on a camera's card");
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  auto* source_class = GST_BASE_SRC_CLASS(klass);
  install_card_source<GstSphereFileSrc>(source_class);
  source_class->is_seekable = is_seekable;
  source_class->get_size = get_size;
  source_class->fill = fill;
  source_class->query = query;

  constexpr auto ready = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                  GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      object_class, PROP_LOCATION,
      g_param_spec_string("location", "Location",
                          "URI of the file: madv://HOST[:PORT]/DCIM/..., with data-port, "
                          "http-port and https-port as query parameters; with the property camera "
                          "also its path on the card",
                          nullptr, ready));
  install_camera_property(object_class, PROP_CAMERA);
  g_object_class_install_property(
      object_class, PROP_TIMEOUT,
      g_param_spec_uint("timeout", "Timeout",
                        "Seconds for which a transfer that is cut is tried again without a new "
                        "byte; opening the file is tried once",
                        0, 3600, default_timeout, ready));

  gst_element_class_add_static_pad_template(element_class, &source_template);
  gst_element_class_set_static_metadata(element_class, "360 camera file source", "Source/Network",
                                        "One file on the card of a 360 camera on the network",
                                        "gst-sphere");
}
