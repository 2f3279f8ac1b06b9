// SPDX-License-Identifier: LGPL-2.1-or-later
// Examines one media file and writes its edited form. The result gets its name only after it was
// examined, too.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/source.h"
#include "gst/tools/command.h"
#include "gst/tools/output_file.h"

namespace sphere::tool {

/// How far it is: the bytes that were read or written since the last call. Returns false to stop.
using WorkProgress = std::function<bool(uint64_t)>;

struct EditedFile {
  media::Examination found;  ///< what IN had, with the parts that were removed
  uint64_t bytes = 0;        ///< of OUT
  /// Of a file that was only inspected: why something in it can't be examined.
  std::optional<Error> refused = std::nullopt;
};

/// Why there is no result, and the command's exit status for it.
struct EditError {
  Error error;
  Exit status = exit_failed;
};

template <typename T>
using EditResult = std::variant<T, EditError>;

/// Writes the edited form of a source into a file that has no name yet, and examines that.
/// `progress` gets each byte twice. The status of an error is exit_unexamined where the result is
/// not clean.
EditResult<EditedFile> edit_source(const media::Source& source, OutputFile* output,
                                   const media::Request& request, const WorkProgress& progress);

/// Opens and examines a file.
EditResult<media::Examination> examine_file(const std::string& path, const media::Request& request);

/// What `sphere inspect` tells about a file.
struct Inspection {
  media::Examination found;
  /// Why 'sphere redact' would not write the file: something in it can't be examined.
  std::optional<Error> refused;
};

/// Lists what is in a file, and finds out whether all of it could be taken out.
EditResult<Inspection> inspect_file(const std::string& path);

/// The first position that a file tells; nothing if there is none, or the file can't be examined.
std::optional<Position> first_position(const std::string& path);

/// Writes OUT from IN as the request says. OUT appears only if nothing that the policy denies is
/// found in it, neither by the reader of the format nor by a search of all bytes.
EditResult<EditedFile> edit_file(const std::string& in, const std::string& out, bool clobber,
                                 const media::Request& request, const WorkProgress& progress);

/// The same in the file itself; `request.in_place` has to be set. What it will be is examined and
/// searched before anything is written; only with more edits than are held in memory afterwards,
/// and an error can't bring the file back then. Where `request.skip_pictures` is set, the samples
/// are not searched. Without `follow_link`, a path that is a symbolic link is an error.
EditResult<EditedFile> edit_file_in_place(const std::string& path, bool follow_link,
                                          const media::Request& request,
                                          const WorkProgress& progress);

}  // namespace sphere::tool
