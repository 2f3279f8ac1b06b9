// SPDX-License-Identifier: LGPL-2.1-or-later
// Transfers of files. The data port has only the bytes; requests and notifications about them are
// on the control channel. One file is transferred at a time, and its bytes are passed on at once,
// without a buffer.

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

/// Called once, when the whole file is transferred, or with an error. Its kind tells more:
/// `unsupported`, the camera refuses; `invalid`, what was passed on is wrong; else the transfer was
/// interrupted, and may be tried again.
using TransferDone = std::function<void(const Status&)>;

struct Download {
  /// The camera's path of the file.
  std::string path;
  uint64_t offset = 0;
  /// The number of bytes from the offset; empty: up to the end.
  std::optional<uint64_t> size = {};
  /// MD5 of the whole file, 32 digits. It is checked if the whole file is read.
  std::string md5 = {};
  /// Without data for this time it has failed; empty: as for all transfers.
  std::optional<Duration> timeout = {};
  /// Gets the bytes in order. If it returns an error, the transfer ends with this error.
  std::function<Status(std::string_view)> sink;
  /// Gets the sizes that an answer to the request may mean: `size`, and the end of what it tells to
  /// be left. May be empty.
  std::function<void(uint64_t)> told_size = {};
  TransferDone done;
};

struct Upload {
  std::string path;
  uint64_t size = 0;
  /// MD5 of the whole file, 32 digits.
  std::string md5;
  /// The vendor's `ftype`: 1 the camera's firmware, 2 the remote control's.
  int file_type = 0;
  /// Returns the next bytes, at most this many. If it returns none before `size` is reached, the
  /// transfer ends.
  std::function<std::string(size_t most)> source;
  TransferDone done;
};

/// A small picture of a photo or a video.
struct ThumbnailRequest {
  std::string path;
  /// "thumb": a JPEG picture of a photo; "idr": the first picture of a video as H.264.
  std::string type;
  std::function<void(const Result<std::string>&)> done;
};

/// It has no socket: the owner connects to the data port while connection_wanted() is not 0, and
/// passes the bytes in both directions.
class FileTransfers {
 public:
  /// The number of bytes that the vendor's client requests at once.
  static constexpr size_t chunk_size = 2 << 20;
  /// A larger thumbnail is refused, because it is kept in memory.
  static constexpr uint64_t max_thumbnail = 16 << 20;
  /// The largest number of waiting transfers; a further one fails at once.
  static constexpr size_t max_waiting = 16;

  FileTransfers(const CoreSettings& settings, ControlChannel& channel);
  ~FileTransfers();

  /// `number` is chosen by the caller to cancel the transfer. It must not be 0 or the number of
  /// another transfer.
  void get(unsigned number, Download download, Time now);
  void put(unsigned number, Upload upload, Time now);
  void get_thumbnail(unsigned number, ThumbnailRequest thumbnail, Time now);
  /// Calls `done` with an error at once. Does nothing if the transfer has ended.
  void cancel(unsigned number, Time now);
  /// All remaining transfers end with this error.
  void end(const std::string& why);

  /// The number of the transfer that needs a connection; 0 for none. Each transfer has its own
  /// connection, so that late bytes of a cancelled transfer are not taken for bytes of the next
  /// one.
  unsigned connection_wanted() const;
  void data_ready(Time now);
  void data_received(std::string_view bytes, Time now);
  void data_closed(Time now);
  const std::string& output() const { return output_; }
  void output_sent(size_t bytes, Time now);

  /// Handles the camera's message 7.
  void notified(const Message& message, Time now);

  void advance(Time now);
  std::optional<Time> deadline() const;

 private:
  class Job;
  class DownloadJob;
  class UploadJob;
  class ThumbnailJob;

  void add(unsigned number, std::unique_ptr<Job> job, Time now);
  void ask(Time now);
  /// To be called after each step: continues with the next chunk or the next transfer.
  void continue_transfers(Time now);
  void finish(const Status& outcome, Time now);

  const CoreSettings& settings_;
  ControlChannel& channel_;
  std::deque<std::unique_ptr<Job>> jobs_;  // the first one is active
  bool connected_ = false;
  bool is_cancelling_ = false;
  Time heard_{};
  std::string output_;
};

}  // namespace sphere::madv
