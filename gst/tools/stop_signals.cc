// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/stop_signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "gst/tools/forced_end.h"
#include "gst/tools/signal_handlers.h"

namespace sphere::tool {

namespace {

// A camera or a server that does not answer is given up before.
constexpr unsigned longest_end = 30;  // s

}  // namespace

StopSignals::StopSignals() : cancellable_(g_cancellable_new()) {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int number : handled_signals()) sigaddset(&wanted, number);
  pthread_sigmask(SIG_BLOCK, &wanted, &before_);
  signals_ = Descriptor(signalfd(-1, &wanted, SFD_CLOEXEC));
  quit_ = Descriptor(eventfd(0, EFD_CLOEXEC));
  thread_ = std::thread([this] {
    pollfd polled[] = {{signals_.get(), POLLIN, 0}, {quit_.get(), POLLIN, 0}};
    for (;;) {
      while (poll(polled, 2, -1) < 0 && errno == EINTR) {
      }
      signalfd_siginfo info = {};
      if (!(polled[0].revents & POLLIN) || read(signals_.get(), &info, sizeof info) != sizeof info)
        return;
      signal_ = static_cast<int>(info.ssi_signo);
      ++count_;
      // The first Ctrl-C may end a part of the command only.
      if (signal_ != SIGINT || count_ > 1) end_process_within(longest_end);
      g_cancellable_cancel(cancellable_.get());
    }
  });
}

bool StopSignals::forget_interrupt() {
  if (signal_ != SIGINT || count_ != 1) return false;
  g_cancellable_reset(cancellable_.get());
  signal_ = count_ = 0;
  return true;
}

StopSignals::~StopSignals() {
  const uint64_t one = 1;
  while (write(quit_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  thread_.join();
  keep_process();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace sphere::tool
