// SPDX-License-Identifier: LGPL-2.1-or-later
// Keyframes as a JSON text. docs/view.md has the schema.

#pragma once

#include <string>
#include <string_view>

#include "gst/sphere/base/result.h"
#include "gst/sphere/view/path.h"

namespace sphere {

/// `name` is the name of the text in errors.
Result<ViewPath> parse_view_path(std::string_view text, const std::string& name);
/// Reads a file; or, if the words begin with a brace, the text itself.
Result<ViewPath> load_view_path(const std::string& file_or_text);
std::string view_path_text(const ViewPath& path);

}  // namespace sphere
