// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/madv-commands.md, made of the command table.

#pragma once

#include <string>

#include "hw/madv/commands.h"

namespace sphere::test {

inline std::string value_words(const madv::Value& value) {
  using Kind = madv::Value::Kind;
  std::string words;
  const auto add = [&](const std::string& more) {
    if (!more.empty()) words += (words.empty() ? "" : ", ") + more;
  };
  if (value.kind == Kind::number) {
    const bool all = value.max == UINT32_MAX;
    add((all ? "from " + std::to_string(value.min)
             : std::to_string(value.min) + " to " + std::to_string(value.max)) +
        (*value.unit ? " " + std::string(value.unit) : ""));
  }
  for (const madv::Choice& choice : value.choices)
    add(std::to_string(choice.value) + (*choice.words ? " " + std::string(choice.words) : ""));
  add(value.words);
  return words;
}

inline std::string needs_words(unsigned needs) {
  std::string words;
  for (const auto& [need, word] :
       {std::pair(madv::needs_idle, "idle"), std::pair(madv::needs_video, "a recording"),
        std::pair(madv::needs_card, "a card"), std::pair(madv::needs_video_mode, "video mode"),
        std::pair(madv::needs_photo_mode, "photo mode"), std::pair(madv::needs_battery, "battery")})
    if (needs & need) words += (words.empty() ? "" : ", ") + std::string(word);
  return words;
}

inline std::string commands_document(std::span<const madv::Command> commands) {
  constexpr const char* access_words[] = {"R", "W", "R/W", "notice"};
  constexpr const char* privacy_words[] = {"shown", "hidden", "hidden"};
  std::string text =
      "# The Mi Sphere's commands\n\n"
      "Made of the table in `hw/madv/commands.inc` by `tests/check/madv_commands.cc`, which fails "
      "when\n"
      "this file is another: `SPHERE_WRITE_DOCS=1` before the test writes it anew. From the "
      "vendor's\n"
      "sheet (product `sv1`, v1.66), and the ids that only its client names. What is needed first "
      "is\n"
      "known of few; the rest is concluded from what the command does.\n\n"
      "R is read, W written; a notice is only said by the camera. `param` is a text in requests, "
      "also\n"
      "where it is a number. \"Factory\" is the value of a new camera. \"In 4364\" is the name in "
      "the reply\n"
      "to `settings`. \"Says so\" means that the camera also says it unasked, with `rval` 128. "
      "Logs show\n"
      "`param` or not, and of the other members those that are named.\n\n"
      "| id | name | | `param` | factory | in 4364 | needs | says so | kept | logs: `param` | "
      "logs: members |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const madv::Command& c : commands) {
    std::string shown;
    for (const char* member : c.shown)
      shown += (shown.empty() ? "`" : ", `") + std::string(member) + "`";
    const std::string in_settings =
        *c.settings_member ? "`" + std::string(c.settings_member) + "`" : std::string();
    text += "| " + std::to_string(c.id) + " | " + c.name + " | " +
            access_words[static_cast<int>(c.access)] + " | " + value_words(c.value) + " | " +
            (c.factory ? std::to_string(*c.factory) : "") + " | " + in_settings + " | " +
            needs_words(c.needs) + " | " + (c.notifies ? "yes" : "") + " | " +
            (c.kept ? "yes" : "") + " | " + privacy_words[static_cast<int>(c.privacy)] + " | " +
            shown + " |\n";
  }
  return text;
}

}  // namespace sphere::test
