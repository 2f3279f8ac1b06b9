// SPDX-License-Identifier: LGPL-2.1-or-later
// A ledger that is kept up with while pipelines run.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <new>
#include <utility>

#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/ledger.h"
#include "gst/sphere/consent/source.h"

GST_DEBUG_CATEGORY_STATIC(ledger_debug);
#define GST_CAT_DEFAULT ledger_debug

namespace sphere::consent {

namespace {

/// How long a change that another process is in the midst of writing is left alone. The longest of
/// many acts on a busy machine took a tenth of that.
constexpr int64_t writer_time = 100 * G_TIME_SPAN_MILLISECOND;
/// The clock by which the file system stamps a change goes on in steps of at most this: a second
/// change within a step leaves the same stamp.
constexpr int64_t stamp_step = 20 * G_TIME_SPAN_MILLISECOND;

/// Which file stands at a path, and how it is. Nothing is opened, and a link is not followed.
struct Identity {
  bool there = false, regular = false, blocked = false;
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  int64_t changed = 0;  // nanoseconds since 1970, of the contents or of who may read them

  bool operator==(const Identity&) const = default;
  bool same_file(const Identity& other) const {
    return there && other.there && device == other.device && inode == other.inode;
  }
};

Identity identity_of(const struct stat& status, bool blocked) {
  return {.there = true,
          .regular = S_ISREG(status.st_mode),
          .blocked = blocked,
          .device = status.st_dev,
          .inode = status.st_ino,
          .size = status.st_size,
          .changed = status.st_ctim.tv_sec * INT64_C(1000000000) + status.st_ctim.tv_nsec};
}

/// Its text is short enough to be kept without memory.
Error out_of_memory() { return failed("out of memory"); }

class LedgerSource final : public GrantSource, public std::enable_shared_from_this<LedgerSource> {
 public:
  explicit LedgerSource(const std::string& name)
      : ledger_(name), path_(ledger_.path()), denial_path_(ledger_.denial_path()) {}

  /// Before anybody else knows of it.
  Status open() {
    auto [identity, read] = read_whole();
    if (!read) return read.error();
    const Lock lock(mutex_);
    seen_ = identity;
    chain_ = std::move(*read);
    chain_.blocked = identity.blocked;
    behind_ = g_get_real_time() < chain_.latest;
    if (const std::string said = problem(); !said.empty())
      GST_WARNING("everything is denied: %s", said.c_str());
    return ok();
  }

  uint64_t version() override {
    const Identity now = read_identity();
    uint64_t version = 0;
    std::string said;
    {
      const Lock lock(mutex_);
      const uint64_t before = version_;
      if (!reading_ && (now != seen_ || may_have_new_tail(now))) try_to_follow(now);
      const bool behind = g_get_real_time() < chain_.latest;
      if (behind != behind_) {
        if (behind) take_all_back();
        behind_ = behind;
        ++version_;
      }
      version = version_;
      if (version != before) said = problem();
    }
    if (!said.empty()) GST_WARNING("everything is denied: %s", said.c_str());
    return version;
  }

  Grants grants(Category category, Purpose purpose) const override {
    const Lock lock(mutex_);
    Grants grants{
        .version = version_, .caps = {}, .problem = problem(), .passes = reading_, .taken = 0};
    grants.caps =
        grants.problem.empty() ? caps_of(chain_, g_get_real_time()) : CapsRef(gst_caps_new_empty());
    grants.taken = taken_[static_cast<size_t>(category)][static_cast<size_t>(purpose)];
    return grants;
  }

 private:
  /// What stands at the two paths at this moment.
  Identity read_identity() const {
    struct stat status = {};
    const bool blocked = lstat(denial_path_.c_str(), &status) == 0;
    if (lstat(path_.c_str(), &status) != 0) return {.blocked = blocked};
    return identity_of(status, blocked);
  }

  std::string problem() const SPHERE_REQUIRES(mutex_) {
    if (!problem_.empty()) return problem_;
    if (chain_.blocked) return path_ + ": a withdrawal could not be written";
    if (chain_.torn_withdrawal)
      return path_ + ": the last act was cut off and may have been a withdrawal";
    if (behind_) return path_ + ": the clock is earlier than the last act";
    return {};
  }

  // --- what was taken back -------------------------------------------------------------------

