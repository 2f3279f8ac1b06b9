// SPDX-License-Identifier: LGPL-2.1-or-later
// A progress line on a terminal.

#pragma once

#include <glib.h>

#include <cstdint>
#include <optional>
#include <string>

namespace sphere::tool {

class Progress {
 public:
  /// Draws only if stderr is a terminal and `wanted` is set.
  explicit Progress(bool wanted, const char* unit = "");
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `total` 0: unknown. Draws at most some ten times a second.
  void show(uint64_t done, uint64_t total);
  /// The same for seconds that pass: without a rate.
  void show_time(uint64_t passed, uint64_t total);
  /// Removes the line, so that messages can be printed.
  void clear();

 private:
  bool is_due(gint64 now);
  /// `part`: of a bar before the text; nothing: there is no bar.
  void draw(const std::string& text, std::optional<double> part);

  bool active_;
  bool drawn_ = false;
  const char* unit_;
  gint64 begin_, last_ = 0;
};

}  // namespace sphere::tool
