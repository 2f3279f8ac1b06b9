// SPDX-License-Identifier: LGPL-2.1-or-later
// What the commands that write an edited OUT of IN have in common: options, folders, the report.

#pragma once

#include <glib.h>

#include <functional>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/part.h"
#include "gst/tools/command.h"
#include "gst/tools/media_edit.h"
#include "gst/tools/media_jobs.h"

namespace sphere::tool {

class MediaCommand {
 public:
  /// `can_edit_in_place`: there is an option --in-place.
  MediaCommand(const char* name, const char* summary, const char* description,
               bool can_edit_in_place);

  /// Reads the command line: the command's own options and those that all such commands have.
  Status parse(std::vector<GOptionEntry> own_options, int argc, char** argv);

  bool in_place() const { return in_place_; }
  MessagePrinter& printer() { return printer_; }

  /// What was done to a file, for a person.
  using Summary = std::function<std::string(const MediaJob&, const media::Examination&)>;
  /// What has to be done with a file.
  using MakeRequest = std::function<EditResult<media::Request>(const MediaJob&)>;
  /// Works on all files. Returns the exit status.
  int run(const MakeRequest& make_request, const Summary& summary);

 private:
  const char* name_;
  const char* summary_;
  const char* description_;
  const bool can_edit_in_place_;
  MessagePrinter printer_;
  std::vector<std::string> paths_;
  bool in_place_ = false, clobber_ = true, json_ = false;
  int threads_ = 0;
};

}  // namespace sphere::tool