  void take_all_back() SPHERE_REQUIRES(mutex_) {
    for (auto& of_category : taken_)
      for (uint64_t& count : of_category) ++count;
  }

  /// What was read on from what was known: what was taken back in it is known one by one.
  void go_on(ChainState next) SPHERE_REQUIRES(mutex_) {
    const bool same = next.whole == chain_.whole && next.torn == chain_.torn &&
                      next.torn_withdrawal == chain_.torn_withdrawal &&
                      next.blocked == chain_.blocked;
    if (same) return;
    for (size_t i = 0; i < taken_.size(); ++i)
      for (size_t k = 0; k < taken_[i].size(); ++k)
        taken_[i][k] += next.taken[i][k] - chain_.taken[i][k];
    if ((next.torn_withdrawal && !chain_.torn_withdrawal) || (next.blocked && !chain_.blocked))
      take_all_back();
    chain_ = std::move(next);
    ++version_;
  }

  /// Another file, or a problem: nobody knows what happened in between.
  void begin_anew(ChainState next, std::string problem) SPHERE_REQUIRES(mutex_) {
    take_all_back();
    chain_ = std::move(next);
    problem_ = std::move(problem);
    ++version_;
  }

  // --- following a change --------------------------------------------------------------------

  /// After an act was cut off, the next one is written over it, and can be as long.
  bool may_have_new_tail(const Identity& now) const SPHERE_REQUIRES(mutex_) {
    return chain_.torn && g_get_real_time() - now.changed / 1000 < stamp_step;
  }

  void try_to_follow(const Identity& now) SPHERE_REQUIRES(mutex_) {
    try {
      follow(now);
    } catch (const std::bad_alloc&) {
      seen_ = {};
      begin_anew({}, out_of_memory().message);
    }
  }

  void follow(const Identity& now) SPHERE_REQUIRES(mutex_) {
    if (!now.there || !now.regular) {
      const bool went = !now.there && seen_.there;
      seen_ = now;
      ChainState nothing;
      nothing.blocked = now.blocked;
      begin_anew(std::move(nothing), now.there ? path_ + ": is not a regular file"
                                     : went    ? path_ + ": was removed"
                                               : problem_);
      return;
    }
    const auto size = static_cast<size_t>(now.size);
    size_t left = longest_read_here;
    const bool goes_on = now.same_file(seen_) && problem_.empty() && size >= chain_.whole;
    const bool grew = now.size != seen_.size || chain_.torn || now.changed == seen_.changed;
    if (goes_on && grew && size - chain_.whole <= left) {
      if (read_tail(now)) return;
      left -= size - chain_.whole;
    } else if (goes_on && !grew && is_being_written()) {
      return;  // stamped, and not yet written
    }
    writer_since_ = 0;
    if (size <= left) {
      auto [identity, read] = read_whole();
      take_whole(identity, std::move(read));
      return;
    }
    begin_anew({}, path_ + ": was replaced or changed, and is being read");
    read_elsewhere();
  }

  /// Whether another process holds the writer's lock; not for longer than an act can take.
  bool is_being_written() SPHERE_REQUIRES(mutex_) {
    const auto file = open_private(path_, O_RDONLY);
    return file && is_being_written(*file);
  }
  bool is_being_written(const PrivateFile& file) SPHERE_REQUIRES(mutex_) {
    if (flock(file.descriptor.get(), LOCK_SH | LOCK_NB) == 0) {
      flock(file.descriptor.get(), LOCK_UN);
      return false;
    }
    const int64_t now = g_get_monotonic_time();
    if (!writer_since_) writer_since_ = now;
    return now - writer_since_ < writer_time;
  }

  /// Reads what stands behind the acts that are known. False: it does not follow them.
  bool read_tail(const Identity& now) SPHERE_REQUIRES(mutex_) {
    const auto file = open_private(path_, O_RDONLY);
    if (!file || !identity_of(file->status, false).same_file(now)) return false;
    const auto text = read_from(*file, path_, chain_.whole);
    ChainState next = chain_;
    if (!text || !read_on(next, *text)) return false;
    next.blocked = now.blocked;
    // Half an act that somebody is writing is not one that was cut off. What is whole counts.
    const bool unfinished = next.torn_withdrawal && !chain_.torn_withdrawal;
    const bool later = unfinished && is_being_written(*file);
    if (later)
      next.torn_withdrawal = false;
    else
      writer_since_ = 0;
    // Else it is checked again with the next buffer, even if its times have not changed.
    seen_ = now;
    if (later) seen_.changed = 0;
    go_on(std::move(next));
    return true;
  }

