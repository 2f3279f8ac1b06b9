// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/makers/madv.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <string_view>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/makers/madv_format.h"

namespace sphere::makers::madv {

namespace {

using media::Source;
using media::Tiff;
using media::TiffEntry;

// The profile for all cameras of the model. A camera's own table is more accurate.
constexpr const char* profile = "mi-sphere";

// Entries: nine hours of pictures at 30 per second.
constexpr size_t longest_track = 1 << 20;

// Records of `fltr`: a minute of pictures. Real files have the time of some pictures.
constexpr uint32_t most_copies = 1800;

// The rows of a rotation have the length 1 and are perpendicular to each other, with small errors
// of sensors and rounding.
constexpr double rotation_tolerance = 0.02;
// Bytes: enough for a table, a track of hours, and the rest of the box.
constexpr uint64_t largest_box = largest_lens_table + longest_track * matrix_size + (1 << 20);
// Real files have some tens of boxes at each of these levels.
constexpr int most_boxes = 1 << 16;

Matrix read_matrix(ByteReader& reader) {
  Matrix matrix;
  for (float& value : matrix) value = std::bit_cast<float>(reader.u32_little());
  return matrix;
}

bool is_zero(const Matrix& matrix) {
  return std::all_of(matrix.begin(), matrix.end(), [](float value) { return value == 0; });
}

void read_table(std::span<const uint8_t> content, CaptureInfo* info) {
  if (content.size() > largest_lens_table)
    info->problems.push_back("its lens table is too large");
  else if (content.empty())
    info->problems.push_back("its lens table is empty");
  else
    info->lens_table.assign(content.begin(), content.end());
}

/// The number of copies of the track's first record that must be put before it.
uint32_t read_copies(std::span<const uint8_t> content, CaptureInfo* info) {
  ByteReader reader(content);
  const uint32_t copies = reader.u32_little();
  if (reader.ok() && copies <= most_copies) return copies;
  info->problems.push_back("its number of records before the orientation track (fltr) is " +
                           (reader.ok() ? std::to_string(copies) : std::string("cut off")));
  return 0;
}

void read_track(std::span<const uint8_t> content, const std::string& name, uint32_t copies,
                CaptureInfo* info) {
  if (content.size() % matrix_size)
    return info->problems.push_back("its orientation track (" + name + ") has " +
                                    std::to_string(content.size()) +
                                    " bytes, which is not a multiple of 36");
  if (content.size() / matrix_size > longest_track)
    return info->problems.push_back("its orientation track (" + name + ") is too long");
  std::vector<Matrix> matrices(content.size() / matrix_size);
  ByteReader reader(content);
  for (Matrix& matrix : matrices) matrix = read_matrix(reader);
  // The camera sets room aside and fills it while it records; zeros before the end are holes.
  while (!matrices.empty() && is_zero(matrices.back())) matrices.pop_back();
  if (matrices.empty()) return;
  info->orientations.reserve(copies + matrices.size());
  info->orientations.assign(copies, orientation_of(matrices.front()));
  for (const Matrix& matrix : matrices) info->orientations.push_back(orientation_of(matrix));
}

/// Reads the boxes of a `madv` box. Their sizes are big-endian as usual; only their contents are
/// little-endian.
void read_children(std::span<const uint8_t> content, CaptureInfo* info) {
  const MemorySource source(content);
  std::span<const uint8_t> recorded, exported;
  uint32_t copies = 0;
  uint64_t position = 0;
  for (int count = 0; count < most_boxes; ++count) {
    Box box;
    const Next next = box_at(source, position, content.size(), false, &box);
    if (next == Next::end) break;
    if (next != Next::box) {
      info->problems.push_back("its own box (madv) is damaged");
      break;
    }
    const std::span<const uint8_t> inner =
        content.subspan(static_cast<size_t>(box.content), static_cast<size_t>(box.size()));
    if (box.type == "lutz") read_table(inner, info);
    if (box.type == "fltr") copies = read_copies(inner, info);
    if (box.type == "tlyd") recorded = inner;
    if (box.type == "GYRA") exported = inner;
    position = box.end;
  }
  // The camera's own track is preferred. The other one is written by the vendor's app into exported
  // videos.
  if (!recorded.empty()) read_track(recorded, "tlyd", copies, info);
  if (info->orientations.empty() && !exported.empty()) read_track(exported, "GYRA", 0, info);
}

bool is_camera_box(const std::string& type) {
  return type == "madv" || type == "lutz" || type == "tlyd" || type == "GYRA";
}

void add_tiff(const Tiff& tiff, CaptureInfo* info) {
  if (const TiffEntry* table = tiff.find(tag_table); table && table->size <= largest_lens_table) {
    std::vector<uint8_t> bytes = tiff.bytes(*table);
    if (begins_as_table(bytes)) info->lens_table = std::move(bytes);
  }
  const std::string maker = tiff.text(tag_make), model = tiff.text(tag_model);
  // The following tags have other meanings in the files of other cameras.
  if (!is_camera(maker, model)) return;
  info->profile = profile;
  if (const auto scene = tiff.value_field(tag_scene_type)) {
    info->stitched = std::ranges::all_of(*scene, [](uint8_t byte) { return byte == 0; });
    info->fisheyes = !info->stitched;
  }
  if (tiff.find(tag_table) && info->lens_table.empty())
    info->problems.push_back("its lens table was cut off or is not a table");
  if (const TiffEntry* comment = tiff.find(tag_comment)) {
    const bool fits = std::find(std::begin(comment_sizes), std::end(comment_sizes),
                                comment->size) != std::end(comment_sizes);
    const std::vector<uint8_t> bytes = fits ? tiff.bytes(*comment) : std::vector<uint8_t>();
    if (bytes.empty()) {
      info->problems.push_back("its orientation (UserComment) is not 36 bytes, nor 68");
    } else {
      ByteReader reader(bytes);
      const Matrix matrix = read_matrix(reader);
      if (!is_zero(matrix)) info->orientations = {orientation_of(matrix)};
    }
  }
}

}  // namespace

std::optional<Quaternion> orientation_of(const Matrix& matrix) {
  Mat3 m;
  for (int i = 0; i < 3; ++i) m.row[i] = {matrix[3 * i], matrix[3 * i + 1], matrix[3 * i + 2]};
  m = change_axes(m);
  // This form of the condition is false for NaN.
  for (int i = 0; i < 3; ++i)
    for (int j = i; j < 3; ++j)
      if (!(std::abs(dot(m.row[i], m.row[j]) - (i == j)) <= rotation_tolerance))
        return std::nullopt;
  if (!(dot(cross(m.row[0], m.row[1]), m.row[2]) > 0)) return std::nullopt;
  return quaternion_of(m);
}

bool read_box(std::span<const uint8_t> bytes, CaptureInfo* info) {
  const MemorySource source(bytes);
  Box box;
  const Next next = box_at(source, 0, bytes.size(), false, &box);
  if (next == Next::past_end) {
    // The type of the box is complete, but not its contents.
    ByteReader reader(bytes);
    reader.skip(4);
    const std::span<const uint8_t> type = reader.take(4);
    if (!is_camera_box({type.begin(), type.end()})) return false;
    info->problems.push_back("its own box (madv) was cut off");
    return true;
  }
  if (next != Next::box || !is_camera_box(box.type)) return false;
  info->profile = profile;
  const std::span<const uint8_t> content =
      bytes.subspan(static_cast<size_t>(box.content), static_cast<size_t>(box.size()));
  if (box.type == "madv")
    read_children(content, info);
  else if (box.type == "lutz")
    read_table(content, info);
  else if (box.type == "tlyd" || info->orientations.empty())
    read_track(content, box.type, 0, info);
  return true;
}

CaptureInfo read_video(const Source& source) {
  CaptureInfo info;
  const std::optional<Box> movie = find_box(source, 0, source.size(), true, "moov");
  if (!movie) return info;
  const std::optional<Box> user = find_box(source, movie->content, movie->end, false, "udta");
  if (!user) return info;
  uint64_t position = user->content;
  for (int count = 0; count < most_boxes; ++count) {
    Box box;
    if (box_at(source, position, user->end, false, &box) != Next::box) break;
    if (is_camera_box(box.type)) {
      const uint64_t size = box.end - position;
      std::vector<uint8_t> bytes(size <= largest_box ? static_cast<size_t>(size) : 0);
      if (bytes.empty() || !source.read_all(position, bytes))
        info.problems.push_back("its own box (" + box.type + ") is too large");
      else
        madv::read_box(bytes, &info);
    }
    position = box.end;
  }
  return info;
}

CaptureInfo read_jpeg(const Source& source, const media::JpegInfo& jpeg) {
  CaptureInfo info;
  std::vector<uint8_t> exif(static_cast<size_t>(jpeg.exif_length));
  if (!exif.empty() && source.read_all(jpeg.exif_offset, exif)) {
    const MemorySource segment(exif);
    if (const Result<Tiff> tiff = Tiff::open(segment)) add_tiff(*tiff, &info);
  }
  // The table is after the picture, and its length is after the table.
  const uint64_t length = appended_table(source, source.size() - jpeg.trailing, source.size());
  if (length == 0) return info;
  std::vector<uint8_t> table(static_cast<size_t>(length));
  if (!source.read_all(source.size() - sizeof(uint32_t) - length, table)) return info;
  if (begins_as_table(table)) info.lens_table = std::move(table);
  return info;
}

CaptureInfo read_tiff(const Tiff& tiff) {
  CaptureInfo info;
  add_tiff(tiff, &info);
  return info;
}

}  // namespace sphere::makers::madv
