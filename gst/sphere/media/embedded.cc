// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/embedded.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/picture.h"

namespace sphere::media {

namespace {

// Of several makers, or of pictures one after the other.
constexpr int most_pieces = 64;

std::vector<uint8_t> first_bytes(const Source& source, uint64_t begin, uint64_t end) {
  std::vector<uint8_t> bytes(static_cast<size_t>(std::min<uint64_t>(64, end - begin)));
  bytes.resize(source.read(begin, bytes));
  return bytes;
}

bool begins_jpeg(std::span<const uint8_t> bytes) {
  return ByteReader(bytes).starts_with("\xff\xd8\xff");
}
bool begins_mp4(std::span<const uint8_t> bytes) {
  ByteReader reader(bytes);
  reader.skip(4);
  return reader.starts_with("ftyp");
}

/// Pictures and films that cameras put behind a picture, and everything else.
void list_pieces(const Source& source, uint64_t begin, uint64_t end, bool removed,
                 Findings* findings) {
  for (int pieces = 0; begin < end; ++pieces) {
    const std::vector<uint8_t> head = first_bytes(source, begin, end);
    const RangeSource rest(source, begin, end - begin);
    Where where{begin, end - begin, "after the picture", removed};
    if (pieces < most_pieces && begins_jpeg(head)) {
      const Result<JpegInfo> picture = check_jpeg(rest);
      if (picture) where.length = picture->length;
      where.path += "/picture";
      findings->add(where, {PartClass::unknown, "another picture", {}});
      list_embedded(RangeSource(source, begin, where.length), where, findings);
    } else if (pieces < most_pieces && begins_mp4(head)) {
      where.path += "/film";
      findings->add(where, {PartClass::unknown, "a film, which can have sound", {}});
      list_embedded(rest, where, findings);
    } else if (only_zeros(source, begin, end)) {
      where.removed = false;
      findings->add(where, {PartClass::useful, "zeros", {}});
    } else {
      findings->add(where, {PartClass::unknown, "bytes of an unknown kind", {}});
    }
    begin += where.length;
  }
}

}  // namespace

bool only_zeros(const Source& source, uint64_t begin, uint64_t end) {
  if (begin >= end) return true;
  Window window(source, begin, static_cast<size_t>(std::min<uint64_t>(1 << 16, end - begin)));
  while (window.position() < end) {
    std::span<const uint8_t> ahead = window.ahead();
    if (ahead.empty()) return false;
    ahead =
        ahead.first(static_cast<size_t>(std::min<uint64_t>(ahead.size(), end - window.position())));
    if (!std::ranges::all_of(ahead, [](uint8_t byte) { return byte == 0; })) return false;
    window.skip(ahead.size());
  }
  return true;
}

void insert(uint64_t offset, const std::vector<uint8_t>& bytes, std::vector<Edit>* edits) {
  const auto same = std::ranges::find(*edits, offset, &Edit::offset);
  if (same == edits->end())
    edits->push_back({offset, 0, bytes});
  else
    same->bytes.insert(same->bytes.begin(), bytes.begin(), bytes.end());
}

void list_embedded(const Source& source, const Where& where, Findings* findings) {
  Request request = findings->request();
  if (request.depth >= Request::most_depth) return;
  ++request.depth;
  if (findings->count_picture(&request)) return;
  request.mark.reset();
  request.position.reset();
  const Result<Examination> inner = examine(source, request);
  if (!inner) return;
  for (Part part : inner->parts) {
    part.offset += where.offset;
    part.path = where.path + "/" + part.path;
    part.removed |= where.removed;
    findings->add(std::move(part));
  }
  for (const Position& position : inner->traces.positions) findings->position(position);
  for (const std::string& text : inner->traces.identities) findings->identity(text);
}

void examine_trailing(const Source& source, uint64_t begin, Findings* findings,
                      std::vector<Edit>* edits) {
  const bool everything = findings->keeps_everything();
  // From the end, because makers' records are found there.
  uint64_t end = source.size();
  std::vector<std::pair<uint64_t, uint64_t>> kept;
  for (int pieces = 0; pieces < most_pieces && end > begin; ++pieces) {
    uint64_t first = end;
    std::vector<Part> parts;
    Traces traces;
    const bool known = std::ranges::any_of(findings->request().makers, [&](const Maker* maker) {
      parts.clear();
      return maker->trailer(source, end, &first, &parts, &traces) && first >= begin && first < end;
    });
    if (!known) break;
    const bool stays = everything || std::ranges::all_of(parts, [&](const Part& part) {
                         return findings->policy().allows(part.part_class);
                       });
    for (Part& part : parts) {
      part.path = "after the picture/" + part.path;
      part.removed = !stays;
      findings->add(std::move(part));
    }
    for (const Position& position : traces.positions) findings->position(position);
    for (const std::string& text : traces.identities) findings->identity(text);
    if (stays) kept.emplace_back(first, end);
    end = first;
  }
  if (end > begin) list_pieces(source, begin, end, !everything, findings);
  if (everything) return;

  const bool in_place = findings->request().in_place;
  std::ranges::sort(kept);
  kept.emplace_back(source.size(), source.size());
  for (const auto& [first, last] : kept) {
    if (first > begin && !only_zeros(source, begin, first))
      edits->push_back({begin, first - begin, {}, in_place});
    begin = last;
  }
}

}  // namespace sphere::media
