// SPDX-License-Identifier: LGPL-2.1-or-later
// Text from outside, as it may be shown to a person.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sphere {

/// Text that came from a camera, a network, a file or a file's name, made fit for a terminal, a
/// log and the bus: valid UTF-8, with everything that is not a visible character or a space written
/// as `\xNN` (a byte that is not UTF-8, a control character below U+0100) or `\u{NNNN}` (invisible
/// characters, and those that change the direction of writing). A terminal obeys none of it. A text
/// of more than `max_bytes` bytes is cut there, and `...` is appended. Applied twice, it changes
/// nothing more.
std::string printable(std::string_view text, size_t max_bytes = std::string::npos);

}  // namespace sphere
