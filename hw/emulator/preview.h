// SPDX-License-Identifier: LGPL-2.1-or-later
// The emulated camera's eyes: its live preview over RTSP, and the pictures and videos it takes.

#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "hw/emulator/faults.h"
#include "hw/emulator/listener.h"
#include "hw/emulator/loop.h"
#include "hw/emulator/scene.h"

namespace sphere::emulator {

/// Tracks that were set up are remembered up to so many.
constexpr size_t most_tracks = 4096;

/// Has a thread of its own: preparing an encoder takes time in which the control channel is to
/// answer, and a connection may be closed only by the thread that reads it.
class Preview {
 public:
  /// A port of 0 is any that is free. A connection that has set up nothing for `idle_time` is
  /// closed.
  static Result<std::unique_ptr<Preview>> start(const SceneSettings& scene,
                                                const std::vector<Fault>& faults,
                                                const std::string& host, uint16_t port,
                                                std::chrono::seconds idle_time);
  ~Preview();
  Preview(const Preview&) = delete;
  Preview& operator=(const Preview&) = delete;

  uint16_t port() const { return port_; }
  /// The tracks that were set up so far, in order: 0 is the pictures', 1 the sound's.
  std::vector<int> tracks() const;
  /// All connections end soon, as when the camera goes; new ones may come.
  void cut();
  /// All connections end, and no more come until listen().
  void close();
  /// After close(), on the same port.
  Status listen();

 private:
  struct Shared;
  Preview(const SceneSettings& scene, const std::vector<Fault>& faults, const std::string& host,
          uint16_t port, std::chrono::seconds idle_time);
  Status attach();
  void accept(ObjectRef<GSocket> socket);
  void close_idle();
  static void client_connected(GstRTSPServer* server, GstRTSPClient* client, gpointer self);
  static void client_closed(GstRTSPClient* client, gpointer self);
  static GstRTSPStatusCode before_describe(GstRTSPClient* client, GstRTSPContext* context,
                                           gpointer shared);
  static GstRTSPStatusCode before_setup(GstRTSPClient* client, GstRTSPContext* context,
                                        gpointer shared);
  static void media_configure(GstRTSPMediaFactory* factory, GstRTSPMedia* media, gpointer shared);

  const std::string host_;
  uint16_t port_;
  const std::chrono::seconds idle_time_;
  LoopThread loop_;
  const ObjectRef<GstRTSPServer> server_;
  // Connections and their streams may outlive this by some moments.
  const std::shared_ptr<Shared> shared_;
  // The thread's own, while it runs.
  std::unique_ptr<Listener> listener_;
  Watch cleaning_;
  // Which connections have set up nothing, and since when.
  std::map<GstRTSPClient*, std::chrono::microseconds> idle_;
  // GStreamer 1.22 asks its loop to close a client that can't be sent to, and holds no reference
  // meanwhile. So each outlives its connection for longer than that can take, as what one of these
  // holds.
  std::list<Watch> closed_;
};

/// Takes one picture of the scene, as a JPEG file. Blocks.
Status take_photo(const SceneSettings& scene, const Descriptor& file);

/// Whether the elements that these need are installed; else what to install. With `preview`, also
/// those of the preview.
Status check_elements(const SceneSettings& scene, bool preview);

/// A video being recorded into a file.
class Recording {
 public:
  static Result<std::unique_ptr<Recording>> start(const SceneSettings& scene, Descriptor file);
  ~Recording();
  /// Closes the file. Blocks until that is done.
  Status finish();

 private:
  Recording(GstElement* pipeline, Descriptor file) : file_(std::move(file)), pipeline_(pipeline) {}
  const Descriptor file_;  // longer than the pipeline that writes it
  const GstRef<GstElement> pipeline_;
};

}  // namespace sphere::emulator
