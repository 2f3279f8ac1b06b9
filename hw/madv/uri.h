// SPDX-License-Identifier: LGPL-2.1-or-later
// madv://HOST[:7878][/live] for the preview, madv://HOST/DCIM/... for a file, and query parameters
// for the camera's other ports.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gst/sphere/base/result.h"

namespace sphere::madv {

/// The address of a camera, and its preview or one of its files.
struct Uri {
  static constexpr const char* scheme = "madv";
  /// The camera's address on its own Wi-Fi.
  static constexpr const char* default_host = "192.168.42.1";

  std::string host = default_host;
  uint16_t port = 7878;
  uint16_t data_port = 8787;
  uint16_t rtsp_port = 554;
  uint16_t http_port = 50422;
  uint16_t https_port = 443;
  /// Relative to the card's root, such as "DCIM/20161121/VID.MP4"; empty for the preview.
  std::string file;

  static Result<Uri> parse(std::string_view text);

  bool is_preview() const { return file.empty(); }
  std::string to_string() const;
  /// The address of the preview, which has the same path on every camera.
  std::string rtsp_url() const;
  /// The address of the file over HTTP; the server's root is the folder DCIM. Only valid for a
  /// file.
  std::string http_url() const;
  std::string https_url() const;
};

}  // namespace sphere::madv
