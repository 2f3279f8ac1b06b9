// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/stitch_options.h"

#include <glib.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/number.h"
#include "gst/sphere/lens/profile.h"
#include "gst/tools/command.h"
#include "gst/tools/output_options.h"

namespace sphere::tool {

namespace {

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
    "  sphere stitch ride.mp4 sphere.mp4 --lens mi-sphere --yaw 90 --width 3840\n"
    "  sphere stitch street.jpg planet.jpg --lens gear360 --projection little-planet\n"
    "  sphere stitch VID_20161121_162507AA.MP4 steady.mp4 --level full\n"
    "  sphere stitch left.mp4 right.mp4 sphere.mkv --codec hevc\n";

}  // namespace

bool has_ending(const std::string& name, const char* ending) {
  const GString_ lower(g_ascii_strdown(name.c_str(), -1));
  return g_str_has_suffix(lower.get(), ending);
}

Status read_output_kind(StitchOptions* options) {
  const std::string& out = options->output;
  options->png_out = has_ending(out, ".png");
  options->photo_out = options->png_out || has_ending(out, ".jpg") || has_ending(out, ".jpeg");
  for (const char* container : {".mp4", ".mov", ".mkv"})
    if (has_ending(out, container)) options->container = container;
  if (options->photo_out || !options->container.empty()) return ok();
  return invalid(out +
                 ": the name must end in .jpg, .jpeg or .png for a picture, .mp4, .mov or .mkv for "
                 "a video");
}

const std::vector<std::string>& encoder_presets() {
  static const std::vector<std::string> presets = {"ultrafast", "superfast", "veryfast", "faster",
                                                   "fast",      "medium",    "slow",     "slower",
                                                   "veryslow",  "placebo"};
  return presets;
}

const std::vector<std::string>& stored_forms() {
  static const std::vector<std::string> forms = {"equirect", "cubemap", "eac"};
  return forms;
}

Status parse_size(const char* text, int* width, int* height) {
  const std::optional<IntegerPair> size = parse_integer_pair(text, 'x');
  if (!size) return invalid(std::string("--size is '") + text + "', must be WIDTHxHEIGHT");
  *width = size->first;
  *height = size->second;
  for (const int side : {*width, *height}) {
    if (const Status in = check_range("--size", side, smallest_width, largest_width); !in)
      return in;
    // H.264 stores colour for two by two pixels.
    if (side % 2) return invalid("--size: width and height must be even");
  }
  return ok();
}

Status check_lens_name(const char* lens) {
  if (!lens) return ok();
  if (!*lens) return invalid("--lens is empty");
  if (std::strcmp(lens, "auto") == 0 || std::strpbrk(lens, "/.") || is_profile_text(lens))
    return ok();
  const std::vector<std::string> known = profile_names();
  if (std::find(known.begin(), known.end(), lens) != known.end()) return ok();
  return invalid("--lens: there is no lens profile '" + std::string(lens) + "'; known are " +
                 listed(known) + suggestion(lens, known));
}

Status parse_stitch_options(int argc, char** argv, StitchOptions* options) {
  g_autofree char* lens = nullptr;
  g_autofree char* save_lens = nullptr;
  g_autofree char* blend = nullptr;
  g_autofree char* level = nullptr;
  g_autofree char* strip = nullptr;
  g_autofree char* match = nullptr;
  g_autofree char* align = nullptr;
  g_autofree char* interpolation = nullptr;
  double stitch_distance = 0;
  g_autofree char* projection = nullptr;
  double yaw = 0, pitch = 0, roll = 0;
  double fov = no_number, lens_fov = no_number, blend_width = no_number, smoothing = no_number;
  int width = no_integer;
  OutputOptions output({"stitcher", "Where to stitch (default: auto, the GPU if there is one)",
                        "Stitch IN even if it is a 360 picture already or an ordinary picture"});
  const std::vector<std::string> projections(projection_names.begin(), projection_names.end());
  const std::string projection_words = alternatives(projections);
  std::vector<GOptionEntry> entries = {
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
  };
  output.add_to(&entries);
  std::vector<std::string> rest;
  const Status parsed = parse_options("stitch", "IN OUT | LEFT RIGHT OUT",
                                      "Stitches a dual-fisheye photo or video to a 360 one.",
                                      description, entries.data(), argc, argv, &rest);
  output.read_printing(options);
  if (!parsed) return parsed;

  if (rest.size() < 2) return invalid(rest.empty() ? "IN and OUT are missing" : "OUT is missing");
  if (rest.size() > 3)
    return invalid("'" + rest[3] +
                   "' is one word too many; only IN and OUT, or LEFT, RIGHT and OUT, are expected");
  options->input = rest[0];
  if (rest.size() == 3) options->right = rest[1];
  options->output = rest.back();
  if (const Status kind = read_output_kind(options); !kind) return kind;

  if (const Status known = read_projection(projection, &options->projection); !known) return known;
  if (is_given(fov)) {
    if (shows_all(options->projection))
      return invalid(
          "--fov needs --projection=perspective, little-planet or stereographic, because otherwise "
          "OUT shows the whole sphere; for the field of view of the lenses, use --lens-fov");
    const FieldRange range = field_range(options->projection);
    const Status in = check_range("--fov", fov, std::round(degrees(range.smallest)),
                                  std::round(degrees(range.largest)));
    if (!in) return in;
    options->fov = fov;
  }
  if (is_given(lens_fov)) {
    if (const Status in = check_range("--lens-fov", lens_fov, 60, 358); !in) return in;
    options->lens_fov = lens_fov;
  }
  if (const Status in = check_angles(yaw, pitch, roll); !in) return in;
  if (is_given(blend_width)) {
    if (const Status in = check_range("--blend-width", blend_width, 0, 60); !in) return in;
    options->blend_width = blend_width;
  }
  if (is_given(smoothing)) {
    if (const Status in = check_range("--smoothing", smoothing, 0, 10); !in) return in;
    options->smoothing = smoothing;
  }
  if (const Status in = check_range("--stitch-distance", stitch_distance, 0, 1000); !in) return in;
  if (is_given(width)) {
    if (const Status in = check_range("--width", width, smallest_width, largest_width); !in)
      return in;
    // Half of it is the height, and H.264 stores colour for two by two pixels.
    const int step = options->photo_out ? 2 : 4;
    if (width % step)
      return invalid("--width is " + std::to_string(width) + ", must be a multiple of " +
                     std::to_string(step));
    options->width = width;
  }
  if (const Status read = output.read(options); !read) return read;
  const Status words = read_words({
      {"--blend", blend, &options->blend, {"off", "feather", "multiband"}},
      {"--strip", strip, &options->strip, {"top", "middle", "bottom"}},
      {"--level", level, &options->level, {"off", "horizon", "full"}},
      {"--match", match, &options->match, {"off", "gain"}},
      {"--align", align, &options->align, {"off", "seam"}},
      {"--interpolation", interpolation, &options->interpolation, {"linear", "cubic"}},
  });
  if (!words) return words;
  if (const Status named = check_lens_name(lens); !named) return named;
  if (save_lens && !has_ending(save_lens, ".json"))
    return invalid("--save-lens: " + std::string(save_lens) +
                   ": the name must end in .json, so that it is found as a profile");
  options->save_lens = to_string(save_lens);
  options->search = lens && std::strcmp(lens, "auto") == 0;
  if (options->search) lens[0] = '\0';
  if (lens && *lens && save_lens)
    return invalid(
        "--save-lens keeps the lenses that are found in IN; leave --lens out, or use "
        "--lens auto");

  options->lens = to_string(lens);
  options->dng = has_ending(options->lens, ".dng");
  options->yaw = yaw;
  options->pitch = pitch;
  options->roll = roll;
  options->stitch_distance = stitch_distance;
  return ok();
}

}  // namespace sphere::tool
