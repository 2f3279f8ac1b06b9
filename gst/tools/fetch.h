// SPDX-License-Identifier: LGPL-2.1-or-later
// Fetches files from a camera's card with progress, and cleans them if that is wanted.

#pragma once

#include <string>
#include <vector>

#include "gst/tools/camera_command.h"
#include "hw/download.h"

namespace sphere::tool {

struct FetchOptions {
  bool clobber = false;
  /// Also what belongs to a file, such as the small copy of a video, or a raw picture.
  bool companions = false;
  /// Several files need no folder: FILE.jpg becomes FILE-1.jpg, FILE-2.jpg and so on.
  bool numbers = false;
  /// They are the parts of one recording: FILE.mp4, FILE-2.mp4 and so on. One that can't be fetched
  /// does not keep the others from it.
  bool parts = false;
  /// Takes out of each file what it tells about people and places.
  bool redact = false;
  hw::FileTransport transport = hw::FileTransport::any;
};

struct Fetched {
  std::vector<std::string> files;     ///< that were written
  std::vector<std::string> problems;  ///< a sentence for each part that was not
};

/// Whether files can be written to `output`, a file or a folder: to be asked before photos are
/// taken that are to be fetched.
Status check_destination(const std::string& output, bool clobber);

/// `output` is a file for one path, or a folder, which must exist for several. What belongs to a
/// file gets its name, with its own ending. Saving files is allowed by typing the command, unless
/// the ledger says that consent to it was withdrawn.
Result<Fetched> fetch_files(CameraCommand& command, const std::vector<std::string>& paths,
                            const std::string& output, const FetchOptions& options);

/// The path on the card of what a person wrote: with or without DCIM/ and the camera's root.
std::string card_path(const std::string& written);

}  // namespace sphere::tool
