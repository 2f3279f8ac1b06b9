// SPDX-License-Identifier: LGPL-2.1-or-later
// Lens profiles: JSON files that describe a calibrated pair. docs/lens-profiles.md has the schema.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/lens/pair.h"

namespace sphere {

/// The profile that is taken when neither a property nor the stream names one.
inline constexpr const char* default_profile = "dual-190";

/// Reads the text of a profile. `name` is what complaints call it.
Result<LensPair> parse_profile(std::string_view text, const std::string& name);

/// Writes a profile that parse_profile() reads. Refuses pairs that a profile can't hold: measured
/// corrections, pixels that are not square, lenses that are in no half.
Result<std::string> make_profile(const LensPair& pair, const std::string& name,
                                 const std::string& description);

/// Reads any text that describes a pair of lenses, by what it is: a profile, a project of Hugin's
/// (pto.h), or the calibration that a program wrote (calibration_file.h).
Result<LensPair> parse_lens_text(std::string_view text, const std::string& name);

/// Whether this is the text of a profile, rather than a name or a path.
inline bool is_profile_text(std::string_view text) { return text.starts_with('{'); }

/// Loads a profile by what a person or a program gives. What begins with a brace is the text of a
/// profile itself. Anything with a `/`, or that ends in `.json`, `.bin`,
/// `.pto`, `.yaml`, `.yml`, `.xml`, `.mp4`, `.jpg` or `.dng`, is a file with any of these, or with
/// a camera's own table (table.h), by itself or in its video or photo; else it is a name that is
/// looked up in the folders of GST_SPHERE_PROFILE_PATH, then in `gst-sphere/profiles` of the user's
/// and the system's data folders, then among those built in.
Result<LensPair> load_profile(const std::string& name_or_file);

/// The names of all profiles that load_profile() finds, sorted.
std::vector<std::string> profile_names();

}  // namespace sphere
