// SPDX-License-Identifier: LGPL-2.1-or-later
// Mutexes with the annotations of clang's -Wthread-safety, which those of the standard library do
// not have.

#pragma once

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

}  // namespace sphere
