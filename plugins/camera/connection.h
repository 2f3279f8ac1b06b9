// SPDX-License-Identifier: LGPL-2.1-or-later
// Keeps spherecamsrc connected to its camera: ConnectionCore with a thread, a clock, a camera and a
// bin.

#pragma once

#include <gst/gst.h>
#include <gst/rtsp/gstrtsptransport.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "gst/sphere/base/guarded.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/guard.h"
#include "hw/camera_client.h"
#include "plugins/camera/audio_branch.h"
#include "plugins/camera/camera_binding.h"
#include "plugins/camera/camera_use.h"
#include "plugins/camera/connection_core.h"
#include "plugins/camera/pending_calls.h"
#include "plugins/camera/picture_hold.h"
#include "plugins/camera/position_reporter.h"
#include "plugins/camera/preview_closer.h"
#include "plugins/camera/stream_splicer.h"

namespace sphere::camera {

inline constexpr auto default_protocols =
    static_cast<GstRTSPLowerTrans>(GST_RTSP_LOWER_TRANS_UDP | GST_RTSP_LOWER_TRANS_TCP);
inline constexpr guint default_latency = 200;  // ms: what a jitter of Wi-Fi needs
inline constexpr guint default_timeout = 5;    // s
inline constexpr gboolean default_reconnect = TRUE;

struct Settings {
  std::string location = hw::default_location();
  GstRTSPLowerTrans protocols = default_protocols;
  guint latency = default_latency;
  guint timeout = default_timeout;
  bool reconnect = default_reconnect;
};

/// One thread does everything that takes time. The camera's thread, the streaming threads and the
/// application only record what happened. More than twenty members, because it connects the parts
/// of the element, which don't know each other.
class CameraConnection {
 public:
  /// `pictures` is a sink pad for the previews' coded pictures, `source` the source pad where they
  /// leave. Both may be null in an element that can't start.
  CameraConnection(GstBin* bin, GstPad* pictures, GstPad* source);
  ~CameraConnection() { stop(); }
  CameraConnection(const CameraConnection&) = delete;
  CameraConnection& operator=(const CameraConnection&) = delete;

  Guarded<Settings>& settings() { return settings_; }

  /// The consent on which sound and position depend.
  consent::Consent& consent() { return consent_; }
  PositionReporter& position() { return position_; }
  /// The value of the property `camera`.
  CameraProperty& camera_property() { return camera_property_; }
  /// To be called when consent or the position has changed.
  void consent_changed();

  bool start();
  /// Waits until the camera is free: less than a second, also if it does not answer.
  void stop();
  /// Whether the pipeline plays.
  void set_playing(bool playing);

  /// For messages of the children. Returns whether the message is handled here.
  bool takes(GstMessage* message);
  /// From the streaming thread: downstream wants no more. Returns true the first time.
  bool finish();
  /// The application wants no more: ends the streams of all pads. Returns whether the element runs.
  bool end();
  /// From the streaming thread: a picture is on its way downstream, which may hold it.
  void set_pushing(bool pushing) { pushing_ = pushing; }

  /// Tells the camera to do something and waits for its answer: at most as long as `timeout` says,
  /// and no longer than until stop(). Not from the camera's thread.
  hw::Camera::Answer take_photo();
  hw::Camera::Answer start_recording();
  hw::Camera::Answer stop_recording();

  GstStructure* stats();

 private:
  /// A warning of an element of the preview.
  struct Warning {
    GQuark domain = 0;
    int code = 0;
    std::string text, detail;
    Time due{};  // when it is passed on, unless the preview is lost before: then it is a part of
                 // that
  };
  // Events of other threads. `number` identifies the camera or preview, because those that were
  // closed may still send some.
  struct CameraInput {
    unsigned number;
    ConnectionInput input;
  };
  struct PreviewInput {
    unsigned number;
    ConnectionInput input;
  };
  struct PreviewWarning {
    unsigned number;
    Warning warning;
  };
  struct Finished {};
  struct EndWanted {};
  struct PlayingChanged {
    bool playing;
  };
  struct CheckAgain {};
  struct PicturesHeld {};
  using Event = std::variant<CameraInput, PreviewInput, PreviewWarning, Finished, EndWanted,
                             PlayingChanged, CheckAgain, PicturesHeld>;

  void run();
  /// Returns whether there is a thread that reads it.
  bool put(Event event);
  std::optional<Time> next_wake_up();
  void handle(Event& event);
  void perform_actions();
  void perform(ConnectionAction& action);
  void observe();
  ConnectionSettings core_settings() const;
  void open_camera();
  void close_camera();
  void open_preview(bool tcp_only);
  void close_preview();
  void count_packets(const hw::Preview& preview);
  void camera_event(const hw::CameraEvent& event, unsigned number);
  void tell_missing_table(const hw::Failure& failure);
  void stream_added(GstPad* pad, bool is_sound, const std::string& codec, unsigned number);
  void all_streams_added();
  void update_sound();
  void update_recording();
  void update_warning(Time now);
  void add_warning(hw::Failure& failure);
  std::shared_ptr<hw::CameraClient> client();
  std::shared_ptr<hw::Camera> camera();
  hw::Camera::Answer call(const PendingCalls::Command& command);

  GstBin* const bin_;
  const GstRef<GstPad> pictures_;
  consent::Consent consent_;
  Guarded<Settings> settings_;
  StreamSplicer splicer_;
  PictureHold hold_;
  AudioBranch audio_;
  PositionReporter position_;
  CameraBinding binding_;
  PendingCalls calls_;
  CameraProperty camera_property_;

  // Set and read by several threads without the lock.
  std::atomic<bool> pushing_ = false;      // a picture is on its way downstream
  std::atomic<bool> pads_changed_ = true;  // since the last no-more-pads
  std::atomic<bool> recording_has_sound_ = false;
  std::atomic<bool> missing_table_told_ = false;
  struct {
    std::atomic<bool> offered = false, asked_for = false;
  } sound_;  // of the preview that is open
  struct {
    std::atomic<int> connections = 0, losses = 0;
    std::atomic<bool> lens_table = false;
    std::atomic<uint64_t> wake_ups = 0;
    std::atomic<uint64_t> packets = 0, lost_packets = 0;  // of previews that are closed
  } counts_;

  // Used only by the connection thread, and by start() before there is one.
  ConnectionCore core_;
  Settings used_;  // the settings when it started, but the current `reconnect`
  const hw::CameraFamily* family_ = nullptr;
  std::optional<unsigned> listener_;  // of client_
  std::optional<Time> position_due_;
  std::optional<Time> hold_due_;  // when pictures wait no longer
  std::optional<Warning> warning_;
  PreviewCloser closer_;

  // Protects what follows. Never held across a call of anything but the standard library.
  Mutex mutex_;
  ConditionVariable changed_;
  std::vector<Event> events_ SPHERE_GUARDED_BY(mutex_);
  bool quit_ SPHERE_GUARDED_BY(mutex_) = true;
  unsigned camera_number_ SPHERE_GUARDED_BY(mutex_) = 0;
  unsigned preview_number_ SPHERE_GUARDED_BY(mutex_) = 0;
  // The connection, which other parts of this program may use, too. From start() to stop().
  std::shared_ptr<hw::CameraClient> client_ SPHERE_GUARDED_BY(mutex_);
  // Of client_ at start(), and of the last run after stop().
  hw::CameraStats stats_before_ SPHERE_GUARDED_BY(mutex_), last_stats_ SPHERE_GUARDED_BY(mutex_);
  std::shared_ptr<hw::Preview> preview_ SPHERE_GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace sphere::camera
