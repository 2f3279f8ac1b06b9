// SPDX-License-Identifier: LGPL-2.1-or-later
// What a camera on the network is, whatever its family: its state, its preview, what it can be
// told, and why something failed. A family implements Camera, and registers a CameraFamily under
// the scheme of its URIs; nobody else includes its headers.

#pragma once

#include <gst/gst.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"
#include "hw/failure.h"

namespace sphere::hw {

enum class Card { unknown, none, bad, slow, mounted };

/// What is known of a camera by now. What is absent or empty is not known.
struct CameraState {
  std::string working_mode;  ///< a word, such as "standby" or "recording"
  bool recording = false;
  std::optional<bool> photo_mode;  ///< else video
  std::optional<int> battery_percent;
  bool charging = false;
  Card card = Card::unknown;
  std::optional<int> card_full;  ///< 0 no, 1 almost, 2 full
  std::optional<int64_t> photos_left;
  std::optional<int64_t> video_seconds_left;
  std::string model;
  std::string firmware;
};

/// What tells one camera from all others. Only asked for with consent.
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
    ready,          ///< the state is known, commands can be given
    notification,   ///< the camera said something unasked; the state has it already
    lens_table,     ///< `bytes`: the camera's own lens table
    no_lens_table,  ///< `failure`: why it can't be had
    ended,          ///< the last event; with `failure` unless disconnect() ended it
  };
  Kind kind = Kind::ended;
  /// Of a notification: its number and name in the family's protocol, and the path on the card of a
  /// file that was saved.
  int id = 0;
  std::string name;
  std::string path;
  std::string bytes;
  std::optional<Failure> failure;
};

/// How the preview may travel, where the family has a choice.
struct Transports {
  bool udp = true;
  bool udp_multicast = false;
  bool tcp = true;
};

struct PreviewOptions {
  Transports transports;
  unsigned latency_ms = 200;
  std::chrono::microseconds timeout = std::chrono::seconds(5);  ///< of one answer of the camera
  /// All are called in a streaming thread or in announce_streams(), not after close() has returned.
  /// The camera offers sound: whether to ask for it. Without consent it must not be asked for.
  std::function<bool()> sound_offered;
  /// The camera was asked to send.
  std::function<void()> requested;
  /// A stream of coded pictures or sound. `codec` is a name for what is in it: two streams of one
  /// name can follow each other on one pad.
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

  /// A bin or a source, for the caller to put into its own bin and to bring to the bin's state.
  virtual GstElement* element() const = 0;
  /// To be called when the element is in the caller's bin, before its state changes: a preview
  /// whose streams are known by then says so here.
  virtual void announce_streams() {}
  /// Brings the element, whose state is to be locked by then, to NULL: in less than half a second,
  /// whatever the camera sends. After it, nothing is called any more.
  virtual void close() = 0;
  /// What an error message of something inside the element means. Any thread may call.
  virtual Failure failure_of(const GError* error, const char* debug) const = 0;

  /// What travelled as single packets since the start. Nothing where none can be lost.
  struct Packets {
    uint64_t arrived = 0;
    uint64_t lost = 0;
  };
  virtual std::optional<Packets> packets() const { return std::nullopt; }
};

struct CameraOptions {
  std::string location;
  std::chrono::microseconds connect_timeout = std::chrono::seconds(5);
  /// Whether lens tables, which tell one camera from another, may be kept on the disk. Asked in the
  /// camera's thread; empty: they may.
  std::function<bool()> may_store_tables;
};

/// One connection to a camera. It is not used again after disconnect().
class Camera {
 public:
  /// What became of a command. A handler is called once in any case, in the camera's thread or in
  /// the caller's.
  struct Answer {
    bool done = false;
    Failure failure;        ///< why it was not done
    bool was_idle = false;  ///< of stop_recording(): nothing was being recorded
  };
  using Handler = std::function<void(const Answer&)>;
  /// Asked in the camera's thread when it is a command's turn: one that is not wanted any more,
  /// because consent was taken back while it waited, is not sent.
  using Wanted = std::function<bool()>;
  /// Called in the camera's thread with no lock held. It may call anything here but disconnect().
  using EventHandler = std::function<void(const CameraEvent&)>;

  Camera() = default;
  virtual ~Camera() = default;
  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;

  /// Connects in the background; the outcome comes as an event.
  virtual void connect() = 0;
  /// Ends the connection in order, so that the camera is free for others. `ended` tells when.
  virtual void request_disconnect() = 0;
  /// The same, and waits: less than a second, also where the camera says nothing. Any number of
  /// times.
  virtual void disconnect() = 0;

  virtual CameraState state() const = 0;
  /// Valid from `preview_ready` on, also when the connection has ended since.
  virtual std::shared_ptr<Preview> make_preview(PreviewOptions options, const char* name) = 0;

  /// These switch the camera to the mode that they need.
  virtual void take_photo(Handler handler) = 0;
  virtual void start_recording(bool with_sound, Wanted wanted, Handler handler) = 0;
  virtual void stop_recording(Handler handler) = 0;
  virtual void set_position(const CameraPosition& position, Wanted wanted, Handler handler) = 0;
  virtual void identify(Wanted wanted,
                        std::function<void(const std::optional<CameraIdentity>&)> handler) = 0;
};

/// What is known of a family without a camera.
struct CameraFamily {
  /// Of its URIs, such as "madv".
  const char* scheme;
  /// Where its cameras are, when they make the network themselves.
  const char* default_location;
  /// The caps of its preview's pictures, as text.
  const char* video_caps;
  /// The name of the lens profile to stitch with until the camera's own table comes.
  const char* lens;
  /// Whether this is the URI of a preview; the error says what is wrong with it, and what to write.
  Status (*check_location)(std::string_view location);
  std::unique_ptr<Camera> (*make)(CameraOptions options, Camera::EventHandler handler);
  /// Removes a lens table that was kept on this machine, by the MD5 of its bytes.
  void (*forget_table)(const std::string& md5);
};

/// A family is registered by a static object of its own source file, before main() or while a
/// library is loaded.
struct RegisterFamily {
  explicit RegisterFamily(const CameraFamily& family);
};

/// All families, in the order of their schemes.
std::vector<const CameraFamily*> camera_families();
/// The family of this URI, or what to write instead.
Result<const CameraFamily*> find_family(std::string_view location);
/// That of the first family that has one.
const char* default_location();

}  // namespace sphere::hw
