// SPDX-License-Identifier: LGPL-2.1-or-later
// A ledger that is watched while pipelines run.

#include <sys/stat.h>

#include <atomic>
#include <utility>
#include <vector>

#include "gst/sphere/consent/ledger.h"
#include "gst/sphere/consent/source.h"
#include "gst/sphere/consent/watch.h"

GST_DEBUG_CATEGORY_STATIC(ledger_debug);
#define GST_CAT_DEFAULT ledger_debug

namespace sphere::consent {

namespace {

// How often the files themselves are looked at. With a counter that finds what was not told: files
// that were replaced, and a writer that was killed before it could tell. Without, it is how a
// change is found.
constexpr int64_t look_with_counter = 100 * G_TIME_SPAN_MILLISECOND;
constexpr int64_t look_without = 20 * G_TIME_SPAN_MILLISECOND;

/// Which file stands at a path, and how it is.
struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  int64_t changed = 0;
  bool operator==(const Identity&) const = default;
  bool same_file(const Identity& other) const {
    return device == other.device && inode == other.inode;
  }
};

Identity identity_of(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = status.st_size,
          .changed = status.st_ctim.tv_sec * INT64_C(1000000000) + status.st_ctim.tv_nsec};
}

class LedgerSource final : public GrantSource {
 public:
  explicit LedgerSource(const std::string& name) : ledger_(name) {
    show(0);
    last_ = look();
  }

  uint64_t version() const noexcept override {
    const int64_t now = g_get_monotonic_time();
    int64_t due = due_.load(std::memory_order_relaxed);
    if (now >= due) {
      if (!looking_.test_and_set(std::memory_order_acquire)) {
        check();
        due_.store(now + (view()->watch ? look_with_counter : look_without),
                   std::memory_order_relaxed);
        looking_.clear(std::memory_order_release);
      }
    }
    return number();
  }

  CapsRef caps() const override {
    const View* seen = view();
    if (seen->watch && seen->watch->blocked()) {
      GST_WARNING("%s: a withdrawal could not be written: all is denied", ledger_.path().c_str());
      return CapsRef(gst_caps_new_empty());
    }
    const auto chain = ledger_.read();
    if (!chain) {
      GST_WARNING("all is denied: %s", chain.error().message.c_str());
      return CapsRef(gst_caps_new_empty());
    }
    const int64_t now = g_get_real_time();
    const bool behind = now < chain->latest;
    if (behind)
      GST_WARNING("%s: the clock is earlier than the last entry: all is denied",
                  ledger_.path().c_str());
    if (chain->torn_withdrawal)
      GST_WARNING("%s: the last entry was cut off and may be a withdrawal: all is denied",
                  ledger_.path().c_str());
    waits_for_clock_.store(behind, std::memory_order_relaxed);
    return caps_of(*chain, now);
  }

  Status status() const {
    const auto chain = ledger_.read();
    if (!chain) return chain.error();
    return ok();
  }

 private:
  /// A counter, and what is added to it so that the sum never goes down.
  struct View {
    std::unique_ptr<Watch> watch;
    uint64_t base;
  };

  const View* view() const { return view_.load(std::memory_order_acquire); }
  uint64_t number() const {
    const View* seen = view();
    return seen->base + (seen->watch ? seen->watch->count() : 0) +
           extra_.load(std::memory_order_acquire);
  }

  /// Only by one thread at a time: the constructor, and whoever has `looking_`.
  void show(uint64_t at_least) const {
    auto watch = Watch::open(ledger_.watch_path(), Watch::Mode::read);
    auto next = std::make_unique<View>();
    if (watch)
      next->watch = std::move(*watch);
    else
      GST_WARNING("%s; the ledger itself is looked at every 20 ms", watch.error().message.c_str());
    next->base = at_least - (next->watch ? next->watch->count() : 0);
    view_.store(next.get(), std::memory_order_release);
    // Older ones stay, for version() takes no lock. There are as many as somebody removed files.
    views_.push_back(std::move(next));
  }

  struct Looked {
    uint64_t count;
    Identity ledger, watch;
  };
  /// The counter first: an act is written and then counted, so that what is counted here is seen.
  Looked look() const {
    const Watch* watch = view()->watch.get();
    const uint64_t count = watch ? watch->count() : 0;
    return {count, identity_of(ledger_.path()), identity_of(ledger_.watch_path())};
  }

  void check() const {
    const Looked looked = look();
    const Watch* watch = view()->watch.get();
    const bool other_counter =
        watch ? looked.watch.device != watch->device() || looked.watch.inode != watch->inode()
              : !looked.watch.same_file(last_.watch);
    if (other_counter) {
      // By two: it is not known what happened in between.
      show(view()->base + (watch ? watch->count() : 0) + 2);
      untold_ = false;
      last_ = look();
      return;
    }
    const bool same_file = looked.ledger.same_file(last_.ledger);
    const bool untold = looked.ledger != last_.ledger && looked.count == last_.count;
    // Whoever writes tells it right after, and has until the next look for that.
    if (watch && same_file && untold && !std::exchange(untold_, true)) return;
    untold_ = false;
    if (!same_file || untold || waits_for_clock_.load(std::memory_order_relaxed))
      extra_.fetch_add(2, std::memory_order_acq_rel);
    last_ = looked;
  }

  const Ledger ledger_;
  mutable std::atomic<const View*> view_ = nullptr;
  mutable std::atomic<uint64_t> extra_ = 0;
  mutable std::atomic<int64_t> due_ = 0;
  mutable std::atomic<bool> waits_for_clock_ = false;
  mutable std::atomic_flag looking_;
  // Of whoever has `looking_`.
  mutable std::vector<std::unique_ptr<View>> views_;
  mutable Looked last_{};
  mutable bool untold_ = false;  // the ledger was written, and nobody told it
};

}  // namespace

Result<std::shared_ptr<GrantSource>> open_ledger(const std::string& name) {
  static const bool once = [] {
    GST_DEBUG_CATEGORY_INIT(ledger_debug, "sphereledger", 0, "consent ledger");
    return true;
  }();
  (void)once;
  if (name.empty()) return invalid("a ledger without a name");
  const Ledger ledger(name);
  const GString_ folder(g_path_get_dirname(ledger.path().c_str()));
  // So that its counter has a place before the first grant.
  if (name == "default") g_mkdir_with_parents(folder.get(), 0700);
  // A ledger that is not there yet may come; one whose folder is not there is a slip of the pen.
  if (!g_file_test(folder.get(), G_FILE_TEST_IS_DIR))
    return not_found(ledger.path() + ": there is no such folder");
  auto source = std::make_shared<LedgerSource>(name);
  if (const Status status = source->status(); !status) return status.error();
  return std::shared_ptr<GrantSource>(std::move(source));
}

}  // namespace sphere::consent
