// SPDX-License-Identifier: LGPL-2.1-or-later
// The live preview of an emulated camera over RTSP.

#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/loop.h"
#include "gst/sphere/base/result.h"
#include "hw/emulator/faults.h"
#include "hw/emulator/listener.h"
#include "hw/emulator/scene.h"

namespace sphere::emulator {

namespace faults {

inline constexpr FaultInfo rtsp_404{"rtsp-404", 0, "there is no preview (404)"};
inline constexpr FaultInfo rtsp_401{"rtsp-401", 0, "the preview requires a password (401)"};
inline constexpr FaultInfo rtsp_453{"rtsp-453", 0,
                                    "the bandwidth is not enough for the preview (453)"};
inline constexpr FaultInfo rtsp_gone{"rtsp-gone", 60,
                                     "after N pictures the preview's connections are closed, once"};
inline constexpr FaultInfo rtp_loss{
    "rtp-loss", 20, "over UDP, N percent of the preview's packets are lost", 0, 100};
// As in tunnels. Pictures are larger than that, sound is not.
inline constexpr FaultInfo rtp_mtu{
    "rtp-mtu", 1000, "over UDP, the preview's packets of more than N bytes are lost", 12, 65535};

}  // namespace faults

inline constexpr std::array<const FaultInfo*, 6> preview_faults = {
    &faults::rtsp_404,  &faults::rtsp_401, &faults::rtsp_453,
    &faults::rtsp_gone, &faults::rtp_loss, &faults::rtp_mtu};

struct PreviewSettings {
  SceneSettings scene;
  std::vector<Fault> faults;
  std::string host;
  /// 0 means any free port.
  uint16_t port = 0;
  /// The path of its URL.
  std::string mount_point;
  /// Gives the server's answers the form of the family's; null: they stay as they are. Called in
  /// the preview's thread.
  std::function<void(GstRTSPMessage* answer)> change_answer;
  /// A connection that has set up no track is closed after this time.
  std::chrono::seconds idle_time{30};
};

/// The largest number of entries in the list of tracks that were set up.
constexpr size_t most_tracks = 4096;

/// Has its own thread, because the control channel must answer while an encoder is prepared, and
/// because a connection may be closed only by the thread that reads it.
class Preview {
 public:
  static Result<std::unique_ptr<Preview>> start(const PreviewSettings& settings);
  ~Preview();
  Preview(const Preview&) = delete;
  Preview& operator=(const Preview&) = delete;

  uint16_t port() const { return port_; }
  /// The tracks that were set up so far, in order: 0 is the pictures, 1 the sound.
  std::vector<int> tracks() const;
  /// Those of the preview among them, from now on.
  void set_faults(const std::vector<Fault>& faults);
  /// Ends all connections soon, as if the camera were gone; new ones may be made.
  void cut();
  /// Ends all connections. New ones can be made only after listen().
  void close();
  /// To be called after close(); listens on the same port.
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
  static GstRTSPStatusCode before_play(GstRTSPClient*, GstRTSPContext* context, gpointer);
  static void media_configure(GstRTSPMediaFactory* factory, GstRTSPMedia* media, gpointer shared);

  const std::string host_;
  uint16_t port_;
  const std::chrono::seconds idle_time_;
  LoopThread loop_;
  const ObjectRef<GstRTSPServer> server_;
  // Shared, because connections and their streams may exist a little longer than this object.
  const std::shared_ptr<Shared> shared_;
  // Used only by the thread, while it runs.
  std::unique_ptr<Listener> listener_;
  Watch cleaning_;
  // The connections that have set up no track, with their beginning.
  std::map<GstRTSPClient*, std::chrono::microseconds> idle_;
  // If GStreamer 1.22 can't send to a client, it makes its loop close the client later, without a
  // reference. Therefore references to clients are kept here for longer than this can take.
  std::list<Watch> closed_;
};

}  // namespace sphere::emulator
