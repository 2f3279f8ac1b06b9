// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/png_shape.h"

#include <algorithm>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/media/colour_profile.h"

namespace sphere::media {

namespace {

enum ColourType { grey = 0, rgb = 2, palette = 3, grey_alpha = 4, rgb_alpha = 6 };

constexpr size_t scratch_size = 1 << 16;
// What names of profiles become. Their length stays, so that a file can be edited where it is.
constexpr std::string_view neutral_names[] = {"ICC Profile", "ICC profile", "icc", "sRGB"};
constexpr char neutral_letter = 'x';

bool between(std::span<const uint8_t> bytes, int least, int most) {
  return std::ranges::all_of(bytes, [=](uint8_t byte) { return byte >= least && byte <= most; });
}

}  // namespace

int PngHeader::channels() const {
  switch (colour_type) {
    case rgb:
      return 3;
    case grey_alpha:
      return 2;
    case rgb_alpha:
      return 4;
    default:
      return 1;
  }
}

uint64_t PngHeader::pixel_bytes(uint32_t across, uint32_t down) const {
  const auto of = [this](uint64_t columns, uint64_t rows) {
    const uint64_t row = (columns * static_cast<unsigned>(bits * channels()) + 7) / 8;
    return columns ? rows * (row + 1) : 0;
  };
  if (!interlaced) return of(across, down);
  // Adam7: the first column and row of each pass, and the steps between them.
  static constexpr unsigned passes[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                            {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
  uint64_t sum = 0;
  for (const auto& [column, row, step, down_step] : passes)
    sum += of((uint64_t{across} + step - 1 - column) / step,
              (uint64_t{down} + down_step - 1 - row) / down_step);
  return sum;
}

std::optional<PngHeader> read_png_header(std::span<const uint8_t> content) {
  constexpr size_t size = 13;
  if (content.size() != size) return std::nullopt;
  ByteReader reader(content);
  PngHeader header;
  header.width = reader.u32();
  header.height = reader.u32();
  header.bits = reader.u8();
  header.colour_type = reader.u8();
  reader.skip(2);
  header.interlaced = reader.u8() == 1;
  return header;
}

bool has_png_shape(std::string_view type, std::span<const uint8_t> content,
                   const PngHeader& header) {
  struct Size {
    std::string_view type;
    size_t size;
  };
  static constexpr Size sizes[] = {
      {"IHDR", 13}, {"gAMA", 4}, {"cHRM", 32}, {"sRGB", 1}, {"pHYs", 9},  {"cICP", 4}, {"mDCV", 24},
      {"mDCv", 24}, {"cLLI", 8}, {"cLLi", 8},  {"acTL", 8}, {"fcTL", 26}, {"IEND", 0}};
  const auto* known = std::ranges::find(sizes, type, &Size::type);
  if (known != std::end(sizes) && content.size() != known->size) return false;
  const bool paletted = header.colour_type == palette;
  if (type == "sRGB") return content[0] <= 3;
  if (type == "pHYs") return content[8] <= 1;
  if (type == "sBIT") {
    const size_t count = paletted ? 3 : static_cast<size_t>(header.channels());
    return content.size() == count && between(content, 1, 16);
  }
  const size_t colours = header.colour_type == rgb || header.colour_type == rgb_alpha ? 6 : 2;
  if (type == "bKGD") return content.size() == (paletted ? 1 : colours);
  const size_t entries = paletted ? size_t{1} << std::min(header.bits, 8) : 256;
  if (type == "PLTE") return content.size() % 3 == 0 && content.size() <= 3 * entries;
  if (type == "tRNS") return paletted ? content.size() <= entries : content.size() == colours;
  return true;
}

std::optional<PngProfile> read_png_profile(std::span<const uint8_t> content) {
  constexpr size_t longest_name = 79;
  PngProfile profile;
  const auto end = std::ranges::find(content.first(std::min(content.size(), longest_name + 1)), 0);
  profile.name_length = static_cast<size_t>(end - content.begin());
  if (profile.name_length == 0 || content.size() < profile.name_length + 2 ||
      content[profile.name_length + 1] != 0 || *end != 0)
    return std::nullopt;
  auto whole = inflate_whole(content.subspan(profile.name_length + 2), largest_profile);
  if (!whole || !is_colour_profile(*whole)) return std::nullopt;
  profile.bytes = std::move(*whole);
  const std::string_view name = as_text(content.first(profile.name_length));
  profile.neutral = name.find_first_not_of(neutral_letter) == name.npos ||
                    std::ranges::find(neutral_names, name) != std::end(neutral_names);
  return profile;
}

void neutralize_png_profile(const PngProfile& profile, std::span<uint8_t> content) {
  std::ranges::fill(content.first(profile.name_length), static_cast<uint8_t>(neutral_letter));
}

std::vector<uint8_t> with_png_profile(std::span<const uint8_t> content,
                                      std::span<const uint8_t> profile) {
  // The name, its zero, and the way in which it is packed.
  const auto name = std::ranges::find(content, 0);
  std::vector<uint8_t> made(content.begin(), name);
  made.resize(made.size() + 2);
  uLongf size = compressBound(static_cast<uLong>(profile.size()));
  const size_t head = made.size();
  made.resize(head + size);
  const bool packed = compress2(made.data() + head, &size, profile.data(),
                                static_cast<uLong>(profile.size()), Z_BEST_COMPRESSION) == Z_OK;
  made.resize(packed ? head + size : 0);
  return made;
}

std::optional<std::vector<uint8_t>> inflate_whole(std::span<const uint8_t> packed, size_t most) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return std::nullopt;
  std::vector<uint8_t> bytes;
  std::vector<uint8_t> part(scratch_size);
  stream.next_in = const_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  int state = Z_OK;
  while (state == Z_OK && bytes.size() <= most) {
    stream.next_out = part.data();
    stream.avail_out = static_cast<uInt>(part.size());
    state = inflate(&stream, Z_NO_FLUSH);
    bytes.insert(bytes.end(), part.begin(), part.end() - stream.avail_out);
  }
  const bool whole = state == Z_STREAM_END && stream.avail_in == 0 && bytes.size() <= most;
  inflateEnd(&stream);
  if (!whole) return std::nullopt;
  return bytes;
}

PngPixels::PngPixels(uint64_t most) : scratch_(scratch_size), left_(most) {
  auto stream = std::make_unique<z_stream>();
  // Without memory for it, nothing can be examined: add() says so.
  if (inflateInit(stream.get()) == Z_OK) stream_.reset(stream.release());
}

Status PngPixels::add(std::span<const uint8_t> packed) {
  if (packed.empty()) return ok();
  if (!stream_) return failed("there is no memory for the pixels of the PNG");
  if (ended_) return invalid("the PNG is damaged: there are bytes after its pixels");
  stream_->next_in = const_cast<Bytef*>(packed.data());
  stream_->avail_in = static_cast<uInt>(packed.size());
  while (stream_->avail_in > 0) {
    stream_->next_out = scratch_.data();
    stream_->avail_out = static_cast<uInt>(scratch_.size());
    const int state = inflate(stream_.get(), Z_NO_FLUSH);
    const uint64_t made = scratch_.size() - stream_->avail_out;
    if (state != Z_OK && state != Z_STREAM_END)
      return invalid("the PNG is damaged: its pixels can't be unpacked");
    if (made > left_) return invalid("the PNG is damaged: it has more pixels than its size says");
    left_ -= made;
    if (state != Z_STREAM_END) continue;
    ended_ = true;
    if (stream_->avail_in > 0)
      return invalid("the PNG is damaged: there are bytes after its pixels");
  }
  return ok();
}

}  // namespace sphere::media
