// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads a file from a camera's card in parts: over its web server or its own protocol.

#pragma once

#include <gio/gio.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gst/sphere/base/result.h"
#include "hw/camera_client.h"
#include "hw/web_file.h"

namespace sphere::hw {

/// The transport of files.
enum class FileTransport {
  any,   ///< the web server, or the camera's own protocol if that does not work
  web,   ///< the camera's web server alone
  data,  ///< the camera's own protocol alone
};

/// Connects if there is no connection, and waits for that. Not from the camera's thread.
std::optional<Failure> connect_and_wait(CameraClient& client, GCancellable* cancellable);

/// Whether a transfer that failed for this reason may succeed when it is tried again.
bool may_pass(const Failure& failure);

/// Asks the camera for what it knows about a file. Its own protocol tells only 32 bits of the size;
/// the web server completes it, if it answers within two seconds. Blocks; not from the camera's
/// thread. Without `pins`, HTTPS is not used.
std::optional<Failure> describe_file(CameraClient& client, const std::string& path,
                                     CertificatePins* pins, MediaInfo& info,
                                     GCancellable* cancellable);

/// Waits for `duration`, or until it is cancelled.
void pause(std::chrono::milliseconds duration, GCancellable* cancellable);

/// The pauses between attempts: the first one is short, each further one twice as long, up to a
/// limit. A camera that restarts takes some seconds.
class RetryPause {
 public:
  void reset() { next_ = first; }
  std::chrono::milliseconds next() const { return next_; }
  void wait(GCancellable* cancellable) {
    pause(next_, cancellable);
    next_ = std::min(2 * next_, longest);
  }

 private:
  static constexpr std::chrono::milliseconds first{100}, longest{2000};
  std::chrono::milliseconds next_ = first;
};

/// Used by one thread, which is not the camera's. Each call blocks until it is done or cancelled,
/// and connects if there is no connection.
class CardFile {
 public:
  using Sink = std::function<Status(std::string_view)>;

  /// `path` is relative to the card. `client` and `pins` must live as long as this object; without
  /// `pins`, HTTPS is not used.
  CardFile(CameraClient& client, std::string path, FileTransport transport, CertificatePins* pins);
  CardFile(const CardFile&) = delete;
  CardFile& operator=(const CardFile&) = delete;

  /// Asks the camera for its size and date.
  std::optional<Failure> describe(MediaInfo& info, GCancellable* cancellable);

  /// Reads a part once; without `count`, up to the end. `sink` gets its bytes in order, in this
  /// thread or the camera's.
  std::optional<Failure> read(uint64_t offset, std::optional<uint64_t> count, const Sink& sink,
                              GCancellable* cancellable);
  /// Reads `count` bytes, which the file must have. A transfer that is cut is continued, as long as
  /// `idle_timeout` has not passed without a new byte.
  std::optional<Failure> read_all(uint64_t offset, uint64_t count, const Sink& sink,
                                  std::chrono::milliseconds idle_timeout,
                                  GCancellable* cancellable);

  /// What is known of its size. describe() tells only 32 bits of it, therefore a read may correct
  /// it. In a sink it is known as far as the camera has told it.
  std::optional<uint64_t> size() const { return size_; }
  /// To be called if more of the file is there already than its size: until a read corrects it, it
  /// is taken to be larger by as many times 4 GiB as needed.
  void assume_more_than(uint64_t bytes);
  /// That of the last read().
  std::optional<FileTransport> used() const { return used_; }

 private:
  void correct_size(uint64_t told);
  std::shared_ptr<Camera> camera_with_files(std::optional<Failure>& failure,
                                            GCancellable* cancellable);
  std::optional<Failure> read_by_web(uint64_t offset, std::optional<uint64_t> count,
                                     const Sink& sink, GCancellable* cancellable);
  std::optional<Failure> read_by_data(uint64_t offset, std::optional<uint64_t> count,
                                      const Sink& sink, GCancellable* cancellable);

  CameraClient& client_;
  const std::string path_;
  const FileTransport transport_;
  WebFileReader web_;
  bool try_web_;
  std::optional<uint64_t> size_;
  std::optional<FileTransport> used_;
};

}  // namespace sphere::hw
