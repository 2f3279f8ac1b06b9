// SPDX-License-Identifier: LGPL-2.1-or-later
// The requests at the beginning of a session, in order: the client's address, the camera's status,
// its clock, its card, its settings, and its lens table if it is new. Nothing waits for the table,
// because it comes over the data port, which may be dead.

#pragma once

#include <functional>
#include <optional>
#include <string>

#include "hw/madv/channel.h"
#include "hw/madv/settings.h"
#include "hw/madv/state.h"
#include "hw/madv/transfer.h"

namespace sphere::madv {

class ConnectSequence {
 public:
  /// The largest size of a lens table, which has 8 pictures of a grid.
  static constexpr size_t max_table_size = 32 << 20;

  /// The number of its transfer; the numbers of users' transfers are higher.
  static constexpr unsigned lens_table_transfer = 1;

  struct Listener {
    /// The camera knows this client's address: RTSP can be opened.
    std::function<void()> preview_ready;
    /// The table in the camera's own format, or the reason why there is none: `unsupported` if the
    /// camera does not tell which one it has. Called once, or not at all if the table is not
    /// wanted.
    std::function<void(const Result<std::string>&)> lens_table;
    /// Something became known that a reply alone does not tell.
    std::function<void(const std::function<void(CameraState&)>& change)> change_state;
    /// All requests but that for the table are answered.
    std::function<void()> ready;
  };

  ConnectSequence(const CoreSettings& settings, ControlChannel& channel, FileTransfers& transfers,
                  Listener listener);

  /// Called when the session has its token.
  void start(Time now);

 private:
  void client_known(const Reply& reply);
  void settings_known();
  void ask(Request request, ReplyHandler handler = nullptr);
  void find_dialect();
  void ask_generic_state(const Message& device_info);
  void announce_preview();
  void fetch_table();
  void settle_table(Result<std::string> table);

  const CoreSettings& settings_;
  ControlChannel& channel_;
  FileTransfers& transfers_;
  const Listener listener_;
  std::string table_md5_;
  std::string table_;
  bool table_settled_ = false;
  bool preview_announced_ = false;
};

/// The path of the table that the vendor's own programs use.
inline constexpr const char* lens_table_path = "/tmp/FL0/lut/app_lut.bin";

}  // namespace sphere::madv
