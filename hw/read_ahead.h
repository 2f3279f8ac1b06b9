// SPDX-License-Identifier: LGPL-2.1-or-later
// Random access to a file that comes over a slow connection: a thread reads ahead, and what was
// read lately is kept.

#pragma once

#include <gio/gio.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/thread.h"
#include "hw/failure.h"

namespace sphere::hw {

/// Where the bytes come from. Used and destroyed by the reading thread; each call blocks until it
/// is done or cancelled.
class PartReader {
 public:
  using Sink = std::function<Status(std::string_view)>;

  PartReader() = default;
  virtual ~PartReader() = default;
  PartReader(const PartReader&) = delete;
  PartReader& operator=(const PartReader&) = delete;

  /// Finds the size of the file. What it reads for that from the beginning of the file goes to
  /// `sink`.
  virtual std::optional<Failure> open(uint64_t& size, const Sink& sink,
                                      GCancellable* cancellable) = 0;
  /// Reads a part; `sink` gets its bytes in order, in this thread or another.
  virtual std::optional<Failure> read(uint64_t offset, uint64_t count, const Sink& sink,
                                      GCancellable* cancellable) = 0;
};

/// The fewer bytes were read in sequence, the fewer are read ahead: a program that jumps through a
/// file to find its index causes little traffic. A file may be read at several places alternately,
/// such as the pictures and the sound of a video.
class ReadAhead {
 public:
  // Bytes that are read ahead, at first and at most; and bytes that are kept after they were read.
  static constexpr uint64_t first_ahead = 64 << 10, most_ahead = 4 << 20, kept_behind = 2 << 20;
  /// The places at which a file is read alternately; a further one replaces the oldest.
  static constexpr size_t most_areas = 4;

  explicit ReadAhead(std::unique_ptr<PartReader> reader);
  /// Ends the transfer, and waits for that.
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  enum class Outcome {
    done,
    flushing,
    failed,  ///< failure() says why
  };
  /// Waits until the size of the file is known.
  Outcome size(uint64_t& size);
  /// Fills `bytes` with what the file has from `offset` on, and waits for it. `got` is smaller at
  /// the end of the file, 0 behind it.
  Outcome read(uint64_t offset, std::span<uint8_t> bytes, size_t& got);
  /// While it is set, the functions above return at once.
  void set_flushing(bool flushing);

  std::optional<Failure> failure() const;
  /// All bytes that have come.
  uint64_t arrived() const;

 private:
  /// Bytes of the file without a gap.
  struct Area {
    uint64_t begin = 0;
    std::string bytes;
    uint64_t consumed = 0;  // bytes that were read from it
    uint64_t last_used = 0;

    uint64_t end() const { return begin + bytes.size(); }
    uint64_t ahead() const;
  };
  struct Range {
    uint64_t begin, end;
  };
  /// What the thread reads at the moment, or shall read.
  struct Part {
    std::shared_ptr<Area> area;
    uint64_t end;
  };

  void run();
  std::optional<Part> next_part() SPHERE_REQUIRES(mutex_);
  Status take(const std::shared_ptr<Area>& area, std::string_view bytes);
  bool is_missing() SPHERE_REQUIRES(mutex_);
  std::shared_ptr<Area> area_at(uint64_t offset) SPHERE_REQUIRES(mutex_);
  std::shared_ptr<Area> new_area(uint64_t offset) SPHERE_REQUIRES(mutex_);
  std::optional<Outcome> try_read(const Range& range, std::span<uint8_t> bytes, size_t& got)
      SPHERE_REQUIRES(mutex_);
  ObjectRef<GCancellable> give_up_part(const Range& range) SPHERE_REQUIRES(mutex_);
  void consume(const std::shared_ptr<Area>& area, const Range& range) SPHERE_REQUIRES(mutex_);

  std::unique_ptr<PartReader> reader_;

  // Protects what follows. Never held during a call of the reader.
  mutable Mutex mutex_;
  ConditionVariable changed_;
  bool quit_ SPHERE_GUARDED_BY(mutex_) = false;
  bool flushing_ SPHERE_GUARDED_BY(mutex_) = false;
  std::optional<uint64_t> size_ SPHERE_GUARDED_BY(mutex_);
  std::optional<Failure> failure_ SPHERE_GUARDED_BY(mutex_);
  uint64_t arrived_ SPHERE_GUARDED_BY(mutex_) = 0;
  std::vector<std::shared_ptr<Area>> areas_ SPHERE_GUARDED_BY(mutex_);
  uint64_t uses_ SPHERE_GUARDED_BY(mutex_) = 0;
  std::list<Range> waiting_ SPHERE_GUARDED_BY(mutex_);
  // Where the last read ended.
  std::shared_ptr<Area> last_area_ SPHERE_GUARDED_BY(mutex_);
  uint64_t last_end_ SPHERE_GUARDED_BY(mutex_) = 0;
  std::optional<Part> active_ SPHERE_GUARDED_BY(mutex_);
  bool given_up_ SPHERE_GUARDED_BY(mutex_) = false;  // the active part is not needed any more
  bool paused_ SPHERE_GUARDED_BY(mutex_) = false;    // nothing is read ahead, because it failed
  ObjectRef<GCancellable> cancellable_ SPHERE_GUARDED_BY(mutex_);  // of the active part

  std::thread thread_;
};

}  // namespace sphere::hw
