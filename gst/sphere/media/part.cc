// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/part.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "gst/sphere/base/text.h"
#include "gst/sphere/media/maker.h"

namespace sphere::media {

bool Policy::allows(PartClass part_class) const {
  switch (part_class) {
    case PartClass::place:
      return place;
    case PartClass::sound:
      return sound;
    case PartClass::identity:
      return identity;
    case PartClass::time:
      return time;
    case PartClass::stitching:
      return stitching;
    case PartClass::useful:
      return true;
    case PartClass::unknown:
      return place && sound && identity && time && stitching;
  }
  return false;
}

void Traces::add(const Position& position) {
  const auto same = [&](const Position& other) {
    return other.latitude == position.latitude && other.longitude == position.longitude;
  };
  // The null island is what devices write that don't know where they are.
  if (!std::isfinite(position.latitude) || !std::isfinite(position.longitude) ||
      (position.latitude == 0 && position.longitude == 0))
    return;
  if (positions.size() < most && std::ranges::none_of(positions, same))
    positions.push_back(position);
}

void Traces::add_identity(std::string_view text) {
  constexpr std::string_view blanks(" \t\r\n\0", 5);
  text = trimmed(text, blanks);
  if (text.empty()) return;
  if (identities.size() < most && std::ranges::find(identities, text) == identities.end())
    identities.emplace_back(text);
}

std::optional<PartRule> Maker::exif_tag(std::string_view, std::string_view, const ExifTag&) const {
  return std::nullopt;
}
std::optional<PartRule> Maker::box(std::string_view, std::span<const uint8_t>, Traces*) const {
  return std::nullopt;
}
bool Maker::contains_boxes(std::string_view) const { return false; }
std::optional<std::vector<uint8_t>> Maker::cut_box(std::string_view, std::span<const uint8_t>,
                                                   const PictureRange&) const {
  return std::nullopt;
}
bool Maker::trailer(const Source&, uint64_t, uint64_t*, std::vector<Part>*, Traces*) const {
  return false;
}

namespace {

Result<Examination> read(Kind kind, const Source& source, const Request& request) {
  switch (kind) {
    case Kind::jpeg:
      return examine_jpeg(source, request);
    case Kind::png:
      return examine_png(source, request);
    case Kind::webp:
      return examine_webp(source, request);
    case Kind::tiff:
      return examine_tiff(source, request);
    case Kind::isobmff:
      return examine_isobmff(source, request);
    case Kind::matroska:
      return examine_matroska(source, request);
    case Kind::heif:
      return examine_heif(source, request);
    case Kind::avi:
    case Kind::mpegts:
    case Kind::unknown:
      break;
  }
  if (source.size() == 0) return unsupported("the file is empty");
  return unsupported(
      "the format of the file is not known well enough to find everything in it: JPEG, PNG, WebP, "
      "TIFF, DNG, HEIC, AVIF, MP4, MOV, Matroska and WebM are");
}

}  // namespace

void sort_edits(std::vector<Edit>* edits) {
  std::ranges::sort(*edits, {},
                    [](const Edit& edit) { return std::pair(edit.offset, edit.length); });
}

Result<Examination> examine(const Source& source, const Request& request) {
  const Kind kind = sniff(source);
  Result<Examination> found = read(kind, source, request);
  if (!found) return found;
  found->kind = kind;
  sort_edits(&found->edits);
  return found;
}

}  // namespace sphere::media
