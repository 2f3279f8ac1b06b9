// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a live stream goes, as a person types it: rtmp://…, srt://…, rtsp:PORT, hls:FOLDER,
// file:NAME, web:PORT, window.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"

namespace sphere::live {

enum class TargetKind { rtmp, srt, rtsp, hls, file, web, window };

std::string_view name_of(TargetKind kind);

/// A target that was read and checked. What follows the first `?` of its words are its settings.
struct Target {
  TargetKind kind = TargetKind::window;
  /// RTMP and SRT: the whole address, without our settings. It may contain a stream key: show
  /// `shown` instead.
  std::string address;
  /// File: its name. HLS: its folder.
  std::string path;
  /// The address to listen on (RTSP, web, SRT listener), or the host to connect to.
  std::string host;
  /// 0: any free port.
  uint16_t port = 0;
  /// The settings, by name, with %XX decoded. Each kind refuses names that it does not know.
  std::map<std::string, std::string> settings;
  /// For people and for logs: without stream key, user, password and passphrase.
  std::string shown;
  /// Parts of the address and settings that are in no message: stream key, user, passphrase.
  std::vector<std::string> secrets;
  /// Whether what is sent can leave this machine. Decides for which purposes consent is needed.
  bool leaves = true;

  /// The value of a setting, or "".
  std::string setting(const std::string& name) const;
  /// An error's text, with `…` in the place of each secret.
  std::string without_secrets(std::string text) const;
};

/// The error says what is wrong and shows the right form.
Result<Target> parse_target(std::string_view words);

}  // namespace sphere::live
