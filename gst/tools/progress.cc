// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace sphere::tool {

namespace {

constexpr gint64 redraw_interval = G_USEC_PER_SEC / 10;
constexpr int narrowest = 20;

int terminal_width() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(std::clamp(seconds, 0.0, 359999.0));
  char text[32];
  if (whole >= 3600)
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  else
    std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  return text;
}

}  // namespace

Progress::Progress(bool wanted, const char* unit)
    : active_(wanted && isatty(STDERR_FILENO)), unit_(unit), begin_(g_get_monotonic_time()) {
  const char* terminal = std::getenv("TERM");
  if (terminal && std::strcmp(terminal, "dumb") == 0) active_ = false;
}

bool Progress::is_due(gint64 now) {
  if (!active_ || (drawn_ && now - last_ < redraw_interval)) return false;
  last_ = now;
  drawn_ = true;
  return true;
}

void Progress::draw(const std::string& text, std::optional<double> part) {
  const auto width = static_cast<size_t>(std::max(narrowest, terminal_width() - 1));
  std::string line;
  if (part && text.size() + 14 <= width) {
    const size_t room = std::min<size_t>(width - text.size() - 4, 60);
    const auto filled = static_cast<size_t>(*part * static_cast<double>(room));
    line = "[" + std::string(filled, '#') + std::string(room - filled, '.') + "] ";
  }
  line += text;
  line.resize(std::min(line.size(), width));
  std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
  std::fflush(stderr);
}

void Progress::show(uint64_t done, uint64_t total) {
  const gint64 now = g_get_monotonic_time();
  if (!is_due(now)) return;
  const double seconds = static_cast<double>(now - begin_) / G_USEC_PER_SEC;
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  char text[160];
  if (total == 0) {
    std::snprintf(text, sizeof text, "%llu %s  %.1f/s  %s", static_cast<unsigned long long>(done),
                  unit_, rate, clock_text(seconds).c_str());
    return draw(text, std::nullopt);
  }
  done = std::min(done, total);
  const double part = static_cast<double>(done) / static_cast<double>(total);
  const std::string left =
      rate > 0 ? clock_text(static_cast<double>(total - done) / rate) : std::string("-:--");
  // All numbers have the width of the largest one, so that the bar does not move.
  const int digits = static_cast<int>(std::to_string(total).size());
  std::snprintf(text, sizeof text, "%3d%%  %*llu/%llu %s  %5.1f/s  %5s left",
                static_cast<int>(100 * part), digits, static_cast<unsigned long long>(done),
                static_cast<unsigned long long>(total), unit_, rate, left.c_str());
  draw(text, part);
}

void Progress::show_time(uint64_t passed, uint64_t total) {
  if (!is_due(g_get_monotonic_time())) return;
  const std::string time = clock_text(static_cast<double>(passed));
  if (total == 0) return draw(time, std::nullopt);
  passed = std::min(passed, total);
  draw(time + " of " + clock_text(static_cast<double>(total)),
       static_cast<double>(passed) / static_cast<double>(total));
}

void Progress::clear() {
  if (!drawn_) return;
  drawn_ = false;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
}

}  // namespace sphere::tool
