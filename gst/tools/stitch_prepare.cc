// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/stitch_prepare.h"

#include <unistd.h>

#include <numeric>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/consent/ledger.h"
#include "gst/sphere/gstsphere.h"
#include "gst/sphere/lens/profile.h"
#include "gst/sphere/lens/table.h"
#include "gst/sphere/makers/models.h"
#include "gst/sphere/media/source.h"
#include "gst/sphere/orientation/track.h"
#include "gst/tools/lens_choice.h"
#include "gst/tools/pipeline_run.h"
#include "gst/tools/progress.h"

namespace sphere::tool {

namespace {

// Pixels. In smaller pictures nothing can be recognised.
constexpr int least_searched_height = 64;
// Decoded, converted, stitched and converted back: that many pictures are in memory at once.
constexpr double pictures_at_once = 4;
constexpr double most_bytes_a_pixel = 4;

Status check_lens(const std::string& lens) {
  if (lens.empty()) return ok();
  g_autoptr(GError) error = nullptr;
  g_autoptr(GstSphereLens) made = gst_sphere_lens_new(lens.c_str(), &error);
  if (made) return ok();
  std::string sentence = error->message;
  if (lens.find('/') == std::string::npos) sentence += suggestion(lens, lens_names());
  return invalid("--lens: " + sentence);
}

Status check_memory(const StitchOptions& options, const StitchInput& input) {
  const double in = static_cast<double>(input.width()) * input.height();
  const double width = options.width ? options.width : input.width();
  const double need = (in + width * width / 2) * most_bytes_a_pixel * pictures_at_once / 2;
  const double have =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  if (have <= 0 || need <= have) return ok();
  return failed(options.input + ": pictures of " + std::to_string(input.width()) + "x" +
                std::to_string(input.height()) + " need more memory than this machine has");
}

Status check_kinds(const StitchOptions& options, const StitchInput& input) {
  if (input.video() && options.photo_out)
    return invalid(options.output + ": " + options.input +
                   " is a video; name OUT .mp4, .mov or .mkv");
  if (!input.video() && !options.photo_out)
    return invalid(options.output + ": " + options.input + " is a picture; name OUT .jpg or .png");
  return ok();
}

/// A file that says that it is stitched is refused before anything is decoded.
Status check_not_stitched(const StitchOptions& options, const StitchInput& input) {
  if (options.force || options.from_sphere || !input.spherical()) return ok();
  return invalid(options.input + ": is a 360 " + (input.video() ? "video" : "picture") +
                 " already" + use_as_it_is);
}

/// Which level it is where none was asked for: the horizon, if the file says how to find it.
std::string default_level(const StitchInput& input, MessagePrinter* printer) {
  if (input.capture.orientations.empty()) return "off";
  const Result<OrientationTrack> track = OrientationTrack::make(input.capture.orientations);
  if (track) return "horizon";
  printer->warn("its orientation track can't be used, so the picture is not levelled: " +
                track.error().message);
  return "off";
}

#if HAVE_CALIBRATE
/// What the file says of its lenses.
KnownLenses known_lenses(const makers::CaptureInfo& capture) {
  KnownLenses known;
  // A table that can't be used is told of by the stitcher.
  if (!capture.lens_table.empty())
    if (Result<LensPair> table = parse_table(capture.lens_table, "of the camera"); table)
      known.table = std::move(*table);
  if (!capture.profile.empty())
    if (Result<LensPair> model = load_profile(capture.profile); model) {
      known.model = std::move(*model);
      known.name = capture.profile;
    }
  return known;
}

// Lenses that fit less may have been found in a difficult picture: the next one may be better.
constexpr double least_kept_agreement = 0.9;

/// Under which key the lenses of this camera are kept; nothing without consent, or where the file
/// names no camera.
std::optional<storage::CameraLensKey> camera_of(const StitchInput& input) {
  if (!consent::own_ledger_gives(consent::Category::device, consent::Purpose::bind))
    return std::nullopt;
  const Result<media::FileSource> file = media::FileSource::make(input.descriptor.get());
  if (!file) return std::nullopt;
  const makers::CameraName name = makers::identify_camera(*file);
  if (name.model.empty()) return std::nullopt;
  const int step = std::gcd(input.width(), input.height());
  return storage::CameraLensKey{name.make + " " + name.model, name.serial,
                                (input.video() ? "video " : "photo ") +
                                    std::to_string(input.width() / step) + ":" +
                                    std::to_string(input.height() / step)};
}
#endif

/// The file of the other lens, where a camera writes two; "" where there is none.
std::string other_file_of(const StitchInput& input) {
  const VideoInfo* video = input.video();
  if (!video || video->width != video->height || input.two_pictures()) return {};
  const std::string other = makers::other_lens_path(input.path);
  return access(other.c_str(), R_OK) == 0 ? other : std::string();
}

/// Whether a view is drawn from IN as it is: it says that it is a 360 picture, or nothing says that
/// it shows two fisheyes.
bool is_sphere(const StitchOptions& options, const StitchInput& input) {
  if (!options.stored.empty()) return true;
  if (!options.lens.empty() || options.search || input.two_pictures()) return false;
  const makers::CaptureInfo& capture = input.capture;
  return input.spherical() ||
         (!capture.fisheyes && capture.lens_table.empty() && capture.profile.empty());
}

}  // namespace

Result<StitchInput> prepare_input(StitchOptions* options, MessagePrinter* printer) {
  if (!options->dng)
    if (const Status lens = check_lens(options->lens); !lens) return lens.error();
  Result<StitchInput> input = options->right.empty()
                                  ? open_stitch_input(options->input, printer)
                                  : open_stitch_pair(options->input, options->right, printer);
  if (!input) return input;
  if (const std::string other = options->right.empty() ? other_file_of(*input) : "";
      !other.empty()) {
    printer->warn(other + ": has the pictures of the other lens, and is stitched, too");
    options->right = other;
    input = open_stitch_pair(options->input, other, printer);
    if (!input) return input;
  }
  if (options->dng) {
    if (const Status read = read_dng(options->lens, &input->capture); !read)
      return Error{read.error().kind, "--lens: " + read.error().message};
    options->table_from = "the table in " + options->lens;
    options->lens.clear();
  }
  options->from_sphere = options->reframe && is_sphere(*options, *input);
  // What is no pair of fisheyes is made level by find_view().
  options->find_level = options->reframe && options->level == "horizon";
  if (options->from_sphere && options->level == "full")
    return invalid(options->input +
                   ": is a 360 picture already, whose direction can't be kept; --level horizon "
                   "makes it level");
  if (options->from_sphere) {
    if (input->video() && input->video()->stereo)
      return unsupported(options->input + ": " + has_two_spheres);
    if (options->stored.empty() && input->video() && input->video()->cubemap)
      options->stored = "cubemap";
    options->level = "off";
  }
  if (options->level.empty()) options->level = default_level(*input, printer);
  if (same_file(*input, options->output))
    return invalid(options->output + ": is the same file as " + options->input);
  if (const Status kinds = check_kinds(*options, *input); !kinds) return kinds.error();
  if (const Status fresh = check_not_stitched(*options, *input); !fresh) return fresh.error();
  if (const Status memory = check_memory(*options, *input); !memory) return memory.error();
  return input;
}

#if HAVE_CALIBRATE
Status FoundLens::save() {
  if (!file || profile.empty()) return ok();
  return file->commit();
}

bool FoundLens::keep(MessagePrinter* printer) const {
  if (!camera || profile.empty()) return false;
  const Result<bool> kept = storage::write_camera_lens(*camera, profile);
  if (!kept) printer->warn(kept.error().message);
  return kept && *kept;
}

Status find_lens(const StitchInput& input, StitchOptions* options, FoundLens* found_lens,
                 MessagePrinter* printer) {
  if (options->from_sphere) return ok();
  if (!options->lens.empty() || (options->lens_fov > 0 && !options->search)) return ok();
  if (input.height() < least_searched_height && !options->search) return ok();
  // Of a raw picture, only the one for viewing is decoded here.
  if (input.preview)
    return options->search
               ? unsupported(options->input + ": lenses can't be searched in a raw picture (DNG)")
               : ok();
  if (!options->save_lens.empty()) {
    Result<OutputFile> file = OutputFile::create(options->save_lens, options->clobber);
    if (!file) return file.error();
    found_lens->file.emplace(std::move(*file));
  }
  KnownLenses known = known_lenses(input.capture);
  const std::optional<storage::CameraLensKey> camera = camera_of(input);
  if (camera)
    if (const std::optional<std::string> text = storage::read_camera_lens(*camera))
      if (Result<LensPair> kept = parse_profile(*text, "kept of the camera"); kept) {
        known.kept = std::move(*kept);
        known.kept_profile = *text;
      }
  Progress progress(!options->quiet, "steps of the search for the lenses");
  const Result<LensChoice> choice =
      choose_lens({options->input, options->right, input.two_pictures() && !input.right,
                   !input.video(), options->search, options->force || input.capture.fisheyes},
                  known, [&](int done, int total) {
                    progress.show(static_cast<uint64_t>(done), static_cast<uint64_t>(total));
                    return true;
                  });
  progress.clear();
  if (!choice) return choice.error();
  if (!choice->warning.empty()) printer->warn(options->input + ": " + choice->warning);
  if (choice->profile.empty() && options->save_lens.empty()) return ok();
  if (choice->profile.empty())
    return invalid(
        "--save-lens: no lenses were found that fit better than those that the file "
        "names");
  if (found_lens->file) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(choice->profile.data());
    if (const Status written = found_lens->file->write({bytes, choice->profile.size()}); !written)
      return written;
    if (const Status flushed = found_lens->file->flush(); !flushed) return flushed;
  }
  found_lens->profile = choice->profile;
  if (choice->found && choice->agreement >= least_kept_agreement) found_lens->camera = camera;
  options->lens = choice->profile;
  options->lens_name = choice->what;
  options->agreement = choice->agreement;
  return ok();
}
#else
Status FoundLens::save() { return ok(); }

bool FoundLens::keep(MessagePrinter*) const { return false; }

Status find_lens(const StitchInput&, StitchOptions* options, FoundLens*, MessagePrinter*) {
  if (options->search || !options->save_lens.empty())
    return unsupported(
        "--lens auto and --save-lens: this build of gst-sphere has no calibration; build it with "
        "Ceres and Eigen");
  return ok();
}
#endif

}  // namespace sphere::tool
