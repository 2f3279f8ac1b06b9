// SPDX-License-Identifier: LGPL-2.1-or-later
// What an element asks before it lets something through: the sources of consent it has, the answer
// kept up to date with each buffer, and the stamps that tell it what was captured when.

#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/decision.h"
#include "gst/sphere/consent/source.h"

namespace sphere::consent {

/// The time of day, which is not believed while it is earlier than it has been.
class SteadyClock {
 public:
  using Clock = int64_t (*)();  // microseconds since 1970 UTC
  explicit SteadyClock(Clock clock = g_get_real_time) : clock_(clock) {}
  /// That time, or `no_clock`. Any thread may call.
  int64_t now() {
    const Lock lock(mutex_);
    const int64_t time = clock_();
    if (time < latest_) return no_clock;
    latest_ = time;
    return time;
  }

 private:
  const Clock clock_;
  Mutex mutex_;  // the innermost; the clock is read under it, so that no two readings change places
  int64_t latest_ SPHERE_GUARDED_BY(mutex_) = 0;
};

/// The sources of consent of one element: its `consent` property, the application's context, and
/// the ledger that its `ledger` property names. All that are present must allow. Any thread may
/// call.
class Consent {
 public:
  using Clock = SteadyClock::Clock;
  using Open = decltype(&open_ledger);

  explicit Consent(Clock clock = g_get_real_time, Open open = open_ledger)
      : clock_(clock), open_(open) {}
  Consent(const Consent&) = delete;
  Consent& operator=(const Consent&) = delete;

  /// The property. Null: it is not set, which is not the same as empty (nothing is granted).
  void set_caps(const GstCaps* caps);
  CapsRef caps() const;

  /// Takes a context of the type `gst.sphere.consent` and leaves others alone. One that does not
  /// have what it should is a source that denies.
  void set_context(GstContext* context);
  bool has_context() const;

  /// None: no ledger. One that can't be opened, and one without a name, is a source that denies.
  Status set_ledger(std::optional<std::string> name);
  /// Once more, if it could not be opened; why it still can't.
  Status retry_ledger();
  std::optional<std::string> ledger() const;

  /// Called after each change but those inside the ledger, in the thread that made it, with no lock
  /// held. To be set before other threads know of this object. What another process writes into the
  /// ledger, and what expires, is seen by whoever compares version() or asks a Guard, with each
  /// buffer or from a loop that turns anyway.
  void on_change(std::function<void()> listener) { listener_ = std::move(listener); }

  /// Two that are equal: nothing has changed in between.
  struct Version {
    uint64_t own = 0, ledger = 0;
    bool operator==(const Version&) const = default;
  };
  /// Cheap enough for each buffer; see GrantSource::version() for what it may do.
  Version version() const;

  /// An answer, and what tells whether it held all along.
  struct Look {
    Answer answer;
    Version version;
    /// Goes up whenever the ledger took back what is asked for.
    uint64_t taken = 0;
  };
  /// The answer as of the last version(), whoever called it.
  Look look(Category category, Purpose purpose) const;
  /// The answer at this moment: version() and look().
  Answer ask(Category category, Purpose purpose) const;
  bool allowed(Category category, Purpose purpose) const { return ask(category, purpose).allowed; }
  /// The time of day, or `no_clock` while it is earlier than it has been.
  int64_t now() const { return clock_.now(); }

 private:
  std::shared_ptr<GrantSource> source() const;
  Status open(std::optional<std::string> name, bool again);
  void tell() const {
    if (listener_) listener_();
  }

  mutable SteadyClock clock_;
  const Open open_;
  std::function<void()> listener_;

  // Protects what follows. Never held while a ledger is opened or looked at, nor across the
  // listener. The version goes up under it, so that what is asked is never older than its version.
  mutable Mutex mutex_;
  uint64_t version_ SPHERE_GUARDED_BY(mutex_) = 0;
  CapsRef caps_ SPHERE_GUARDED_BY(mutex_);
  CapsRef context_ SPHERE_GUARDED_BY(mutex_);
  std::optional<std::string> ledger_ SPHERE_GUARDED_BY(mutex_);
  std::string ledger_problem_ SPHERE_GUARDED_BY(mutex_);  // why it could not be opened
  std::shared_ptr<GrantSource> source_ SPHERE_GUARDED_BY(mutex_);
};

/// One question, asked with each buffer. One thread's own.
class Guard {
 public:
  Guard(const Consent& consent, Category category, Purpose purpose)
      : consent_(consent), category_(category), purpose_(purpose) {}

  /// Whether it is allowed now. As long as nothing changes: two short locks, the look at the ledger
  /// where there is one (see GrantSource::version()), and a look at the clock where a grant
  /// expires.
  bool allowed();
  /// The answer of the last allowed().
  const Answer& answer() const { return answer_; }
  /// Goes up with each grant that begins: also when it was taken back and given again since the
  /// last look, or may have been.
  uint64_t grants() const { return grants_; }
  /// Goes up whenever the answer was worked out anew.
  uint64_t looks() const { return looks_; }

 private:
  const Consent& consent_;
  const Category category_;
  const Purpose purpose_;
  Answer answer_;
  Consent::Version seen_;
  uint64_t taken_ = 0;
  bool asked_ = false;
  bool clock_lost_ = false;  // denied, and a clock that comes right may change that
  uint64_t grants_ = 0, looks_ = 0;
};

/// For what captures: makes the sticky event `sphere-consent` that tells gates downstream, in order
/// with the buffers, what was captured while what was given. One thread's own.
class Stamper {
 public:
  /// What is given now counts as given all along where this is made before anything is captured;
  /// else from the first buffer on.
  enum class Made { before_capture, during_capture };
  Stamper(const Consent& consent, Category category, const std::vector<Purpose>& purposes,
          Made made = Made::before_capture);

  /// To be called before each buffer is pushed; what it returns is to be pushed first. `fresh` is
  /// called when a grant has begun: all that has a running time from there on is captured after
  /// that call. For a live source it is its running time at that moment, or the end of the buffer
  /// if that is later.
  EventRef before(const std::function<GstClockTime()>& fresh);

 private:
  struct One {
    Guard guard;
    Purpose purpose;
    uint64_t grants = 0;
    GstClockTime since = GST_CLOCK_TIME_NONE;
  };
  const Category category_;
  std::vector<One> all_;
  uint64_t epoch_ = 0;
};

inline constexpr const char* stamp_name = "sphere-consent";
inline constexpr const char* context_type = "gst.sphere.consent";
inline constexpr const char* context_field = "caps";

/// What a context of that type gives; null if it is another, or has no caps.
CapsRef caps_of_context(const GstContext* context);

/// What a stamp says of one question: the running time from which on it was given when captured, 0
/// for all along, GST_CLOCK_TIME_NONE for denied. Nothing if it is no stamp or does not speak of
/// it.
std::optional<GstClockTime> read_stamp(GstEvent* event, Category category, Purpose purpose);

/// Says that the stamps of what leaves this pad are pushed here, each before its buffer.
void mark_stamping(GstPad* src);
/// Whether `sink` is linked to such a pad: nothing in between can have delayed a stamp.
bool is_stamping_peer(GstPad* sink);

}  // namespace sphere::consent
