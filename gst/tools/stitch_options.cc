// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/stitch_options.h"

#include <glib.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/tools/command.h"

namespace sphere::tool {

namespace {

constexpr int smallest_width = 64;
constexpr int largest_width = 16384;
// x264enc's range.
constexpr int largest_quantizer = 50;

constexpr const char* description =
    "IN is a picture (JPEG, PNG, TIFF, WebP, .insp, or the picture for viewing in a DNG) or a "
    "video\n"
    "(MP4, MOV, MKV, WebM, AVI, MPEG-TS, .insv) with both fisheyes in one frame, or in two tracks. "
    "With\n"
    "LEFT and RIGHT, each file has the picture of one lens. The end of OUT's name sets its "
    "format:\n"
    ".jpg, .jpeg or .png for a picture, .mp4, .mov or .mkv for a video. OUT is replaced only when "
    "the\n"
    "new file is complete.\n"
    "\n"
    "Quality of a video is the constant rate factor, 0 (best) to 50 (worst), default 18 for H.264 "
    "and\n"
    "20 for HEVC (visually lossless). Quality of a JPEG is 1 (worst) to 100, default 95. A PNG is\n"
    "lossless.\n"
    "\n"
    "Only pictures and sound are copied: no position, no date, no serial number.\n"
    "\n"
    "Examples:\n"
    "  sphere stitch street.jpg sphere.jpg --lens gear360\n"
    "  sphere stitch street.jpg sphere.jpg --lens gear360\n"
    "  sphere stitch ride.mp4 sphere.mp4 --lens mi-sphere --yaw 90 --width 3840\n"
    "  sphere stitch street.jpg planet.jpg --lens gear360 --projection little-planet\n"
    "  sphere stitch VID_20161121_162507AA.MP4 steady.mp4 --level full\n"
    "  sphere stitch left.mp4 right.mp4 sphere.mkv --codec hevc\n";

bool ends_with(const std::string& text, const char* suffix) {
  const GString_ lower(g_ascii_strdown(text.c_str(), -1));
  return g_str_has_suffix(lower.get(), suffix);
}

Status read_output_kind(StitchOptions* options) {
  const std::string& out = options->output;
  options->png_out = ends_with(out, ".png");
  options->photo_out = options->png_out || ends_with(out, ".jpg") || ends_with(out, ".jpeg");
  for (const char* container : {".mp4", ".mov", ".mkv"})
    if (ends_with(out, container)) options->container = container;
  if (options->photo_out || !options->container.empty()) return ok();
  return invalid(out +
                 ": the name must end in .jpg, .jpeg or .png for a picture, .mp4, .mov or .mkv for "
                 "a video");
}

}  // namespace

Status parse_stitch_options(int argc, char** argv, StitchOptions* options) {
  g_autofree char* lens = nullptr;
  g_autofree char* save_lens = nullptr;
  g_autofree char* blend = nullptr;
  g_autofree char* preset = nullptr;
  g_autofree char* codec = nullptr;
  g_autofree char* stitcher = nullptr;
  g_autofree char* level = nullptr;
  g_autofree char* strip = nullptr;
  g_autofree char* match = nullptr;
  g_autofree char* align = nullptr;
  g_autofree char* interpolation = nullptr;
  double stitch_distance = 0;
  g_autofree char* projection = nullptr;
  double fov = 0, lens_fov = 0, yaw = 0, pitch = 0, roll = 0, blend_width = -1, smoothing = -1;
  int width = 0, quality = -1, threads = 0;
  gboolean no_audio = FALSE, no_clobber = FALSE, force = FALSE, quiet = FALSE, verbose = FALSE,
           json = FALSE;
  const std::vector<std::string> projections(projection_names.begin(), projection_names.end());
  const std::string projection_words = alternatives(projections);
  GOptionEntry entries[] = {
      {"lens", 'l', 0, G_OPTION_ARG_FILENAME, &lens,
       "Lens profile: a name (gear360, ...), a JSON file, a DNG of the camera, or auto: find the "
       "lenses in the pictures (default: the table in IN, else auto)",
       "NAME|FILE|auto"},
      {"save-lens", 0, 0, G_OPTION_ARG_FILENAME, &save_lens,
       "Write the lenses that were found into this profile, for --lens", "FILE"},
      {"lens-fov", 0, 0, G_OPTION_ARG_DOUBLE, &lens_fov,
       "Field of view of each lens, 60 to 358 (default: from the profile)", "DEGREES"},
      {"strip", 0, 0, G_OPTION_ARG_STRING, &strip,
       "If IN has half of the rows of the lenses' frame: which ones (default: middle)",
       "top|middle|bottom"},
      {"level", 0, 0, G_OPTION_ARG_STRING, &level,
       "horizon: make the horizon level; full: keep the direction, too (default: horizon, if IN "
       "contains the orientation)",
       "off|horizon|full"},
      {"smoothing", 0, 0, G_OPTION_ARG_DOUBLE, &smoothing,
       "With --level=horizon, average the heading over this time, 0 to 10 (default: 0)", "SECONDS"},
      {"projection", 'p', 0, G_OPTION_ARG_STRING, &projection,
       "What OUT shows: the whole sphere (equirect, the default; cubemap, eac) or a view "
       "(perspective, little-planet, stereographic)",
       projection_words.c_str()},
      {"fov", 0, 0, G_OPTION_ARG_DOUBLE, &fov,
       "Horizontal field of view of OUT, if it shows a view (default: 90, 270, 180)", "DEGREES"},
      {"yaw", 0, 0, G_OPTION_ARG_DOUBLE, &yaw, "Turn right, -360 to 360", "DEGREES"},
      {"pitch", 0, 0, G_OPTION_ARG_DOUBLE, &pitch, "Turn up, -360 to 360", "DEGREES"},
      {"roll", 0, 0, G_OPTION_ARG_DOUBLE, &roll, "Tilt clockwise, -360 to 360", "DEGREES"},
      {"width", 'w', 0, G_OPTION_ARG_INT, &width,
       "Width of OUT, from which its height is calculated (default: the width of both lenses; 3/4 "
       "of it for cubemaps, half of it for views)",
       "PIXELS"},
      {"blend", 0, 0, G_OPTION_ARG_STRING, &blend, "How the lenses are joined (default: multiband)",
       "off|feather|multiband"},
      {"blend-width", 0, 0, G_OPTION_ARG_DOUBLE, &blend_width,
       "Width of the whole blended band, 0 to 60 (default: 4); with multiband, twice this width "
       "for coarse detail",
       "DEGREES"},
      {"match", 0, 0, G_OPTION_ARG_STRING, &match,
       "gain: make the brightness of the lenses equal at the seam (default: gain)", "off|gain"},
      {"align", 0, 0, G_OPTION_ARG_STRING, &align,
       "seam: move near things together at the seam (default: seam)", "off|seam"},
      {"stitch-distance", 0, 0, G_OPTION_ARG_DOUBLE, &stitch_distance,
       "Distance at which things are joined without a step, 0 to 1000 (default: 0, infinitely far)",
       "METRES"},
      {"interpolation", 0, 0, G_OPTION_ARG_STRING, &interpolation,
       "How values between the pixels of the fisheyes are calculated; cubic is sharper (default: "
       "linear)",
       "linear|cubic"},
      {"quality", 'q', 0, G_OPTION_ARG_INT, &quality,
       "Video: 0 (best) to 50, default 18 (HEVC: 20). JPEG: 1 to 100 (best), default 95", "N"},
      {"codec", 0, 0, G_OPTION_ARG_STRING, &codec,
       "How a video is encoded: h264 (default), or hevc, which is smaller and slower", "h264|hevc"},
      {"preset", 0, 0, G_OPTION_ARG_STRING, &preset,
       "Speed of the encoder, ultrafast to placebo; slower gives smaller files (default: veryfast)",
       "NAME"},
      {"stitcher", 0, 0, G_OPTION_ARG_STRING, &stitcher,
       "Where to stitch (default: auto, the GPU if there is one)", "auto|cpu|gl"},
      {"threads", 0, 0, G_OPTION_ARG_INT, &threads,
       "Number of threads, 1 to 256, or 0 for one on each core (default: 0)", "N"},
      {"no-audio", 0, 0, G_OPTION_ARG_NONE, &no_audio, "Leave the sound track out", nullptr},
      {"no-clobber", 0, 0, G_OPTION_ARG_NONE, &no_clobber, "Fail if OUT exists", nullptr},
      {"force", 0, 0, G_OPTION_ARG_NONE, &force,
       "Stitch IN even if it is a 360 picture already or an ordinary picture", nullptr},
      {"quiet", 0, 0, G_OPTION_ARG_NONE, &quiet, "Print no progress, no warnings and no result",
       nullptr},
      {"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose,
       "Print each step and the elements that do it", nullptr},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print the result as JSON", nullptr},
      {}};
  std::vector<std::string> rest;
  const Status parsed = parse_options("stitch", "IN OUT | LEFT RIGHT OUT",
                                      "Stitches a dual-fisheye photo or video to a 360 one.",
                                      description, entries, argc, argv, &rest);
  options->quiet = quiet;
  options->verbose = verbose;
  options->json = json;
  if (!parsed) return parsed;

  if (rest.size() < 2) return invalid(rest.empty() ? "IN and OUT are missing" : "OUT is missing");
  if (rest.size() > 3)
    return invalid("'" + rest[3] +
                   "' is one word too many; only IN and OUT, or LEFT, RIGHT and OUT, are expected");
  options->input = rest[0];
  if (rest.size() == 3) options->right = rest[1];
  options->output = rest.back();
  if (const Status kind = read_output_kind(options); !kind) return kind;

  if (projection) {
    const Result<int> known = choose("--projection", projection, projections);
    if (!known) return known.error();
    options->projection = static_cast<Projection>(*known);
  }
  if (fov != 0) {
    if (shows_all(options->projection))
      return invalid(
          "--fov needs --projection=perspective, little-planet or stereographic, because otherwise "
          "OUT shows the whole sphere; for the field of view of the lenses, use --lens-fov");
    const FieldRange range = field_range(options->projection);
    const Status in = check_range("--fov", fov, std::round(degrees(range.smallest)),
                                  std::round(degrees(range.largest)));
    if (!in) return in;
  }
  if (lens_fov != 0)
    if (const Status in = check_range("--lens-fov", lens_fov, 60, 358); !in) return in;
  const struct {
    const char* name;
    double value;
  } angles[] = {{"--yaw", yaw}, {"--pitch", pitch}, {"--roll", roll}};
  for (const auto& angle : angles)
    if (const Status in = check_range(angle.name, angle.value, -360, 360); !in) return in;
  if (blend_width != -1)
    if (const Status in = check_range("--blend-width", blend_width, 0, 60); !in) return in;
  if (smoothing != -1)
    if (const Status in = check_range("--smoothing", smoothing, 0, 10); !in) return in;
  if (const Status in = check_range("--stitch-distance", stitch_distance, 0, 1000); !in) return in;
  if (const Status in = check_range("--threads", threads, 0, 256); !in) return in;
  if (width != 0) {
    if (const Status in = check_range("--width", width, smallest_width, largest_width); !in)
      return in;
    // Half of it is the height, and H.264 stores colour for two by two pixels.
    const int step = options->photo_out ? 2 : 4;
    if (width % step)
      return invalid("--width is " + std::to_string(width) + ", must be a multiple of " +
                     std::to_string(step));
  }
  if (quality != -1) {
    if (options->png_out) return invalid("--quality can't be used for a PNG, which is lossless");
    const Status in = options->photo_out ? check_range("--quality", quality, 1, 100)
                                         : check_range("--quality", quality, 0, largest_quantizer);
    if (!in) return in;
  }
  const struct {
    const char* name;
    const char* typed;
    std::string* chosen;
    std::vector<std::string> choices;
  } words[] = {
      {"--blend", blend, &options->blend, {"off", "feather", "multiband"}},
      {"--strip", strip, &options->strip, {"top", "middle", "bottom"}},
      {"--level", level, &options->level, {"off", "horizon", "full"}},
      {"--match", match, &options->match, {"off", "gain"}},
      {"--align", align, &options->align, {"off", "seam"}},
      {"--interpolation", interpolation, &options->interpolation, {"linear", "cubic"}},
      {"--stitcher", stitcher, &options->stitcher, {"auto", "cpu", "gl"}},
      {"--codec", codec, &options->codec, {"h264", "hevc"}},
      {"--preset",
       preset,
       &options->preset,
       {"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower",
        "veryslow", "placebo"}},
  };
  for (const auto& word : words) {
    if (!word.typed) continue;
    if (const Result<int> known = choose(word.name, word.typed, word.choices); !known)
      return known.error();
    *word.chosen = word.typed;
  }
  if (lens && !*lens) return invalid("--lens is empty");
  if (save_lens && !ends_with(save_lens, ".json"))
    return invalid("--save-lens: " + std::string(save_lens) +
                   ": the name must end in .json, so that it is found as a profile");
  options->save_lens = to_string(save_lens);
  options->search = lens && std::strcmp(lens, "auto") == 0;
  if (options->search) lens[0] = '\0';
  if (lens && *lens && save_lens)
    return invalid(
        "--save-lens keeps the lenses that are found in IN; leave --lens out, or use "
        "--lens auto");
  if (codec && options->photo_out) return invalid("--codec can't be used for a picture");

  options->lens = to_string(lens);
  options->dng = ends_with(options->lens, ".dng");
  options->fov = fov;
  options->lens_fov = lens_fov;
  options->yaw = yaw;
  options->pitch = pitch;
  options->roll = roll;
  options->blend_width = blend_width;
  options->smoothing = smoothing;
  options->stitch_distance = stitch_distance;
  options->width = width;
  options->quality = quality;
  options->threads = threads;
  options->audio = !no_audio;
  options->clobber = !no_clobber;
  options->force = force;
  return ok();
}

}  // namespace sphere::tool
