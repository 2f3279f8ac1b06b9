// SPDX-License-Identifier: LGPL-2.1-or-later
// Lens profiles: JSON files that describe a calibrated pair. docs/lens-profiles.md has the schema.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/lens/pair.h"

namespace sphere {

/// The profile that is used if neither a property nor the stream has the name of one.
inline constexpr const char* default_profile = "dual-190";

/// Reads the text of a profile. `name` is used in error messages.
Result<LensPair> parse_profile(std::string_view text, const std::string& name);

/// Writes a profile that parse_profile() reads. Returns an error for pairs that a profile can't
/// describe: measured corrections, pixels that are not square, lenses that are not each in a half
/// of the frame.
Result<std::string> make_profile(const LensPair& pair, const std::string& name,
                                 const std::string& description);

/// Detects the format of a text that describes a pair of lenses, and reads it: a profile, a project
/// of Hugin (pto.h), or the file of a calibration program (calibration_file.h).
Result<LensPair> parse_lens_text(std::string_view text, const std::string& name);

/// Whether this is the text of a profile, not a name or a path.
inline bool is_profile_text(std::string_view text) { return text.starts_with('{'); }

/// Loads a profile by its text, a name or a path. A text that begins with a brace is the profile
/// itself. A text with a `/`, or with the ending
/// `.json`, `.bin`, `.pto`, `.yaml`, `.yml`, `.xml`, `.mp4`, `.jpg` or `.dng`, is the path of a
/// file: one of those above, a camera's own table (table.h), or a video or photo that contains such
/// a table. Any other text is a name. It is searched in the folders of GST_SPHERE_PROFILE_PATH,
/// then in `gst-sphere/profiles` of the user's and the system's data folders, then among the
/// built-in profiles.
Result<LensPair> load_profile(const std::string& name_or_file);

/// The names of all profiles that load_profile() finds, sorted.
std::vector<std::string> profile_names();

}  // namespace sphere
