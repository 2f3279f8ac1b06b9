// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/makers/madv_write.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "gst/sphere/makers/madv_bytes.h"
#include "gst/sphere/makers/madv_format.h"

namespace sphere::makers::madv {

namespace {

constexpr size_t box_header = 8;

Bytes boxed(std::string_view type, std::span<const uint8_t> content) {
  Bytes box;
  put_big(box, content.size() + box_header, 4);
  box.insert(box.end(), type.begin(), type.end());
  append(box, content);
  return box;
}

/// A field of fixed length with a text and zeros.
void put_text(Bytes& out, std::string_view text, size_t length) {
  text = text.substr(0, length);
  out.insert(out.end(), text.begin(), text.end());
  out.resize(out.size() + length - text.size());
}

/// `caif`: date, resolution, speed, reserved bytes, id, version and serial number.
Bytes camera_box(const CaptureFacts& facts) {
  Bytes content;
  // The form of the date is not known; here it is that of names of files.
  std::string date;
  for (const char c : facts.date)
    if (c != ':') date += c == ' ' ? '_' : c;
  put_text(content, date, 16);
  put_text(content, std::to_string(facts.video_resolution), 4);
  put_text(content, "1", 4);
  put_text(content, "", 24);
  put_text(content, facts.device_id, 16);
  put_text(content, facts.firmware, 32);
  put_text(content, facts.serial, 32);
  return boxed("caif", content);
}

/// `gpsx`: a number, letters and rationals as in Exif, and reserved bytes; zeros without a
/// position.
Bytes place_box(const std::optional<Position>& position) {
  Bytes content;
  put_little(content, 0, 4);
  const auto put = [&](char letter, std::span<const uint8_t> rationals) {
    content.insert(content.end(), {static_cast<uint8_t>(letter), 0});
    append(content, rationals);
    content.resize(content.size() + 24 - rationals.size());
  };
  if (position) {
    put(position->latitude < 0 ? 'S' : 'N', angle_bytes(position->latitude));
    put(position->longitude < 0 ? 'W' : 'E', angle_bytes(position->longitude));
    put('0', altitude_bytes(position->altitude.value_or(0)));
  } else {
    for (int i = 0; i < 3; ++i) put(0, {});
  }
  content.resize(content.size() + 512);
  return boxed("gpsx", content);
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
  if (data.facts) {
    append(content, camera_box(*data.facts));
    append(content, place_box(data.facts->position));
  }
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

Result<std::vector<FileChange>> video_changes(const media::Source& source,
                                              std::span<const uint8_t> box) {
  const std::optional<Box> movie = find_box(source, 0, source.size(), true, "moov");
  if (!movie) return invalid("the file has no index (moov)");
  if (find_box(source, 0, source.size(), true, "moof"))
    return unsupported("the file is fragmented");
  constexpr uint64_t largest_index = 64 << 20;
  if (movie->size() > largest_index) return unsupported("the index (moov) is too large");
  const std::optional<Box> user = find_box(source, movie->content, movie->end, false, "udta");
  const auto part = [&](uint64_t from, uint64_t to) {
    Bytes bytes(static_cast<size_t>(to - from));
    if (!source.read_all(from, bytes)) bytes.clear();
    return bytes;
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
  constexpr std::string_view unused = "free";
  return std::vector<FileChange>{{movie->begin + 4, Bytes(unused.begin(), unused.end())},
                                 {source.size(), boxed("moov", content)}};
}

Result<Bytes> add_to_video(std::span<const uint8_t> file, std::span<const uint8_t> box) {
  const auto changes = video_changes(MemorySource(file), box);
  if (!changes) return changes.error();
  Bytes out(file.begin(), file.end());
  for (const FileChange& change : *changes) {
    out.resize(std::max<size_t>(out.size(), change.offset + change.bytes.size()));
    std::ranges::copy(change.bytes, out.begin() + static_cast<ptrdiff_t>(change.offset));
  }
  return out;
}

}  // namespace sphere::makers::madv
