// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/makers/madv_write.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <string_view>

#include "gst/sphere/makers/madv_format.h"

namespace sphere::makers::madv {

namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t box_header = 8;

void put_big(Bytes& out, uint64_t value, int bytes) {
  while (bytes-- > 0) out.push_back(static_cast<uint8_t>(value >> (8 * bytes)));
}

void put_little(Bytes& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

void append(Bytes& out, std::span<const uint8_t> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void put_matrix(Bytes& out, const Matrix& matrix) {
  for (const float value : matrix) put_little(out, std::bit_cast<uint32_t>(value), 4);
}

Bytes boxed(std::string_view type, std::span<const uint8_t> content) {
  Bytes box;
  put_big(box, content.size() + box_header, 4);
  box.insert(box.end(), type.begin(), type.end());
  append(box, content);
  return box;
}

}  // namespace

Matrix camera_matrix_of(const Mat3& camera_to_world) {
  const Mat3 m = change_axes(camera_to_world);
  Matrix matrix;
  for (size_t i = 0; i < 3; ++i) {
    matrix[3 * i] = static_cast<float>(m.row[i].x);
    matrix[3 * i + 1] = static_cast<float>(m.row[i].y);
    matrix[3 * i + 2] = static_cast<float>(m.row[i].z);
  }
  return matrix;
}

Bytes make_box(const CameraData& data, size_t track_room, std::span<const uint8_t> more) {
  Bytes content;
  append(content, more);
  Bytes copies;
  put_little(copies, data.copies_of_first, 4);
  append(content, boxed("fltr", copies));
  if (!data.lens_table.empty()) append(content, boxed("lutz", data.lens_table));
  if (!data.matrices.empty()) {
    Bytes track;
    for (const Matrix& matrix : data.matrices) put_matrix(track, matrix);
    track.resize(std::max(track.size(), track_room * matrix_size));
    append(content, boxed("tlyd", track));
  }
  return boxed("madv", content);
}

Result<Bytes> add_to_video(std::span<const uint8_t> file, std::span<const uint8_t> box) {
  const MemorySource source(file);
  const std::optional<Box> movie = find_box(source, 0, file.size(), true, "moov");
  if (!movie) return invalid("the file has no index (moov)");
  if (find_box(source, 0, file.size(), true, "moof")) return unsupported("the file is fragmented");
  const std::optional<Box> user = find_box(source, movie->content, movie->end, false, "udta");
  const auto part = [&](uint64_t from, uint64_t to) {
    return file.subspan(static_cast<size_t>(from), static_cast<size_t>(to - from));
  };
  Bytes user_content, content;
  // The muxer's list of tags (meta) is removed, because demuxers that find it read no other box
  // there.
  for (uint64_t position = user ? user->content : 0; user && position < user->end;) {
    Box one;
    if (box_at(source, position, user->end, false, &one) != Next::box) break;
    if (one.type != "meta") append(user_content, part(position, one.end));
    position = one.end;
  }
  append(user_content, box);
  for (uint64_t position = movie->content; position < movie->end;) {
    Box one;
    if (box_at(source, position, movie->end, false, &one) != Next::box)
      return invalid("the file's index (moov) is damaged");
    if (one.type != "udta") append(content, part(position, one.end));
    position = one.end;
  }
  append(content, boxed("udta", user_content));
  if (content.size() > UINT32_MAX - box_header) return unsupported("the box is too large");
  // The new index is written at the end, and the old one becomes free space, therefore no sample is
  // moved.
  Bytes out(file.begin(), file.end());
  constexpr std::string_view unused = "free";
  uint64_t name = 4;
  for (uint64_t position = 0; position < movie->content;) {
    Box one;
    if (box_at(source, position, file.size(), true, &one) != Next::box) break;
    name = position + 4;
    position = one.end;
  }
  std::copy(unused.begin(), unused.end(), out.begin() + static_cast<ptrdiff_t>(name));
  append(out, boxed("moov", content));
  return out;
}

Bytes make_tiff(const CameraData& data, bool with_table) {
  enum Type : uint16_t { ascii = 2, long_number = 4, undefined = 7 };
  struct Entry {
    Tag tag;
    Type type;
    Bytes value;
    size_t declared = value.size();  // bytes
  };
  const auto field = [](Tag tag, const std::array<uint8_t, 4>& bytes) {
    return Entry{tag, undefined, Bytes(bytes.begin(), bytes.end()), 1};
  };
  const auto text = [](std::string_view words) {
    Bytes value(words.begin(), words.end());
    value.push_back(0);
    return value;
  };
  const auto number = [](uint32_t value) {
    Bytes bytes;
    put_little(bytes, value, 4);
    return bytes;
  };
  // Writes all four bytes of the value field with a count of one byte, as in real photos.
  constexpr std::array<uint8_t, 4> none = {}, fisheye = {0, 0, 0x59, 0x54},
                                   has_table = {0, 0, 0, 0x59};
  std::vector<Entry> camera = {{tag_make, ascii, text(make)},
                               {tag_model, ascii, text("QJXJ01FJ")},
                               {tag_exif, long_number, number(0)}};
  if (with_table && !data.lens_table.empty())
    camera.push_back({tag_table, undefined, data.lens_table});
  std::vector<Entry> exif;
  if (!data.matrices.empty()) {
    Bytes value;
    put_matrix(value, data.matrices.front());
    exif.push_back({tag_comment, undefined, std::move(value)});
  }
  exif.push_back(field(tag_file_source, data.lens_table.empty() ? none : has_table));
  exif.push_back(field(tag_scene_type, data.stitched ? none : fisheye));

  Bytes out = {'I', 'I', 42, 0};
  put_little(out, 8, 4);
  // A directory, followed by the values that don't fit into its entries.
  const auto put_directory = [&](const std::vector<Entry>& entries) {
    put_little(out, entries.size(), 2);
    size_t behind = out.size() + entries.size() * 12 + 4;
    for (const Entry& entry : entries) {
      put_little(out, entry.tag, 2);
      put_little(out, entry.type, 2);
      put_little(out, entry.type == long_number ? entry.declared / 4 : entry.declared, 4);
      if (entry.value.size() > 4) {
        put_little(out, behind, 4);
        behind += (entry.value.size() + 1) / 2 * 2;
      } else {
        append(out, entry.value);
        out.resize(out.size() + 4 - entry.value.size());
      }
    }
    put_little(out, 0, 4);
    for (const Entry& entry : entries) {
      if (entry.value.size() <= 4) continue;
      append(out, entry.value);
      if (entry.value.size() % 2) out.push_back(0);
    }
  };
  size_t length = 8 + 2 + camera.size() * 12 + 4;
  for (const Entry& entry : camera)
    if (entry.value.size() > 4) length += (entry.value.size() + 1) / 2 * 2;
  camera[2].value = number(static_cast<uint32_t>(length));
  put_directory(camera);
  put_directory(exif);
  return out;
}

Result<Bytes> add_to_jpeg(std::span<const uint8_t> file, const CameraData& data) {
  if (file.size() < 2 || file[0] != 0xFF || file[1] != 0xD8) return invalid("not a JPEG");
  constexpr std::string_view mark("Exif\0\0", 6);
  const Bytes tiff = make_tiff(data, false);
  Bytes out(file.begin(), file.begin() + 2);
  out.insert(out.end(), {0xFF, 0xE1});
  put_big(out, 2 + mark.size() + tiff.size(), 2);
  out.insert(out.end(), mark.begin(), mark.end());
  append(out, tiff);
  append(out, file.subspan(2));
  if (!data.lens_table.empty()) {
    append(out, data.lens_table);
    put_little(out, data.lens_table.size(), 4);
  }
  return out;
}

}  // namespace sphere::makers::madv
