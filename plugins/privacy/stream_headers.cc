// SPDX-License-Identifier: LGPL-2.1-or-later
// Opus: RFC 7845, 5. Vorbis: Vorbis I specification, 4.2 and 5. FLAC: RFC 9639, 8 and 10.1. Speex:
// the header of libspeex, 80 bytes, and a comment as Vorbis has it.

#include "plugins/privacy/stream_headers.h"

#include <algorithm>
#include <cstring>

namespace sphere::privacy {

namespace {

constexpr std::string_view vendor = "gst-sphere";

bool begins(std::span<const uint8_t> bytes, std::string_view text) {
  return bytes.size() >= text.size() && memcmp(bytes.data(), text.data(), text.size()) == 0;
}

void append(Header& to, std::string_view text) { to.insert(to.end(), text.begin(), text.end()); }

void append_little_endian(Header& to, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) to.push_back(static_cast<uint8_t>(value >> shift));
}

/// A comment without entries, the same in all of these codecs.
Header comment_behind(std::string_view begin) {
  Header out;
  append(out, begin);
  append_little_endian(out, static_cast<uint32_t>(vendor.size()));
  append(out, vendor);
  append_little_endian(out, 0);  // entries
  return out;
}

Header first_of(std::span<const uint8_t> bytes, size_t size) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
}

std::vector<Header> opus(const std::vector<Header>& headers) {
  if (headers.empty() || !begins(headers[0], "OpusHead")) return {};
  Header head = clean_opus_header(headers[0]);
  if (head.empty()) return {};
  return {std::move(head), comment_behind("OpusTags")};
}

std::vector<Header> vorbis(const std::vector<Header>& headers) {
  constexpr size_t identification = 30;
  if (headers.size() < 3 || !begins(headers[0], "\x01vorbis") ||
      headers[0].size() < identification || !begins(headers[2], "\x05vorbis"))
    return {};
  Header comment = comment_behind("\x03vorbis");
  comment.push_back(1);  // framing bit
  return {first_of(headers[0], identification), std::move(comment), headers[2]};
}

std::vector<Header> speex(const std::vector<Header>& headers) {
  constexpr size_t size = 80, version = 8, version_size = 20, extra_headers = 68;
  if (headers.empty() || !begins(headers[0], "Speex   ") || headers[0].size() < size) return {};
  Header head = first_of(headers[0], size);
  std::fill_n(head.begin() + version, version_size, uint8_t{0});
  std::fill(head.begin() + extra_headers, head.end(), uint8_t{0});
  return {std::move(head), comment_behind("")};
}

std::vector<Header> flac(const std::vector<Header>& headers) {
  // The mapping into Ogg: its own header (9 bytes), the marker, and the stream's description with
  // a checksum of all of the sound at its end.
  constexpr size_t count = 7, marker = 9, block = 13, size = 51, checksum = 35;
  if (headers.empty() ||
      !begins(headers[0],
              "\x7f"
              "FLAC") ||
      headers[0].size() < size || !begins(std::span(headers[0]).subspan(marker), "fLaC"))
    return {};
  Header head = first_of(headers[0], size);
  head[count] = 0;
  head[count + 1] = 1;
  head[block] &= 0x7f;  // not the last block
  std::fill(head.begin() + checksum, head.end(), uint8_t{0});
  const Header comment = comment_behind("");
  Header last = {0x84, 0, 0, static_cast<uint8_t>(comment.size())};
  last.insert(last.end(), comment.begin(), comment.end());
  return {std::move(head), std::move(last)};
}

}  // namespace

Header clean_opus_header(std::span<const uint8_t> header) {
  constexpr size_t simple = 19, channels_at = 9, family_at = 18, mapping_at = 21;
  if (begins(header, "OpusTags")) return comment_behind("OpusTags");
  if (!begins(header, "OpusHead") || header.size() < simple) return {};
  const size_t size = header[family_at] == 0 ? simple : mapping_at + header[channels_at];
  return header.size() < size ? Header{} : first_of(header, size);
}

std::vector<Header> clean_headers(std::string_view codec, const std::vector<Header>& headers) {
  if (codec == "audio/x-opus") return opus(headers);
  if (codec == "audio/x-vorbis") return vorbis(headers);
  if (codec == "audio/x-speex") return speex(headers);
  if (codec == "audio/x-flac") return flac(headers);
  return {};
}

}  // namespace sphere::privacy
