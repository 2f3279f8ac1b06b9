// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes docs/madv-commands.md from the command table.

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
    if (value.fraction_base != 0)
      add(std::to_string(value.fraction_base) + " + n for 1/n" +
          (*value.unit ? " " + std::string(value.unit) : "") + ", n from " +
          std::to_string(value.min - value.fraction_base) + " to " +
          std::to_string(value.max - value.fraction_base));
    else
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
      "This file is generated from the table in `hw/madv/commands.inc` by\n"
      "`tests/check/madv_commands.cc`. The test fails if they differ; with `SPHERE_WRITE_DOCS=1`\n"
      "it writes this file. The sources are the vendor's table (product `sv1`, v1.66) and the ids\n"
      "that appear only in its client. The vendor tells for few commands what they need; the rest\n"
      "is concluded from what the command does.\n\n"
      "R: can be read. W: can be written. Notice: is only sent by the camera. Service: for\n"
      "workshops. `param` is a string\n"
      "in requests, also if it is a number. \"Factory\" is the value of a new camera. \"In 4364\"\n"
      "and \"in 4365\" are the names in the replies to `settings` and `status`. \"Notifies\" means "
      "that the camera also sends it\n"
      "without a request, with `rval` 128. \"Kept\" means that the value stays when the camera is\n"
      "switched off. The last two columns tell whether logs show `param`, and which other members\n"
      "they show.\n\n"
      "All 100 rows of the vendor's table are here; 5, 6 and 1286 stand there twice. \"In the\n"
      "emulator\" tells what `sphere emulator` does, where the other columns do not: it executes "
      "every\n"
      "row, and keeps and tells every setting. Its answers without a published sample are listed "
      "in\n"
      "[protocol-madv.md](protocol-madv.md).\n\n"
      "| id | name | | `param` | factory | in 4364 | in 4365 | needs | notifies | kept | in the "
      "emulator | logs: `param` | logs: members |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const madv::Command& c : commands) {
    std::string shown;
    for (const char* member : c.shown)
      shown += (shown.empty() ? "`" : ", `") + std::string(member) + "`";
    const auto quoted = [](const char* name) {
      return *name ? "`" + std::string(name) + "`" : std::string();
    };
    text += "| " + std::to_string(c.id) + " | " + c.name + " | " +
            access_words[static_cast<int>(c.access)] + (c.service ? ", service" : "") + " | " +
            value_words(c.value) + " | " + (c.factory ? std::to_string(*c.factory) : "") + " | " +
            quoted(c.settings_member) + " | " + quoted(c.status_member) + " | " +
            needs_words(c.needs) + " | " + (c.notifies ? "yes" : "") + " | " +
            (c.kept ? "yes" : "") + " | " + c.emulated + " | " +
            privacy_words[static_cast<int>(c.privacy)] + " | " + shown + " |\n";
  }
  return text;
}

}  // namespace sphere::test
