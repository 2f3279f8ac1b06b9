// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/preview_closer.h"

#include <chrono>
#include <utility>

#include "gst/sphere/base/thread.h"

namespace sphere::camera {

namespace {

// Longer than a preview needs that nothing holds.
constexpr auto longest_wait = std::chrono::seconds(1);
// Each has some threads.
constexpr size_t most_waiting = 4;

}  // namespace

struct PreviewCloser::Closing {
  explicit Closing(std::shared_ptr<hw::Preview> gone)
      : preview(std::move(gone)), thread([this] {
          preview->close();
          const Lock lock(mutex);
          over = true;
          changed.notify_all();
        }) {}
  ~Closing() { thread.join(); }

  /// Whether it is closed within this time.
  bool wait_for(std::chrono::milliseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    const Lock lock(mutex);
    while (!over && changed.wait_until(mutex, until) != std::cv_status::timeout) {
    }
    return over;
  }

  const std::shared_ptr<hw::Preview> preview;
  Mutex mutex;  // protects what follows; the innermost
  ConditionVariable changed;
  bool over SPHERE_GUARDED_BY(mutex) = false;
  std::thread thread;  // the last: it uses the others
};

PreviewCloser::PreviewCloser() = default;
PreviewCloser::~PreviewCloser() = default;

void PreviewCloser::finish() { closing_.clear(); }

void PreviewCloser::close(GstBin* bin, std::shared_ptr<hw::Preview> preview) {
  std::erase_if(closing_, [](const auto& one) { return one->wait_for({}); });
  if (closing_.size() >= most_waiting) closing_.erase(closing_.begin());
  // Before it is closed: a bin waits for its children when its own state changes.
  gst_bin_remove(bin, preview->element());
  auto closing = std::make_unique<Closing>(std::move(preview));
  if (!closing->wait_for(longest_wait)) closing_.push_back(std::move(closing));
}

}  // namespace sphere::camera
