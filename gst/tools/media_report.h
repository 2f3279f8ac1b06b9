// SPDX-License-Identifier: LGPL-2.1-or-later
// What the commands about metadata say of the parts of a file.

#pragma once

#include <string>
#include <string_view>

#include "gst/sphere/base/json_writer.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/media/part.h"

namespace sphere::tool {

/// Such as "place 2, identity 5, unknown 1": how many parts of each class, of those that were
/// removed or of all. "" if there are none. Useful parts are not counted.
std::string count_by_class(const media::Examination& found, bool removed_only);
/// The parts as lines of a table, by class. `all`: the useful ones, too.
std::string part_table(const media::Examination& found, bool all, bool removed_only);
void add_parts(JsonWriter& json, const media::Examination& found, bool all);
const char* name_of(media::Kind kind);

/// The set of classes in a list such as "place,identity". `soundtrack` means the sound tracks.
Result<media::Policy> parse_classes(const char* option, std::string_view text);

}  // namespace sphere::tool
