// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/reframe_options.h"

#include <string>
#include <utility>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/tools/auto_view.h"
#include "gst/tools/command.h"
#include "gst/tools/edit_list.h"
#include "gst/tools/output_options.h"
#include "gst/tools/time_option.h"

namespace sphere::tool {

namespace {

constexpr int film_width = 1920, film_height = 1080;

constexpr const char* description =
    "IN is a 360 picture or video, or one with the two fisheyes of a camera: then it is stitched\n"
    "and viewed in one step. The end of OUT's name sets its format: .jpg, .jpeg or .png for a\n"
    "picture, .mp4, .mov or .mkv for a video. OUT is replaced only when the new file is complete.\n"
    "\n"
    "Keyframes tell what is looked at along time, in the time of IN. A list of clips (--edit) "
    "makes\n"
    "one film of several videos; then only OUT is named. docs/view.md has the forms of both.\n"
    "\n"
    "A film is made in parts, which are kept beside OUT in OUT.parts until it is complete. If it "
    "is\n"
    "stopped, the same command goes on with the first part that is not done.\n"
    "\n"
    "Sound is copied. Where the film is cut, put together, faster or slower, it is encoded anew "
    "in\n"
    "step with the pictures, with the pitch that it had; beyond twice and half the speed it is "
    "left\n"
    "out.\n"
    "\n"
    "Only pictures and sound are copied: no position, no date, no serial number.\n"
    "\n"
    "Examples:\n"
    "  sphere reframe sphere.mp4 film.mp4 --keyframes moves.json\n"
    "  sphere reframe sphere.jpg window.jpg --yaw 60 --pitch 10 --fov 100\n"
    "  sphere reframe VID_20161121_162507AA.MP4 film.mp4 --yaw 90 --size 1280x720\n"
    "  sphere reframe ride.mp4 planet.mp4 --projection little-planet --size 1080x1080\n"
    "  sphere reframe ride.mp4 fast.mp4 --from 1:30 --to 2:00 --speed 4 --fps 30\n"
    "  sphere reframe --edit holiday.json film.mp4\n";

/// The words that tell of times, and the list of clips.
struct TimeWords {
  const char* from;
  const char* to;
  const char* fps;
  const char* edit;
  double speed;
};

/// What is cut out of IN, and how fast it is shown; or the list of clips.
Status read_clips(const TimeWords& words, ReframeOptions* options) {
  const StitchOptions& common = options->common;
  const bool timed = words.from || words.to || words.speed != 1;
  if (common.photo_out && (timed || words.fps || words.edit))
    return invalid("--from, --to, --speed, --fps and --edit are for films, and " + common.output +
                   " is a picture");
  if (words.fps) {
    const Result<FrameRate> rate = parse_rate("--fps", words.fps);
    if (!rate) return rate.error();
    options->fps = *rate;
  }
  if (words.edit) {
    if (timed)
      return invalid("--from, --to and --speed are in the list of clips where there is --edit");
    Result<std::vector<ReframeClip>> clips = load_edit_list(words.edit, common);
    if (!clips) return invalid("--edit: " + clips.error().message);
    options->clips = std::move(*clips);
    if (options->common.width == 0)
      return invalid("--edit: --size is needed where the first view is not perspective");
    return ok();
  }
  ReframeClip clip{common};
  if (words.from) {
    const Result<double> from = parse_time("--from", words.from);
    if (!from) return from.error();
    clip.from = *from;
  }
  if (words.to) {
    const Result<double> to = parse_time("--to", words.to);
    if (!to) return to.error();
    if (*to <= clip.from) return invalid("--to must be later than --from");
    clip.to = *to;
  }
  if (const Status in = check_range("--speed", words.speed, slowest_speed, fastest_speed); !in)
    return in;
  clip.speed = words.speed;
  options->clips.push_back(std::move(clip));
  return ok();
}

}  // namespace

Status parse_reframe_options(int argc, char** argv, ReframeOptions* all) {
  StitchOptions* const options = &all->common;
  g_autofree char* keyframes = nullptr;
  g_autofree char* projection = nullptr;
  g_autofree char* size = nullptr;
  g_autofree char* lens = nullptr;
  g_autofree char* stored = nullptr;
  g_autofree char* level = nullptr;
  g_autofree char* interpolation = nullptr;
  g_autofree char* from = nullptr;
  g_autofree char* to = nullptr;
  g_autofree char* fps = nullptr;
  g_autofree char* edit = nullptr;
  double speed = 1;
  double yaw = no_number, pitch = no_number, roll = no_number, fov = no_number;
  OutputOptions output({"drawer", "Where to draw (default: auto, the GPU if there is one)",
                        "Take IN even if it looks like an ordinary picture"});
  std::vector<GOptionEntry> entries = {
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
      {"edit", 'e', 0, G_OPTION_ARG_FILENAME, &edit,
       "Several clips, one after the other: a list of them; IN is then left out", "FILE"},
      {"from", 0, 0, G_OPTION_ARG_STRING, &from,
       "Begin at this time of IN: seconds, or [HOURS:]MINUTES:SECONDS", "TIME"},
      {"to", 0, 0, G_OPTION_ARG_STRING, &to, "End before this time of IN", "TIME"},
      {"speed", 0, 0, G_OPTION_ARG_DOUBLE, &speed,
       "How fast the film is, 0.05 to 20; 2 is twice as fast (default: 1)", "FACTOR"},
      {"fps", 0, 0, G_OPTION_ARG_STRING, &fps,
       "Pictures a second (default: each picture of IN with its own time; where the speed changes, "
       "or with several clips, as the first one has it)",
       "RATE"},
      {"size", 's', 0, G_OPTION_ARG_STRING, &size,
       "Size of OUT, even (default: 1920x1080 for a perspective video; else as the projection and "
       "IN have it)",
       "WIDTHxHEIGHT"},
      {"input", 'i', 0, G_OPTION_ARG_STRING, &stored,
       "How the 360 picture in IN is stored (default: as the file says, else equirect)",
       "equirect|cubemap|eac"},
      {"lens", 'l', 0, G_OPTION_ARG_FILENAME, &lens,
       "IN shows two fisheyes: the lens profile, as a name or a file, or auto: find the lenses "
       "(default: the table in IN)",
       "NAME|FILE|auto"},
      {"level", 0, 0, G_OPTION_ARG_STRING, &level,
       "horizon: make the horizon level, by the orientation in IN or else by what the pictures "
       "show; "
       "full: of two fisheyes, keep the direction, too (default: horizon, if IN shows two fisheyes "
       "and contains the orientation)",
       "off|horizon|full"},
      {"interpolation", 0, 0, G_OPTION_ARG_STRING, &interpolation,
       "How values between the pixels of IN are calculated; cubic is sharper (default: cubic)",
       "linear|cubic"},
  };
  AutoViewOption automatic;
  VoiceOption voice;
  for (const GOptionEntry& entry : automatic.entries()) entries.push_back(entry);
  for (const GOptionEntry& entry : voice.entries()) entries.push_back(entry);
  output.add_to(&entries);
  std::vector<std::string> rest;
  const Status parsed =
      parse_options("reframe", "IN OUT", "Makes a flat photo or film of a 360 one.", description,
                    entries.data(), argc, argv, &rest);
  output.read_printing(options);
  if (!parsed) return parsed;
  const size_t expected = edit ? 1 : 2;
  if (rest.size() < expected)
    return invalid(rest.empty() && !edit ? "IN and OUT are missing" : "OUT is missing");
  if (rest.size() > expected)
    return invalid(
        "'" + rest[expected] + "' is one word too many; only " +
        (edit ? "OUT is expected, because the list names the files" : "IN and OUT are expected"));
  options->reframe = true;
  if (!edit) options->input = rest[0];
  options->output = rest.back();
  if (const Status kind = read_output_kind(options); !kind) return kind;

  options->projection = Projection::perspective;
  if (keyframes) {
    if (projection || is_given(yaw) || is_given(pitch) || is_given(roll) || is_given(fov))
      return invalid(
          "--keyframes tells what is looked at; --yaw, --pitch, --roll, --fov and --projection "
          "can't be used with it");
    if (const Status taken = take_keyframes(keyframes, options); !taken)
      return invalid("--keyframes: " + taken.error().message);
  }
  if (const Status known = read_projection(projection, &options->projection); !known) return known;
  options->yaw = is_given(yaw) ? yaw : 0;
  options->pitch = is_given(pitch) ? pitch : 0;
  options->roll = is_given(roll) ? roll : 0;
  if (is_given(fov)) {
    // 0 is a view without one.
    if (fov == 0) return invalid("--fov is 0, must be more than 0");
    options->fov = fov;
  }
  if (const Status in = check_view(*options, "--"); !in) return in;
  if (const Status read = output.read(options); !read) return read;
  if (const Status named = check_lens_name(lens); !named) return named;
  options->interpolation = "cubic";
  const Status words = read_words(
      {{"--level", level, &options->level, {"off", "horizon", "full"}},
       {"--interpolation", interpolation, &options->interpolation, {"linear", "cubic"}}});
  if (!words) return words;
  if (size) {
    if (const Status in = parse_size(size, &options->width, &options->height); !in) return in;
  } else if (!options->photo_out && options->projection == Projection::perspective) {
    options->width = film_width;
    options->height = film_height;
  }
  if (stored && lens)
    return invalid(
        "--input tells how a 360 picture is stored, --lens that IN shows two fisheyes; use one of "
        "them");
  if (stored) {
    if (const Result<int> known = choose("--input", stored, stored_forms()); !known)
      return known.error();
    options->stored = stored;
  }
  options->search = lens && std::string_view(lens) == "auto";
  if (lens && !options->search) options->lens = lens;
  options->dng = has_ending(options->lens, ".dng");
  if (const Status found = automatic.parse(options); !found) return found;
  if ((options->follow || !options->save_keyframes.empty()) && edit)
    return invalid("--follow and --save-keyframes are for one video, and --edit names several");
  const Result<VoiceChoice> choice = voice.parse(*options);
  if (!choice) return choice.error();
  all->voice = *choice;
  return read_clips({from, to, fps, edit, speed}, all);
}

}  // namespace sphere::tool
