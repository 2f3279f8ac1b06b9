// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/stitch_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace sphere::tool {

namespace {

constexpr int largest_side = 32768;
// Four times the largest picture that any camera of the kind makes: 16384x16384.
constexpr uint64_t most_pixels = uint64_t{1} << 28;
// A photo's file is held in memory.
constexpr uint64_t largest_photo = uint64_t{1} << 30;

Status check_size(int width, int height) {
  if (width <= largest_side && height <= largest_side &&
      static_cast<uint64_t>(width) * static_cast<uint64_t>(height) <= most_pixels)
    return ok();
  return unsupported("its pictures are " + std::to_string(width) + "x" + std::to_string(height) +
                     ", more than can be stitched");
}

Status look_through(const media::Source& source, StitchInput* input) {
  if (source.size() == 0) return invalid("is empty");
  switch (media::sniff(source)) {
    case media::Kind::jpeg: {
      const Result<media::JpegInfo> jpeg = media::check_jpeg(source);
      if (!jpeg) return jpeg.error();
      if (jpeg->lossless || jpeg->bits != 8)
        return unsupported("is a lossless or " + std::to_string(jpeg->bits) +
                           "-bit JPEG, which can't be read");
      input->content = *jpeg;
      input->capture = makers::read_jpeg(source, *jpeg);
      break;
    }
    case media::Kind::png: {
      const Result<media::PngInfo> png = media::check_png(source);
      if (!png) return png.error();
      input->content = *png;
      break;
    }
    case media::Kind::isobmff: {
      Result<media::IsoFile> video = media::check_isobmff(source);
      if (!video) return video.error();
      if (!video->first("vide")) return invalid("has no video in it");
      input->content = std::move(*video);
      input->capture = makers::read_video(source);
      break;
    }
    case media::Kind::unknown:
      return invalid("is not a JPEG, PNG, MP4 or MOV file");
  }
  if (!input->video() && input->length() > largest_photo)
    return unsupported("is larger than any photo that can be read");
  return check_size(input->width(), input->height());
}

void tell_oddities(const std::string& path, const StitchInput& input, Voice* voice) {
  uint64_t trailing = 0;
  int orientation = 1;
  if (const media::JpegInfo* jpeg = input.jpeg()) {
    trailing = jpeg->trailing;
    // The camera's table and its length are no oddity.
    if (!input.capture.lens_table.empty()) trailing -= input.capture.lens_table.size() + 4;
    orientation = jpeg->orientation;
  } else if (const media::PngInfo* png = input.png()) {
    trailing = png->trailing;
    orientation = png->orientation;
    if (png->animated) voice->warn(path + ": is animated; only its still picture is stitched");
  } else if (const media::IsoFile* file = input.video()) {
    trailing = file->trailing;
    if (file->first("vide")->rotated)
      voice->warn(path +
                  ": has a rotation for display, which is ignored; it is stitched as it is stored");
    int videos = 0;
    for (const media::Track& track : file->tracks)
      videos += track.handler == "vide" && track.samples > 0;
    if (videos > 1)
      voice->warn(path + ": has " + std::to_string(videos) +
                  " video tracks; only the first is stitched");
  }
  for (const std::string& problem : input.capture.problems)
    voice->warn(path + ": " + problem + "; it is left out");
  if (orientation != 1)
    voice->warn(path + ": has a rotation for display, which is ignored (orientation " +
                std::to_string(orientation) + "); it is stitched as it is stored");
  if (trailing)
    voice->warn(path + ": " + std::to_string(trailing) + " bytes after the end are left out");
}

}  // namespace

bool StitchInput::spherical() const {
  if (capture.stitched) return true;
  if (jpeg()) return jpeg()->spherical;
  return png() ? png()->spherical : video()->first("vide")->spherical;
}

int StitchInput::width() const {
  if (jpeg()) return jpeg()->width;
  return png() ? png()->width : video()->first("vide")->width;
}

int StitchInput::height() const {
  if (jpeg()) return jpeg()->height;
  return png() ? png()->height : video()->first("vide")->height;
}

uint64_t StitchInput::length() const {
  if (jpeg()) return jpeg()->length;
  return png() ? png()->length : 0;
}

Result<StitchInput> open_stitch_input(const std::string& path, Voice* voice) {
  // Not blocking: a named pipe would wait for a writer, and is refused anyway.
  Descriptor descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!descriptor) {
    if (errno == ENOENT) return not_found(path + ": there is no such file");
    return failed(path + ": can't be read: " + std::strerror(errno));
  }
  StitchInput input{std::move(descriptor), {}, {}};
  const auto complain = [&](const Error& error) {
    return Error{error.kind, path + ": " + error.message};
  };
  const Result<media::FileSource> source = media::FileSource::make(input.descriptor.get());
  if (!source) return complain(source.error());
  if (const Status whole = look_through(*source, &input); !whole) return complain(whole.error());
  tell_oddities(path, input, voice);
  return input;
}

Status read_dng(const std::string& path, makers::CaptureInfo* capture) {
  const Descriptor descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!descriptor) return not_found(path + ": can't be read: " + std::strerror(errno));
  const Result<media::FileSource> file = media::FileSource::make(descriptor.get());
  if (!file) return invalid(path + ": " + file.error().message);
  Result<makers::CaptureInfo> dng = makers::read_tiff(*file);
  if (!dng) return invalid(path + ": " + dng.error().message);
  if (dng->lens_table.empty())
    return invalid(path + ": has no lens table" +
                   (dng->problems.empty() ? "" : ": " + dng->problems.front()));
  capture->lens_table = std::move(dng->lens_table);
  if (capture->orientations.empty()) capture->orientations = std::move(dng->orientations);
  return ok();
}

std::string lack_of_fisheyes(media::Look look, const std::string& what) {
  const std::string no_corners = "there are no dark corners around two fisheyes";
  if (look == media::Look::sphere)
    return "looks like a 360 " + what +
           " already: its left edge continues at its right edge, and " + no_corners;
  if (look == media::Look::flat) return "looks like an ordinary " + what + ": " + no_corners;
  return {};
}

bool same_file(const StitchInput& input, const std::string& output) {
  struct stat in = {}, out = {};
  return fstat(input.descriptor.get(), &in) == 0 && stat(output.c_str(), &out) == 0 &&
         in.st_dev == out.st_dev && in.st_ino == out.st_ino;
}

}  // namespace sphere::tool
