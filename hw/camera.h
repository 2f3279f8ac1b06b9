// SPDX-License-Identifier: LGPL-2.1-or-later
// The interface of network cameras of all families: state, preview, commands and failures. A family
// implements Camera and registers a CameraFamily for the scheme of its URIs. Only the family itself
// includes its headers.

#pragma once

#include <gst/gst.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"
#include "hw/camera_files.h"
#include "hw/camera_settings.h"
#include "hw/camera_upkeep.h"
#include "hw/capture.h"
#include "hw/failure.h"

namespace sphere::hw {

enum class Card { unknown, none, bad, slow, mounted };

/// The state of a camera. Values that are missing or empty are not known.
struct CameraState {
  std::string working_mode;  ///< a word, such as "standby" or "recording"
  bool recording = false;
  bool taking_photos = false;      ///< also in a series, or while a timer runs
  std::optional<bool> photo_mode;  ///< else video
  std::optional<int> battery_percent;
  bool charging = false;
  Card card = Card::unknown;
  std::optional<int> card_full;  ///< 0 no, 1 almost, 2 full
  std::optional<int64_t> photos_left;
  std::optional<int64_t> video_seconds_left;
  std::optional<int64_t> card_total_kb;
  std::optional<int64_t> card_free_kb;
  std::optional<int64_t> recorded_seconds;  ///< of the recording that is being made
  std::string model;
  std::string firmware;
};

/// Data that identifies a camera. To be requested only with consent.
struct CameraIdentity {
  std::string serial;
  std::string wifi;  ///< the name of its network
};

/// Degrees, and metres above the sea.
struct CameraPosition {
  double latitude = 0, longitude = 0, altitude = 0;
};

struct CameraEvent {
  enum class Kind {
    preview_ready,  ///< the preview can be opened
    ready,          ///< the state is known, commands can be given; the lens table may come later
    notification,   ///< a message without a request; the state is updated already
    lens_table,     ///< `bytes`: the camera's own lens table
    no_lens_table,  ///< `failure`: why it is not available
    ended,          ///< the last event; with `failure`, except after disconnect()
  };
  Kind kind = Kind::ended;
  /// Of a notification: its number and name in the family's protocol, and the path on the card of a
  /// file that was saved.
  int id = 0;
  std::string name;
  std::string path;
  /// The same file as CameraFiles names it, relative to the card.
  std::string file;
  /// Whether that file is a part of a recording that goes on in another one.
  bool is_part = false;
  std::string bytes;
  std::optional<Failure> failure;
};

/// Counts of the commands of one or more connections. They identify nothing.
struct CameraStats {
  /// The upper limits of all classes of `durations` but the last.
  static constexpr std::array<unsigned, 6> limits_ms = {10, 30, 100, 300, 1000, 3000};

  uint64_t requests = 0;
  uint64_t errors = 0;  ///< refused by the camera, or not answered
  /// How many answers have come in up to so many milliseconds; the last class has the slower ones.
  std::array<uint64_t, limits_ms.size() + 1> durations{};

  void add_answer(std::chrono::microseconds duration);
  CameraStats& operator+=(const CameraStats& other);
  /// `earlier` are counts of the same connections at an earlier time.
  CameraStats& operator-=(const CameraStats& earlier);
};

/// The transports of the preview, if the family has a choice.
struct Transports {
  bool udp = true;
  bool udp_multicast = false;
  bool tcp = true;
};

struct PreviewOptions {
  Transports transports;
  unsigned latency_ms = 200;
  std::chrono::microseconds timeout =
      std::chrono::seconds(5);  ///< timeout of each answer of the camera
  /// All functions are called in a streaming thread or in announce_streams(), never after close()
  /// has returned. This one is called if the camera offers sound, and returns whether to request
  /// it. Sound must not be requested without consent.
  std::function<bool()> sound_offered;
  /// The preview was requested from the camera.
  std::function<void()> requested;
  /// A stream of coded pictures or sound. `codec` is a name for its contents: two streams with the
  /// same name can follow each other on one pad.
  std::function<void(GstPad* pad, bool is_sound, const std::string& codec)> stream_added;
  std::function<void()> all_streams_added;
};

/// The preview over one connection. It is not used again after close().
class Preview {
 public:
  Preview() = default;
  virtual ~Preview() = default;
  Preview(const Preview&) = delete;
  Preview& operator=(const Preview&) = delete;

  /// A bin or a source. The caller adds it to its own bin and sets its state.
  virtual GstElement* element() const = 0;
  /// To be called after the element is added to the caller's bin and before its state changes. A
  /// preview that knows its streams already announces them here.
  virtual void announce_streams() {}
  /// Sets the element to NULL in less than half a second, whatever the camera sends, unless
  /// downstream holds one of its buffers. It must be removed from the caller's bin before. No
  /// function of the options is called afterwards.
  virtual void close() = 0;
  /// The meaning of an error message of an element inside. May be called from any thread.
  virtual Failure failure_of(const GError* error, const char* debug) const = 0;

