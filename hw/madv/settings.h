// SPDX-License-Identifier: LGPL-2.1-or-later
// Timeouts and options of a session.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "hw/madv/clock.h"

namespace sphere::madv {

struct CoreSettings {
  /// The interval between requests: firmwares of this family are known to restart if commands come
  /// too fast. 0 for an emulated camera.
  Duration pacing = std::chrono::milliseconds(150);
  Duration reply_timeout = std::chrono::seconds(8);
  /// The same for the first request, if it is shorter.
  Duration start_timeout = std::chrono::seconds(8);
  /// Timeout of commands with the flag `slow`, such as formatting.
  Duration slow_reply_timeout = std::chrono::seconds(60);
  /// After this time without a message, the camera's state is requested; without an answer, the
  /// camera is lost. A half-open connection is detected after the sum of both timeouts.
  Duration keep_alive_after = std::chrono::seconds(4);
  Duration keep_alive_timeout = std::chrono::seconds(5);
  Duration transfer_timeout = std::chrono::seconds(10);
  /// The same for the lens table, which other transfers wait for.
  Duration lens_table_timeout = std::chrono::seconds(3);
  /// The vendor's client waits this long before it sends a file.
  Duration upload_delay = std::chrono::milliseconds(800);
  /// When the session is being ended, the answer to the active request is waited for until so long
  /// after it was sent. On a related camera, nine of ten answers took up to 56 ms. A user who stops
  /// a pipeline waits, too, and nothing is known of a camera that needs longer.
  Duration finish_timeout = std::chrono::milliseconds(150);
  /// The same if the active request is the one for a session, from the end on. The start of a
  /// session takes longer (0.84 s was measured), but a camera that loses the connection meanwhile
  /// has nobody to give the session to.
  Duration finish_start_timeout = std::chrono::milliseconds(150);
  /// Timeout of the request that ends the session.
  Duration stop_session_timeout = std::chrono::milliseconds(150);
  Duration busy_pause = std::chrono::milliseconds(400);
  int busy_attempts = 6;
  /// This machine's address on the connection to the camera.
  std::string client_address = "0.0.0.0";
  /// The time for the camera's clock, in the camera's format; empty: the clock is not set.
  std::function<std::string()> clock;
  /// The same for a camera with the generic protocol.
  std::function<std::string()> generic_clock;
  bool want_lens_table = true;
  /// Returns a table that was fetched before.
  std::function<std::optional<std::string>(const std::string& md5)> known_table;
  /// Stores a table that was fetched.
  std::function<void(const std::string& md5, std::string_view table)> keep_table;
};

}  // namespace sphere::madv
