// SPDX-License-Identifier: LGPL-2.1-or-later
// What a person is told before they agree. A change of meaning needs a new version: what was given
// under another one is asked for again.

#pragma once

#include <string>

#include "gst/sphere/consent/decision.h"

namespace sphere::consent {

inline constexpr const char* notice_version = "2026-11-24";

enum class Language { english, chinese };
/// By a language tag or locale such as `zh_CN.UTF-8`; anything that is not Chinese is English.
Language language_of(std::string_view tag);
/// Whether there is a notice in it.
bool is_language(std::string_view tag);

/// The whole of it.
std::string notice_text(Language language);
/// What it says of one category.
std::string notice_text(Language language, Category category);
/// SHA-256 over the text in both languages.
const std::string& notice_hash();

}  // namespace sphere::consent
