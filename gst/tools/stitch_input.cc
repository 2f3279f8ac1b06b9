// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/stitch_input.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "gst/sphere/makers/capture.h"
#include "gst/sphere/media/matroska.h"
#include "gst/tools/output_file.h"
#include "gst/tools/stitch_discover.h"

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

/// Without the data of the camera behind it, which would look like damage.
class WithoutTrailer : public media::Source {
 public:
  explicit WithoutTrailer(const media::Source& whole)
      : whole_(whole), size_(whole.size() - makers::trailer_length(whole)) {}
  uint64_t size() const override { return size_; }
  size_t read(uint64_t position, std::span<uint8_t> into) const override {
    if (position >= size_) return 0;
    return whole_.read(
        position,
        into.first(static_cast<size_t>(std::min<uint64_t>(into.size(), size_ - position))));
  }

 private:
  const media::Source& whole_;
  uint64_t size_;
};

bool is_square(const media::Track& track) {
  return std::abs(track.width - track.height) * 50 <= track.height;
}

Result<VideoInfo> read_isobmff(const media::Source& source) {
  Result<media::IsoFile> file = media::check_isobmff(source);
  if (!file) return file.error();
  const media::Track* track = file->first("vide");
  if (!track) return invalid("has no video in it");
  VideoInfo video;
  video.codec = track->codec;
  video.width = track->width;
  video.height = track->height;
  video.pictures = track->samples;
  video.timescale = track->timescale;
  if (track->timescale && track->duration) {
    video.seconds = static_cast<double>(track->duration) / track->timescale;
    video.picture_rate = static_cast<double>(track->samples) / video.seconds;
  }
  video.spherical = track->spherical;
  video.cubemap = track->cubemap;
  video.stereo = track->stereo;
  video.rotated = track->rotated;
  video.trailing = file->trailing;
  video.video_tracks = 0;
  std::vector<const media::Track*> squares;
  for (const media::Track& other : file->tracks) {
    if (other.samples == 0) continue;
    video.sound_tracks += other.handler == "soun";
    if (other.handler != "vide") continue;
    ++video.video_tracks;
    if (is_square(other) && other.width == track->width) squares.push_back(&other);
  }
  // A square has no room for two fisheyes beside each other.
  video.lens_in_each_track = video.video_tracks == 2 && squares.size() == 2;
  video.iso = std::move(*file);
  return video;
}

Result<VideoInfo> read_matroska(const media::Source& source, int descriptor) {
  const Result<media::MatroskaFile> file = media::check_matroska(source);
  if (!file) return file.error();
  VideoInfo video;
  video.container = media::Kind::matroska;
  if (const Status found = discover_video(descriptor, &video); !found) return found.error();
  video.trailing = file->trailing;
  for (const media::MatroskaTrack& track : file->tracks) {
    if (!track.video) continue;
    video.pictures = track.blocks;
    video.spherical = track.spherical;
    video.cubemap = track.cubemap;
    video.stereo = track.stereo;
    break;
  }
  return video;
}

Result<VideoInfo> read_avi(const media::Source& source, int descriptor) {
  const Result<media::AviFile> file = media::check_avi(source);
  if (!file) return file.error();
  VideoInfo video;
  video.container = media::Kind::avi;
  if (const Status found = discover_video(descriptor, &video); !found) return found.error();
  video.trailing = file->trailing;
  return video;
}

Result<VideoInfo> read_transport_stream(const media::Source& source, int descriptor) {
  // A whole file is a whole number of packets; nothing in it tells how many.
  uint8_t byte = 0;
  const bool timed = source.read_all(0, {&byte, 1}) && byte != 0x47;
  bool whole = false;
  for (const uint64_t packet : {188, 204}) whole = whole || (!timed && source.size() % packet == 0);
  if (timed) whole = source.size() % 192 == 0;
  if (!whole) return invalid("the file ends in the middle of a packet; it was cut off");
  VideoInfo video;
  video.container = media::Kind::mpegts;
  if (const Status found = discover_video(descriptor, &video); !found) return found.error();
  return video;
}

