// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/media_report.h"

#include <algorithm>
#include <array>
#include <vector>

#include "gst/sphere/base/printable.h"
#include "gst/tools/command.h"

namespace sphere::tool {

namespace {

using media::Part;
using media::PartClass;

// Columns of a terminal. A longer text pushes the next column away.
constexpr size_t widest_path = 44, widest_what = 32, widest_value = 200;
constexpr PartClass all_classes[] = {PartClass::place, PartClass::sound,   PartClass::identity,
                                     PartClass::time,  PartClass::unknown, PartClass::stitching,
                                     PartClass::useful};

std::vector<const Part*> of_class(const media::Examination& found, PartClass part_class,
                                  bool removed_only) {
  std::vector<const Part*> parts;
  for (const Part& part : found.parts)
    if (part.part_class == part_class && (part.removed || !removed_only)) parts.push_back(&part);
  return parts;
}

/// Filled with blanks to a width, counted in characters, of which at least two.
std::string column(std::string text, size_t width) {
  const auto letters = static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  text.append(letters + 2 < width ? width - letters : 2, ' ');
  return text;
}

}  // namespace

const char* name_of(media::Kind kind) {
  switch (kind) {
    case media::Kind::jpeg:
      return "JPEG";
    case media::Kind::png:
      return "PNG";
    case media::Kind::isobmff:
      return "MP4 or MOV";
    case media::Kind::matroska:
      return "Matroska or WebM";
    case media::Kind::avi:
      return "AVI";
    case media::Kind::mpegts:
      return "MPEG-TS";
    case media::Kind::tiff:
      return "TIFF or DNG";
    case media::Kind::webp:
      return "WebP";
    case media::Kind::heif:
      return "HEIC or AVIF";
    case media::Kind::unknown:
      break;
  }
  return "unknown";
}

std::string count_by_class(const media::Examination& found, bool removed_only) {
  std::string text;
  for (const PartClass part_class : all_classes) {
    if (part_class == PartClass::useful) continue;
    uint64_t count = 0;
    for (const Part* part : of_class(found, part_class, removed_only)) count += part->count;
    if (!count) continue;
    text += (text.empty() ? "" : ", ") + std::string(media::name_of(part_class)) + " " +
            std::to_string(count);
  }
  return text;
}

std::string part_table(const media::Examination& found, bool all, bool removed_only) {
  size_t path_width = 0, what_width = 0;
  for (const Part& part : found.parts) {
    path_width = std::max(path_width, std::min(part.path.size(), widest_path));
    what_width = std::max(what_width, std::min(part.what.size(), widest_what));
  }
  std::string text;
  for (const PartClass part_class : all_classes) {
    if (part_class == PartClass::useful && !all) continue;
    for (const Part* part : of_class(found, part_class, removed_only)) {
      std::string value = printable(part->value, widest_value);
      if (part->count > 1)
        value = std::to_string(part->count) + " times" + (value.empty() ? "" : ": ") + value;
      std::string line = "  " + column(std::string(media::name_of(part_class)), 10) +
                         column(part->path, path_width + 2) + column(part->what, what_width + 2) +
                         value;
      while (line.ends_with(' ')) line.pop_back();
      text += line + "\n";
    }
  }
  return text;
}

void add_parts(JsonWriter& json, const media::Examination& found, bool all) {
  json.add("format", name_of(found.kind));
  json.open_list("parts");
  for (const Part& part : found.parts) {
    if (part.part_class == PartClass::useful && !all) continue;
    json.open();
    json.add("class", media::name_of(part.part_class));
    json.add("path", part.path);
    json.add("what", part.what);
    json.add("value", part.value);
    json.add("offset", part.offset);
    json.add("length", part.length);
    json.add("count", part.count);
    json.add("removed", part.removed);
    json.close();
  }
  json.close_list();
  json.add("remarks", found.remarks);
}

Result<media::Policy> parse_classes(const char* option, std::string_view text) {
  media::Policy set{false, false, false, false, false, false};
  const std::array<std::pair<const char*, bool*>, 6> names = {{
      {"place", &set.place},
      {"sound", &set.sound},
      {"identity", &set.identity},
      {"time", &set.time},
      {"stitching", &set.stitching},
      {"soundtrack", &set.sound_tracks},
  }};
  std::vector<std::string> known;
  for (const auto& [name, member] : names) known.emplace_back(name);
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(','));
    const auto named =
        std::ranges::find_if(names, [&](const auto& name) { return word == name.first; });
    if (named == names.end())
      return invalid(std::string(option) + ": '" + std::string(word) + "' is no class" +
                     suggestion(word, known) + "; the classes are " + listed(known));
    *named->second = true;
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return set;
}

}  // namespace sphere::tool
