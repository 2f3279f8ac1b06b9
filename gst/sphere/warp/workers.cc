// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/warp/workers.h"

#include <glib.h>

#include <algorithm>
#include <system_error>

namespace sphere {

int Workers::cores() { return static_cast<int>(g_get_num_processors()); }

void Workers::set_threads(int threads) {
  if (threads == wanted_) return;
  stop();
  wanted_ = threads;
  const int wanted = threads > 0 ? threads : cores();
  const Lock lock(mutex_);
  for (int i = 1; i < wanted; ++i) {
    try {
      others_.emplace_back([this, round = round_] { loop(round); });
    } catch (const std::system_error&) {
      break;  // The system has no more threads; fewer do the same work.
    }
  }
}

void Workers::stop() {
  {
    const Lock lock(mutex_);
    quit_ = true;
  }
  started_.notify_all();
  for (std::thread& other : others_) other.join();
  others_.clear();
  wanted_ = 1;
  const Lock lock(mutex_);
  quit_ = false;
}

void Workers::take_slices() {
  for (int i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count_;) call_(context_, i);
}

void Workers::loop(unsigned seen) {
  for (;;) {
    {
      const Lock lock(mutex_);
      while (!quit_ && round_ == seen) started_.wait(mutex_);
      if (quit_) return;
      seen = round_;
    }
    take_slices();
    const Lock lock(mutex_);
    if (--busy_ == 0) finished_.notify_one();
  }
}

void Workers::run_slices(int count, const void* context, Call call) {
  {
    const Lock lock(mutex_);
    context_ = context;
    call_ = call;
    count_ = count;
    next_.store(0, std::memory_order_relaxed);
    busy_ = static_cast<int>(others_.size());
    ++round_;
  }
  started_.notify_all();
  take_slices();
  const Lock lock(mutex_);
  while (busy_ != 0) finished_.wait(mutex_);
}

}  // namespace sphere
