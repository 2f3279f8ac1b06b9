// SPDX-License-Identifier: LGPL-2.1-or-later
// A link as a QR code for a terminal, so that a phone can open it.

#pragma once

#include <string>
#include <string_view>

namespace sphere::live {

/// Lines of block characters, two rows of the code in each, with a quiet border, for a dark
/// terminal. "" if this build has no library for it, or the text is too long.
std::string qr_code(std::string_view text);

}  // namespace sphere::live
