// SPDX-License-Identifier: LGPL-2.1-or-later
// What keeps spherecamsrc connected to its camera.

#pragma once

#include <gst/gst.h>
#include <gst/rtsp/gstrtsptransport.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/guard.h"
#include "hw/madv/session.h"
#include "plugins/camera/beacon.h"
#include "plugins/camera/binder.h"
#include "plugins/camera/sound.h"
#include "plugins/camera/timeline.h"

namespace sphere::camera {

inline constexpr const char* default_location = "madv://192.168.42.1/live";
inline constexpr auto default_protocols =
    static_cast<GstRTSPLowerTrans>(GST_RTSP_LOWER_TRANS_UDP | GST_RTSP_LOWER_TRANS_TCP);
inline constexpr guint default_latency = 200;  // ms: what a jitter of Wi-Fi needs
inline constexpr guint default_timeout = 5;    // s
inline constexpr gboolean default_reconnect = TRUE;

struct Settings {
  std::string location = default_location;
  GstRTSPLowerTrans protocols = default_protocols;
  guint latency = default_latency;
  guint timeout = default_timeout;
  bool reconnect = default_reconnect;
};

/// Keeps the camera connected. One thread of its own does whatever takes time; the session's thread
/// and the streaming thread only tell it what happened.
class Keeper {
 public:
  Keeper(GstBin* bin, GstElement* depayloader, GstPad* source);
  ~Keeper() { stop(); }

  Settings settings() {
    const Lock lock(mutex_);
    return settings_;
  }
  template <typename Function>
  void change_settings(Function function) {
    const Lock lock(mutex_);
    function(settings_);
  }

  /// What sound and position hang on.
  consent::Consent& consent() { return consent_; }
  Beacon& beacon() { return beacon_; }

  /// Consent, or the position, is to be looked at anew.
  void nudge();

  /// A recording that has sound began, or ended.
  void records_with_sound(bool so);

  bool start();
  void stop();

  /// From inside the bin: whether the message is the keeper's own affair.
  bool takes(GstMessage* message);
  Result<std::shared_ptr<const madv::Message>> call(madv::Request request);
  /// From the streaming thread: downstream wants no more. Whether that is news.
  bool finish();
  /// From the streaming thread: a picture is on its way downstream, which may hold it.
  void set_pushing(bool pushing) { pushing_ = pushing; }
  madv::CameraState state();
  GstStructure* stats();

 private:
  using Clock = std::chrono::steady_clock;

  // What another thread saw.
  struct Happened {
    bool preview_ready = false;
    bool session_ended = false;
    std::optional<madv::Failure> failure;
    bool preview_failed = false;
    bool finished = false;
    bool nudged = false;  // consent or the position changed: look again
    GQuark domain = 0;
    int code = 0;
    std::string text, detail;
  };

  void run();
  void preview_ended();
  void begin(const Settings& settings);
  void session_event(const madv::Event& event, unsigned number);
  void open_preview(const Settings& settings);
  void close_preview();
  void lost(const madv::Failure& failure, const Settings& settings);
  void fail(const madv::Failure& failure);
  void give_up();
  void look_at_sound(const Settings& settings);
  void look_at_binding();
  void look_at_position();
  void look_at_recording();
  madv::Failure preview_failure(const Happened& happened) const;
  void post_connection(const char* state, const std::string& reason, Clock::duration pause);
  void post_state(const madv::CameraState& state);
  void post_notification(const madv::Message& message);
  static void pad_added(GstElement* rtspsrc, GstPad* pad, gpointer self);
  static void no_more_pads(GstElement* rtspsrc, gpointer self);
  static gboolean select_stream(GstElement* rtspsrc, guint number, GstCaps* caps, gpointer self);

  GstBin* const bin_;
  GstElement* const depayloader_;
  consent::Consent consent_;
  Timeline timeline_;
  Sound sound_;
  Beacon beacon_;
  Binder binder_;
  std::atomic<bool> pushing_ = false;
  std::atomic<bool> records_with_sound_ = false;

  // The thread's own.
  GstElement* rtspsrc_ = nullptr;
  madv::Uri uri_;
  bool session_open_ = false;
  Clock::duration pause_{};
  std::optional<Clock::time_point> attempt_at_;
  std::optional<Clock::time_point> watched_since_;
  std::optional<Clock::time_point> position_at_;
  bool only_preview_ = false;
  bool failed_ = false;  // nothing more is done
  unsigned previews_ = 0;

  // Protects what follows; the innermost, never held across a post, a state change or the network.
  Mutex mutex_;
  std::condition_variable_any changed_;
  Settings settings_ SPHERE_GUARDED_BY(mutex_);
  Happened happened_ SPHERE_GUARDED_BY(mutex_);
  bool quit_ SPHERE_GUARDED_BY(mutex_) = false;
  // A session that was given up may still speak: it is known by its number.
  unsigned session_number_ SPHERE_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<madv::Session> session_ SPHERE_GUARDED_BY(mutex_);
  GstElement* watched_rtspsrc_ SPHERE_GUARDED_BY(mutex_) = nullptr;
  int connections_ SPHERE_GUARDED_BY(mutex_) = 0;
  int losses_ SPHERE_GUARDED_BY(mutex_) = 0;
  bool table_ SPHERE_GUARDED_BY(mutex_) = false;
  // Of the connection that stands or is made.
  bool sound_offered_ SPHERE_GUARDED_BY(mutex_) = false;
  bool sound_asked_ SPHERE_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace sphere::camera
