// SPDX-License-Identifier: LGPL-2.1-or-later
// Files over the data port: bare bytes there, and on the control channel what they are. One file at
// a time; its bytes are handed on as they come and kept nowhere.

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "hw/madv/channel.h"

namespace sphere::madv {

/// Called once, when the whole file is there, or with the reason why not.
using TransferDone = std::function<void(const Status&)>;

struct Download {
  /// As the camera names it.
  std::string path;
  uint64_t offset = 0;
  /// So many bytes from there; nothing: up to the end.
  std::optional<uint64_t> size = {};
  /// Of the whole file, 32 digits; looked at where the file is read from its beginning to its end.
  std::string md5 = {};
  /// Takes the bytes in order. An error ends the transfer with it.
  std::function<Status(std::string_view)> sink;
  TransferDone done;
};

struct Upload {
  std::string path;
  uint64_t size = 0;
  /// Of the whole file, 32 digits.
  std::string md5;
  /// The vendor's `ftype`: 1 the camera's firmware, 2 the remote control's.
  int file_type = 0;
  /// The next bytes, at most so many; none before `size` is reached end the transfer.
  std::function<std::string(size_t most)> source;
  TransferDone done;
};

/// Knows no socket: the owner connects to the data port while connection_wanted(), and brings bytes
/// here and there.
class FileTransfers {
 public:
  /// As much as the vendor's client asks for at once.
  static constexpr size_t chunk_size = 2 << 20;
  /// Transfers that may wait; a further one is refused at once.
  static constexpr size_t max_waiting = 16;

  FileTransfers(const CoreSettings& settings, ControlChannel& channel);
  ~FileTransfers();

  /// `number` is the caller's, not 0, and no other transfer's; by it the transfer can be cancelled.
  void get(unsigned number, Download download, Time now);
  void put(unsigned number, Upload upload, Time now);
  /// `done` says so, at once. What has ended already stays as it is.
  void cancel(unsigned number, Time now);
  /// All that is left ends with this.
  void end(const std::string& why);

  /// Each transfer has a connection of its own, so that bytes of one that was given up are
  /// nobody's. The number of the transfer that needs one; 0 for none.
  unsigned connection_wanted() const;
  void data_ready(Time now);
  void data_received(std::string_view bytes, Time now);
  void data_closed(Time now);
  const std::string& output() const { return output_; }
  void output_sent(size_t bytes, Time now);

  /// What the camera says with message 7.
  void notified(const Message& message, Time now);

  void advance(Time now);
  std::optional<Time> deadline() const;

 private:
  class Job;
  class DownloadJob;
  class UploadJob;

  void add(unsigned number, std::unique_ptr<Job> job, Time now);
  void ask(Time now);
  /// After each step: goes on, to the next chunk or to the next transfer.
  void go_on(Time now);
  void finish(const Status& outcome, Time now);

  const CoreSettings& settings_;
  ControlChannel& channel_;
  std::deque<std::unique_ptr<Job>> jobs_;  // the first is under way
  bool connected_ = false;
  bool is_cancelling_ = false;
  Time heard_{};
  std::string output_;
};

}  // namespace sphere::madv
