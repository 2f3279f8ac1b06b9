// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes text from outside safe to show to a person.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sphere {

/// Converts text from a camera, a network, a file or a file's name for a terminal, a log and the
/// bus. The result is valid UTF-8. Everything that is not a visible character or a space is written
/// as `\xNN` (a byte that is not UTF-8, a control character below U+0100) or `\u{NNNN}` (invisible
/// characters, and those that change the direction of writing), therefore a terminal executes none
/// of it. A text of more than `max_bytes` bytes is cut there, and `...` is appended. A second call
/// does not change the result.
std::string printable(std::string_view text, size_t max_bytes = std::string::npos);

}  // namespace sphere