Status check_content_jpeg(const media::Source& source, StitchInput* input) {
  const Result<media::JpegInfo> jpeg = media::check_jpeg(source);
  if (!jpeg) return jpeg.error();
  if (jpeg->lossless || jpeg->bits != 8)
    return unsupported("is a lossless or " + std::to_string(jpeg->bits) +
                       "-bit JPEG, which can't be read");
  input->content = *jpeg;
  input->photo = {0, jpeg->length};
  input->capture = makers::read_jpeg(source, *jpeg);
  return ok();
}

Status check_content_tiff(const media::Source& source, StitchInput* input) {
  const Result<makers::CaptureInfo> capture = makers::read_tiff(source);
  if (!capture) return capture.error();
  input->capture = *capture;
  if (media::is_dng(source)) {
    const Result<media::DngInfo> dng = media::check_dng(source);
    if (!dng) return dng.error();
    input->content = dng->jpeg;
    input->photo = dng->preview;
    input->preview = true;
    return ok();
  }
  const Result<media::TiffInfo> tiff = media::check_tiff(source);
  if (!tiff) return tiff.error();
  input->content = *tiff;
  input->photo = {0, tiff->length};
  return ok();
}

/// Keeps what a reader found, or says why there is nothing.
template <class Info>
Status keep(Result<Info> info, StitchInput* input) {
  if (!info) return info.error();
  if constexpr (requires { info->length; }) input->photo = {0, info->length};
  input->content = std::move(*info);
  return ok();
}

Status read_content(const media::Source& source, StitchInput* input) {
  const int descriptor = input->descriptor.get();
  switch (media::sniff(source)) {
    case media::Kind::jpeg:
      return check_content_jpeg(source, input);
    case media::Kind::tiff:
      return check_content_tiff(source, input);
    case media::Kind::png:
      return keep(media::check_png(source), input);
    case media::Kind::webp:
      return keep(media::check_webp(source), input);
    case media::Kind::isobmff:
      if (const Status kept = keep(read_isobmff(source), input); !kept) return kept;
      input->capture = makers::read_video(source);
      return ok();
    case media::Kind::matroska:
      return keep(read_matroska(source, descriptor), input);
    case media::Kind::avi:
      return keep(read_avi(source, descriptor), input);
    case media::Kind::mpegts:
      return keep(read_transport_stream(source, descriptor), input);
    case media::Kind::heif:
    case media::Kind::unknown:
      break;
  }
  return invalid(
      "is not a picture (JPEG, PNG, TIFF, WebP, DNG) or a video (MP4, MOV, MKV, WebM, AVI, "
      "MPEG-TS) that can be read");
}

Status check_content(const media::Source& whole, StitchInput* input) {
  if (whole.size() == 0) return invalid("is empty");
  const WithoutTrailer source(whole);
  if (const Status read = read_content(source, input); !read) return read;
  if (!input->video() && input->photo.length > largest_photo)
    return unsupported("is larger than any photo that can be read");
  return check_size(input->width(), input->height());
}

struct PictureTraits {
  uint64_t trailing = 0;
  int orientation = 1;
  int bits = 8;
};

PictureTraits traits_of(const StitchInput& input) {
  if (const media::JpegInfo* jpeg = input.jpeg()) {
    // The camera's table and its length are meant to be there.
    const uint64_t table =
        input.capture.lens_table.empty() || input.preview ? 0 : input.capture.lens_table.size() + 4;
    return {jpeg->trailing - std::min(table, jpeg->trailing), jpeg->orientation, jpeg->bits};
  }
  if (const media::PngInfo* png = input.png()) return {png->trailing, png->orientation, png->bits};
  if (const media::TiffInfo* tiff = input.tiff()) return {0, tiff->orientation, tiff->bits};
  if (const media::WebpInfo* webp = input.webp()) return {webp->trailing, webp->orientation, 8};
  return {input.video()->trailing, 1, 8};
}

