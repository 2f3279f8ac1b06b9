// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/end_signals.h"

#include <glib-unix.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include "gst/sphere/base/descriptor.h"
#include "gst/tools/forced_end.h"
#include "gst/tools/signal_handlers.h"

namespace sphere::tool {

namespace {

constexpr unsigned longest_end = 15;  // s
// Two signals at once come from a terminal and from the program that started this one.
constexpr time_t least_end = 2;  // s

// Of the handler, which may run in any thread.
std::atomic<time_t> first_time = 0;  // when the first one came; 0: none has
std::atomic<int> told = -1;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<time_t>::is_always_lock_free);

/// What all objects share, from the first one to the last one.
struct Shared {
  Descriptor event;
  guint source = 0;
  std::optional<SignalHandlers> handlers;
  std::vector<const std::function<void()>*> stops;
} shared;

void handle(int) {
  const int error = errno;
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  time_t first = 0;
  if (first_time.compare_exchange_strong(first, now.tv_sec))
    end_process_within(longest_end);
  else if (now.tv_sec - first > least_end)
    end_process();
  const uint64_t one = 1;
  // If it can't be told, the timer ends the process.
  [[maybe_unused]] const ssize_t written = write(told, &one, sizeof one);
  errno = error;
}

gboolean tell_all(gint, GIOCondition, gpointer) {
  uint64_t count = 0;
  if (read(shared.event.get(), &count, sizeof count) < 0) return G_SOURCE_CONTINUE;
  for (const auto* stop : shared.stops) (*stop)();
  return G_SOURCE_CONTINUE;
}

void watch_signals() {
  first_time = 0;
  shared.event = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  told = shared.event.get();
  shared.source = g_unix_fd_add(shared.event.get(), G_IO_IN, tell_all, nullptr);
  shared.handlers.emplace(handle);
}

void unwatch_signals() {
  shared.handlers.reset();
  g_source_remove(shared.source);
  told = -1;
  shared.event = Descriptor();
}

}  // namespace

EndSignals::EndSignals(std::function<void()> stop) : stop_(std::move(stop)) {
  if (shared.stops.empty()) watch_signals();
  shared.stops.push_back(&stop_);
}

EndSignals::~EndSignals() {
  std::erase(shared.stops, &stop_);
  if (shared.stops.empty()) unwatch_signals();
}

}  // namespace sphere::tool
