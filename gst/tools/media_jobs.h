// SPDX-License-Identifier: LGPL-2.1-or-later
// Files and folders of media files, worked on in parallel, with progress.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/tools/command.h"
#include "gst/tools/media_edit.h"

namespace sphere::tool {

struct MediaJob {
  std::string input, output;  ///< `output` is "" where nothing is written, or where it is IN
  uint64_t bytes = 0;         ///< of the input
  /// How many folders it was found in, up to the one that was named; 0: it was named itself. Those
  /// of `output` are made if they are missing.
  int folders = 0;
};

/// One job for each file: those that are named, and those in the folders that are named, with the
/// folders in them, by name. Hidden files in folders are left out.
Result<std::vector<MediaJob>> list_media(const std::vector<std::string>& paths);

/// The same for files that are changed: each file once, and no links in folders. `report` gets the
/// links that lead out of the folder that was named.
Result<std::vector<MediaJob>> list_media_in_place(
    const std::vector<std::string>& paths, const std::function<void(const std::string&)>& report);

/// The same for IN OUT: a file and a file, a file and a folder, or two folders, where OUT gets the
/// folders of IN.
Result<std::vector<MediaJob>> pair_media(const std::string& in, const std::string& out);

/// What became of one job.
struct MediaOutcome {
  std::optional<EditError> error;
  EditedFile result;
};

struct MediaRunOptions {
  int threads = 0;  ///< 0: as many as there are processors
  bool progress = true;
  /// How often each byte is read or written.
  int passes = 1;
};

/// Runs the jobs, and calls `report` for each in the order of the list, in the caller's thread.
/// Returns the exit status: that of the first job that failed. SIGINT, SIGTERM and SIGHUP stop it.
int run_media_jobs(
    const std::vector<MediaJob>& jobs, const MediaRunOptions& options,
    const std::function<EditResult<EditedFile>(const MediaJob&, const WorkProgress&)>& work,
    const std::function<void(const MediaJob&, const MediaOutcome&)>& report);

}  // namespace sphere::tool
