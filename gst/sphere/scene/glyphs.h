// SPDX-License-Identifier: LGPL-2.1-or-later
// Letters of five by seven dots, for the words in the scene.

#pragma once

#include <string_view>

namespace sphere {

inline constexpr int glyph_advance = 6;  ///< dots from one letter to the next
inline constexpr int glyph_height = 7;   ///< dots

/// How wide a word is, in dots.
constexpr float text_width(std::string_view text) {
  return static_cast<float>(text.size()) * glyph_advance - 1;
}

/// Whether there is ink at a place of a word: x dots from its left edge, y dots from its top.
/// Capitals, digits and the minus sign; others are blank.
bool has_ink(std::string_view text, float x, float y);

}  // namespace sphere
