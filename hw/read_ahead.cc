// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/read_ahead.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

namespace sphere::hw {

namespace {

using Reason = Failure::Reason;

// A read that begins this close behind what is there, or will be soon, waits for the bytes in
// between. A new request would take longer.
constexpr uint64_t near = 64 << 10;
// A transfer that lacks no more than this is not given up.
constexpr uint64_t almost_done = 256 << 10;

}  // namespace

uint64_t ReadAhead::Area::ahead() const { return std::clamp(consumed, first_ahead, most_ahead); }

ReadAhead::ReadAhead(std::unique_ptr<PartReader> reader)
    : reader_(std::move(reader)), cancellable_(g_cancellable_new()) {
  thread_ = std::thread([this] { run(); });
}

ReadAhead::~ReadAhead() {
  ObjectRef<GCancellable> cancellable;
  {
    const Lock lock(mutex_);
    quit_ = true;
    cancellable.reset(G_CANCELLABLE(g_object_ref(cancellable_.get())));
    changed_.notify_all();
  }
  // Without the lock, because handlers of the cancellation may wait for the thread that calls the
  // sink.
  g_cancellable_cancel(cancellable.get());
  thread_.join();
}

// --- callers ---------------------------------------------------------------------------------

ReadAhead::Outcome ReadAhead::size(uint64_t& size) {
  const Lock lock(mutex_);
  while (!flushing_ && !failure_ && !size_) changed_.wait(mutex_);
  if (flushing_) return Outcome::flushing;
  if (!size_) return Outcome::failed;
  size = *size_;
  return Outcome::done;
}

void ReadAhead::set_flushing(bool flushing) {
  const Lock lock(mutex_);
  flushing_ = flushing;
  changed_.notify_all();
}

std::optional<Failure> ReadAhead::failure() const {
  const Lock lock(mutex_);
  return failure_;
}

uint64_t ReadAhead::arrived() const {
  const Lock lock(mutex_);
  return arrived_;
}

ReadAhead::Outcome ReadAhead::read(uint64_t offset, std::span<uint8_t> bytes, size_t& got) {
  const Range range{offset, offset + std::min<uint64_t>(bytes.size(), UINT64_MAX - offset)};
  std::list<Range>::iterator waiting;
  ObjectRef<GCancellable> unneeded;
  {
    const Lock lock(mutex_);
    if (const std::optional<Outcome> outcome = try_read(range, bytes, got)) return *outcome;
    waiting = waiting_.insert(waiting_.end(), range);
    unneeded = give_up_part(range);
    changed_.notify_all();
  }
  // Without the lock, because its handlers call the camera.
  if (unneeded) g_cancellable_cancel(unneeded.get());
  const Lock lock(mutex_);
  std::optional<Outcome> outcome;
  while (!(outcome = try_read(range, bytes, got))) changed_.wait(mutex_);
  waiting_.erase(waiting);
  return *outcome;
}

/// Nothing: the bytes have to be waited for.
std::optional<ReadAhead::Outcome> ReadAhead::try_read(const Range& range, std::span<uint8_t> bytes,
                                                      size_t& got) {
  got = 0;
  if (flushing_) return Outcome::flushing;
  if (size_) {
    const uint64_t end = std::min(range.end, *size_);
    if (range.begin >= end) return Outcome::done;
    // What is there can be read also after a failure.
    const std::shared_ptr<Area> area = area_at(range.begin);
    if (area && area->end() >= end) {
      got = static_cast<size_t>(end - range.begin);
      std::memcpy(bytes.data(), area->bytes.data() + (range.begin - area->begin), got);
      consume(area, {range.begin, end});
      return Outcome::done;
    }
  }
  if (failure_) return Outcome::failed;
  return std::nullopt;
}

/// If a read has to wait for the active part although it does not need it, returns what ends that
/// transfer.
ObjectRef<GCancellable> ReadAhead::give_up_part(const Range& range) {
  if (!active_ || given_up_ || waiting_.size() > 1) return nullptr;
  const Area& area = *active_->area;
  if (range.begin >= area.begin && range.begin <= active_->end + near) return nullptr;
  if (active_->end < area.end() + almost_done) return nullptr;
  given_up_ = true;
  return ObjectRef<GCancellable>(G_CANCELLABLE(g_object_ref(cancellable_.get())));
}

/// Notes that a range was read, and forgets what is far behind it.
void ReadAhead::consume(const std::shared_ptr<Area>& area, const Range& range) {
  area->last_used = ++uses_;
  area->consumed += range.end - range.begin;
  last_area_ = area;
  last_end_ = range.end;
  // There may be more to read ahead now.
  if (!active_) changed_.notify_all();
  // Not less than `kept_behind` at a time, so that the rest is not moved often.
  if (range.begin <= area->begin + 2 * kept_behind) return;
  const uint64_t unneeded = range.begin - kept_behind - area->begin;
  area->bytes.erase(0, static_cast<size_t>(unneeded));
  area->begin += unneeded;
}

// --- areas -----------------------------------------------------------------------------------

/// The area that has the byte at `offset`, or will have it soon.
std::shared_ptr<ReadAhead::Area> ReadAhead::area_at(uint64_t offset) {
  std::shared_ptr<Area> best;
  for (const std::shared_ptr<Area>& area : areas_) {
    if (offset < area->begin || offset > area->end() + near) continue;
    if (!best || area->end() > best->end()) best = area;
  }
  return best;
}

std::shared_ptr<ReadAhead::Area> ReadAhead::new_area(uint64_t offset) {
  if (areas_.size() >= most_areas) {
    const auto oldest = std::ranges::min_element(
        areas_, {}, [](const std::shared_ptr<Area>& area) { return area->last_used; });
    if (last_area_ == *oldest) last_area_.reset();
    areas_.erase(oldest);
  }
  const auto area = std::make_shared<Area>();
  area->begin = offset;
  area->last_used = ++uses_;
  areas_.push_back(area);
  return area;
}

/// Whether a read waits for bytes that are not there.
bool ReadAhead::is_missing() {
  for (const Range& range : waiting_) {
    const uint64_t end = std::min(range.end, *size_);
    if (range.begin >= end) continue;
    const std::shared_ptr<Area> area = area_at(range.begin);
    if (!area || area->end() < end) return true;
  }
  return false;
}

/// A read that waits comes first; then what the last read will probably need next.
std::optional<ReadAhead::Part> ReadAhead::next_part() {
  for (const Range& range : waiting_) {
    if (range.begin >= *size_) continue;
    std::shared_ptr<Area> area = area_at(range.begin);
    if (!area) area = new_area(range.begin);
    const uint64_t end = std::max(range.end, area->end() + area->ahead());
    // Bytes that are there are about to be read.
    if (area->end() < std::min(range.end, *size_)) return Part{area, std::min(end, *size_)};
  }
  if (!last_area_ || paused_) return std::nullopt;
  const uint64_t ahead = last_area_->ahead();
  if (last_area_->end() >= *size_ || last_area_->end() >= last_end_ + ahead / 2)
    return std::nullopt;
  return Part{last_area_, std::min(last_end_ + ahead, *size_)};
}

// --- the thread ------------------------------------------------------------------------------

Status ReadAhead::take(const std::shared_ptr<Area>& area, std::string_view bytes) {
  const Lock lock(mutex_);
  if (quit_ || given_up_) return failed("the transfer was cancelled");
  area->bytes.append(bytes);
  arrived_ += bytes.size();
  changed_.notify_all();
  return ok();
}

void ReadAhead::run() {
  {
    const auto area = std::make_shared<Area>();
    ObjectRef<GCancellable> cancellable;
    {
      const Lock lock(mutex_);
      areas_.push_back(area);
      cancellable.reset(G_CANCELLABLE(g_object_ref(cancellable_.get())));
    }
    uint64_t size = 0;
    const std::optional<Failure> failure = reader_->open(
        size, [&](std::string_view bytes) { return take(area, bytes); }, cancellable.get());
    const Lock lock(mutex_);
    if (failure)
      failure_ = failure;
    else
      size_ = size;
    changed_.notify_all();
  }
  for (;;) {
    Part part;
    ObjectRef<GCancellable> cancellable(g_cancellable_new());
    uint64_t begin = 0;
    {
      const Lock lock(mutex_);
      std::optional<Part> next;
      while (!quit_ && (failure_ || !(next = next_part()))) changed_.wait(mutex_);
      if (quit_) break;
      part = *next;
      active_ = part;
      given_up_ = false;
      begin = part.area->end();
      cancellable_.reset(G_CANCELLABLE(g_object_ref(cancellable.get())));
    }
    std::optional<Failure> failure = reader_->read(
        begin, part.end - begin, [&](std::string_view bytes) { return take(part.area, bytes); },
        cancellable.get());
    const Lock lock(mutex_);
    active_.reset();
    // A camera that sleeps while nobody reads is no failure; the next read tries it again.
    paused_ = failure && !is_missing();
    if (failure && !given_up_ && !paused_) failure_ = failure;
    given_up_ = false;
    changed_.notify_all();
  }
  reader_.reset();
}

}  // namespace sphere::hw
