// SPDX-License-Identifier: LGPL-2.1-or-later
// Fetches files from a camera's card onto this machine: over its web server or its own protocol,
// resumed after a cut.

#pragma once

#include <gio/gio.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "hw/camera_client.h"
#include "hw/card_file.h"
#include "hw/web_file.h"

namespace sphere::hw {

struct DownloadOptions {
  std::string path;         ///< on the card
  std::string destination;  ///< the file on this machine; it appears when it is complete
  bool clobber = false;     ///< whether it may replace an older file
  FileTransport transport = FileTransport::any;
  /// Called in this thread with the bytes that are there, and the size of the file if it is known.
  std::function<void(uint64_t done, std::optional<uint64_t> total)> progress;
  /// A cut connection is made again as long as this time has not passed without a new byte.
  std::chrono::seconds idle_timeout = std::chrono::seconds(60);
  CertificatePins* pins = nullptr;
};

struct DownloadReport {
  uint64_t size = 0;
  uint64_t fetched = 0;                    ///< bytes that were transferred, also twice
  int cuts = 0;                            ///< interruptions after which it was resumed
  std::optional<FileTransport> transport;  ///< the last one that was used
};

/// Fetches one file and blocks until it is complete or has failed. Its bytes are written to
/// DESTINATION with a suffix, which stays after a failure: the next attempt continues there. The
/// size is verified, and the checksums where the camera tells them; parts of which it tells wrong
/// ones are read twice and compared.
/// `client` is connected again when it has lost its camera. Not from the camera's thread.
std::optional<Failure> download(CameraClient& client, const DownloadOptions& options,
                                GCancellable* cancellable, DownloadReport* report = nullptr);

}  // namespace sphere::hw