  /// Counts of packets since the start; empty if the transport can't lose packets.
  struct Packets {
    uint64_t arrived = 0;
    uint64_t lost = 0;
  };
  virtual std::optional<Packets> packets() const { return std::nullopt; }
};

struct CameraOptions {
  std::string location;
  std::chrono::microseconds connect_timeout = std::chrono::seconds(5);
  /// Whether lens tables, which identify a camera, may be stored on the disk. Called in the
  /// camera's thread; empty: they may.
  std::function<bool()> may_store_tables;
  /// False: nobody needs the camera's own lens table. Then it is not fetched, and its events don't
  /// come.
  bool wants_lens_table = true;
};

/// While such an object exists, the thread that made it counts as a camera's own: it calls handlers
/// and listeners, and does not wait for the end of a connection, because that is the end of itself.
/// Each family makes one in its thread.
class CameraThread {
 public:
  CameraThread();
  ~CameraThread();
  CameraThread(const CameraThread&) = delete;
  CameraThread& operator=(const CameraThread&) = delete;

  /// Whether this is the own thread of any camera.
  static bool is_this();
};

/// One connection to a camera. It is not used again after disconnect().
class Camera {
 public:
  /// The outcome of a command. A handler is always called exactly once, in the camera's thread or
  /// in the caller's.
  struct Answer {
    bool done = false;
    Failure failure;        ///< why it failed
    bool was_idle = false;  ///< of stop(): nothing was being recorded or taken
  };
  using Handler = std::function<void(const Answer&)>;
  /// Called in the camera's thread immediately before a command is sent. If it returns false, for
  /// example because consent was withdrawn while the command waited, the command is not sent.
  using Wanted = std::function<bool()>;
  /// Called in the camera's thread without a lock. It may call everything in this class except
  /// disconnect().
  using EventHandler = std::function<void(const CameraEvent&)>;

  Camera() = default;
  virtual ~Camera() = default;
  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;

  /// Connects in the background; the result comes as an event.
  virtual void connect() = 0;
  /// Ends the connection in an orderly way, so that the camera is free for others. The event
  /// `ended` comes at the end.
  virtual void request_disconnect() = 0;
  /// The same, but waits for the end: less than a second, even if the camera does not answer. May
  /// be called any number of times.
  virtual void disconnect() = 0;

  virtual CameraState state() const = 0;
  /// Asks the camera for its state, which state() returns afterwards. By default, it is known
  /// without being asked.
  virtual void update_state(std::function<void(const std::optional<Failure>&)> done) {
    done(std::nullopt);
  }
  /// Since connect(); also after the connection has ended.
  virtual CameraStats stats() const { return {}; }
  /// Valid after `preview_ready`, also after the connection has ended.
  virtual std::shared_ptr<Preview> make_preview(PreviewOptions options, const char* name) = 0;

  /// The following functions change the settings that the request names, and switch the camera to
  /// the mode that they need.
  virtual void take_photo(const PhotoRequest& request, Handler handler) = 0;
  virtual void start_recording(const RecordingRequest& request, Wanted wanted, Handler handler) = 0;
  /// Ends a recording, or a series of photos.
  virtual void stop(Handler handler) = 0;
  /// Marks this moment in the recording.
  virtual void mark(Handler handler);
  virtual void set_position(const CameraPosition& position, Wanted wanted, Handler handler) = 0;
  virtual void identify(Wanted wanted,
                        std::function<void(const std::optional<CameraIdentity>&)> handler) = 0;

  /// Null if cameras of this family have none. They live as long as the camera.
  virtual CameraSettings* settings() { return nullptr; }
  virtual CameraFiles* files() { return nullptr; }
  virtual CameraUpkeep* upkeep() { return nullptr; }
};

/// The parts of a URI.
struct CameraLocation {
  std::string camera;  ///< the URI of the camera's preview; equal for each URI of one camera
  std::string file;    ///< a file, relative to the card; empty for the preview
};

/// The description of a family.
struct CameraFamily {
  /// The scheme of its URIs, such as "madv".
  const char* scheme;
  /// The URI of a camera on its own network.
  const char* default_location;
  /// The caps of its preview's pictures, as text.
  const char* video_caps;
  /// The name of the lens profile that is used until the camera's own table is available.
  const char* lens;
  /// Checks that this is the URI of a preview. The error tells what is wrong, and what to write.
  Status (*check_location)(std::string_view location);
  std::unique_ptr<Camera> (*make)(CameraOptions options, Camera::EventHandler handler);
  /// Removes a stored lens table, by the MD5 of its bytes.
  void (*forget_table)(const std::string& md5);
  /// Divides any URI of the family. Null if its cameras have no files: each URI is a preview.
  Result<CameraLocation> (*split_location)(std::string_view location) = nullptr;
};

/// A family is registered by a static object in its source file, before main() or while a library
/// is loaded.
struct RegisterFamily {
  explicit RegisterFamily(const CameraFamily& family);
};

/// All families, sorted by scheme.
std::vector<const CameraFamily*> camera_families();
/// The family of this URI. The error tells what to write instead.
Result<const CameraFamily*> find_family(std::string_view location);
/// The parts of a URI of this family.
Result<CameraLocation> split_location(const CameraFamily& family, std::string_view location);
/// The default URI of the first family that has one.
const char* default_location();

}  // namespace sphere::hw
