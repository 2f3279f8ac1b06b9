// SPDX-License-Identifier: LGPL-2.1-or-later
// How long a session waits for what, and what it wants to know.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "hw/madv/clock.h"

namespace sphere::madv {

struct CoreSettings {
  /// Firmwares of this family are known to restart when commands come too fast. None for a camera
  /// in software.
  Duration pacing = std::chrono::milliseconds(150);
  Duration reply_timeout = std::chrono::seconds(8);
  /// For the commands that the table calls slow, such as formatting.
  Duration slow_reply_timeout = std::chrono::seconds(60);
  /// After so much silence the camera is asked how it is; without an answer it is lost. Both
  /// together are what a half-open link costs.
  Duration keep_alive_after = std::chrono::seconds(4);
  Duration keep_alive_timeout = std::chrono::seconds(5);
  Duration transfer_timeout = std::chrono::seconds(10);
  /// The vendor's client waits so long before it sends a file.
  Duration upload_delay = std::chrono::milliseconds(800);
  /// How long the request under way may take when the session is to end. A camera that is asked for
  /// a session at that moment gets longer, because a session that nobody knows of keeps others out:
  /// the slowest start that was measured on a sister camera took 0.84 s.
  Duration finish_timeout = std::chrono::milliseconds(400);
  Duration finish_start_timeout = std::chrono::milliseconds(850);
  /// How long the answer to the goodbye may take.
  Duration goodbye_timeout = std::chrono::milliseconds(300);
  Duration busy_pause = std::chrono::milliseconds(400);
  int busy_attempts = 6;
  /// Our address as the camera sees it.
  std::string client_address = "0.0.0.0";
  /// The time to set the camera's clock to, as it wants it; empty leaves the clock alone.
  std::function<std::string()> clock;
  bool want_lens_table = true;
  /// A table that was fetched before.
  std::function<std::optional<std::string>(const std::string& md5)> known_table;
  /// Keeps a table that was fetched now.
  std::function<void(const std::string& md5, std::string_view table)> keep_table;
};

}  // namespace sphere::madv
