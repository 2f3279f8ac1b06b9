// SPDX-License-Identifier: LGPL-2.1-or-later
// The options that photos and recordings have in common.

#pragma once

#include <glib.h>

#include <optional>
#include <string>
#include <vector>

#include "gst/tools/camera_command.h"

namespace sphere::tool {

class CaptureOptions {
 public:
  /// `kinds` are in the order of the request's enumeration; the first one is the default. `what` is
  /// fetched: "the photos".
  CaptureOptions(std::vector<std::string> kinds, const char* what);
  ~CaptureOptions();
  CaptureOptions(const CaptureOptions&) = delete;
  CaptureOptions& operator=(const CaptureOptions&) = delete;

  /// Parses these options and the command's own.
  Status parse(CameraCommand& command, std::vector<GOptionEntry> own_options, int argc,
               char** argv);

  /// Refuses an option that was given, but is for these kinds only.
  Status check_use(const char* option, bool given, const std::vector<std::string>& kinds) const;
  /// The index of the kind.
  int kind() const { return kind_; }
  /// Whether the lens on the back was asked for; no value if the kind uses both lenses.
  std::optional<bool> back_lens() const { return back_lens_; }
  /// Where to fetch; empty: nothing is fetched.
  const std::string& output() const { return output_; }
  bool clobber() const { return !no_clobber_; }

 private:
  const std::vector<std::string> kinds_;
  const std::string kind_words_, kind_help_, output_help_;
  char *typed_kind_ = nullptr, *typed_output_ = nullptr;
  gboolean back_ = FALSE, no_clobber_ = FALSE;
  int kind_ = 0;
  std::optional<bool> back_lens_;
  std::string output_;
};

}  // namespace sphere::tool
