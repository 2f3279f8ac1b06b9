// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/emulator/file_forms.h"

#include <glib.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "gst/sphere/makers/madv_write.h"
#include "gst/sphere/media/isobmff.h"
#include "hw/emulator/thumbnail.h"
#include "hw/madv/commands.h"

namespace sphere::madv_emulator {

using emulator::CaptureRequest;
using makers::madv::CameraData;
using makers::madv::FileChange;

namespace {

// The vendor's sample.
constexpr const char* device_id = "14079";

// A real camera has more records of orientation than pictures, room for more, and some pictures
// before the first record.
constexpr size_t record_surplus = 10, record_room = 65083;
constexpr uint32_t pictures_before = 2;

// Of a recording in a loop, which overwrites the oldest file when the card is full.
constexpr size_t files_in_loop = 8;

CameraData with_facts(CameraData data, const ControlSettings& settings,
                      const CaptureRequest& request) {
  data.facts = makers::madv::CaptureFacts{.device_id = device_id,
                                          .serial = settings.serial,
                                          .firmware = settings.firmware,
                                          .date = request.date,
                                          .width = request.width,
                                          .height = request.height,
                                          .video_resolution = request.resolution,
                                          .position = request.position,
                                          .exposure_bias = request.exposure,
                                          .thumbnail = {}};
  // The table is for pictures of both lenses.
  if (request.half != emulator::Half::both) data.lens_table.clear();
  return data;
}

Status form_photo(const Descriptor& file, CameraData data, const CaptureRequest& request,
                  std::span<const uint8_t> thumbnail) {
  data.stitched = request.stitched;
  data.facts->thumbnail.assign(thumbnail.begin(), thumbnail.end());
  const auto bytes = emulator::read_whole(file);
  if (!bytes) return bytes.error();
  const auto formed = makers::madv::add_to_jpeg(*bytes, data);
  if (!formed) return formed.error();
  return emulator::write_whole(file, *formed);
}

/// A raw picture as large as the photo, from pixels that may be fewer.
Status form_raw(const Descriptor& file, CameraData data, const CaptureRequest& request,
                const emulator::FileForms::Pixels& pixels, std::span<const uint8_t> thumbnail) {
  constexpr size_t pixel_size = 4, levels = 256;
  const auto width = static_cast<size_t>(pixels.width), height = static_cast<size_t>(pixels.height);
  if (pixels.bytes.size() < width * height * pixel_size) return failed("there is no raw picture");
  data.facts->thumbnail.assign(thumbnail.begin(), thumbnail.end());
  std::array<uint16_t, levels> linear;
  for (size_t i = 0; i < levels; ++i)
    linear[i] = static_cast<uint16_t>(std::lround(
        std::pow(static_cast<double>(i) / (levels - 1), 2.2) * makers::madv::raw_white));
  makers::madv::RawPicture raw;
  raw.width = request.width;
  raw.height = request.height;
  const auto columns = static_cast<size_t>(raw.width), rows = static_cast<size_t>(raw.height);
  raw.samples.resize(columns * rows);
  for (size_t y = 0; y < rows; ++y) {
    const uint8_t* row = pixels.bytes.data() + y * height / rows * width * pixel_size;
    for (size_t x = 0; x < columns; ++x)
      // Red, green in even rows; green, blue in odd ones.
      raw.samples[y * columns + x] = linear[row[x * width / columns * pixel_size + x % 2 + y % 2]];
  }
  return emulator::write_whole(file, makers::madv::make_dng(data, raw));
}

Status form_video(const Descriptor& file, CameraData data) {
  const auto source = media::FileSource::make(file.get());
  if (!source) return source.error();
  const auto checked = media::check_isobmff(*source);
  if (!checked) return checked.error();
  const media::Track* pictures = checked->first("vide");
  data.matrices.resize((pictures ? static_cast<size_t>(pictures->samples) : 0) + record_surplus,
                       data.matrices.front());
  data.copies_of_first = pictures_before;
  const auto changes =
      makers::madv::video_changes(*source, makers::madv::make_box(data, record_room));
  if (!changes) return changes.error();
  for (const FileChange& change : *changes) {
    const std::string_view text(reinterpret_cast<const char*>(change.bytes.data()),
                                change.bytes.size());
    if (lseek(file.get(), static_cast<off_t>(change.offset), SEEK_SET) < 0 ||
        !emulator::write_all(file, text))
      return failed("the file can't be written");
  }
  return ok();
}

/// The words of a resolution begin with "3456x1728", and "@30" may follow.
void read_size(int setting, int value, CaptureRequest& request) {
  const madv::Choice* choice = madv::find_choice(setting, value);
  int width = 0, height = 0, rate = 0;
  if (!choice || std::sscanf(choice->words, "%dx%d@%d", &width, &height, &rate) < 2) return;
  request.width = width;
  request.height = height;
  if (rate) request.rate = rate;
}

std::optional<Position> read_position(const std::vector<std::string>& told) {
  std::array<double, 3> values = {};
  for (size_t i = 0; i < values.size(); ++i) {
    if (i >= told.size()) return std::nullopt;
    char* end = nullptr;
    values[i] = g_ascii_strtod(told[i].c_str(), &end);
    if (i < 2 && (end == told[i].c_str() || *end)) return std::nullopt;
  }
  if (!(std::abs(values[0]) <= 90 && std::abs(values[1]) <= 180)) return std::nullopt;
  return Position{values[0], values[1], values[2]};
}

/// "....DNG" for "....JPG".
std::string raw_copy(const std::string& path) { return path.substr(0, path.rfind('.')) + ".DNG"; }

/// What photos and videos have in common. Of one lens, there is nothing to stitch; its picture is
/// the half of the picture of both lenses. That of a real camera is not known.
void add_shot(const ShotSettings& settings, CaptureRequest& request) {
  request.position = read_position(settings.position);
  request.exposure = settings.exposure / 2.0;
  if (!settings.lens) return;
  request.half = *settings.lens == 0 ? emulator::Half::right : emulator::Half::left;
  request.width = request.height;
  request.stitched = false;
}

}  // namespace

emulator::FileForms file_forms(const ControlSettings& settings) {
  if (settings.model != Model::mi_sphere) return {};
  CameraData data;
  data.lens_table.assign(settings.lens_table.begin(), settings.lens_table.end());
  data.matrices = {makers::madv::camera_matrix_of(Mat3())};
  // What they write about the camera.
  ControlSettings camera;
  camera.serial = settings.serial;
  camera.firmware = settings.firmware;
  const auto photo = [data, settings = camera](const Descriptor& file,
                                               const CaptureRequest& request,
                                               std::span<const uint8_t> thumbnail) {
    return form_photo(file, with_facts(data, settings, request), request, thumbnail);
  };
  const auto video = [data, settings = camera](const Descriptor& file,
                                               const CaptureRequest& request,
                                               std::span<const uint8_t>) {
    return form_video(file, with_facts(data, settings, request));
  };
  const auto raw = [data, settings = camera](const Descriptor& file, const CaptureRequest& request,
                                             const emulator::FileForms::Pixels& pixels,
                                             std::span<const uint8_t> thumbnail) {
    return form_raw(file, with_facts(data, settings, request), request, pixels, thumbnail);
  };
  return {photo, video, raw};
}

CaptureRequest photo_request(const ShotSettings& settings, std::string path) {
  CaptureRequest request;
  request.path = std::move(path);
  read_size(madv::msg_photo_resolution, settings.resolution, request);
  // The smaller size is stitched, too: the vendor's app says it, and its sample of one has the
  // mark.
  request.stitched =
      settings.resolution == 1 || settings.resolution == 2 || settings.resolution == 4;
  if (settings.resolution == 3 || settings.resolution == 4)
    request.raw_path = raw_copy(request.path);
  add_shot(settings, request);
  return request;
}

CaptureRequest video_request(const ShotSettings& settings, std::string path,
                             std::function<std::string()> next_path) {
  CaptureRequest request;
  request.small_path = small_copy(path);
  request.path = std::move(path);
  request.resolution = settings.resolution;
  read_size(madv::msg_video_resolution, settings.resolution, request);
  add_shot(settings, request);
  request.interval = settings.interval;
  request.slowness = settings.slowness;
  request.segment = settings.segment;
  if (settings.loop) request.most_segments = files_in_loop;
  request.next = [next_path = std::move(next_path)](CaptureRequest& next) {
    next.path = next_path();
    next.small_path = small_copy(next.path);
  };
  return request;
}

CaptureRequest sister_request(const std::string& words, std::string path) {
  CaptureRequest request;
  request.path = std::move(path);
  // The first number with an x behind it, and the one before "FPS".
  for (size_t i = 0; i < words.size(); ++i) {
    if (!g_ascii_isdigit(words[i]) || (i > 0 && g_ascii_isdigit(words[i - 1]))) continue;
    int width = 0, height = 0;
    char sign = 0;
    if (std::sscanf(words.c_str() + i, "%5d%c%5d", &width, &sign, &height) == 3 &&
        g_ascii_tolower(sign) == 'x') {
      request.width = width;
      request.height = height;
    }
    char fps[4] = {};
    int rate = 0;
    if (std::sscanf(words.c_str() + i, "%3d%3s", &rate, fps) == 2 && std::string_view(fps) == "FPS")
      request.rate = rate;
  }
  return request;
}

std::string small_copy(const std::string& path) {
  constexpr std::string_view large = "AA.MP4", small = "AB.MP4";
  if (!path.ends_with(large)) return {};
  return path.substr(0, path.size() - large.size()) + std::string(small);
}

std::optional<std::string> file_thumbnail(const emulator::Card& card, const std::string& path,
                                          const std::string& type) {
  const Descriptor file = card.open_file(path);
  if (!file) return std::nullopt;
  const auto source = media::FileSource::make(file.get());
  if (!source) return std::nullopt;
  auto bytes =
      type == "idr" ? emulator::first_picture(*source) : emulator::photo_thumbnail(*source);
  if (!bytes) return std::nullopt;
  return std::move(*bytes);
}

}  // namespace sphere::madv_emulator
