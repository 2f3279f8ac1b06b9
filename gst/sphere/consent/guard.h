// SPDX-License-Identifier: LGPL-2.1-or-later
// What an element asks before it lets something through: the sources of consent it has, the answer
// kept up to date with each buffer, and the events that tell what was captured with consent.

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

/// The time of day. While it is earlier than it was before, it is not used.
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
  Mutex mutex_;  // no other lock is taken under it; the clock is read under it, so that readings
                 // stay in order
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

  /// Takes a context of the type `gst.sphere.consent` and leaves others alone. One without valid
  /// caps denies everything.
  void set_context(GstContext* context);
  bool has_context() const;

  /// Nothing: no ledger. A ledger that can't be opened or has an empty name denies everything.
  Status set_ledger(std::optional<std::string> name);
  /// Tries again if the ledger could not be opened; the error tells why it still can't be.
  Status retry_ledger();
  std::optional<std::string> ledger() const;

  /// Called after each change except those inside the ledger, in the thread that made it, with no
  /// lock held. To be set before other threads use this object. Entries that another process writes
  /// into the ledger, and expiries, are noticed by calling version() or a Guard, with each buffer
  /// or regularly from a loop.
  void on_change(std::function<void()> listener) { listener_ = std::move(listener); }

  /// If two versions are equal, nothing has changed in between.
  struct Version {
    uint64_t own = 0, ledger = 0;
    bool operator==(const Version&) const = default;
  };
  /// Cheap enough for each buffer; see GrantSource::version() for what it may do.
  Version version() const;

  /// An answer, and the version of the sources that it was worked out from.
  struct VersionedAnswer {
    Answer answer;
    Version version;
    /// How often the ledger has recorded a withdrawal of this purpose.
    uint64_t taken = 0;
  };
  /// The answer as of the last version(), whoever called it.
  VersionedAnswer answer_of_version(Category category, Purpose purpose) const;
  /// The answer at this moment: version() and answer_of_version().
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

  // Protects what follows. Never held while a ledger is opened or checked, nor across the
  // listener. The version goes up under it, so that what is asked is never older than its version.
  mutable Mutex mutex_;
  uint64_t version_ SPHERE_GUARDED_BY(mutex_) = 0;
  CapsRef caps_ SPHERE_GUARDED_BY(mutex_);
  CapsRef context_ SPHERE_GUARDED_BY(mutex_);
  std::optional<std::string> ledger_ SPHERE_GUARDED_BY(mutex_);
  std::string ledger_problem_ SPHERE_GUARDED_BY(mutex_);  // why it could not be opened
  std::shared_ptr<GrantSource> source_ SPHERE_GUARDED_BY(mutex_);
};

/// Asks for one category and purpose with each buffer. Used by one thread only.
class Guard {
 public:
  Guard(const Consent& consent, Category category, Purpose purpose)
      : consent_(consent), category_(category), purpose_(purpose) {}

  /// Whether it is allowed now. While nothing changes, this takes two short locks, the check of the
  /// ledger if there is one (see GrantSource::version()), and reads the clock if a grant expires.
  bool allowed() { return allowed(consent_.version()); }
  /// The same for a caller with several guards: `version` is the present result of version().
  bool allowed(const Consent::Version& version);
  /// The answer of the last allowed().
  const Answer& answer() const { return answer_; }
  /// Counts the grants that have begun: also if consent was taken back and given again since the
  /// last call, or may have been.
  uint64_t grants() const { return grants_; }
  /// Counts how often the answer was worked out anew.
  uint64_t decisions() const { return decisions_; }

 private:
  const Consent& consent_;
  const Category category_;
  const Purpose purpose_;
  Answer answer_;
  Consent::Version seen_;
  uint64_t taken_ = 0;
  bool asked_ = false;
  bool clock_lost_ = false;  // denied, and a clock that comes right may change that
  uint64_t grants_ = 0, decisions_ = 0;
};

/// For sources: makes the sticky event `sphere-consent`, which tells the gates downstream, in order
/// with the buffers, from when on buffers were captured with consent. Used by one thread only.
class ConsentEventMaker {
 public:
  /// If this object is made before anything is captured, a grant that exists now counts from the
  /// beginning; otherwise from the first buffer on.
  enum class Start { before_capture, during_capture };
  ConsentEventMaker(const Consent& consent, Category category, const std::vector<Purpose>& purposes,
                    Start start = Start::before_capture);

  /// To be called before each buffer is pushed; the event that it returns must be pushed first.
  /// `fresh` is called when a grant has begun. It returns a running time from which on everything
  /// is captured after the call: for a live source its present running time, or the end of the
  /// buffer if that is later.
  EventRef before(const std::function<GstClockTime()>& fresh);

 private:
  struct PurposeState {
    Guard guard;
    Purpose purpose;
    uint64_t grants = 0;
    GstClockTime since = GST_CLOCK_TIME_NONE;
  };
  const Consent& consent_;
  const Category category_;
  std::vector<PurposeState> states_;
  uint64_t epoch_ = 0;
};

inline constexpr const char* consent_event_name = "sphere-consent";
inline constexpr const char* context_type = "gst.sphere.consent";
inline constexpr const char* context_field = "caps";

/// What a context of that type gives; null if it is another, or has no caps.
CapsRef caps_of_context(const GstContext* context);

/// What the event says about one category and purpose: the running time from which on buffers were
/// captured with consent, 0 for always, GST_CLOCK_TIME_NONE for denied. Nothing if it is another
/// event or does not contain this purpose.
std::optional<GstClockTime> read_consent_event(GstEvent* event, Category category, Purpose purpose);

/// Marks a pad as the origin of the events `sphere-consent`: each is pushed before its buffer.
void mark_consent_event_source(GstPad* src);
/// Whether `sink` is linked to such a pad: no element in between can have delayed an event.
bool is_consent_event_peer(GstPad* sink);

}  // namespace sphere::consent
