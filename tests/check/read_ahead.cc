// SPDX-License-Identifier: LGPL-2.1-or-later
// Random access to a file that comes in order: what is read ahead, what is kept, and what is given
// up.

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "hw/read_ahead.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using hw::Failure;
using hw::ReadAhead;
using Outcome = ReadAhead::Outcome;

namespace {

char byte_at(uint64_t offset) { return static_cast<char>((offset * 2654435761u) >> 13); }

/// What a test sees of the reader, which ReadAhead owns.
struct Log {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::pair<uint64_t, uint64_t>> reads;  // offset and count
  uint64_t held_from = UINT64_MAX;                   // bytes from here on do not come
  uint64_t fails_from = UINT64_MAX;
  std::atomic<uint64_t> sent = 0;

  size_t count() {
    const std::lock_guard lock(mutex);
    return reads.size();
  }
};

class FakeReader : public hw::PartReader {
 public:
  FakeReader(uint64_t size, std::shared_ptr<Log> log) : size_(size), log_(std::move(log)) {}

  std::optional<Failure> open(uint64_t& size, const Sink& sink,
                              GCancellable* cancellable) override {
    if (size_ == 0) {
      size = 0;
      return std::nullopt;
    }
    size = size_;
    return read(0, std::min(size_, ReadAhead::first_ahead), sink, cancellable);
  }

  std::optional<Failure> read(uint64_t offset, uint64_t count, const Sink& sink,
                              GCancellable* cancellable) override {
    {
      const std::lock_guard lock(log_->mutex);
      log_->reads.emplace_back(offset, count);
    }
    fail_unless(count > 0 && offset + count <= size_);
    constexpr uint64_t piece = 16 << 10;
    for (uint64_t at = offset; at < offset + count; at += piece) {
      const uint64_t end = std::min(at + piece, offset + count);
      std::unique_lock lock(log_->mutex);
      if (end > log_->fails_from) return Failure(Failure::Reason::gone, "it is gone");
      if (end > log_->held_from) {
        lock.unlock();
        // As a socket, it waits until it is cancelled or goes on.
        while (!g_cancellable_is_cancelled(cancellable)) {
          g_usleep(100);
          const std::lock_guard again(log_->mutex);
          if (end <= log_->held_from) break;
        }
      } else {
        lock.unlock();
      }
      if (g_cancellable_is_cancelled(cancellable))
        return Failure(Failure::Reason::stopped, "cancelled");
      std::string bytes(end - at, '\0');
      for (uint64_t i = at; i < end; ++i) bytes[i - at] = byte_at(i);
      log_->sent += bytes.size();
      if (const Status taken = sink(bytes); !taken)
        return Failure(Failure::Reason::stopped, taken.error().message);
    }
    return std::nullopt;
  }

 private:
  const uint64_t size_;
  const std::shared_ptr<Log> log_;
};

struct Fixture {
  explicit Fixture(uint64_t size)
      : log(std::make_shared<Log>()), reader(std::make_unique<FakeReader>(size, log)) {}

  /// Reads and compares.
  size_t read(uint64_t offset, size_t size) {
    std::vector<uint8_t> bytes(size);
    size_t got = 0;
    const Outcome outcome = reader.read(offset, bytes, got);
    fail_unless(outcome == Outcome::done, "outcome %d", static_cast<int>(outcome));
    size_t right = 0;
    while (right < got && static_cast<char>(bytes[right]) == byte_at(offset + right)) ++right;
    fail_unless(right == got, "another byte at %zu", right);
    return got;
  }

  std::shared_ptr<Log> log;
  ReadAhead reader;
};

constexpr uint64_t mib = 1 << 20;

}  // namespace

GST_START_TEST(reads_any_place) {
  Fixture file(20 * mib + 5);
  uint64_t size = 0;
  fail_unless(file.reader.size(size) == Outcome::done && size == 20 * mib + 5);
  fail_unless_equals_int(file.read(0, 100), 100);
  fail_unless_equals_int(file.read(20 * mib - 3, 100), 8);
  fail_unless_equals_int(file.read(20 * mib + 5, 100), 0);
  fail_unless_equals_int(file.read(UINT64_MAX - 4, 100), 0);
  fail_unless_equals_int(file.read(7 * mib, 3 * mib), 3 * mib);
  fail_unless_equals_int(file.read(17, 64 << 10), 64 << 10);
  uint32_t random = 7;
  for (int i = 0; i < 200; ++i) {
    random = random * 1664525u + 1013904223u;
    file.read(random % (20 * mib), 1 + (random >> 8) % 100000);
  }
  Fixture empty(0);
  fail_unless(empty.reader.size(size) == Outcome::done && size == 0);
  fail_unless_equals_int(empty.read(0, 10), 0);
}
GST_END_TEST;

