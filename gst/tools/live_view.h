// SPDX-License-Identifier: LGPL-2.1-or-later
// What `sphere live` shows while it runs: a block that is drawn again and again on a terminal,
// lines elsewhere, or lines of JSON.

#pragma once

#include <glib.h>

#include <set>
#include <string>
#include <vector>

#include "gst/live/session.h"

namespace sphere::tool {

/// The block for a person, line by line, none wider than `columns`.
std::vector<std::string> live_lines(const live::SessionStatus& status, double seconds,
                                    size_t columns);
/// One line of JSON.
bool print_live_json(const live::SessionStatus& status, double seconds,
                     const std::vector<std::string>& news);

class LiveView {
 public:
  enum class Form { automatic, json, quiet };
  explicit LiveView(Form form);
  ~LiveView() { clear(); }
  LiveView(const LiveView&) = delete;
  LiveView& operator=(const LiveView&) = delete;

  /// To be called some ten times a second.
  void show(const live::SessionStatus& status, const std::vector<std::string>& news);
  /// At the end of the stream, whatever the time is.
  void show_end(const live::SessionStatus& status, const std::vector<std::string>& news);
  /// Removes the block, so that messages can be printed.
  void clear();

 private:
  void show_now(const live::SessionStatus& status, const std::vector<std::string>& news);
  void draw(const std::vector<std::string>& lines);
  /// The links for others as QR codes, each once.
  void show_codes(const live::SessionStatus& status);

  const bool json_, quiet_, terminal_;
  const gint64 begin_;
  gint64 shown_at_ = 0;
  size_t drawn_ = 0;  ///< lines of the block on the terminal
  std::set<std::string> coded_;
};

}  // namespace sphere::tool
