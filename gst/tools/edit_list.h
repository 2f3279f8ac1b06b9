// SPDX-License-Identifier: LGPL-2.1-or-later
// A list of clips that make one film, as a JSON text. docs/view.md has the schema.

#pragma once

#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/tools/reframe_options.h"

namespace sphere::tool {

/// What a clip does not tell is as in `common`. Names of files are relative to the list's folder.
Result<std::vector<ReframeClip>> load_edit_list(const std::string& path,
                                                const StitchOptions& common);

/// Whether a clip's view is within its limits; errors name its members as `name` makes them: that
/// of an option, or that of a field.
Status check_view(const StitchOptions& view, const std::string& prefix);

/// The text of keyframes, and the projection that they begin with. `file_or_text` as in the
/// elements.
Status take_keyframes(const std::string& file_or_text, StitchOptions* view);

}  // namespace sphere::tool
