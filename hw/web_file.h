// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads files from a camera's web server.

#pragma once

#include <gio/gio.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gst/sphere/base/result.h"
#include "hw/camera_files.h"
#include "hw/failure.h"

namespace sphere::hw {

/// What is known of the certificates of cameras' web servers. Cameras sign them themselves,
/// therefore the first one that a server shows is trusted, and a later one must be the same.
class CertificatePins {
 public:
  virtual ~CertificatePins() = default;
  /// Whether this certificate may be trusted; the first one of a server is stored. `server` is
  /// HOST:PORT, `fingerprint` the SHA-256 of the certificate in hexadecimal digits.
  virtual bool accept(const std::string& server, const std::string& fingerprint) = 0;
};

/// One connection at a time, used by one thread; each call blocks until it is done or cancelled.
class WebFileReader {
 public:
  /// `pins` must live as long as the reader; null: HTTPS is not used.
  WebFileReader(CertificatePins* pins, std::chrono::seconds timeout);
  ~WebFileReader();

  struct Part {
    uint64_t offset = 0;
    std::optional<uint64_t> size;  ///< empty: up to the end
    /// Gets the size of the whole file before the sink gets its bytes. May be empty.
    std::function<void(uint64_t)> told_size = {};
  };
  /// Reads a part of a file. `sink` gets its bytes in order; if it returns an error, the reading
  /// ends with this error. Returns the size of the whole file. A server that can't send a part of a
  /// file is a failure with the reason `refused` before `sink` is called.
  struct Outcome {
    std::optional<uint64_t> whole_size;
    std::optional<Failure> failure;
  };
  Outcome read(const FileAddress& address, const Part& part,
               const std::function<Status(std::string_view)>& sink, GCancellable* cancellable);

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace sphere::hw
