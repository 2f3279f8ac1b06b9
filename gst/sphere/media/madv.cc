// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/madv.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <string_view>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/box.h"
#include "gst/sphere/media/isobmff.h"
#include "gst/sphere/media/tiff.h"

namespace sphere::media {

namespace {

constexpr size_t box_header = 8;
constexpr size_t matrix_size = 9 * sizeof(float);
// A table, a track that has room for hours, and what else is in the box.
constexpr uint64_t largest_box = largest_lens_table + longest_track * matrix_size + (1 << 20);
// Real files have some tens of boxes at these levels.
constexpr int most_boxes = 1 << 16;

MatrixEntry read_matrix(ByteReader& reader) {
  MatrixEntry matrix;
  for (float& value : matrix) value = std::bit_cast<float>(reader.u32_little());
  return matrix;
}

bool is_zero(const MatrixEntry& matrix) {
  return std::all_of(matrix.begin(), matrix.end(), [](float value) { return value == 0; });
}

void read_table(std::span<const uint8_t> content, CameraData* data) {
  if (content.size() > largest_lens_table)
    data->problems.push_back("its lens table is larger than any table");
  else if (content.empty())
    data->problems.push_back("its lens table is empty");
  else
    data->table.assign(content.begin(), content.end());
}

void read_track(std::span<const uint8_t> content, const std::string& name, CameraData* data) {
  if (content.size() % matrix_size)
    return data->problems.push_back("its orientation track (" + name + ") has " +
                                    std::to_string(content.size()) +
                                    " bytes, which is no multiple of 36");
  if (content.size() / matrix_size > longest_track)
    return data->problems.push_back("its orientation track (" + name +
                                    ") is longer than any recording");
  std::vector<MatrixEntry> matrices(content.size() / matrix_size);
  ByteReader reader(content);
  for (MatrixEntry& matrix : matrices) matrix = read_matrix(reader);
  // The camera sets room aside and fills it while it records; zeros before the end are holes.
  while (!matrices.empty() && is_zero(matrices.back())) matrices.pop_back();
  if (!matrices.empty()) data->matrices = std::move(matrices);
}

/// The boxes of a `madv` box. Their sizes are ordinary, only what they hold is little-endian.
void read_children(std::span<const uint8_t> content, CameraData* data) {
  const MemorySource source(content);
  std::span<const uint8_t> exported;
  uint64_t position = 0;
  for (int count = 0; count < most_boxes; ++count) {
    Box box;
    const Next next = box_at(source, position, content.size(), false, &box);
    if (next == Next::end) break;
    if (next != Next::box) {
      data->problems.push_back("its own box (madv) is damaged");
      break;
    }
    const std::span<const uint8_t> inner =
        content.subspan(static_cast<size_t>(box.content), static_cast<size_t>(box.size()));
    if (box.type == "lutz") read_table(inner, data);
    if (box.type == "tlyd") read_track(inner, box.type, data);
    if (box.type == "GYRA") exported = inner;
    position = box.end;
  }
  // The camera's own track comes first; the other is what its app writes into what it exports.
  if (data->matrices.empty() && !exported.empty()) read_track(exported, "GYRA", data);
}

bool is_camera_box(const std::string& type) {
  return type == "madv" || type == "lutz" || type == "tlyd" || type == "GYRA";
}

// Of Exif and DNG.
enum Tag : uint16_t {
  tag_make = 0x010F,
  tag_model = 0x0110,
  tag_exif = 0x8769,
  tag_table = 0x9009,
  tag_comment = 0x9286,
  tag_file_source = 0xA300,
  tag_scene_type = 0xA301,
};

constexpr const char* make = "MADV";
// What was seen of models' names.
constexpr const char* model_marks[] = {"MJXJ", "QJXJ"};
// The matrix, and what older software has behind it.
constexpr size_t comment_sizes[] = {matrix_size, matrix_size + 8 * sizeof(float)};

/// Other cameras leave other things in the same places; a table begins with the place of its first
/// picture.
bool begins_as_table(std::span<const uint8_t> bytes) {
  ByteReader reader(bytes);
  reader.seek(reader.u32_little());
  return reader.starts_with("\x89PNG");
}

void read_tiff(const Tiff& tiff, CameraData* data) {
  if (const TiffEntry* table = tiff.find(tag_table); table && table->size <= largest_lens_table) {
    std::vector<uint8_t> bytes = tiff.bytes(*table);
    if (begins_as_table(bytes)) data->table = std::move(bytes);
  }
  const std::string maker = tiff.text(tag_make), model = tiff.text(tag_model);
  const bool known = std::any_of(std::begin(model_marks), std::end(model_marks),
                                 [&](std::string_view mark) { return model.starts_with(mark); });
  // What follows means other things in other cameras' files.
  if (!maker.starts_with(make) || !known) return;
  if (const std::optional<uint32_t> type = tiff.number(tag_scene_type); type && *type == 0)
    data->stitched = true;
  if (tiff.find(tag_table) && data->table.empty())
    data->problems.push_back("its lens table was cut off or is none");
  if (const TiffEntry* comment = tiff.find(tag_comment)) {
    const bool fits = std::find(std::begin(comment_sizes), std::end(comment_sizes),
                                comment->size) != std::end(comment_sizes);
    const std::vector<uint8_t> bytes = fits ? tiff.bytes(*comment) : std::vector<uint8_t>();
    if (bytes.empty()) {
      data->problems.push_back("its orientation (UserComment) is not 36 bytes, nor 68");
    } else {
      ByteReader reader(bytes);
      const MatrixEntry matrix = read_matrix(reader);
      if (!is_zero(matrix)) data->matrices = {matrix};
    }
  }
}

}  // namespace

bool read_camera_box(std::span<const uint8_t> bytes, CameraData* data) {
  const MemorySource source(bytes);
  Box box;
  const Next next = box_at(source, 0, bytes.size(), false, &box);
  if (next == Next::past_end) {
    // Its name is there, what it says is not.
    ByteReader reader(bytes);
    reader.skip(4);
    const std::span<const uint8_t> type = reader.take(4);
    if (!is_camera_box({type.begin(), type.end()})) return false;
    data->problems.push_back("its own box (madv) was cut off");
    return true;
  }
  if (next != Next::box || !is_camera_box(box.type)) return false;
  const std::span<const uint8_t> content =
      bytes.subspan(static_cast<size_t>(box.content), static_cast<size_t>(box.size()));
  if (box.type == "madv")
    read_children(content, data);
  else if (box.type == "lutz")
    read_table(content, data);
  else if (box.type == "tlyd" || data->matrices.empty())
    read_track(content, box.type, data);
  return true;
}

CameraData camera_data_of_video(const Source& source) {
  CameraData data;
  const std::optional<Box> movie = find_box(source, 0, source.size(), true, "moov");
  if (!movie) return data;
  const std::optional<Box> user = find_box(source, movie->content, movie->end, false, "udta");
  if (!user) return data;
  uint64_t position = user->content;
  for (int count = 0; count < most_boxes; ++count) {
    Box box;
    if (box_at(source, position, user->end, false, &box) != Next::box) break;
    if (is_camera_box(box.type)) {
      const uint64_t size = box.end - position;
      std::vector<uint8_t> bytes(size <= largest_box ? static_cast<size_t>(size) : 0);
      if (bytes.empty() || !source.read_all(position, bytes))
        data.problems.push_back("its own box (" + box.type + ") is larger than any");
      else
        read_camera_box(bytes, &data);
    }
    position = box.end;
  }
  return data;
}

CameraData camera_data_of_jpeg(const Source& source, const JpegInfo& jpeg) {
  CameraData data;
  std::vector<uint8_t> exif(static_cast<size_t>(jpeg.exif_length));
  if (!exif.empty() && source.read_all(jpeg.exif_place, exif)) {
    const MemorySource segment(exif);
    if (const Result<Tiff> tiff = Tiff::open(segment)) read_tiff(*tiff, &data);
  }
  // The table stands behind the picture, and its length behind it.
  uint8_t bytes[4];
  if (jpeg.trailing < sizeof bytes || !source.read_all(source.size() - sizeof bytes, bytes))
    return data;
  const uint64_t length = ByteReader(bytes).u32_little();
  if (length == 0 || length > jpeg.trailing - sizeof bytes || length > largest_lens_table)
    return data;
  std::vector<uint8_t> table(static_cast<size_t>(length));
  if (!source.read_all(source.size() - sizeof bytes - length, table)) return data;
  if (begins_as_table(table)) data.table = std::move(table);
  return data;
}

Result<CameraData> camera_data_of_dng(const Source& source) {
  const Result<Tiff> tiff = Tiff::open(source);
  if (!tiff) return tiff.error();
  CameraData data;
  read_tiff(*tiff, &data);
  return data;
}

Result<CameraData> camera_data_of(const Source& source) {
  switch (sniff(source)) {
    case Kind::isobmff:
      return camera_data_of_video(source);
    case Kind::jpeg: {
      const Result<JpegInfo> jpeg = check_jpeg(source);
      if (!jpeg) return jpeg.error();
      return camera_data_of_jpeg(source, *jpeg);
    }
    default:
      if (Tiff::open(source)) return camera_data_of_dng(source);
      return CameraData();
  }
}

// --- writing ------------------------------------------------------------------------------------

namespace {

using Bytes = std::vector<uint8_t>;

void put_big(Bytes& out, uint64_t value, int bytes) {
  while (bytes-- > 0) out.push_back(static_cast<uint8_t>(value >> (8 * bytes)));
}

void put_little(Bytes& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

void append(Bytes& out, std::span<const uint8_t> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void put_matrix(Bytes& out, const MatrixEntry& matrix) {
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

Bytes make_camera_box(const CameraData& data, size_t track_room, std::span<const uint8_t> more) {
  Bytes content;
  append(content, more);
  if (!data.table.empty()) append(content, boxed("lutz", data.table));
  if (!data.matrices.empty()) {
    Bytes track;
    for (const MatrixEntry& matrix : data.matrices) put_matrix(track, matrix);
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
  // Demuxers that find a muxer's list of tags (meta) there look at nothing beside it.
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
  // The new index comes last and the old one becomes free space: so no sample moves.
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

Bytes make_camera_tiff(const CameraData& data, bool with_table) {
  enum Type : uint16_t { ascii = 2, long_number = 4, undefined = 7 };
  struct Entry {
    Tag tag;
    Type type;
    Bytes value;
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
  constexpr uint32_t fisheye = 0x5954;
  std::vector<Entry> camera = {{tag_make, ascii, text(make)},
                               {tag_model, ascii, text("MJXJ-emulated")},
                               {tag_exif, long_number, number(0)}};
  if (with_table && !data.table.empty()) camera.push_back({tag_table, undefined, data.table});
  std::vector<Entry> exif;
  if (!data.matrices.empty()) {
    Bytes value;
    put_matrix(value, data.matrices.front());
    exif.push_back({tag_comment, undefined, std::move(value)});
  }
  exif.push_back({tag_file_source, long_number, number(!data.table.empty())});
  exif.push_back({tag_scene_type, long_number, number(data.stitched ? 0 : fisheye)});

  Bytes out = {'I', 'I', 42, 0};
  put_little(out, 8, 4);
  // A directory, and behind it what does not fit into its entries.
  const auto put_directory = [&](const std::vector<Entry>& entries) {
    put_little(out, entries.size(), 2);
    size_t behind = out.size() + entries.size() * 12 + 4;
    for (const Entry& entry : entries) {
      put_little(out, entry.tag, 2);
      put_little(out, entry.type, 2);
      put_little(out, entry.type == long_number ? entry.value.size() / 4 : entry.value.size(), 4);
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
  const Bytes tiff = make_camera_tiff(data, false);
  Bytes out(file.begin(), file.begin() + 2);
  out.insert(out.end(), {0xFF, 0xE1});
  put_big(out, 2 + mark.size() + tiff.size(), 2);
  out.insert(out.end(), mark.begin(), mark.end());
  append(out, tiff);
  append(out, file.subspan(2));
  if (!data.table.empty()) {
    append(out, data.table);
    put_little(out, data.table.size(), 4);
  }
  return out;
}

}  // namespace sphere::media
