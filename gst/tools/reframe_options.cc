// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/reframe_options.h"

#include <string>
#include <utility>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/view/file.h"
#include "gst/tools/command.h"

namespace sphere::tool {

namespace {

constexpr int film_width = 1920, film_height = 1080;

constexpr const char* description =
    "IN is a 360 picture or video, or one with the two fisheyes of a camera: then it is stitched\n"
    "and viewed in one step. The end of OUT's name sets its format: .jpg, .jpeg or .png for a\n"
    "picture, .mp4, .mov or .mkv for a video. OUT is replaced only when the new file is complete.\n"
    "\n"
    "Keyframes tell what is looked at along time; docs/view.md has their form.\n"
    "\n"
    "Only pictures and sound are copied: no position, no date, no serial number.\n"
    "\n"
    "Examples:\n"
    "  sphere reframe sphere.mp4 film.mp4 --keyframes moves.json\n"
    "  sphere reframe sphere.jpg window.jpg --yaw 60 --pitch 10 --fov 100\n"
    "  sphere reframe VID_20161121_162507AA.MP4 film.mp4 --yaw 90 --size 1280x720\n"
    "  sphere reframe ride.mp4 planet.mp4 --projection little-planet --size 1080x1080\n";

/// Values that command lines have as text.
struct Words {
  const char* name;
  const char* typed;
  std::string* chosen;
  const std::vector<std::string>& choices;
};

Status parse(int argc, char** argv, StitchOptions* options) {
  g_autofree char* keyframes = nullptr;
  g_autofree char* projection = nullptr;
  g_autofree char* size = nullptr;
  g_autofree char* lens = nullptr;
  g_autofree char* level = nullptr;
  g_autofree char* interpolation = nullptr;
  g_autofree char* codec = nullptr;
  g_autofree char* preset = nullptr;
  g_autofree char* drawer = nullptr;
  double yaw = 0, pitch = 0, roll = 0, fov = 0;
  int quality = -1, threads = 0;
  gboolean no_audio = FALSE, no_clobber = FALSE, force = FALSE, quiet = FALSE, verbose = FALSE,
           json = FALSE;
  GOptionEntry entries[] = {
      {"keyframes", 'k', 0, G_OPTION_ARG_FILENAME, &keyframes,
       "What is looked at along time; replaces the options up to --projection", "FILE"},
      {"yaw", 0, 0, G_OPTION_ARG_DOUBLE, &yaw, "Turn right, -360 to 360", "DEGREES"},
      {"pitch", 0, 0, G_OPTION_ARG_DOUBLE, &pitch, "Turn up, -360 to 360", "DEGREES"},
      {"roll", 0, 0, G_OPTION_ARG_DOUBLE, &roll, "Tilt clockwise, -360 to 360", "DEGREES"},
      {"fov", 0, 0, G_OPTION_ARG_DOUBLE, &fov,
       "Horizontal field of view (default: 90; little-planet 270, stereographic 180)", "DEGREES"},
      {"projection", 'p', 0, G_OPTION_ARG_STRING, &projection,
       "perspective (default), little-planet, stereographic, or the whole sphere, turned: "
       "equirect, cubemap, eac",
       "NAME"},
      {"size", 's', 0, G_OPTION_ARG_STRING, &size,
       "Size of OUT, even (default: 1920x1080 for a perspective video; else as the projection and "
       "IN have it)",
       "WIDTHxHEIGHT"},
      {"lens", 'l', 0, G_OPTION_ARG_FILENAME, &lens,
       "IN shows two fisheyes: the lens profile, as a name or a file, or auto: find the lenses "
       "(default: the table in IN)",
       "NAME|FILE|auto"},
      {"level", 0, 0, G_OPTION_ARG_STRING, &level,
       "Of two fisheyes; horizon: make the horizon level; full: keep the direction, too (default: "
       "horizon, if IN contains the orientation)",
       "off|horizon|full"},
      {"interpolation", 0, 0, G_OPTION_ARG_STRING, &interpolation,
       "How values between the pixels of IN are calculated; cubic is sharper (default: cubic)",
       "linear|cubic"},
      {"quality", 'q', 0, G_OPTION_ARG_INT, &quality,
       "Video: 0 (best) to 50, default 18 (HEVC: 20). JPEG: 1 to 100 (best), default 95", "N"},
      {"codec", 0, 0, G_OPTION_ARG_STRING, &codec,
       "How a video is encoded: h264 (default), or hevc, which is smaller and slower", "h264|hevc"},
      {"preset", 0, 0, G_OPTION_ARG_STRING, &preset,
       "Speed of the encoder, ultrafast to placebo; slower gives smaller files (default: veryfast)",
       "NAME"},
      {"drawer", 0, 0, G_OPTION_ARG_STRING, &drawer,
       "Where to draw (default: auto, the GPU if there is one)", "auto|cpu|gl"},
      {"threads", 0, 0, G_OPTION_ARG_INT, &threads,
       "Number of threads, 1 to 256, or 0 for one on each core (default: 0)", "N"},
      {"no-audio", 0, 0, G_OPTION_ARG_NONE, &no_audio, "Leave the sound track out", nullptr},
      {"no-clobber", 0, 0, G_OPTION_ARG_NONE, &no_clobber, "Fail if OUT exists", nullptr},
      {"force", 0, 0, G_OPTION_ARG_NONE, &force,
       "Take IN even if it looks like an ordinary picture", nullptr},
      {"quiet", 0, 0, G_OPTION_ARG_NONE, &quiet, "Print no progress, no warnings and no result",
       nullptr},
      {"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose,
       "Print each step and the elements that do it", nullptr},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print the result as JSON", nullptr},
      {}};
  std::vector<std::string> rest;
  const Status parsed =
      parse_options("reframe", "IN OUT", "Makes a flat photo or film of a 360 one.", description,
                    entries, argc, argv, &rest);
  options->quiet = quiet;
  options->verbose = verbose;
  options->json = json;
  if (!parsed) return parsed;
  if (rest.size() < 2) return invalid(rest.empty() ? "IN and OUT are missing" : "OUT is missing");
  if (rest.size() > 2)
    return invalid("'" + rest[2] + "' is one word too many; only IN and OUT are expected");
  options->reframe = true;
  options->input = rest[0];
  options->output = rest[1];
  if (const Status kind = read_output_kind(options); !kind) return kind;

  options->projection = Projection::perspective;
  if (keyframes) {
    if (projection || yaw != 0 || pitch != 0 || roll != 0 || fov != 0)
      return invalid(
          "--keyframes tells what is looked at; --yaw, --pitch, --roll, --fov and --projection "
          "can't be used with it");
    const Result<ViewPath> path = load_view_path(keyframes);
    if (!path) return invalid("--keyframes: " + path.error().message);
    options->keyframes = view_path_text(*path);
    options->projection = path->keyframes().front().projection;
  }
  if (projection) {
    static const std::vector<std::string> projections(projection_names.begin(),
                                                      projection_names.end());
    const Result<int> known = choose("--projection", projection, projections);
    if (!known) return known.error();
    options->projection = static_cast<Projection>(*known);
  }
  if (fov != 0) {
    if (shows_all(options->projection))
      return invalid("--fov needs a projection that shows a view, not the whole sphere");
    const FieldRange range = field_range(options->projection);
    if (const Status in =
            check_range("--fov", fov, degrees(range.smallest), degrees(range.largest) + 1e-9);
        !in)
      return in;
  }
  for (const auto& [name, value] : {std::pair{"--yaw", yaw}, {"--pitch", pitch}, {"--roll", roll}})
    if (const Status in = check_range(name, value, -360, 360); !in) return in;
  if (const Status in = check_range("--threads", threads, 0, 256); !in) return in;
  if (quality != -1) {
    if (options->png_out) return invalid("--quality can't be used for a PNG, which is lossless");
    const Status in = options->photo_out ? check_range("--quality", quality, 1, 100)
                                         : check_range("--quality", quality, 0, largest_quantizer);
    if (!in) return in;
  }
  if (codec && options->photo_out) return invalid("--codec can't be used for a picture");
  if (lens && !*lens) return invalid("--lens is empty");
  options->interpolation = "cubic";
  static const std::vector<std::string> levels = {"off", "horizon", "full"},
                                        interpolations = {"linear", "cubic"},
                                        drawers = {"auto", "cpu", "gl"}, codecs = {"h264", "hevc"};
  const Words words[] = {
      {"--level", level, &options->level, levels},
      {"--interpolation", interpolation, &options->interpolation, interpolations},
      {"--drawer", drawer, &options->stitcher, drawers},
      {"--codec", codec, &options->codec, codecs},
      {"--preset", preset, &options->preset, encoder_presets()}};
  for (const Words& word : words) {
    if (!word.typed) continue;
    if (const Result<int> known = choose(word.name, word.typed, word.choices); !known)
      return known.error();
    *word.chosen = word.typed;
  }
  if (size) {
    if (const Status in = parse_size(size, &options->width, &options->height); !in) return in;
  } else if (!options->photo_out && options->projection == Projection::perspective) {
    options->width = film_width;
    options->height = film_height;
  }
  options->search = lens && std::string_view(lens) == "auto";
  if (lens && !options->search) options->lens = lens;
  options->dng = has_ending(options->lens, ".dng");
  options->yaw = yaw;
  options->pitch = pitch;
  options->roll = roll;
  options->fov = fov;
  options->quality = quality;
  options->threads = threads;
  options->audio = !no_audio;
  options->clobber = !no_clobber;
  options->force = force;
  return ok();
}

}  // namespace

Status parse_reframe_options(int argc, char** argv, ReframeOptions* options) {
  if (const Status parsed = parse(argc, argv, &options->common); !parsed) return parsed;
  options->clips.push_back({options->common});
  return ok();
}

}  // namespace sphere::tool
