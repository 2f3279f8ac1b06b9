// SPDX-License-Identifier: LGPL-2.1-or-later
// Mutexes with the annotations of clang's -Wthread-safety, which those of the standard library do
// not have.

#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define SPHERE_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define SPHERE_THREAD_ATTRIBUTE(x)
#endif

/// The member may be touched only while the named mutex is held.
#define SPHERE_GUARDED_BY(x) SPHERE_THREAD_ATTRIBUTE(guarded_by(x))
/// The function may be called only while the named mutex is held.
#define SPHERE_REQUIRES(...) SPHERE_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))

namespace sphere {

template <typename Standard>
class SPHERE_THREAD_ATTRIBUTE(capability("mutex")) AnnotatedMutex {
 public:
  void lock() SPHERE_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() SPHERE_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  friend class ConditionVariable;
  Standard mutex_;
};

using Mutex = AnnotatedMutex<std::mutex>;
using RecursiveMutex = AnnotatedMutex<std::recursive_mutex>;

/// Holds a Mutex or a RecursiveMutex from here to the end of the scope.
template <typename Standard>
class SPHERE_THREAD_ATTRIBUTE(scoped_lockable) Lock {
 public:
  explicit Lock(AnnotatedMutex<Standard>& mutex) SPHERE_THREAD_ATTRIBUTE(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock();
  }
  ~Lock() SPHERE_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  AnnotatedMutex<Standard>& mutex_;
};

/// Waits with a Mutex that is held. Any wait may end too early. Faster than
/// std::condition_variable_any, which has a lock of its own.
class ConditionVariable {
 public:
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

  void wait(Mutex& mutex) SPHERE_REQUIRES(mutex) {
    const Held held(mutex);
    condition_.wait(held.lock);
  }
  template <typename Duration>
  std::cv_status wait_for(Mutex& mutex, const Duration& duration) SPHERE_REQUIRES(mutex) {
    const Held held(mutex);
    return condition_.wait_for(held.lock, duration);
  }
  template <typename Time>
  std::cv_status wait_until(Mutex& mutex, const Time& time) SPHERE_REQUIRES(mutex) {
    const Held held(mutex);
    return condition_.wait_until(held.lock, time);
  }

 private:
  /// The lock as the standard library wants it. It stays locked.
  struct Held {
    explicit Held(Mutex& mutex) : lock(mutex.mutex_, std::adopt_lock) {}
    ~Held() { lock.release(); }
    mutable std::unique_lock<std::mutex> lock;
  };

  std::condition_variable condition_;
};

}  // namespace sphere
