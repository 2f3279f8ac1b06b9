// SPDX-License-Identifier: LGPL-2.1-or-later
// Loaded before a program's own libraries (LD_PRELOAD), lets it make FEW_THREADS threads. For each
// further one, the system says that it has no more.

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*start)(void*), void* argument) {
  using Create = int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static auto* const create = reinterpret_cast<Create*>(dlsym(RTLD_NEXT, "pthread_create"));
  static std::atomic<int> left = [] {
    const char* number = std::getenv("FEW_THREADS");
    return number ? std::atoi(number) : 0;
  }();
  return left-- > 0 ? create(thread, attributes, start, argument) : EAGAIN;
}