  // --- reading it whole ----------------------------------------------------------------------

  using Whole = std::pair<Identity, Result<ChainState>>;
  /// As the file is when it is opened: what is written meanwhile is seen as a change after that.
  Whole read_whole() const {
    const bool blocked = read_identity().blocked;
    const auto file = open_private(path_, O_RDONLY);
    if (!file && file.error().kind == Error::Kind::not_found)
      return {{.blocked = blocked}, ChainState()};
    if (!file) return {read_identity(), file.error()};
    const Identity identity = identity_of(file->status, blocked);
    const auto text = read_from(*file, path_, 0);
    if (!text) return {identity, text.error()};
    ChainState chain;
    if (const Status read = read_on(chain, *text); !read)
      return {identity, invalid(path_ + ": damaged at " + read.error().message)};
    return {identity, std::move(chain)};
  }

  void take_whole(const Identity& identity, Result<ChainState> read) SPHERE_REQUIRES(mutex_) {
    seen_ = identity;
    ChainState next = read ? std::move(*read) : ChainState();
    next.blocked = identity.blocked;
    begin_anew(std::move(next), read ? std::string() : read.error().message);
  }

  void read_elsewhere() SPHERE_REQUIRES(mutex_) {
    using Self = std::shared_ptr<LedgerSource>;
    // It has no threads while it has nothing to do, and is never freed. A few files that answer
    // slowly hold nobody else up.
    static GThreadPool* const pool = g_thread_pool_new(
        [](void* data, void*) {
          const std::unique_ptr<Self> self(static_cast<Self*>(data));
          (*self)->read_here();
        },
        nullptr, 4, FALSE, nullptr);
    auto self = std::make_unique<Self>(shared_from_this());
    reading_ = true;
    g_thread_pool_push(pool, self.release(), nullptr);
  }

  /// In the thread that reads for it.
  void read_here() {
    Whole whole{Identity(), out_of_memory()};
    try {
      whole = read_whole();
    } catch (const std::bad_alloc&) {
    }
    const Lock lock(mutex_);
    reading_ = false;
    take_whole(whole.first, std::move(whole.second));
  }

  const Ledger ledger_;
  const std::string path_, denial_path_;

  // Protects what follows. Held while at most `longest_read_here` bytes are read, never while more
  // are. No other lock is taken under it.
  mutable Mutex mutex_;
  Identity seen_ SPHERE_GUARDED_BY(mutex_);  // of what was read
  ChainState chain_ SPHERE_GUARDED_BY(mutex_);
  std::string problem_ SPHERE_GUARDED_BY(mutex_);
  bool reading_ SPHERE_GUARDED_BY(mutex_) = false;  // by another thread
  bool behind_ SPHERE_GUARDED_BY(mutex_) = false;   // the clock is earlier than the last act
  // Since when another process holds the lock with an act half written; 0: it does not.
  int64_t writer_since_ SPHERE_GUARDED_BY(mutex_) = 0;
  uint64_t version_ SPHERE_GUARDED_BY(mutex_) = 0;
  std::array<std::array<uint64_t, purpose_names.size()>, categories.size()> taken_
      SPHERE_GUARDED_BY(mutex_){};
};

}  // namespace

Result<std::shared_ptr<GrantSource>> open_ledger(const std::string& name) {
  static const bool once = [] {
    GST_DEBUG_CATEGORY_INIT(ledger_debug, "sphereledger", 0, "consent ledger");
    return true;
  }();
  (void)once;
  if (name.empty()) return invalid("the name of the ledger is empty");
  const Ledger ledger(name);
  const GString_ folder(g_path_get_dirname(ledger.path().c_str()));
  // A ledger that is not there yet may come; one whose folder is not there is a slip of the pen.
  if (name != "default" && !g_file_test(folder.get(), G_FILE_TEST_IS_DIR))
    return not_found(ledger.path() + ": its folder does not exist");
  auto source = std::make_shared<LedgerSource>(name);
  if (const Status opened = source->open(); !opened) return opened.error();
  return std::shared_ptr<GrantSource>(std::move(source));
}

}  // namespace sphere::consent