void warn_of_content(const StitchInput& input, MessagePrinter* printer) {
  const std::string& path = input.path;
  if (input.png() && input.png()->animated)
    printer->warn(path + ": is animated; only its still picture is stitched");
  if (input.preview)
    printer->warn(path + ": is a raw picture (DNG); the " + std::to_string(input.jpeg()->width) +
                  "x" + std::to_string(input.jpeg()->height) +
                  " picture in it for viewing is stitched");
  if (const VideoInfo* video = input.video()) {
    if (video->rotated)
      printer->warn(
          path + ": has a rotation for display, which is ignored; it is stitched as it is stored");
    if (video->video_tracks > 1 && !video->lens_in_each_track)
      printer->warn(path + ": has " + std::to_string(video->video_tracks) +
                    " video tracks; only the first is stitched");
  }
  for (const std::string& problem : input.capture.problems)
    printer->warn(path + ": " + problem + "; it is left out");
  const auto [trailing, orientation, bits] = traits_of(input);
  if (bits > 8)
    printer->warn(path + ": has " + std::to_string(bits) + " bits for each colour, which become 8");
  if (orientation != 1)
    printer->warn(path + ": has a rotation for display, which is ignored (orientation " +
                  std::to_string(orientation) + "); it is stitched as it is stored");
  if (trailing)
    printer->warn(path + ": " + std::to_string(trailing) + " bytes after the end are left out");
}

/// Whether two files can be the pictures of two lenses.
Status check_pair(const StitchInput& left, const StitchInput& right, MessagePrinter* printer) {
  const std::string both = left.path + " and " + right.path;
  if (!left.video() != !right.video())
    return invalid(both + ": one is a video, the other one a picture");
  if (left.width() != right.width() || left.height() != right.height())
    return invalid(both + ": have different sizes, " + std::to_string(left.width()) + "x" +
                   std::to_string(left.height()) + " and " + std::to_string(right.width()) + "x" +
                   std::to_string(right.height()) + "; the pictures of two lenses have the same");
  if (left.two_pictures() || right.two_pictures())
    return invalid(both + ": one has the pictures of both lenses already");
  if (left.video() && left.video()->pictures && right.video()->pictures &&
      left.video()->pictures != right.video()->pictures)
    printer->warn(both + ": have " + std::to_string(left.video()->pictures) + " and " +
                  std::to_string(right.video()->pictures) +
                  " pictures; what only one has is left out");
  return ok();
}

}  // namespace

bool StitchInput::spherical() const {
  if (capture.stitched) return true;
  return std::visit([](const auto& info) { return info.spherical; }, content);
}

bool StitchInput::transparent() const {
  return png() ? png()->transparent : webp() && webp()->transparent;
}

int StitchInput::width() const {
  return std::visit([](const auto& info) { return info.width; }, content) *
         (two_pictures() ? 2 : 1);
}

int StitchInput::height() const {
  return std::visit([](const auto& info) { return info.height; }, content);
}

Result<StitchInput> open_stitch_input(const std::string& path, MessagePrinter* printer) {
  // Not blocking: a named pipe would wait for a writer, and is refused anyway.
  Descriptor descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!descriptor) {
    if (errno == ENOENT) return not_found(path + ": there is no such file");
    return failed(path + ": can't be read: " + std::strerror(errno));
  }
  StitchInput input;
  input.path = path;
  input.descriptor = std::move(descriptor);
  const auto complain = [&](const Error& error) {
    return Error{error.kind, path + ": " + error.message};
  };
  const Result<media::FileSource> source = media::FileSource::make(input.descriptor.get());
  if (!source) return complain(source.error());
  if (const Status whole = check_content(*source, &input); !whole) return complain(whole.error());
  warn_of_content(input, printer);
  return input;
}

Result<StitchInput> open_stitch_pair(const std::string& left, const std::string& right,
                                     MessagePrinter* printer) {
  Result<StitchInput> input = open_stitch_input(left, printer);
  if (!input) return input;
  Result<StitchInput> other = open_stitch_input(right, printer);
  if (!other) return other;
  if (const Status fits = check_pair(*input, *other, printer); !fits) return fits.error();
  input->right = std::make_unique<StitchInput>(std::move(*other));
  if (const Status size = check_size(input->width(), input->height()); !size)
    return Error{size.error().kind, left + ": " + size.error().message};
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

std::string lack_of_fisheyes(media::PictureKind kind, const std::string& what) {
  const std::string no_corners = "there are no dark corners around two fisheyes";
  if (kind == media::PictureKind::sphere)
    return "looks like a 360 " + what +
           " already: its left edge continues at its right edge, and " + no_corners;
  if (kind == media::PictureKind::flat) return "looks like an ordinary " + what + ": " + no_corners;
  return {};
}

bool same_file(const StitchInput& input, const std::string& output) {
  if (input.right && same_file(*input.right, output)) return true;
  return is_same_file(input.descriptor.get(), output);
}

}  // namespace sphere::tool
