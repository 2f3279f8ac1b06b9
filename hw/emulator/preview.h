// SPDX-License-Identifier: LGPL-2.1-or-later
// The live preview of an emulated camera over RTSP.

#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "hw/emulator/faults.h"
#include "hw/emulator/listener.h"
#include "hw/emulator/loop.h"
#include "hw/emulator/scene.h"

namespace sphere::emulator {

namespace faults {

inline constexpr FaultInfo rtsp_404{"rtsp-404", 0, "there is no preview (404)"};
inline constexpr FaultInfo rtsp_401{"rtsp-401", 0, "the preview wants a password (401)"};
inline constexpr FaultInfo rtsp_453{"rtsp-453", 0, "the preview has not enough bandwidth (453)"};
inline constexpr FaultInfo rtsp_gone{"rtsp-gone", 60,
                                     "after N pictures the preview's connections are cut, once"};
inline constexpr FaultInfo rtp_loss{
    "rtp-loss", 20, "over UDP, N of a hundred packets of the preview are lost", 0, 100};

}  // namespace faults

inline constexpr std::array<const FaultInfo*, 5> preview_faults = {
    &faults::rtsp_404, &faults::rtsp_401, &faults::rtsp_453, &faults::rtsp_gone, &faults::rtp_loss};

struct PreviewSettings {
  SceneSettings scene;
  std::vector<Fault> faults;
  std::string host;
  /// 0 is any that is free.
  uint16_t port = 0;
  /// The path of its URL.
  std::string mount_point;
  /// A connection that has set up nothing for so long is closed.
  std::chrono::seconds idle_time{30};
};

/// Tracks that were set up are remembered up to so many.
constexpr size_t most_tracks = 4096;

/// Has a thread of its own: preparing an encoder takes time in which the control channel is to
/// answer, and a connection may be closed only by the thread that reads it.
class Preview {
 public:
  static Result<std::unique_ptr<Preview>> start(const PreviewSettings& settings);
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
  explicit Preview(const PreviewSettings& settings);
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

}  // namespace sphere::emulator
