// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/exhaustion.h"

#include <glib.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>

#include "gst/tools/command.h"

namespace sphere::tool {

namespace {

std::terminate_handler terminate_before = nullptr;

/// Without allocating anything.
[[noreturn]] void end_exhausted() {
  constexpr std::string_view sentence =
      "sphere: the system gives it no more memory or threads; close other programs, or raise the "
      "limits that 'ulimit -a' shows\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, sentence.data(), sentence.size());
  _exit(exit_failed);
}

/// GStreamer warns when a task gets no thread. GLib's own two are errors.
bool is_exhaustion(std::string_view message) {
  return message.starts_with("failed to create thread") ||
         message.starts_with("creating thread '") ||
         message.find(": failed to allocate ") != std::string_view::npos;
}

GLogWriterOutput write_message(GLogLevelFlags level, const GLogField* fields, gsize count,
                               gpointer) {
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING))
    for (gsize i = 0; i < count; ++i) {
      if (std::strcmp(fields[i].key, "MESSAGE") != 0) continue;
      const auto* text = static_cast<const char*>(fields[i].value);
      if (is_exhaustion(fields[i].length < 0
                            ? std::string_view(text)
                            : std::string_view(text, static_cast<size_t>(fields[i].length))))
        end_exhausted();
    }
  return g_log_writer_default(level, fields, count, nullptr);
}

/// Our code does not catch what it can't mend.
[[noreturn]] void terminate() {
  if (const std::exception_ptr thrown = std::current_exception()) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::bad_alloc&) {
      end_exhausted();
    } catch (const std::system_error& error) {
      if (error.code() == std::errc::resource_unavailable_try_again) end_exhausted();
    } catch (...) {
    }
  }
  terminate_before();
  std::abort();
}

}  // namespace

void end_when_exhausted() {
  g_log_set_writer_func(write_message, nullptr, nullptr);
  terminate_before = std::set_terminate(terminate);
}

}  // namespace sphere::tool