/// What a demuxer does: the beginning, the index at the end, and then some pictures.
GST_START_TEST(jumps_cause_little_traffic) {
  Fixture file(1000 * mib);
  file.read(0, 4096);
  file.read(32, 16);
  file.read(999 * mib, 16);
  file.read(999 * mib, 100000);
  for (uint64_t at = 500 * mib; at < 501 * mib; at += 50000) file.read(at, 50000);
  fail_unless(file.log->sent < 4 * mib, "%" G_GUINT64_FORMAT, file.log->sent.load());
}
GST_END_TEST;

GST_START_TEST(sequential_reading_takes_few_requests) {
  Fixture file(64 * mib);
  for (uint64_t at = 0; at < 64 * mib; at += 64 << 10) file.read(at, 64 << 10);
  fail_unless(file.log->count() < 60, "%zu requests", file.log->count());
  fail_unless(file.log->sent == 64 * mib, "%" G_GUINT64_FORMAT, file.log->sent.load());
}
GST_END_TEST;

/// Pictures and sound far from each other are read alternately, without reading anything twice.
GST_START_TEST(several_places_alternately) {
  Fixture file(100 * mib);
  for (uint64_t i = 0; i < 400; ++i) {
    file.read(10 * mib + i * 20000, 20000);
    file.read(80 * mib + i * 500, 500);
  }
  // 8 MB, read ahead by the same again at most.
  fail_unless(file.log->sent < 18 * mib, "%" G_GUINT64_FORMAT, file.log->sent.load());
}
GST_END_TEST;

GST_START_TEST(flushing_wakes_and_reading_goes_on) {
  Fixture file(10 * mib);
  file.read(0, 10);
  {
    const std::lock_guard lock(file.log->mutex);
    file.log->held_from = 5 * mib;
  }
  std::atomic<int> outcome = -1;
  std::thread waiting([&] {
    std::vector<uint8_t> bytes(mib);
    size_t got = 0;
    outcome = static_cast<int>(file.reader.read(6 * mib, bytes, got));
  });
  while (file.log->count() < 2) g_usleep(100);
  fail_unless_equals_int(outcome, -1);
  file.reader.set_flushing(true);
  waiting.join();
  fail_unless_equals_int(outcome, static_cast<int>(Outcome::flushing));
  file.reader.set_flushing(false);
  // A part that nobody waits for any more does not hold up another one.
  fail_unless_equals_int(file.read(1 * mib, 10), 10);
  {
    const std::lock_guard lock(file.log->mutex);
    file.log->held_from = UINT64_MAX;
  }
  fail_unless_equals_int(file.read(6 * mib, 100), 100);
}
GST_END_TEST;

GST_START_TEST(the_end_wakes_the_thread) {
  for (const uint64_t held_from : {uint64_t{0}, 5 * mib}) {
    const auto log = std::make_shared<Log>();
    log->held_from = held_from;
    ReadAhead reader(std::make_unique<FakeReader>(10 * mib, log));
    while (log->count() < 1) g_usleep(100);
  }
}
GST_END_TEST;

GST_START_TEST(failures_are_told_after_what_is_there) {
  Fixture file(10 * mib);
  {
    const std::lock_guard lock(file.log->mutex);
    file.log->fails_from = 1 * mib;
  }
  // Ahead of the reader, it is no failure yet.
  for (uint64_t at = 0; at < 900000; at += 100000) file.read(at, 100000);
  fail_unless(!file.reader.failure());
  std::vector<uint8_t> bytes(100);
  size_t got = 0;
  fail_unless(file.reader.read(2 * mib, bytes, got) == Outcome::failed);
  const auto failure = file.reader.failure();
  fail_unless(failure && failure->message == "it is gone");
  file.read(50, 100);
  uint64_t size = 0;
  fail_unless(file.reader.size(size) == Outcome::done);

  const auto log = std::make_shared<Log>();
  log->fails_from = 0;
  ReadAhead closed(std::make_unique<FakeReader>(10 * mib, log));
  fail_unless(closed.size(size) == Outcome::failed);
  fail_unless(closed.read(0, bytes, got) == Outcome::failed);
}
GST_END_TEST;

static Suite* read_ahead_suite() {
  Suite* suite = suite_create("read_ahead");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, reads_any_place);
  tcase_add_test(tcase, jumps_cause_little_traffic);
  tcase_add_test(tcase, sequential_reading_takes_few_requests);
  tcase_add_test(tcase, several_places_alternately);
  tcase_add_test(tcase, flushing_wakes_and_reading_goes_on);
  tcase_add_test(tcase, the_end_wakes_the_thread);
  tcase_add_test(tcase, failures_are_told_after_what_is_there);
  return suite;
}

GST_CHECK_MAIN(read_ahead)
